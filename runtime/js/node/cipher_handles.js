// What node:crypto's ciphers work with: the library's, and those of Workers that
// it has not. ChaCha20-Poly1305 is checked before anything of it is given out,
// so that it takes its data at once.
(function () {
const { core, primordials } = __bootstrap;
const {
  Error,
  SafeSet,
  SetPrototypeAdd,
  SetPrototypeHas,
  StringPrototypeToLowerCase,
  TypedArrayPrototypeGetByteLength,
  Uint8Array,
} = primordials;
const { ops } = core;
const { ERR_MISSING_ARGS } = core.loadExtScript(
  "ext:deno_node/internal/errors.ts",
);
/** The ciphers that the library has not, as `getCipherInfo` has them. */
const ownCiphers = [
  cipher("aes-128-ofb", 420, 1, 16, 16, "ofb"),
  cipher("aes-192-ofb", 424, 1, 16, 24, "ofb"),
  cipher("aes-256-ofb", 428, 1, 16, 32, "ofb"),
  cipher("des-cbc", 31, 8, 8, 8, "cbc"),
  cipher("des-ecb", 29, 8, 0, 8, "ecb"),
  cipher("des-ede", 32, 8, 0, 16, "ecb"),
  cipher("des-ede-cbc", 43, 8, 8, 16, "cbc"),
];
/** Those, and two that it knows by name alone. */
const OWN = new SafeSet(["aes-192-cbc", "aes-192-gcm"]);
for (let i = 0; i < ownCiphers.length; i++) SetPrototypeAdd(OWN, ownCiphers[i].name);

function cipher(name, nid, blockSize, ivLength, keyLength, mode) {
  return { name, nid, blockSize, ivLength, keyLength, mode };
}

const AT_ONCE = "chacha20-poly1305";
const TAG = 16;

class Handle {
  constructor(name, key, iv, tagLength, encrypt) {
    this.own = SetPrototypeHas(OWN, name);
    this.atOnce = name === AT_ONCE;
    this.tag = undefined;
    this.tagLength = tagLength === -1 ? TAG : tagLength;
    this.used = false;
    if (this.own) this.id = ops.op_node_cipher_open(name, key, iv, encrypt);
    else if (encrypt) this.id = ops.op_node_create_cipheriv(name, key, iv, tagLength);
    else this.id = ops.op_node_create_decipheriv(name, key, iv, tagLength);
  }

  useOnce() {
    if (this.atOnce && this.used) {
      throw new Error("update() can only be invoked once on an AEAD");
    }
    this.used = true;
  }
}

function open(encrypt) {
  return (cipher, key, iv, tagLength) =>
    new Handle(StringPrototypeToLowerCase(cipher), key, iv, tagLength, encrypt);
}

function setAad(encrypt) {
  const set = encrypt
    ? ops.op_node_cipheriv_set_aad
    : ops.op_node_decipheriv_set_aad;
  return (handle, data) => {
    if (handle.own) ops.op_node_cipher_aad(handle.id, data);
    else set(handle.id, data);
  };
}

function encrypt(handle, input, output) {
  handle.useOnce();
  if (!handle.own) return ops.op_node_cipheriv_encrypt(handle.id, input, output);
  ops.op_node_cipher_update(handle.id, input, output);
  return true;
}

function decrypt(handle, input, output) {
  handle.useOnce();
  if (handle.own) {
    ops.op_node_cipher_update(handle.id, input, output);
    return true;
  }
  if (!handle.atOnce) return ops.op_node_decipheriv_decrypt(handle.id, input, output);
  if (handle.tag === undefined) throw new Error("No auth tag provided");
  ops.op_node_decipheriv_decrypt(handle.id, input, output);
  endAtOnce(handle, output);
  return true;
}

function endAtOnce(handle, output = undefined) {
  const { id } = handle;
  handle.id = undefined;
  try {
    ops.op_node_decipheriv_final(id, false, new Uint8Array(), new Uint8Array(), handle.tag);
  } catch {
    if (output !== undefined) primordials.TypedArrayPrototypeFill(output, 0);
    const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
    throw new DOMException(
      "Decryption failed: Incorrect key/IV or corrupted ciphertext/authentication tag provided.",
      "OperationError",
    );
  }
}

/** Ends a cipher of ours: the last block goes through it as it is padded. */
function padded(handle, pad, input, output) {
  const length = TypedArrayPrototypeGetByteLength(input);
  const size = TypedArrayPrototypeGetByteLength(output);
  const last = new Uint8Array(size);
  last.set(input);
  if (pad) primordials.TypedArrayPrototypeFill(last, size - length, length);
  if (pad || length === size) ops.op_node_cipher_update(handle.id, last, output);
  ops.op_node_cipher_close(handle.id);
}

function finishEncryption(handle, pad, input, output) {
  if (handle.own) return padded(handle, pad, input, output);
  return ops.op_node_cipheriv_final(handle.id, pad, input, output);
}

function finishDecryption(handle, pad, input, output, tag) {
  if (handle.atOnce) {
    if (handle.id === undefined) return;
    if (handle.tag === undefined) throw new Error("No auth tag provided");
    return endAtOnce(handle);
  }
  if (!handle.own) {
    return ops.op_node_decipheriv_final(handle.id, pad, input, output, tag);
  }
  if (TypedArrayPrototypeGetByteLength(input) === TypedArrayPrototypeGetByteLength(output)) {
    ops.op_node_cipher_update(handle.id, input, output);
  }
  if (!ops.op_node_cipher_verify(handle.id, tag)) {
    throw new Error("Unsupported state or unable to authenticate data");
  }
}

function take(handle) {
  if (!handle.own) return ops.op_node_cipheriv_take(handle.id);
  const tag = ops.op_node_cipher_close(handle.id);
  return tag === null ? null : tag.subarray(0, handle.tagLength);
}

function setTag(handle, length, tag) {
  if (!handle.own) ops.op_node_decipheriv_auth_tag(handle.id, length);
  handle.tag = tag;
}

/** RSA without padding is the same with a key whichever way it is used. */
const RSA_NO_PADDING = 3;

function privateEncrypt(key, data, padding, hash, label) {
  return padding === RSA_NO_PADDING
    ? ops.op_node_private_decrypt(key, data, padding, hash, label)
    : ops.op_node_private_encrypt(key, data, padding, hash, label);
}

function publicDecrypt(key, data, padding) {
  return padding === RSA_NO_PADDING
    ? ops.op_node_public_encrypt(key, data, padding, undefined, undefined)
    : ops.op_node_public_decrypt(key, data, padding);
}

/** What the RSA functions cannot do without. */
function checkGiven(key, buffer) {
  if (key === undefined) throw new ERR_MISSING_ARGS("key");
  if (buffer === undefined) throw new ERR_MISSING_ARGS("buffer");
}

return {
  __proto__: ops,
  checkGiven,
  ownCiphers,
  op_node_cipheriv_encrypt: encrypt,
  op_node_cipheriv_final: finishEncryption,
  op_node_cipheriv_set_aad: setAad(true),
  op_node_cipheriv_take: take,
  op_node_create_cipheriv: open(true),
  op_node_create_decipheriv: open(false),
  op_node_decipheriv_auth_tag: setTag,
  op_node_decipheriv_decrypt: decrypt,
  op_node_decipheriv_final: finishDecryption,
  op_node_decipheriv_set_aad: setAad(false),
  op_node_private_encrypt: privateEncrypt,
  op_node_public_decrypt: publicDecrypt,
};
})();
