// Objects of an R2 bucket as a script has them: what is known of one, and its body.
(function () {
const { core, primordials } = __bootstrap;
const {
  Date,
  DatePrototypeToUTCString,
  JSONParse,
  ObjectDefineProperty,
  Symbol,
  SymbolToStringTag,
  TypedArrayPrototypeGetBuffer,
  TypeError,
} = primordials;
const { BodyState, kHost, NO_BODY } = core.loadExtScript("ext:outboard/body.js");
const { illegalInvocation, makeEnumerable } = core.loadExtScript(
  "ext:outboard/headers.js",
);
const { fixed, own } = core.loadExtScript("ext:outboard/properties.js");
const { bytesOfHex, HTTP_TEXTS } = core.loadExtScript("ext:outboard/r2_options.js");

const kOwn = Symbol("made here");

function requireOwn(key) {
  if (key !== kOwn) throw new TypeError("Illegal constructor");
}

/** A class of Workers' by its name there. */
function named(constructor, name) {
  ObjectDefineProperty(constructor, "name", { __proto__: null, value: name, configurable: true });
  ObjectDefineProperty(constructor.prototype, SymbolToStringTag, {
    __proto__: null,
    value: name,
    configurable: true,
  });
}

/** Digests by the numbers that the protocol has for them. */
const CHECKSUMS = ["md5", "sha1", "sha256", "sha384", "sha512"];

class Checksums {
  #hex = {};

  constructor(key, fields) {
    requireOwn(key);
    for (let i = CHECKSUMS.length - 1; i >= 0; i--) {
      const hex = fields?.[i];
      const there = typeof hex === "string" && hex !== "";
      if (there) this.#hex[CHECKSUMS[i]] = hex;
      const value = there ? TypedArrayPrototypeGetBuffer(bytesOfHex(hex)) : undefined;
      fixed(this, CHECKSUMS[i], value);
    }
  }

  toJSON() {
    const list = {};
    for (let i = 0; i < CHECKSUMS.length; i++) {
      const hex = this.#hex[CHECKSUMS[i]];
      if (hex !== undefined) list[CHECKSUMS[i]] = hex;
    }
    return list;
  }
}
makeEnumerable(Checksums.prototype);
named(Checksums, "Checksums");

/** What the protocol tells of an object; its members are in Workers' order. */
class R2Object {
  /** Of what `writeHttpMetadata` writes, which no script changes. */
  #http;
  #key;

  constructor(key, fields, http, custom) {
    requireOwn(key);
    this.#http = http;
    this.#key = fields.name;
    const { range } = fields;
    fixed(this, "ssecKeyMd5", fields.ssec?.keyMd5);
    fixed(this, "storageClass", fields.storageClass ?? "");
    fixed(
      this,
      "range",
      range === undefined || range === null
        ? undefined
        : { offset: +(range.offset ?? 0), length: +(range.length ?? 0) },
    );
    fixed(this, "customMetadata", custom);
    fixed(this, "httpMetadata", http && shown(http));
    fixed(this, "uploaded", new Date(+(fields.uploaded ?? 0)));
    fixed(this, "checksums", new Checksums(kOwn, fields.checksums));
    fixed(this, "httpEtag", `"${fields.etag ?? ""}"`);
    fixed(this, "etag", fields.etag ?? "");
    fixed(this, "size", +(fields.size ?? 0));
    fixed(this, "version", fields.version ?? "");
    fixed(this, "key", fields.name);
  }

  writeHttpMetadata(headers) {
    if (!(#http in this)) throw illegalInvocation();
    const http = this.#http;
    if (http === undefined) {
      throw new TypeError(
        `HTTP metadata unknown for key \`${this.#key}\`. Did you forget to add ` +
          "'httpMetadata' to `include` when listing?",
      );
    }
    for (let i = 0; i < HTTP_TEXTS.length; i++) {
      const { 0: name, 1: header } = HTTP_TEXTS[i];
      if (http[name] !== undefined) headers.set(header, http[name]);
    }
    if (http.cacheExpiry !== undefined) {
      headers.set("expires", DatePrototypeToUTCString(new Date(http.cacheExpiry)));
    }
  }
}
makeEnumerable(R2Object.prototype);
named(R2Object, "HeadResult");

/** HTTP metadata for the script: dates are dates. */
function shown(http) {
  return http.cacheExpiry === undefined
    ? { ...http }
    : { ...http, cacheExpiry: new Date(http.cacheExpiry) };
}

class R2ObjectBody extends R2Object {
  /** @type {BodyState} */
  #body;
  #type;

  constructor(key, fields, http, custom, body) {
    super(key, fields, http, custom);
    this.#body = body;
    this.#type = http.contentType ?? "";
  }

  get body() {
    return this.#body.stream();
  }

  get bodyUsed() {
    return this.#body.isUsed();
  }

  async arrayBuffer() {
    return TypedArrayPrototypeGetBuffer(await this.#body.bytes());
  }

  async bytes() {
    return await this.#body.bytes();
  }

  async text() {
    return await this.#body.text();
  }

  async json() {
    return JSONParse(await this.#body.text());
  }

  async blob() {
    const { blobOfType } = core.loadExtScript("ext:deno_web/09_file.js");
    return blobOfType(await this.#body.bytes(), this.#type);
  }
}
makeEnumerable(R2ObjectBody.prototype);
named(R2ObjectBody, "GetResult");

/** HTTP metadata of the protocol: undefined where none is told and none was asked for. */
function httpOf(fields, asked) {
  const { httpFields } = fields;
  if (httpFields === undefined || httpFields === null) return asked ? {} : undefined;
  const http = {};
  for (let i = 0; i < HTTP_TEXTS.length; i++) {
    const { 0: name } = HTTP_TEXTS[i];
    if (typeof httpFields[name] === "string") http[name] = httpFields[name];
  }
  const expiry = httpFields.cacheExpiry;
  if (expiry !== undefined && expiry !== null) http.cacheExpiry = +expiry;
  return http;
}

function customOf(pairs, asked) {
  if (pairs === undefined || pairs === null) return asked ? {} : undefined;
  const custom = {};
  for (let i = 0; i < pairs.length; i++) {
    // Defined, since `__proto__` is a name like others.
    own(custom, pairs[i].k, pairs[i].v);
  }
  return custom;
}

/** An object that the protocol tells of; `asked` says which metadata is to be there. */
function objectOf(fields, asked = { http: true, custom: true }) {
  return new R2Object(
    kOwn,
    fields,
    httpOf(fields, asked.http),
    customOf(fields.customFields, asked.custom),
  );
}

/** The object that a put made: its metadata is what the script gave. */
function objectOfPut(fields, { http, custom }) {
  return new R2Object(kOwn, fields, http, customOf(custom, true));
}

/** An object and its bytes, which are the host's body `rid`; none below 0. */
function objectWithBody(fields, rid) {
  const body = rid < 0 ? NO_BODY() : new BodyState(kHost, rid, null, null);
  return new R2ObjectBody(
    kOwn,
    fields,
    httpOf(fields, true),
    customOf(fields.customFields, true),
    body,
  );
}

return { kOwn, named, objectOf, objectOfPut, objectWithBody, requireOwn };
})();
