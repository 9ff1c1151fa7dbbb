// IdentityTransformStream and FixedLengthStream, which Workers add to the
// streams standard: bytes in, the same bytes out, optionally of a known length
// so that a response has Content-Length.
(function () {
const { core, primordials } = __bootstrap;
const {
  MathMin,
  MathTrunc,
  Number,
  NumberIsFinite,
  NumberMAX_SAFE_INTEGER,
  ObjectDefineProperty,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { TransformStream, privateTransform, setTransformSides } = core
  .loadExtScript("ext:deno_web/06_streams.js");
const { BytePipe } = core.loadExtScript("ext:outboard/byte_pipe.js");
const { setStreamLength } = core.loadExtScript("ext:outboard/body.js");

const identity = {
  write(bytes, put) {
    put(bytes);
  },
  end() {},
  close() {},
};

/** The strategy's high water mark in bytes, if it has one. */
function highWaterMark(strategy, most) {
  const mark = strategy?.highWaterMark;
  if (mark === undefined) return undefined;
  return MathMin(toLength(mark), most);
}

class IdentityTransformStream extends TransformStream {
  constructor(strategy = undefined) {
    super(privateTransform);
    const length = arguments[1];
    const pipe = new BytePipe(
      identity,
      highWaterMark(strategy, length ?? NumberMAX_SAFE_INTEGER),
      undefined,
      length,
    );
    setTransformSides(this, pipe.readable, pipe.writable);
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
  if (typeof length !== "bigint" && number > NumberMAX_SAFE_INTEGER) {
    throw new TypeError(
      "Value out of range. Must be less than or equal to 9007199254740991.",
    );
  }
  return MathTrunc(number);
}

class FixedLengthStream extends IdentityTransformStream {
  constructor(length, strategy = undefined) {
    const expected = toLength(length);
    super(strategy, expected);
    setStreamLength(this.readable, expected);
  }
}

for (const stream of [FixedLengthStream, IdentityTransformStream]) {
  ObjectDefineProperty(stream.prototype, SymbolToStringTag, {
    __proto__: null,
    value: stream.name,
    configurable: true,
  });
}

return { FixedLengthStream, IdentityTransformStream, toLength };
})();
