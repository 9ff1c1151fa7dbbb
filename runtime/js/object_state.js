// A durable object as its class sees it: `ctx`, and how the host begins and ends
// it. Loads when the isolate has its first object.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_event_end,
  op_object_abort,
  op_object_accept,
  op_object_answer,
  op_object_block,
  op_object_resumed,
  op_object_resuming,
  op_object_set_answer,
  op_object_set_socket_timeout,
  op_object_socket,
  op_object_socket_answered,
  op_object_socket_attachment,
  op_object_socket_closed,
  op_object_socket_tags,
  op_object_socket_timeout,
  op_object_sockets,
  op_object_unblock,
} = core.ops;
const {
  ArrayPrototypeIncludes,
  ArrayPrototypePush,
  Date,
  Error,
  JSONParse,
  MapPrototypeDelete,
  MapPrototypeGet,
  MapPrototypeSet,
  ObjectDefineProperty,
  ObjectPrototypeIsPrototypeOf,
  PromisePrototypeFinally,
  PromisePrototypeThen,
  PromiseReject,
  PromiseResolve,
  RangeError,
  ReflectApply,
  SafeMap,
  SafeSet,
  SafeSetIterator,
  SetPrototypeAdd,
  SetPrototypeDelete,
  StringPrototypeToLowerCase,
  Symbol,
  SymbolToStringTag,
  TypedArrayPrototypeGetByteLength,
  TypeError,
} = primordials;
const { cancelTimer, createTimer, runMicrotasks } = core;
const { currentEvent, EventContext, runInEvent } = core.loadExtScript("ext:outboard/event.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { makeEnumerable } = core.loadExtScript("ext:outboard/headers.js");
const { callback, notOfType, options: checkOptions, texts, uint32 } = core.loadExtScript(
  "ext:outboard/object_arguments.js",
);
const { guard, lazy, own } = core.loadExtScript("ext:outboard/properties.js");
const { newId } = core.loadExtScript("ext:outboard/objects.js");
const { storageOf } = core.loadExtScript("ext:outboard/object_storage.js");

const kOwn = Symbol("made here");
const STATE = "DurableObjectState";

/** How many calls of `blockConcurrencyWhile` may be one in another, as Workers have it. */
const DEEPEST_BLOCK = 64;

/** What `blockConcurrencyWhile` may take, as Workers have it. */
const LONGEST_BLOCK = 30_000;

/** An object's life: what its timers and sockets belong to. */
class ObjectContext extends EventContext {
  /** The object's. */
  number = 0;
  /** How many parts of it hold back the rest. */
  blocked = 0;
  /** What waits for that to end. */
  #waiting = [];
  /** Parts that have not ended. */
  sections = new SafeSet();
  /** The part that is a transaction; storage is its own. @type {Section | null} */
  transaction = null;

  get gated() {
    return true;
  }

  /** Resolves when what came may be had. */
  resumed() {
    return op_object_resumed(this.id);
  }

  resume(fn) {
    if (this.blocked > 0) {
      ArrayPrototypePush(this.#waiting, fn);
      return;
    }
    if (op_object_resuming(this.number)) {
      this.#later(fn);
      return;
    }
    fn();
    // To its end, before the results that the same round of the loop brings.
    runMicrotasks();
  }

  #later(fn) {
    createTimer(() => this.resume(fn), 0, undefined, false, true);
  }

  unblock() {
    if (--this.blocked > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let i = 0; i < waiting.length; i++) {
      // A turn each, after this one: else their steps would run between one another's.
      this.#later(waiting[i]);
    }
  }
}

/** A part of an object's life that holds back the rest; afterwards, of the rest. */
class Section {
  #life;
  #id;
  #active = true;

  /** @param {number} depth how many parts it is in, itself counted */
  constructor(life, id, depth) {
    this.#life = life;
    this.#id = id;
    this.depth = depth;
    SetPrototypeAdd(life.sections, this);
  }

  get id() {
    return this.#active ? this.#id : this.#life.id;
  }

  get whole() {
    return this.#life;
  }

  get ended() {
    return this.#life.ended;
  }

  get abandoned() {
    return this.#life.abandoned;
  }

  get timers() {
    return this.#life.timers;
  }

  timerTable() {
    return this.#life.timerTable();
  }

  hold() {
    this.#life.hold();
  }

  release() {
    this.#life.release();
  }

  releaseHandler() {}

  waitUntil(promise) {
    this.#life.waitUntil(promise);
  }

  get gated() {
    return true;
  }

  resumed() {
    return this.#active ? undefined : this.#life.resumed();
  }

  resume(fn) {
    if (this.#active) fn();
    else this.#life.resume(fn);
  }

  end() {
    if (!this.#active) return;
    this.#active = false;
    SetPrototypeDelete(this.#life.sections, this);
    op_event_end(this.#id);
  }
}

class DurableObjectState {
  #number;
  #context;

  constructor(key, number, context, id, worker, hasAlarm, props) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#number = number;
    this.#context = context;
    lazy(this, "facets", () => core.loadExtScript("ext:outboard/facets.js").facetsOf(number, id));
    own(this, "container", undefined);
    own(
      this,
      "storage",
      storageOf(
        number,
        context,
        (run) => this.#block(run),
        hasAlarm,
      ),
    );
    own(this, "id", id);
    own(this, "props", props);
    if (has(flag.enable_ctx_exports)) lazy(this, "exports", () => worker.exports);
  }

  /** Makes something by `[restore]` that may be kept. */
  async restore(params) {
    const { restoreBy } = core.loadExtScript("ext:outboard/restored.js");
    const object = this.#number;
    const instance = MapPrototypeGet(objects, object)?.instance;
    return await restoreBy(this.#context, { object }, { instance, rest: [] }, params);
  }

  /** An object lives while it has something to do; this is accepted for symmetry. */
  waitUntil(promise) {
    this.#context.waitUntil(promise);
  }

  blockConcurrencyWhile(run) {
    try {
      callback(run, STATE, "blockConcurrencyWhile");
    } catch (error) {
      return PromiseReject(error);
    }
    return this.#block(run);
  }

  #block(run) {
    const number = this.#number;
    const life = this.#context;
    const depth = (currentEvent()?.depth ?? 0) + 1;
    if (depth > DEEPEST_BLOCK) {
      throw new Error("blockConcurrencyWhile() calls are nested too deeply.");
    }
    const section = new Section(life, op_object_block(number), depth);
    life.blocked++;
    const fail = (error) => {
      cancelTimer(late);
      op_object_abort(number, error, /* log */ true, /* retries */ true);
      throw error;
    };
    const late = createTimer(
      () =>
        op_object_abort(
          number,
          new Error(
            "A call to blockConcurrencyWhile() in a Durable Object waited for too " +
              "long. The call was canceled and the Durable Object was reset.",
          ),
          /* log */ true,
          /* retries */ true,
        ),
      LONGEST_BLOCK,
      undefined,
      false,
      true,
    );
    let result;
    try {
      result = PromiseResolve(runInEvent(section, () => run(section)));
    } catch (error) {
      result = PromiseReject(error);
    }
    return PromisePrototypeThen(result, (value) => {
      cancelTimer(late);
      section.end();
      op_object_unblock(number);
      life.unblock();
      return value;
    }, fail);
  }

  acceptWebSocket(socket, tags = undefined) {
    requireSocket(socket, "acceptWebSocket");
    const list = tags === undefined ? [] : texts(tags, STATE, "acceptWebSocket", 2);
    const distinct = checkTags(list);
    const number = this.#number;
    const held = sockets().hold(
      socket,
      number,
      (rid) => op_object_accept(number, rid, distinct),
      (held) => op_object_socket(number, held),
    );
    MapPrototypeSet(MapPrototypeGet(objects, number).sockets, held, socket);
  }

  getWebSockets(tag = undefined) {
    const numbers = op_object_sockets(
      this.#number,
      tag === undefined ? null : `${tag}`,
    );
    const list = [];
    // The newest first, as in Workers.
    for (let i = numbers.length - 1; i >= 0; i--) {
      ArrayPrototypePush(list, socketOf(this.#number, numbers[i]));
    }
    return list;
  }

  getTags(socket) {
    requireSocket(socket, "getTags");
    const held = sockets().heldNumber(socket, this.#number);
    if (held === 0) {
      throw new Error(
        sockets().isAccepted(socket)
          ? "only hibernatable websockets can have tags."
          : "you must call 'acceptWebSocket()' before attempting to access the tags of a " +
            "WebSocket.",
      );
    }
    return op_object_socket_tags(this.#number, held);
  }

  setWebSocketAutoResponse(pair = undefined) {
    if (pair === undefined) {
      op_object_set_answer(this.#number, null, null);
      return;
    }
    if (!isPair(pair)) {
      throw notOfType(STATE, "setWebSocketAutoResponse", 1, "WebSocketRequestResponsePair");
    }
    const { request, response } = pair;
    for (const [name, text] of [["Request", request], ["Response", response]]) {
      const length = byteLength(text);
      if (length > AUTO_RESPONSE) {
        throw new RangeError(
          `${name} cannot be larger than ${AUTO_RESPONSE} bytes. A ` +
            `${StringPrototypeToLowerCase(name)} of size ${length} was provided.`,
        );
      }
    }
    op_object_set_answer(this.#number, request, response);
  }

  getWebSocketAutoResponse() {
    const answer = op_object_answer(this.#number);
    if (answer.length === 0) return null;
    return new (pairClass())(answer[0], answer[1]);
  }

  getWebSocketAutoResponseTimestamp(socket) {
    requireSocket(socket, "getWebSocketAutoResponseTimestamp");
    const held = sockets().heldNumber(socket, this.#number);
    const time = held === 0 ? -1 : op_object_socket_answered(this.#number, held);
    return time < 0 ? null : new Date(time);
  }

  /** How long a handler of these events may take. */
  setHibernatableWebSocketEventTimeout(timeout = undefined) {
    const time = timeout === undefined ? 0 : uint32(timeout);
    if (time > 604_800_000) {
      throw new Error("Event timeout should not exceed 604800000 ms.");
    }
    op_object_set_socket_timeout(this.#number, time);
  }

  getHibernatableWebSocketEventTimeout() {
    const time = op_object_socket_timeout(this.#number);
    return time === 0 ? null : time;
  }

  abort(reason = undefined, options = undefined) {
    checkOptions(options, STATE, "abort", 2, "AbortOptions");
    const error = reason === undefined
      ? new Error("Application called abort() to reset Durable Object.")
      : new Error(`${reason}`);
    const retries = options?.retryAlarm ?? true;
    op_object_abort(this.#number, error, /* log */ false, !!retries);
    throw error;
  }

  static is(value) {
    return typeof value === "object" && value !== null && #number in value;
  }
}
const { is: isState } = DurableObjectState;
delete DurableObjectState.is;
if (!has(flag.allow_irrevocable_stub_storage)) delete DurableObjectState.prototype.restore;
guard(DurableObjectState, isState);
makeEnumerable(DurableObjectState.prototype);
ObjectDefineProperty(DurableObjectState.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "DurableObjectState",
  configurable: true,
});

/** The longest message that is answered without its object, as Workers have it. */
const AUTO_RESPONSE = 2_048;
const MOST_TAGS = 10;
const LONGEST_TAG = 256;

function sockets() {
  return core.loadExtScript("ext:outboard/web_socket.js");
}

function isWebSocket(value) {
  return sockets().isWebSocket(value);
}

function pairClass() {
  return core.loadExtScript("ext:outboard/global_scope.js")
    .WebSocketRequestResponsePair;
}

/** Those of a list that differ. */
function checkTags(tags) {
  const list = [];
  for (let i = 0; i < tags.length; i++) {
    const tag = tags[i];
    if (list.length >= MOST_TAGS) {
      throw new Error(
        `a Hibernatable WebSocket cannot have more than ${MOST_TAGS} tags`,
      );
    }
    if (byteLength(tag) > LONGEST_TAG) {
      throw new Error(
        `"${tag}" is longer than the max tag length (${LONGEST_TAG} characters).`,
      );
    }
    if (!ArrayPrototypeIncludes(list, tag)) ArrayPrototypePush(list, tag);
  }
  return list;
}

/** In UTF-8. */
function byteLength(text) {
  return TypedArrayPrototypeGetByteLength(core.encode(text));
}

function requireSocket(value, method) {
  if (!isWebSocket(value)) throw notOfType(STATE, method, 1, "WebSocket");
}

function isPair(value) {
  return typeof value === "object" && value !== null &&
    ObjectPrototypeIsPrototypeOf(pairClass().prototype, value);
}

/** The one object that a held socket is, made where this object is new. */
function socketOf(number, held) {
  const known = MapPrototypeGet(objects, number).sockets;
  let socket = MapPrototypeGet(known, held);
  if (socket === undefined) {
    socket = sockets().held(
      op_object_socket(number, held),
      number,
      held,
      op_object_socket_attachment(number, held),
      op_object_socket_closed(number, held),
    );
    MapPrototypeSet(known, held, socket);
  }
  return socket;
}

/** Objects of this isolate, by the host's number. */
const objects = new SafeMap();
const lives = new SafeMap();

/** Of a facet: JSON, or a parcel. */
function propsOf(props) {
  if (props === undefined) return {};
  return typeof props === "string"
    ? JSONParse(props)
    : core.loadExtScript("ext:outboard/parcels.js").open(props);
}

/** Whether a class can be a facet's. */
function isObjectClass(Class) {
  const { WorkerEntrypoint, WorkflowEntrypoint } = core.loadExtScript(
    "ext:outboard/cloudflare_workers.js",
  );
  const is = (Base) => ObjectPrototypeIsPrototypeOf(Base.prototype, Class.prototype);
  return typeof Class === "function" && !is(WorkerEntrypoint) && !is(WorkflowEntrypoint);
}

/** Of a facet there are `props`, and its id may be any text. */
function start(worker, number, life, className, id, name, props, isText) {
  const context = new ObjectContext(life, lives);
  context.number = number;
  const object = { instance: undefined, context, id, sockets: new SafeMap() };
  MapPrototypeSet(objects, number, object);
  runInEvent(context, () => {
    try {
      const Class = worker.namespace?.[className];
      if (props !== undefined && !isObjectClass(Class)) {
        throw new Error(
          className === "default"
            ? "Worker has no default actor class."
            : `Worker has no such actor class: ${className}`,
        );
      }
      if (typeof Class !== "function") {
        throw new TypeError(`The worker exports no class "${className}".`);
      }
      const state = new DurableObjectState(
        kOwn,
        number,
        context,
        isText ? id : newId(id, name),
        worker,
        // Where its constructor still runs, nobody knows.
        () => typeof (object.instance ?? Class.prototype)?.alarm === "function",
        propsOf(props),
      );
      object.instance = new Class(state, worker.env);
    } catch (error) {
      op_object_abort(number, error, /* log */ true, /* retries */ true);
    }
  });
}

/** Calls a method of an object, whose timers and sockets are then its own. */
function call(number, name, args) {
  const { instance, context } = MapPrototypeGet(objects, number);
  const method = instance?.[name];
  if (typeof method !== "function") {
    throw new Error(`Handler does not export a ${name}() function.`);
  }
  return runInEvent(context, () => ReflectApply(method, instance, args));
}

/** Runs `fn` as a part of an object's life. */
function inObject(number, fn) {
  const { instance, context, id } = MapPrototypeGet(objects, number);
  return runInEvent(context, () => fn(context, instance, id));
}

/** What a socket of an object heard: 0 text, 1 bytes, 2 a close, 3 a broken protocol. */
function hear(number, socketNumber, kind, data, code, clean) {
  const object = MapPrototypeGet(objects, number);
  const socket = socketOf(number, socketNumber);
  if (kind < 2) return callMaybe(number, "webSocketMessage", [socket, data]);
  const { heldClosed, heldEnded } = sockets();
  heldClosed(socket, clean);
  let result;
  try {
    result = kind === 2
      ? callMaybe(number, "webSocketClose", [socket, code, data, clean])
      : callMaybe(number, "webSocketError", [socket, new Error(data)]);
  } catch (error) {
    result = PromiseReject(error);
  }
  MapPrototypeDelete(object.sockets, socketNumber);
  return PromisePrototypeFinally(PromiseResolve(result), () => heldEnded(socket));
}

/** Calls a method where an object has it. */
function callMaybe(number, name, args) {
  const { instance } = MapPrototypeGet(objects, number);
  return typeof instance?.[name] === "function" ? call(number, name, args) : undefined;
}

/** Whether it ended: one that has something to do stays, unless `force`d. */
function end(number, force) {
  const object = MapPrototypeGet(objects, number);
  if (object === undefined) return true;
  const { context } = object;
  const busy = context.holds > 1 || context.timers?.size > 0;
  if (busy && !force) return false;
  MapPrototypeDelete(objects, number);
  const sections = [...new SafeSetIterator(context.sections)];
  for (let i = 0; i < sections.length; i++) sections[i].end();
  context.end();
  return true;
}

return { call, DurableObjectState, end, hear, inObject, start };
})();
