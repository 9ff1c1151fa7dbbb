// node:readline and readline/promises: nobody sits at a worker's terminal, so
// every answer is the empty line.
(function () {
const { core, primordials } = __bootstrap;
const { SafeArrayIterator, SymbolAsyncDispose, SymbolAsyncIterator, SymbolDispose } =
  primordials;
const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.mjs");

class Terminal extends EventEmitter {
  terminal = false;
  line = "";
  cursor = 0;

  getPrompt() {
    return "";
  }
  setPrompt() {}
  prompt() {}
  pause() {
    return this;
  }
  resume() {
    return this;
  }
  close() {}
  write() {}
  getCursorPos() {
    return { rows: 0, cols: 0 };
  }
  [SymbolDispose]() {
    this.close();
  }
  async [SymbolAsyncDispose]() {
    this.close();
  }
  async *[SymbolAsyncIterator]() {
    yield "";
  }
}

class Interface extends Terminal {
  question(_query, options, callback) {
    const answer = typeof options === "function" ? options : callback;
    if (typeof answer === "function") answer("");
  }
}

const PromisesInterface = class Interface extends Terminal {
  async question() {
    return "";
  }
};

class Readline {
  async commit() {}
}
for (
  const name of new SafeArrayIterator([
    "clearLine", "clearScreenDown", "cursorTo", "moveCursor", "rollback",
  ])
) {
  Readline.prototype[name] = function () {
    return this;
  };
}

const promises = {
  Interface: PromisesInterface,
  Readline,
  createInterface: () => new PromisesInterface(),
};

return {
  promises,
  exports: {
    Interface,
    clearLine: () => false,
    clearScreenDown: () => false,
    createInterface: () => new Interface(),
    cursorTo: () => false,
    emitKeypressEvents() {},
    moveCursor: () => false,
    promises,
  },
};
})();
