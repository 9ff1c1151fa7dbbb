// ext:deno_node/internal/crypto/hash.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { core, primordials } = __bootstrap;
  const {
    Hasher,
    op_base64url_encode_from_buffer,
    op_node_create_hash,
    op_node_export_secret_key,
    op_node_get_hashes,
    op_node_hash_clone,
    op_node_hash_digest,
    op_node_hash_digest_hex,
    op_node_hash_update,
    op_node_hash_update_str
  } = core.ops;
  const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
  const lazyStream = core.createLazyLoader("node:stream");
  const {
    forgivingBase64Encode: encodeToBase64
  } = core.loadExtScript("ext:deno_web/00_infra.js");
  const {
    validateEncoding,
    validateString,
    validateUint32
  } = core.loadExtScript("ext:deno_node/internal/validators.mjs");
  const {
    prepareSecretKey
  } = core.loadExtScript("ext:deno_node/internal/crypto/keys.ts");
  const {
    ERR_CRYPTO_HASH_FINALIZED,
    ERR_INVALID_ARG_TYPE,
    NodeError
  } = core.loadExtScript("ext:deno_node/internal/errors.ts");
  const lazyLazyTransform = core.createLazyLoader(
    "ext:deno_node/internal/streams/lazy_transform.js"
  );
  const lazyProcess = core.createLazyLoader("node:process");
  const {
    getDefaultEncoding,
    getHashBlockSize,
    toBuf
  } = core.loadExtScript("ext:deno_node/internal/crypto/util.ts");
  const {
    isAnyArrayBuffer,
    isArrayBufferView
  } = core.loadExtScript("ext:deno_node/internal/util/types.ts");
  const {
    FunctionPrototypeCall,
    ObjectPrototypeIsPrototypeOf,
    ObjectSetPrototypeOf,
    ReflectApply,
    SafeArrayIterator,
    StringFromCharCode,
    StringPrototypeToLowerCase,
    Symbol,
    TypedArrayPrototypeGetByteLength,
    Uint8Array,
    Uint8ArrayPrototype
  } = primordials;
  function unwrapErr(ok) {
    if (!ok) throw new ERR_CRYPTO_HASH_FINALIZED();
  }
  const kHandle = Symbol("kHandle");
  const kFinalized = Symbol("kFinalized");
  let warnedShakeOutputLength = false;
  function Hash(algorithm, options) {
    if (!ObjectPrototypeIsPrototypeOf(Hash.prototype, this)) {
      return new Hash(algorithm, options);
    }
    const isCopy = ObjectPrototypeIsPrototypeOf(Hasher.prototype, algorithm);
    if (!isCopy) {
      validateString(algorithm, "algorithm");
    }
    const xofLen = typeof options === "object" && options !== null ? options.outputLength : void 0;
    if (xofLen !== void 0) {
      validateUint32(xofLen, "options.outputLength");
    }
    const algoLower = isCopy ? void 0 : StringPrototypeToLowerCase(algorithm);
    if (!isCopy && xofLen === void 0 && (algoLower === "shake128" || algoLower === "shake256") && !warnedShakeOutputLength) {
      warnedShakeOutputLength = true;
      const process = lazyProcess().default;
      process.emitWarning(
        "Creating SHAKE128/256 digests without an explicit options.outputLength is deprecated.",
        "DeprecationWarning",
        "DEP0198"
      );
    }
    try {
      this[kHandle] = isCopy ? op_node_hash_clone(algorithm, xofLen) : op_node_create_hash(algoLower, xofLen);
    } catch (err) {
      if (err.message === "Output length mismatch for non-extendable algorithm") {
        throw new NodeError(
          "ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH",
          "Invalid XOF digest length"
        );
      } else {
        throw err;
      }
    }
    if (this[kHandle] === null) throw new ERR_CRYPTO_HASH_FINALIZED();
    const LazyTransform = lazyLazyTransform().default;
    ReflectApply(LazyTransform, this, [options]);
  }
  function _getLazyTransformProto() {
    const LazyTransform = lazyLazyTransform().default;
    return LazyTransform;
  }
  let _protoSetup = false;
  function ensureProtoSetup() {
    if (_protoSetup) return;
    _protoSetup = true;
    const LazyTransform = _getLazyTransformProto();
    ObjectSetPrototypeOf(Hash.prototype, LazyTransform.prototype);
    ObjectSetPrototypeOf(Hash, LazyTransform);
  }
  Hash.prototype.copy = function copy(options) {
    return new Hash(this[kHandle], options);
  };
  Hash.prototype._transform = function _transform(chunk, encoding, callback) {
    this.update(chunk, encoding);
    callback();
  };
  Hash.prototype._flush = function _flush(callback) {
    const digest = op_node_hash_digest(this[kHandle]);
    this.push(digest === null ? Buffer.alloc(0) : Buffer.from(digest));
    callback();
  };
  Hash.prototype.update = function update(data, encoding) {
    encoding = encoding || getDefaultEncoding();
    if (typeof data === "string") {
      validateEncoding(data, encoding);
    } else if (!isArrayBufferView(data)) {
      throw new ERR_INVALID_ARG_TYPE(
        "data",
        ["string", "Buffer", "TypedArray", "DataView"],
        data
      );
    }
    if (typeof data === "string" && (encoding === "utf8" || encoding === "buffer")) {
      unwrapErr(op_node_hash_update_str(this[kHandle], data));
    } else {
      const buf = toBuf(data, encoding);
      const u8 = ObjectPrototypeIsPrototypeOf(Uint8ArrayPrototype, buf) ? buf : new Uint8Array(
        // deno-lint-ignore deno-internal/prefer-primordials -- ArrayBufferView accessor, receiver may be a DataView
        buf.buffer,
        // deno-lint-ignore deno-internal/prefer-primordials -- ArrayBufferView accessor, receiver may be a DataView
        buf.byteOffset,
        // deno-lint-ignore deno-internal/prefer-primordials -- ArrayBufferView accessor, receiver may be a DataView
        buf.byteLength
      );
      unwrapErr(op_node_hash_update(this[kHandle], u8));
    }
    return this;
  };
  Hash.prototype.digest = function digest(outputEncoding) {
    if (this[kFinalized]) {
      throw new ERR_CRYPTO_HASH_FINALIZED();
    }
    outputEncoding = outputEncoding || getDefaultEncoding();
    outputEncoding = `${outputEncoding}`;
    if (outputEncoding === "hex") {
      const result = op_node_hash_digest_hex(this[kHandle]);
      if (result === null) throw new ERR_CRYPTO_HASH_FINALIZED();
      this[kFinalized] = true;
      return result;
    }
    const digest2 = op_node_hash_digest(this[kHandle]);
    if (digest2 === null) throw new ERR_CRYPTO_HASH_FINALIZED();
    this[kFinalized] = true;
    switch (outputEncoding) {
      case "binary":
        return StringFromCharCode(...new SafeArrayIterator(digest2));
      case "base64":
        return encodeToBase64(digest2);
      case "base64url":
        return op_base64url_encode_from_buffer(
          digest2,
          0,
          TypedArrayPrototypeGetByteLength(digest2)
        );
      case void 0:
      case "buffer":
        return Buffer.from(digest2);
      default:
        return Buffer.from(digest2).toString(outputEncoding);
    }
  };
  function Hmac(hmac, key, options) {
    return new HmacImpl(hmac, key, options);
  }
  let Transform;
  function getTransform() {
    if (!Transform) Transform = lazyStream().Transform;
    return Transform;
  }
  class HmacImpl {
    #ipad;
    #opad;
    #ZEROES = Buffer.alloc(128);
    #algorithm;
    #hash;
    #finalized = false;
    constructor(hmac, key, options) {
      ensureHmacProtoSetup();
      const T = getTransform();
      const self = this;
      FunctionPrototypeCall(T, this, {
        transform(chunk, encoding, callback) {
          self.update(Buffer.from(chunk), encoding);
          callback();
        },
        flush(callback) {
          this.push(self.digest());
          callback();
        }
      });
      validateString(hmac, "hmac");
      key = prepareSecretKey(key, options?.encoding);
      let keyData;
      if (isArrayBufferView(key)) {
        keyData = key;
      } else if (isAnyArrayBuffer(key)) {
        keyData = new Uint8Array(key);
      } else {
        keyData = op_node_export_secret_key(key);
      }
      const alg = StringPrototypeToLowerCase(hmac);
      this.#algorithm = alg;
      const blockSize = getHashBlockSize(alg);
      const keySize = keyData.length;
      let bufKey;
      if (keySize > blockSize) {
        const hash = new Hash(alg, options);
        bufKey = hash.update(keyData).digest();
      } else {
        bufKey = Buffer.concat([keyData, this.#ZEROES], blockSize);
      }
      this.#ipad = Buffer.allocUnsafe(blockSize);
      this.#opad = Buffer.allocUnsafe(blockSize);
      for (let i = 0; i < blockSize; i++) {
        this.#ipad[i] = bufKey[i] ^ 54;
        this.#opad[i] = bufKey[i] ^ 92;
      }
      this.#hash = new Hash(alg);
      this.#hash.update(this.#ipad);
    }
    digest(encoding) {
      if (this.#finalized) {
        if (encoding && encoding !== "buffer") {
          return "";
        }
        return Buffer.alloc(0);
      }
      this.#finalized = true;
      const result = this.#hash.digest();
      return new Hash(this.#algorithm).update(this.#opad).update(result).digest(
        encoding
      );
    }
    update(data, inputEncoding) {
      this.#hash.update(data, inputEncoding);
      return this;
    }
  }
  let _hmacProtoSetup = false;
  function ensureHmacProtoSetup() {
    if (_hmacProtoSetup) return;
    _hmacProtoSetup = true;
    const T = getTransform();
    ObjectSetPrototypeOf(HmacImpl.prototype, T.prototype);
    ObjectSetPrototypeOf(HmacImpl, T);
  }
  Hmac.prototype = HmacImpl.prototype;
  function createHash(algorithm, opts) {
    ensureProtoSetup();
    return new Hash(algorithm, opts);
  }
  function getHashes() {
    return op_node_get_hashes();
  }
  return {
    Hash,
    Hmac,
    createHash,
    getHashes,
    default: {
      Hash,
      Hmac,
      createHash
    }
  };
})();
