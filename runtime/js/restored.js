// `ctx.restore`: what a worker's `[restore]` method makes anew whenever it is called
// for. A stub of it is known by who made it and of what, so that it may be kept.
(function () {
const { core, primordials } = __bootstrap;
const { op_restore_next, op_restored, op_rpc_open } = core.ops;
const {
  Error,
  ObjectPrototypeIsPrototypeOf,
  PromisePrototypeThen,
  PromiseReject,
  PromiseResolve,
  ReflectApply,
  TypeError,
} = primordials;
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { hookOf, isReference, isStub, RpcTarget, stubOf } = core.loadExtScript(
  "ext:outboard/rpc.js",
);
const { BindingHook, failed, loopback, Question, serviceHook } = core.loadExtScript(
  "ext:outboard/rpc_hooks.js",
);
const { classAddress } = core.loadExtScript("ext:outboard/object_class.js");
const { restore } = core.loadExtScript("ext:outboard/cloudflare_workers.js");

/** What a `[restore]` method made, or makes when it is called. */
class RestoredHook {
  /** How the host knows it, and keeps it for as long as this is here. */
  #number;
  #handle;
  /** A stub's calls are all of one thing; a service has none that stays. */
  #isStub;
  #mayBeKept;
  /** What was made, for who has it from who made it; else null. */
  #live;
  /** Of a stub: what was made for the event that called it last. */
  #made = null;
  #disposed = false;

  constructor({ number, handle, isStub, mayBeKept }, live) {
    this.#number = number;
    this.#handle = handle;
    this.#isStub = isStub;
    this.#mayBeKept = mayBeKept;
    this.#live = live;
  }

  call(path, args) {
    if (path.length === 1 && path[0] === "fetch" && this.#live?.fetch !== undefined) {
      return questionOf(this.#live.fetch(args[0]));
    }
    return this.#ask((hook) => hook.call(path, args));
  }

  get(path) {
    return this.#ask((hook) => hook.get(path));
  }

  #ask(ask) {
    if (this.#disposed) return failed(new Error("RPC stub used after being disposed."));
    if (this.#live !== null) return ask(this.#live);
    if (!this.#isStub) return ask(new BindingHook(this.#number, null, this.#handle));
    try {
      const event = requireEvent();
      if (this.#made?.event !== event.whole) {
        const { Session } = core.loadExtScript("ext:outboard/rpc_session.js");
        const session = new Session(op_rpc_open(event.id, this.#number, null), event);
        this.#made = { event: event.whole, hook: session.import(0) };
      }
      return ask(this.#made.hook);
    } catch (error) {
      return failed(error);
    }
  }

  dup() {
    if (this.#disposed) throw new Error("RPC stub used after being disposed.");
    if (!this.#isStub) return this;
    return new RestoredHook(restoredOf(this), this.#live?.dup() ?? null);
  }

  dispose() {
    // A service is for whoever has it.
    if (!this.#isStub || this.#disposed) return;
    this.#disposed = true;
    this.#live?.dispose();
    this.#made?.hook.dispose();
  }

  static kept(hook) {
    if (!(#number in hook)) return undefined;
    return {
      number: hook.#number,
      handle: hook.#handle,
      isStub: hook.#isStub,
      mayBeKept: hook.#mayBeKept,
    };
  }
}
/** How the host knows what a hook is for, where a `[restore]` method makes it. */
const { kept: restoredOf } = RestoredHook;
delete RestoredHook.kept;

function questionOf(promise) {
  const question = new Question(null, 0);
  PromisePrototypeThen(
    promise,
    (value) => question.resolve(value),
    (error) => question.reject(error),
  );
  return question;
}

/** The hook of what a `[restore]` method gave. */
function checkMade(value) {
  if (isStub(value)) return { hook: hookOf(value), isStub: true };
  const isFunction = typeof value === "function";
  if (!isFunction && (typeof value !== "object" || value === null)) throw wrongKind();
  const hook = isReference(value) ? undefined : serviceHook(value);
  if (hook !== undefined) return { hook, isStub: false };
  const isTarget = ObjectPrototypeIsPrototypeOf(RpcTarget.prototype, value) || isFunction;
  if (!isTarget || isReference(value) || classAddress(value) !== undefined) throw wrongKind();
  return { hook: loopback(value), isStub: true };
}

function wrongKind() {
  return new TypeError("The [restore]() method must return a ServiceStub or RpcStub.");
}

/** @param {unknown[]} rest what a handler that is no class is told besides */
function make(instance, params, rest) {
  const method = instance?.[restore];
  if (typeof method !== "function") {
    throw new TypeError(
      "The WorkerEntrypoint or DurableObject class does not implement a [restore]() method.",
    );
  }
  return ReflectApply(method, instance, [params, ...rest]);
}

/**
 * Has an export or an object make something that may be kept.
 * @param {{ object: number, entrypoint?: string, props?: string | object }} who
 */
async function restoreBy(event, who, { instance, rest }, params) {
  if (typeof params !== "object" && typeof params !== "function" || params === null) {
    throw new TypeError(
      "Failed to execute 'restore' on 'ExecutionContext': parameter 1 is not of type 'Object'.",
    );
  }
  const { packParams } = core.loadExtScript("ext:outboard/parcels.js");
  const { parcel, mayBeKept } = packParams(event, params);
  const made = checkMade(await make(instance, params, rest));
  const { entrypoint, props } = who;
  const isJson = typeof props === "string";
  const { 0: number, 1: handle, 2: way, 3: wayHandle } = op_restored(
    event.id,
    who.object,
    entrypoint ?? null,
    isJson ? props : null,
    isJson ? null : props ?? null,
    parcel,
    made.isStub,
  );
  const live = made.hook.by?.(way, wayHandle) ?? made.hook;
  const hook = new RestoredHook({ number, handle, isStub: made.isStub, mayBeKept }, live);
  return stubFor(hook);
}

function stubFor(hook) {
  return restoredOf(hook).isStub
    ? stubOf(hook)
    : core.loadExtScript("ext:outboard/fetcher.js").fetcherOf(hook);
}

/** What a session is with that is to have something made first. */
function restoredRoot(event, root) {
  const { 0: parcel, 1: isStub, 2: more, 3: way, 4: handle } = op_restore_next(event.id);
  let made;
  try {
    if (root.fault !== undefined) throw root.fault;
    if (!has(flag.allow_irrevocable_stub_storage)) {
      throw new Error(
        "Invoked a Worker from a stored stub, but the target worker no longer has the " +
          "allow_irrevocable_stub_storage compatibility flag enabled.",
      );
    }
    const { open } = core.loadExtScript("ext:outboard/parcels.js");
    const rest = root.ctx === undefined ? [] : [root.env, root.ctx];
    made = PromiseResolve(make(root.instance, open(parcel), rest));
  } catch (error) {
    made = PromiseReject(error);
  }
  const hook = PromisePrototypeThen(made, (value) => {
    const { hook, isStub: isNowStub } = checkMade(value);
    if (isNowStub !== isStub) {
      const [was, is] = isStub ? ["an RpcStub", "a ServiceStub"] : ["a ServiceStub", "an RpcStub"];
      throw new TypeError(
        `The [restore]() method originally returned ${was}, but on replay it returned ${is}.`,
      );
    }
    const by = hook.by?.(way, handle);
    if (more && by === undefined) {
      throw new TypeError(
        "The [restore]() method returned what has no [restore]() method of its own, which " +
          "the stored stub is by.",
      );
    }
    return by ?? hook;
  });
  // Whoever calls hears of it.
  PromisePrototypeThen(hook, undefined, () => {});
  return { objectId: root.objectId, made: hook, isStub };
}

return { restoreBy, restoredOf, RestoredHook, restoredRoot, stubFor };
})();
