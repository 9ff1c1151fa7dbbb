/* requests: [{}] */
// crypto.subtle: AES, key derivation, and their faults.

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const aesKey = (name = "AES-GCM", usages = ["encrypt", "decrypt"]) =>
  crypto.subtle.importKey("raw", new Uint8Array(16).fill(7), name, true, usages);
const iv = new Uint8Array(12).fill(1);

const probes = {
  "aes-gcm": async () => hex(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await aesKey(), utf8("message"))),
  "aes-gcm with extra data": async () => hex(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8("extra"), tagLength: 96 }, await aesKey(), utf8("message"))),
  "aes-gcm round trip": async () => {
    const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
    const packed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, utf8("message"));
    return new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, packed));
  },
  "aes-gcm, changed bytes": async () => {
    const key = await aesKey();
    const packed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, utf8("message")));
    packed[0] ^= 1;
    return crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, packed);
  },
  "aes-gcm, too short": async () => crypto.subtle.decrypt({ name: "AES-GCM", iv }, await aesKey(), new Uint8Array(3)),
  "aes-gcm, no iv": async () => crypto.subtle.encrypt({ name: "AES-GCM" }, await aesKey(), utf8("a")),
  "aes-gcm, odd tag length": async () => crypto.subtle.encrypt({ name: "AES-GCM", iv, tagLength: 5 }, await aesKey(), utf8("a")),
  "aes-cbc": async () => hex(await crypto.subtle.encrypt({ name: "AES-CBC", iv: new Uint8Array(16) }, await aesKey("AES-CBC"), utf8("message"))),
  "aes-ctr": async () => hex(await crypto.subtle.encrypt({ name: "AES-CTR", counter: new Uint8Array(16), length: 64 }, await aesKey("AES-CTR"), utf8("message"))),
  "aes-kw": async () => {
    const wrapping = await crypto.subtle.importKey("raw", new Uint8Array(16), "AES-KW", false, ["wrapKey", "unwrapKey"]);
    return hex(await crypto.subtle.wrapKey("raw", await aesKey(), wrapping, "AES-KW"));
  },
  "wrong key length": () => crypto.subtle.importKey("raw", new Uint8Array(15), "AES-GCM", true, ["encrypt"]),
  "generate with a wrong length": () => crypto.subtle.generateKey({ name: "AES-GCM", length: 100 }, true, ["encrypt"]),
  "jwk": async () => crypto.subtle.exportKey("jwk", await aesKey()),
  "pbkdf2": async () => {
    const key = await crypto.subtle.importKey("raw", utf8("password"), "PBKDF2", false, ["deriveBits", "deriveKey"]);
    return hex(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: utf8("salt"), iterations: 1000 }, key, 256));
  },
  "pbkdf2, too many iterations": async () => {
    const key = await crypto.subtle.importKey("raw", utf8("password"), "PBKDF2", false, ["deriveBits"]);
    return (await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: utf8("salt"), iterations: 100_001 }, key, 256)).byteLength;
  },
  "hkdf": async () => {
    const key = await crypto.subtle.importKey("raw", utf8("input"), "HKDF", false, ["deriveBits"]);
    return hex(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: utf8("salt"), info: utf8("info") }, key, 256));
  },
  "derive a key": async () => {
    const key = await crypto.subtle.importKey("raw", utf8("password"), "PBKDF2", false, ["deriveKey"]);
    const derived = await crypto.subtle.deriveKey({ name: "PBKDF2", hash: "SHA-512", salt: utf8("salt"), iterations: 10 }, key, { name: "AES-GCM", length: 128 }, true, ["encrypt"]);
    return [derived.algorithm, hex(await crypto.subtle.exportKey("raw", derived))];
  },
  "algorithm unknown": () => crypto.subtle.importKey("raw", new Uint8Array(16), "ROT13", true, ["encrypt"]),
  "format unknown": () => crypto.subtle.importKey("paper", new Uint8Array(16), "AES-GCM", true, ["encrypt"]),
};

export default {
  async fetch() {
    return report(probes);
  },
};

// One line a probe: its value, or what it threw.
async function report(probes) {
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
}
