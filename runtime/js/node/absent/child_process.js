// node:child_process: an isolate has no processes. What is there can be named,
// looks at its arguments and refuses.
(function () {
const { core, primordials } = __bootstrap;
const { ArrayIsArray, SymbolDispose } = primordials;
const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.mjs");
const {
  validateArray,
  validateFunction,
  validateObject,
  validateString,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");
const { ERR_METHOD_NOT_IMPLEMENTED, notImplemented } = core.loadExtScript(
  "ext:outboard/node/errors.js",
);

const refuse = (name) => {
  throw new ERR_METHOD_NOT_IMPLEMENTED(`child_process.${name}`);
};

class ChildProcess extends EventEmitter {
  constructor() {
    super();
    refuse("ChildProcess");
  }
  kill() {
    return false;
  }
  send() {
    return false;
  }
  disconnect() {}
  ref() {}
  unref() {}
  [SymbolDispose]() {
    this.kill();
  }
}

function exec(command, options, callback) {
  validateString(command, "command");
  if (options != null) validateObject(options, "options");
  if (callback != null) validateFunction(callback, "callback");
  refuse("exec");
}

function fork(_path, args, options) {
  if (args != null) {
    if (typeof args === "object" && !ArrayIsArray(args)) options = args;
    else validateArray(args, "args");
  }
  if (options != null) validateObject(options, "options");
  refuse("fork");
}

function spawnSync(command) {
  validateString(command, "command");
  refuse("spawnSync");
}

return {
  exports: {
    ChildProcess,
    _forkChild: notImplemented("child_process._forkChild"),
    exec,
    execFile: notImplemented("child_process.execFile"),
    execFileSync: notImplemented("child_process.execFileSync"),
    execSync: notImplemented("child_process.execSync"),
    fork,
    spawn: notImplemented("child_process.spawn"),
    spawnSync,
  },
};
})();
