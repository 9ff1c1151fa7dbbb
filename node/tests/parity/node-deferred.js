/* flags: ["nodejs_compat"] */
// Classes and functions of Node's that are loaded late behave as if they were not.
import * as namespace from "node:crypto";
import crypto, { createSign, Sign, Verify, X509Certificate } from "node:crypto";
import process, { stderr, stdout } from "node:process";
import { Readable, Writable } from "node:stream";
import util, { isDeepStrictEqual, MIMEType, parseArgs } from "node:util";

const NAMES = [
  "Certificate", "Cipheriv", "Decipheriv", "DiffieHellman", "DiffieHellmanGroup", "ECDH",
  "Sign", "Verify", "X509Certificate",
];

function kinds() {
  return NAMES.map((name) => [
    name,
    typeof crypto[name],
    crypto[name] === namespace[name],
    crypto[name].name,
    typeof crypto[name].prototype,
    crypto[name].prototype.constructor === crypto[name],
    "prototype" in crypto[name],
    Object.getPrototypeOf(crypto[name].prototype) !== null,
  ]);
}

function instances() {
  const group = crypto.createDiffieHellmanGroup("modp14");
  const curve = crypto.createECDH("prime256v1");
  const sign = createSign("sha256");
  class Own extends Sign {}
  const { privateKey, publicKey } = crypto.generateKeyPairSync("ec", {
    namedCurve: "prime256v1",
  });
  const signature = new Own("sha256").update("text!").sign(privateKey);
  return [
    group instanceof crypto.DiffieHellmanGroup,
    curve instanceof crypto.ECDH,
    curve.constructor === crypto.ECDH,
    sign instanceof Sign,
    sign instanceof Verify,
    sign instanceof Writable,
    new Own("sha256") instanceof Sign,
    Object.getPrototypeOf(Own) === Sign,
    new Verify("sha256").update("text!").verify(publicKey, signature),
    crypto.createVerify("sha256").update("text").verify(publicKey, signature),
  ];
}

function refusals() {
  const told = (act) => {
    try {
      act();
      return "nothing";
    } catch (error) {
      return `${error.name} ${error.code}`;
    }
  };
  return [
    told(() => new X509Certificate("no certificate")),
    told(() => X509Certificate()),
    told(() => new (class extends X509Certificate {})(1)),
    told(() => crypto.scryptSync("a")),
  ];
}

function changes() {
  crypto.Sign.extra = 1;
  const had = [Sign.extra, Object.hasOwn(Sign, "extra"), Object.keys(Sign).includes("extra")];
  delete Sign.extra;
  Verify.prototype.extra = () => 2;
  const called = crypto.createVerify("sha256").extra();
  delete Verify.prototype.extra;
  return [had, Sign.extra, called];
}

async function ticks() {
  let count = 0;
  const { nextTick } = process;
  process.nextTick = (...args) => {
    count += 1;
    nextTick(...args);
  };
  const chunks = [];
  for await (const chunk of Readable.from(["a", "b"])) chunks.push(chunk);
  process.nextTick = nextTick;
  return [chunks, count > 0];
}

const probes = {
  "what changes": changes,
  "Sign.prototype's": () => Object.getOwnPropertyNames(Sign.prototype).includes("update"),
  "kinds": kinds,
  "instances": instances,
  "names": () => [crypto.pbkdf2Sync.name, isDeepStrictEqual.name, crypto.scryptSync.name],
  "lengths": () => [crypto.pbkdf2Sync.length, crypto.createSign.length, parseArgs.length],
  "isDeepStrictEqual": () => [isDeepStrictEqual([1], [1]), isDeepStrictEqual([1], [2])],
  "MIMEType": () => [
    `${new MIMEType("text/plain;charset=utf-8")}`,
    new util.MIMEType("a/b") instanceof MIMEType,
    new MIMEType("a/b").params instanceof util.MIMEParams,
  ],
  "refusals": refusals,
  "stdout": () => [
    stdout instanceof Writable, typeof stderr.write, stdout.fd, stderr.fd, stdout.writable,
    process.stdout instanceof Writable, "isTTY" in stdout, stdout.listenerCount("drain"),
  ],
  "nextTick that a script replaced": ticks,
};

export default {
  async fetch() {
    let text = "";
    for (const [name, probe] of Object.entries(probes)) {
      try {
        text += `${name}: ${JSON.stringify(await probe())}\n`;
      } catch (error) {
        text += `${name}: ${error}\n`;
      }
    }
    return new Response(text);
  },
};
