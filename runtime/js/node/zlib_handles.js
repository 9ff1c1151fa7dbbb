// The handles under node:zlib's streams, over the host's codecs: what each write
// came to goes into the state the stream gave, errors to its `onerror`.
(function () {
const { core, primordials } = __bootstrap;
const {
  Error,
  TypedArrayPrototypeSubarray,
  TypeError,
  Uint32Array,
  Uint8Array,
} = primordials;
const {
  op_node_brotli_open,
  op_node_crc32,
  op_node_zlib_close,
  op_node_zlib_level,
  op_node_zlib_message,
  op_node_zlib_open,
  op_node_zlib_reset,
  op_node_zlib_write,
  op_node_zstd_open,
} = core.ops;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");

const DEFLATE = 1;
const UNZIP = 7;
const Z_FINISH = 4;
const Z_OK = 0;
const Z_STREAM_END = 1;
const Z_NEED_DICT = 2;
const Z_BUF_ERROR = -5;
const BROTLI_ERROR = -100;
const BROTLI_FINISH = 2;
const BROTLI_DECODE = 8;
const ZSTD_ERROR = -101;
const ZSTD_END = 2;
const ZSTD_DECOMPRESS = 11;

const nothing = new Uint8Array(0);

/** A part of `view`, which may have shrunk while numbers were looked at. */
function part(view, at, length, message) {
  const start = at >>> 0;
  const end = start + (length >>> 0);
  if (end > view.byteLength) throw new Error(message);
  return TypedArrayPrototypeSubarray(view, start, end);
}

class Handle {
  #left = new Uint32Array(2);
  /** Of a handle that was made without a stream. */
  callback = undefined;
  state = undefined;

  /** At once too: a stream tells its callback by itself. */
  write(flush, input, inAt, inLength, out, outAt, outLength, state) {
    this.writeSync(flush, input, inAt, inLength, out, outAt, outLength, state);
    this.callback?.();
  }

  writeSync(flush, input, inAt, inLength, out, outAt, outLength, state = this.state) {
    const numbers = [inAt >>> 0, inLength >>> 0, outAt >>> 0, outLength >>> 0];
    const from = input === null || input === undefined
      ? nothing
      : part(input, numbers[0], numbers[1], "Input access is not within bounds");
    const to = part(out, numbers[2], numbers[3], "Output access is not within bounds");
    const result = op_node_zlib_write(this.stream, flush, from, to, this.#left);
    const { 0: room, 1: bytes } = this.#left;
    if (state !== undefined) {
      state[0] = room;
      state[1] = bytes;
    }
    const failure = this.failure(result, flush, room, bytes);
    if (failure !== null) {
      this.onerror?.(failure.message, failure.errno, failure.code);
    }
  }

  reset() {
    if (this.stream !== undefined) op_node_zlib_reset(this.stream);
    return Z_OK;
  }

  /** Refused anyway, unless it is zeros. */
  setRejectGarbageAfterEnd() {}

  close() {
    if (this.stream) op_node_zlib_close(this.stream);
  }
}

class Zlib extends Handle {
  #mode;
  #dictionary;

  constructor(mode) {
    super();
    if (!(mode >= DEFLATE && mode <= UNZIP)) throw new TypeError("Invalid zlib mode");
    this.#mode = mode;
  }

  /** As Workers' own handles begin. */
  initialize(windowBits, level, memLevel, strategy, state, callback, dictionary) {
    this.init(windowBits, level, memLevel, strategy, callback, dictionary);
    this.state = state;
    this.callback = callback;
  }

  init(windowBits, level, _memLevel, _strategy, _callback, dictionary) {
    this.#dictionary = dictionary;
    const bytes = dictionary === undefined || dictionary === null
      ? null
      : new Uint8Array(
        dictionary.buffer ?? dictionary,
        dictionary.byteOffset ?? 0,
        dictionary.byteLength,
      );
    this.stream = op_node_zlib_open(this.#mode, level, windowBits, bytes);
    return Z_OK;
  }

  params(level, _strategy) {
    if (this.stream !== undefined) op_node_zlib_level(this.stream, level);
  }

  failure(result, flush, room, _bytes) {
    if (result === Z_STREAM_END) return null;
    if (result === Z_OK || result === Z_BUF_ERROR) {
      if (flush !== Z_FINISH || room === 0) return null;
      return {
        message: "unexpected end of file",
        errno: Z_BUF_ERROR,
        code: "Z_BUF_ERROR",
      };
    }
    if (result === Z_NEED_DICT) {
      const message = this.#dictionary === undefined
        ? "Missing dictionary"
        : "Bad dictionary";
      return { message, errno: result, code: "Z_NEED_DICT" };
    }
    const message = op_node_zlib_message(this.stream) ?? "Zlib error";
    return { message, errno: result, code: "Z_DATA_ERROR" };
  }
}

class Brotli extends Handle {
  #mode;
  #parameters;

  constructor(mode) {
    super();
    this.#mode = mode;
  }

  init(parameters) {
    this.#parameters = parameters;
    this.stream = this.#open();
    return true;
  }

  #open() {
    return op_node_brotli_open(this.#mode !== BROTLI_DECODE, this.#parameters);
  }

  params() {}

  reset() {
    op_node_zlib_close(this.stream);
    this.stream = this.#open();
  }

  failure(result, flush, room, _bytes) {
    if (result === BROTLI_ERROR) {
      return this.#mode === BROTLI_DECODE
        ? { message: "Decompression failed", errno: -2, code: "ERR__ERROR_FORMAT_PADDING_1" }
        : {
          message: "Compression failed",
          errno: -1,
          code: "ERR_BROTLI_COMPRESSION_FAILED",
        };
    }
    if (result === Z_BUF_ERROR && flush === BROTLI_FINISH && room > 0) {
      return {
        message: "unexpected end of file",
        errno: Z_BUF_ERROR,
        code: "Z_BUF_ERROR",
      };
    }
    return null;
  }
}

class Zstd extends Handle {
  #compress;

  constructor(mode) {
    super();
    this.#compress = mode !== ZSTD_DECOMPRESS;
  }

  /** @param {number} size of what will be compressed, or -1 */
  init(parameters, _callback, size) {
    this.stream = op_node_zstd_open(this.#compress, parameters, size ?? -1);
    return this.stream !== null;
  }

  params() {}

  failure(result, flush, room, _bytes) {
    if (result === ZSTD_ERROR) {
      return this.#compress
        ? {
          message: "Zstd compression failed",
          errno: -1,
          code: "ERR_ZSTD_COMPRESSION_FAILED",
        }
        : {
          message: "Zstd decompression failed",
          errno: -1,
          code: "ERR_ZSTD_DECOMPRESSION_FAILED",
        };
    }
    if (result === Z_BUF_ERROR && flush === ZSTD_END && room > 0) {
      return {
        message: "unexpected end of file",
        errno: Z_BUF_ERROR,
        code: "Z_BUF_ERROR",
      };
    }
    return null;
  }
}

return {
  BrotliDecoder: Brotli,
  BrotliEncoder: Brotli,
  op_zlib_crc32: (bytes, value) => op_node_crc32(bytes, value),
  op_zlib_crc32_string: (text, value) => op_node_crc32(Buffer.from(text), value),
  Zlib,
  ZstdCompress: Zstd,
  ZstdDecompress: Zstd,
};
})();
