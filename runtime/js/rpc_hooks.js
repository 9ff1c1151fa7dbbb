// What references are of. A hook has `call(path, args)` and `get(path)`, which give
// a Question, `dup()` and `dispose()`.
(function () {
const { core, primordials } = __bootstrap;
const { op_rpc_open, op_rpc_open_way, op_rpc_pair } = core.ops;
const {
  ArrayIsArray,
  ArrayPrototypeConcat,
  ArrayPrototypeJoin,
  ArrayPrototypePush,
  ArrayPrototypeSlice,
  Error,
  ObjectDefineProperty,
  ObjectGetPrototypeOf,
  ObjectHasOwn,
  ObjectPrototype,
  Promise,
  PromisePrototypeThen,
  PromiseReject,
  PromiseResolve,
  StringPrototypeSlice,
  SymbolDispose,
  TypeError,
} = primordials;
const { foreign, requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { hookOf, isReference, pathOf } = core.loadExtScript("ext:outboard/rpc.js");
const { open } = core.loadExtScript("ext:outboard/spans.js");
const sessions = () => core.loadExtScript("ext:outboard/rpc_session.js");

const PENDING = 0;
const RESOLVED = 1;
const REJECTED = 2;

/** An error that the other side threw, not made yet. */
class Thrown {
  #make;

  constructor(make) {
    this.#make = make;
  }

  static made(error) {
    return typeof error === "object" && error !== null && #make in error
      ? error.#make()
      : error;
  }
}

/** A call, or the look at a property, that was or will be answered. */
class Question {
  #state = PENDING;
  /** The result, or the error. */
  #value;
  /** What to do when it is answered. */
  #waiting = [];
  #disposed = false;
  /** Of whose result it asks for what. */
  #asked = null;
  #session;
  #number;

  /** @param {Session | null} session null where it is answered here */
  constructor(session, number) {
    this.#session = session;
    this.#number = number;
  }

  resolve(value) {
    if (this.#disposed) {
      dispose(value);
      return;
    }
    this.#settle(RESOLVED, value);
  }

  /** @param {unknown} error what was thrown, or a `Thrown` */
  reject(error) {
    this.#settle(REJECTED, error);
  }

  #settle(state, value) {
    if (this.#state !== PENDING) return;
    this.#state = state;
    this.#value = value;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let i = 0; i < waiting.length; i++) waiting[i]();
  }

  /** It asks for something of another's result. */
  follows(of, path, args) {
    this.#asked = { of, path, args };
  }

  /**
   * The session ended before it was answered. Where that was because all was said,
   * what it asks for is in the result that is here.
   */
  abandon(error) {
    const asked = this.#asked;
    if (asked === null || asked.of.#state !== RESOLVED) {
      this.reject(error);
      return;
    }
    const { of, path, args } = asked;
    PromisePrototypeThen(
      askValue(of.#value, path, args).pull(),
      (value) => this.resolve(value),
      (error) => this.reject(error),
    );
  }

  /** The promise of it, for a script that looks. */
  pull() {
    if (this.#state === RESOLVED) return PromiseResolve(this.#value);
    if (this.#disposed) return PromiseReject(promiseDisposed());
    const answered = new Promise((resolve) => {
      if (this.#state === PENDING) ArrayPrototypePush(this.#waiting, resolve);
      else resolve();
    });
    return PromisePrototypeThen(answered, () => {
      if (this.#state === RESOLVED) return this.#value;
      // Made here, and so with the stack of who waits.
      this.#value = Thrown.made(this.#value);
      throw this.#value;
    });
  }

  whenAnswered(fn) {
    if (this.#state === PENDING) ArrayPrototypePush(this.#waiting, fn);
    else fn();
  }

  call(path, args) {
    return this.#ask(path, args, "JsRpcPromise");
  }

  get(path) {
    return path.length === 0 ? this : this.#ask(path, undefined, "Pipeline");
  }

  /** @param {unknown[] | undefined} args undefined to look at the property */
  #ask(path, args, type) {
    const error = this.#session === null ? undefined : foreign(this.#session.event, type);
    if (error !== undefined) return failed(error);
    if (this.#disposed) return failed(promiseDisposed());
    switch (this.#state) {
      case RESOLVED:
        return askValue(this.#value, path, args);
      case REJECTED:
        return failed(this.#value);
    }
    return this.#session.ask(-this.#number, path, args, this);
  }

  dispose() {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#state === RESOLVED) dispose(this.#value);
    this.#settle(REJECTED, promiseDisposed());
  }
}

function promiseDisposed() {
  return new Error("RPC promise used after being disposed.");
}

function failed(error) {
  const question = new Question(null, 0);
  question.reject(error);
  return question;
}

function answered(value) {
  const question = new Question(null, 0);
  question.resolve(value);
  return question;
}

/** Disposes a result, which has a method for it where there is anything to do. */
function dispose(value) {
  if (typeof value === "object" && value !== null || typeof value === "function") {
    value[SymbolDispose]?.();
  }
}

/** The same of a result that is here: its properties are looked at, its stubs called. */
function askValue(value, path, args) {
  let at = value;
  for (let i = 0; i < path.length; i++) {
    const hook = hookUnder(at, path, i);
    if (hook !== undefined) return askHook(hook, args);
    if (!isPlain(at) || !ObjectHasOwn(at, path[i])) return failed(missing(path[i]));
    at = at[path[i]];
  }
  if (args === undefined) return answered(at);
  const hook = hookUnder(at, path, path.length);
  if (hook !== undefined) return askHook(hook, args);
  return failed(
    new TypeError(`"${ArrayPrototypeJoin(path, ".")}" is not a function.`),
  );
}

function askHook({ hook, path }, args) {
  return args === undefined ? hook.get(path) : hook.call(path, args);
}

/** Where `value` stands for something elsewhere, that, and the rest of the path. */
function hookUnder(value, path, from) {
  if (isReference(value)) {
    const rest = ArrayPrototypeSlice(path, from);
    return {
      hook: hookOf(value),
      path: ArrayPrototypeConcat(pathOf(value), rest),
    };
  }
  const hook = serviceHook(value);
  return hook === undefined
    ? undefined
    : { hook, path: ArrayPrototypeSlice(path, from) };
}

/** The hook of a service's or an object's stub. */
function serviceHook(value) {
  if (typeof value !== "function" && (typeof value !== "object" || value === null)) {
    return undefined;
  }
  return core.loadExtScript("ext:outboard/fetcher.js").hookOfFetcher(value) ??
    core.loadExtScript("ext:outboard/objects.js").hookOfObject(value);
}

function isPlain(value) {
  return typeof value === "object" && value !== null &&
    (ArrayIsArray(value) || ObjectGetPrototypeOf(value) === ObjectPrototype);
}

function missing(name) {
  return new TypeError(`The RPC receiver does not implement the method "${name}".`);
}

/** Something that the other side of a session exported, as often as it is held. */
class Import {
  holders = 1;

  constructor(session, number) {
    this.session = session;
    this.number = number;
  }
}

/** One holder of it. */
class ImportHook {
  #of;
  #disposed = false;

  constructor(of) {
    this.#of = of;
  }

  call(path, args) {
    return this.#ask(path, args);
  }

  get(path) {
    return this.#ask(path, undefined);
  }

  #ask(path, args) {
    const { session, number } = this.#of;
    const error = this.#disposed ? stubDisposed() : foreign(session.event, "Client");
    return error === undefined ? session.ask(number, path, args) : failed(error);
  }

  /** Its caller is to have one of its own. */
  dup() {
    if (this.#disposed) throw stubDisposed();
    const error = foreign(this.#of.session.event, "Client");
    if (error !== undefined) throw error;
    this.#of.holders++;
    return new ImportHook(this.#of);
  }

  dispose() {
    if (this.#disposed) return;
    this.#disposed = true;
    const { session, number } = this.#of;
    if (--this.#of.holders === 0) session.release(number);
  }
}

function stubDisposed() {
  return new Error("RPC stub used after being disposed.");
}

/** A service or an object that the worker is bound to: each call is a session. */
class BindingHook {
  #service;
  #object;
  /** The host keeps what it is for as long as this is here. */
  #handle;
  /** What becomes of the object, where it is one. @type {Fate | null} */
  #fate;
  /** Whether objects may keep it: it is of a worker's own exports that agrees. */
  #mayBeKept;
  /** How it was made by a `[restore]` method: the host's number for that. */
  #way = null;

  /** @param {string | null} object of a class's objects the id of one, and its name */
  constructor(service, object, handle = null, fate = null, mayBeKept = false) {
    this.#service = service;
    this.#object = object;
    this.#handle = handle;
    this.#fate = fate;
    this.#mayBeKept = mayBeKept;
  }

  call(path, args) {
    return this.#ask(path, args);
  }

  get(path) {
    return this.#ask(path, undefined);
  }

  #ask(path, args) {
    const event = requireEvent();
    try {
      this.#fate?.check();
      const rid = this.#way === null
        ? op_rpc_open(event.id, this.#service, this.#object)
        : op_rpc_open_way(event.id, this.#service, this.#object, this.#way.number);
      const session = new (sessions().Session)(rid, event);
      if (this.#object === null) return session.ask(0, path, args);
      const fate = this.#fate;
      if (fate !== null) session.onFault = (error) => fate.note(error);
      const span = open("durable_object_subrequest");
      span?.set("objectId", StringPrototypeSlice(this.#object, 0, 64));
      const question = session.ask(0, path, args);
      if (span !== null) question.whenAnswered(() => span.close());
      return question;
    } catch (error) {
      return failed(error);
    }
  }

  /** A real request, whoever asks for it. */
  fetch(request) {
    const { fetchFrom } = core.loadExtScript("ext:outboard/fetch.js");
    return fetchFrom(requireEvent(), this.#service, request, this.#object);
  }

  /** Before what goes by its number alone. */
  prepare() {}

  dup() {
    return this;
  }

  dispose() {}

  /** The same as what a `[restore]` method made. */
  by(number, handle) {
    const copy = this.copy();
    copy.#way = { number, handle };
    return copy;
  }

  copy() {
    return new BindingHook(this.#service, this.#object, this.#handle, this.#fate);
  }

  static at(hook) {
    if (!(#handle in hook)) return undefined;
    return { service: hook.#service, object: hook.#object, mayBeKept: hook.#mayBeKept };
  }
}
/** A facet: it is started where it does not run. */
class FacetHook extends BindingHook {
  #stub;
  #handle;
  #begin;

  /** @param {() => void} begin has it run */
  constructor(stub, handle, begin) {
    super(stub, null, handle);
    this.#stub = stub;
    this.#handle = handle;
    this.#begin = begin;
  }

  call(path, args) {
    return this.#begun(() => super.call(path, args));
  }

  get(path) {
    return this.#begun(() => super.get(path));
  }

  #begun(ask) {
    try {
      this.#begin();
    } catch (error) {
      return failed(error);
    }
    return ask();
  }

  fetch(request) {
    this.#begin();
    return super.fetch(request);
  }

  /** Before what goes by its number alone. */
  prepare() {
    this.#begin();
  }

  copy() {
    return new FacetHook(this.#stub, this.#handle, this.#begin);
  }

  dup() {
    const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
    throw new DOMException(
      "Stubs pointing to Durable Object facets are not serializable.",
      "DataCloneError",
    );
  }
}

/** How the host knows what `hook` is for, where it does. */
const { at: addressOf } = BindingHook;
delete BindingHook.at;

/** A hook to something of this isolate's, whose calls are as any others. */
function loopback(target) {
  const { checkTarget } = core.loadExtScript("ext:outboard/rpc_values.js");
  checkTarget(target);
  const event = requireEvent();
  const [near, far] = op_rpc_pair(event.id);
  const { Session } = sessions();
  const session = new Session(near, event);
  const number = new Session(far, event, null).export({ value: target });
  return session.import(number);
}

/** Lets a result that is an object be disposed, with all stubs in it. */
function makeDisposable(value, stubs, session, disposer) {
  if (typeof value !== "object" || value === null) return;
  ObjectDefineProperty(value, SymbolDispose, {
    __proto__: null,
    value() {
      for (let i = 0; i < stubs.length; i++) stubs[i].dispose();
      if (disposer !== 0) session.release(disposer);
      disposer = 0;
    },
    writable: true,
    enumerable: false,
    configurable: true,
  });
}

return {
  BindingHook,
  addressOf,
  FacetHook,
  failed,
  Import,
  ImportHook,
  loopback,
  makeDisposable,
  missing,
  Question,
  serviceHook,
  Thrown,
};
})();
