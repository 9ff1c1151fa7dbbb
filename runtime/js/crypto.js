// WebCrypto from deno_crypto, with what Workers add to it:
// `crypto.subtle.timingSafeEqual` and `crypto.DigestStream`.
(function () {
const { core, primordials } = __bootstrap;
const { op_timing_safe_equal } = core.ops;
const {
  ArrayBufferIsView,
  ObjectDefineProperty,
  PromisePrototypeThen,
  ReflectApply,
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
function inEventOnly(name) {
  const method = Crypto.prototype[name];
  const wrapped = {
    [name](...args) {
      requireEvent();
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
inEventOnly("getRandomValues");
inEventOnly("randomUUID");

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
