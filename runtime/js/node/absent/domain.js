// node:domain: a domain catches nothing; what runs in one just runs.
(function () {
const { core, primordials } = __bootstrap;
const { ReflectApply } = primordials;
const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.mjs");

EventEmitter.usingDomains = false;

class Domain extends EventEmitter {
  members = undefined;

  _errorHandler(error) {
    throw error;
  }
  enter() {}
  exit() {}
  add() {}
  remove() {}
  run(fn, ...args) {
    return ReflectApply(fn, this, args);
  }
  intercept(callback) {
    return callback;
  }
  bind(callback) {
    return callback;
  }
}

const createDomain = () => new Domain();

return {
  exports: { Domain, active: null, create: createDomain(), createDomain },
};
})();
