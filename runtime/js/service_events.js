// What a worker can send to a service besides requests: a scheduled run, and a
// batch of messages as a queue would.
(function () {
const { core, primordials } = __bootstrap;
const { op_delivery_send } = core.ops;
const {
  ArrayBufferIsView,
  ArrayPrototypePush,
  DateNow,
  Number,
  NumberIsFinite,
  ObjectPrototypeIsPrototypeOf,
  SafeArrayIterator,
  TypeError,
  TypeErrorPrototype,
  Uint8Array,
} = primordials;
const { viewBytes } = core.loadExtScript("ext:outboard/body.js");
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");

/** A Date, or milliseconds since 1970. */
function timeOf(value, what) {
  const time = typeof value === "object" && value !== null ? +value : Number(value);
  if (!NumberIsFinite(time)) {
    throw new TypeError(`Incorrect type for the '${what}' field: the value is not a date.`);
  }
  return time;
}

function required(value, name, type, of) {
  if (value === undefined) {
    throw new TypeError(
      `Failed to read the '${name}' field on '${of}': it is not of type '${type}'.`,
    );
  }
  return value;
}

function messageForHost(message) {
  const of = "ServiceBindingQueueMessage";
  const { body, serializedBody } = message;
  if ((body === undefined) === (serializedBody === undefined)) {
    throw new TypeError("Expected one of body or serializedBody for each message");
  }
  return {
    id: `${required(message.id, "id", "string", of)}`,
    timestamp: timeOf(required(message.timestamp, "timestamp", "Date", of), "timestamp"),
    attempts: required(message.attempts, "attempts", "number", of) & 0xffff,
    format: "v8",
    body: body === undefined ? bytesOf(serializedBody) : serialize(body),
  };
}

/** The bytes of an ArrayBuffer or of a view of one. */
function bytesOf(value) {
  if (core.isArrayBuffer(value)) return new Uint8Array(value);
  if (ArrayBufferIsView(value)) return viewBytes(value);
  throw new TypeError(
    "Failed to read the 'serializedBody' field on 'ServiceBindingQueueMessage': it is " +
      "not of type 'ArrayBuffer or ArrayBufferView'.",
  );
}

function serialize(value) {
  try {
    return core.serialize(value);
  } catch (error) {
    if (!ObjectPrototypeIsPrototypeOf(TypeErrorPrototype, error)) throw error;
    throw new DOMException(error.message, "DataCloneError");
  }
}

function metricsForHost(metadata) {
  const metrics = metadata?.metrics;
  const oldest = metrics?.oldestMessageTimestamp;
  return {
    backlogCount: Number(metrics?.backlogCount ?? 0),
    backlogBytes: Number(metrics?.backlogBytes ?? 0),
    // Queues say 1970 where nothing waits.
    oldest: oldest === undefined || +oldest === 0
      ? null
      : timeOf(oldest, "oldestMessageTimestamp"),
  };
}

/** `{ delaySeconds }`, where there is a delay. */
function withDelay(object, { delay }) {
  if (delay !== null) object.delaySeconds = delay;
  return object;
}

async function sendQueue(service, target, queue, messages, metadata) {
  const event = requireEvent();
  const batch = { queue: `${queue}`, messages: [], metrics: metricsForHost(metadata) };
  // deno-lint-ignore prefer-primordials -- any iterable
  for (const message of messages) {
    ArrayPrototypePush(batch.messages, messageForHost(message));
  }
  const { outcome, said } = await op_delivery_send(event.id, service, target, {
    queue: batch,
  });
  const retryMessages = [];
  for (const { 0: msgId, 1: retry } of new SafeArrayIterator(said.retries)) {
    ArrayPrototypePush(retryMessages, withDelay({ msgId }, retry));
  }
  return {
    outcome,
    ackAll: said.ackAll,
    retryBatch: said.retryAll === null
      ? { retry: false }
      : withDelay({ retry: true }, said.retryAll),
    explicitAcks: said.acks,
    retryMessages,
  };
}

async function sendScheduled(service, target, options) {
  const event = requireEvent();
  const time = options?.scheduledTime;
  const { outcome, said } = await op_delivery_send(event.id, service, target, {
    scheduled: {
      cron: `${options?.cron ?? ""}`,
      scheduledTime: time === undefined ? DateNow() : timeOf(time, "scheduledTime"),
    },
  });
  return { outcome, noRetry: said.noRetry };
}

return { sendQueue, sendScheduled };
})();
