//! Where the scripts of Node's crypto are made to behave as Workers do.

use super::super::library::{Patch, patch};

const CIPHER: &str = "ext:deno_node/internal/crypto/cipher.ts";
const DIFFIE_HELLMAN: &str = "ext:deno_node/internal/crypto/diffiehellman.ts";
const HASH: &str = "ext:deno_node/internal/crypto/hash.ts";
const HKDF: &str = "ext:deno_node/internal/crypto/hkdf.ts";
const KEYS: &str = "ext:deno_node/internal/crypto/keys.ts";
const RANDOM: &str = "ext:deno_node/internal/crypto/random.ts";
const SIGN: &str = "ext:deno_node/internal/crypto/sig.ts";
const UTIL: &str = "ext:deno_node/internal/crypto/util.ts";
const X509: &str = "ext:deno_node/internal/crypto/x509.ts";

#[rustfmt::skip]
pub(in super::super) const PATCHES: &[Patch] = &[
    patch(
        DIFFIE_HELLMAN,
        "constructor(sizeOrKey, keyEncoding, generator, genEncoding) {\n",
        "constructor(sizeOrKey, keyEncoding, generator, genEncoding) {\n      core.loadExtScript(\"ext:outboard/node/crypto.js\").checkDiffieHellman(arguments);\n",
    ),
    patch(
        UTIL,
        "throw new ERR_CRYPTO_INVALID_DIGEST(algorithm)",
        "throw new Error(\"Digest method not supported\")",
    ),
    patch(
        X509,
        "this.#handle = op_node_x509_parse(buffer);",
        "try {\n        this.#handle = op_node_x509_parse(buffer);\n      } catch {\n\
         \x20       throw new (core.loadExtScript(\"ext:deno_node/internal/errors.ts\")\n\
         \x20         .ERR_INVALID_ARG_VALUE)(\"buffer\", buffer, \"is no X.509 certificate\");\n      }",
    ),
    patch(
        X509,
        "throw new ERR_INVALID_ARG_VALUE(\"privateKey\", privateKey);",
        "throw new ERR_INVALID_ARG_TYPE(\"privateKey\", \"PrivateKeyObject\", privateKey);",
    ),
    // Workers end each line, and give plain objects.
    patch(
        X509,
        "return op_node_x509_get_info_access(this.#handle) ?? void 0;",
        "const info = op_node_x509_get_info_access(this.#handle);\n      return info ? `${info}\\n` : void 0;",
    ),
    patch(
        X509,
        "obj.subject = ObjectAssign({ __proto__: null }, obj.subject);",
        "obj.subject = ObjectAssign({}, obj.subject);",
    ),
    patch(
        X509,
        "obj.issuer = ObjectAssign({ __proto__: null }, obj.issuer);",
        "obj.issuer = ObjectAssign({}, obj.issuer);",
    ),
    patch(
        X509,
        "obj.infoAccess = ObjectAssign({ __proto__: null }, obj.infoAccess);",
        "obj.infoAccess = ObjectAssign({}, obj.infoAccess);",
    ),
    // More ciphers, by names of either case.
    patch(
        CIPHER,
        "= core.ops;",
        "= core.loadExtScript(\"ext:outboard/node/cipher_handles.js\");",
    ),
    patch(
        CIPHER,
        "    const authTagLength = getUIntOption(options, \"authTagLength\");\n",
        "    cipher = StringPrototypeToLowerCase(cipher);\n    const authTagLength = getUIntOption(options, \"authTagLength\");\n",
    ),
    patch(
        CIPHER,
        "!(cipher == \"aes-128-gcm\" ||",
        "!(cipher == \"aes-128-ofb\" || cipher == \"aes-192-ofb\" || cipher == \"aes-256-ofb\" || cipher == \"aes-192-gcm\" || cipher == \"aes-128-gcm\" ||",
    ),
    patch(
        CIPHER,
        "const tagByteLength = buffer.byteLength;",
        "buffer = getArrayBufferOrView(buffer, \"buffer\", _encoding);\n    buffer = Buffer.from(isAnyArrayBuffer(buffer) ? new Uint8Array(buffer) : toFastBufferView(buffer));\n    const tagByteLength = buffer.byteLength;",
    ),
    patch(
        CIPHER,
        "op_node_decipheriv_auth_tag(this._context, buffer.byteLength);",
        "op_node_decipheriv_auth_tag(this._context, buffer.byteLength, buffer);",
    ),
    patch(
        CIPHER,
        "(privateKey, buffer) {\n    checkUnsupported",
        "(privateKey, buffer) {\n    core.loadExtScript(\"ext:outboard/node/cipher_handles.js\").checkGiven(privateKey, buffer);\n    checkUnsupported",
    ),
    patch(
        CIPHER,
        "(publicKey, buffer) {\n    checkUnsupported",
        "(publicKey, buffer) {\n    core.loadExtScript(\"ext:outboard/node/cipher_handles.js\").checkGiven(publicKey, buffer);\n    checkUnsupported",
    ),
    // A label has no use without the padding that it is for.
    patch(
        CIPHER,
        "    const padding = privateKey.padding || 4;\n",
        "    const padding = privateKey.padding || 4;\n    if (padding !== 4 && privateKey.oaepLabel !== void 0) throw new Error(\"Failed to set the OAEP label\");\n",
    ),
    patch(
        CIPHER,
        "    const padding = publicKey.padding || 4;\n",
        "    const padding = publicKey.padding || 4;\n    if (padding !== 4 && publicKey.oaepLabel !== void 0) throw new Error(\"Failed to set the OAEP label\");\n",
    ),
    patch(
        CIPHER,
        "    if (label === void 0) return void 0;\n",
        "    if (label === void 0) return void 0;\n    if (typeof label === \"string\") return Buffer.from(label);\n",
    ),
    patch(
        UTIL,
        "MapPrototypeGet(cipherInfoByName, nameOrNid)",
        "MapPrototypeGet(cipherInfoByName, primordials.StringPrototypeToLowerCase(nameOrNid))",
    ),
    patch(
        UTIL,
        "const cipherInfoTable = [\n",
        "const cipherInfoTable = [\n    ...new SafeArrayIterator(core.loadExtScript(\"ext:outboard/node/cipher_handles.js\").ownCiphers),\n",
    ),
    patch(
        UTIL,
        "    \"aes-192-ctr\",\n    \"aes-192-ecb\",\n",
        "    \"aes-128-ofb\",\n    \"aes-192-cbc\",\n    \"aes-192-ctr\",\n    \"aes-192-ecb\",\n    \"aes-192-gcm\",\n    \"aes-192-ofb\",\n    \"aes-256-ofb\",\n    \"des-cbc\",\n    \"des-ecb\",\n    \"des-ede\",\n    \"des-ede-cbc\",\n",
    ),
    // The host's hash, as Node's, gives its digest.
    patch(
        HASH,
        "  function unwrapErr(ok) {",
        "  Hasher.prototype.digest = function digest() {\n    return Buffer.from(op_node_hash_digest(this));\n  };\n  function unwrapErr(ok) {",
    ),
    // What gives as much as it is asked for has no HMAC.
    patch(
        HASH,
        "    return op_node_get_hashes();",
        "    return primordials.ArrayPrototypeFilter(op_node_get_hashes(), (name) => !primordials.StringPrototypeStartsWith(name, \"shake\"));",
    ),
    patch(
        HKDF,
        "      op_node_hkdf(hash, key[kHandle], salt, info, okm);",
        "      if (hash === \"blake2b512\" || hash === \"blake2s256\") {\n        core.loadExtScript(\"ext:outboard/node/hkdf.js\").expand(hash, key, salt, info, okm);\n      } else {\n        op_node_hkdf(hash, key[kHandle], salt, info, okm);\n      }",
    ),
    // What cannot be read is said as Workers say it.
    patch(
        KEYS,
        "= core.ops;",
        "= core.loadExtScript(\"ext:outboard/node/key_handles.js\");",
    ),
    patch(
        SIGN,
        "= core.ops;",
        "= core.loadExtScript(\"ext:outboard/node/key_handles.js\");",
    ),
    // A signature is made, or verified, once.
    patch(
        SIGN,
        "  class SignImpl {\n    hash;\n",
        "  const { checkSigning } = core.loadExtScript(\"ext:outboard/node/key_handles.js\");\n  class SignImpl {\n    hash;\n    #context = \"Signing\";\n    #ended = false;\n",
    ),
    patch(
        SIGN,
        "  class VerifyImpl {\n    hash;\n",
        "  class VerifyImpl {\n    hash;\n    #context = \"Verification\";\n    #ended = false;\n",
    ),
    patch(
        SIGN,
        "    update(data, encoding) {\n",
        "    update(data, encoding) {\n      if (this.#ended) throw new Error(`${this.#context} context has already been finalized`);\n",
    ),
    patch(
        SIGN,
        "      let ret;\n      try {\n",
        "      if (this.#ended) throw new Error(\"Signing context has already been finalized\");\n      checkSigning(handle, \"Signing\");\n      this.#ended = true;\n      let ret;\n      try {\n",
    ),
    patch(
        SIGN,
        "    verify(publicKey, signature, encoding) {\n",
        "    verify(publicKey, signature, encoding) {\n      if (!publicKey) throw new ERR_CRYPTO_SIGN_KEY_REQUIRED();\n",
    ),
    patch(
        SIGN,
        "      return op_node_verify(\n",
        "      if (this.#ended) throw new Error(\"Verification context has already been finalized\");\n      checkSigning(handle, \"Verifying\");\n      this.#ended = true;\n      return op_node_verify(\n",
    ),
    // Primes in the progressions alone that Workers have.
    patch(
        RANDOM,
        "    if (addBuf) {\n      const addBitCount",
        "    if (addBuf) {\n      const add = bufferToBigInt(addBuf);\n      const rem = remBuf ? bufferToBigInt(remBuf) : 1n;\n      if ((add !== 12n && add !== 24n && add !== 60n) || rem !== add - 1n) {\n        throw new primordials.RangeError(\"Invalid values for add and rem\");\n      }\n      const addBitCount",
    ),
    patch(
        HASH,
        "if (this[kHandle] === null) throw new ERR_CRYPTO_HASH_FINALIZED();",
        "if (this[kHandle] === null) throw new primordials.Error(\"Hash context has already been finalized.\");",
    ),
    patch(
        HASH,
        "    return new Hash(this[kHandle], options);",
        "    if (this[kFinalized]) throw new ERR_CRYPTO_HASH_FINALIZED();\n    return new Hash(this[kHandle], options);",
    ),
];
