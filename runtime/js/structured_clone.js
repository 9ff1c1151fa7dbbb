// structuredClone: V8's, with what it does not know of the API's own objects.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypePush,
  ObjectPrototypeIsPrototypeOf,
  SafeArrayIterator,
  TypeError,
  TypeErrorPrototype,
} = primordials;
const ports = core.loadExtScript("ext:deno_web/13_message_port.js");
// Marks that waited for this script to load.
core.loadExtScript("ext:outboard/not_serializable.js").setMark(
  ports.markNotSerializable,
);
const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
const { copyHeaderList, headerList, hostHeaders, isHeaders } = core
  .loadExtScript("ext:outboard/headers.js");
const { isResponse } = core.loadExtScript("ext:outboard/response.js");
const { isRequest } = core.loadExtScript("ext:outboard/request.js");
const { ReadableStreamPrototype, WritableStream } = core.loadExtScript(
  "ext:deno_web/06_streams.js",
);
const { URL, URLSearchParamsPrototype } = core.loadExtScript(
  "ext:deno_web/00_url.js",
);
const URLPrototype = URL.prototype;
const WritableStreamPrototype = WritableStream.prototype;

/** Refuses what only a binding could carry, or nothing at all. */
function refuse(value) {
  const is = (prototype) => ObjectPrototypeIsPrototypeOf(prototype, value);
  if (isResponse(value) || is(ReadableStreamPrototype)) {
    throw cloneError("ReadableStream can only be serialized for RPC.");
  }
  if (isRequest(value)) {
    throw cloneError("Request can only be serialized for RPC.");
  }
  if (is(WritableStreamPrototype)) {
    throw cloneError("WritableStream can only be serialized for RPC.");
  }
  const name = is(URLPrototype)
    ? "URL"
    : is(URLSearchParamsPrototype)
    ? "URLSearchParams"
    : null;
  if (name !== null) {
    throw cloneError(
      `Could not serialize object of type "${name}". This type does not ` +
        "support serialization.",
    );
  }
}

function cloneError(message) {
  return new DOMException(message, "DataCloneError");
}

function structuredClone(value, options = undefined) {
  if (arguments.length === 0) {
    throw new TypeError(
      "Failed to execute 'structuredClone' on 'ServiceWorkerGlobalScope': " +
        "parameter 1 is not of type 'Value'.",
    );
  }
  if (typeof value === "object" && value !== null) {
    if (isHeaders(value)) {
      return hostHeaders(copyHeaderList(headerList(value)), false);
    }
    refuse(value);
  }
  const transfer = [];
  if (options?.transfer !== undefined) {
    // deno-lint-ignore prefer-primordials -- any iterable
    for (const item of options.transfer) ArrayPrototypePush(transfer, item);
  }
  const buffers = [];
  const others = [];
  for (const item of new SafeArrayIterator(transfer)) {
    ArrayPrototypePush(core.isArrayBuffer(item) ? buffers : others, item);
  }
  try {
    if (others.length > 0) return ports.structuredClone(value, { transfer });
    const copy = core.structuredClone(value);
    // Given away: empty here from now on.
    for (const buffer of new SafeArrayIterator(buffers)) {
      if (!buffer.detached) buffer.transfer();
    }
    return copy;
  } catch (error) {
    if (ObjectPrototypeIsPrototypeOf(TypeErrorPrototype, error)) {
      throw cloneError(error.message);
    }
    throw error;
  }
}

return { structuredClone };
})();
