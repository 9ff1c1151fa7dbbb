// node:crypto. What takes long is bounded, since nothing stops the host's code in
// the middle of a calculation; and what Node does on other threads is done at
// once, so that its time is counted as the event's own.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView,
  ArrayPrototypeSlice,
  MathCeil,
  NumberIsInteger,
  ObjectAssign,
  ObjectDefineProperties,
  ObjectGetOwnPropertyDescriptors,
  Proxy,
  ReflectApply,
  RangeError,
  SafeArrayIterator,
  StringPrototypeStartsWith,
  Uint8Array,
  queueMicrotask,
} = primordials;
const base = core.loadExtScript("ext:deno_node/crypto.ts").default;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { codes } = core.loadExtScript("ext:deno_node/internal/errors.ts");
const { ERR_METHOD_NOT_IMPLEMENTED, notImplemented } = core.loadExtScript(
  "ext:outboard/node/errors.js",
);
const { validateFunction } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);
const { promisify } = core.loadExtScript("ext:deno_node/internal/util.mjs");

/** About a second each, on one core. */
const MOST_ROUNDS = 2_000_000;
const MOST_SCRYPT = 1 << 20;
const LARGEST_RSA = 4096;
const LARGEST_PRIME = 2048;
/** Given primes, in bytes: 10,000 bits, as OpenSSL has it. */
const LONGEST_PRIME = 1250;
/** Those to make keys with, as Workers have it. */
const LONGEST_KEY_PRIME = 1024;
const MOST_CHECKS = 256;

/** Bytes of digests: as many blocks of one as RFC 5869 allows are enough. */
const DIGESTS = {
  __proto__: null,
  md5: 16,
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
};

const exports = ObjectDefineProperties({}, ObjectGetOwnPropertyDescriptors(base));

function atMost(value, limit, name) {
  if (typeof value === "number" && value > limit) {
    throw new codes.ERR_OUT_OF_RANGE(name, `<= ${limit}`, value);
  }
}

/** The host cannot calculate modulo 0. */
function notZero(bytes, name) {
  let view;
  if (core.isAnyArrayBuffer(bytes)) view = new Uint8Array(bytes);
  else if (ArrayBufferIsView(bytes)) {
    view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } else return;
  for (let i = 0; i < view.length; i++) if (view[i] !== 0) return;
  throw new codes.ERR_OUT_OF_RANGE(name, ">= 1", 0);
}

const lengthOf = (data) =>
  typeof data === "string" ? data.length : data?.byteLength ?? 0;

const checks = {
  __proto__: null,
  checkPrime({ 0: candidate, 1: options }) {
    atMost(
      typeof candidate === "bigint"
        ? primordials.BigIntPrototypeToString(candidate, 16).length / 2
        : lengthOf(candidate),
      LONGEST_PRIME,
      "candidate.length",
    );
    // What is no 31-bit number is refused by Node's own check.
    if (options?.checks <= 0x7fffffff) {
      atMost(options.checks, MOST_CHECKS, "options.checks");
    }
  },
  generateKeyPair({ 1: options }) {
    atMost(options?.modulusLength, LARGEST_RSA, "options.modulusLength");
    atMost(options?.primeLength, LARGEST_PRIME, "options.primeLength");
    atMost(lengthOf(options?.prime), LONGEST_KEY_PRIME, "options.prime.length");
    notZero(options?.prime, "options.prime");
  },
  generatePrime({ 0: size }) {
    if (size <= 0x7fffffff) atMost(size, LARGEST_PRIME, "size");
  },
  pbkdf2({ 2: iterations, 3: length, 4: digest }) {
    if (!NumberIsInteger(iterations) || !NumberIsInteger(length)) return;
    const bytes = DIGESTS[digest];
    if (bytes !== undefined) atMost(length, 255 * bytes, "keylen");
    atMost(iterations, MOST_ROUNDS, "iterations");
    atMost(iterations * MathCeil(length / 16), MOST_ROUNDS * 4, "keylen");
  },
  scrypt({ 3: options }) {
    const cost = options?.N ?? options?.cost ?? 16384;
    const size = options?.r ?? options?.blockSize ?? 8;
    const lanes = options?.p ?? options?.parallelization ?? 1;
    // Told where the result would be: an error without a code.
    if (cost * size * lanes > MOST_SCRYPT) {
      throw new RangeError(`Scrypt cost exceeds limit: N * r * p > ${MOST_SCRYPT}`);
    }
  },
};

/** What its class calls with its arguments, however it is come by. */
function checkDiffieHellman({ 0: prime, 1: encoding }) {
  atMost(prime, LARGEST_PRIME, "sizeOrKey");
  atMost(lengthOf(prime), 2 * LONGEST_PRIME, "sizeOrKey.length");
  notZero(
    typeof prime === "string"
      ? Buffer.from(prime, typeof encoding === "string" ? encoding : "utf8")
      : prime,
    "sizeOrKey",
  );
}

function bounded(act, check) {
  return new Proxy(act, {
    __proto__: null,
    apply(target, self, args) {
      check(args);
      return ReflectApply(target, self, args);
    },
  });
}

for (const name in checks) {
  const sync = `${name}Sync`;
  if (base[sync] !== undefined) exports[sync] = bounded(base[sync], checks[name]);
}

const isForCaller = ({ code }) =>
  code === "ERR_OUT_OF_RANGE" || code === "ERR_MISSING_ARGS" ||
  (typeof code === "string" && StringPrototypeStartsWith(code, "ERR_INVALID_"));

/** The form with a callback, which is told in a microtask. */
function withCallback(name, results = (value) => [value]) {
  const sync = exports[`${name}Sync`];
  exports[name] = {
    [name](...args) {
      const callback = args[args.length - 1];
      // What is wrong with the others is said before that there is none.
      if (typeof callback !== "function") ReflectApply(sync, undefined, args);
      validateFunction(callback, "callback");
      let values;
      try {
        values = results(
          ReflectApply(sync, undefined, ArrayPrototypeSlice(args, 0, -1)),
        );
      } catch (error) {
        // What was wrong with the arguments is said at once.
        if (isForCaller(error)) throw error;
        queueMicrotask(() => callback(error));
        return;
      }
      queueMicrotask(() => callback(null, ...new SafeArrayIterator(values)));
    },
  }[name];
}
for (
  const name of new SafeArrayIterator([
    "checkPrime",
    "generateKey",
    "generatePrime",
    "hkdf",
    "pbkdf2",
    "scrypt",
  ])
) {
  withCallback(name);
}
withCallback("generateKeyPair", (pair) => [pair.publicKey, pair.privateKey]);
primordials.ObjectDefineProperty(exports.generateKeyPair, promisify.custom, {
  __proto__: null,
  value: async (type, options) => exports.generateKeyPairSync(type, options),
});

// Workers name the kinds of keys; and ciphers of passwords, which Node took away.
const { PrivateKeyObject, PublicKeyObject, SecretKeyObject } = core.loadExtScript(
  "ext:deno_node/internal/crypto/keys.ts",
);
function Cipher() {
  throw new ERR_METHOD_NOT_IMPLEMENTED("crypto.Cipher");
}
function Decipher() {
  throw new ERR_METHOD_NOT_IMPLEMENTED("crypto.Decipher");
}
const webcrypto = core.loadExtScript("ext:outboard/crypto.js");
ObjectAssign(exports, {
  Cipher,
  CryptoKey: webcrypto.CryptoKey,
  Decipher,
  PrivateKeyObject,
  PublicKeyObject,
  SecretKeyObject,
  createCipher: notImplemented("crypto.createCipher"),
  createDecipher: notImplemented("crypto.createDecipher"),
  pseudoRandomBytes: exports.randomBytes,
  subtle: webcrypto.crypto.subtle,
  webcrypto: webcrypto.crypto,
});

return { checkDiffieHellman, exports };
})();
