// node:crypto. What takes long is bounded, since nothing stops the host's code in
// the middle of a calculation; and what Node does on other threads is done at
// once, so that its time is counted as the event's own.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypeSlice,
  MathCeil,
  ObjectDefineProperties,
  ObjectGetOwnPropertyDescriptors,
  Proxy,
  ReflectApply,
  ReflectConstruct,
  SafeArrayIterator,
  queueMicrotask,
} = primordials;
const base = core.loadExtScript("ext:deno_node/crypto.ts").default;
const { codes } = core.loadExtScript("ext:deno_node/internal/errors.ts");
const { validateFunction } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);
const { promisify } = core.loadExtScript("ext:deno_node/internal/util.mjs");

/** About a second each, on one core. */
const MOST_ROUNDS = 2_000_000;
const MOST_SCRYPT = 1 << 22;
const LARGEST_RSA = 4096;
const LARGEST_PRIME = 2048;
/** Given primes, in bytes: 10,000 bits, as OpenSSL has it. */
const LONGEST_PRIME = 1250;
const MOST_CHECKS = 256;

const exports = ObjectDefineProperties({}, ObjectGetOwnPropertyDescriptors(base));

function atMost(value, limit, name) {
  if (typeof value === "number" && value > limit) {
    throw new codes.ERR_OUT_OF_RANGE(name, `<= ${limit}`, value);
  }
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
    atMost(options?.checks, MOST_CHECKS, "options.checks");
  },
  createDiffieHellman({ 0: prime }) {
    atMost(prime, LARGEST_PRIME, "sizeOrKey");
    atMost(lengthOf(prime), 2 * LONGEST_PRIME, "sizeOrKey.length");
  },
  generateKeyPair({ 1: options }) {
    atMost(options?.modulusLength, LARGEST_RSA, "options.modulusLength");
    atMost(options?.primeLength, LARGEST_PRIME, "options.primeLength");
    atMost(lengthOf(options?.prime), LONGEST_PRIME, "options.prime.length");
  },
  generatePrime({ 0: size }) {
    atMost(size, LARGEST_PRIME, "size");
  },
  pbkdf2({ 2: iterations, 3: length }) {
    if (typeof iterations !== "number" || typeof length !== "number") return;
    atMost(iterations, MOST_ROUNDS, "iterations");
    atMost(iterations * MathCeil(length / 16), MOST_ROUNDS * 4, "keylen");
  },
  scrypt({ 3: options }) {
    const cost = options?.N ?? options?.cost ?? 16384;
    const size = options?.r ?? options?.blockSize ?? 8;
    const lanes = options?.p ?? options?.parallelization ?? 1;
    atMost(cost * size * lanes, MOST_SCRYPT, "N * r * p");
  },
};

function bounded(act, check) {
  return new Proxy(act, {
    __proto__: null,
    apply(target, self, args) {
      check(args);
      return ReflectApply(target, self, args);
    },
    construct(target, args, newTarget) {
      check(args);
      return ReflectConstruct(target, args, newTarget);
    },
  });
}

for (const name in checks) {
  const sync = `${name}Sync`;
  if (base[sync] !== undefined) exports[sync] = bounded(base[sync], checks[name]);
}
exports.createDiffieHellman = bounded(
  base.createDiffieHellman,
  checks.createDiffieHellman,
);
exports.DiffieHellman = bounded(base.DiffieHellman, checks.createDiffieHellman);
exports.DiffieHellman.prototype.constructor = exports.DiffieHellman;

/** The form with a callback, which is told in a microtask. */
function withCallback(name, results = (value) => [value]) {
  const sync = exports[`${name}Sync`];
  exports[name] = {
    [name](...args) {
      const callback = args[args.length - 1];
      validateFunction(callback, "callback");
      const values = results(
        ReflectApply(sync, undefined, ArrayPrototypeSlice(args, 0, -1)),
      );
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

return { exports };
})();
