// Checks what node:fs is given, with Node's errors.
(function () {
const { core, primordials } = __bootstrap;
const {
  Date,
  Error,
  NumberIsNaN,
  NumberParseInt,
  ObjectPrototypeIsPrototypeOf,
  RegExpPrototypeTest,
  SafeRegExp,
  StringPrototypeIncludes,
  StringPrototypeReplace,
  StringPrototypeToUpperCase,
  TypeError,
  decodeURIComponent,
} = primordials;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const {
  validateAbortSignal,
  validateInt32,
  validateUint32,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");
const { constants } = core.loadExtScript("ext:outboard/node/fs/constants.js");
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");
const {
  ERR_INVALID_ARG_TYPE,
  ERR_INVALID_ARG_VALUE,
  ERR_INVALID_URL_SCHEME,
} = codes;

/** An absolute path from text, bytes or a `file:` URL. */
function toPath(value, name = "path") {
  let text = value;
  if (ObjectPrototypeIsPrototypeOf(URL.prototype, value)) {
    if (value.protocol !== "file:") throw new ERR_INVALID_URL_SCHEME("file");
    const { builtin } = core.loadExtScript("ext:outboard/node/modules.js");
    text = builtin("url").fileURLToPath(value);
  } else if (Buffer.isBuffer(value)) text = value.toString();
  else if (typeof value !== "string") {
    throw new ERR_INVALID_ARG_TYPE(name, ["string", "Buffer", "URL"], value);
  }
  if (StringPrototypeIncludes(text, "\0")) {
    throw new ERR_INVALID_ARG_VALUE(
      name,
      value,
      "must be a string, Uint8Array, or URL without null bytes",
    );
  }
  const { posix } = core.loadExtScript("ext:outboard/node/path.js");
  const { cwd } = core.loadExtScript("ext:outboard/node/fs/cwd.js");
  const path = canonical(posix.resolve(cwd(), text));
  if (path.length > LONGEST) throw new Error("File path is too long");
  let deep = 0;
  for (let i = 0; i < path.length; i++) if (path[i] === "/") deep++;
  if (deep > DEEPEST) throw new Error("File path has too many segments");
  return path;
}

/** The limits of a path, as in Workers. */
const LONGEST = 4096;
const DEEPEST = 48;

const escape = new SafeRegExp(/(?:%[0-9a-f]{2})+/gi);
/** What a path has to keep written as an escape, to be the same path read again. */
const kept = new SafeRegExp(/%(?:00|25|2F)/);

/**
 * A path is the path of a URL in Workers, so that `a%3Fb` and `a?b` are one
 * file. Here a file has the name without escapes, where it can be without.
 */
function canonical(path) {
  if (!StringPrototypeIncludes(path, "%")) return path;
  return StringPrototypeReplace(path, escape, (run) => {
    const upper = StringPrototypeToUpperCase(run);
    if (RegExpPrototypeTest(kept, upper)) return upper;
    try {
      return decodeURIComponent(upper);
    } catch {
      return upper;
    }
  });
}

/** Whether a path as it was given ends with a slash, and so names nothing new. */
const endsInSlash = (value) => typeof value === "string" && value.length > 1 &&
  value[value.length - 1] === "/";

function toFd(fd) {
  if (typeof fd !== "number") throw new ERR_INVALID_ARG_TYPE("fd", "number", fd);
  validateInt32(fd, "fd", 0);
  return fd;
}

const octal = new SafeRegExp(/^[0-7]+$/);

function toMode(mode, name = "mode", otherwise = undefined) {
  const value = mode ?? otherwise;
  if (typeof value !== "string") {
    validateUint32(value, name);
    return value;
  }
  if (!RegExpPrototypeTest(octal, value)) {
    throw new ERR_INVALID_ARG_VALUE(
      name,
      mode,
      "must be a 32-bit unsigned integer or an octal string",
    );
  }
  return NumberParseInt(value, 8);
}

function checkEncoding(encoding, name = "encoding") {
  if (
    encoding !== undefined && encoding !== null && encoding !== "buffer" &&
    !Buffer.isEncoding(encoding)
  ) {
    throw new ERR_INVALID_ARG_VALUE(
      name,
      encoding,
      "is invalid encoding",
    );
  }
  return encoding;
}

/** Options where a string stands for the encoding. */
function toOptions(options, defaults = {}) {
  if (options === undefined || options === null || typeof options === "function") {
    return { ...defaults };
  }
  if (typeof options === "string") {
    return { ...defaults, encoding: checkEncoding(options) };
  }
  if (typeof options !== "object") {
    throw new ERR_INVALID_ARG_TYPE("options", ["string", "Object"], options);
  }
  checkEncoding(options.encoding);
  if (options.signal !== undefined) {
    validateAbortSignal(options.signal, "options.signal");
  }
  return { ...defaults, ...options };
}

const { O_APPEND, O_CREAT, O_EXCL, O_RDWR, O_SYNC, O_TRUNC, O_WRONLY } = constants;
const write = O_TRUNC | O_CREAT;
const append = O_APPEND | O_CREAT;
const FLAGS = {
  __proto__: null,
  "r": 0,
  "rs": O_SYNC,
  "sr": O_SYNC,
  "r+": O_RDWR,
  "rs+": O_RDWR | O_SYNC,
  "sr+": O_RDWR | O_SYNC,
  "w": write | O_WRONLY,
  "wx": write | O_WRONLY | O_EXCL,
  "xw": write | O_WRONLY | O_EXCL,
  "w+": write | O_RDWR,
  "wx+": write | O_RDWR | O_EXCL,
  "xw+": write | O_RDWR | O_EXCL,
  "a": append | O_WRONLY,
  "ax": append | O_WRONLY | O_EXCL,
  "xa": append | O_WRONLY | O_EXCL,
  "as": append | O_WRONLY | O_SYNC,
  "sa": append | O_WRONLY | O_SYNC,
  "a+": append | O_RDWR,
  "ax+": append | O_RDWR | O_EXCL,
  "xa+": append | O_RDWR | O_EXCL,
  "as+": append | O_RDWR | O_SYNC,
  "sa+": append | O_RDWR | O_SYNC,
};

/** What a flag such as "w+" allows. */
function toFlags(flags, name = "flags") {
  let bits = flags ?? 0;
  if (typeof bits === "number") validateInt32(bits, name);
  else {
    bits = FLAGS[bits];
    if (bits === undefined) throw new ERR_INVALID_ARG_VALUE(name, flags);
  }
  const writes = (bits & (O_WRONLY | O_RDWR)) !== 0;
  return {
    append: (bits & O_APPEND) !== 0,
    create: (bits & O_CREAT) !== 0,
    exclusive: (bits & O_EXCL) !== 0,
    read: (bits & O_WRONLY) === 0,
    truncate: (bits & O_TRUNC) !== 0,
    write: writes,
  };
}

/** A Date, or what makes one: a number is milliseconds, as in Workers. */
function toTime(value, name) {
  let date = value;
  if (typeof value === "bigint") date = new Date(primordials.Number(value));
  else if (typeof value === "number" || typeof value === "string") {
    date = new Date(value);
  } else if (!ObjectPrototypeIsPrototypeOf(Date.prototype, value)) {
    throw new ERR_INVALID_ARG_TYPE(
      name,
      ["string", "number", "bigint", "Date"],
      value,
    );
  }
  const time = primordials.DatePrototypeGetTime(date);
  if (NumberIsNaN(time)) {
    throw new TypeError(
      "The value cannot be converted because it is not a valid Date.",
    );
  }
  return time;
}

/** A place in a file; null and the like mean the current one. */
function toPosition(position, name = "position") {
  if (position === undefined || position === null || position === -1) return null;
  // A number is checked here, and a bigint by whom it is for.
  if (typeof position === "bigint") return primordials.Number(position);
  if (typeof position !== "number") {
    throw new ERR_INVALID_ARG_TYPE(name, ["integer", "bigint", "null"], position);
  }
  validateUint32(position, name);
  return position;
}

return {
  checkEncoding,
  endsInSlash,
  toFd,
  toFlags,
  toMode,
  toOptions,
  toPath,
  toPosition,
  toTime,
};
})();
