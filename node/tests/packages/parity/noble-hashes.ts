// @noble/hashes: typed arrays, BigInt and long loops, against WebCrypto where both have a hash.
import { argon2id } from "@noble/hashes/argon2.js";
import { blake2b, blake2s } from "@noble/hashes/blake2.js";
import { blake3 } from "@noble/hashes/blake3.js";
import { expand, extract, hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { md5, ripemd160, sha1 } from "@noble/hashes/legacy.js";
import { pbkdf2, pbkdf2Async } from "@noble/hashes/pbkdf2.js";
import { scrypt, scryptAsync } from "@noble/hashes/scrypt.js";
import { sha256, sha384, sha512, sha512_256 } from "@noble/hashes/sha2.js";
import { keccak_256, sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { kmac256, turboshake128 } from "@noble/hashes/sha3-addons.js";
import { bytesToHex, concatBytes, hexToBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";

const hashes = {
  argon: (data: Uint8Array) => argon2id(data, utf8ToBytes("somesalt"), { t: 1, m: 64, p: 1 }),
  blake2b, blake2s, blake3, keccak_256, md5, ripemd160, sha1, sha256, sha384, sha3_256, sha512, sha512_256,
  shake256: (data: Uint8Array) => shake256(data, { dkLen: 64 }),
  kmac: (data: Uint8Array) => kmac256(utf8ToBytes("key"), data),
  turbo: (data: Uint8Array) => turboshake128(data, { dkLen: 32 }),
};

async function all() {
  const lines: string[] = [];
  const inputs = [new Uint8Array(), utf8ToBytes("abc"), new Uint8Array(100_000).map((_, at) => at * 7)];
  for (const [name, hash] of Object.entries(hashes)) {
    lines.push(`${name} ${inputs.map((input) => bytesToHex(hash(input))).join(" ")}`);
  }
  for (const [name, hash] of [["SHA-1", sha1], ["SHA-256", sha256], ["SHA-384", sha384], ["SHA-512", sha512]] as const) {
    const native = new Uint8Array(await crypto.subtle.digest(name, inputs[2]));
    lines.push(`${name} ${bytesToHex(native) === bytesToHex(hash(inputs[2]))}`);
  }
  const parts = sha256.create();
  for (let at = 0; at < 100_000; at += 777) parts.update(inputs[2].subarray(at, at + 777));
  lines.push(String(bytesToHex(parts.digest()) === bytesToHex(sha256(inputs[2]))));
  const [key, salt] = [utf8ToBytes("key"), utf8ToBytes("salt")];
  lines.push(
    bytesToHex(hmac(sha256, key, inputs[1])),
    bytesToHex(hkdf(sha256, key, salt, utf8ToBytes("info"), 42)),
    bytesToHex(expand(sha256, extract(sha256, key, salt), undefined, 20)),
    bytesToHex(pbkdf2(sha256, key, salt, { c: 100, dkLen: 32 })),
    bytesToHex(await pbkdf2Async(sha512, key, salt, { c: 100, dkLen: 32 })),
    bytesToHex(scrypt(key, salt, { N: 256, r: 8, p: 1, dkLen: 32 })),
    bytesToHex(await scryptAsync(key, salt, { N: 256, r: 8, p: 1, dkLen: 32 })),
    bytesToHex(concatBytes(hexToBytes("00ff"), new Uint8Array([1]))),
    String(randomBytes(16).length),
  );
  for (const wrong of [() => sha256("text" as never), () => hexToBytes("0x"), () => scrypt(key, salt, { N: 3, r: 1, p: 1 })]) {
    try {
      wrong();
      lines.push("no error");
    } catch (error) {
      lines.push(`${error.name}: ${error.message}`);
    }
  }
  return lines.join("\n");
}

export default { fetch: async () => new Response(await all()) };
