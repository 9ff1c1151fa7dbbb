// Queue: what a worker sends messages to. Each method is a request in the protocol of
// Workers' own queues.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView,
  ArrayBufferPrototypeTransfer,
  ArrayPrototypePush,
  DataViewPrototypeGetBuffer,
  Date,
  Error,
  JSONParse,
  JSONStringify,
  MathMax,
  ObjectPrototypeIsPrototypeOf,
  StringPrototypeToLowerCase,
  Symbol,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetSymbolToStringTag,
  TypedArrayPrototypeSlice,
  TypeError,
  TypeErrorPrototype,
  Uint8Array,
} = primordials;
const { bodyState, viewBytes } = core.loadExtScript("ext:outboard/body.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { findHeader, illegalInvocation } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
const { ask, named, toInt } = core.loadExtScript("ext:outboard/resource.js");
const { responseParts } = core.loadExtScript("ext:outboard/response.js");
const { forgivingBase64Encode } = core.loadExtScript("ext:deno_web/00_infra.js");
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");

const kOwn = Symbol("made here");
const NO_BODY = "Message body cannot be undefined";

class WorkerQueue {
  /** The host's number for it. */
  #number;

  constructor(key, number) {
    if (key !== kOwn) throw new TypeError("Illegal constructor");
    this.#number = number;
  }

  async metrics() {
    if (!(#number in this)) throw illegalInvocation();
    const response = await ask(this.#number, "/metrics", {
      __proto__: null,
      method: "GET",
    });
    if (responseParts(response).status !== 200) throw detailed(response);
    const text = await bodyState(response).text();
    return toMetrics(JSONParse(text), "Failed to parse queue metrics response", text);
  }

  async send(body, options = undefined) {
    if (!(#number in this)) throw illegalInvocation();
    if (body === undefined) throw new TypeError(NO_BODY);
    const { contentType, delaySeconds } = options ?? {};
    const headers = { __proto__: null, "content-type": "application/octet-stream" };
    const type = contentType === undefined ? defaultType() : toType(contentType);
    if (type !== null) headers["x-msg-fmt"] = type;
    if (delaySeconds !== undefined) {
      headers["x-msg-delay-secs"] = `${toInt(delaySeconds)}`;
    }
    const bytes = serialize(body, type);
    if (type === "bytes") detach(body);
    const response = await ask(this.#number, "/message", {
      __proto__: null,
      method: "POST",
      headers,
      body: bytes,
    });
    return await sent(response, "send");
  }

  async sendBatch(messages, options = undefined) {
    if (!(#number in this)) throw illegalInvocation();
    let total = 0;
    let largest = 0;
    const list = [];
    // deno-lint-ignore prefer-primordials -- any iterable
    for (const message of messages) {
      const { body, contentType, delaySeconds } = message;
      if (body === undefined) throw new TypeError(NO_BODY);
      const type = contentType === undefined ? defaultType() : toType(contentType);
      const bytes = serialize(body, type);
      const length = TypedArrayPrototypeGetByteLength(bytes);
      total += length;
      largest = MathMax(largest, length);
      const entry = { body: bytes };
      if (type !== null) entry.contentType = type;
      if (delaySeconds !== undefined) entry.delaySecs = toInt(delaySeconds);
      ArrayPrototypePush(list, entry);
    }
    if (list.length === 0) {
      throw new TypeError("sendBatch() requires at least one message");
    }
    for (let i = 0; i < list.length; i++) {
      list[i].body = forgivingBase64Encode(list[i].body);
    }
    const headers = {
      __proto__: null,
      "cf-queue-batch-count": `${list.length}`,
      "cf-queue-batch-bytes": `${total}`,
      "cf-queue-largest-msg": `${largest}`,
      "content-type": "application/json",
    };
    const delay = options?.delaySeconds;
    if (delay !== undefined) headers["x-msg-delay-secs"] = `${toInt(delay)}`;
    const response = await ask(this.#number, "/batch", {
      __proto__: null,
      method: "POST",
      headers,
      body: JSONStringify({ messages: list }),
    });
    return await sent(response, "sendBatch");
  }
}
named(WorkerQueue, "WorkerQueue");
markUncloneable(WorkerQueue);

/** Of a message whose sender does not say; null says nothing, and means V8's. */
function defaultType() {
  return has(flag.queues_json_messages) ? "json" : null;
}

function toType(contentType) {
  const type = StringPrototypeToLowerCase(`${contentType}`);
  switch (type) {
    case "text":
    case "bytes":
    case "json":
    case "v8":
      return type;
    default:
      throw new TypeError(`Unsupported queue message content type: ${contentType}`);
  }
}

/** @returns {Uint8Array} of its own memory */
function serialize(body, type) {
  switch (type) {
    case "text":
      if (typeof body !== "string") {
        throw new TypeError(
          'Content Type "text" requires a value of type string, but received: ' +
            typeof body,
        );
      }
      return core.encode(body);
    case "bytes":
      if (!ArrayBufferIsView(body)) {
        throw new TypeError(
          'Content Type "bytes" requires a value of type ArrayBufferView, but ' +
            `received: ${typeof body}`,
        );
      }
      return TypedArrayPrototypeSlice(viewBytes(body));
    case "json":
      return core.encode(`${JSONStringify(body)}`);
    default:
      try {
        return core.serialize(body);
      } catch (error) {
        if (!ObjectPrototypeIsPrototypeOf(TypeErrorPrototype, error)) throw error;
        throw new DOMException(error.message, "DataCloneError");
      }
  }
}

function isTyped(view) {
  return TypedArrayPrototypeGetSymbolToStringTag(view) !== undefined;
}

/** The sender's buffer is the queue's from then on. */
function detach(view) {
  const buffer = isTyped(view)
    ? TypedArrayPrototypeGetBuffer(view)
    : DataViewPrototypeGetBuffer(view);
  if (!core.isArrayBuffer(buffer)) return;
  try {
    ArrayBufferPrototypeTransfer(buffer);
  } catch {
    // Some cannot be, such as a Wasm memory's.
  }
}

async function sent(response, method) {
  const { status, statusText } = responseParts(response);
  if (status !== 200) {
    if (has(flag.queue_expose_error_codes)) throw detailed(response);
    bodyState(response).drop();
    throw new Error(`Queue ${method} failed: ${statusText}`);
  }
  const what = "Failed to parse queue send response";
  const text = await bodyState(response).text();
  const metrics = toMetrics(JSONParse(text)?.metadata?.metrics, what, text);
  return { metadata: { metrics } };
}

function detailed(response) {
  const { headers } = responseParts(response);
  bodyState(response).drop();
  const code = findHeader(headers, "cf-queues-error-code") ?? "15000";
  const cause = findHeader(headers, "cf-queues-error-cause") ??
    "Unknown Internal Error";
  return new Error(`${cause} (${code})`);
}

function toMetrics(metrics, what, text) {
  const { backlogCount, backlogBytes, oldestMessageTimestamp } = metrics ?? {};
  if (backlogCount === undefined || backlogBytes === undefined) {
    throw new Error(`${what}${text}`);
  }
  const result = { backlogCount, backlogBytes };
  // Queues say 1970 where nothing waits.
  if (oldestMessageTimestamp !== undefined && oldestMessageTimestamp !== 0) {
    result.oldestMessageTimestamp = new Date(oldestMessageTimestamp);
  }
  return result;
}

function bindingOf(number) {
  return new WorkerQueue(kOwn, number);
}

return { bindingOf };
})();
