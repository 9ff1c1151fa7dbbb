// ext:deno_node/internal/crypto/keys.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeIncludes,
    ArrayPrototypeSlice,
    ArrayPrototypeSome,
    DataViewPrototype,
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
    ObjectDefineProperties,
    ObjectHasOwn,
    ObjectPrototypeIsPrototypeOf,
    StringPrototypeStartsWith,
    SymbolToStringTag,
    TypedArrayPrototypeGetBuffer,
    TypeError,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset,
    Uint8Array
  } = primordials;
  const {
    op_node_create_ec_jwk,
    op_node_create_ed_raw,
    op_node_create_private_key,
    op_node_create_public_key,
    op_node_create_rsa_jwk,
    op_node_create_secret_key,
    op_node_derive_public_key_from_private_key,
    op_node_export_private_key_der,
    op_node_export_private_key_jwk,
    op_node_export_private_key_pem,
    op_node_export_public_key_der,
    op_node_export_public_key_jwk,
    op_node_export_public_key_pem,
    op_node_export_secret_key,
    op_node_export_secret_key_b64url,
    op_node_get_asymmetric_key_details,
    op_node_get_asymmetric_key_type,
    op_node_get_symmetric_key_size,
    op_node_key_equals,
    op_node_key_type
  } = core.ops;
  const {
    cryptoKeyExportNodeKeyMaterial,
    importCryptoKeySync
  } = core.loadExtScript("ext:deno_crypto/00_crypto.js");
  const { kHandle } = core.loadExtScript(
    "ext:deno_node/internal/crypto/constants.ts"
  );
  const lazyCipher = () => core.loadExtScript("ext:deno_node/internal/crypto/cipher.ts");
  const {
    ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS,
    ERR_CRYPTO_INVALID_JWK,
    ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE,
    ERR_INVALID_ARG_TYPE,
    ERR_INVALID_ARG_VALUE
  } = core.loadExtScript("ext:deno_node/internal/errors.ts");
  const { notImplemented } = core.loadExtScript("ext:deno_node/_utils.ts");
  const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
  const {
    isAnyArrayBuffer,
    isArrayBufferView
  } = core.loadExtScript("ext:deno_node/internal/util/types.ts");
  const { hideStackFrames } = core.loadExtScript(
    "ext:deno_node/internal/errors.ts"
  );
  const {
    isCryptoKey,
    isKeyObject,
    kKeyType
  } = core.loadExtScript("ext:deno_node/internal/crypto/_keys.ts");
  const {
    validateObject,
    validateOneOf,
    validateString
  } = core.loadExtScript("ext:deno_node/internal/validators.mjs");
  const getArrayBufferOrView = hideStackFrames(
    (buffer, name, encoding) => {
      if (isAnyArrayBuffer(buffer)) {
        return new Uint8Array(buffer);
      }
      if (typeof buffer === "string") {
        if (encoding === "buffer") {
          encoding = "utf8";
        }
        return Buffer.from(buffer, encoding);
      }
      if (ObjectPrototypeIsPrototypeOf(DataViewPrototype, buffer)) {
        return new Uint8Array(
          DataViewPrototypeGetBuffer(buffer),
          DataViewPrototypeGetByteOffset(buffer),
          DataViewPrototypeGetByteLength(buffer)
        );
      }
      if (!isArrayBufferView(buffer)) {
        throw new ERR_INVALID_ARG_TYPE(
          name,
          [
            "string",
            "ArrayBuffer",
            "Buffer",
            "TypedArray",
            "DataView"
          ],
          buffer
        );
      }
      return buffer;
    }
  );
  const kConsumePublic = 0;
  const kConsumePrivate = 1;
  const kCreatePublic = 2;
  const kCreatePrivate = 3;
  class KeyObject {
    [kKeyType];
    [kHandle];
    constructor(type, handle) {
      if (type !== "secret" && type !== "public" && type !== "private") {
        throw new ERR_INVALID_ARG_VALUE("type", type);
      }
      if (typeof handle !== "object") {
        throw new ERR_INVALID_ARG_TYPE("handle", "object", handle);
      }
      this[kKeyType] = type;
      this[kHandle] = handle;
    }
    get type() {
      return this[kKeyType];
    }
    static from(key) {
      if (!isCryptoKey(key)) {
        throw new ERR_INVALID_ARG_TYPE("key", "CryptoKey", key);
      }
      const { type, data } = cryptoKeyExportNodeKeyMaterial(key);
      if (type === "secret") {
        const handle = op_node_create_secret_key(data);
        return new SecretKeyObject(handle);
      } else if (type === "public") {
        const handle = op_node_create_public_key(data, "der", "spki");
        return new PublicKeyObject(handle);
      } else {
        const handle = op_node_create_private_key(
          data,
          "der",
          "pkcs8",
          void 0
        );
        return new PrivateKeyObject(handle);
      }
    }
    equals(otherKeyObject) {
      if (!isKeyObject(otherKeyObject)) {
        throw new ERR_INVALID_ARG_TYPE(
          "otherKeyObject",
          "KeyObject",
          otherKeyObject
        );
      }
      return op_node_key_equals(this[kHandle], otherKeyObject[kHandle]);
    }
    export(_options) {
      notImplemented("crypto.KeyObject.prototype.export");
    }
  }
  ObjectDefineProperties(KeyObject.prototype, {
    [SymbolToStringTag]: {
      // @ts-expect-error __proto__ is magic
      __proto__: null,
      configurable: true,
      value: "KeyObject"
    }
  });
  function getKeyObjectHandle(key, ctx) {
    if (ctx === kCreatePrivate) {
      throw new ERR_INVALID_ARG_TYPE(
        "key",
        ["string", "ArrayBuffer", "Buffer", "TypedArray", "DataView"],
        key
      );
    }
    if (key.type !== "private") {
      if (ctx === kConsumePrivate || ctx === kCreatePublic) {
        throw new ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE(key.type, "private");
      }
      if (key.type !== "public") {
        throw new ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE(
          key.type,
          "private or public"
        );
      }
    }
    return key[kHandle];
  }
  function getKeyObjectHandleFromJwk(key, ctx) {
    validateObject(key, "key");
    validateOneOf(
      key.kty,
      "key.kty",
      ["RSA", "EC", "OKP"]
    );
    const isPublic = ctx === kConsumePublic || ctx === kCreatePublic;
    if (key.kty === "OKP") {
      validateString(key.crv, "key.crv");
      validateOneOf(
        key.crv,
        "key.crv",
        ["Ed25519", "Ed448", "X25519", "X448"]
      );
      validateString(key.x, "key.x");
      if (!isPublic) {
        validateString(key.d, "key.d");
      }
      let keyData;
      if (isPublic) {
        keyData = Buffer.from(key.x, "base64");
      } else {
        keyData = Buffer.from(key.d, "base64");
      }
      switch (key.crv) {
        case "Ed25519":
        case "X25519":
          if (TypedArrayPrototypeGetByteLength(keyData) !== 32) {
            throw new ERR_CRYPTO_INVALID_JWK();
          }
          break;
        case "Ed448":
          if (TypedArrayPrototypeGetByteLength(keyData) !== 57) {
            throw new ERR_CRYPTO_INVALID_JWK();
          }
          break;
        case "X448":
          if (TypedArrayPrototypeGetByteLength(keyData) !== 56) {
            throw new ERR_CRYPTO_INVALID_JWK();
          }
          break;
      }
      return op_node_create_ed_raw(key.crv, keyData, isPublic);
    }
    if (key.kty === "EC") {
      validateString(key.crv, "key.crv");
      validateString(key.x, "key.x");
      validateString(key.y, "key.y");
      if (!isPublic) {
        validateString(key.d, "key.d");
      }
      return op_node_create_ec_jwk(key, isPublic);
    }
    validateString(key.n, "key.n");
    validateString(key.e, "key.e");
    const jwk = {
      kty: key.kty,
      n: key.n,
      e: key.e
    };
    if (!isPublic) {
      validateString(key.d, "key.d");
      validateString(key.p, "key.p");
      validateString(key.q, "key.q");
      validateString(key.dp, "key.dp");
      validateString(key.dq, "key.dq");
      validateString(key.qi, "key.qi");
      jwk.d = key.d;
      jwk.p = key.p;
      jwk.q = key.q;
      jwk.dp = key.dp;
      jwk.dq = key.dq;
      jwk.qi = key.qi;
    }
    return op_node_create_rsa_jwk(jwk, isPublic);
  }
  function isStringOrBuffer(val) {
    return typeof val === "string" || isArrayBufferView(val) || isAnyArrayBuffer(val) || Buffer.isBuffer(val);
  }
  function prepareAsymmetricKey(key, ctx) {
    if (isKeyObject(key)) {
      return {
        // @ts-ignore __proto__ is magic
        __proto__: null,
        handle: getKeyObjectHandle(key, ctx)
      };
    } else if (isCryptoKey(key)) {
      return {
        // @ts-ignore __proto__ is magic
        __proto__: null,
        handle: KeyObject.from(key)[kHandle]
      };
    } else if (lazyCipher().isStringOrBuffer(key)) {
      return {
        // @ts-ignore __proto__ is magic
        __proto__: null,
        format: "pem",
        data: getArrayBufferOrView(key, "key")
      };
    } else if (typeof key === "object") {
      const { key: data, format } = key;
      if (isKeyObject(data)) {
        return {
          // @ts-ignore __proto__ is magic
          __proto__: null,
          handle: getKeyObjectHandle(data, ctx)
        };
      } else if (isCryptoKey(data)) {
        return {
          // @ts-ignore __proto__ is magic
          __proto__: null,
          handle: KeyObject.from(data)[kHandle]
        };
      } else if (format === "jwk") {
        if (typeof data !== "object" || data === null) {
          throw new ERR_INVALID_ARG_TYPE("key.key", "object", data);
        }
        return {
          // @ts-ignore __proto__ is magic
          __proto__: null,
          handle: getKeyObjectHandleFromJwk(data, ctx),
          format
        };
      }
      if (!lazyCipher().isStringOrBuffer(data)) {
        throw new ERR_INVALID_ARG_TYPE(
          "key.key",
          getKeyTypes(ctx !== kCreatePrivate),
          data
        );
      }
      const isPublic = ctx === kConsumePrivate || ctx === kCreatePrivate ? false : void 0;
      return {
        data: getArrayBufferOrView(
          data,
          "key",
          key.encoding
        ),
        ...parseKeyEncoding(key, void 0, isPublic)
      };
    }
    throw new ERR_INVALID_ARG_TYPE(
      "key",
      getKeyTypes(ctx !== kCreatePrivate),
      key
    );
  }
  function parseKeyEncoding(enc, keyType, isPublic, objName) {
    if (enc === null || typeof enc !== "object") {
      throw new ERR_INVALID_ARG_TYPE("options", "object", enc);
    }
    const isInput = keyType === void 0;
    const {
      format,
      type
    } = parseKeyFormatAndType(enc, keyType, isPublic, objName);
    let cipher, passphrase, encoding;
    if (isPublic !== true) {
      ({ cipher, passphrase, encoding } = enc);
      if (!isInput) {
        if (cipher != null) {
          if (typeof cipher !== "string") {
            throw new ERR_INVALID_ARG_VALUE(option("cipher", objName), cipher);
          }
          if (format === "der" && (type === "pkcs1" || type === "sec1")) {
            throw new ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS(
              type,
              "does not support encryption"
            );
          }
        } else if (passphrase !== void 0) {
          throw new ERR_INVALID_ARG_VALUE(option("cipher", objName), cipher);
        }
      }
      if (isInput && passphrase !== void 0 && !isStringOrBuffer(passphrase) || !isInput && cipher != null && !isStringOrBuffer(passphrase)) {
        throw new ERR_INVALID_ARG_VALUE(
          option("passphrase", objName),
          passphrase
        );
      }
    }
    if (passphrase !== void 0) {
      const view = getArrayBufferOrView(
        passphrase,
        "key.passphrase",
        encoding
      );
      passphrase = new Uint8Array(
        TypedArrayPrototypeGetBuffer(view),
        TypedArrayPrototypeGetByteOffset(view),
        TypedArrayPrototypeGetByteLength(view)
      );
    }
    return {
      // @ts-ignore __proto__ is magic
      __proto__: null,
      format,
      type,
      cipher,
      passphrase
    };
  }
  function option(name, objName) {
    return objName === void 0 ? `options.${name}` : `options.${objName}.${name}`;
  }
  function parseKeyFormatAndType(enc, keyType, isPublic, objName) {
    const { format: formatStr, type: typeStr } = enc;
    const isInput = keyType === void 0;
    const format = parseKeyFormat(
      formatStr,
      isInput ? "pem" : void 0,
      option("format", objName)
    );
    const type = parseKeyType(
      typeStr,
      !isInput || format === "der",
      keyType,
      isPublic,
      option("type", objName)
    );
    return {
      // @ts-ignore __proto__ is magic
      __proto__: null,
      format,
      type
    };
  }
  function parseKeyFormat(formatStr, defaultFormat, optionName) {
    if (formatStr === void 0 && defaultFormat !== void 0) {
      return defaultFormat;
    } else if (formatStr === "pem") {
      return "pem";
    } else if (formatStr === "der") {
      return "der";
    }
    throw new ERR_INVALID_ARG_VALUE(optionName, formatStr);
  }
  function parseKeyType(typeStr, required, keyType, isPublic, optionName) {
    if (typeStr === void 0 && !required) {
      return void 0;
    } else if (typeStr === "pkcs1") {
      if (keyType !== void 0 && keyType !== "rsa") {
        throw new ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS(
          typeStr,
          "can only be used for RSA keys"
        );
      }
      return "pkcs1";
    } else if (typeStr === "spki" && isPublic !== false) {
      return "spki";
    } else if (typeStr === "pkcs8" && isPublic !== true) {
      return "pkcs8";
    } else if (typeStr === "sec1" && isPublic !== true) {
      if (keyType !== void 0 && keyType !== "ec") {
        throw new ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS(
          typeStr,
          "can only be used for EC keys"
        );
      }
      return "sec1";
    }
    throw new ERR_INVALID_ARG_VALUE(optionName, typeStr);
  }
  function parsePublicKeyEncoding(enc, keyType, objName) {
    return parseKeyEncoding(enc, keyType, keyType ? true : void 0, objName);
  }
  function parsePrivateKeyEncoding(enc, keyType, objName) {
    return parseKeyEncoding(enc, keyType, false, objName);
  }
  function decorateOsslDecoderError(err) {
    const e = err;
    if (e && typeof e.message === "string" && StringPrototypeStartsWith(
      e.message,
      "error:1E08010C:DECODER routines::unsupported"
    )) {
      if (e.library === void 0) e.library = "DECODER routines";
    }
    return err;
  }
  function createPrivateKey(key) {
    const res = prepareAsymmetricKey(key, kCreatePrivate);
    if (ObjectHasOwn(res, "handle")) {
      const type = op_node_key_type(res.handle);
      if (type === "private") {
        return new PrivateKeyObject(res.handle);
      } else {
        throw new TypeError(`Can not create private key from ${type} key`);
      }
    } else {
      let handle;
      try {
        handle = op_node_create_private_key(
          res.data,
          res.format,
          res.type ?? "",
          res.passphrase
        );
      } catch (err) {
        throw decorateOsslDecoderError(err);
      }
      return new PrivateKeyObject(handle);
    }
  }
  function createPublicKey(key) {
    const res = prepareAsymmetricKey(
      key,
      kCreatePublic
    );
    if (ObjectHasOwn(res, "handle")) {
      const type = op_node_key_type(res.handle);
      if (type === "private") {
        const handle = op_node_derive_public_key_from_private_key(res.handle);
        return new PublicKeyObject(handle);
      } else if (type === "public") {
        return new PublicKeyObject(res.handle);
      } else {
        throw new TypeError(`Can not create private key from ${type} key`);
      }
    } else {
      let handle;
      try {
        handle = op_node_create_public_key(
          res.data,
          res.format,
          res.type ?? "",
          res.passphrase
        );
      } catch (err) {
        throw decorateOsslDecoderError(err);
      }
      return new PublicKeyObject(handle);
    }
  }
  function getKeyTypes(allowKeyObject, bufferOnly = false) {
    const types = [
      "ArrayBuffer",
      "Buffer",
      "TypedArray",
      "DataView",
      "string",
      "KeyObject",
      "CryptoKey"
    ];
    if (bufferOnly) {
      return ArrayPrototypeSlice(types, 0, 4);
    } else if (!allowKeyObject) {
      return ArrayPrototypeSlice(types, 0, 5);
    }
    return types;
  }
  function prepareSecretKey(key, encoding, bufferOnly = false) {
    if (!bufferOnly) {
      if (isKeyObject(key)) {
        if (key.type !== "secret") {
          throw new ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE(key.type, "secret");
        }
        return key[kHandle];
      } else if (isCryptoKey(key)) {
        if (key.type !== "secret") {
          throw new ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE(key.type, "secret");
        }
        return KeyObject.from(key)[kHandle];
      }
    }
    if (typeof key !== "string" && !isArrayBufferView(key) && !isAnyArrayBuffer(key)) {
      throw new ERR_INVALID_ARG_TYPE(
        "key",
        getKeyTypes(!bufferOnly, bufferOnly),
        key
      );
    }
    return getArrayBufferOrView(key, "key", encoding);
  }
  class SecretKeyObject extends KeyObject {
    constructor(handle) {
      super("secret", handle);
    }
    get symmetricKeySize() {
      return op_node_get_symmetric_key_size(this[kHandle]);
    }
    get asymmetricKeyType() {
      return void 0;
    }
    [core.hostObjectBrand]() {
      return {
        type: "NodeCryptoKeyObject",
        keyType: "secret",
        keyData: new Uint8Array(op_node_export_secret_key(this[kHandle]))
      };
    }
    toCryptoKey(algorithm, extractable, usages) {
      const algName = typeof algorithm === "string" ? algorithm : algorithm.name;
      const rawData = new Uint8Array(op_node_export_secret_key(this[kHandle]));
      if (TypedArrayPrototypeGetByteLength(rawData) === 0) {
        throw new DOMException(
          "Zero-length key is not supported",
          "DataError"
        );
      }
      if (algName === "PBKDF2") {
        if (extractable) {
          throw new DOMException(
            "PBKDF2 keys are not extractable",
            "SyntaxError"
          );
        }
        if (usages.length > 0 && ArrayPrototypeSome(
          usages,
          (u) => !ArrayPrototypeIncludes(["deriveKey", "deriveBits"], u)
        )) {
          throw new DOMException(
            "Unsupported key usage for a PBKDF2 key",
            "SyntaxError"
          );
        }
      } else if (algName === "HKDF") {
        if (extractable) {
          throw new DOMException(
            "HKDF keys are not extractable",
            "SyntaxError"
          );
        }
        if (usages.length > 0 && ArrayPrototypeSome(
          usages,
          (u) => !ArrayPrototypeIncludes(["deriveKey", "deriveBits"], u)
        )) {
          throw new DOMException(
            "Unsupported key usage for an HKDF key",
            "SyntaxError"
          );
        }
      } else if (algName === "HMAC") {
        if (usages.length === 0) {
          throw new DOMException(
            "Usages cannot be empty when importing a secret key.",
            "SyntaxError"
          );
        }
        const alg = algorithm;
        if (alg.length !== void 0 && alg.length === 0) {
          throw new DOMException(
            "HmacImportParams.length cannot be 0",
            "DataError"
          );
        }
      } else if (algName === "KMAC128" || algName === "KMAC256") {
        if (usages.length === 0) {
          throw new DOMException(
            "Usages cannot be empty when importing a secret key.",
            "SyntaxError"
          );
        }
        const alg = algorithm;
        if (alg.length !== void 0 && alg.length === 0) {
          throw new DOMException(
            "KmacImportParams.length cannot be 0",
            "DataError"
          );
        }
      } else {
        if (usages.length === 0) {
          throw new DOMException(
            "Usages cannot be empty when importing a secret key.",
            "SyntaxError"
          );
        }
      }
      return importCryptoKeySync(
        "raw",
        rawData,
        algorithm,
        extractable,
        usages
      );
    }
    export(options) {
      let format = "buffer";
      if (options !== void 0) {
        validateObject(options, "options");
        validateOneOf(
          options.format,
          "options.format",
          [void 0, "buffer", "jwk"]
        );
        format = options.format ?? "buffer";
      }
      switch (format) {
        case "buffer":
          return Buffer.from(op_node_export_secret_key(this[kHandle]));
        case "jwk":
          return {
            kty: "oct",
            k: op_node_export_secret_key_b64url(this[kHandle])
          };
      }
    }
  }
  class AsymmetricKeyObject extends KeyObject {
    constructor(type, handle) {
      super(type, handle);
    }
    get asymmetricKeyType() {
      return op_node_get_asymmetric_key_type(this[kHandle]);
    }
    get asymmetricKeyDetails() {
      return { ...op_node_get_asymmetric_key_details(this[kHandle]) };
    }
  }
  class PrivateKeyObject extends AsymmetricKeyObject {
    constructor(handle) {
      super("private", handle);
    }
    [core.hostObjectBrand]() {
      return {
        type: "NodeCryptoKeyObject",
        keyType: "private",
        keyData: new Uint8Array(
          op_node_export_private_key_der(this[kHandle], "pkcs8", null, null)
        )
      };
    }
    toCryptoKey(algorithm, extractable, usages) {
      const algName = typeof algorithm === "string" ? algorithm : algorithm.name;
      _validateAsymmetricKeyAlgorithm(this, algName);
      if (typeof algorithm === "object") {
        _validateEcNamedCurve(this, algorithm);
      }
      if (usages.length === 0) {
        throw new DOMException(
          "Usages cannot be empty when importing a private key.",
          "SyntaxError"
        );
      }
      const pkcs8Data = Buffer.from(
        op_node_export_private_key_der(this[kHandle], "pkcs8", null, null)
      );
      return importCryptoKeySync(
        "pkcs8",
        pkcs8Data,
        algorithm,
        extractable,
        usages
      );
    }
    export(options) {
      if (options && options.format === "jwk") {
        if (options.cipher !== void 0 || options.passphrase !== void 0) {
          throw new ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS(
            "jwk",
            "does not support encryption"
          );
        }
        return { ...op_node_export_private_key_jwk(this[kHandle]) };
      }
      const {
        format,
        type,
        cipher,
        passphrase
      } = parsePrivateKeyEncoding(options, this.asymmetricKeyType);
      if (format === "pem") {
        return op_node_export_private_key_pem(
          this[kHandle],
          type,
          cipher ?? null,
          passphrase ?? null
        );
      } else {
        return Buffer.from(
          op_node_export_private_key_der(
            this[kHandle],
            type,
            cipher ?? null,
            passphrase ?? null
          )
        );
      }
    }
  }
  class PublicKeyObject extends AsymmetricKeyObject {
    constructor(handle) {
      super("public", handle);
    }
    [core.hostObjectBrand]() {
      return {
        type: "NodeCryptoKeyObject",
        keyType: "public",
        keyData: new Uint8Array(
          op_node_export_public_key_der(this[kHandle], "spki")
        )
      };
    }
    toCryptoKey(algorithm, extractable, usages) {
      const algName = typeof algorithm === "string" ? algorithm : algorithm.name;
      _validateAsymmetricKeyAlgorithm(this, algName);
      if (typeof algorithm === "object") {
        _validateEcNamedCurve(this, algorithm);
      }
      const spkiData = Buffer.from(
        op_node_export_public_key_der(this[kHandle], "spki")
      );
      return importCryptoKeySync(
        "spki",
        spkiData,
        algorithm,
        extractable,
        usages
      );
    }
    export(options) {
      if (options && options.format === "jwk") {
        return { ...op_node_export_public_key_jwk(this[kHandle]) };
      }
      const {
        format,
        type
      } = parsePublicKeyEncoding(options, this.asymmetricKeyType);
      if (format === "pem") {
        return op_node_export_public_key_pem(this[kHandle], type);
      } else {
        return Buffer.from(op_node_export_public_key_der(this[kHandle], type));
      }
    }
  }
  function _validateAsymmetricKeyAlgorithm(keyObject, algName) {
    const keyType = keyObject.asymmetricKeyType;
    if (keyType === "ed25519" || keyType === "x25519") {
      const expectedAlg = keyType === "ed25519" ? "Ed25519" : "X25519";
      if (algName !== expectedAlg) {
        throw new DOMException("Invalid key type", "DataError");
      }
    } else if (keyType === "ed448" || keyType === "x448") {
      const expectedAlg = keyType === "ed448" ? "Ed448" : "X448";
      if (algName !== expectedAlg) {
        throw new DOMException("Invalid key type", "DataError");
      }
    }
  }
  function _validateEcNamedCurve(keyObject, algorithm) {
    const details = keyObject.asymmetricKeyDetails;
    const alg = algorithm;
    if (alg.namedCurve && details?.namedCurve) {
      const curveMap = {
        "prime256v1": "P-256",
        "secp384r1": "P-384",
        "secp521r1": "P-521",
        "P-256": "P-256",
        "P-384": "P-384",
        "P-521": "P-521"
      };
      const keyCurve = curveMap[details.namedCurve] || details.namedCurve;
      if (keyCurve !== alg.namedCurve) {
        throw new DOMException("Named curve mismatch", "DataError");
      }
    }
  }
  function createSecretKey(key, encoding) {
    if (isCryptoKey(key)) {
      if (key.type !== "secret") {
        throw new ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE(key.type, "secret");
      }
      return KeyObject.from(key);
    }
    const preparedKey = prepareSecretKey(key, encoding, true);
    if (isArrayBufferView(preparedKey) || isAnyArrayBuffer(preparedKey)) {
      const handle = op_node_create_secret_key(preparedKey);
      return new SecretKeyObject(handle);
    } else {
      const type = op_node_key_type(preparedKey);
      if (type === "secret") {
        return new SecretKeyObject(preparedKey);
      } else {
        throw new TypeError(`can not create secret key from ${type} key`);
      }
    }
  }
  function deserializeNodeCryptoKeyObject(data) {
    switch (data.keyType) {
      case "secret": {
        const handle = op_node_create_secret_key(data.keyData);
        return new SecretKeyObject(handle);
      }
      case "public": {
        const handle = op_node_create_public_key(
          data.keyData,
          "der",
          "spki",
          void 0
        );
        return new PublicKeyObject(handle);
      }
      case "private": {
        const handle = op_node_create_private_key(
          data.keyData,
          "der",
          "pkcs8",
          void 0
        );
        return new PrivateKeyObject(handle);
      }
      default:
        throw new TypeError(
          `Unsupported KeyObject type for structured clone: ${data.keyType}`
        );
    }
  }
  return {
    getArrayBufferOrView,
    deserializeNodeCryptoKeyObject,
    KeyObject,
    kConsumePublic,
    kConsumePrivate,
    kCreatePublic,
    kCreatePrivate,
    createPrivateKey,
    createPublicKey,
    createSecretKey,
    prepareSecretKey,
    prepareAsymmetricKey,
    getKeyObjectHandle,
    SecretKeyObject,
    PrivateKeyObject,
    PublicKeyObject,
    default: {
      createPrivateKey,
      createPublicKey,
      createSecretKey,
      KeyObject,
      prepareSecretKey,
      SecretKeyObject,
      PrivateKeyObject,
      PublicKeyObject
    }
  };
})();
