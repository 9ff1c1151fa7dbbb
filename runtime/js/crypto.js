// WebCrypto from deno_crypto, with what Workers add to it:
// `crypto.subtle.timingSafeEqual` and `crypto.DigestStream`.
(function () {
const { core, primordials } = __bootstrap;
const { op_md5, op_sha_digest, op_timing_safe_equal } = core.ops;
const {
  ArrayBufferIsView,
  ObjectDefineProperty,
  ObjectGetOwnPropertyDescriptor,
  ObjectKeys,
  ObjectPrototypeIsPrototypeOf,
  ReflectApply,
  SafeWeakSet,
  TypedArrayPrototypeGetBuffer,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetSymbolToStringTag,
  TypeError,
  Uint8Array,
  WeakSetPrototypeAdd,
  WeakSetPrototypeHas,
} = primordials;
const { domException, METHODS, nameOf, prepare } = core.loadExtScript(
  "ext:outboard/crypto_arguments.js",
);
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const base = core.loadExtScript("ext:deno_crypto/00_crypto.js");
const { Crypto, crypto, CryptoKey, SubtleCrypto } = base;
const { subtle } = crypto;

// Not Workers': key encapsulation is no standard yet.
const UNSERVED = [
  "decapsulateBits",
  "decapsulateKey",
  "encapsulateBits",
  "encapsulateKey",
  "getPublicKey",
];
for (let i = 0; i < UNSERVED.length; i++) {
  delete SubtleCrypto.prototype[UNSERVED[i]];
}

function asBytes(value) {
  return ArrayBufferIsView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
}

/** Whether another thread may write to the bytes while they are read. */
function isShared(value) {
  return core.isSharedArrayBuffer(ArrayBufferIsView(value) ? value.buffer : value);
}

function requireBuffer(value, method, parameter) {
  if (ArrayBufferIsView(value) || core.isAnyArrayBuffer(value)) return;
  throw new TypeError(
    `Failed to execute '${method}' on 'SubtleCrypto': parameter ${parameter} ` +
      "is not of type 'BufferSource'.",
  );
}

/** Randomness is an event's: a module's top level must run alike each time. */
function inEventOnly(name, check) {
  const method = Crypto.prototype[name];
  const wrapped = {
    [name](...args) {
      if (!ObjectPrototypeIsPrototypeOf(Crypto.prototype, this)) {
        throw new TypeError("Illegal invocation");
      }
      requireEvent();
      check(args[0]);
      return ReflectApply(method, this, args);
    },
  }[name];
  ObjectDefineProperty(Crypto.prototype, name, {
    __proto__: null,
    value: wrapped,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
inEventOnly("getRandomValues", checkRandomTarget);
inEventOnly("randomUUID", () => {});

/** The largest buffer that getRandomValues fills (Web Cryptography API, 10.1). */
const MAX_RANDOM = 65_536;

function checkRandomTarget(view) {
  const tag = ArrayBufferIsView(view)
    ? TypedArrayPrototypeGetSymbolToStringTag(view)
    : undefined;
  if (tag === undefined || tag === "Float32Array" || tag === "Float64Array" ||
    tag === "Float16Array") {
    throw domException(
      "ArrayBufferView argument to getRandomValues() must be an integer-typed " +
        "view.",
      "TypeMismatchError",
    );
  }
  const length = TypedArrayPrototypeGetByteLength(view);
  if (length > MAX_RANDOM) {
    throw domException(
      "getRandomValues() only accepts buffers of size <= 64K but provided " +
        `${length} bytes.`,
      "QuotaExceededError",
    );
  }
}

const UNKNOWN_DIGEST =
  "Unrecognized or unimplemented digest algorithm requested.";
const DIGESTS = {
  __proto__: null,
  "SHA-1": true,
  "SHA-256": true,
  "SHA-384": true,
  "SHA-512": true,
};
/** Node's name for Ed25519, from before it was a standard. */
const NODE_ED25519 = "NODE-ED25519";

/** Refuses what names no algorithm by the name of its error in Workers. */
function checkAlgorithm(algorithm) {
  const hash = algorithm?.hash;
  if (hash !== undefined && !(nameOf(hash) in DIGESTS)) {
    throw domException(UNKNOWN_DIGEST, "NotSupportedError");
  }
  const curve = algorithm?.namedCurve;
  if (curve !== undefined && curve !== "P-256" && curve !== "P-384" &&
    curve !== "P-521") {
    throw domException(
      `Unrecognized or unimplemented EC curve "${curve}" requested.`,
      "NotSupportedError",
    );
  }
}

/** Keys that were made by Node's name. */
const nodeKeys = new SafeWeakSet();
const { get: standardAlgorithm } = ObjectGetOwnPropertyDescriptor(
  CryptoKey.prototype,
  "algorithm",
);
ObjectDefineProperty(CryptoKey.prototype, "algorithm", {
  __proto__: null,
  get: {
    algorithm() {
      const algorithm = ReflectApply(standardAlgorithm, this, []);
      if (!WeakSetPrototypeHas(nodeKeys, this)) return algorithm;
      return { name: NODE_ED25519, namedCurve: NODE_ED25519 };
    },
  }.algorithm,
  enumerable: true,
  configurable: true,
});

/** Gives Node's name the standard's meaning; tells whether it was used. */
function translate(args) {
  let node = false;
  for (let i = 0; i < args.length; i++) {
    const name = typeof args[i] === "string" ? args[i] : args[i]?.name;
    if (name !== undefined && nameOf(`${name}`) === NODE_ED25519) {
      args[i] = "Ed25519";
      node = true;
    }
  }
  return node;
}

function mark(made) {
  WeakSetPrototypeAdd(nodeKeys, made.publicKey ?? made);
  if (made.privateKey !== undefined) WeakSetPrototypeAdd(nodeKeys, made.privateKey);
}

/** What is looked at beside the arguments themselves. */
const before = {
  __proto__: null,
  generateKey: (args) => checkAlgorithm(args[0]),
  importKey: (args) => {
    const format = args[0];
    if (format !== "raw" && format !== "pkcs8" && format !== "spki" &&
      format !== "jwk") {
      throw domException(
        `Unrecognized key import format "${format}".`,
        "NotSupportedError",
      );
    }
    checkAlgorithm(args[2]);
  },
};

const names = ObjectKeys(METHODS);
for (let i = 0; i < names.length; i++) {
  const name = names[i];
  const method = SubtleCrypto.prototype[name];
  const wrapped = {
    async [name](...args) {
      if (args.length < method.length) {
        return await ReflectApply(method, this, args);
      }
      if (name === "digest") requireBuffer(args[1], name, 2);
      prepare(name, args);
      // No standard's, but what old protocols still ask for.
      if (name === "digest" && !(nameOf(args[0]) in DIGESTS)) {
        if (nameOf(args[0]) === "MD5") {
          return TypedArrayPrototypeGetBuffer(op_md5(asBytes(args[1])));
        }
        throw domException(UNKNOWN_DIGEST, "NotSupportedError");
      }
      if (name === "digest" && this === subtle && !isShared(args[1])) {
        return TypedArrayPrototypeGetBuffer(
          op_sha_digest(nameOf(args[0]), asBytes(args[1])),
        );
      }
      const node = translate(args);
      before[name]?.(args);
      const made = await ReflectApply(method, this, args);
      if (node && (name === "generateKey" || name === "importKey")) mark(made);
      return made;
    },
  }[name];
  ObjectDefineProperty(wrapped, "length", {
    __proto__: null,
    value: method.length,
    configurable: true,
  });
  ObjectDefineProperty(SubtleCrypto.prototype, name, {
    __proto__: null,
    value: wrapped,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

ObjectDefineProperty(SubtleCrypto.prototype, "timingSafeEqual", {
  __proto__: null,
  value: function timingSafeEqual(a, b) {
    requireBuffer(a, "timingSafeEqual", 1);
    requireBuffer(b, "timingSafeEqual", 2);
    a = asBytes(a);
    b = asBytes(b);
    if (a.length !== b.length) {
      throw new TypeError("Input buffers must have the same byte length.");
    }
    return op_timing_safe_equal(a, b);
  },
  writable: true,
  enumerable: true,
  configurable: true,
});

const digestStream = () =>
  core.loadExtScript("ext:outboard/digest_stream.js").DigestStream;
ObjectDefineProperty(Crypto.prototype, "DigestStream", {
  __proto__: null,
  get: digestStream,
  enumerable: true,
  configurable: true,
});

return {
  Crypto,
  crypto,
  CryptoKey,
  get DigestStream() {
    return digestStream();
  },
  SubtleCrypto,
};
})();
