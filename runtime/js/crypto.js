// WebCrypto from deno_crypto, with what Workers add to it:
// `crypto.subtle.timingSafeEqual` and `crypto.DigestStream`.
(function () {
const { core, primordials } = __bootstrap;
const { op_timing_safe_equal } = core.ops;
const {
  ArrayBufferIsView,
  ObjectDefineProperty,
  PromisePrototypeThen,
  TypeError,
  Uint8Array,
} = primordials;
const base = core.loadExtScript("ext:deno_crypto/00_crypto.js");
const { Crypto, crypto, CryptoKey, SubtleCrypto } = base;

function asBytes(value) {
  if (ArrayBufferIsView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return new Uint8Array(value);
}

ObjectDefineProperty(SubtleCrypto.prototype, "timingSafeEqual", {
  __proto__: null,
  value: function timingSafeEqual(a, b) {
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
