// WebCrypto from deno_crypto, with what Workers add to it:
// `crypto.subtle.timingSafeEqual` and `crypto.DigestStream`.
(function () {
const { core, primordials } = __bootstrap;
const { op_md5, op_timing_safe_equal } = core.ops;
const {
  ArrayBufferIsView,
  ObjectDefineProperty,
  PromisePrototypeThen,
  ReflectApply,
  StringPrototypeToUpperCase,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetSymbolToStringTag,
  TypeError,
  Uint8Array,
} = primordials;
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const base = core.loadExtScript("ext:deno_crypto/00_crypto.js");
const { Crypto, crypto, CryptoKey, SubtleCrypto } = base;

// Not Workers': key encapsulation is no standard yet.
const UNSERVED = [
  "decapsulateBits",
  "decapsulateKey",
  "encapsulateBits",
  "encapsulateKey",
  "getPublicKey",
];
for (let i = 0; i < UNSERVED.length; i++) {
  delete SubtleCrypto.prototype[UNSERVED[i]];
}

function asBytes(value) {
  return ArrayBufferIsView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
}

function requireBuffer(value, method, parameter) {
  if (ArrayBufferIsView(value) || core.isAnyArrayBuffer(value)) return;
  throw new TypeError(
    `Failed to execute '${method}' on 'SubtleCrypto': parameter ${parameter} ` +
      "is not of type 'BufferSource'.",
  );
}

/** Randomness is an event's: a module's top level must run alike each time. */
function inEventOnly(name, check) {
  const method = Crypto.prototype[name];
  const wrapped = {
    [name](...args) {
      requireEvent();
      check(args[0]);
      return ReflectApply(method, this, args);
    },
  }[name];
  ObjectDefineProperty(Crypto.prototype, name, {
    __proto__: null,
    value: wrapped,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
inEventOnly("getRandomValues", checkRandomTarget);
inEventOnly("randomUUID", () => {});

/** The largest buffer that getRandomValues fills (Web Cryptography API, 10.1). */
const MAX_RANDOM = 65_536;

function checkRandomTarget(view) {
  const tag = ArrayBufferIsView(view)
    ? TypedArrayPrototypeGetSymbolToStringTag(view)
    : undefined;
  if (tag === undefined || tag === "Float32Array" || tag === "Float64Array" ||
    tag === "Float16Array") {
    throw domException(
      "ArrayBufferView argument to getRandomValues() must be an integer-typed " +
        "view.",
      "TypeMismatchError",
    );
  }
  const length = TypedArrayPrototypeGetByteLength(view);
  if (length > MAX_RANDOM) {
    throw domException(
      "getRandomValues() only accepts buffers of size <= 64K but provided " +
        `${length} bytes.`,
      "QuotaExceededError",
    );
  }
}

function domException(message, name) {
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  return new DOMException(message, name);
}

const UNKNOWN_DIGEST =
  "Unrecognized or unimplemented digest algorithm requested.";

/** The name of an algorithm, given by its name or as an object with it. */
function digestName(algorithm) {
  return StringPrototypeToUpperCase(
    `${typeof algorithm === "object" ? algorithm?.name : algorithm}`,
  );
}

const DIGESTS = {
  __proto__: null,
  "SHA-1": true,
  "SHA-256": true,
  "SHA-384": true,
  "SHA-512": true,
};
/** Refuses what names no algorithm by the name of its error in Workers. */
function checkAlgorithm(algorithm) {
  const hash = algorithm?.hash;
  if (hash !== undefined && !(digestName(hash) in DIGESTS)) {
    throw domException(UNKNOWN_DIGEST, "NotSupportedError");
  }
  const curve = algorithm?.namedCurve;
  if (curve !== undefined && curve !== "P-256" && curve !== "P-384" &&
    curve !== "P-521") {
    throw domException(
      `Unrecognized or unimplemented EC curve "${curve}" requested.`,
      "NotSupportedError",
    );
  }
}

function checkedFirst(name, check) {
  const method = SubtleCrypto.prototype[name];
  ObjectDefineProperty(SubtleCrypto.prototype, name, {
    __proto__: null,
    value: {
      async [name](...args) {
        check(args);
        return await ReflectApply(method, this, args);
      },
    }[name],
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

checkedFirst("generateKey", (args) => checkAlgorithm(args[0]));
checkedFirst("importKey", ([format, _data, algorithm]) => {
  if (format !== "raw" && format !== "pkcs8" && format !== "spki" &&
    format !== "jwk") {
    throw domException(
      `Unrecognized key import format "${format}".`,
      "NotSupportedError",
    );
  }
  checkAlgorithm(algorithm);
});

const { digest: standardDigest } = SubtleCrypto.prototype;
ObjectDefineProperty(SubtleCrypto.prototype, "digest", {
  __proto__: null,
  async value(algorithm, data) {
    requireBuffer(data, "digest", 2);
    const name = digestName(algorithm);
    // No standard's, but what old protocols still ask for.
    if (name === "MD5") {
      return TypedArrayPrototypeGetBuffer(op_md5(asBytes(data)));
    }
    if (!(name in DIGESTS)) {
      throw domException(UNKNOWN_DIGEST, "NotSupportedError");
    }
    return await ReflectApply(standardDigest, this, [name, data]);
  },
  writable: true,
  enumerable: true,
  configurable: true,
});

ObjectDefineProperty(SubtleCrypto.prototype, "timingSafeEqual", {
  __proto__: null,
  value: function timingSafeEqual(a, b) {
    requireBuffer(a, "timingSafeEqual", 1);
    requireBuffer(b, "timingSafeEqual", 2);
    a = asBytes(a);
    b = asBytes(b);
    if (a.length !== b.length) {
      throw new TypeError("Input buffers must have the same byte length.");
    }
    return op_timing_safe_equal(a, b);
  },
  writable: true,
  enumerable: true,
  configurable: true,
});

/** A WritableStream whose `digest` resolves to the hash of what was written. */
function makeDigestStream() {
  const { WritableStream } = core.loadExtScript("ext:deno_web/06_streams.js");
  const { subtle } = crypto;
  return class DigestStream extends WritableStream {
    #digest;
    #bytesWritten = 0;

    constructor(algorithm) {
      let resolve, reject;
      const digest = new Promise((yes, no) => {
        resolve = yes;
        reject = no;
      });
      PromisePrototypeThen(digest, undefined, () => {});
      const chunks = [];
      let self = null;
      super({
        write(chunk) {
          const bytes = typeof chunk === "string"
            ? core.encode(chunk)
            : new Uint8Array(asBytes(chunk));
          chunks.push(bytes);
          self.#bytesWritten += bytes.length;
        },
        async close() {
          let length = 0;
          for (let i = 0; i < chunks.length; i++) length += chunks[i].length;
          const all = new Uint8Array(length);
          let at = 0;
          for (let i = 0; i < chunks.length; i++) {
            all.set(chunks[i], at);
            at += chunks[i].length;
          }
          try {
            resolve(await subtle.digest(algorithm, all));
          } catch (error) {
            reject(error);
            throw error;
          }
        },
        abort(reason) {
          reject(reason);
        },
      });
      self = this;
      this.#digest = digest;
    }

    get digest() {
      return this.#digest;
    }

    get bytesWritten() {
      return BigInt(this.#bytesWritten);
    }
  };
}

let DigestStream;
ObjectDefineProperty(Crypto.prototype, "DigestStream", {
  __proto__: null,
  get: () => DigestStream ??= makeDigestStream(),
  enumerable: true,
  configurable: true,
});

return {
  Crypto,
  crypto,
  CryptoKey,
  get DigestStream() {
    return DigestStream ??= makeDigestStream();
  },
  SubtleCrypto,
};
})();
