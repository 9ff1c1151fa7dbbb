// node:worker_threads: the main thread of one.
(function () {
const { core, primordials } = __bootstrap;
const { SafeMap, SymbolAsyncDispose, SymbolFor } = primordials;
const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.mjs");
const { ERR_METHOD_NOT_IMPLEMENTED, notImplemented, notImplementedClass } = core
  .loadExtScript("ext:outboard/node/errors.js");
const { MessageChannel, MessagePort } = core.loadExtScript(
  "ext:deno_web/13_message_port.js",
);

const later = (name) =>
  async function () {
    throw new ERR_METHOD_NOT_IMPLEMENTED(`Worker.${name}`);
  };

class Worker extends EventEmitter {
  constructor() {
    super();
    throw new ERR_METHOD_NOT_IMPLEMENTED("Worker");
  }
  postMessage() {}
  async postMessageToThread() {}
  ref() {}
  unref() {}
  async [SymbolAsyncDispose]() {}
}
Worker.prototype.cpuUsage = later("cpuUsage");
Worker.prototype.getHeapSnapshot = later("getHeapSnapshot");
Worker.prototype.getHeapStatistics = later("getHeapStatistics");
Worker.prototype.startCpuProfile = later("startCpuProfile");
Worker.prototype.startHeapProfile = later("startHeapProfile");
Worker.prototype.terminate = later("terminate");

const environment = new SafeMap();

return {
  exports: {
    BroadcastChannel: notImplementedClass("BroadcastChannel"),
    MessageChannel,
    MessagePort,
    SHARE_ENV: SymbolFor("nodejs.worker_threads.SHARE_ENV"),
    Worker,
    getEnvironmentData: (key) => environment.get(key),
    isInternalThread: false,
    isMainThread: true,
    isMarkedAsUntransferable: () => false,
    markAsUncloneable() {},
    markAsUntransferable() {},
    moveMessagePortToContext: () => new MessageChannel().port1,
    parentPort: null,
    postMessageToThread: notImplemented("postMessageToThread"),
    receiveMessageOnPort() {},
    resourceLimits: {},
    setEnvironmentData(key, value) {
      environment.set(key, value);
    },
    threadId: 0,
    workerData: null,
  },
};
})();
