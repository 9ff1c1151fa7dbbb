// Headers (https://fetch.spec.whatwg.org/#headers-class), kept as one flat
// list of lower-case names and values: that is what crosses to the host, and
// most requests have too few headers for a map to win.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypePush,
  ArrayPrototypeSort,
  ArrayPrototypeSplice,
  ArrayPrototypeValues,
  FunctionPrototypeCall,
  ObjectDefineProperties,
  ObjectDefineProperty,
  ObjectGetOwnPropertyNames,
  ObjectGetPrototypeOf,
  ObjectKeys,
  RegExpPrototypeTest,
  SafeRegExp,
  StringPrototypeReplace,
  StringPrototypeToLowerCase,
  Symbol,
  SymbolIterator,
  SymbolToStringTag,
  TypeError,
} = primordials;

// Wider than a token (RFC 9110, 5.6.2), as Workers are: what cannot be sent is
// refused when it is sent.
const NAME = new SafeRegExp(
  "^[!#$%&'*+\\-.^_`|~0-9A-Za-z\\x80-\\uFFFF]*$",
);
const EDGE_SPACE = new SafeRegExp("^[\\t\\n\\r ]+|[\\t\\n\\r ]+$", "g");
// deno-lint-ignore no-control-regex
const BAD_VALUE = new SafeRegExp("[\\x00\\r\\n]");
const kHost = Symbol("host headers");

function toName(name) {
  name = `${name}`;
  if (!RegExpPrototypeTest(NAME, name)) {
    throw new TypeError("Invalid header name.");
  }
  return StringPrototypeToLowerCase(name);
}

function toValue(value) {
  value = StringPrototypeReplace(`${value}`, EDGE_SPACE, "");
  if (RegExpPrototypeTest(BAD_VALUE, value)) {
    throw new TypeError("Invalid header value.");
  }
  return value;
}

function illegalInvocation() {
  return new TypeError(
    "Illegal invocation: function called with incorrect `this` reference. See " +
      "https://developers.cloudflare.com/workers/observability/errors/" +
      "#illegal-invocation-errors for details.",
  );
}

function requireArguments(method, given, needed) {
  if (given < needed) {
    throw new TypeError(
      `Failed to execute '${method}' on 'Headers': parameter ${given + 1} is ` +
        "not of type 'string'.",
    );
  }
}

const kNext = Symbol("next");

/**
 * The iterators of a class, of which the standard says that they share a
 * prototype. One goes along with its list as that grows, also after its end
 * was seen once.
 */
function makeIterators(name) {
  const prototype = {
    // %IteratorPrototype%, above that of arrays' own.
    __proto__: ObjectGetPrototypeOf(
      ObjectGetPrototypeOf(ArrayPrototypeValues([])),
    ),
    next() {
      return this[kNext]();
    },
  };
  ObjectDefineProperty(prototype, SymbolToStringTag, {
    __proto__: null,
    value: name,
    configurable: true,
  });
  return (list, show) => {
    let at = 0;
    const iterator = { __proto__: prototype };
    ObjectDefineProperty(iterator, kNext, {
      __proto__: null,
      value: () =>
        at < list.length
          ? { value: show(list[at++]), done: false }
          : { value: undefined, done: true },
    });
    return iterator;
  };
}
const iterate = makeIterators("Headers Iterator");


class Headers {
  /** @type {string[]} name, value, name, value, ... */
  #list;
  #immutable = false;

  constructor(init = undefined) {
    if (init === kHost) {
      this.#list = arguments[1];
      this.#immutable = arguments[2];
      return;
    }
    this.#list = [];
    if (init === undefined) return;
    if (typeof init === "object" && init !== null && #list in init) {
      this.#list = copy(init.#list);
      return;
    }
    if (typeof init !== "object" && typeof init !== "function" || init === null) {
      throw new TypeError(
        "Failed to construct 'Headers': constructor parameter 1 is not of " +
          "type 'Headers or Sequence or object'.",
      );
    }
    if (typeof init[SymbolIterator] === "function") {
      // deno-lint-ignore prefer-primordials -- the caller's own iterator
      for (const pair of init) {
        // deno-lint-ignore prefer-primordials
        const [...entry] = pair;
        if (entry.length !== 2) {
          throw new TypeError(
            "To initialize a Headers object from a sequence, each inner " +
              "sequence must have exactly two elements.",
          );
        }
        this.#append(toName(entry[0]), toValue(entry[1]));
      }
    } else {
      const keys = ObjectKeys(init);
      for (let i = 0; i < keys.length; i++) {
        this.#append(toName(keys[i]), toValue(init[keys[i]]));
      }
    }
  }

  #append(name, value) {
    ArrayPrototypePush(this.#list, name, value);
  }

  append(name, value) {
    requireArguments("append", arguments.length, 2);
    const list = mutableListOf(this);
    ArrayPrototypePush(list, toName(name), toValue(value));
  }

  delete(name) {
    requireArguments("delete", arguments.length, 1);
    remove(mutableListOf(this), toName(name), 0);
  }

  get(name) {
    requireArguments("get", arguments.length, 1);
    return find(listOf(this), toName(name));
  }

  /** Workers' older spelling of getSetCookie, for `Set-Cookie` alone. */
  getAll(name) {
    if (toName(name) !== "set-cookie") {
      throw new TypeError(
        'getAll() can only be used with the header name "Set-Cookie".',
      );
    }
    return this.getSetCookie();
  }

  getSetCookie() {
    const list = listOf(this);
    const values = [];
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === "set-cookie") ArrayPrototypePush(values, list[i + 1]);
    }
    return values;
  }

  has(name) {
    requireArguments("has", arguments.length, 1);
    return find(listOf(this), toName(name)) !== null;
  }

  set(name, value) {
    requireArguments("set", arguments.length, 2);
    set(mutableListOf(this), toName(name), toValue(value));
  }

  forEach(callback, thisArg = undefined) {
    if (typeof callback !== "function") {
      throw new TypeError(
        "Failed to execute 'forEach' on 'Headers': parameter 1 is not of " +
          "type 'function'.",
      );
    }
    const entries = sorted(listOf(this));
    for (let i = 0; i < entries.length; i++) {
      FunctionPrototypeCall(
        callback,
        thisArg,
        entries[i][1],
        entries[i][0],
        this,
      );
    }
  }

  entries() {
    return iterate(sorted(listOf(this)), (entry) => entry);
  }

  keys() {
    return iterate(sorted(listOf(this)), (entry) => entry[0]);
  }

  values() {
    return iterate(sorted(listOf(this)), (entry) => entry[1]);
  }

  static listOf(headers) {
    if (!(#list in headers)) throw illegalInvocation();
    return headers.#list;
  }

  static mutableListOf(headers) {
    const list = listOf(headers);
    if (headers.#immutable) {
      throw new TypeError("Can't modify immutable headers.");
    }
    return list;
  }

  static is(value) {
    return typeof value === "object" && value !== null && #list in value;
  }
}

// Taken off the class at once: they are this room's, not the script's.
const { is: isHeaders, listOf, mutableListOf } = Headers;
delete Headers.is;
delete Headers.listOf;
delete Headers.mutableListOf;

ObjectDefineProperties(Headers.prototype, {
  [SymbolIterator]: {
    __proto__: null,
    value: Headers.prototype.entries,
    writable: true,
    configurable: true,
  },
  [SymbolToStringTag]: {
    __proto__: null,
    value: "Headers",
    configurable: true,
  },
});

/** Members of an interface can be listed (https://webidl.spec.whatwg.org/). */
function makeEnumerable(prototype) {
  const names = ObjectGetOwnPropertyNames(prototype);
  for (let i = 0; i < names.length; i++) {
    if (names[i] === "constructor") continue;
    ObjectDefineProperty(prototype, names[i], {
      __proto__: null,
      enumerable: true,
    });
  }
}
makeEnumerable(Headers.prototype);

function copy(list) {
  const out = [];
  for (let i = 0; i < list.length; i++) out[i] = list[i];
  return out;
}

/** The values of `name` in `list`, joined as HTTP joins them, or null. */
function find(list, name) {
  let found = null;
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) {
      found = found === null ? list[i + 1] : `${found}, ${list[i + 1]}`;
    }
  }
  return found;
}

function remove(list, name, from) {
  for (let i = list.length - 2; i >= from; i -= 2) {
    if (list[i] === name) ArrayPrototypeSplice(list, i, 2);
  }
}

function set(list, name, value) {
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) {
      list[i + 1] = value;
      remove(list, name, i + 2);
      return;
    }
  }
  ArrayPrototypePush(list, name, value);
}

/** Sorted and combined pairs; each Set-Cookie stays its own. */
function sorted(list) {
  const entries = [];
  const seen = { __proto__: null };
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i];
    if (name === "set-cookie") {
      ArrayPrototypePush(entries, [name, list[i + 1]]);
    } else if (name in seen) {
      seen[name][1] = `${seen[name][1]}, ${list[i + 1]}`;
    } else {
      ArrayPrototypePush(entries, seen[name] = [name, list[i + 1]]);
    }
  }
  return ArrayPrototypeSort(
    entries,
    (a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0,
  );
}

/** Headers over a list that the host made: no checks, no copy. */
function hostHeaders(list, immutable) {
  return new Headers(kHost, list, immutable);
}

/** Lets a class make of something else what it makes of a new object. */
function Made(of) {
  return of;
}

return {
  copyHeaderList: copy,
  findHeader: find,
  headerList: listOf,
  Headers,
  hostHeaders,
  illegalInvocation,
  isHeaders,
  Made,
  makeEnumerable,
  makeIterators,
  setHeader: set,
};
})();
