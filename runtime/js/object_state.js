// A durable object as its class sees it: `ctx`, and how the host begins and ends
// it. Loads when the isolate has its first object.
(function () {
const { core, primordials } = __bootstrap;
const { op_object_abort, op_object_block, op_object_unblock } = core.ops;
const {
  Error,
  MapPrototypeDelete,
  MapPrototypeGet,
  MapPrototypeSet,
  ObjectDefineProperty,
  PromisePrototypeThen,
  PromiseResolve,
  ReflectApply,
  SafeMap,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { EventContext, runInEvent } = core.loadExtScript("ext:outboard/event.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { makeEnumerable } = core.loadExtScript("ext:outboard/headers.js");
const { newId } = core.loadExtScript("ext:outboard/objects.js");
const { storageOf } = core.loadExtScript("ext:outboard/object_storage.js");

const kOwn = Symbol("made here");

class DurableObjectState {
  #number;
  #context;
  #worker;

  constructor(key, number, context, id, worker, hasAlarm) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#number = number;
    this.#context = context;
    this.#worker = worker;
    const own = (name, value) =>
      ObjectDefineProperty(this, name, {
        __proto__: null,
        value,
        enumerable: true,
      });
    own("id", id);
    own(
      "storage",
      storageOf(number, (run) => this.blockConcurrencyWhile(run), hasAlarm),
    );
    own("props", {});
  }

  get exports() {
    return has(flag.enable_ctx_exports) ? this.#worker.exports : undefined;
  }

  /** An object lives while it has something to do; this is accepted for symmetry. */
  waitUntil(promise) {
    this.#context.waitUntil(promise);
  }

  blockConcurrencyWhile(run) {
    const number = this.#number;
    op_object_block(number);
    const fail = (error) => {
      op_object_abort(number, error, /* log */ true);
      throw error;
    };
    let result;
    try {
      result = PromiseResolve(run());
    } catch (error) {
      result = primordials.PromiseReject(error);
    }
    return PromisePrototypeThen(result, (value) => {
      op_object_unblock(number);
      return value;
    }, fail);
  }

  abort(reason = undefined) {
    const error = reason === undefined
      ? new Error("Application called abort() to reset Durable Object.")
      : new Error(`${reason}`);
    op_object_abort(this.#number, error, /* log */ false);
    throw error;
  }
}
makeEnumerable(DurableObjectState.prototype);
ObjectDefineProperty(DurableObjectState.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "DurableObjectState",
  configurable: true,
});

/** Objects of this isolate, by the host's number. */
const objects = new SafeMap();
const lives = new SafeMap();

function start(worker, number, life, className, id, name) {
  const context = new EventContext(life, lives);
  const object = { instance: undefined, context };
  MapPrototypeSet(objects, number, object);
  runInEvent(context, () => {
    try {
      const Class = worker.namespace?.[className];
      if (typeof Class !== "function") {
        throw new TypeError(`The worker exports no class "${className}".`);
      }
      const state = new DurableObjectState(
        kOwn,
        number,
        context,
        newId(id, name),
        worker,
        // Where its constructor still runs, nobody knows.
        () => typeof (object.instance ?? Class.prototype)?.alarm === "function",
      );
      object.instance = new Class(state, worker.env);
    } catch (error) {
      op_object_abort(number, error, /* log */ true);
    }
  });
}

/** Calls a method of an object, whose timers and sockets are then its own. */
function call(number, name, argument) {
  const { instance, context } = MapPrototypeGet(objects, number);
  const method = instance?.[name];
  if (typeof method !== "function") {
    throw new TypeError(
      `Handler does not export a ${name}() function.`,
    );
  }
  return runInEvent(context, () => ReflectApply(method, instance, [argument]));
}

/** Whether it ended: one that has something to do stays, unless `force`d. */
function end(number, force) {
  const object = MapPrototypeGet(objects, number);
  if (object === undefined) return true;
  const { context } = object;
  const busy = context.holds > 1 || context.timers?.size > 0;
  if (busy && !force) return false;
  MapPrototypeDelete(objects, number);
  context.end();
  return true;
}

return { call, DurableObjectState, end, start };
})();
