// R2Bucket: each of its methods is a request to what keeps the bucket, in workerd's
// own protocol. What is asked is JSON, in a header of a GET and before the value in
// the body of a PUT; so is what is answered, before the object's bytes.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_body_behind,
  op_body_cancel,
  op_body_head,
  op_body_length,
  op_body_text,
  op_fetch_send,
  op_fetch_wait,
} = core.ops;
const {
  ArrayIsArray,
  ArrayPrototypeJoin,
  ArrayPrototypeMap,
  ArrayPrototypePush,
  Error,
  JSONParse,
  JSONStringify,
  MathTrunc,
  ObjectDefineProperty,
  ObjectEntries,
  ObjectPrototypeIsPrototypeOf,
  SafeArrayIterator,
  SafeRegExp,
  StringPrototypeReplace,
  TypeError,
} = primordials;
const { streamLength } = core.loadExtScript("ext:outboard/body.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { markUncloneable } = core.loadExtScript("ext:outboard/not_serializable.js");
const { findHeader, illegalInvocation, makeEnumerable } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { kOwn, named, objectOf, objectOfPut, objectWithBody, requireOwn } = core
  .loadExtScript("ext:outboard/r2_objects.js");
const {
  addAttributes,
  addDigest,
  addListing,
  addRange,
  addSsec,
  bytesOf,
  conditional,
  optionsOf,
  text,
} = core.loadExtScript("ext:outboard/r2_options.js");

const { tell, tellAnswer, tellObject, tellRequest, tellSize, told } = core.loadExtScript(
  "ext:outboard/r2_spans.js",
);

const PLACE = "https://fake-host/";
const VERSION = 1;

/** What an answer may have before the object's bytes. */
const MOST_METADATA = 1 << 20;

const NO_SUCH_KEY = 10007;
const PRECONDITIONS = [10031, 10032];

// deno-lint-ignore no-control-regex
const DELETE = new SafeRegExp("\\x7f", "g");

/** What came of a request: JSON of the object's, a body's rid, an error. */
class Answer {
  constructor(status, error, metadata, rid) {
    this.status = status;
    /** @type {{ v4code: number, message: string } | null} */
    this.error = error;
    this.metadata = metadata;
    this.rid = rid;
  }

  get isMissing() {
    return this.status === 404 && this.error.v4code === NO_SUCH_KEY;
  }

  get isRefused() {
    return this.status === 412 &&
      (this.error.v4code === PRECONDITIONS[0] || this.error.v4code === PRECONDITIONS[1]);
  }

  throwIfError(action) {
    if (this.error === null) return;
    throw new Error(`${action}: ${this.error.message} (${this.error.v4code})`);
  }

  fields() {
    if (this.metadata === null) throw new Error("The bucket's answer has no metadata.");
    return JSONParse(this.metadata);
  }
}

/** Asks for what is there. The answer's body is whoever has it to end. */
async function ask(bucket, request) {
  const event = requireEvent();
  const json = StringPrototypeReplace(JSONStringify(request), DELETE, "\\u007f");
  const headers = ["cf-r2-request", json];
  const sent = op_fetch_send(
    event.id,
    bucket,
    "GET",
    PLACE,
    headers,
    null,
    -1,
    false,
    false,
    null,
  );
  const answer = await op_fetch_wait(sent);
  const size = findHeader(answer.headers, "cf-r2-metadata-size");
  let metadata = null;
  if (size !== null && answer.body >= 0) {
    const bytes = +size;
    if (!(bytes >= 0 && bytes <= MOST_METADATA)) {
      op_body_cancel(answer.body);
      throw new Error("The bucket's answer has metadata of a wrong size.");
    }
    metadata = await op_body_head(answer.body, bytes);
  }
  return new Answer(answer.status, errorOf(answer), metadata, answer.body);
}

/** The same, of which no body is wanted. */
async function askAll(bucket, request) {
  const answer = await ask(bucket, request);
  if (answer.rid >= 0) op_body_cancel(answer.rid);
  return answer;
}

/** Asks for a change, with the value behind it as `valueForHost` has it. */
async function change(bucket, request, value = NOTHING) {
  const event = requireEvent();
  const json = JSONStringify(request);
  const body = op_body_behind(event.id, json, value.body, value.length);
  const headers = ["cf-r2-metadata-size", `${core.encode(json).length}`];
  const sent = op_fetch_send(
    event.id,
    bucket,
    "PUT",
    PLACE,
    headers,
    body,
    -1,
    false,
    false,
    null,
  );
  const answer = await op_fetch_wait(sent);
  const metadata = answer.body >= 0 ? await op_body_text(answer.body) : "";
  return new Answer(answer.status, errorOf(answer), metadata === "" ? null : metadata, -1);
}

function errorOf(answer) {
  if (answer.status < 400) return null;
  const header = findHeader(answer.headers, "cf-r2-error");
  if (header === null) return { v4code: 0, message: "Unspecified error" };
  const { v4code = 0, message = "" } = JSONParse(header);
  return { v4code, message };
}

const NOTHING = { body: null, length: -1 };

/** A value for the host: text, bytes or a stream of known length. */
function valueForHost(value, method, of) {
  if (value === undefined || value === null) return NOTHING;
  if (typeof value === "string") return { body: value, length: -1 };
  const bytes = bytesOf(value);
  if (bytes !== undefined) return { body: bytes, length: -1 };
  const streams = core.loadExtScript("ext:deno_web/06_streams.js");
  if (ObjectPrototypeIsPrototypeOf(streams.ReadableStreamPrototype, value)) {
    return streamForHost(streams, value);
  }
  const { BlobPrototype } = core.loadExtScript("ext:deno_web/09_file.js");
  if (ObjectPrototypeIsPrototypeOf(BlobPrototype, value)) {
    const { size } = value;
    return { body: streams.resourceForReadableStream(value.stream(), size), length: size };
  }
  throw new TypeError(
    `Failed to execute '${method}' on '${of}': parameter 2 is not of type ` +
      "'JsReadableStream or ArrayBuffer or ArrayBufferView or string or Blob'.",
  );
}

function streamForHost(streams, stream) {
  if (stream.locked) {
    throw new TypeError("This ReadableStream is currently locked to a reader.");
  }
  const backing = streams.isReadableStreamDisturbed(stream)
    ? null
    : streams.getReadableStreamResourceBacking(stream);
  const known = streamLength(stream) ?? (backing ? op_body_length(backing.rid) : -1);
  if (known < 0) {
    throw new TypeError(
      "Provided readable stream must have a known length (request/response body or readable " +
        "half of FixedLengthStream)",
    );
  }
  if (!backing) {
    return { body: streams.resourceForReadableStream(stream, known), length: known };
  }
  // Bytes of the host's go back to it without a visit to the script, which has a
  // stream that somebody else reads.
  const { rid } = backing;
  streams.readableStreamDisturb(stream);
  streams.acquireReadableStreamDefaultReader(stream);
  return { body: rid, length: known };
}

function requireArguments(count, needed, method, of = "R2Bucket") {
  if (count >= needed) return;
  throw new TypeError(
    `Failed to execute '${method}' on '${of}': parameter ${count + 1} is not of type 'string'.`,
  );
}

class R2Bucket {
  /** The host's number for the bucket. */
  #bucket;
  /** Its name in `env`. */
  #name;

  constructor(key, bucket, name) {
    requireOwn(key);
    this.#bucket = bucket;
    this.#name = name;
  }

  /** Runs a method as a span. */
  #told(method, operation, of, run) {
    return told({ number: this.#bucket, name: this.#name }, method, operation, of, run);
  }

  async head(key) {
    if (!(#bucket in this)) throw illegalInvocation();
    requireArguments(arguments.length, 1, "head");
    key = text(key);
    return await this.#told("head", "HeadObject", { key }, async (span) => {
      const request = { version: VERSION, method: "head", object: key };
      const answer = await askAll(this.#bucket, request);
      tellAnswer(span, answer);
      if (answer.isMissing) return null;
      answer.throwIfError("head");
      return tellObject(span, objectOf(answer.fields()));
    });
  }

  async get(key, options = undefined) {
    if (!(#bucket in this)) throw illegalInvocation();
    requireArguments(arguments.length, 1, "get");
    key = text(key);
    return await this.#told("get", "GetObject", { key }, async (span) => {
      const request = { version: VERSION, method: "get", object: key };
      const given = optionsOf(options, "get", 2, "GetOptions");
      const onlyIf = conditional(given.onlyIf);
      if (onlyIf !== undefined) request.onlyIf = onlyIf;
      addRange(request, given.range);
      addSsec(request, given.ssecKey);
      tellRequest(span, request);
      const answer = await ask(this.#bucket, request);
      tellAnswer(span, answer);
      if (answer.error === null) {
        return tellObject(span, objectWithBody(answer.fields(), answer.rid));
      }
      if (answer.rid >= 0) op_body_cancel(answer.rid);
      if (answer.isMissing) return null;
      if (!answer.isRefused) answer.throwIfError("get");
      return tellObject(span, objectOf(answer.fields()));
    });
  }

  async put(key, value, options = undefined) {
    if (!(#bucket in this)) throw illegalInvocation();
    requireArguments(arguments.length, 2, "put");
    key = text(key);
    return await this.#told("put", "PutObject", { key }, async (span) => {
      const request = { version: VERSION, method: "put", object: key };
      const given = optionsOf(options, "put", 3, "PutOptions");
      const onlyIf = conditional(given.onlyIf);
      if (onlyIf !== undefined) request.onlyIf = onlyIf;
      const sent = addAttributes(request, given);
      addDigest(request, given);
      addSsec(request, given.ssecKey);
      tellRequest(span, request);
      const part = valueForHost(value, "put", "R2Bucket");
      tellSize(span, part);
      const answer = await change(this.#bucket, request, part);
      tellAnswer(span, answer);
      if (answer.isRefused) return null;
      answer.throwIfError("put");
      return tellObject(span, objectOfPut(answer.fields(), sent));
    });
  }

  async createMultipartUpload(key, options = undefined) {
    if (!(#bucket in this)) throw illegalInvocation();
    requireArguments(arguments.length, 1, "createMultipartUpload");
    key = text(key);
    const method = "createMultipartUpload";
    return await this.#told(method, "CreateMultipartUpload", { key }, async (span) => {
      const request = { version: VERSION, method, object: key };
      const given = optionsOf(options, method, 2, "MultipartOptions");
      addAttributes(request, given);
      addSsec(request, given.ssecKey);
      tellRequest(span, request);
      const answer = await change(this.#bucket, request);
      tellAnswer(span, answer);
      answer.throwIfError(method);
      const { uploadId } = answer.fields();
      tell(span, "upload_id", uploadId);
      return new R2MultipartUpload(kOwn, this.#bucket, key, uploadId, this.#name);
    });
  }

  resumeMultipartUpload(key, uploadId) {
    if (!(#bucket in this)) throw illegalInvocation();
    requireArguments(arguments.length, 2, "resumeMultipartUpload");
    return new R2MultipartUpload(kOwn, this.#bucket, text(key), text(uploadId), this.#name);
  }

  async delete(keys) {
    if (!(#bucket in this)) throw illegalInvocation();
    requireArguments(arguments.length, 1, "delete");
    const request = { version: VERSION, method: "delete" };
    if (ArrayIsArray(keys)) request.objects = ArrayPrototypeMap(keys, (key) => text(key));
    else request.object = text(keys);
    const of = { keys: request.object ?? ArrayPrototypeJoin(request.objects, ", ") };
    await this.#told("delete", "DeleteObject", of, async (span) => {
      const answer = await change(this.#bucket, request);
      tellAnswer(span, answer);
      if (!answer.isMissing) answer.throwIfError("delete");
    });
  }

  async list(options = undefined) {
    if (!(#bucket in this)) throw illegalInvocation();
    return await this.#told("list", "ListObjects", {}, (span) => this.#list(options, span));
  }

  async #list(options, span) {
    const request = { version: VERSION, method: "list" };
    const asked = addListing(request, optionsOf(options, "list", 1, "ListOptions"));
    // Before the flag, all is there always.
    const include = has(flag.r2_list_honor_include) ? asked : [0, 1];
    if (include !== undefined) request.include = include;
    request.newRuntime = true;
    if (span !== null) {
      const { limit, prefix, cursor, delimiter, startAfter: start_after } = request;
      const of = { limit, prefix, cursor, delimiter, start_after };
      for (const { 0: name, 1: value } of new SafeArrayIterator(ObjectEntries(of))) {
        span.set(`cloudflare.r2.request.${name}`, value);
      }
      for (let i = 0; i < (asked?.length ?? 0); i++) {
        const which = asked[i] === 0 ? "http" : "custom";
        span.set(`cloudflare.r2.request.include.${which}_metadata`, true);
      }
    }
    const answer = await askAll(this.#bucket, request);
    tellAnswer(span, answer);
    answer.throwIfError("list");
    const { objects = [], truncated = false, cursor, delimitedPrefixes = [] } = answer.fields();
    const shows = { http: false, custom: false };
    for (let i = 0; i < (include?.length ?? 0); i++) {
      if (include[i] === 0) shows.http = true;
      else shows.custom = true;
    }
    const result = {
      objects: ArrayPrototypeMap(objects, (fields) => objectOf(fields, shows)),
      truncated,
      delimitedPrefixes,
    };
    if (typeof cursor === "string") result.cursor = cursor;
    tell(span, "returned_objects", objects.length);
    tell(span, "delimited_prefixes", delimitedPrefixes.length);
    tell(span, "truncated", truncated);
    tell(span, "cursor", result.cursor);
    return result;
  }
}
makeEnumerable(R2Bucket.prototype);
named(R2Bucket, "R2Bucket");
markUncloneable(R2Bucket, "An R2 bucket binding cannot be serialized.");

class R2MultipartUpload {
  #bucket;
  #name;

  constructor(key, bucket, object, uploadId, name) {
    requireOwn(key);
    this.#bucket = bucket;
    this.#name = name;
    const fixed = { __proto__: null, enumerable: true, configurable: true };
    ObjectDefineProperty(this, "uploadId", { ...fixed, value: uploadId });
    ObjectDefineProperty(this, "key", { ...fixed, value: object });
  }

  #request(method) {
    return { version: VERSION, method, object: this.key, uploadId: this.uploadId };
  }

  /** Runs a method as a span. */
  #told(method, operation, of, run) {
    const bucket = { number: this.#bucket, name: this.#name };
    const known = { upload_id: this.uploadId, key: this.key, ...of };
    return told(bucket, method, operation, known, run);
  }

  async uploadPart(partNumber, value, options = undefined) {
    if (!(#bucket in this)) throw illegalInvocation();
    requireArguments(arguments.length, 2, "uploadPart", "R2MultipartUpload");
    const number = partOf(partNumber);
    const of = { part_number: number };
    return await this.#told("uploadPart", "UploadPart", of, async (span) => {
      const request = { ...this.#request("uploadPart"), partNumber: number };
      const given = optionsOf(options, "uploadPart", 3, "UploadPartOptions", "R2MultipartUpload");
      addSsec(request, given.ssecKey);
      tellRequest(span, request);
      if (value === null || value === undefined) value = "";
      const part = valueForHost(value, "uploadPart", "R2MultipartUpload");
      tellSize(span, part);
      const answer = await change(this.#bucket, request, part);
      tellAnswer(span, answer);
      answer.throwIfError("uploadPart");
      const { etag } = answer.fields();
      tell(span, "etag", etag);
      return { partNumber: number, etag };
    });
  }

  async abort() {
    if (!(#bucket in this)) throw illegalInvocation();
    const method = "abortMultipartUpload";
    await this.#told(method, "AbortMultipartUpload", {}, async (span) => {
      const answer = await change(this.#bucket, this.#request(method));
      tellAnswer(span, answer);
      if (!answer.isMissing) answer.throwIfError(method);
    });
  }

  async complete(uploadedParts) {
    if (!(#bucket in this)) throw illegalInvocation();
    if (!ArrayIsArray(uploadedParts)) {
      throw new TypeError(
        "Failed to execute 'complete' on 'R2MultipartUpload': parameter 1 is not of type 'Array'.",
      );
    }
    const parts = [];
    for (let i = 0; i < uploadedParts.length; i++) {
      const { partNumber, etag } = uploadedParts[i];
      ArrayPrototypePush(parts, { etag: text(etag), part: partOf(partNumber) });
    }
    const numbers = ArrayPrototypeMap(parts, ({ part }) => part);
    const of = { uploaded_parts: ArrayPrototypeJoin(numbers, ", ") };
    const method = "completeMultipartUpload";
    return await this.#told(method, "CompleteMultipartUpload", of, async (span) => {
      const request = { ...this.#request(method), parts };
      const answer = await change(this.#bucket, request);
      tellAnswer(span, answer);
      answer.throwIfError(method);
      return tellObject(span, objectOf(answer.fields()));
    });
  }
}
makeEnumerable(R2MultipartUpload.prototype);
named(R2MultipartUpload, "R2MultipartUpload");

function partOf(value) {
  const number = +value;
  if (!(number >= 1 && number <= 10000)) {
    throw new TypeError(
      "Part number must be between 1 and 10000 (inclusive). Actual value was: " + number,
    );
  }
  return MathTrunc(number);
}

function bindingOf(number, name) {
  return new R2Bucket(kOwn, number, name);
}

return { bindingOf };
})();
