// CompressionStream and DecompressionStream on the codecs of node:zlib's ops.
// What they make is counted as the isolate's memory, a piece at a time, so that
// a bomb runs into the isolate's limit and not into the process's.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_node_brotli_open,
  op_node_zlib_close,
  op_node_zlib_open,
  op_node_zlib_write,
} = core.ops;
const {
  ObjectDefineProperty,
  SymbolToStringTag,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeSlice,
  TypedArrayPrototypeSubarray,
  TypeError,
  Uint32Array,
  Uint8Array,
} = primordials;
const { TransformStream, privateTransform, setTransformSides } = core
  .loadExtScript("ext:deno_web/06_streams.js");
const { BytePipe } = core.loadExtScript("ext:outboard/byte_pipe.js");

/** Bytes of output that are made at a time. */
const PIECE = 65_536;
/** Bytes that a pipe makes ahead of whoever reads. */
const AHEAD = 262_144;

// As zlib numbers them.
const FLUSH_NONE = 0;
const FLUSH_FINISH = 4;
/** Brotli's own. */
const BROTLI_FINISH = 2;
const OK = 0;
const STREAM_END = 1;
const BUFFER_ERROR = -5;
const DEFAULT_LEVEL = -1;
const WINDOW_BITS = 15;
/** The codecs' numbers, for either way. */
const modes = {
  __proto__: null,
  deflate: [1, 2],
  gzip: [3, 8],
  "deflate-raw": [5, 6],
};
const NO_BYTES = new Uint8Array(0);
/** All of brotli's parameters as they are, but quality and window. */
const BROTLI = new Uint32Array(7);
for (let i = 0; i < 7; i++) BROTLI[i] = 0xffff_ffff;
BROTLI[1] = 6;
BROTLI[2] = 22;

/** @returns {import("./byte_pipe.js").Codec} */
function codec(format, decompress) {
  const stream = format === "brotli"
    ? op_node_brotli_open(!decompress, BROTLI)
    : op_node_zlib_open(
      modes[format][decompress ? 1 : 0],
      DEFAULT_LEVEL,
      WINDOW_BITS,
      undefined,
    );
  const left = new Uint32Array(2);
  let ended = false;
  let closed = false;

  function run(input, flush, put) {
    for (;;) {
      const output = new Uint8Array(PIECE);
      const result = op_node_zlib_write(stream, flush, input, output, left);
      const { 0: room, 1: unread } = left;
      if (room < PIECE) {
        put(
          room === 0 ? output : TypedArrayPrototypeSlice(output, 0, PIECE - room),
        );
      }
      input = TypedArrayPrototypeSubarray(
        input,
        TypedArrayPrototypeGetByteLength(input) - unread,
      );
      if (result === STREAM_END) {
        ended = true;
        return unread;
      }
      if (result !== OK && result !== BUFFER_ERROR) {
        throw new TypeError("Decompression failed.");
      }
      if (room > 0) return unread;
    }
  }

  return {
    write(bytes, put) {
      if (ended || run(bytes, FLUSH_NONE, put) > 0) {
        throw new TypeError("Trailing bytes after end of compressed data");
      }
    },
    end(put) {
      if (!decompress) {
        run(NO_BYTES, format === "brotli" ? BROTLI_FINISH : FLUSH_FINISH, put);
      } else if (!ended) {
        throw new TypeError(
          "Called close() on a decompression stream with incomplete data",
        );
      }
    },
    close() {
      if (closed) return;
      closed = true;
      op_node_zlib_close(stream);
    },
  };
}

function pipe(self, format, decompress) {
  const { readable, writable } = new BytePipe(
    codec(format, decompress),
    undefined,
    AHEAD,
  );
  setTransformSides(self, readable, writable);
}

function checkFormat(count, format, name) {
  if (count === 0) {
    throw new TypeError(
      `Failed to construct '${name}': constructor parameter 1 is not of type ` +
        "'string'.",
    );
  }
  format = `${format}`;
  if (modes[format] === undefined && format !== "brotli") {
    throw new TypeError(
      "The compression format must be either 'deflate', 'deflate-raw' or 'gzip'.",
    );
  }
  return format;
}

class CompressionStream extends TransformStream {
  constructor(format) {
    format = checkFormat(arguments.length, format, "CompressionStream");
    super(privateTransform);
    pipe(this, format, false);
  }
}

class DecompressionStream extends TransformStream {
  constructor(format) {
    format = checkFormat(arguments.length, format, "DecompressionStream");
    super(privateTransform);
    pipe(this, format, true);
  }
}

for (const stream of [CompressionStream, DecompressionStream]) {
  ObjectDefineProperty(stream.prototype, SymbolToStringTag, {
    __proto__: null,
    value: stream.name,
    configurable: true,
  });
}

return { CompressionStream, DecompressionStream };
})();
