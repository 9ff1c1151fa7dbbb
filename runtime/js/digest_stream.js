// crypto.DigestStream: a WritableStream whose `digest` resolves to the hash, or
// the checksum, of what was written.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_crc_digest,
  op_crc_update,
  op_node_create_hash,
  op_node_hash_digest,
  op_node_hash_update,
} = core.ops;
const {
  ArrayBufferIsView,
  BigInt,
  Promise,
  PromisePrototypeThen,
  StringPrototypeToUpperCase,
  SymbolDispose,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
  TypeError,
  Uint8Array,
} = primordials;
const { viewBytes } = core.loadExtScript("ext:outboard/body.js");
const { errorWritable, WritableStream } = core.loadExtScript(
  "ext:deno_web/06_streams.js",
);

const HASHES = {
  __proto__: null,
  MD5: "md5",
  "SHA-1": "sha1",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};
/** By the op's numbers. */
const CHECKSUMS = { __proto__: null, CRC32: 0, CRC32C: 1, CRC64NVME: 2 };

function makeHasher(algorithm) {
  const name = StringPrototypeToUpperCase(
    `${typeof algorithm === "object" ? algorithm?.name : algorithm}`,
  );
  if (HASHES[name] !== undefined) {
    const hash = op_node_create_hash(HASHES[name]);
    return {
      update: (bytes) => op_node_hash_update(hash, bytes),
      digest: () => TypedArrayPrototypeGetBuffer(op_node_hash_digest(hash)),
    };
  }
  const kind = CHECKSUMS[name];
  if (kind === undefined) {
    const { DOMException } = core.loadExtScript(
      "ext:deno_web/01_dom_exception.js",
    );
    throw new DOMException(
      "Unrecognized or unimplemented digest algorithm requested.",
      "NotSupportedError",
    );
  }
  const state = new Uint8Array(8);
  return {
    update: (bytes) => op_crc_update(kind, state, bytes),
    digest: () => TypedArrayPrototypeGetBuffer(op_crc_digest(kind, state)),
  };
}

function bytesOf(chunk) {
  if (typeof chunk === "string") return core.encode(chunk);
  if (ArrayBufferIsView(chunk)) return viewBytes(chunk);
  if (core.isAnyArrayBuffer(chunk)) return new Uint8Array(chunk);
  throw new TypeError(
    "DigestStream is a byte stream but received an object of " +
      "non-ArrayBuffer/ArrayBufferView/string type on its writable side.",
  );
}

class DigestStream extends WritableStream {
  #digest;
  #settle;
  #done = false;
  #bytesWritten = 0;

  constructor(algorithm) {
    const hasher = makeHasher(algorithm);
    let self;
    super({
      __proto__: null,
      write(chunk) {
        let bytes;
        try {
          bytes = bytesOf(chunk);
        } catch (error) {
          self.#fail(error);
          throw error;
        }
        hasher.update(bytes);
        self.#bytesWritten += TypedArrayPrototypeGetByteLength(bytes);
      },
      close() {
        self.#done = true;
        self.#settle.resolve(hasher.digest());
      },
      abort: (reason) => self.#fail(reason),
    });
    self = this;
    this.#digest = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    PromisePrototypeThen(this.#digest, undefined, () => {});
  }

  #fail(reason) {
    this.#done = true;
    this.#settle.reject(reason);
  }

  get digest() {
    return this.#digest;
  }

  get bytesWritten() {
    return BigInt(this.#bytesWritten);
  }

  [SymbolDispose]() {
    if (this.#done) return;
    const reason = new TypeError("The DigestStream was disposed.");
    this.#fail(reason);
    errorWritable(this, reason);
  }
}

return { DigestStream };
})();
