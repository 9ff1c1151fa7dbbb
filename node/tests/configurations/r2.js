// The bucket of this worker is the worker itself: `fetch` notes what is asked, and
// answers with what the key says.
const seen = [];

const sorted = (value) =>
  Array.isArray(value)
    ? value.map(sorted)
    : value !== null && typeof value === "object"
    ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]))
    : value;

const show = (value) => JSON.stringify(sorted(value));

function equal(found, expected, what = "") {
  if (show(found) !== show(expected)) throw new Error(`${what}: ${show(found)} is not ${show(expected)}`);
}

const told = {
  name: "key", version: "v", size: "9007199254740991", etag: "e", uploaded: "1724767257918",
  httpFields: { contentType: "a/b", cacheExpiry: "1000" }, customFields: [{ k: "x", v: "y" }],
  range: { offset: "1", length: 2 }, checksums: { 0: "00ff", 2: "aa" }, storageClass: "Standard",
  ssec: { algorithm: "aes256", keyMd5: "m" }, unknown: 5,
};

const errors = {
  missing: [404, 10007],
  gone: [404, 10024],
  refused: [412, 10031],
  skewed: [412, 10032],
  broken: [500, 10001],
};

function answer(asked, metadata, body = "") {
  const head = new TextEncoder().encode(JSON.stringify(metadata));
  const all = new Uint8Array([...head, ...new TextEncoder().encode(body)]);
  const headers = { "cf-r2-metadata-size": `${head.length}` };
  const error = errors[asked.object ?? asked.prefix];
  if (error === undefined) return new Response(all, { headers });
  headers["cf-r2-error"] = JSON.stringify({ version: 1, v4code: error[1], message: "in words" });
  return new Response(error[0] === 412 ? all : null, { status: error[0], headers: error[0] === 412 ? headers : { "cf-r2-error": headers["cf-r2-error"] } });
}

async function fetch(request) {
  if (request.method === "GET") {
    const asked = JSON.parse(request.headers.get("cf-r2-request"));
    seen.push(["GET", request.url, asked]);
    if (asked.object === "bare") return new Response(null, { status: 500 });
    if (asked.method === "list") {
      return answer(asked, {
        objects: [{ name: "a", size: 1 }, { ...told, name: "b" }], truncated: true, cursor: "c",
        delimitedPrefixes: ["p/"],
      });
    }
    return answer(asked, told, asked.method === "get" ? "body" : "");
  }
  const size = Number(request.headers.get("cf-r2-metadata-size"));
  const all = new Uint8Array(await request.arrayBuffer());
  const asked = JSON.parse(new TextDecoder().decode(all.slice(0, size)));
  const value = new TextDecoder().decode(all.slice(size));
  seen.push(["PUT", request.url, request.headers.get("content-length") === `${all.length}`, asked, value]);
  const made = {
    createMultipartUpload: { uploadId: "u" }, uploadPart: { etag: "p" }, delete: undefined, abortMultipartUpload: undefined,
  };
  if (asked.method in made && errors[asked.object] === undefined) return Response.json(made[asked.method] ?? {});
  const { status, headers } = answer(asked, told);
  return status === 200 ? Response.json(told) : new Response(null, { status, headers });
}

/** What a call asked for, but for the address. */
async function asks(call) {
  seen.length = 0;
  await call;
  equal(seen.length, 1);
  const [[method, url, ...rest]] = seen;
  equal(new URL(url).hostname, "fake-host");
  return [method, ...rest];
}

async function throws(call, expected) {
  let error;
  try {
    await call();
  } catch (caught) {
    error = caught;
  }
  equal(`${error?.name}: ${error?.message}`, expected);
}

export default { fetch };

export const requests = {
  async test(_, { BUCKET: r2 }) {
    equal(await asks(r2.head("k\u00e9\u007fy")), ["GET", { version: 1, method: "head", object: "k\u00e9\u007fy" }]);
    equal(await asks(r2.get("key")), ["GET", { version: 1, method: "get", object: "key" }]);
    const key = "ab".repeat(32);
    equal(
      await asks(r2.get("key", { range: { offset: 1, length: 2 }, ssecKey: key })),
      ["GET", { version: 1, method: "get", object: "key", range: { offset: "1", length: "2" }, ssec: { key } }],
    );
    equal((await asks(r2.get("key", { range: { suffix: 3 } })))[1].range, { suffix: "3" });
    equal((await asks(r2.get("key", { range: new Headers({ range: "bytes=0-1" }) })))[1].rangeHeader, "bytes=0-1");
    equal((await asks(r2.get("key", { range: new Headers() })))[1], { version: 1, method: "get", object: "key" });
    const onlyIf = { etagMatches: "a", etagDoesNotMatch: "*", uploadedBefore: new Date(5), uploadedAfter: new Date(6), secondsGranularity: true };
    equal((await asks(r2.get("key", { onlyIf })))[1].onlyIf, {
      etagMatches: [{ type: "strong", value: "a" }], etagDoesNotMatch: [{ type: "wildcard" }],
      uploadedBefore: "5", uploadedAfter: "6", secondsGranularity: true,
    });
    const headers = new Headers({
      "if-match": '"a", W/"b"', "if-none-match": "*, \"c\"",
      "if-modified-since": "Thu, 01 Jan 1970 00:00:02 GMT", "if-unmodified-since": "Thu, 01 Jan 1970 00:00:03 GMT",
    });
    equal((await asks(r2.get("key", { onlyIf: headers })))[1].onlyIf, {
      etagMatches: [{ type: "strong", value: "a" }, { type: "weak", value: "b" }], etagDoesNotMatch: [{ type: "wildcard" }],
      uploadedAfter: "2000", uploadedBefore: "3000", secondsGranularity: true,
    });
    const put = { version: 1, method: "put", object: "key" };
    equal(await asks(r2.put("key", "v\u00e9")), ["PUT", true, put, "v\u00e9"]);
    equal(await asks(r2.put("key", null)), ["PUT", true, put, ""]);
    equal((await asks(r2.put("key", new Uint8Array([65, 66]).subarray(1))))[3], "B");
    equal((await asks(r2.put("key", new Uint8Array([65, 66]).buffer)))[3], "AB");
    equal((await asks(r2.put("key", new Blob(["a", "bc"]))))[3], "abc");
    equal((await asks(r2.put("key", new Response("xyz").body)))[3], "xyz");
    const { readable, writable } = new FixedLengthStream(3);
    const writer = writable.getWriter();
    writer.write(new TextEncoder().encode("fix"));
    writer.close();
    equal((await asks(r2.put("key", readable)))[3], "fix");
    const options = {
      httpMetadata: { contentType: "t", cacheExpiry: new Date(7), contentLanguage: "de" }, customMetadata: { b: "1", a: "2" },
      sha1: "AB".repeat(20), storageClass: "S", onlyIf: { etagMatches: "a" },
    };
    equal((await asks(r2.put("key", "", options)))[2], {
      ...put, httpFields: { contentType: "t", cacheExpiry: "7", contentLanguage: "de" },
      customFields: [{ k: "b", v: "1" }, { k: "a", v: "2" }], sha1: "ab".repeat(20), storageClass: "S",
      onlyIf: { etagMatches: [{ type: "strong", value: "a" }] },
    });
    equal((await asks(r2.put("key", "", { md5: new Uint8Array(16) })))[2].md5, "AAAAAAAAAAAAAAAAAAAAAA==");
    const http = new Headers({ "content-type": "t", expires: "Thu, 01 Jan 1970 00:00:02 GMT", "cache-control": "c", other: "x" });
    equal((await asks(r2.put("key", "", { httpMetadata: http })))[2].httpFields, { contentType: "t", cacheExpiry: "2000", cacheControl: "c" });
    equal(await asks(r2.delete("key")), ["PUT", true, { version: 1, method: "delete", object: "key" }, ""]);
    equal(await asks(r2.delete(["a", "b"])), ["PUT", true, { version: 1, method: "delete", objects: ["a", "b"] }, ""]);
    equal(
      await asks(r2.createMultipartUpload("key", { httpMetadata: { contentType: "t" }, customMetadata: { a: "b" } })),
      ["PUT", true, { version: 1, method: "createMultipartUpload", object: "key", httpFields: { contentType: "t" }, customFields: [{ k: "a", v: "b" }] }, ""],
    );
    const upload = r2.resumeMultipartUpload("key", "u");
    const of = { version: 1, object: "key", uploadId: "u" };
    equal(await asks(upload.uploadPart(2, "part")), ["PUT", true, { ...of, method: "uploadPart", partNumber: 2 }, "part"]);
    equal(await asks(upload.complete([{ partNumber: 2, etag: "e" }])), ["PUT", true, { ...of, method: "completeMultipartUpload", parts: [{ etag: "e", part: 2 }] }, ""]);
    equal(await asks(upload.abort()), ["PUT", true, { ...of, method: "abortMultipartUpload" }, ""]);
  },
};

export const lists = {
  async test(_, { BUCKET: r2 }) {
    const flag = Cloudflare.compatibilityFlags.r2_list_honor_include;
    const list = { version: 1, method: "list", newRuntime: true };
    equal(await asks(r2.list()), ["GET", flag ? list : { ...list, include: [0, 1] }]);
    equal((await asks(r2.list({ include: [] })))[1].include, flag ? [] : [0, 1]);
    equal(
      await asks(r2.list({ limit: 5, prefix: "p", cursor: "c", delimiter: "/", startAfter: "s", include: ["customMetadata"] })),
      ["GET", { ...list, limit: 5, prefix: "p", cursor: "c", delimiter: "/", startAfter: "s", include: flag ? [1] : [0, 1] }],
    );
    const { objects: [a, b], ...rest } = await r2.list({ include: ["httpMetadata"] });
    equal(rest, { truncated: true, cursor: "c", delimitedPrefixes: ["p/"] });
    equal([a.key, a.size, a.etag, a.httpMetadata, a.customMetadata], ["a", 1, "", {}, flag ? undefined : {}]);
    equal([b.key, b.httpMetadata.contentType, b.customMetadata], ["b", "a/b", { x: "y" }]);
    await throws(() => r2.list({ include: ["other"] }), "RangeError: Unsupported include value other");
    await throws(() => r2.list({ prefix: "broken" }), "Error: list: in words (10001)");
  },
};

export const objects = {
  async test(_, { BUCKET: r2 }) {
    const got = await r2.get("key");
    equal(Object.keys(got), ["ssecKeyMd5", "storageClass", "range", "customMetadata", "httpMetadata", "uploaded", "checksums", "httpEtag", "etag", "size", "version", "key"]);
    equal({ ...got, checksums: got.checksums.toJSON() }, {
      key: "key", version: "v", size: 9007199254740991, etag: "e", httpEtag: '"e"', checksums: { md5: "00ff", sha256: "aa" },
      uploaded: new Date(1724767257918), httpMetadata: { contentType: "a/b", cacheExpiry: new Date(1000) },
      customMetadata: { x: "y" }, range: { offset: 1, length: 2 }, storageClass: "Standard", ssecKeyMd5: "m",
    });
    equal(Object.keys({ ...got.checksums }), ["sha512", "sha384", "sha256", "sha1", "md5"]);
    equal([got.checksums.md5 instanceof ArrayBuffer, got.checksums.md5.byteLength, got.checksums.sha1], [true, 2, undefined]);
    const tag = (value) => Object.prototype.toString.call(value);
    const upload = r2.resumeMultipartUpload("key", "u");
    if (Cloudflare.compatibilityFlags.set_tostring_tag) {
      equal([r2, got, await r2.head("key"), got.checksums, upload].map(tag), [
        "[object R2Bucket]", "[object GetResult]", "[object HeadResult]", "[object Checksums]", "[object R2MultipartUpload]",
      ]);
    }
    equal([r2, got, await r2.head("key"), upload].map((value) => value.constructor.name), ["R2Bucket", "GetResult", "HeadResult", "R2MultipartUpload"]);
    equal(Object.keys(upload), ["uploadId", "key"]);
    const names = (value) => { const names = []; for (const name in value) names.push(name); return names.sort(); };
    equal(names(r2), ["createMultipartUpload", "delete", "get", "head", "list", "put", "resumeMultipartUpload"]);
    equal(names(got).slice(0, 5), ["arrayBuffer", "blob", "body", "bodyUsed", "bytes"]);
    equal([got.body instanceof ReadableStream, got.bodyUsed, await got.text(), got.bodyUsed], [true, false, "body", true]);
    await throws(() => got.text(), "TypeError: Body has already been used. It can only be used once. Use tee() first if you need to read it twice.");
    equal((await (await r2.get("key")).bytes()).length, 4);
    const blob = await (await r2.get("key")).blob();
    equal([blob.size, blob.type], [4, "a/b"]);
    equal(await new Response((await r2.get("key")).body).text(), "body");
    const put = await r2.put("key", "", { customMetadata: { own: "1" } });
    equal([put.customMetadata, put.httpMetadata, put.version], [{ own: "1" }, {}, "v"]);
    const headers = new Headers({ "content-type": "x/y", other: "1" });
    got.writeHttpMetadata(headers);
    equal([...headers], [["content-type", "a/b"], ["expires", "Thu, 01 Jan 1970 00:00:01 GMT"], ["other", "1"]]);
    equal(JSON.stringify(r2), "{}");
  },
};

export const refusals = {
  async test(_, { BUCKET: r2 }) {
    equal([await r2.head("missing"), await r2.get("missing"), await r2.delete("missing")], [null, null, undefined]);
    equal([await r2.put("refused", ""), await r2.put("skewed", "")], [null, null]);
    for (const key of ["refused", "skewed"]) {
      const got = await r2.get(key);
      equal([got.etag, "body" in got], ["e", false]);
    }
    for (const [call, action] of [
      [() => r2.head("broken"), "head"], [() => r2.get("broken"), "get"], [() => r2.put("broken", ""), "put"],
      [() => r2.delete("broken"), "delete"], [() => r2.createMultipartUpload("broken"), "createMultipartUpload"],
      [() => r2.resumeMultipartUpload("broken", "u").uploadPart(1, ""), "uploadPart"],
      [() => r2.resumeMultipartUpload("broken", "u").complete([]), "completeMultipartUpload"],
      [() => r2.resumeMultipartUpload("broken", "u").abort(), "abortMultipartUpload"],
    ]) {
      await throws(call, `Error: ${action}: in words (10001)`);
    }
    await throws(() => r2.get("bare"), "Error: get: Unspecified error (0)");
    await throws(() => r2.get("gone"), "Error: get: in words (10024)");
    equal(await r2.resumeMultipartUpload("missing", "u").abort(), undefined);
  },
};

export const faults = {
  async test(_, { BUCKET: r2 }) {
    const get = (options) => () => r2.get("key", options);
    const put = (options) => () => r2.put("key", "", options);
    await throws(get({ range: { offset: -1 } }), "RangeError: Invalid range. Starting offset (-1) must be greater than or equal to 0.");
    await throws(get({ range: { offset: 0.5 } }), "RangeError: Invalid range. Starting offset (0.5) must be an integer, not floating point.");
    await throws(get({ range: { length: -1 } }), "RangeError: Invalid range. Length (-1) must be greater than or equal to 0.");
    await throws(get({ range: { suffix: -1 } }), "RangeError: Invalid suffix. Suffix (-1) must be greater than or equal to 0.");
    await throws(get({ range: { suffix: 1.5 } }), "RangeError: Invalid range. Suffix (1.5) must be an integer, not floating point.");
    await throws(get({ range: { suffix: 1, length: 1 } }), "TypeError: Suffix is incompatible with length.");
    await throws(get({ onlyIf: { etagMatches: '"a"' } }), 'TypeError: Conditional ETag should not be wrapped in quotes ("a").');
    const match = (value) => get({ onlyIf: new Headers({ "if-match": value }) });
    await throws(match("a"), "Error: Invalid ETag in if-match header");
    await throws(match('"a'), "Error: Unclosed double quote for Etag");
    await throws(match("W/a"), "Error: Weak etags must start with W/ and their value must be quoted");
    await throws(match('"a""b"'), "Error: Comma was expected to separate etags. Encountered a double quote character '\"' instead. This would otherwise indicate the start of a new strong etag.");
    await throws(match('"a"W/"b"'), "Error: Comma was expected to separate etags. Encountered a weak quotation character 'W' instead. This would otherwise indicate the start of a new weak etag.");
    await throws(match('"a"*'), "Error: Comma was expected to separate etags. Encountered a wildcard character '*' instead.");
    await throws(get({ ssecKey: "AB" }), "Error: SSE-C Key has invalid format");
    await throws(get({ ssecKey: "ab" }), "Error: SSE-C Key must be 32 bytes in length");
    await throws(get({ ssecKey: new ArrayBuffer(1) }), "Error: SSE-C Key must be 32 bytes in length");
    await throws(put({ md5: "0" }), "TypeError: MD5 is 32 hex characters, not 1");
    await throws(put({ sha512: new Uint8Array(1) }), "TypeError: SHA-512 is 64 bytes, not 1");
    await throws(put({ sha256: "x".repeat(64) }), "TypeError: Provided SHA-256 wasn't a valid hex string");
    await throws(put({ md5: "0".repeat(32), sha1: "0".repeat(40) }), "TypeError: You cannot specify multiple hashing algorithms.");
    const upload = r2.resumeMultipartUpload("key", "u");
    for (const part of [0, 10001]) {
      const expected = `TypeError: Part number must be between 1 and 10000 (inclusive). Actual value was: ${part}`;
      await throws(() => upload.uploadPart(part, ""), expected);
      await throws(() => upload.complete([{ partNumber: part, etag: "" }]), expected);
    }
    const stream = new ReadableStream({ pull(controller) { controller.close(); } });
    await throws(() => r2.put("key", stream), "TypeError: Provided readable stream must have a known length (request/response body or readable half of FixedLengthStream)");
    await throws(() => r2.get.call({}, "key"), "TypeError: Illegal invocation: function called with incorrect `this` reference. See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details.");
    await throws(() => new r2.constructor(), "TypeError: Illegal constructor");
    await throws(() => r2.get(), "TypeError: Failed to execute 'get' on 'R2Bucket': parameter 1 is not of type 'string'.");
    await throws(() => r2.get("key", 5), "TypeError: Failed to execute 'get' on 'R2Bucket': parameter 2 is not of type 'GetOptions'.");
    await throws(() => r2.put("key", 5), "TypeError: Failed to execute 'put' on 'R2Bucket': parameter 2 is not of type 'JsReadableStream or ArrayBuffer or ArrayBufferView or string or Blob'.");
    await throws(put({ md5: 5 }), "TypeError: Incorrect type for the 'md5' field on 'PutOptions': the provided value is not of type 'BufferSource or string'.");
    await throws(get({ onlyIf: { etagMatches: 5 } }), "TypeError: Incorrect type for the 'etagMatches' field on 'Conditional': the provided value is not of type 'string'.");
    await throws(put({ httpMetadata: 5 }), "TypeError: Incorrect type for the 'httpMetadata' field on 'PutOptions': the provided value is not of type 'HttpMetadata or Headers'.");
    await throws(() => r2.list({ prefix: 5 }), "TypeError: Incorrect type for the 'prefix' field on 'ListOptions': the provided value is not of type 'string'.");
    await throws(() => upload.complete(5), "TypeError: Failed to execute 'complete' on 'R2MultipartUpload': parameter 1 is not of type 'Array'.");
  },
};
