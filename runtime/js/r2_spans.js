// What streaming tail workers are told of a bucket's methods.
(function () {
const { core, primordials } = __bootstrap;
const { op_base64_decode, op_resource_name } = core.ops;
const {
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  Date,
  DatePrototypeToISOString,
  Number,
  ObjectEntries,
  SafeArrayIterator,
  TypedArrayPrototypeGetByteLength,
} = primordials;
const { hexOf, HTTP_TEXTS } = core.loadExtScript("ext:outboard/r2_options.js");
const { span } = core.loadExtScript("ext:outboard/spans.js");

const REQUEST = "cloudflare.r2.request.";
const RESPONSE = "cloudflare.r2.response.";
const CHECKSUMS = ["md5", "sha1", "sha256", "sha384", "sha512"];

/** `contentType` as `content_type`. */
const SPELLED = {
  __proto__: null,
  cacheControl: "cache_control",
  contentDisposition: "content_disposition",
  contentEncoding: "content_encoding",
  contentLanguage: "content_language",
  contentType: "content_type",
};

/**
 * Runs a method of a bucket as a span.
 * @param {{ number: number, name: string | undefined }} bucket
 * @param {object} of what of the request is known at once
 */
function told(bucket, method, operation, of, run) {
  return span(`r2_${method}`, (span) => {
    if (span === null) return run(null);
    span.set("cloudflare.binding.type", "r2");
    span.set("cloudflare.binding.name", bucket.name);
    span.set("cloudflare.r2.operation", operation);
    span.set("cloudflare.r2.bucket", op_resource_name(bucket.number));
    for (const { 0: name, 1: value } of new SafeArrayIterator(ObjectEntries(of))) {
      span.set(REQUEST + name, value);
    }
    return run(span);
  });
}

function etags(list) {
  const texts = ArrayPrototypeMap(list, ({ type, value }) => type === "wildcard" ? "*" : value);
  return ArrayPrototypeJoin(texts, ", ");
}

function iso(milliseconds) {
  return DatePrototypeToISOString(new Date(Number(milliseconds)));
}

/** What a request asks for, as the protocol has it. */
function tellRequest(span, request) {
  if (span === null) return;
  const say = (name, value) => span.set(REQUEST + name, value);
  const { onlyIf, range } = request;
  if (onlyIf !== undefined) {
    const { etagMatches, etagDoesNotMatch, uploadedBefore, uploadedAfter } = onlyIf;
    if (etagMatches !== undefined) say("only_if.etag_matches", etags(etagMatches));
    if (etagDoesNotMatch !== undefined) {
      say("only_if.etag_does_not_match", etags(etagDoesNotMatch));
    }
    if (uploadedBefore !== undefined) say("only_if.uploaded_before", iso(uploadedBefore));
    if (uploadedAfter !== undefined) say("only_if.uploaded_after", iso(uploadedAfter));
  }
  if (range !== undefined) {
    for (const name of new SafeArrayIterator(["offset", "length", "suffix"])) {
      if (range[name] !== undefined) say(`range.${name}`, Number(range[name]));
    }
  }
  say("range", request.rangeHeader);
  if (request.ssec !== undefined) say("ssec_key", true);
  if (request.customFields !== undefined) say("custom_metadata", true);
  if (request.httpFields !== undefined) {
    for (let i = 0; i < HTTP_TEXTS.length; i++) {
      const { 0: name } = HTTP_TEXTS[i];
      say(`http_metadata.${SPELLED[name]}`, request.httpFields[name]);
    }
    const expiry = request.httpFields.cacheExpiry;
    if (expiry !== undefined) say("http_metadata.cache_expiry", Number(expiry));
  }
  say("storage_class", request.storageClass);
  for (let i = 0; i < CHECKSUMS.length; i++) {
    const value = request[CHECKSUMS[i]];
    if (value === undefined) continue;
    say("checksum.type", CHECKSUMS[i]);
    // The protocol has this one in base64.
    say("checksum.value", CHECKSUMS[i] === "md5" ? hexOf(op_base64_decode(value)) : value);
  }
}

/** How many bytes are put; `value` as the host has it. */
function tellSize(span, { body, length }) {
  if (span === null || body === null) return;
  let size = length;
  if (typeof body === "string") {
    size = TypedArrayPrototypeGetByteLength(core.encode(body));
  } else if (typeof body === "object") {
    size = TypedArrayPrototypeGetByteLength(body);
  }
  if (size >= 0) span.set(`${REQUEST}size`, size);
}

function tellAnswer(span, { error }) {
  if (span === null) return;
  span.set(`${RESPONSE}success`, error === null);
  if (error === null) return;
  span.set("error.type", error.message);
  span.set("cloudflare.r2.error.message", error.message);
  span.set("cloudflare.r2.error.code", error.v4code);
}

/** Says something of the answer. */
function tell(span, name, value) {
  span?.set(RESPONSE + name, value);
}

/** @param {R2Object} object */
function tellObject(span, object) {
  if (span === null) return object;
  const say = (name, value) => span.set(RESPONSE + name, value);
  say("etag", object.etag);
  span.setNumber(`${RESPONSE}size`, object.size);
  say("uploaded", DatePrototypeToISOString(object.uploaded));
  const sums = object.checksums.toJSON();
  for (let i = 0; i < CHECKSUMS.length; i++) {
    say(`checksum.${CHECKSUMS[i]}`, sums[CHECKSUMS[i]]);
  }
  say("storage_class", object.storageClass);
  if (object.ssecKeyMd5 !== undefined) say("ssec_key", true);
  const http = object.httpMetadata;
  if (http !== undefined) {
    for (let i = 0; i < HTTP_TEXTS.length; i++) {
      const { 0: name } = HTTP_TEXTS[i];
      say(SPELLED[name], http[name]);
    }
    if (http.cacheExpiry !== undefined) {
      say("cache_expiry", DatePrototypeToISOString(http.cacheExpiry));
    }
  }
  if (object.customMetadata !== undefined) say("custom_metadata", true);
  return object;
}

return { tell, tellAnswer, tellObject, tellRequest, tellSize, told };
})();
