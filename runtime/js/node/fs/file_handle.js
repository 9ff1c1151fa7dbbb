// An open file as an object, as fs.promises.open gives it.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView,
  SafeArrayIterator,
  SymbolAsyncDispose,
  TypeError,
} = primordials;
const { builtin } = core.loadExtScript("ext:outboard/node/modules.js");
const EventEmitter = builtin("events");
const files = core.loadExtScript("ext:outboard/node/fs/sync.js");
const { fail } = core.loadExtScript("ext:outboard/node/fs/vfs.js");
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { validateBoolean, validateObject } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);

/** Only this file makes them. */
const key = {};
const streams = () => core.loadExtScript("ext:outboard/node/fs/streams.js");
/** As much as a stream reads at once. */
const CHUNK = 64 * 1024;

class FileHandle extends EventEmitter {
  /** @type {number | undefined} until it is closed */
  #fd;

  constructor(secret, fd) {
    if (secret !== key) throw new TypeError("Illegal constructor");
    super();
    this.#fd = fd;
  }

  get fd() {
    return this.#fd;
  }

  /** The descriptor of a file that is open. */
  #open() {
    if (this.#fd === undefined) fail("EBADF", "stat");
    return this.#fd;
  }

  async read(...args) {
    const fd = this.#open();
    let [buffer, ...rest] = new SafeArrayIterator(args);
    if (!ArrayBufferIsView(buffer)) {
      const options = buffer ?? {};
      buffer = options.buffer ?? Buffer.alloc(16384);
      rest = [options];
    }
    const bytesRead = files.readSync(fd, buffer, ...new SafeArrayIterator(rest));
    return { bytesRead, buffer };
  }

  async write(buffer, ...rest) {
    const bytesWritten = files.writeSync(
      this.#open(),
      buffer,
      ...new SafeArrayIterator(rest),
    );
    return { bytesWritten, buffer };
  }

  async readv(buffers, position) {
    return { bytesRead: files.readvSync(this.#open(), buffers, position), buffers };
  }

  async writev(buffers, position) {
    const bytesWritten = files.writevSync(this.#open(), buffers, position);
    return { bytesWritten, buffers };
  }

  async readFile(options) {
    return files.readFileSync(this.#open(), options);
  }

  async writeFile(data, options) {
    files.writeFileSync(this.#open(), data, options);
  }

  async appendFile(data, options) {
    files.appendFileSync(this.#open(), data, options);
  }

  async stat(options) {
    return files.fstatSync(this.#open(), options);
  }

  async truncate(length = 0) {
    files.ftruncateSync(this.#open(), length);
  }

  async utimes(atime, mtime) {
    files.futimesSync(this.#open(), atime, mtime);
  }

  async chmod(mode) {
    files.fchmodSync(this.#open(), mode);
  }

  async chown(uid, gid) {
    files.fchownSync(this.#open(), uid, gid);
  }

  async sync() {
    files.fsyncSync(this.#open());
  }

  async datasync() {
    files.fdatasyncSync(this.#open());
  }

  createReadStream(options) {
    return new (streams().ReadStream)(null, { ...options, fd: this });
  }

  createWriteStream(options) {
    return new (streams().WriteStream)(null, { ...options, fd: this });
  }

  readLines(options) {
    const input = this.createReadStream(options);
    return builtin("readline").createInterface({ input });
  }

  /** Its bytes from where it stands; closed with it unless `autoClose` is false. */
  readableWebStream(options = {}) {
    this.#open();
    validateObject(options, "options");
    const { autoClose = true } = options;
    validateBoolean(autoClose, "options.autoClose");
    const { ReadableStream } = core.loadExtScript("ext:deno_web/06_streams.js");
    const end = () => autoClose ? this.close() : undefined;
    return new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: CHUNK,
      pull: async (controller) => {
        const { byobRequest } = controller;
        const count = this.#fd === undefined
          ? 0
          : files.readSync(this.#fd, byobRequest.view);
        if (count === 0) {
          await end();
          controller.close();
        }
        byobRequest.respond(count);
      },
      cancel: end,
    });
  }

  async close() {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#fd = undefined;
    files.closeSync(fd);
    this.emit("close");
  }

  async [SymbolAsyncDispose]() {
    await this.close();
  }
}

return { FileHandle, openHandle: (fd) => new FileHandle(key, fd) };
})();
