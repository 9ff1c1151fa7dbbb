// node:tty: streams of a terminal that is never there.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectSetPrototypeOf, SafeArrayIterator } = primordials;
const { Socket } = core.loadExtScript("ext:outboard/node/net.js").exports;

function ReadStream(fd) {
  if (new.target === undefined) return new ReadStream(fd);
  this.fd = fd;
  this.isRaw = false;
  this.isTTY = false;
}
ObjectSetPrototypeOf(ReadStream.prototype, Socket.prototype);
ObjectSetPrototypeOf(ReadStream, Socket);
ReadStream.prototype.setRawMode = function (mode) {
  this.isRaw = mode;
  return this;
};

function WriteStream(fd) {
  if (new.target === undefined) return new WriteStream(fd);
  this.fd = fd;
  this.columns = 0;
  this.rows = 0;
}
ObjectSetPrototypeOf(WriteStream.prototype, Socket.prototype);
ObjectSetPrototypeOf(WriteStream, Socket);
WriteStream.prototype.isTTY = true;
WriteStream.prototype.getColorDepth = () => 8;
WriteStream.prototype.hasColors = () => false;
WriteStream.prototype._refreshSize = () => {};
WriteStream.prototype.getWindowSize = function () {
  return [this.columns ?? 0, this.rows ?? 0];
};
for (
  const name of new SafeArrayIterator([
    "clearLine", "clearScreenDown", "cursorTo", "moveCursor",
  ])
) {
  WriteStream.prototype[name] = {
    // The callback is the last argument, after as many others as it takes.
    [name](...args) {
      for (const last of new SafeArrayIterator(args)) {
        if (typeof last === "function") {
          last();
          break;
        }
      }
      return false;
    },
  }[name];
}

return { exports: { ReadStream, WriteStream, isatty: () => false } };
})();
