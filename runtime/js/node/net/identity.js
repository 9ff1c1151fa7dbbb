// tls.checkServerIdentity: whether a certificate is for a host, by RFC 6125.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayIsArray,
  ArrayPrototypeIncludes,
  ArrayPrototypeJoin,
  ArrayPrototypePush,
  ArrayPrototypeSome,
  JSONParse,
  RegExpPrototypeExec,
  RegExpPrototypeTest,
  SafeArrayIterator,
  SafeRegExp,
  StringPrototypeEndsWith,
  StringPrototypeIncludes,
  StringPrototypeIndexOf,
  StringPrototypeReplace,
  StringPrototypeSlice,
  StringPrototypeSplit,
  StringPrototypeStartsWith,
  StringPrototypeToLowerCase,
} = primordials;
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { isIP, isIPv6 } = core.loadExtScript("ext:outboard/node/net/address.js");
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");

const LAST_DOT = new SafeRegExp("\\.$");
const NOT_ASCII = new SafeRegExp("[^!-\\x7f]", "u");
const QUOTED = new SafeRegExp(
  '^"(?:[^"\\\\\\u0000-\\u001f]|\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4}))*"',
);

const labelsOf = (name) =>
  StringPrototypeSplit(
    StringPrototypeToLowerCase(StringPrototypeReplace(name, LAST_DOT, "")),
    ".",
  );

/** An address in the one form by which it is compared. */
function canonical(address) {
  return isIPv6(address)
    ? StringPrototypeSlice(new URL(`http://[${address}]`).hostname, 1, -1)
    : address;
}

/** The entries of a list in which a name that is no plain one is quoted. */
function altNames(list) {
  if (!StringPrototypeIncludes(list, '"')) return StringPrototypeSplit(list, ", ");
  const names = [];
  let name = "";
  for (let at = 0; at < list.length;) {
    const rest = StringPrototypeSlice(list, at);
    const comma = StringPrototypeIndexOf(rest, ",");
    const quote = StringPrototypeIndexOf(rest, '"');
    if (quote >= 0 && (comma < 0 || quote < comma)) {
      const match = RegExpPrototypeExec(QUOTED, StringPrototypeSlice(rest, quote));
      if (match === null) throw new codes.ERR_TLS_CERT_ALTNAME_FORMAT();
      name += StringPrototypeSlice(rest, 0, quote) + JSONParse(match[0]);
      at += quote + match[0].length;
      continue;
    }
    name += comma < 0 ? rest : StringPrototypeSlice(rest, 0, comma);
    if (comma < 0) break;
    ArrayPrototypePush(names, name);
    name = "";
    at += comma + 2;
  }
  ArrayPrototypePush(names, name);
  return names;
}

/** Whether a pattern of a certificate is for the host of these labels. */
function matches(host, pattern) {
  if (!pattern) return false;
  const labels = labelsOf(pattern);
  if (labels.length !== host.length || ArrayPrototypeIncludes(labels, "")) {
    return false;
  }
  for (let n = 0; n < labels.length; n++) {
    if (RegExpPrototypeTest(NOT_ASCII, labels[n])) return false;
    if (n > 0 && labels[n] !== host[n]) return false;
  }
  // A wildcard is one, in the first label, of a domain with two more at least.
  const parts = StringPrototypeSplit(labels[0], "*", 3);
  if (parts.length === 1 || StringPrototypeIncludes(labels[0], "xn--")) {
    return labels[0] === host[0];
  }
  if (parts.length > 2 || labels.length <= 2) return false;
  const [before, after] = parts;
  return before.length + after.length <= host[0].length &&
    StringPrototypeStartsWith(host[0], before) &&
    StringPrototypeEndsWith(host[0], after);
}

function checkServerIdentity(hostname, cert) {
  const host = StringPrototypeReplace(`${hostname}`, LAST_DOT, "");
  const names = [];
  const addresses = [];
  for (
    const name of new SafeArrayIterator(
      cert.subjectaltname ? altNames(cert.subjectaltname) : [],
    )
  ) {
    if (StringPrototypeStartsWith(name, "DNS:")) {
      ArrayPrototypePush(names, StringPrototypeSlice(name, 4));
    } else if (StringPrototypeStartsWith(name, "IP Address:")) {
      ArrayPrototypePush(addresses, canonical(StringPrototypeSlice(name, 11)));
    }
  }
  const cn = cert.subject?.CN;
  const labels = labelsOf(host);
  const isFor = (pattern) => matches(labels, pattern);
  let reason;
  if (isIP(host)) {
    if (ArrayPrototypeIncludes(addresses, canonical(host))) return undefined;
    reason = `IP: ${host} is not in the cert's list: ` +
      ArrayPrototypeJoin(addresses, ", ");
  } else if (names.length > 0) {
    if (ArrayPrototypeSome(names, isFor)) return undefined;
    reason = `Host: ${host}. is not in the cert's altnames: ${cert.subjectaltname}`;
  } else if (cn) {
    if (ArrayIsArray(cn) ? ArrayPrototypeSome(cn, isFor) : isFor(cn)) {
      return undefined;
    }
    reason = `Host: ${host}. is not cert's CN: ${cn}`;
  } else reason = "Cert does not contain a DNS name";
  return new codes.ERR_TLS_CERT_ALTNAME_INVALID(reason, host, cert);
}

return { checkServerIdentity };
})();
