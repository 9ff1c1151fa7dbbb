/* requests: [{}, {"path": "/body", "method": "POST", "body": "0123456789abcdef", "repeat": 65536}] */
// crypto: digests, HMAC, timingSafeEqual, DigestStream, random values.

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const hmacKey = (hash = "SHA-256", usages = ["sign", "verify"]) =>
  crypto.subtle.importKey("raw", utf8("secret"), { name: "HMAC", hash }, true, usages);

const probes = {
  "digests": async () => Promise.all(["SHA-1", "SHA-256", "SHA-384", "SHA-512", "MD5"].map(async (name) => [name, hex(await crypto.subtle.digest(name, utf8("abc")))])),
  "digest by object, in lower case": async () => hex(await crypto.subtle.digest({ name: "sha-256" }, new ArrayBuffer(0))),
  "digest of a view": async () => hex(await crypto.subtle.digest("SHA-1", utf8("xabcx").subarray(1, 4))),
  "digest unknown": () => crypto.subtle.digest("SHA-7", utf8("a")),
  "digest of a string": () => crypto.subtle.digest("SHA-1", "abc"),
  "hmac": async () => hex(await crypto.subtle.sign("HMAC", await hmacKey(), utf8("message"))),
  "hmac sha-1": async () => hex(await crypto.subtle.sign("HMAC", await hmacKey("SHA-1"), utf8("message"))),
  "verify": async () => {
    const key = await hmacKey();
    const signature = await crypto.subtle.sign("HMAC", key, utf8("message"));
    const wrong = new Uint8Array(signature.slice(0));
    wrong[0] ^= 1;
    return Promise.all([signature, wrong, signature.slice(1)].map((one) => crypto.subtle.verify("HMAC", key, one, utf8("message"))));
  },
  "key fields": async () => {
    const key = await hmacKey();
    return [key.constructor.name, key.type, key.extractable, key.algorithm, key.usages];
  },
  "sign without the usage": async () => crypto.subtle.sign("HMAC", await hmacKey("SHA-256", ["verify"]), utf8("a")),
  "sign with another algorithm": async () => crypto.subtle.sign("ECDSA", await hmacKey(), utf8("a")),
  "no usages": () => hmacKey("SHA-256", []),
  "usage unknown": () => hmacKey("SHA-256", ["dance"]),
  "usage of another algorithm": () => hmacKey("SHA-256", ["encrypt"]),
  "hash unknown": () => hmacKey("SHA-7"),
  "generated key length": async () => (await crypto.subtle.exportKey("raw", await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["sign"]))).byteLength,
  "export as jwk": async () => crypto.subtle.exportKey("jwk", await hmacKey()),
  "export what may not be": async () => crypto.subtle.exportKey("raw", await crypto.subtle.importKey("raw", utf8("secret"), { name: "HMAC", hash: "SHA-256" }, false, ["sign"])),
  "timingSafeEqual": () => [crypto.subtle.timingSafeEqual(utf8("abc"), utf8("abc")), crypto.subtle.timingSafeEqual(utf8("abc"), utf8("abd"))],
  "timingSafeEqual, other length": () => crypto.subtle.timingSafeEqual(utf8("abc"), utf8("ab")),
  "timingSafeEqual, strings": () => crypto.subtle.timingSafeEqual("abc", "abc"),
  "DigestStream": async () => {
    const stream = new crypto.DigestStream("SHA-256");
    const writer = stream.getWriter();
    await writer.write(utf8("ab"));
    await writer.write(utf8("c"));
    await writer.close();
    return [hex(await stream.digest), String(stream.bytesWritten ?? "absent")];
  },
  "DigestStream takes a string": async () => {
    const stream = new crypto.DigestStream("SHA-256");
    const writer = stream.getWriter();
    await writer.write("abc");
    await writer.close();
    return hex(await stream.digest);
  },
  "randomUUID": () => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()),
  "getRandomValues": () => {
    const bytes = new Uint8Array(32);
    const same = crypto.getRandomValues(bytes) === bytes;
    return [same, bytes.some((byte) => byte !== 0)];
  },
  "getRandomValues, too much": () => crypto.getRandomValues(new Uint8Array(65537)).length,
  "getRandomValues, floats": () => crypto.getRandomValues(new Float32Array(1)),
  "tags": () => [String(crypto), String(crypto.subtle), crypto === globalThis.crypto],
};

export default {
  async fetch(request) {
    if (request.method === "POST") {
      const digest = new crypto.DigestStream("SHA-256");
      await request.body.pipeTo(digest);
      return new Response(hex(await digest.digest));
    }
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
