// The event a piece of script works for: one request, or one scheduled run.
//
// V8 carries the current event across awaits (continuation-preserved embedder
// data), so a timer or a fetch knows the event it belongs to, and ending the
// event ends them: one request cannot keep another's timers alive.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_event_end,
  op_event_fail,
  op_warn,
} = core.ops;
const {
  Error,
  MapPrototypeClear,
  MapPrototypeDelete,
  MapPrototypeForEach,
  MapPrototypeGet,
  MapPrototypeSet,
  PromisePrototypeThen,
  PromiseResolve,
  SafeMap,
  TypeError,
} = primordials;
const { cancelTimer, createTimer, getAsyncContext, setAsyncContext } = core;

const OUTSIDE_EVENT =
  "Disallowed operation called within global scope. Asynchronous I/O (ex: " +
  "fetch() or connect()), setting a timeout, and generating random values " +
  "are not allowed within global scope. To fix this error, perform this " +
  "operation within a handler. " +
  "https://developers.cloudflare.com/workers/runtime-apis/handlers/";

const OTHER_EVENT =
  "Cannot perform I/O on behalf of a different request. I/O objects (such as " +
  "streams, request/response bodies, and others) created in the context of one " +
  "request handler cannot be accessed from a different request's handler. This is " +
  "a limitation of Cloudflare Workers which allows us to improve overall " +
  "performance.";

/** How long waitUntil may hold an answered event open, in milliseconds. */
let graceMs = 30_000;

function setGrace(ms) {
  graceMs = ms;
}

/** Of events whose script asked whether the client has left; null while none has.
 * @type {SafeMap<number, AbortController> | null} */
let clients = null;

/** A signal that aborts when the client of the event `id` leaves. */
function clientSignal(id) {
  const { AbortController } = core.loadExtScript("ext:deno_web/03_abort_signal.js");
  clients ??= new SafeMap();
  let controller = MapPrototypeGet(clients, id);
  if (controller === undefined) {
    controller = new AbortController();
    MapPrototypeSet(clients, id, controller);
  }
  return controller.signal;
}

/** One event's life: open while its handler, its body or a waitUntil is. */
class EventContext {
  /**
   * @param {number} id the host's number for this event
   * @param {SafeMap<number, EventContext>} table where it is while it is open
   */
  constructor(id, table) {
    this.id = id;
    this.table = table;
    this.ended = false;
    /** The host has ended it: nothing of it runs any more. */
    this.stopped = false;
    /** The handler, or the answer it is streaming, still holds the event. */
    this.handling = true;
    /** What still holds the event open; the handler itself is the first. */
    this.holds = 1;
    this.passThrough = false;
    /** Promises given to waitUntil that have not settled. */
    this.waiting = 0;
    /** Ends the event if they do not settle in time. */
    this.grace = null;
    /** The client left before it had its answer. */
    this.abandoned = false;
    /** @type {SafeMap<number, object> | null} timers by id */
    this.timers = null;
    /** The calls that it is for. @type {Session | null} */
    this.session = null;
  }

  /** An object's life, of a part of it; itself otherwise. */
  get whole() {
    return this;
  }

  /** Runs what the event was waiting for; an object's may have to wait more. */
  resume(fn) {
    fn();
  }

  /** Whether an object's input gate is before what comes to the event. */
  get gated() {
    return false;
  }

  /** Keeps the event open until `release`. */
  hold() {
    this.holds++;
    // Also when its handler has returned the host may stop it.
    if (!this.ended) MapPrototypeSet(this.table, this.id, this);
  }

  release() {
    if (--this.holds === 0) this.end();
  }

  /** The handler and its answer are done, or nobody waits for them. */
  releaseHandler() {
    if (this.handling) {
      this.handling = false;
      if (this.waiting > 0) this.startGrace();
      this.release();
    }
  }

  startGrace() {
    this.grace = createTimer(
      () => {
        op_warn(
          this.id,
          "waitUntil() tasks did not complete within the allowed time after " +
            "invocation end and have been cancelled.",
        );
        this.end();
      },
      graceMs,
      undefined,
      false,
      true,
    );
  }

  /** Nobody waits for the answer any more: only waitUntil may go on. */
  abandon() {
    this.abandoned = true;
    const client = clients === null ? undefined : MapPrototypeGet(clients, this.id);
    if (client !== undefined) {
      const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
      const reason = new DOMException("The client has disconnected", "AbortError");
      runInEvent(this, () => client.abort(reason));
    }
    this.releaseHandler();
  }

  /** The host has stopped it. */
  stop() {
    this.stopped = true;
    this.end();
  }

  /** Ends the event: its timers die, the host forgets it. */
  end() {
    if (this.ended) return;
    this.ended = true;
    if (this.grace !== null) cancelTimer(this.grace);
    this.dropTimers();
    MapPrototypeDelete(this.table, this.id);
    if (clients !== null) MapPrototypeDelete(clients, this.id);
    op_event_end(this.id);
  }

  dropTimers() {
    if (this.timers !== null) {
      MapPrototypeForEach(this.timers, (timer) => cancelTimer(timer));
      MapPrototypeClear(this.timers);
    }
  }

  /** @returns {SafeMap<number, object>} */
  timerTable() {
    return this.timers ??= new SafeMap();
  }

  /** `ctx.waitUntil`: the event stays open; a rejection is logged, not fatal. */
  waitUntil(promise) {
    if (this.ended) {
      throw new TypeError("waitUntil() was called after the event ended.");
    }
    this.hold();
    this.waiting++;
    const settled = () => {
      this.waiting--;
      this.release();
    };
    PromisePrototypeThen(PromiseResolve(promise), settled, (error) => {
      op_event_fail(this.id, error, /* answered */ true, null);
      settled();
    });
  }
}

/** Runs `fn` as part of `event`. */
function runInEvent(event, fn) {
  const outer = getAsyncContext();
  setAsyncContext({ __proto__: null, event });
  try {
    return fn();
  } finally {
    setAsyncContext(outer);
  }
}

/** A context that was kept from outside of events, as part of the current one. */
function inCurrentEvent(context) {
  const event = getAsyncContext()?.event;
  if (event === undefined || context?.event !== undefined) return context;
  return { __proto__: null, ...context, event };
}

/** @returns {EventContext | undefined} */
function currentEvent() {
  return getAsyncContext()?.event;
}

/** The current event; throws what Workers throw at global scope. */
function requireEvent() {
  const event = getAsyncContext()?.event;
  if (event === undefined) throw new Error(OUTSIDE_EVENT);
  return event;
}

/** What a promise of the host's comes to, once the current event may have it. */
function gated(promise) {
  const event = getAsyncContext()?.event;
  return event?.gated ? afterGate(event, promise) : promise;
}

async function afterGate(event, promise) {
  try {
    return await promise;
  } finally {
    await event.resumed();
  }
}

/**
 * The error of using here what belongs to `owner`; undefined where it may be used.
 * What was made outside of events is everyone's, and an object's events are one.
 * @param {EventContext | undefined} owner
 * @param {string} type what Workers call it
 */
function foreign(owner, type) {
  const event = getAsyncContext()?.event;
  if (event === owner || event === undefined || owner === undefined) return undefined;
  if (event.whole === owner.whole) return undefined;
  return new Error(`${OTHER_EVENT} (I/O type: ${type})`);
}

/** Tells the author of the worker something, in the log. */
function warn(text) {
  op_warn(getAsyncContext()?.event?.id ?? 0, text);
}

/** Fails `event` with what its handler threw; `thrown` is for a worker that calls it. */
function failEvent(event, error, thrown = null) {
  op_event_fail(event.id, error, /* answered */ false, thrown);
  event.releaseHandler();
}

return {
  clientSignal,
  currentEvent,
  EventContext,
  failEvent,
  foreign,
  gated,
  inCurrentEvent,
  requireEvent,
  runInEvent,
  setGrace,
  warn,
};
})();
