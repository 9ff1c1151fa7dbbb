/* flags: ["nodejs_compat"] */
// node:crypto: ciphers and their modes, hashes, signatures, primes.
import crypto from "node:crypto";

const key = (length) => Buffer.alloc(length, 1);
const encrypt = (name, keyLength, ivLength, ...parts) => {
  const cipher = crypto.createCipheriv(name, key(keyLength), ivLength ? Buffer.alloc(ivLength, 2) : null);
  return parts.map((part) => cipher.update(part, "utf8", "hex")).join("") + cipher.final("hex");
};
const decrypt = (name, keyLength, ivLength, text) => {
  const decipher = crypto.createDecipheriv(name, key(keyLength), ivLength ? Buffer.alloc(ivLength, 2) : null);
  return decipher.update(text, "hex", "utf8") + decipher.final("utf8");
};
const trip = (name, keyLength, ivLength) => {
  const sealed = encrypt(name, keyLength, ivLength, "hello", "hello world and more");
  return [sealed, decrypt(name, keyLength, ivLength, sealed)];
};
const sealed = (name, keyLength, aad) => {
  const cipher = crypto.createCipheriv(name, key(keyLength), Buffer.alloc(12, 2));
  if (aad) cipher.setAAD(Buffer.from(aad));
  const text = cipher.update("hello", "utf8");
  cipher.final();
  return { text, tag: cipher.getAuthTag() };
};
const opened = (name, keyLength, { text, tag }, aad) => {
  const decipher = crypto.createDecipheriv(name, key(keyLength), Buffer.alloc(12, 2));
  decipher.setAuthTag(tag);
  tag.fill(0);
  if (aad) decipher.setAAD(Buffer.from(aad));
  return decipher.update(text).toString() + decipher.final("utf8");
};
const wrong = (part) => ({ ...part, tag: Buffer.alloc(16) });
let pair;
const rsa = () => pair ??= crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });

const probes = {
  "aes-192-cbc": () => trip("aes-192-cbc", 24, 16),
  "AES-128-CBC, in capitals": () => trip("AES-128-CBC", 16, 16),
  "aes-128-ofb": () => trip("aes-128-ofb", 16, 16),
  "aes-192-ofb": () => trip("aes-192-ofb", 24, 16),
  "aes-256-ofb": () => trip("aes-256-ofb", 32, 16),
  "des-cbc": () => trip("des-cbc", 8, 8),
  "des-ecb": () => trip("des-ecb", 8, 0),
  "des-ede": () => trip("des-ede", 16, 0),
  "des-ede-cbc": () => trip("des-ede-cbc", 16, 8),
  "aes-192-gcm": () => opened("aes-192-gcm", 24, sealed("aes-192-gcm", 24, "more"), "more"),
  "aes-192-gcm, its tag": () => sealed("aes-192-gcm", 24).tag.toString("hex"),
  "chacha20-poly1305": () => opened("chacha20-poly1305", 32, sealed("chacha20-poly1305", 32, "more"), "more"),
  "chacha20-poly1305, wrong tag": () => opened("chacha20-poly1305", 32, wrong(sealed("chacha20-poly1305", 32))),
  "chacha20-poly1305, no tag": () => {
    const decipher = crypto.createDecipheriv("chacha20-poly1305", key(32), Buffer.alloc(12, 2));
    return decipher.update("ab", "hex", "utf8");
  },
  "chacha20-poly1305, in two parts": () => encrypt("chacha20-poly1305", 32, 12, "one", "two"),
  "getCipherInfo": () => {
    const { blockSize, ivLength, keyLength, mode, nid } = crypto.getCipherInfo("AES-256-OFB");
    return [blockSize, ivLength, keyLength, mode, nid];
  },
  "ciphers": () => ["aes-192-cbc", "aes-192-gcm", "aes-256-ofb", "des-ede"].map((name) => crypto.getCiphers().includes(name)),
  "a label without its padding": () =>
    crypto.publicEncrypt({ key: rsa().publicKey, padding: crypto.constants.RSA_PKCS1_PADDING, oaepLabel: Buffer.from("a") }, Buffer.from("b")),
  "publicEncrypt without a key": () => crypto.publicEncrypt(),
  "privateDecrypt without data": () => crypto.privateDecrypt(rsa().privateKey),
  "hkdf of every hash": () => crypto.getHashes().every((hash) => crypto.hkdfSync(hash, "key", "salt", "info", 5).byteLength === 5),
  "sign twice": () => {
    const sign = crypto.createSign("sha256").update("text");
    sign.sign(rsa().privateKey);
    return sign.sign(rsa().privateKey);
  },
  "update after verify": () => {
    const verify = crypto.createVerify("sha256").update("text");
    verify.verify(rsa().publicKey, Buffer.alloc(3));
    verify.update("more");
  },
  "sign without a key": () => crypto.createSign("sha256").sign(),
  "verify without a key": () => crypto.createVerify("sha256").verify(),
  "sign with no key of any kind": () => crypto.createSign("sha256").sign("text"),
  "verify with no key of any kind": () => crypto.createVerify("sha256").verify("text", Buffer.alloc(3)),
  "createPrivateKey of a text": () => crypto.createPrivateKey("text"),
  "Sign with Ed25519": () => crypto.createSign("sha256").sign(crypto.generateKeyPairSync("ed25519").privateKey),
  "a prime of a progression": () => crypto.generatePrimeSync(32, { add: 12n, rem: 11n, bigint: true }) % 12n === 11n,
  "a prime of another progression": () => crypto.generatePrimeSync(32, { add: 10n, rem: 3n, bigint: true }),
  "a prime with an add alone": () => crypto.generatePrimeSync(32, { add: 12n, bigint: true }),
};

export default {
  async fetch() {
    let lines = "";
    for (const [name, probe] of Object.entries(probes)) {
      let answer;
      try {
        answer = (await probe()) ?? null;
      } catch (error) {
        answer = { threw: error.name, message: error.message };
      }
      lines += `${name}: ${JSON.stringify(answer)}\n`;
    }
    return new Response(lines);
  },
};
