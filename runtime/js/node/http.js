// node:http: a client by fetch(), servers that a worker's fetch handler asks.
(function () {
const { core } = __bootstrap;
const { validateInteger } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);
const { ERR_METHOD_NOT_IMPLEMENTED } = core.loadExtScript(
  "ext:outboard/node/errors.js",
);
const { METHODS, STATUS_CODES } = core.loadExtScript(
  "ext:outboard/node/http/common.js",
);
const { Agent, globalAgent } = core.loadExtScript(
  "ext:outboard/node/http/agent.js",
);
const { ClientRequest } = core.loadExtScript("ext:outboard/node/http/client.js");
const { IncomingMessage } = core.loadExtScript(
  "ext:outboard/node/http/incoming.js",
);
const { OutgoingMessage, validateHeaderName, validateHeaderValue } = core
  .loadExtScript("ext:outboard/node/http/outgoing.js");
const { _connectionListener, Server, ServerResponse } = core.loadExtScript(
  "ext:outboard/node/http/server.js",
);
const { WebSocket } = core.loadExtScript("ext:outboard/web_socket.js");
const { CloseEvent, MessageEvent } = core.loadExtScript(
  "ext:deno_web/02_event.js",
);

const request = (url, options, callback) =>
  new ClientRequest(url, options, callback);

return {
  exports: {
    Agent,
    ClientRequest,
    CloseEvent,
    IncomingMessage,
    METHODS,
    MessageEvent,
    OutgoingMessage,
    STATUS_CODES,
    Server,
    ServerResponse,
    WebSocket,
    _connectionListener,
    createServer: (options, listener) => new Server(options, listener),
    get(url, options, callback) {
      return request(url, options, callback).end();
    },
    globalAgent,
    maxHeaderSize: 16384,
    request,
    setMaxIdleHTTPParsers(max) {
      validateInteger(max, "max", 1);
      throw new ERR_METHOD_NOT_IMPLEMENTED("setMaxIdleHTTPParsers");
    },
    validateHeaderName,
    validateHeaderValue,
  },
};
})();
