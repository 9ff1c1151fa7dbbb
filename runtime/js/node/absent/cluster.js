// node:cluster: one primary that has no workers and starts none.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectAssign } = primordials;
const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.mjs");
const { notImplemented, notImplementedAll } = core.loadExtScript(
  "ext:outboard/node/errors.js",
);

class Worker extends EventEmitter {
  _connected = false;
  id = 0;

  get process() {
    return core.loadExtScript("ext:outboard/node/process.js").process;
  }
  get exitedAfterDisconnect() {
    return this._connected;
  }
  isConnected() {
    return this._connected;
  }
  isDead() {
    return true;
  }
  send() {
    return false;
  }
  kill() {
    this._connected = false;
  }
  destroy() {
    this._connected = false;
  }
  disconnect() {
    this._connected = false;
    return this;
  }
}

class Cluster extends EventEmitter {
  Worker = Worker;
  domain = null;
  isMaster = true;
  isPrimary = true;
  isWorker = false;
  SCHED_NONE = 1;
  SCHED_RR = 2;
  schedulingPolicy = 2;
  settings = {};
  workers = {};
}
ObjectAssign(
  Cluster.prototype,
  notImplementedAll(["disconnect", "fork", "setupPrimary"], "cluster."),
  { setupMaster: notImplemented("cluster.setupWorker") },
);

const cluster = new Cluster();
const { disconnect, fork, setupMaster, setupPrimary } = cluster;
return {
  exports: cluster,
  names: {
    ...cluster,
    Cluster,
    _events: [],
    _eventsCount: 0,
    _maxListeners: 0,
    disconnect,
    fork,
    setupMaster,
    setupPrimary,
  },
};
})();
