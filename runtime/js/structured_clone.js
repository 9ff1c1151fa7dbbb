// structuredClone: V8's, with what it does not know of the API's own objects.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypePush,
  ObjectDefineProperty,
  ObjectKeys,
  ObjectPrototypeIsPrototypeOf,
  SafeArrayIterator,
  TypeError,
  TypeErrorPrototype,
} = primordials;
const ports = core.loadExtScript("ext:deno_web/13_message_port.js");
const { cloneError, markUncloneable, setBrand, setMark } = core.loadExtScript(
  "ext:outboard/not_serializable.js",
);
// Marks that waited for this script to load.
setMark(ports.markNotSerializable);
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { bodyState, kNull } = core.loadExtScript("ext:outboard/body.js");
const { copyHeaderList, Headers, headerList, hostHeaders } = core
  .loadExtScript("ext:outboard/headers.js");
const { Response, responseParts } = core.loadExtScript("ext:outboard/response.js");
const { Request, requestParts } = core.loadExtScript("ext:outboard/request.js");
const { ReadableStreamPrototype, WritableStream } = core.loadExtScript(
  "ext:deno_web/06_streams.js",
);
const { URL, URLSearchParams } = core.loadExtScript("ext:deno_web/00_url.js");
const { Event } = core.loadExtScript("ext:deno_web/02_event.js");
const { AbortController, AbortSignal } = core.loadExtScript(
  "ext:deno_web/03_abort_signal.js",
);
const { TextDecoder, TextEncoder } = core.loadExtScript(
  "ext:deno_web/08_text_encoding.js",
);
const WritableStreamPrototype = WritableStream.prototype;
const READABLE = "ReadableStream can only be serialized for RPC.";

for (const Class of [URL, URLSearchParams, Event, AbortController, TextDecoder, TextEncoder]) {
  markUncloneable(Class);
}
markUncloneable(AbortSignal, () =>
  has(flag.enable_abortsignal_rpc)
    ? "AbortSignal can only be serialized for RPC."
    : "AbortSignal serialization is not enabled.");

/** Says how the objects of a class are cloned: what is kept of one, and made of that. */
function cloneable(Class, name, keep, make) {
  setBrand(Class.prototype, function () {
    return { type: name, kept: keep(this) };
  });
  core.registerCloneableResource(name, ({ kept }) => make(kept));
}

cloneable(
  Headers,
  "Headers",
  (headers) => copyHeaderList(headerList(headers)),
  (list) => hostHeaders(list, false),
);
cloneable(Request, "Request", (request) => {
  const { method, headers, redirect } = requestParts(request);
  refuseBody(request);
  const { url, cf } = request;
  return { url, cf, method, redirect, headers: copyHeaderList(headers) };
}, ({ url, headers, ...init }) => {
  return new Request(url, { __proto__: null, ...init, headers: hostHeaders(headers, false) });
});
cloneable(Response, "Response", (response) => {
  const { status, statusText, webSocket, encodeBody } = responseParts(response);
  if (webSocket !== null) {
    throw cloneError("Can't serialize a Response which has a WebSocket over RPC.");
  }
  refuseBody(response);
  const headers = copyHeaderList(headerList(response.headers));
  return { status, statusText, encodeBody, cf: response.cf, headers };
}, ({ headers, ...init }) => {
  return new Response(null, { __proto__: null, ...init, headers: hostHeaders(headers, false) });
});

function refuseBody(owner) {
  if (bodyState(owner).kind !== kNull) throw cloneError(READABLE);
}

/** Refuses what only a binding could carry. */
function refuse(value) {
  if (ObjectPrototypeIsPrototypeOf(ReadableStreamPrototype, value)) {
    throw cloneError(READABLE);
  }
  if (ObjectPrototypeIsPrototypeOf(WritableStreamPrototype, value)) {
    throw cloneError("WritableStream can only be serialized for RPC.");
  }
}

/** A copy of an error, with what it has of its own where a flag says so. */
function cloneOfError(error) {
  const copy = core.structuredClone(error);
  const names = has(flag.enhanced_error_serialization) ? ObjectKeys(error) : [];
  if (names.length === 0) return copy;
  const own = {};
  for (let i = 0; i < names.length; i++) own[names[i]] = error[names[i]];
  const copies = core.structuredClone(own);
  const kept = ObjectKeys(copies);
  for (let i = 0; i < kept.length; i++) {
    ObjectDefineProperty(copy, kept[i], {
      __proto__: null,
      value: copies[kept[i]],
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return copy;
}

function structuredClone(value, options = undefined) {
  if (arguments.length === 0) {
    throw new TypeError(
      "Failed to execute 'structuredClone' on 'ServiceWorkerGlobalScope': " +
        "parameter 1 is not of type 'Value'.",
    );
  }
  if (typeof value === "object" && value !== null) {
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
    const copy = core.isNativeError(value) ? cloneOfError(value) : core.structuredClone(value);
    // Given away: empty here from now on.
    for (const buffer of new SafeArrayIterator(buffers)) {
      if (!buffer.detached) buffer.transfer();
    }
    return copy;
  } catch (error) {
    // The engine's words of memory that is shared come without a kind.
    if (
      ObjectPrototypeIsPrototypeOf(TypeErrorPrototype, error) ||
      error?.message === "#<SharedArrayBuffer> could not be cloned."
    ) {
      throw cloneError(error.message);
    }
    throw error;
  }
}

return { structuredClone };
})();
