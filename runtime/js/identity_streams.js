// IdentityTransformStream and FixedLengthStream, which Workers add to the
// streams standard: bytes in, the same bytes out, optionally of a known length
// so that a response has Content-Length.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView,
  ArrayBufferPrototype,
  DataViewPrototypeGetByteLength,
  MathTrunc,
  Number,
  NumberIsFinite,
  ObjectPrototypeIsPrototypeOf,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetSymbolToStringTag,
  TypeError,
  Uint8Array,
} = primordials;
const { TransformStream } = core.loadExtScript("ext:deno_web/06_streams.js");
const { setStreamLength } = core.loadExtScript("ext:outboard/body.js");

function toBytes(chunk) {
  if (typeof chunk === "string") return core.encode(chunk);
  if (ObjectPrototypeIsPrototypeOf(ArrayBufferPrototype, chunk)) {
    return new Uint8Array(chunk);
  }
  if (ArrayBufferIsView(chunk)) return chunk;
  throw new TypeError(
    "This TransformStream is being used as a byte stream, but received an " +
      "object of non-ArrayBuffer/ArrayBufferView type on its writable side.",
  );
}

function byteLength(view) {
  return TypedArrayPrototypeGetSymbolToStringTag(view) === undefined
    ? DataViewPrototypeGetByteLength(view)
    : TypedArrayPrototypeGetByteLength(view);
}

class IdentityTransformStream extends TransformStream {
  constructor(strategy = undefined) {
    const transformer = arguments[1];
    super(
      transformer ?? {
        transform(chunk, controller) {
          controller.enqueue(toBytes(chunk));
        },
      },
      strategy,
    );
  }
}

/** A whole number of bytes. */
function toLength(length) {
  const number = typeof length === "bigint" ? Number(length) : +length;
  if (number < 0) {
    throw new TypeError(
      "The value cannot be converted because it is negative and this API " +
        "expects a positive bigint.",
    );
  }
  if (!NumberIsFinite(number)) {
    throw new TypeError(
      "The value cannot be converted because it is not an integer.",
    );
  }
  return MathTrunc(number);
}

class FixedLengthStream extends IdentityTransformStream {
  constructor(length, strategy = undefined) {
    const expected = toLength(length);
    let left = expected;
    super(strategy, {
      transform(chunk, controller) {
        const bytes = toBytes(chunk);
        left -= byteLength(bytes);
        if (left < 0) {
          // Told to the reader: the writer did what it could.
          controller.error(
            new TypeError(
              "Attempt to write too many bytes through a FixedLengthStream.",
            ),
          );
          return;
        }
        controller.enqueue(bytes);
      },
      // What is missing at the end is seen by whoever counts: the host, which
      // was told the length, cuts the answer.
    });
    setStreamLength(this.readable, expected);
  }
}

return { FixedLengthStream, IdentityTransformStream };
})();
