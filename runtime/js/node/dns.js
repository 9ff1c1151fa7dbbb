// node:dns: questions to a public resolver over HTTPS, by fetch(). Names are
// resolved there for what a script wants to know; connections resolve theirs
// where they leave.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayPrototypeConcat,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  ArrayPrototypePop,
  ArrayPrototypePush,
  Error,
  NumberParseInt,
  ObjectAssign,
  ObjectKeys,
  PromisePrototypeThen,
  PromiseResolve,
  RegExpPrototypeExec,
  SafeArrayIterator,
  SafePromiseAll,
  SafeRegExp,
  StringPrototypeEndsWith,
  StringPrototypeSlice,
  StringPrototypeSplit,
  StringPrototypeToLowerCase,
  encodeURIComponent,
} = primordials;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const {
  validateBoolean,
  validateFunction,
  validateNumber,
  validateOneOf,
  validateString,
} = core.loadExtScript("ext:deno_node/internal/validators.mjs");
const { ERR_OPTION_NOT_IMPLEMENTED } = core.loadExtScript(
  "ext:outboard/node/errors.js",
);
const { isIP } = core.loadExtScript("ext:outboard/node/net/address.js");
const { nextTick } = core.loadExtScript("ext:outboard/node/ticks.js");
const { fetch } = core.loadExtScript("ext:outboard/fetch.js");

const RESOLVER = "https://cloudflare-dns.com/dns-query";
const SERVERS = ["1.1.1.1", "2606:4700:4700::1111", "1.0.0.1", "2606:4700:4700::1001"];

const errorCodes = {
  NODATA: "ENODATA",
  FORMERR: "EFORMERR",
  SERVFAIL: "ESERVFAIL",
  NOTFOUND: "ENOTFOUND",
  NOTIMP: "ENOTIMP",
  REFUSED: "EREFUSED",
  BADQUERY: "EBADQUERY",
  BADNAME: "EBADNAME",
  BADFAMILY: "EBADFAMILY",
  BADRESP: "EBADRESP",
  CONNREFUSED: "ECONNREFUSED",
  TIMEOUT: "ETIMEOUT",
  EOF: "EOF",
  FILE: "EFILE",
  NOMEM: "ENOMEM",
  DESTRUCTION: "EDESTRUCTION",
  BADSTR: "EBADSTR",
  BADFLAGS: "EBADFLAGS",
  NONAME: "ENONAME",
  BADHINTS: "EBADHINTS",
  NOTINITIALIZED: "ENOTINITIALIZED",
  LOADIPHLPAPI: "ELOADIPHLPAPI",
  ADDRGETNETWORKPARAMS: "EADDRGETNETWORKPARAMS",
  CANCELLED: "ECANCELLED",
};
const hints = { ADDRCONFIG: 1024, ALL: 256, V4MAPPED: 2048 };

class DnsError extends Error {
  constructor(hostname, code, syscall) {
    super(`${syscall} ${code} ${hostname}`);
    this.code = code;
    this.errno = undefined;
    this.hostname = hostname;
    this.syscall = syscall;
  }
}

const syscallOf = (type) =>
  `query${type[0]}${StringPrototypeToLowerCase(StringPrototypeSlice(type, 1))}`;

/** The answers to a question: [{ data, TTL }]. */
async function query(name, type) {
  const syscall = syscallOf(type);
  const bad = () => new DnsError(name, errorCodes.BADRESP, syscall);
  let response;
  try {
    response = await fetch(
      `${RESOLVER}?name=${encodeURIComponent(name)}&type=${type}`,
      { headers: { accept: "application/dns-json" } },
    );
  } catch {
    throw new DnsError(name, errorCodes.BADQUERY, syscall);
  }
  if (!response.ok) throw bad();
  let json;
  try {
    json = await response.json();
  } catch {
    throw new DnsError(name, errorCodes.BADQUERY, syscall);
  }
  if (json.error !== undefined || json.Question?.[0] === undefined) throw bad();
  const { Answer: answers } = json;
  if (answers === undefined || answers.length === 0 || answers[0].name === "") {
    throw new DnsError(name, errorCodes.NOTFOUND, syscall);
  }
  return answers;
}

const withoutDot = (name) =>
  StringPrototypeEndsWith(name, ".") ? StringPrototypeSlice(name, 0, -1) : name;

const words = (data) => StringPrototypeSplit(data, " ");
const number = (text) => NumberParseInt(text, 10);

/** The bytes of a record in the form for unknown types (RFC 3597, 5). */
function recordBytes(data) {
  const match = RegExpPrototypeExec(GENERIC, data);
  if (match === null) return null;
  return Buffer.from(ArrayPrototypeJoin(StringPrototypeSplit(match[1], " "), ""), "hex");
}
const GENERIC = new SafeRegExp("^\\\\# [0-9]+ ([0-9a-fA-F ]*)$");
const CAA = new SafeRegExp('^([0-9]+) ([a-z0-9]+) "?(.*?)"?$');
const NAPTR = new SafeRegExp(
  '^([0-9]+) ([0-9]+) "([^"]*)" "([^"]*)" "([^"]*)" (\\S+)$',
);

function parseCaa({ data }) {
  const bytes = recordBytes(data);
  if (bytes !== null) {
    const end = 2 + bytes[1];
    return {
      critical: bytes[0],
      [bytes.toString("latin1", 2, end)]: bytes.toString("utf8", end),
    };
  }
  const match = RegExpPrototypeExec(CAA, data);
  if (match === null) throw new Error(`not a CAA record: ${data}`);
  return { critical: number(match[1]), [match[2]]: match[3] };
}

function parseNaptr({ data }) {
  const bytes = recordBytes(data);
  if (bytes === null) {
    const match = RegExpPrototypeExec(NAPTR, data);
    if (match === null) throw new Error(`not a NAPTR record: ${data}`);
    return {
      flags: match[3],
      service: match[4],
      regexp: match[5],
      replacement: withoutDot(match[6]),
      order: number(match[1]),
      preference: number(match[2]),
    };
  }
  let at = 4;
  const text = () => {
    const end = at + 1 + bytes[at];
    const value = bytes.toString("utf8", at + 1, end);
    at = end;
    return value;
  };
  const flags = text();
  const service = text();
  const regexp = text();
  const labels = [];
  while (bytes[at] > 0) ArrayPrototypePush(labels, text());
  return {
    flags,
    service,
    regexp,
    replacement: ArrayPrototypeJoin(labels, "."),
    order: bytes.readUInt16BE(0),
    preference: bytes.readUInt16BE(2),
  };
}

function parseSoa({ data }) {
  const [nsname, hostmaster, serial, refresh, retry, expire, minttl] = words(data);
  return {
    nsname: withoutDot(nsname),
    hostmaster: withoutDot(hostmaster),
    serial: number(serial),
    refresh: number(refresh),
    retry: number(retry),
    expire: number(expire),
    minttl: number(minttl),
  };
}

const QUOTED = new SafeRegExp('"([^"]|"(?!"))*"', "g");

/** The strings of a TXT record, which are in quotes one after another. */
function parseTxt({ data }) {
  if (data[0] !== '"' || !StringPrototypeEndsWith(data, '"')) return [data];
  const strings = [];
  QUOTED.lastIndex = 0;
  for (let match; (match = RegExpPrototypeExec(QUOTED, data)) !== null;) {
    ArrayPrototypePush(strings, StringPrototypeSlice(match[0], 1, -1));
  }
  return strings;
}

const parsers = {
  __proto__: null,
  CAA: parseCaa,
  CNAME: ({ data }) => withoutDot(data),
  MX({ data }) {
    const [priority, exchange] = words(data);
    return { exchange: withoutDot(exchange), priority: number(priority) };
  },
  NAPTR: parseNaptr,
  NS: ({ data }) => withoutDot(data),
  PTR: ({ data }) => withoutDot(data),
  SRV({ data }) {
    const [priority, weight, port, name] = words(data);
    return {
      name: withoutDot(name),
      port: number(port),
      priority: number(priority),
      weight: number(weight),
    };
  },
  TXT: parseTxt,
};

function ask(name, type) {
  validateString(name, "name");
  const parse = parsers[type];
  return PromisePrototypeThen(query(name, type), (answers) => {
    try {
      return ArrayPrototypeMap(answers, (answer) => parse(answer));
    } catch {
      throw new DnsError(name, errorCodes.BADRESP, syscallOf(type));
    }
  });
}

function addresses(name, type, options) {
  validateString(name, "name");
  const ttl = !!options?.ttl;
  return PromisePrototypeThen(
    query(name, type),
    (answers) =>
      ArrayPrototypeMap(
        answers,
        ({ data, TTL }) => ttl ? { ttl: TTL, address: data } : data,
      ),
  );
}

async function notThere() {
  throw new Error("Not implemented");
}

const byPromise = {
  resolve4: (name, options) => addresses(name, "A", options),
  resolve6: (name, options) => addresses(name, "AAAA", options),
  resolveAny: notThere,
  resolveCaa: (name) => ask(name, "CAA"),
  resolveCname: (name) => ask(name, "CNAME"),
  resolveMx: (name) => ask(name, "MX"),
  resolveNaptr: (name) => ask(name, "NAPTR"),
  resolveNs: (name) => ask(name, "NS"),
  resolvePtr: (name) => ask(name, "PTR"),
  resolveSoa(name) {
    validateString(name, "name");
    return PromisePrototypeThen(query(name, "SOA"), (answers) => parseSoa(answers[0]));
  },
  resolveSrv: (name) => ask(name, "SRV"),
  resolveTxt: (name) => ask(name, "TXT"),
  reverse: (name) => ask(name, "PTR"),
  lookupService: notThere,
  resolve(name, type) {
    validateString(name, "name");
    const method = type === "A" ? "resolve4" : type === "AAAA" ? "resolve6"
      : METHOD_OF[type];
    if (method === undefined) {
      throw new codes.ERR_INVALID_ARG_VALUE("rrtype", type);
    }
    return byPromise[method](name);
  },
};
const METHOD_OF = {
  __proto__: null,
  ANY: "resolveAny",
  CAA: "resolveCaa",
  CNAME: "resolveCname",
  MX: "resolveMx",
  NAPTR: "resolveNaptr",
  NS: "resolveNs",
  PTR: "resolvePtr",
  SOA: "resolveSoa",
  SRV: "resolveSrv",
  TXT: "resolveTxt",
};

let order = "verbatim";
const ORDERS = ["verbatim", "ipv4first", "ipv6first"];
const FAMILIES = [0, 4, 6];

/** What lookup's options say: {all, family, first}. */
function lookupOptions(options) {
  let family = 0;
  if (typeof options === "number") {
    validateOneOf(options, "family", FAMILIES);
    return { all: false, family: options, first: order };
  }
  if (options?.hints !== undefined && options.hints !== null) {
    validateNumber(options.hints, "options.hints");
    throw new ERR_OPTION_NOT_IMPLEMENTED("options.hints");
  }
  if (options?.family !== undefined && options.family !== null) {
    if (options.family === "IPv4") family = 4;
    else if (options.family === "IPv6") family = 6;
    else {
      validateOneOf(options.family, "options.family", FAMILIES);
      family = options.family;
    }
  }
  const all = options?.all ?? false;
  validateBoolean(all, "options.all");
  let first = order;
  if (options?.verbatim !== undefined && options.verbatim !== null) {
    validateBoolean(options.verbatim, "options.verbatim");
    first = options.verbatim ? "verbatim" : "ipv4first";
  }
  if (options?.order !== undefined && options.order !== null) {
    validateOneOf(options.order, "options.order", ORDERS);
    first = options.order;
  }
  return { all, family, first };
}

/** All addresses of a host, as lookup's options order them. */
async function find(hostname, { family, first }) {
  const of = async (type, kind) =>
    ArrayPrototypeMap(
      await query(hostname, type),
      ({ data }) => ({ address: data, family: kind }),
    );
  if (family === 4) return of("A", 4);
  if (family === 6) return of("AAAA", 6);
  const none = () => [];
  const [four, six] = await SafePromiseAll([
    PromisePrototypeThen(of("A", 4), undefined, none),
    PromisePrototypeThen(of("AAAA", 6), undefined, none),
  ]);
  const found = first === "ipv6first"
    ? ArrayPrototypeConcat(six, four)
    : ArrayPrototypeConcat(four, six);
  if (found.length === 0) {
    throw new DnsError(hostname, errorCodes.NOTFOUND, "queryA");
  }
  return found;
}

function lookup(hostname, options, callback) {
  if (hostname) validateString(hostname, "hostname");
  if (typeof options === "function") {
    callback = options;
    options = undefined;
  }
  validateFunction(callback, "callback");
  if (
    options !== undefined && typeof options !== "number" &&
    typeof options !== "object"
  ) {
    throw new codes.ERR_INVALID_ARG_TYPE("options", ["integer", "object"], options);
  }
  const wanted = lookupOptions(options);
  const give = (list) => {
    if (wanted.all) nextTick(callback, null, list);
    else nextTick(callback, null, list[0].address, list[0].family);
  };
  if (!hostname) {
    if (wanted.all) give([]);
    else nextTick(callback, null, null, wanted.family === 6 ? 6 : 4);
    return;
  }
  const family = isIP(hostname);
  if (family !== 0) give([{ address: hostname, family }]);
  else {
    PromisePrototypeThen(
      find(hostname, wanted),
      give,
      (error) => nextTick(callback, error),
    );
  }
}

/** The form with a callback of a function that gives a promise. */
function callbackify(name) {
  const method = byPromise[name];
  return {
    [name](...args) {
      const callback = ArrayPrototypePop(args);
      validateFunction(callback, "callback");
      PromisePrototypeThen(
        method(...new SafeArrayIterator(args)),
        (value) => nextTick(callback, null, value),
        (error) => nextTick(callback, error),
      );
    },
  }[name];
}

const byCallback = {};
for (const name of new SafeArrayIterator(ObjectKeys(byPromise))) {
  byCallback[name] = callbackify(name);
}

const shared = {
  getDefaultResultOrder: () => order,
  getServers: () => ArrayPrototypeConcat(SERVERS),
  setDefaultResultOrder(value) {
    validateOneOf(value, "dnsOrder", ORDERS);
    order = value;
  },
  setServers() {
    throw new Error("Not implemented");
  },
};

/** A resolver has the methods, and asks the same servers as all do. */
function resolverOf(methods) {
  class Resolver {
    cancel() {
      throw new Error("Not implemented");
    }
    setLocalAddress() {
      throw new Error("Not implemented");
    }
  }
  ObjectAssign(Resolver.prototype, methods, {
    getServers: shared.getServers,
    setServers: shared.setServers,
  });
  delete Resolver.prototype.lookupService;
  return Resolver;
}

const promises = {
  ...shared,
  ...byPromise,
  ...errorCodes,
  ...hints,
  Resolver: resolverOf(byPromise),
  lookup(hostname, options) {
    if (hostname) validateString(hostname, "hostname");
    const wanted = lookupOptions(options);
    const give = (list) => wanted.all ? list : list[0];
    if (!hostname) {
      return PromiseResolve(
        wanted.all ? [] : { address: null, family: wanted.family === 6 ? 6 : 4 },
      );
    }
    const family = isIP(hostname);
    return family === 0
      ? PromisePrototypeThen(find(hostname, wanted), give)
      : PromiseResolve(give([{ address: hostname, family }]));
  },
};

return {
  promises,
  exports: {
    ...shared,
    ...byCallback,
    ...errorCodes,
    ...hints,
    Resolver: resolverOf(byCallback),
    lookup,
    promises,
  },
};
})();
