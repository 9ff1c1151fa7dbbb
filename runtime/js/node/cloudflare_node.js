// `cloudflare:node`: a worker's fetch handler that is a server of node:http.
(function () {
const { core, primordials } = __bootstrap;
const { Error, NumberIsFinite } = primordials;
const { ports } = core.loadExtScript("ext:outboard/node/http/server.js");

function checkPort(port) {
  if (!NumberIsFinite(port) || port < 0 || port > 65535) {
    throw new Error("Failed to determine port for server");
  }
  return port;
}

async function handleAsNodeRequest(target, request, env, ctx) {
  const port = checkPort(typeof target === "number" ? target : target?.port);
  const serve = ports.get(port);
  if (serve === undefined) {
    const error = new Error(
      `Http server with port ${port} not found. This is likely a bug with your ` +
        "code. You should check if server.listen() was called with the same " +
        `port (${port})`,
    );
    error.code = "ERR_INVALID_ARG_VALUE";
    throw error;
  }
  return await serve(request, env, ctx);
}

/** The port of a server, which begins to listen if it does not yet. */
function portOf(target) {
  if (typeof target === "number") return target;
  if (target === undefined || target === null) {
    throw new Error("Server descriptor cannot be null or undefined");
  }
  const { port } = target;
  if ((port === undefined || port === null) && typeof target.listen === "function") {
    if (typeof target.address()?.port !== "number") target.listen();
    return target.address()?.port;
  }
  return port;
}

function httpServerHandler(target) {
  const port = checkPort(portOf(target));
  return {
    fetch: (request, env, ctx) => handleAsNodeRequest(port, request, env, ctx),
  };
}

return { handleAsNodeRequest, httpServerHandler };
})();
