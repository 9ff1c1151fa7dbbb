// node:inspector and inspector/promises: a worker does not debug itself.
(function () {
const { core, primordials } = __bootstrap;
const { SafeArrayIterator, SymbolDispose } = primordials;
const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.mjs");
const { notImplementedAll, notImplementedClass, notImplemented, withMethods } =
  core.loadExtScript("ext:outboard/node/errors.js");

const console = {};
for (
  const name of new SafeArrayIterator([
    "debug", "error", "info", "log", "warn", "dir", "dirxml", "table", "trace",
    "group", "groupCollapsed", "groupEnd", "clear", "count", "countReset",
    "assert", "profile", "profileEnd", "time", "timeLog", "timeStamp",
  ])
) {
  console[name] = () => {};
}

const Network = notImplementedAll([
  "requestWillBeSent", "dataReceived", "dataSent", "responseReceived",
  "loadingFinished", "loadingFailed", "webSocketCreated",
  "webSocketHandshakeResponseReceived", "webSocketClosed",
], "Network.");

const session = () =>
  withMethods(
    notImplementedClass("Session", [], EventEmitter),
    ["connect", "connectToMainThread", "disconnect", "post"],
    (name) => notImplemented(`Session.${name}`),
  );

return {
  exports: {
    Session: session(),
    close() {},
    console,
    open: () => ({ [SymbolDispose]: async () => {} }),
    url() {},
    waitForDebugger() {},
    Network,
  },
  promises: {
    ...notImplementedAll(["close", "open", "url", "waitForDebugger"], "Inspector."),
    console,
    Network,
    Session: session(),
  },
};
})();
