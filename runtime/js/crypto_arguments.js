// What a script gives to `crypto.subtle`, read once and before the engine looks
// at it: an algorithm or a key is any object, whose getters may do anything,
// and the engine's own conversions must not run a script.
(function () {
const { core, primordials } = __bootstrap;
const { op_ec_pair_matches } = core.ops;
const {
  ArrayBufferIsView,
  ArrayPrototypeIncludes,
  ArrayPrototypePush,
  SafeArrayIterator,
  StringPrototypeStartsWith,
  StringPrototypeToUpperCase,
  SymbolIterator,
  TypeError,
  Uint8Array,
} = primordials;

function domException(message, name) {
  const { DOMException } = core.loadExtScript("ext:deno_web/01_dom_exception.js");
  return new DOMException(message, name);
}

function isObject(value) {
  return (typeof value === "object" && value !== null) ||
    typeof value === "function";
}

const NUMBERS = [
  "length",
  "tagLength",
  "iterations",
  "saltLength",
  "modulusLength",
];
const OTHERS = [
  "iv",
  "additionalData",
  "counter",
  "label",
  "public",
  "salt",
  "info",
  "publicExponent",
  "context",
];

/** The name of an algorithm, given by its name or as an object with it. */
function nameOf(algorithm) {
  return StringPrototypeToUpperCase(
    `${isObject(algorithm) ? algorithm.name : algorithm}`,
  );
}

function algorithm(value) {
  if (!isObject(value)) return value;
  const copy = { __proto__: null };
  const { name, hash, namedCurve } = value;
  if (name !== undefined) copy.name = `${name}`;
  if (hash !== undefined) {
    copy.hash = isObject(hash) ? { __proto__: null, name: `${hash.name}` } : hash;
  }
  if (namedCurve !== undefined) copy.namedCurve = `${namedCurve}`;
  for (let i = 0; i < NUMBERS.length; i++) {
    const member = value[NUMBERS[i]];
    if (member !== undefined) {
      copy[NUMBERS[i]] = isObject(member) ? +member : member;
    }
  }
  for (let i = 0; i < OTHERS.length; i++) {
    const member = value[OTHERS[i]];
    if (member !== undefined) copy[OTHERS[i]] = member;
  }
  return copy;
}

function usages(value) {
  if (!isObject(value) || typeof value[SymbolIterator] !== "function") {
    return value;
  }
  const copy = [];
  for (const usage of new SafeArrayIterator([...value])) {
    ArrayPrototypePush(copy, `${usage}`);
  }
  return copy;
}

const text = (value) => isObject(value) ? `${value}` : value;
const number = (value) => isObject(value) ? +value : value;
const flag = (value) => !!value;

/** Bytes. Those of a buffer that is gone are none. */
function bytes(value) {
  if (ArrayBufferIsView(value) || core.isAnyArrayBuffer(value)) {
    return value.byteLength === 0 ? new Uint8Array(0) : value;
  }
  return value;
}

const JWK = [
  "kty", "use", "alg", "crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq",
  "qi", "k", "pub", "priv",
];

function keyData(value) {
  if (!isObject(value)) return value;
  if (ArrayBufferIsView(value) || core.isAnyArrayBuffer(value)) {
    return bytes(value);
  }
  const copy = { __proto__: null };
  for (let i = 0; i < JWK.length; i++) {
    const member = value[JWK[i]];
    if (member !== undefined) copy[JWK[i]] = `${member}`;
  }
  const { ext, key_ops, oth } = value;
  if (ext !== undefined) copy.ext = !!ext;
  if (key_ops !== undefined) copy.key_ops = usages(key_ops);
  // Keys of more than two primes are refused: that they are there is enough.
  if (oth !== undefined) copy.oth = [];
  return copy;
}

/** A method's parameters; none: it is a key, which cannot be looked into. */
const parameters = {
  __proto__: null,
  encrypt: [algorithm, undefined, bytes],
  decrypt: [algorithm, undefined, bytes],
  sign: [algorithm, undefined, bytes],
  verify: [algorithm, undefined, bytes, bytes],
  digest: [algorithm, bytes],
  generateKey: [algorithm, flag, usages],
  deriveBits: [algorithm, undefined, number],
  deriveKey: [algorithm, undefined, algorithm, flag, usages],
  importKey: [text, keyData, algorithm, flag, usages],
  exportKey: [text],
  wrapKey: [text, undefined, undefined, algorithm],
  unwrapKey: [text, bytes, undefined, algorithm, algorithm, flag, usages],
};

// What Workers check themselves, and in which words.

const RSA = ["RSASSA-PKCS1-V1_5", "RSA-PSS", "RSA-OAEP"];
const RSA_JWK = {
  __proto__: null,
  "RSASSA-PKCS1-V1_5": ["RS1", "RS256", "RS384", "RS512"],
  "RSA-PSS": ["PS1", "PS256", "PS384", "PS512"],
  "RSA-OAEP": ["RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512"],
};

const GCM_TAGS = [32, 64, 96, 104, 112, 120, 128];

function checkCipher(algorithm, ciphertext) {
  const name = nameOf(algorithm);
  if (!isObject(algorithm) || (name !== "AES-GCM" && name !== "AES-CBC")) return;
  const { iv } = algorithm;
  if (iv === undefined) throw new TypeError('Missing field "iv" in "algorithm".');
  if (name === "AES-CBC") {
    if (iv.byteLength !== undefined && iv.byteLength !== 16) {
      throw domException(
        `AES-CBC IV must be 16 bytes long (provided ${iv.byteLength} bytes).`,
        "OperationError",
      );
    }
    return;
  }
  if (iv.byteLength === 0) {
    throw domException("AES-GCM IV must not be empty.", "OperationError");
  }
  const { tagLength = 128 } = algorithm;
  if (!ArrayPrototypeIncludes(GCM_TAGS, tagLength)) {
    throw domException(`Invalid AES-GCM tag length ${tagLength}.`, "OperationError");
  }
  const bits = ciphertext?.byteLength * 8;
  if (bits < tagLength) {
    throw domException(
      `Ciphertext length of ${bits} bits must be greater than or equal to the ` +
        `size of the AES-GCM tag length of ${tagLength} bits.`,
      "OperationError",
    );
  }
}

/** Which lengths of AES keys there are, in bits. */
const AES_LENGTHS = [128, 192, 256];

function checkGenerated(algorithm) {
  const name = nameOf(algorithm);
  const { length } = algorithm;
  if (
    StringPrototypeStartsWith(name, "AES-") && length !== undefined &&
    !ArrayPrototypeIncludes(AES_LENGTHS, length)
  ) {
    throw domException(
      `Generated AES key length must be 128, 192, or 256 bits but requested ${length}.`,
      "OperationError",
    );
  }
  if (name === "HMAC" && length === 0) {
    throw domException(
      "HMAC key length must be a non-zero unsigned long integer (requested 0).",
      "OperationError",
    );
  }
  if (ArrayPrototypeIncludes(RSA, name)) checkRsa(algorithm);
}

function checkRsa(algorithm) {
  const { modulusLength } = algorithm;
  if (
    modulusLength !== undefined &&
    !(modulusLength >= 256 && modulusLength <= 16_384 && modulusLength % 8 === 0)
  ) {
    throw domException(
      "The modulus length must be a multiple of 8 and between 256 and 16k, but " +
        `${modulusLength} was requested.`,
      "OperationError",
    );
  }
  const exponent = algorithm.publicExponent;
  if (!ArrayBufferIsView(exponent)) return;
  let value = 0;
  for (let i = 0; i < exponent.length; i++) value = value * 256 + exponent[i];
  if (value === 3 || value === 65_537) return;
  throw domException(
    'The "publicExponent" must be either 3 or 65537, but got ' +
      (value < 2 ** 32 ? `${value}.` : "a number larger than 2^32."),
    "OperationError",
  );
}

function checkDerived(algorithm, length) {
  if (nameOf(algorithm) !== "PBKDF2") return;
  if (typeof length === "number" && length % 8 !== 0) {
    throw domException(
      `PBKDF2 requires a derived key length that is a multiple of eight (requested ${length}).`,
      "OperationError",
    );
  }
  if (algorithm.iterations === 0) {
    throw domException(
      "PBKDF2 requires a positive iteration count (requested 0).",
      "OperationError",
    );
  }
}

function checkKey(format, key, algorithm) {
  const name = nameOf(algorithm);
  if (format === "raw" && name === "HMAC" && key?.byteLength === 0) {
    throw domException(
      "Imported HMAC key length (0) must be a non-zero value up to 7 bits less than, " +
        "and no greater than, the bit length of the raw key data (0).",
      "DataError",
    );
  }
  if (format === "raw" && StringPrototypeStartsWith(name, "AES-")) {
    const length = key?.byteLength;
    if (length !== undefined && length !== 16 && length !== 24 && length !== 32) {
      throw domException(
        "Imported AES key length must be 128, 192, or 256 bits but provided " +
          `${length * 8}.`,
        "DataError",
      );
    }
  }
  if (format !== "jwk" || !isObject(key)) return;
  const { alg, crv, d, kty, x, y } = key;
  const known = RSA_JWK[name];
  if (
    kty === "RSA" && known !== undefined && alg !== undefined &&
    !ArrayPrototypeIncludes(known, alg)
  ) {
    throw domException(
      `Unrecognized or unimplemented algorithm "${alg}" listed in JSON Web Key ` +
        "Algorithm parameter.",
      "NotSupportedError",
    );
  }
  if (
    kty === "EC" && d !== undefined && x !== undefined && y !== undefined &&
    !op_ec_pair_matches(`${crv}`, d, x, y)
  ) {
    throw domException(
      "Invalid EC key: its private and public parts are not of one key.",
      "DataError",
    );
  }
}

const checks = {
  __proto__: null,
  encrypt: (args) => checkCipher(args[0]),
  decrypt: (args) => checkCipher(args[0], args[2]),
  wrapKey: (args) => checkCipher(args[3]),
  unwrapKey: (args) => checkCipher(args[3], args[1]),
  generateKey: (args) => checkGenerated(args[0]),
  deriveBits: (args) => checkDerived(args[0], args[2]),
  importKey: (args) => checkKey(args[0], args[1], args[2]),
};

/** Makes `args` of the method `name` plain, and checks them. */
function prepare(name, args) {
  const convert = parameters[name];
  for (let i = 0; i < args.length && i < convert.length; i++) {
    if (convert[i] !== undefined) args[i] = convert[i](args[i]);
  }
  checks[name]?.(args);
}

return { domException, nameOf, prepare, METHODS: parameters };
})();
