// process.stdin, stdout and stderr: nothing to read, and lines for the log.
(function () {
const { core, primordials } = __bootstrap;
const {
  ObjectAssign,
  StringPrototypeLastIndexOf,
  StringPrototypeSlice,
} = primordials;
const { op_console } = core.ops;
const { builtin } = core.loadExtScript("ext:outboard/node/modules.js");
const { Writable } = builtin("stream");
const { StringDecoder } = builtin("string_decoder");

/** The levels of the log, as console has them. */
const LOG = 1;
const ERROR = 3;
/** A line that goes on for longer is written in pieces. */
const LONGEST = 16 << 10;

/** Writes whole lines to the log; what follows the last waits for its end. */
class Lines {
  #level;
  #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(level) {
    this.#level = level;
  }

  write(chunk) {
    let text = this.#rest +
      (typeof chunk === "string" ? chunk : this.#decoder.write(chunk));
    const end = text.length > LONGEST
      ? text.length - 1
      : StringPrototypeLastIndexOf(text, "\n");
    if (end >= 0) {
      op_console(this.#level, StringPrototypeSlice(text, 0, end + 1));
      text = StringPrototypeSlice(text, end + 1);
    }
    this.#rest = text;
  }
}

const lines = { 1: new Lines(LOG), 2: new Lines(ERROR) };

/** Writes to the file descriptor of a standard stream. */
function writeTo(fd, chunk) {
  lines[fd].write(chunk);
}

/** What packages look for on a terminal or a socket. */
const socket = {
  allowHalfOpen: false,
  bufferSize: 0,
  bytesRead: 0,
  bytesWritten: 0,
  connecting: false,
  pending: false,
  readable: false,
  readableAborted: false,
  readableDidRead: false,
  readableEnded: false,
  readableHighWaterMark: 16384,
  readableLength: 0,
  readableObjectMode: false,
  readyState: "open",
};

function output(fd) {
  const stream = new Writable({
    autoDestroy: true,
    decodeStrings: false,
    write(chunk, _encoding, callback) {
      writeTo(fd, chunk);
      callback();
    },
  });
  return ObjectAssign(stream, { fd, _type: "fs", _isStdio: true }, socket);
}

const stdin = ObjectAssign(
  // Nothing comes from there.
  new (builtin("fs").ReadStream)(null, { autoClose: false, fd: 0 }),
  { fd: 0, allowHalfOpen: false, bufferSize: 0, connecting: false, readyState: "open" },
);

const stderr = output(2);
const stdout = output(1);
ObjectAssign(core.loadExtScript("ext:outboard/node/process_early.js").process, {
  stderr,
  stdout,
});

return { log: op_console, stderr, stdin, stdout, writeTo };
})();
