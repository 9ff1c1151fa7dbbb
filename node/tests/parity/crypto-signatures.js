/* requests: [{}] */
// crypto.subtle: ECDSA, RSA, Ed25519, ECDH; keys in and out.

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const ecdsa = { name: "ECDSA", namedCurve: "P-256" };

// The key pair of RFC 7515, appendix A.3.
const publicJwk = { kty: "EC", crv: "P-256", x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" };
const privateJwk = { ...publicJwk, d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI" };
const signedText = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const fromBase64Url = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));

const probes = {
  "verify a known signature": async () => {
    const key = await crypto.subtle.importKey("jwk", publicJwk, ecdsa, true, ["verify"]);
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    return [
      await crypto.subtle.verify(algorithm, key, fromBase64Url(signature), utf8(signedText)),
      await crypto.subtle.verify(algorithm, key, fromBase64Url(signature), utf8("other")),
      await crypto.subtle.verify(algorithm, key, new Uint8Array(3), utf8(signedText)),
    ];
  },
  "sign and verify": async () => {
    const own = await crypto.subtle.importKey("jwk", privateJwk, ecdsa, false, ["sign"]);
    const other = await crypto.subtle.importKey("jwk", publicJwk, ecdsa, false, ["verify"]);
    const signed = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, own, utf8("a"));
    return [signed.byteLength, await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, other, signed, utf8("a"))];
  },
  "key pair": async () => {
    const pair = await crypto.subtle.generateKey(ecdsa, false, ["sign", "verify"]);
    return [pair.publicKey, pair.privateKey].map((key) => [key.type, key.extractable, key.usages, key.algorithm]);
  },
  "export": async () => {
    const key = await crypto.subtle.importKey("jwk", publicJwk, ecdsa, true, ["verify"]);
    return [await crypto.subtle.exportKey("jwk", key), hex(await crypto.subtle.exportKey("raw", key)), hex(await crypto.subtle.exportKey("spki", key))];
  },
  "spki and back": async () => {
    const key = await crypto.subtle.importKey("jwk", publicJwk, ecdsa, true, ["verify"]);
    const again = await crypto.subtle.importKey("spki", await crypto.subtle.exportKey("spki", key), ecdsa, true, ["verify"]);
    return (await crypto.subtle.exportKey("jwk", again)).x === publicJwk.x;
  },
  "private key for verify": () => crypto.subtle.importKey("jwk", privateJwk, ecdsa, true, ["verify"]),
  "wrong curve": () => crypto.subtle.importKey("jwk", publicJwk, { name: "ECDSA", namedCurve: "P-384" }, true, ["verify"]),
  "curve unknown": () => crypto.subtle.importKey("jwk", publicJwk, { name: "ECDSA", namedCurve: "P-1" }, true, ["verify"]),
  "wrong kty": () => crypto.subtle.importKey("jwk", { ...publicJwk, kty: "RSA" }, ecdsa, true, ["verify"]),
  "point not on the curve": () => crypto.subtle.importKey("jwk", { ...publicJwk, x: publicJwk.y }, ecdsa, true, ["verify"]),
  "rsa": async () => {
    const pair = await crypto.subtle.generateKey({ name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }, true, ["sign", "verify"]);
    const signed = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", pair.privateKey, utf8("a"));
    const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
    return [signed.byteLength, await crypto.subtle.verify("RSASSA-PKCS1-v1_5", pair.publicKey, signed, utf8("a")), jwk.kty, jwk.alg, jwk.e, pair.publicKey.algorithm];
  },
  "rsa-oaep": async () => {
    const pair = await crypto.subtle.generateKey({ name: "RSA-OAEP", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }, true, ["encrypt", "decrypt"]);
    const packed = await crypto.subtle.encrypt("RSA-OAEP", pair.publicKey, utf8("message"));
    return new TextDecoder().decode(await crypto.subtle.decrypt("RSA-OAEP", pair.privateKey, packed));
  },
  "ed25519": async () => {
    const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
    const signed = await crypto.subtle.sign("Ed25519", pair.privateKey, utf8("a"));
    return [signed.byteLength, await crypto.subtle.verify("Ed25519", pair.publicKey, signed, utf8("a")), pair.publicKey.algorithm];
  },
  "ed25519, a known key": async () => {
    // RFC 8032, test 1
    const key = await crypto.subtle.importKey("raw", fromBase64Url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"), "Ed25519", true, ["verify"]);
    const signed = Uint8Array.from("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b".match(/../g), (byte) => parseInt(byte, 16));
    return crypto.subtle.verify("Ed25519", key, signed, new Uint8Array(0));
  },
  "ecdh": async () => {
    const algorithm = { name: "ECDH", namedCurve: "P-256" };
    const [one, two] = await Promise.all([0, 1].map(() => crypto.subtle.generateKey(algorithm, true, ["deriveBits"])));
    const [left, right] = await Promise.all([[one, two], [two, one]].map(([own, other]) => crypto.subtle.deriveBits({ name: "ECDH", public: other.publicKey }, own.privateKey, 256)));
    return [left.byteLength, hex(left) === hex(right)];
  },
  "x25519": async () => {
    const pair = await crypto.subtle.generateKey("X25519", true, ["deriveBits"]);
    return (await crypto.subtle.deriveBits({ name: "X25519", public: pair.publicKey }, pair.privateKey, 256)).byteLength;
  },
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
