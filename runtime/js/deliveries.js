// Scheduled runs and batches of a queue: how a handler gets one, and what is
// told of it.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_event_delivery,
  op_event_done,
  op_event_fail,
  op_event_said,
} = core.ops;
const {
  ArrayPrototypePush,
  Date,
  JSONParse,
  MapPrototypeForEach,
  MapPrototypeGet,
  MapPrototypeHas,
  MapPrototypeSet,
  ObjectDefineProperty,
  PromisePrototypeThen,
  PromiseResolve,
  SafeMap,
  SafeSet,
  SetPrototypeAdd,
  SetPrototypeForEach,
  SetPrototypeHas,
  Symbol,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { EventContext, failEvent, runInEvent, warn } = core.loadExtScript(
  "ext:outboard/event.js",
);
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { makeEnumerable } = core.loadExtScript("ext:outboard/headers.js");

/** Only this script makes what handlers get. */
const kOwn = Symbol("a delivery");

function checkKey(key) {
  if (key !== kOwn) throw new TypeError("Illegal constructor");
}

/** `{ delaySeconds }`, as the host has it: a whole number of seconds. */
function delayOf(options) {
  const seconds = options?.delaySeconds;
  return seconds === undefined ? null : seconds | 0;
}

class ScheduledController {
  #run;
  #said;

  constructor(key, run, said) {
    checkKey(key);
    this.#run = run;
    this.#said = said;
  }

  get scheduledTime() {
    return this.#run.scheduledTime;
  }

  get cron() {
    return this.#run.cron;
  }

  noRetry() {
    this.#said.noRetry = true;
  }
}

/** What a handler said of its batch. */
class Verdict {
  ackAll = false;
  /** @type {{ delay: number | null } | null} */
  retryAll = null;
  acks = new SafeSet();
  /** @type {SafeMap<string, { delay: number | null }>} */
  retries = new SafeMap();

  forHost() {
    const acks = [];
    SetPrototypeForEach(this.acks, (id) => ArrayPrototypePush(acks, id));
    const retries = [];
    MapPrototypeForEach(
      this.retries,
      (retry, id) => ArrayPrototypePush(retries, [id, retry]),
    );
    return { ackAll: this.ackAll, retryAll: this.retryAll, acks, retries };
  }
}

class QueueMessage {
  #message;
  #body;
  #verdict;

  constructor(key, message, verdict) {
    checkKey(key);
    this.#message = message;
    this.#body = bodyOf(message);
    this.#verdict = verdict;
  }

  get id() {
    return this.#message.id;
  }

  get timestamp() {
    return new Date(this.#message.timestamp);
  }

  get body() {
    return this.#body;
  }

  get attempts() {
    return this.#message.attempts;
  }

  retry(options = undefined) {
    const { id } = this.#message;
    const { ackAll, acks, retries } = this.#verdict;
    const delay = delayOf(options);
    const before = ackAll
      ? "ackAll"
      : SetPrototypeHas(acks, id)
      ? "ack"
      : null;
    if (before !== null) {
      warn(
        `Received a call to retry() on message ${id} after ${before}() was ` +
          "already called. Calling retry() on a message after calling " +
          `${before}() has no effect.`,
      );
      return;
    }
    const known = MapPrototypeGet(retries, id);
    MapPrototypeSet(retries, id, { delay: delay ?? known?.delay ?? null });
  }

  ack() {
    const { id } = this.#message;
    const { ackAll, retryAll, acks, retries } = this.#verdict;
    if (ackAll) return;
    const before = retryAll !== null
      ? "retryAll"
      : MapPrototypeHas(retries, id)
      ? "retry"
      : null;
    if (before !== null) {
      warn(
        `Received a call to ack() on message ${id} after ${before}() was ` +
          "already called. Calling ack() on a message after calling " +
          `${before}() has no effect.`,
      );
      return;
    }
    SetPrototypeAdd(acks, id);
  }
}

function bodyOf({ format, body }) {
  switch (format) {
    case "text":
      return core.decode(body);
    case "bytes":
      return body;
    case "json":
      return JSONParse(core.decode(body));
    default:
      return core.deserialize(body);
  }
}

class QueueController {
  #batch;
  #messages = [];
  #metadata;
  #verdict;

  constructor(key, batch, verdict) {
    checkKey(key);
    this.#batch = batch;
    this.#verdict = verdict;
    for (let i = 0; i < batch.messages.length; i++) {
      ArrayPrototypePush(
        this.#messages,
        new QueueMessage(kOwn, batch.messages[i], verdict),
      );
    }
    const { backlogCount, backlogBytes, oldest } = batch.metrics;
    const metrics = { backlogCount, backlogBytes };
    if (oldest !== null) metrics.oldestMessageTimestamp = new Date(oldest);
    this.#metadata = { metrics };
  }

  get messages() {
    return this.#messages;
  }

  get queue() {
    return this.#batch.queue;
  }

  get metadata() {
    return this.#metadata;
  }

  retryAll(options = undefined) {
    if (this.#verdict.ackAll) {
      warn(
        "Received a call to retryAll() after ackAll() was already called. " +
          "Calling retryAll() after calling ackAll() has no effect.",
      );
      return;
    }
    const delay = delayOf(options) ?? this.#verdict.retryAll?.delay ?? null;
    this.#verdict.retryAll = { delay };
  }

  ackAll() {
    if (this.#verdict.retryAll !== null) {
      warn(
        "Received a call to ackAll() after retryAll() was already called. " +
          "Calling ackAll() after calling retryAll() has no effect.",
      );
      return;
    }
    this.#verdict.ackAll = true;
  }
}

const classes = { QueueController, QueueMessage, ScheduledController };
for (const name in classes) {
  const { prototype } = classes[name];
  makeEnumerable(prototype);
  ObjectDefineProperty(prototype, SymbolToStringTag, {
    __proto__: null,
    value: name,
    configurable: true,
  });
}

/** An event that is done when its handler is and, as a rule, what it gave to
 * `waitUntil`, which fails it too. */
class DeliveryContext extends EventContext {
  /** Tells what the handler said. */
  #tell;
  /** Whether what was given to `waitUntil` is waited for. */
  #waits;
  /** What is waited for; the handler is the first. */
  #open = 1;
  /** @type {{ error: unknown } | null} */
  #fault = null;

  constructor(id, table, waits, tell) {
    super(id, table);
    this.#waits = waits;
    this.#tell = tell;
  }

  waitUntil(promise) {
    if (!this.#waits || !this.handling) {
      super.waitUntil(promise);
      return;
    }
    this.#open++;
    PromisePrototypeThen(
      PromiseResolve(promise),
      () => this.close(),
      (error) => this.fail(error),
    );
  }

  /** A part of the delivery failed. */
  fail(error) {
    if (this.#fault === null) this.#fault = { error };
    else op_event_fail(this.id, error, /* answered */ true, null);
    this.close();
  }

  /** A part of the delivery is done. */
  close() {
    if (--this.#open > 0 || !this.handling) return;
    op_event_said(this.id, this.#tell());
    if (this.#fault !== null) {
      failEvent(this, this.#fault.error);
    } else {
      op_event_done(this.id);
      this.releaseHandler();
    }
  }
}

/**
 * Runs the handler of what event `id` brought.
 * @param {SafeMap<number, EventContext>} table of open events
 * @param {(event, name, argument) => unknown} call runs the handler
 */
function deliver(id, table, call) {
  const { scheduled, queue } = op_event_delivery(id);
  const verdict = scheduled !== undefined ? { noRetry: false } : new Verdict();
  const waits = scheduled !== undefined ||
    !has(flag.queue_consumer_no_wait_for_wait_until);
  const event = new DeliveryContext(
    id,
    table,
    waits,
    () => scheduled !== undefined ? verdict : verdict.forHost(),
  );
  table.set(id, event);
  runInEvent(event, () => {
    let result;
    try {
      result = scheduled !== undefined
        ? call(event, "scheduled", new ScheduledController(kOwn, scheduled, verdict))
        : call(event, "queue", new QueueController(kOwn, queue, verdict));
    } catch (error) {
      event.fail(error);
      return;
    }
    PromisePrototypeThen(
      PromiseResolve(result),
      () => event.close(),
      (error) => event.fail(error),
    );
  });
}

return { deliver };
})();
