// ext:deno_node/internal/crypto/cipher.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { core, primordials } = __bootstrap;
  const {
    encode
  } = core;
  const {
    ArrayBufferIsView,
    Boolean,
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
    Error,
    FunctionPrototypeCall,
    MathFloor,
    ObjectPrototypeIsPrototypeOf,
    ObjectSetPrototypeOf,
    SafeRegExp,
    SafeSet,
    SetPrototypeHas,
    StringPrototypeReplace,
    StringPrototypeStartsWith,
    StringPrototypeToLowerCase,
    SymbolSpecies,
    TypeError,
    TypeErrorPrototype,
    TypedArrayPrototypeAt,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset,
    Uint8Array
  } = primordials;
  const {
    op_node_aes_unwrap_key,
    op_node_aes_wrap_key,
    op_node_cipheriv_encrypt,
    op_node_cipheriv_final,
    op_node_cipheriv_set_aad,
    op_node_cipheriv_take,
    op_node_create_cipheriv,
    op_node_create_decipheriv,
    op_node_create_private_key,
    op_node_decipheriv_auth_tag,
    op_node_decipheriv_decrypt,
    op_node_decipheriv_final,
    op_node_decipheriv_set_aad,
    op_node_export_private_key_pem,
    op_node_export_secret_key,
    op_node_private_decrypt,
    op_node_private_encrypt,
    op_node_public_decrypt,
    op_node_public_encrypt,
    op_node_validate_oaep_hash
  } = core.ops;
  const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
  const lazyStream = core.createLazyLoader("node:stream");
  const {
    createPrivateKey,
    createPublicKey,
    getArrayBufferOrView
  } = core.loadExtScript("ext:deno_node/internal/crypto/keys.ts");
  const { isKeyObject } = core.loadExtScript(
    "ext:deno_node/internal/crypto/_keys.ts"
  );
  const { kHandle } = core.loadExtScript(
    "ext:deno_node/internal/crypto/constants.ts"
  );
  const { getDefaultEncoding } = core.loadExtScript(
    "ext:deno_node/internal/crypto/util.ts"
  );
  const {
    ERR_INVALID_ARG_TYPE,
    ERR_INVALID_ARG_VALUE,
    ERR_UNKNOWN_ENCODING,
    NodeError
  } = core.loadExtScript("ext:deno_node/internal/errors.ts");
  const {
    isAnyArrayBuffer,
    isArrayBufferView,
    isTypedArray
  } = core.loadExtScript("ext:deno_node/internal/util/types.ts");
  const { ERR_CRYPTO_INVALID_STATE, ERR_CRYPTO_UNKNOWN_CIPHER } = core.loadExtScript(
    "ext:deno_node/internal/errors.ts"
  );
  const { StringDecoder } = core.loadExtScript(
    "ext:deno_node/string_decoder.ts"
  );
  const { default: assert } = core.loadExtScript("ext:deno_node/assert.ts");
  const { normalizeEncoding } = core.loadExtScript(
    "ext:deno_node/internal/util.mjs"
  );
  let Transform;
  function getTransform() {
    if (!Transform) Transform = lazyStream().Transform;
    return Transform;
  }
  const FastBuffer = Buffer[SymbolSpecies];
  function getArrayBufferViewParts(view) {
    if (isTypedArray(view)) {
      return {
        buffer: TypedArrayPrototypeGetBuffer(view),
        byteOffset: TypedArrayPrototypeGetByteOffset(view),
        byteLength: TypedArrayPrototypeGetByteLength(view)
      };
    }
    return {
      buffer: DataViewPrototypeGetBuffer(view),
      byteOffset: DataViewPrototypeGetByteOffset(view),
      byteLength: DataViewPrototypeGetByteLength(view)
    };
  }
  function getArrayBufferViewByteLength(view) {
    const { byteLength } = getArrayBufferViewParts(view);
    return byteLength;
  }
  function toFastBufferView(view) {
    const { buffer, byteOffset, byteLength } = getArrayBufferViewParts(view);
    return new FastBuffer(buffer, byteOffset, byteLength);
  }
  function opensslError(code, reason) {
    const err = new NodeError(code, reason);
    err.reason = reason;
    return err;
  }
  function isAesWrap(cipher) {
    return cipher === "aes128-wrap" || cipher === "aes192-wrap" || cipher === "aes256-wrap" || cipher === "id-aes128-wrap-pad" || cipher === "id-aes192-wrap-pad" || cipher === "id-aes256-wrap-pad";
  }
  function isStringOrBuffer(val) {
    return typeof val === "string" || isArrayBufferView(val) || isAnyArrayBuffer(val) || Buffer.isBuffer(val);
  }
  function validateCipherUpdateData(data) {
    if (typeof data !== "string" && !ArrayBufferIsView(data)) {
      throw new ERR_INVALID_ARG_TYPE(
        "data",
        ["string", "Buffer", "TypedArray", "DataView"],
        data
      );
    }
  }
  const NO_TAG = new Uint8Array();
  function toU8(input) {
    if (input == null) {
      return new Uint8Array(0);
    }
    if (isKeyObject(input)) {
      return op_node_export_secret_key(input[kHandle]);
    }
    return typeof input === "string" ? encode(input) : input;
  }
  function Cipheriv(cipher, key, iv, options) {
    if (!ObjectPrototypeIsPrototypeOf(Cipheriv.prototype, this)) {
      return new Cipheriv(cipher, key, iv, options);
    }
    const authTagLength = getUIntOption(options, "authTagLength");
    FunctionPrototypeCall(getTransform(), this, {
      transform(chunk, encoding, cb) {
        this.push(this.update(chunk, encoding));
        cb();
      },
      final(cb) {
        this.push(this.final());
        cb();
      },
      ...options
    });
    this._blockSize = getBlockSize(cipher);
    this._cache = new BlockModeCache(false, this._blockSize);
    this._isAesWrap = isAesWrap(cipher);
    if (this._isAesWrap) {
      this._aesWrapAlgorithm = cipher;
      this._aesWrapKey = toU8(key);
      this._aesWrapIv = toU8(iv);
      this._context = 1;
    } else {
      try {
        this._context = op_node_create_cipheriv(
          cipher,
          toU8(key),
          toU8(iv),
          authTagLength
        );
      } catch (e) {
        if (ObjectPrototypeIsPrototypeOf(TypeErrorPrototype, e) && StringPrototypeStartsWith(e.message, "Unknown cipher")) {
          throw new ERR_CRYPTO_UNKNOWN_CIPHER();
        }
        throw e;
      }
      if (this._context == 0) {
        throw new ERR_CRYPTO_UNKNOWN_CIPHER();
      }
    }
    this._needsBlockCache = !this._isAesWrap && !(cipher == "aes-128-gcm" || cipher == "aes-256-gcm" || cipher == "aes-128-ctr" || cipher == "aes-192-ctr" || cipher == "aes-256-ctr" || cipher == "chacha20" || cipher == "chacha20-poly1305");
    this._authTag = void 0;
    this._autoPadding = true;
    this._finalized = false;
    this._decoder = void 0;
  }
  ObjectSetPrototypeOf(Cipheriv.prototype, getTransform().prototype);
  ObjectSetPrototypeOf(Cipheriv, getTransform());
  Cipheriv.prototype.final = function(encoding = getDefaultEncoding()) {
    if (this._finalized) {
      throw new ERR_CRYPTO_INVALID_STATE("final");
    }
    _lazyInitCipherDecoder(this, encoding);
    if (this._isAesWrap) {
      this._finalized = true;
      return encoding === "buffer" ? Buffer.from([]) : this._decoder.end();
    }
    const bs = this._blockSize;
    const buf = new FastBuffer(bs);
    const hasNoBufferedData = TypedArrayPrototypeGetByteLength(this._cache.cache) === 0;
    const shouldPadEmptyBlock = this._needsBlockCache && this._autoPadding;
    if (hasNoBufferedData && !shouldPadEmptyBlock) {
      const maybeTag2 = op_node_cipheriv_take(this._context);
      if (maybeTag2) this._authTag = Buffer.from(maybeTag2);
      this._finalized = true;
      return encoding === "buffer" ? Buffer.from([]) : this._decoder.end();
    }
    if (!this._autoPadding && TypedArrayPrototypeGetByteLength(this._cache.cache) != bs) {
      throw opensslError(
        "ERR_OSSL_EVP_WRONG_FINAL_BLOCK_LENGTH",
        "wrong final block length"
      );
    }
    const maybeTag = op_node_cipheriv_final(
      this._context,
      this._autoPadding,
      this._cache.cache,
      buf
    );
    if (maybeTag) {
      this._authTag = Buffer.from(maybeTag);
      this._finalized = true;
      return encoding === "buffer" ? Buffer.from([]) : this._decoder.end();
    }
    this._finalized = true;
    if (encoding !== "buffer") {
      return this._decoder.end(buf);
    }
    return buf;
  };
  Cipheriv.prototype.getAuthTag = function() {
    if (!this._authTag) {
      throw new ERR_CRYPTO_INVALID_STATE("getAuthTag");
    }
    return this._authTag;
  };
  Cipheriv.prototype.setAAD = function(buffer, _options) {
    if (this._finalized) {
      throw new ERR_CRYPTO_INVALID_STATE("setAAD");
    }
    op_node_cipheriv_set_aad(this._context, buffer);
    return this;
  };
  Cipheriv.prototype.setAutoPadding = function(autoPadding) {
    this._autoPadding = !!autoPadding;
    return this;
  };
  Cipheriv.prototype.update = function(data, inputEncoding, outputEncoding = getDefaultEncoding()) {
    if (this._finalized) {
      throw new ERR_CRYPTO_INVALID_STATE("update");
    }
    validateCipherUpdateData(data);
    let buf = data;
    if (typeof data === "string") {
      buf = Buffer.from(data, inputEncoding);
    } else {
      buf = toFastBufferView(data);
    }
    const inputByteLength = getArrayBufferViewByteLength(buf);
    if (inputByteLength >= 2 ** 31 - 1) {
      throw new Error("Trying to add data in unsupported state");
    }
    _lazyInitCipherDecoder(this, outputEncoding);
    if (this._isAesWrap) {
      const output2 = Buffer.from(
        op_node_aes_wrap_key(
          this._aesWrapAlgorithm,
          this._aesWrapKey,
          this._aesWrapIv,
          buf
        )
      );
      if (outputEncoding !== "buffer") {
        return this._decoder.write(output2);
      }
      return output2;
    }
    let output;
    if (!this._needsBlockCache) {
      output = new FastBuffer(inputByteLength);
      if (!op_node_cipheriv_encrypt(this._context, buf, output)) {
        throw new Error("Trying to add data in unsupported state");
      }
      if (outputEncoding !== "buffer") {
        return this._decoder.write(output);
      }
      return output;
    }
    this._cache.add(buf);
    const input = this._cache.get();
    if (input === null) {
      output = Buffer.alloc(0);
    } else {
      output = new FastBuffer(input.length);
      if (!op_node_cipheriv_encrypt(this._context, input, output)) {
        throw new Error("Trying to add data in unsupported state");
      }
    }
    if (outputEncoding !== "buffer") {
      return this._decoder.write(output);
    }
    return output;
  };
  function _lazyInitCipherDecoder(self, encoding) {
    if (encoding === "buffer") {
      return;
    }
    const normalizedEncoding = normalizeEncoding(encoding);
    self._decoder ||= new StringDecoder(normalizedEncoding);
    if (self._decoder.encoding !== normalizedEncoding) {
      if (normalizedEncoding === void 0) {
        throw new ERR_UNKNOWN_ENCODING(encoding);
      }
      assert(false, "Cannot change encoding");
    }
  }
  class BlockModeCache {
    cache;
    blockSize;
    // The last chunk can be padded when decrypting.
    #lastChunkIsNonZero;
    constructor(lastChunkIsNotZero = false, blockSize = 16) {
      this.cache = new Uint8Array(0);
      this.blockSize = blockSize;
      this.#lastChunkIsNonZero = lastChunkIsNotZero;
    }
    add(data) {
      const { buffer, byteOffset, byteLength } = getArrayBufferViewParts(data);
      const cache = this.cache;
      this.cache = new Uint8Array(cache.length + byteLength);
      this.cache.set(cache);
      this.cache.set(
        new Uint8Array(buffer, byteOffset, byteLength),
        cache.length
      );
    }
    /** Gets the chunk of the length of largest multiple of blockSize.
     * Used for preparing data for encryption/decryption */
    get() {
      const bs = this.blockSize;
      let len = this.cache.length;
      if (this.#lastChunkIsNonZero) {
        len -= 1;
      }
      if (len < bs) {
        return null;
      }
      len = MathFloor(len / bs) * bs;
      const out = this.cache.subarray(0, len);
      this.cache = this.cache.subarray(len);
      return out;
    }
    set lastChunkIsNonZero(value) {
      this.#lastChunkIsNonZero = value;
    }
  }
  function getBlockSize(cipher) {
    if (StringPrototypeStartsWith(cipher, "des")) {
      return 8;
    }
    return 16;
  }
  function getUIntOption(options, key) {
    let value;
    if (options && (value = options[key]) != null) {
      if (value >>> 0 !== value) {
        throw new ERR_INVALID_ARG_VALUE(`options.${key}`, value);
      }
      return value;
    }
    return -1;
  }
  function Decipheriv(cipher, key, iv, options) {
    if (!ObjectPrototypeIsPrototypeOf(Decipheriv.prototype, this)) {
      return new Decipheriv(cipher, key, iv, options);
    }
    const authTagLength = getUIntOption(options, "authTagLength");
    FunctionPrototypeCall(getTransform(), this, {
      transform(chunk, encoding, cb) {
        this.push(this.update(chunk, encoding));
        cb();
      },
      final(cb) {
        this.push(this.final());
        cb();
      },
      ...options
    });
    this._autoPadding = true;
    this._blockSize = getBlockSize(cipher);
    this._cache = new BlockModeCache(this._autoPadding, this._blockSize);
    this._isAesWrap = isAesWrap(cipher);
    if (this._isAesWrap) {
      this._aesWrapAlgorithm = cipher;
      this._aesWrapKey = toU8(key);
      this._aesWrapIv = toU8(iv);
      this._context = 1;
    } else {
      try {
        this._context = op_node_create_decipheriv(
          cipher,
          toU8(key),
          toU8(iv),
          authTagLength
        );
      } catch (e) {
        if (ObjectPrototypeIsPrototypeOf(TypeErrorPrototype, e) && StringPrototypeStartsWith(e.message, "Unknown cipher")) {
          throw new ERR_CRYPTO_UNKNOWN_CIPHER();
        }
        throw e;
      }
      if (this._context == 0) {
        throw new ERR_CRYPTO_UNKNOWN_CIPHER();
      }
    }
    this._needsBlockCache = !this._isAesWrap && !(cipher == "aes-128-gcm" || cipher == "aes-256-gcm" || cipher == "aes-128-ctr" || cipher == "aes-192-ctr" || cipher == "aes-256-ctr" || cipher == "chacha20" || cipher == "chacha20-poly1305");
    this._isGcmMode = cipher == "aes-128-gcm" || cipher == "aes-192-gcm" || cipher == "aes-256-gcm";
    this._authTagLength = authTagLength;
    this._authTag = void 0;
    this._finalized = false;
    this._decoder = void 0;
  }
  ObjectSetPrototypeOf(Decipheriv.prototype, getTransform().prototype);
  ObjectSetPrototypeOf(Decipheriv, getTransform());
  Decipheriv.prototype.final = function(encoding = getDefaultEncoding()) {
    if (this._finalized) {
      throw new ERR_CRYPTO_INVALID_STATE("final");
    }
    _lazyInitDecipherDecoder(this, encoding);
    if (this._isAesWrap) {
      this._finalized = true;
      return encoding === "buffer" ? Buffer.from([]) : this._decoder.end();
    }
    const bs = this._blockSize;
    let buf = new FastBuffer(bs);
    op_node_decipheriv_final(
      this._context,
      this._autoPadding,
      this._cache.cache,
      buf,
      this._authTag || NO_TAG
    );
    if (!this._needsBlockCache || TypedArrayPrototypeGetByteLength(this._cache.cache) === 0) {
      this._finalized = true;
      return encoding === "buffer" ? Buffer.from([]) : this._decoder.end();
    }
    if (TypedArrayPrototypeGetByteLength(this._cache.cache) != bs) {
      throw opensslError(
        "ERR_OSSL_EVP_WRONG_FINAL_BLOCK_LENGTH",
        "wrong final block length"
      );
    }
    if (this._autoPadding) {
      const padLen = TypedArrayPrototypeAt(buf, -1);
      if (padLen === 0 || padLen > bs) {
        throw opensslError(
          "ERR_OSSL_EVP_BAD_DECRYPT",
          "bad decrypt"
        );
      }
      buf = buf.subarray(0, bs - padLen);
    }
    this._finalized = true;
    if (encoding !== "buffer") {
      return this._decoder.end(buf);
    }
    return buf;
  };
  Decipheriv.prototype.setAAD = function(buffer, _options) {
    if (this._finalized) {
      throw new ERR_CRYPTO_INVALID_STATE("setAAD");
    }
    op_node_decipheriv_set_aad(this._context, buffer);
    return this;
  };
  Decipheriv.prototype.setAuthTag = function(buffer, _encoding) {
    if (this._authTag) {
      throw new ERR_CRYPTO_INVALID_STATE("setAuthTag");
    }
    const tagByteLength = buffer.byteLength;
    if (this._isGcmMode && this._authTagLength === -1 && tagByteLength !== 16) {
      throw new TypeError(
        `Invalid authentication tag length: ${tagByteLength}`
      );
    }
    op_node_decipheriv_auth_tag(this._context, buffer.byteLength);
    this._authTag = buffer;
    return this;
  };
  Decipheriv.prototype.setAutoPadding = function(autoPadding) {
    this._autoPadding = Boolean(autoPadding);
    this._cache.lastChunkIsNonZero = this._autoPadding;
    return this;
  };
  Decipheriv.prototype.update = function(data, inputEncoding, outputEncoding = getDefaultEncoding()) {
    if (this._finalized) {
      throw new ERR_CRYPTO_INVALID_STATE("update");
    }
    validateCipherUpdateData(data);
    let buf = data;
    if (typeof data === "string") {
      buf = Buffer.from(data, inputEncoding);
    } else {
      buf = toFastBufferView(data);
    }
    const inputByteLength = getArrayBufferViewByteLength(buf);
    if (inputByteLength >= 2 ** 31 - 1) {
      throw new Error("Trying to add data in unsupported state");
    }
    _lazyInitDecipherDecoder(this, outputEncoding);
    if (this._isAesWrap) {
      const output2 = Buffer.from(
        op_node_aes_unwrap_key(
          this._aesWrapAlgorithm,
          this._aesWrapKey,
          this._aesWrapIv,
          buf
        )
      );
      if (outputEncoding !== "buffer") {
        return this._decoder.write(output2);
      }
      return output2;
    }
    let output;
    if (!this._needsBlockCache) {
      output = new FastBuffer(inputByteLength);
      if (!op_node_decipheriv_decrypt(this._context, buf, output)) {
        throw new Error("Trying to add data in unsupported state");
      }
      if (outputEncoding !== "buffer") {
        return this._decoder.write(output);
      }
      return output;
    }
    this._cache.add(buf);
    const input = this._cache.get();
    if (input === null) {
      output = Buffer.alloc(0);
    } else {
      output = new FastBuffer(input.length);
      if (!op_node_decipheriv_decrypt(this._context, input, output)) {
        throw new Error("Trying to add data in unsupported state");
      }
    }
    if (outputEncoding !== "buffer") {
      return this._decoder.write(output);
    }
    return output;
  };
  function _lazyInitDecipherDecoder(self, encoding) {
    if (encoding === "buffer") {
      return;
    }
    const normalizedEncoding = normalizeEncoding(encoding);
    self._decoder ||= new StringDecoder(normalizedEncoding);
    if (self._decoder.encoding !== normalizedEncoding) {
      if (normalizedEncoding === void 0) {
        throw new ERR_UNKNOWN_ENCODING(encoding);
      }
      assert(false, "Cannot change encoding");
    }
  }
  const ENCRYPT_UNSUPPORTED_KEY_TYPES = new SafeSet([
    "rsa-pss",
    "dsa",
    "ec",
    "ed25519",
    "ed448",
    "x25519",
    "x448"
  ]);
  function checkUnsupportedKeyType(key) {
    const keyType = isKeyObject(key) ? key.asymmetricKeyType : key?.key?.asymmetricKeyType;
    if (keyType && SetPrototypeHas(ENCRYPT_UNSUPPORTED_KEY_TYPES, keyType)) {
      throw new Error("operation not supported for this keytype");
    }
  }
  const WEBCRYPTO_SHA_HYPHEN_RE = new SafeRegExp("^(sha)-(?!3-)");
  function normalizeOaepHash(hash) {
    if (hash === void 0) return void 0;
    if (typeof hash !== "string") {
      throw new ERR_INVALID_ARG_TYPE("oaepHash", "string", hash);
    }
    if (!hash) return void 0;
    const normalized = StringPrototypeReplace(
      StringPrototypeToLowerCase(hash),
      WEBCRYPTO_SHA_HYPHEN_RE,
      "$1"
    );
    op_node_validate_oaep_hash(normalized);
    return normalized;
  }
  function bufferEncodingFrom(keyOptions) {
    return keyOptions?.encoding;
  }
  function validateOaepLabel(label) {
    if (label === void 0) return void 0;
    if (!isArrayBufferView(label) && !isAnyArrayBuffer(label)) {
      throw new ERR_INVALID_ARG_TYPE(
        "oaepLabel",
        ["Buffer", "TypedArray", "DataView"],
        label
      );
    }
    return label;
  }
  function privateEncrypt(privateKey, buffer) {
    checkUnsupportedKeyType(privateKey);
    const { data } = prepareKey(privateKey);
    const padding = privateKey.padding || 1;
    const oaepHash = normalizeOaepHash(privateKey.oaepHash);
    const oaepLabel = validateOaepLabel(privateKey.oaepLabel);
    buffer = getArrayBufferOrView(
      buffer,
      "buffer",
      bufferEncodingFrom(privateKey)
    );
    return Buffer.from(
      op_node_private_encrypt(data, buffer, padding, oaepHash, oaepLabel)
    );
  }
  function privateDecrypt(privateKey, buffer) {
    checkUnsupportedKeyType(privateKey);
    const { data } = prepareKey(privateKey);
    const padding = privateKey.padding || 4;
    const oaepHash = normalizeOaepHash(privateKey.oaepHash);
    const oaepLabel = validateOaepLabel(privateKey.oaepLabel);
    buffer = getArrayBufferOrView(
      buffer,
      "buffer",
      bufferEncodingFrom(privateKey)
    );
    return Buffer.from(
      op_node_private_decrypt(data, buffer, padding, oaepHash, oaepLabel)
    );
  }
  function publicEncrypt(publicKey, buffer) {
    checkUnsupportedKeyType(publicKey);
    const { data } = prepareKey(publicKey);
    const padding = publicKey.padding || 4;
    const oaepHash = normalizeOaepHash(publicKey.oaepHash);
    const oaepLabel = validateOaepLabel(publicKey.oaepLabel);
    buffer = getArrayBufferOrView(
      buffer,
      "buffer",
      bufferEncodingFrom(publicKey)
    );
    return Buffer.from(
      op_node_public_encrypt(data, buffer, padding, oaepHash, oaepLabel)
    );
  }
  function prepareKey(key) {
    if (isStringOrBuffer(key)) {
      return { data: getArrayBufferOrView(key, "key") };
    } else if (isKeyObject(key) && key.type === "public") {
      const data = key.export({ type: "spki", format: "pem" });
      return { data: getArrayBufferOrView(data, "key") };
    } else if (isKeyObject(key) && key.type === "private") {
      const data = key.export({ type: "pkcs8", format: "pem" });
      return { data: getArrayBufferOrView(data, "key") };
    } else if (typeof key == "object") {
      const { key: data, encoding, passphrase, format, type } = key;
      if (isKeyObject(data)) {
        return prepareKey(data);
      }
      if (format === "jwk") {
        const isPrivate = typeof data === "object" && data !== null && typeof data.d === "string";
        const keyObject = isPrivate ? createPrivateKey({ key: data, format: "jwk" }) : createPublicKey({ key: data, format: "jwk" });
        return prepareKey(keyObject);
      }
      if (!isStringOrBuffer(data)) {
        throw new TypeError("Invalid key type");
      }
      if (passphrase != null) {
        const keyFormat = format ?? (typeof data === "string" ? "pem" : "der");
        const keyData = getArrayBufferOrView(data, "key", encoding);
        const passphraseData = getArrayBufferOrView(passphrase, "passphrase");
        const handle = op_node_create_private_key(
          keyData,
          keyFormat,
          type ?? "",
          passphraseData
        );
        const pem = op_node_export_private_key_pem(
          handle,
          "pkcs8",
          null,
          null
        );
        return { data: getArrayBufferOrView(pem, "key") };
      }
      return { data: getArrayBufferOrView(data, "key", encoding) };
    }
    throw new TypeError("Invalid key type");
  }
  function publicDecrypt(publicKey, buffer) {
    checkUnsupportedKeyType(publicKey);
    const { data } = prepareKey(publicKey);
    const padding = publicKey.padding || 1;
    buffer = getArrayBufferOrView(
      buffer,
      "buffer",
      bufferEncodingFrom(publicKey)
    );
    return Buffer.from(op_node_public_decrypt(data, buffer, padding));
  }
  return {
    isStringOrBuffer,
    Cipheriv,
    Decipheriv,
    privateEncrypt,
    privateDecrypt,
    publicEncrypt,
    publicDecrypt,
    prepareKey,
    default: {
      privateDecrypt,
      privateEncrypt,
      publicDecrypt,
      publicEncrypt,
      Cipheriv,
      Decipheriv,
      prepareKey
    }
  };
})();
