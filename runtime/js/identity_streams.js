// IdentityTransformStream and FixedLengthStream, which Workers add to the
// streams standard: bytes in, the same bytes out, optionally of a known length
// so that a response has Content-Length.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView,
  ArrayBufferPrototype,
  DataViewPrototypeGetByteLength,
  NumberIsInteger,
  ObjectPrototypeIsPrototypeOf,
  SafeWeakMap,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetSymbolToStringTag,
  TypeError,
  Uint8Array,
  WeakMapPrototypeGet,
  WeakMapPrototypeSet,
} = primordials;
const { TransformStream } = core.loadExtScript("ext:deno_web/06_streams.js");

/** Readable sides of known length. */
const lengths = new SafeWeakMap();

function toBytes(chunk) {
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
    super({
      transform(chunk, controller) {
        controller.enqueue(toBytes(chunk));
      },
    }, strategy);
  }
}

class FixedLengthStream extends TransformStream {
  constructor(length, strategy = undefined) {
    const expected = typeof length === "bigint" ? Number(length) : +length;
    if (!NumberIsInteger(expected) || expected < 0) {
      throw new TypeError("FixedLengthStream needs a whole number of bytes.");
    }
    let left = expected;
    super({
      transform(chunk, controller) {
        const bytes = toBytes(chunk);
        left -= byteLength(bytes);
        if (left < 0) {
          throw new TypeError(
            "Attempt to write too many bytes through a FixedLengthStream.",
          );
        }
        controller.enqueue(bytes);
      },
      flush() {
        if (left > 0) {
          throw new TypeError(
            "FixedLengthStream did not see all expected bytes before close().",
          );
        }
      },
    }, strategy);
    WeakMapPrototypeSet(lengths, this.readable, expected);
  }
}

/** The length that a readable side promised, or null. */
function fixedLengthOf(readable) {
  return WeakMapPrototypeGet(lengths, readable) ?? null;
}

return { FixedLengthStream, fixedLengthOf, IdentityTransformStream };
})();
