// jose: signing, encrypting and verifying with each family of keys.
import * as jose from "jose";

const secret = new TextEncoder().encode("0123456789abcdef0123456789abcdef");
const lines: string[] = [];

async function probe(name: string, run: () => Promise<unknown>) {
  try {
    lines.push(`${name}: ${JSON.stringify(await run())}`);
  } catch (error) {
    lines.push(`${name}: ${error.code ?? error.name}: ${error.message}`);
  }
}

async function all() {
  lines.length = 0;
  await probe("HS256 is a fixed text", () =>
    new jose.SignJWT({ a: 1 }).setProtectedHeader({ alg: "HS256" }).setIssuedAt(1_700_000_000).sign(secret));
  for (const alg of ["RS256", "PS384", "ES256", "ES384", "EdDSA"]) {
    await probe(alg, async () => {
      const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
      const token = await new jose.SignJWT({ sub: "ann" })
        .setProtectedHeader({ alg })
        .setIssuer("urn:test")
        .sign(privateKey);
      const { kty, crv } = await jose.exportJWK(publicKey);
      const spki = await jose.exportSPKI(publicKey);
      const again = await jose.importSPKI(spki, alg);
      const { payload, protectedHeader } = await jose.jwtVerify(token, again, { issuer: "urn:test" });
      const pkcs8 = await jose.exportPKCS8(privateKey);
      const key = await jose.importPKCS8(pkcs8, alg);
      return [kty, crv, payload, protectedHeader, key.type, spki.split("\n")[0]];
    });
  }
  for (const [alg, enc] of [["dir", "A256GCM"], ["A256KW", "A128CBC-HS256"], ["PBES2-HS256+A128KW", "A128GCM"]]) {
    await probe(`${alg} ${enc}`, async () => {
      const token = await new jose.EncryptJWT({ hidden: true }).setProtectedHeader({ alg, enc }).encrypt(secret);
      const { payload } = await jose.jwtDecrypt(token, secret, { keyManagementAlgorithms: [alg] });
      return [payload, token.split(".").length];
    });
  }
  for (const alg of ["RSA-OAEP-256", "ECDH-ES+A128KW"]) {
    await probe(alg, async () => {
      const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
      const text = await new jose.CompactEncrypt(new TextEncoder().encode("plain"))
        .setProtectedHeader({ alg, enc: "A256GCM" })
        .encrypt(publicKey);
      const { plaintext } = await jose.compactDecrypt(text, privateKey);
      return new TextDecoder().decode(plaintext);
    });
  }
  await probe("thumbprint", () => jose.calculateJwkThumbprint({ kty: "oct", k: "AAAA" }));
  await probe("expired", async () => {
    const token = await new jose.SignJWT({}).setProtectedHeader({ alg: "HS256" }).setExpirationTime(1).sign(secret);
    await jose.jwtVerify(token, secret);
  });
  await probe("tampered", async () => {
    const token = await new jose.SignJWT({}).setProtectedHeader({ alg: "HS256" }).sign(secret);
    await jose.jwtVerify(`${token.slice(0, -4)}AAAA`, secret);
  });
  await probe("wrong key", async () => {
    const token = await new jose.SignJWT({}).setProtectedHeader({ alg: "HS256" }).sign(secret);
    const { publicKey } = await jose.generateKeyPair("RS256");
    await jose.jwtVerify(token, publicKey);
  });
  await probe("a local set of keys", async () => {
    const { publicKey, privateKey } = await jose.generateKeyPair("ES256");
    const keys = jose.createLocalJWKSet({ keys: [{ ...(await jose.exportJWK(publicKey)), kid: "k", alg: "ES256" }] });
    const token = await new jose.SignJWT({ ok: 1 }).setProtectedHeader({ alg: "ES256", kid: "k" }).sign(privateKey);
    return (await jose.jwtVerify(token, keys)).payload;
  });
  return lines.join("\n");
}

export default { fetch: async () => new Response(await all()) };
