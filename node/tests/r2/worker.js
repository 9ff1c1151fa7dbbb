// What a worker may expect of an R2 bucket: each export of `promises` is asked for by
// its name as the path, and answers "ok" or what is wrong. Other paths serve objects.

function equal(found, expected, what = "") {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: found ${a}, expected ${b}`);
}

async function refused(promise, expected) {
  try {
    await promise;
  } catch (error) {
    return equal(`${error.name}: ${error.message}`, expected);
  }
  throw new Error(`not refused: ${expected}`);
}

const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
const MB = 1 << 20;

const promises = {
  async basics({ BUCKET: r2 }) {
    equal(await r2.head("basics"), null);
    equal(await r2.get("basics"), null);
    const before = Date.now();
    const put = await r2.put("basics", "value");
    equal([put.key, put.size, put.etag], ["basics", 5, "2063c1608d6e0baf80249c42e2be5804"]);
    equal(put.httpEtag, `"${put.etag}"`);
    equal(hex(put.checksums.md5), put.etag);
    equal(put.checksums.toJSON(), { md5: put.etag });
    equal([put.storageClass, put.httpMetadata, put.customMetadata], ["Standard", {}, {}]);
    if (!(put.uploaded >= before - 1000 && put.uploaded <= Date.now() + 1000)) throw new Error("uploaded");
    const head = await r2.head("basics");
    equal([head.version, head.uploaded, head.range], [put.version, put.uploaded, { offset: 0, length: 5 }]);
    const got = await r2.get("basics");
    equal([got.bodyUsed, await got.text(), got.bodyUsed], [false, "value", true]);
    await refused(got.text(), "TypeError: Body has already been used. It can only be used once. Use tee() first if you need to read it twice.");
    const again = await r2.put("basics", '{"a":1}');
    if (again.version === put.version) throw new Error("version");
    equal(await (await r2.get("basics")).json(), { a: 1 });
    equal(Object.keys(head).length, 12);
    equal(Object.prototype.toString.call(r2), "[object R2Bucket]");
    await r2.delete("basics");
    await r2.delete("basics");
    equal(await r2.get("basics"), null);
  },

  async values({ BUCKET: r2 }) {
    const text = async (value) => {
      await r2.put("values", value);
      return await (await r2.get("values")).text();
    };
    const bytes = new TextEncoder().encode("héllo");
    equal(await text("héllo"), "héllo");
    equal(await text(bytes), "héllo");
    equal(await text(bytes.buffer), "héllo");
    equal(await text(new DataView(bytes.buffer, 3)), "llo");
    equal(await text(new Blob(["a", "b"])), "ab");
    equal(await text(new Response("from a response").body), "from a response");
    equal(await text(null), "");
    equal(await text(""), "");
    const { readable, writable } = new FixedLengthStream(5);
    const writer = writable.getWriter();
    writer.write(new TextEncoder().encode("12"));
    writer.write(new TextEncoder().encode("345"));
    writer.close();
    equal(await text(readable), "12345");
    equal(await text((await r2.get("values")).body), "12345");
    const unknown = new ReadableStream({ start(controller) { controller.close(); } });
    await refused(r2.put("values", unknown), "TypeError: Provided readable stream must have a known length (request/response body or readable half of FixedLengthStream)");
    const got = await r2.get("values");
    equal([...(await got.bytes())], [49, 50, 51, 52, 53]);
    equal((await (await r2.get("values")).arrayBuffer()).byteLength, 5);
    await r2.put("values", "x", { httpMetadata: { contentType: "text/plain" } });
    const blob = await (await r2.get("values")).blob();
    equal([blob.size, blob.type], [1, "text/plain"]);
    for (const bad of [5, {}, true]) {
      const error = await r2.put("values", bad).then(() => null, (error) => error);
      equal(error?.name, "TypeError", `${bad}`);
    }
  },

  async metadata({ BUCKET: r2 }) {
    const httpMetadata = {
      contentType: "text/html", contentLanguage: "de", contentDisposition: "inline",
      contentEncoding: "identity", cacheControl: "no-store", cacheExpiry: new Date(1e12),
    };
    const customMetadata = { a: "1", "ä": "ü\u0001", __proto__2: "x" };
    const put = await r2.put("metadata", "x", { httpMetadata, customMetadata });
    equal([put.httpMetadata, put.customMetadata], [httpMetadata, customMetadata]);
    const head = await r2.head("metadata");
    equal([head.httpMetadata, head.customMetadata], [httpMetadata, customMetadata]);
    const headers = new Headers();
    head.writeHttpMetadata(headers);
    equal([...headers], [
      ["cache-control", "no-store"], ["content-disposition", "inline"],
      ["content-encoding", "identity"], ["content-language", "de"],
      ["content-type", "text/html"], ["expires", "Sun, 09 Sep 2001 01:46:40 GMT"],
    ]);
    await r2.put("metadata", "x", { httpMetadata: headers });
    equal((await r2.head("metadata")).httpMetadata, httpMetadata);
    await r2.put("metadata", "x");
    equal((await r2.head("metadata")).httpMetadata, {});
    await r2.put("metadata", "x", { storageClass: "InfrequentAccess" });
    equal((await r2.head("metadata")).storageClass, "InfrequentAccess");
    await refused(
      r2.put("metadata", "x", { customMetadata: { a: "x".repeat(8192) } }),
      "Error: put: Your metadata headers exceed the maximum allowed metadata size. (10012)",
    );
    await refused(r2.put("metadata", "x", { storageClass: "Warm" }), 'Error: put: The storage class "Warm" is neither "Standard" nor "InfrequentAccess". (10029)');
    await refused(r2.put("metadata", "x", { ssecKey: "0".repeat(64) }), "Error: put: Keys of the customer's (SSE-C) are not offered. (10029)");
  },

  async keys({ BUCKET: r2, S3: s3 }) {
    const bad = "The specified object name is not valid. (10020)";
    for (const key of ["", "x".repeat(1025)]) {
      await refused(r2.get(key), `Error: get: ${bad}`);
      await refused(r2.head(key), `Error: head: ${bad}`);
      await refused(r2.put(key, ""), `Error: put: ${bad}`);
      await refused(r2.delete(key), `Error: delete: ${bad}`);
      await refused(r2.createMultipartUpload(key), `Error: createMultipartUpload: ${bad}`);
    }
    // On S3 the prefix is part of the key.
    const most = 1024 - (s3?.prefix.length ?? 0);
    const odd = ["a\u0000b\u007f\n", "../../x"];
    for (const key of ["ä/ü ☃", '"\\', "x".repeat(1024), "\ud800", ...(s3 ? [] : odd)]) {
      await r2.put(`keys/${key}`.slice(-most), key);
      const { key: found } = await r2.head(`keys/${key}`.slice(-most));
      equal(found, `keys/${key}`.slice(-most).toWellFormed());
    }
    if (s3) {
      await refused(r2.put("keys/../x", ""), 'Error: put: A key in S3 has no part "." or "..". (10029)');
      await refused(r2.put("x".repeat(most + 1), ""), `Error: put: ${bad}`);
    }
  },

  async checksums({ BUCKET: r2 }) {
    const data = new TextEncoder().encode("test");
    for (const [option, algorithm, name] of [
      ["md5", "MD5", "MD5"], ["sha1", "SHA-1", "SHA-1"], ["sha256", "SHA-256", "SHA-256"],
      ["sha384", "SHA-384", "SHA-384"], ["sha512", "SHA-512", "SHA-512"],
    ]) {
      const digest = await crypto.subtle.digest(algorithm, data);
      for (const given of [digest, new Uint8Array(digest), hex(digest), hex(digest).toUpperCase()]) {
        const put = await r2.put("checksums", "test", { [option]: given });
        equal(hex(put.checksums[option]), hex(digest));
      }
      equal(hex((await r2.head("checksums")).checksums[option]), hex(digest));
      await refused(r2.put("checksums", "other", { [option]: digest }), [
        `Error: put: The ${name} checksum you specified did not match what we received.`,
        `You provided a ${name} checksum with value: ${hex(digest)}`,
        `Actual ${name} was: ${hex(await crypto.subtle.digest(algorithm, new TextEncoder().encode("other")))} (10037)`,
      ].join("\n"));
      equal(await (await r2.get("checksums")).text(), "test");
    }
    await refused(r2.put("checksums", "", { md5: "0" }), "TypeError: MD5 is 32 hex characters, not 1");
    await refused(r2.put("checksums", "", { sha1: new Uint8Array(3) }), "TypeError: SHA-1 is 20 bytes, not 3");
    await refused(r2.put("checksums", "", { md5: "x".repeat(32) }), "TypeError: Provided MD5 wasn't a valid hex string");
    await refused(r2.put("checksums", "", { md5: "0".repeat(32), sha1: "0".repeat(40) }), "TypeError: You cannot specify multiple hashing algorithms.");
  },

  async ranges({ BUCKET: r2 }) {
    await r2.put("ranges", "0123456789");
    const text = async (range) => {
      const got = await r2.get("ranges", { range });
      return [await got.text(), got.range.offset, got.range.length, got.size];
    };
    equal(await text({ offset: 3 }), ["3456789", 3, 7, 10]);
    equal(await text({ offset: 3, length: 2 }), ["34", 3, 2, 10]);
    equal(await text({ length: 2 }), ["01", 0, 2, 10]);
    equal(await text({ suffix: 4 }), ["6789", 6, 4, 10]);
    equal(await text({ suffix: 40 }), ["0123456789", 0, 10, 10]);
    equal(await text({ offset: 8, length: 40 }), ["89", 8, 2, 10]);
    equal(await text(new Headers({ range: "bytes=2-4" })), ["234", 2, 3, 10]);
    equal(await text(new Headers({ range: "bytes=-2" })), ["89", 8, 2, 10]);
    equal(await text(new Headers({ range: "bytes=1-2,4-5" })), ["0123456789", 0, 10, 10]);
    equal(await text(new Headers()), ["0123456789", 0, 10, 10]);
    const unsatisfiable = "Error: get: The requested range is not satisfiable (10039)";
    await refused(text({ offset: 10 }), unsatisfiable);
    await refused(text({ suffix: 0 }), unsatisfiable);
    await refused(text({ length: 0 }), unsatisfiable);
    await refused(text({ offset: -1 }), "RangeError: Invalid range. Starting offset (-1) must be greater than or equal to 0.");
    await refused(text({ length: 1.5 }), "RangeError: Invalid range. Length (1.5) must be an integer, not floating point.");
    await refused(text({ suffix: 1, offset: 1 }), "TypeError: Suffix is incompatible with offset.");
  },

  async conditions({ BUCKET: r2 }) {
    const { etag, uploaded } = await r2.put("conditions", "one");
    const holds = async (onlyIf) => "body" in (await r2.get("conditions", { onlyIf }));
    const [sooner, later] = [new Date(+uploaded - 10000), new Date(+uploaded + 10000)];
    for (const [expected, onlyIf] of [
      [true, { etagMatches: etag }], [false, { etagMatches: "other" }], [true, { etagMatches: "*" }],
      [false, { etagDoesNotMatch: etag }], [true, { etagDoesNotMatch: "other" }],
      [true, { uploadedAfter: sooner }], [false, { uploadedAfter: later }],
      [true, { uploadedBefore: later }], [false, { uploadedBefore: sooner }],
      [true, { etagMatches: etag, uploadedBefore: sooner }],
      [true, new Headers({ "if-match": `"${etag}"` })],
      [false, new Headers({ "if-match": `W/"${etag}"` })],
      [true, new Headers({ "if-match": `"a", "${etag}"` })],
      [false, new Headers({ "if-none-match": `W/"${etag}"` })],
      [false, new Headers({ "if-none-match": "*" })],
      [true, new Headers({ "if-modified-since": sooner.toUTCString() })],
      [false, new Headers({ "if-modified-since": later.toUTCString() })],
      [false, new Headers({ "if-unmodified-since": sooner.toUTCString() })],
    ]) {
      equal(await holds(onlyIf), expected, JSON.stringify(onlyIf instanceof Headers ? [...onlyIf] : onlyIf));
    }
    equal((await r2.get("conditions", { onlyIf: { etagMatches: "x" } })).etag, etag);
    equal(await r2.get("missing", { onlyIf: { etagMatches: "x" } }), null);
    await refused(r2.get("conditions", { onlyIf: { etagMatches: '"x"' } }), 'TypeError: Conditional ETag should not be wrapped in quotes ("x").');
    await refused(r2.get("conditions", { onlyIf: new Headers({ "if-match": "x" }) }), "Error: Invalid ETag in if-match header");
    equal(await r2.put("conditions", "two", { onlyIf: { etagMatches: "x" } }), null);
    equal(await (await r2.get("conditions")).text(), "one");
    equal((await r2.put("conditions", "two", { onlyIf: { etagMatches: etag } })).size, 3);
    equal(await r2.put("conditions", "x", { onlyIf: { etagDoesNotMatch: "*" } }), null);
    equal((await r2.put("conditions/new", "x", { onlyIf: { etagDoesNotMatch: "*" } })).size, 1);
    equal(await r2.put("conditions/none", "x", { onlyIf: { etagMatches: "*" } }), null);
    const { uploaded: now } = await r2.put("conditions", "three");
    const [before, after] = [new Date(+now - 10000), new Date(+now + 10000)];
    equal(await r2.put("conditions", "x", { onlyIf: { uploadedBefore: before } }), null);
    equal(await r2.put("conditions", "x", { onlyIf: { uploadedAfter: after } }), null);
    equal((await r2.put("conditions", "four", { onlyIf: { uploadedBefore: after, uploadedAfter: before } })).size, 4);
    // Of puts that all expect the same, one makes it.
    const race = await r2.put("conditions/race", "0");
    const onlyIf = { etagMatches: race.etag };
    const puts = await Promise.all([..."abcdefgh"].map((text) => r2.put("conditions/race", text, { onlyIf })));
    equal(puts.filter((put) => put !== null).length, 1);
  },

  async lists({ BUCKET: r2 }) {
    const keys = ["l/a", "l/b/1", "l/b/2", "l/b/sub/3", "l/c", "l/d/", "l/d/4", "l/é"];
    for (const key of keys) await r2.put(key, key, { customMetadata: { key }, httpMetadata: { contentType: "a/b" } });
    await r2.put("l", "");
    await r2.put("m", "");
    const all = await r2.list({ prefix: "l/" });
    equal(all.objects.map((object) => object.key), keys);
    equal([all.truncated, all.cursor, all.delimitedPrefixes], [false, undefined, []]);
    equal([all.objects[0].customMetadata, all.objects[0].httpMetadata], [undefined, undefined]);
    const included = await r2.list({ prefix: "l/", limit: 1, include: ["customMetadata", "httpMetadata"] });
    equal([included.objects[0].customMetadata, included.objects[0].httpMetadata], [{ key: "l/a" }, { contentType: "a/b" }]);
    const grouped = await r2.list({ prefix: "l/", delimiter: "/" });
    equal(grouped.objects.map((object) => object.key), ["l/a", "l/c", "l/é"]);
    equal(grouped.delimitedPrefixes, ["l/b/", "l/d/"]);
    for (const options of [{ prefix: "l/" }, { prefix: "l/", delimiter: "/" }, { prefix: "l/", startAfter: "l/b/1" }]) {
      for (const limit of [1, 2, 3, 7]) {
        const [found, whole] = [[], await r2.list(options)];
        let cursor;
        do {
          const page = await r2.list({ ...options, limit, cursor });
          if (page.objects.length + page.delimitedPrefixes.length > limit) throw new Error("limit");
          equal(page.truncated, page.cursor !== undefined);
          found.push(...page.objects.map((object) => object.key), ...page.delimitedPrefixes);
          cursor = page.cursor;
        } while (cursor !== undefined);
        equal(found.sort(), [...whole.objects.map((object) => object.key), ...whole.delimitedPrefixes].sort());
      }
    }
    equal((await r2.list({ prefix: "l/", startAfter: "l/b/2" })).objects.map((object) => object.key), keys.slice(3));
    await refused(r2.list({ limit: 0 }), "Error: list: MaxKeys params must be positive integer <= 1000. (10022)");
    await refused(r2.list({ limit: 1001 }), "Error: list: MaxKeys params must be positive integer <= 1000. (10022)");
    await refused(r2.list({ cursor: "$" }), "Error: list: The list cursor is not valid. (10029)");
    await refused(r2.list({ include: ["x"] }), "RangeError: Unsupported include value x");
    await r2.delete(keys);
    equal((await r2.list({ prefix: "l/" })).objects, []);
    await refused(r2.delete(Array(1001).fill("x")), "Error: delete: A delete takes at most 1000 keys. (10029)");
  },

  async uploads({ BUCKET: r2 }) {
    const upload = await r2.createMultipartUpload("uploads", { customMetadata: { a: "b" }, httpMetadata: { contentType: "x/y" } });
    equal(upload.key, "uploads");
    const part = (letter, size = 5 * MB) => new Uint8Array(size).fill(letter.charCodeAt(0));
    const one = await upload.uploadPart(1, part("a"));
    const resumed = r2.resumeMultipartUpload("uploads", upload.uploadId);
    const two = await resumed.uploadPart(2, part("x", 7));
    const again = await resumed.uploadPart(2, "tail");
    const unused = await resumed.uploadPart(9, "unused");
    equal(await r2.head("uploads"), null);
    await refused(upload.complete([one, two]), "Error: completeMultipartUpload: One or more of the specified parts could not be found. (10025)");
    await refused(upload.complete([again, { ...unused }, one].slice(0, 2)), "Error: completeMultipartUpload: Your proposed upload is smaller than the minimum allowed object size. (10011)");
    const made = await upload.complete([again, one]);
    equal([made.size, made.customMetadata, made.httpMetadata], [5 * MB + 4, { a: "b" }, { contentType: "x/y" }]);
    if (!/^[0-9a-f]{32}-2$/.test(made.etag)) throw new Error(made.etag);
    const got = await r2.get("uploads", { range: { offset: 5 * MB - 2, length: 5 } });
    equal(await got.text(), "aatai");
    equal((await (await r2.get("uploads")).bytes()).length, 5 * MB + 4);
    await refused(upload.uploadPart(1, "late"), "Error: uploadPart: The specified multipart upload does not exist. (10024)");
    await refused(upload.complete([one]), "Error: completeMultipartUpload: The specified multipart upload does not exist. (10024)");
    await upload.abort();
    const aborted = await r2.createMultipartUpload("uploads");
    await aborted.uploadPart(1, "gone");
    await aborted.abort();
    await aborted.abort();
    await refused(aborted.uploadPart(1, "late"), "Error: uploadPart: The specified multipart upload does not exist. (10024)");
    await refused(r2.resumeMultipartUpload("other", upload.uploadId).uploadPart(1, ""), "Error: uploadPart: The specified multipart upload does not exist. (10024)");
    await refused(upload.uploadPart(0, ""), "TypeError: Part number must be between 1 and 10000 (inclusive). Actual value was: 0");
    await refused(upload.uploadPart(10001, ""), "TypeError: Part number must be between 1 and 10000 (inclusive). Actual value was: 10001");
    const uneven = await r2.createMultipartUpload("uneven");
    const parts = [await uneven.uploadPart(1, part("a")), await uneven.uploadPart(2, part("b", 5 * MB + 1)), await uneven.uploadPart(3, "c")];
    await refused(uneven.complete(parts), "Error: completeMultipartUpload: There was a problem with the multipart upload. (10048)");
    await refused(uneven.complete(parts.slice(0, 2)), "Error: completeMultipartUpload: There was a problem with the multipart upload. (10048)");
    await uneven.abort();
    const empty = await r2.createMultipartUpload("empty");
    equal((await empty.complete([])).size, 0);
    equal(await (await r2.get("empty")).text(), "");
  },

  // Values that are more than one write, and on S3 more than one part.
  async several({ BUCKET: r2 }) {
    const value = new Uint8Array(9 * MB).fill(7);
    const sha256 = await crypto.subtle.digest("SHA-256", value);
    const wrong = r2.put("several", value, { sha256: new Uint8Array(32) });
    const refusal = await wrong.then(() => "none", (error) => error.message);
    equal(refusal.slice(0, 26), "put: The SHA-256 checksum ");
    equal(await r2.head("several"), null);
    const put = await r2.put("several", value, { sha256, customMetadata: { a: "b" } });
    equal([put.size, put.customMetadata, hex(put.checksums.sha256)], [9 * MB, { a: "b" }, hex(sha256)]);
    equal((await r2.head("several")).version, put.version);
    const got = await (await r2.get("several")).arrayBuffer();
    equal(hex(await crypto.subtle.digest("SHA-256", got)), hex(sha256));
    equal(await r2.put("several", value, { onlyIf: { etagDoesNotMatch: put.etag } }), null);
    const onlyIf = { etagDoesNotMatch: "*" };
    const puts = await Promise.all([1, 2, 3].map((n) => r2.put("several/race", value.map(() => n), { onlyIf })));
    equal(puts.filter((put) => put !== null).length, 1);
    const part = await r2.createMultipartUpload("several");
    const parts = [await part.uploadPart(1, value), await part.uploadPart(2, "end")];
    equal((await part.complete(parts)).size, 9 * MB + 3);
    await r2.delete(["several", "several/race"]);
  },

  // A reader has what it began to read, whatever becomes of the object.
  async replaced({ BUCKET: r2 }) {
    const upload = await r2.createMultipartUpload("replaced");
    const parts = [await upload.uploadPart(1, new Uint8Array(5 * MB)), await upload.uploadPart(2, "end")];
    await upload.complete(parts);
    const reader = (await r2.get("replaced")).body.getReader();
    let size = (await reader.read()).value.length;
    await r2.put("replaced", "new");
    await r2.delete("replaced");
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
    }
    equal(size, 5 * MB + 3);
  },
};

// The steps of an upload, one a request.
async function step(r2, [, , verb, uploadId, ...rest]) {
  const upload = () => r2.resumeMultipartUpload("/crashed", uploadId);
  switch (verb) {
    case "begin":
      return (await r2.createMultipartUpload("/crashed")).uploadId;
    case "part":
      return (await upload().uploadPart(Number(rest[0]), new Uint8Array(5 * MB))).etag;
    case "complete":
      return String((await upload().complete(rest.map((etag, at) => ({ partNumber: at + 1, etag })))).size);
  }
}

async function serve(request, { BUCKET: r2 }, key) {
  switch (request.method) {
    case "PUT": {
      const put = await r2.put(key, request.body, { httpMetadata: request.headers });
      return Response.json({ etag: put.etag, size: put.size });
    }
    case "DELETE":
      await r2.delete(key);
      return new Response(null, { status: 204 });
    default: {
      const object = await r2.get(key, { range: request.headers, onlyIf: request.headers });
      if (object === null) return new Response("none", { status: 404 });
      const headers = new Headers();
      object.writeHttpMetadata(headers);
      headers.set("etag", object.httpEtag);
      return new Response(object.body, { status: "body" in object ? 200 : 304, headers });
    }
  }
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/listed") {
      const { objects } = await env.BUCKET.list({ include: ["customMetadata"] });
      return Response.json(objects.map((object) => [object.key, object.customMetadata]));
    }
    if (pathname === "/promises") return Response.json(Object.keys(promises));
    if (request.method === "POST") return new Response(await step(env.BUCKET, pathname.split("/")));
    const promise = promises[pathname.slice(1)];
    if (promise === undefined) return await serve(request, env, pathname);
    try {
      await promise(env);
      return new Response("ok");
    } catch (error) {
      return new Response(error.stack, { status: 500 });
    }
  },
};
