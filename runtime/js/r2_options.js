// What a script asks of an R2 bucket, checked and as workerd's protocol has it:
// numbers of 64 bits are texts, digests hexadecimal (MD5: base64).
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView,
  ArrayPrototypePush,
  DatePrototypeGetTime,
  DateParse,
  Error,
  MathTrunc,
  Number,
  NumberIsFinite,
  NumberPrototypeToString,
  ObjectKeys,
  RangeError,
  RegExpPrototypeTest,
  SafeArrayIterator,
  SafeRegExp,
  StringPrototypeEndsWith,
  StringPrototypeIndexOf,
  StringPrototypePadStart,
  StringPrototypeSlice,
  StringPrototypeStartsWith,
  StringPrototypeToWellFormed,
  TypeError,
  TypedArrayPrototypeGetByteLength,
  Uint8Array,
} = primordials;
const { viewBytes } = core.loadExtScript("ext:outboard/body.js");
const { findHeader, headerList, isHeaders } = core.loadExtScript(
  "ext:outboard/headers.js",
);

/** Of HTTP metadata that is text: the member, and the header that says it. */
const HTTP_TEXTS = [
  ["contentType", "content-type"],
  ["contentLanguage", "content-language"],
  ["contentDisposition", "content-disposition"],
  ["contentEncoding", "content-encoding"],
  ["cacheControl", "cache-control"],
];

/** Digests that a put can say: the option, its name, and its bytes. */
const DIGESTS = [
  ["md5", "MD5", 16],
  ["sha1", "SHA-1", 20],
  ["sha256", "SHA-256", 32],
  ["sha384", "SHA-384", 48],
  ["sha512", "SHA-512", 64],
];

const INCLUDES = { __proto__: null, httpMetadata: 0, customMetadata: 1 };

const HEX = new SafeRegExp("^[0-9a-fA-F]*$");
const KEY_HEX = new SafeRegExp("^[0-9a-f]+$");

/** A text whose UTF-8 is what other programs take for one. */
function text(value) {
  return StringPrototypeToWellFormed(`${value}`);
}

/** The options of a method, of which all may be missing. */
function optionsOf(value, method, position, type, of = "R2Bucket") {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" && typeof value !== "function") {
    throw new TypeError(
      `Failed to execute '${method}' on '${of}': parameter ${position} is not of type '${type}'.`,
    );
  }
  return value;
}

function wrongField(name, of, type) {
  return new TypeError(
    `Incorrect type for the '${name}' field on '${of}': the provided value is not of type '${type}'.`,
  );
}

/** A member that is a string where it is there. */
function textField(value, name, of) {
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw wrongField(name, of, "string");
  return text(value);
}

/** The bytes of a buffer or a view; undefined of anything else. */
function bytesOf(value) {
  if (core.isAnyArrayBuffer(value)) return new Uint8Array(value);
  return ArrayBufferIsView(value) ? viewBytes(value) : undefined;
}

function hexOf(bytes) {
  let hex = "";
  for (let i = 0; i < TypedArrayPrototypeGetByteLength(bytes); i++) {
    hex += StringPrototypePadStart(NumberPrototypeToString(bytes[i], 16), 2, "0");
  }
  return hex;
}

/** The bytes of an even number of digits. */
function bytesOfHex(hex) {
  const bytes = new Uint8Array(hex.length >> 1);
  for (let i = 0; i < hex.length >> 1; i++) {
    bytes[i] = Number(`0x${StringPrototypeSlice(hex, 2 * i, 2 * i + 2)}`);
  }
  return bytes;
}

/** Puts the fields of `range`, in the options of a get, into its request. */
function addRange(request, range) {
  if (range === undefined) return;
  if (isHeaders(range)) {
    const header = findHeader(headerList(range), "range");
    if (header !== null) request.rangeHeader = header;
    return;
  }
  if (typeof range !== "object" || range === null) {
    throw wrongField("range", "GetOptions", "Range or Headers");
  }
  const { offset, length, suffix } = range;
  const fields = {};
  if (offset !== undefined) {
    fields.offset = whole(offset, "offset", "range. Starting offset", "range. Starting offset");
  }
  if (length !== undefined) {
    fields.length = whole(length, "length", "range. Length", "range. Length");
  }
  if (suffix !== undefined) {
    if (offset !== undefined) throw new TypeError("Suffix is incompatible with offset.");
    if (length !== undefined) throw new TypeError("Suffix is incompatible with length.");
    fields.suffix = whole(suffix, "suffix", "suffix. Suffix", "range. Suffix");
  }
  request.range = fields;
}

function whole(value, name, negative, fraction) {
  const number = Number(value);
  if (number !== number) throw wrongField(name, "Range", "number");
  if (number < 0) {
    throw new RangeError(`Invalid ${negative} (${number}) must be greater than or equal to 0.`);
  }
  if (!NumberIsFinite(number) || MathTrunc(number) !== number) {
    throw new RangeError(
      `Invalid ${fraction} (${number}) must be an integer, not floating point.`,
    );
  }
  return `${number}`;
}

function timeField(value, name, of) {
  if (value === undefined) return undefined;
  const time = core.isDate(value) ? DatePrototypeGetTime(value) : value;
  if (typeof time !== "number" || !NumberIsFinite(time)) throw wrongField(name, of, "date");
  return MathTrunc(time);
}

/** The conditions of `onlyIf`: undefined where there are none. */
function conditional(onlyIf) {
  if (onlyIf === undefined) return undefined;
  if (isHeaders(onlyIf)) return conditionalOfHeaders(headerList(onlyIf));
  if (typeof onlyIf !== "object" || onlyIf === null) {
    throw wrongField("onlyIf", "GetOptions", "Conditional or Headers");
  }
  const fields = {};
  for (const name of new SafeArrayIterator(["etagMatches", "etagDoesNotMatch"])) {
    const etag = textField(onlyIf[name], name, "Conditional");
    if (etag === undefined) continue;
    if (StringPrototypeStartsWith(etag, '"') && StringPrototypeEndsWith(etag, '"')) {
      throw new TypeError(`Conditional ETag should not be wrapped in quotes (${etag}).`);
    }
    fields[name] = [etag === "*" ? { type: "wildcard" } : { value: etag, type: "strong" }];
  }
  const before = timeField(onlyIf.uploadedBefore, "uploadedBefore", "Conditional");
  const after = timeField(onlyIf.uploadedAfter, "uploadedAfter", "Conditional");
  addTimes(fields, before, after, !!onlyIf.secondsGranularity);
  return fields;
}

function addTimes(fields, before, after, seconds) {
  if (before !== undefined) fields.uploadedBefore = `${before}`;
  if (after !== undefined) fields.uploadedAfter = `${after}`;
  if (seconds && (before !== undefined || after !== undefined)) fields.secondsGranularity = true;
}

function conditionalOfHeaders(list) {
  const fields = {};
  const etags = (name, header) => {
    const value = findHeader(list, header);
    if (value === null) return;
    const found = parseEtags(value);
    if (found.length === 0) throw new Error(`Invalid ETag in ${header} header`);
    fields[name] = found;
  };
  etags("etagMatches", "if-match");
  etags("etagDoesNotMatch", "if-none-match");
  addTimes(
    fields,
    headerTime(list, "if-unmodified-since"),
    headerTime(list, "if-modified-since"),
    true,
  );
  return fields;
}

/** RFC 9110, 13.1.3: a date that is none says nothing. */
function headerTime(list, name) {
  const value = findHeader(list, name);
  const time = value === null ? NaN : DateParse(value);
  return time === time ? time : undefined;
}

/** The entity tags of a header (RFC 9110, 13.1.1); what is none ends them. */
function parseEtags(header) {
  const etags = [];
  let separated = true;
  let at = 0;
  const expectComma = (what, more = "") => {
    if (separated) return;
    throw new Error(`Comma was expected to separate etags. Encountered a ${what} instead.${more}`);
  };
  while (at < header.length) {
    const character = header[at];
    if (character === " " || character === "\t") {
      at++;
    } else if (character === ",") {
      separated = true;
      at++;
    } else if (character === "*") {
      expectComma("wildcard character '*'");
      return [{ type: "wildcard" }];
    } else if (character === '"' || character === "W") {
      const weak = character === "W";
      expectComma(
        weak ? "weak quotation character 'W'" : "double quote character '\"'",
        ` This would otherwise indicate the start of a new ${weak ? "weak" : "strong"} etag.`,
      );
      if (weak && StringPrototypeSlice(header, at, at + 3) !== 'W/"') {
        throw new Error("Weak etags must start with W/ and their value must be quoted");
      }
      const start = at + (weak ? 3 : 1);
      const end = StringPrototypeIndexOf(header, '"', start);
      if (end < 0) throw new Error("Unclosed double quote for Etag");
      const value = StringPrototypeSlice(header, start, end);
      ArrayPrototypePush(etags, { value, type: weak ? "weak" : "strong" });
      separated = false;
      at = end + 1;
    } else {
      return etags;
    }
  }
  return etags;
}

/**
 * HTTP metadata, as a script gives it.
 * @returns the members that are set, texts and `cacheExpiry` as milliseconds
 */
function httpMetadata(given) {
  if (given === undefined) return undefined;
  const fields = {};
  if (isHeaders(given)) {
    const list = headerList(given);
    for (let i = 0; i < HTTP_TEXTS.length; i++) {
      const { 0: name, 1: header } = HTTP_TEXTS[i];
      const value = findHeader(list, header);
      if (value !== null) fields[name] = value;
    }
    const expiry = headerTime(list, "expires");
    if (expiry !== undefined) fields.cacheExpiry = expiry;
    return fields;
  }
  if (typeof given !== "object" || given === null) {
    throw wrongField("httpMetadata", "PutOptions", "HttpMetadata or Headers");
  }
  for (let i = 0; i < HTTP_TEXTS.length; i++) {
    const { 0: name } = HTTP_TEXTS[i];
    const value = given[name];
    if (value !== undefined) fields[name] = text(value);
  }
  const expiry = timeField(given.cacheExpiry, "cacheExpiry", "HttpMetadata");
  if (expiry !== undefined) fields.cacheExpiry = expiry;
  return fields;
}

/** Custom metadata as pairs. */
function customMetadata(given) {
  if (given === undefined) return undefined;
  if (typeof given !== "object" || given === null) {
    throw wrongField("customMetadata", "PutOptions", "object");
  }
  const fields = [];
  const names = ObjectKeys(given);
  for (let i = 0; i < names.length; i++) {
    ArrayPrototypePush(fields, { k: text(names[i]), v: text(given[names[i]]) });
  }
  return fields;
}

/** What a put and a multipart upload say of the object alike. */
function addAttributes(request, options) {
  const custom = customMetadata(options.customMetadata);
  if (custom !== undefined) request.customFields = custom;
  const http = httpMetadata(options.httpMetadata);
  if (http !== undefined) {
    request.httpFields = http.cacheExpiry === undefined
      ? http
      : { ...http, cacheExpiry: `${http.cacheExpiry}` };
  }
  if (options.storageClass !== undefined) request.storageClass = text(options.storageClass);
  return { http: http ?? {}, custom: custom ?? [] };
}

function addDigest(request, options) {
  let given = false;
  for (let i = 0; i < DIGESTS.length; i++) {
    const { 0: option, 1: name, 2: size } = DIGESTS[i];
    const value = options[option];
    if (value === undefined) continue;
    if (given) throw new TypeError("You cannot specify multiple hashing algorithms.");
    given = true;
    const bytes = digest(value, option, name, size);
    request[option] = option === "md5" ? base64Of(bytes) : hexOf(bytes);
  }
}

function digest(value, option, name, size) {
  if (typeof value === "string") {
    if (value.length !== 2 * size) {
      throw new TypeError(`${name} is ${2 * size} hex characters, not ${value.length}`);
    }
    if (!RegExpPrototypeTest(HEX, value)) {
      throw new TypeError(`Provided ${name} wasn't a valid hex string`);
    }
    return bytesOfHex(value);
  }
  const bytes = bytesOf(value);
  if (bytes === undefined) {
    throw wrongField(option, "PutOptions", "BufferSource or string");
  }
  const length = TypedArrayPrototypeGetByteLength(bytes);
  if (length !== size) throw new TypeError(`${name} is ${size} bytes, not ${length}`);
  return bytes;
}

function base64Of(bytes) {
  const { forgivingBase64Encode } = core.loadExtScript("ext:deno_web/00_infra.js");
  return forgivingBase64Encode(bytes);
}

/** Puts a key of the customer's into a request. */
function addSsec(request, key) {
  if (key === undefined) return;
  const bytes = bytesOf(key);
  if (bytes !== undefined) {
    if (TypedArrayPrototypeGetByteLength(bytes) !== 32) {
      throw new Error("SSE-C Key must be 32 bytes in length");
    }
    request.ssec = { key: hexOf(bytes) };
    return;
  }
  const hex = `${key}`;
  if (!RegExpPrototypeTest(KEY_HEX, hex)) throw new Error("SSE-C Key has invalid format");
  if (hex.length !== 64) throw new Error("SSE-C Key must be 32 bytes in length");
  request.ssec = { key: hex };
}

/**
 * The fields of a list's options.
 * @returns {number[] | undefined} what to include, where the options say
 */
function addListing(request, options) {
  const of = "ListOptions";
  const { limit } = options;
  if (limit !== undefined) {
    const number = Number(limit);
    if (!NumberIsFinite(number)) {
      throw new TypeError("The value cannot be converted because it is not an integer.");
    }
    request.limit = MathTrunc(number) >>> 0;
  }
  for (const name of new SafeArrayIterator(["prefix", "cursor", "delimiter", "startAfter"])) {
    const value = textField(options[name], name, of);
    if (value !== undefined) request[name] = value;
  }
  if (options.include === undefined) return undefined;
  const include = [];
  for (const name of new SafeArrayIterator(options.include)) {
    const field = INCLUDES[name];
    if (field === undefined) throw new RangeError(`Unsupported include value ${name}`);
    ArrayPrototypePush(include, field);
  }
  return include;
}

return {
  addAttributes,
  addDigest,
  addListing,
  addRange,
  addSsec,
  bytesOf,
  bytesOfHex,
  conditional,
  hexOf,
  HTTP_TEXTS,
  optionsOf,
  text,
};
})();
