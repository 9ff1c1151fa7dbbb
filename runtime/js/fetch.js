// fetch(): the request goes to the host in one call; its answer's body stays
// there until the script reads it.
(function () {
const { core, primordials } = __bootstrap;
const { op_fetch_abort, op_fetch_send, op_fetch_wait, op_traced } = core.ops;
const {
  JSONStringify,
  PromiseReject,
  PromiseResolve,
  StringPrototypeStartsWith,
  StringPrototypeToLowerCase,
  TypeError,
} = primordials;
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { bodyState, guardBody, kBytes, kHost, kNull, kStream, kText } = core
  .loadExtScript("ext:outboard/body.js");
const { findHeader, illegalInvocation } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { Request, requestParts } = core.loadExtScript("ext:outboard/request.js");
const { hostResponse } = core.loadExtScript("ext:outboard/response.js");

/** A body as the host takes it: a string, bytes, or a resource id. */
function bodyForHost(state) {
  state.open();
  state.take();
  switch (state.kind) {
    case kNull:
      return null;
    case kText:
    case kBytes:
    case kHost:
      return state.value;
    case kStream: {
      const { getReadableStreamResourceBacking, resourceForReadableStream } =
        core.loadExtScript("ext:deno_web/06_streams.js");
      // Untouched host bytes go back without a visit to the script.
      const backing = getReadableStreamResourceBacking(state.value);
      if (backing) return backing.rid;
      return resourceForReadableStream(state.value, state.length ?? undefined);
    }
  }
}

async function send(event, service, request, object) {
  const { method, url, headers, redirect, signal, raw, cf } = requestParts(request);
  if (signal?.aborted) throw signal.reason;
  const state = bodyState(request);
  const body = bodyForHost(state);
  const rid = op_fetch_send(
    event.id,
    service,
    method,
    url,
    headers,
    body,
    state.length ?? -1,
    redirect === "follow",
    raw,
    object,
    cf === undefined ? undefined : JSONStringify(cf),
  );
  let abort = null;
  if (signal !== null) {
    abort = () => op_fetch_abort(rid);
    signal.addEventListener("abort", abort);
  }
  try {
    const answer = await op_fetch_wait(rid);
    if (signal?.aborted) throw signal.reason;
    const response = hostResponse(answer);
    if (signal !== null) guardBody(response, signal);
    return response;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (service === GLOBAL) throw error;
    throw core.loadExtScript("ext:outboard/rpc_errors.js").restoreFailure(error);
  } finally {
    if (abort !== null) signal.removeEventListener("abort", abort);
  }
}

function asksForSocket(request) {
  const upgrade = findHeader(requestParts(request).headers, "upgrade");
  return upgrade !== null && StringPrototypeToLowerCase(upgrade) === "websocket";
}

function fetch(input, init = undefined) {
  try {
    if (this !== undefined && this !== globalThis) {
      throw illegalInvocation();
    }
    const event = requireEvent();
    if (arguments.length === 0) {
      throw new TypeError(
        "Failed to execute 'fetch' on 'ServiceWorkerGlobalScope': parameter 1 " +
          "is not of type 'Request or string'.",
      );
    }
    const request = new Request(input, init);
    if (StringPrototypeStartsWith(request.url, "data:")) {
      const { fetchData } = core.loadExtScript("ext:outboard/data_url.js");
      return PromiseResolve(fetchData(request.url));
    }
    return fetchAsSpan(event, GLOBAL, request);
  } catch (error) {
    return PromiseReject(error);
  }
}

/** The way that `fetch()` goes, among the host's services. */
const GLOBAL = -1;

/**
 * Sends `request` to a service of the host's, by the host's number for it.
 * @param {string | null} object of a class's objects the id of one, and its name
 */
function fetchFrom(event, service, request, object = null) {
  if (asksForSocket(request)) {
    const { fetchSocket } = core.loadExtScript("ext:outboard/web_socket.js");
    const { url, headers } = requestParts(request);
    return fetchSocket(event, service, url, headers, object);
  }
  return send(event, service, request, object);
}

/** The same of what a script asks for, which streaming tail workers hear of. */
function fetchAsSpan(event, service, request, object = null) {
  if (op_traced() !== 2) return fetchFrom(event, service, request, object);
  const { tellFetch } = core.loadExtScript("ext:outboard/fetch_spans.js");
  return tellFetch(request, () => fetchFrom(event, service, request, object));
}

return { bodyForHost, fetch, fetchAsSpan, fetchFrom };
})();
