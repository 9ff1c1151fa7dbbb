// Internet addresses: what is one, and node:net's classes for them.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIsArray,
  ArrayPrototypePush,
  ArrayPrototypeSome,
  BigInt,
  JSONParse,
  MathTrunc,
  NumberParseInt,
  RegExpPrototypeExec,
  RegExpPrototypeTest,
  SafeArrayIterator,
  SafeRegExp,
  StringPrototypeIndexOf,
  StringPrototypeSlice,
  StringPrototypeSplit,
  StringPrototypeToLowerCase,
} = primordials;
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { validateInt32, validateObject, validatePort, validateString, validateUint32 } =
  core.loadExtScript("ext:deno_node/internal/validators.mjs");

const BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const IPV4 = new SafeRegExp(`^(?:${BYTE}\\.){3}${BYTE}$`);
const GROUP = new SafeRegExp("^[0-9a-fA-F]{1,4}$");
const ZONE = new SafeRegExp("^[-0-9a-zA-Z.:]+$");

function isIPv4(value) {
  return RegExpPrototypeTest(IPV4, `${value}`);
}

/** The eight groups of an IPv6 address, or null where it is none. */
function groupsOf(text) {
  const percent = StringPrototypeIndexOf(text, "%");
  if (percent >= 0) {
    const zone = StringPrototypeSlice(text, percent + 1);
    if (!RegExpPrototypeTest(ZONE, zone)) return null;
    text = StringPrototypeSlice(text, 0, percent);
  }
  const halves = StringPrototypeSplit(text, "::");
  if (halves.length > 2) return null;
  const groups = [];
  let fill = -1;
  for (let i = 0; i < halves.length; i++) {
    if (i === 1) fill = groups.length;
    if (halves[i] === "") {
      if (halves.length === 1) return null;
      continue;
    }
    const parts = StringPrototypeSplit(halves[i], ":");
    for (let n = 0; n < parts.length; n++) {
      const last = i === halves.length - 1 && n === parts.length - 1;
      if (last && isIPv4(parts[n])) {
        const number = ipv4Number(parts[n]);
        ArrayPrototypePush(groups, MathTrunc(number / 65536), number % 65536);
      } else if (RegExpPrototypeTest(GROUP, parts[n])) {
        ArrayPrototypePush(groups, NumberParseInt(parts[n], 16));
      } else return null;
    }
  }
  if (fill < 0) return groups.length === 8 ? groups : null;
  if (groups.length > 7) return null;
  const all = [];
  for (let n = 0; n < fill; n++) ArrayPrototypePush(all, groups[n]);
  for (let n = groups.length; n < 8; n++) ArrayPrototypePush(all, 0);
  for (let n = fill; n < groups.length; n++) ArrayPrototypePush(all, groups[n]);
  return all;
}

function ipv4Number(text) {
  let number = 0;
  for (const part of new SafeArrayIterator(StringPrototypeSplit(text, "."))) {
    number = number * 256 + NumberParseInt(part, 10);
  }
  return number;
}

function isIPv6(value) {
  return groupsOf(`${value}`) !== null;
}

function isIP(value) {
  return isIPv4(value) ? 4 : isIPv6(value) ? 6 : 0;
}

/** An address as a number, IPv4 as the IPv6 address that is mapped to it. */
function toNumber(address, family) {
  if (family === "ipv4") return 0xffff00000000n + BigInt(ipv4Number(address));
  let number = 0n;
  for (const group of new SafeArrayIterator(groupsOf(address))) {
    number = number * 65536n + BigInt(group);
  }
  return number;
}

const HOST_AND_PORT = new SafeRegExp(
  "^(?:\\[([^\\]]+)\\]|([0-9.]+))(?::([0-9]{1,5}))?$",
);

class SocketAddress {
  #address;
  #family;
  #flowlabel;
  #port;

  constructor(options = {}) {
    validateObject(options, "options");
    let { family = "ipv4" } = options;
    if (typeof family === "string") family = StringPrototypeToLowerCase(family);
    const {
      address = family === "ipv6" ? "::" : "127.0.0.1",
      port = 0,
      flowlabel = 0,
    } = options;
    if (family !== "ipv4" && family !== "ipv6") {
      throw new codes.ERR_INVALID_ARG_VALUE("options.family", options.family);
    }
    validateString(address, "options.address");
    validatePort(port, "options.port");
    validateUint32(flowlabel, "options.flowlabel", false);
    if (!(family === "ipv4" ? isIPv4(address) : isIPv6(address))) {
      throw new codes.ERR_INVALID_ADDRESS();
    }
    this.#address = address;
    this.#family = family;
    this.#flowlabel = flowlabel;
    this.#port = port | 0;
  }

  static isSocketAddress(value) {
    return typeof value === "object" && value !== null && #address in value;
  }

  static parse(input) {
    validateString(input, "input");
    const match = RegExpPrototypeExec(HOST_AND_PORT, input);
    if (match === null) return undefined;
    const port = match[3] === undefined ? 0 : NumberParseInt(match[3], 10);
    const family = match[1] === undefined ? "ipv4" : "ipv6";
    const address = match[1] ?? match[2];
    if (port > 65535) return undefined;
    if (!(family === "ipv4" ? isIPv4(address) : isIPv6(address))) {
      return undefined;
    }
    return new SocketAddress({ address, family, port });
  }

  get address() {
    return this.#address;
  }
  get family() {
    return this.#family;
  }
  get flowlabel() {
    return this.#flowlabel;
  }
  get port() {
    return this.#port;
  }
  toJSON() {
    const { address, family, flowlabel, port } = this;
    return { address, port, family, flowlabel };
  }
}

const RULE = new SafeRegExp(
  "^(Address|Range|Subnet): (IPv4|IPv6) ([0-9a-fA-F.:]+)" +
    "(?:-([0-9a-fA-F.:]+)|/([0-9]{1,3}))?$",
);

class BlockList {
  /** {first, last, text} of numbers, by which an address is found. */
  #ranges = [];

  static isBlockList(value) {
    return typeof value === "object" && value !== null && #ranges in value;
  }

  get rules() {
    const rules = [];
    for (let n = this.#ranges.length - 1; n >= 0; n--) {
      ArrayPrototypePush(rules, this.#ranges[n].text);
    }
    return rules;
  }

  addAddress(address, family = "ipv4") {
    const at = read(address, family, "address");
    this.#add(at.number, at.number, `Address: ${at.kind} ${at.address}`);
  }

  addRange(start, end, family = "ipv4") {
    const first = read(start, family, "start");
    const last = read(end, family, "end");
    if (first.number > last.number) {
      throw new codes.ERR_INVALID_ARG_VALUE("start", start, "must come before end");
    }
    this.#add(
      first.number,
      last.number,
      `Range: ${first.kind} ${first.address}-${last.address}`,
    );
  }

  addSubnet(network, prefix, family = "ipv4") {
    const at = read(network, family, "network");
    const bits = at.kind === "IPv4" ? 32 : 128;
    validateInt32(prefix, "prefix", 0, bits);
    const size = 1n << BigInt(bits - prefix);
    const first = at.number - at.number % size;
    this.#add(first, first + size - 1n, `Subnet: ${at.kind} ${at.address}/${prefix}`);
  }

  check(address, family = "ipv4") {
    let number;
    if (SocketAddress.isSocketAddress(address)) {
      number = toNumber(address.address, address.family);
    } else {
      validateString(address, "address");
      validateString(family, "family");
      const kind = StringPrototypeToLowerCase(family);
      if (kind !== "ipv4" && kind !== "ipv6") {
        throw new codes.ERR_INVALID_ARG_VALUE("family", family);
      }
      if (!(kind === "ipv4" ? isIPv4(address) : isIPv6(address))) return false;
      number = toNumber(address, kind);
    }
    return ArrayPrototypeSome(
      this.#ranges,
      ({ first, last }) => first <= number && number <= last,
    );
  }

  toJSON() {
    return this.rules;
  }

  /** Adds the rules of a list, as `rules` gives them, or of its JSON. */
  fromJSON(data) {
    if (typeof data === "string") data = JSONParse(data);
    if (!ArrayIsArray(data)) {
      throw new codes.ERR_INVALID_ARG_TYPE("value", ["string", "string[]"], data);
    }
    for (const text of new SafeArrayIterator(data)) {
      const match = RegExpPrototypeExec(RULE, text);
      if (match === null) throw new codes.ERR_INVALID_ARG_VALUE("data", data);
      const { 2: kind, 3: first, 4: last, 5: prefix } = match;
      const family = StringPrototypeToLowerCase(kind);
      if (match[1] === "Address") this.addAddress(first, family);
      else if (match[1] === "Range") this.addRange(first, last, family);
      else this.addSubnet(first, NumberParseInt(prefix, 10), family);
    }
  }

  #add(first, last, text) {
    ArrayPrototypePush(this.#ranges, { first, last, text });
  }
}

function read(address, family, name) {
  if (!SocketAddress.isSocketAddress(address)) {
    validateString(address, name);
    validateString(family, "family");
    if (isIP(address) === 0) throw new codes.ERR_INVALID_IP_ADDRESS(address);
    address = new SocketAddress({ address, family });
  }
  return {
    address: address.address,
    kind: address.family === "ipv4" ? "IPv4" : "IPv6",
    number: toNumber(address.address, address.family),
  };
}

return { BlockList, isIP, isIPv4, isIPv6, SocketAddress };
})();
