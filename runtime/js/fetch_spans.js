// What streaming tail workers are told of requests that a worker sends.
(function () {
const { core, primordials } = __bootstrap;
const { op_body_length } = core.ops;
const { Number, PromisePrototypeThen, TypedArrayPrototypeGetByteLength } = primordials;
const { bodyState, kBytes, kHost, kText } = core.loadExtScript("ext:outboard/body.js");
const { findHeader, headerList } = core.loadExtScript("ext:outboard/headers.js");
const { requestParts } = core.loadExtScript("ext:outboard/request.js");
const { open } = core.loadExtScript("ext:outboard/spans.js");

/** Headers that are told, and as what. */
const HEADERS = [
  ["user-agent", "user_agent.original"],
  ["content-type", "http.request.header.content-type"],
  ["content-length", "http.request.header.content-length"],
  ["accept", "http.request.header.accept"],
  ["accept-encoding", "http.request.header.accept-encoding"],
];

/**
 * Sends `request` as a span, which ends when its answer begins.
 * @param {() => Promise<Response>} send
 */
function tellFetch(request, send) {
  const span = open("fetch");
  if (span === null) return send();
  const { method, url, headers } = requestParts(request);
  span.set("network.protocol.name", "http");
  span.set("network.protocol.version", "HTTP/1.1");
  span.set("http.request.method", method);
  span.set("url.full", url);
  for (let i = 0; i < HEADERS.length; i++) {
    const { 0: name, 1: as } = HEADERS[i];
    span.set(as, findHeader(headers, name));
  }
  span.set("http.request.body.size", sizeOf(bodyState(request)));
  return PromisePrototypeThen(send(), (response) => {
    span.set("http.response.status_code", response.status);
    const length = findHeader(headerList(response.headers), "content-length");
    const size = length === null ? sizeOf(bodyState(response)) : Number(length);
    span.set("http.response.body.size", size);
    span.close();
    return response;
  }, (error) => {
    span.close();
    throw error;
  });
}

/** Bytes of a body, where that is known. */
function sizeOf({ kind, value, length }) {
  switch (kind) {
    case kText:
      return TypedArrayPrototypeGetByteLength(core.encode(value));
    case kBytes:
      return TypedArrayPrototypeGetByteLength(value);
    case kHost: {
      const known = op_body_length(value);
      return known < 0 ? null : known;
    }
    default:
      return length;
  }
}

return { tellFetch };
})();
