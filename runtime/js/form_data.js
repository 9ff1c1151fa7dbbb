// FormData (https://xhr.spec.whatwg.org/#interface-formdata), and reading and
// writing it as multipart/form-data or urlencoded.
(function () {
const { core, primordials } = __bootstrap;
const { op_form_boundary, op_form_parse } = core.ops;
const {
  ArrayPrototypePush,
  ArrayPrototypeSplice,
  FunctionPrototypeCall,
  ObjectDefineProperties,
  ObjectPrototypeIsPrototypeOf,
  RegExpPrototypeExec,
  SafeRegExp,
  StringPrototypeEndsWith,
  StringPrototypeReplace,
  StringPrototypeStartsWith,
  StringPrototypeToLowerCase,
  StringPrototypeToWellFormed,
  SymbolIterator,
  SymbolToStringTag,
  TypeError,
} = primordials;

const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { makeEnumerable, makeIterators } = core.loadExtScript("ext:outboard/headers.js");

const blobs = () => core.loadExtScript("ext:deno_web/09_file.js");

function requireArguments(method, given) {
  if (given >= 2) return;
  const type = given === 0 ? "string" : "File or Blob or string";
  throw new TypeError(
    `Failed to execute '${method}' on 'FormData': parameter ${given + 1} is ` +
      `not of type '${type}'.`,
  );
}

const iterate = makeIterators("FormData Iterator");

class FormData {
  /** @type {{name: string, value: string | File}[]} */
  #list = [];

  #entry(name, value, filename) {
    const { BlobPrototype, File, FilePrototype } = blobs();
    name = StringPrototypeToWellFormed(`${name}`);
    if (ObjectPrototypeIsPrototypeOf(BlobPrototype, value)) {
      const isFile = ObjectPrototypeIsPrototypeOf(FilePrototype, value);
      if (!isFile || filename !== undefined) {
        const title = filename ?? (isFile ? value.name : name);
        value = new File([value], `${title}`, {
          type: value.type,
          lastModified: isFile ? value.lastModified : undefined,
        });
      }
      return { name, value };
    }
    return { name, value: StringPrototypeToWellFormed(`${value}`) };
  }

  append(name, value, filename = undefined) {
    requireArguments("append", arguments.length);
    ArrayPrototypePush(this.#list, this.#entry(name, value, filename));
  }

  delete(name) {
    this.#remove(`${name}`, 0);
  }

  #remove(name, from) {
    const list = this.#list;
    for (let i = list.length - 1; i >= from; i--) {
      if (list[i].name === name) ArrayPrototypeSplice(list, i, 1);
    }
  }

  get(name) {
    name = `${name}`;
    const list = this.#list;
    for (let i = 0; i < list.length; i++) {
      if (list[i].name === name) return list[i].value;
    }
    return null;
  }

  getAll(name) {
    name = `${name}`;
    const values = [];
    const list = this.#list;
    for (let i = 0; i < list.length; i++) {
      if (list[i].name === name) ArrayPrototypePush(values, list[i].value);
    }
    return values;
  }

  has(name) {
    return this.get(name) !== null;
  }

  set(name, value, filename = undefined) {
    requireArguments("set", arguments.length);
    const entry = this.#entry(name, value, filename);
    const list = this.#list;
    for (let i = 0; i < list.length; i++) {
      if (list[i].name === entry.name) {
        list[i] = entry;
        this.#remove(entry.name, i + 1);
        return;
      }
    }
    ArrayPrototypePush(list, entry);
  }

  forEach(callback, thisArg = undefined) {
    const list = this.#list;
    for (let i = 0; i < list.length; i++) {
      FunctionPrototypeCall(callback, thisArg, list[i].value, list[i].name, this);
    }
  }

  entries() {
    return iterate(this.#list, (entry) => [entry.name, entry.value]);
  }

  keys() {
    return iterate(this.#list, (entry) => entry.name);
  }

  values() {
    return iterate(this.#list, (entry) => entry.value);
  }

  static listOf(form) {
    return form.#list;
  }

  static is(value) {
    return typeof value === "object" && value !== null && #list in value;
  }
}
const { is: isFormData, listOf } = FormData;
delete FormData.is;
delete FormData.listOf;

makeEnumerable(FormData.prototype);
ObjectDefineProperties(FormData.prototype, {
  [SymbolIterator]: {
    __proto__: null,
    value: FormData.prototype.entries,
    writable: true,
    configurable: true,
  },
  [SymbolToStringTag]: {
    __proto__: null,
    value: "FormData",
    configurable: true,
  },
});

function escapeName(name) {
  if (StringPrototypeEndsWith(name, "\\")) {
    throw new TypeError("Name or filename can't end with backslash");
  }
  name = StringPrototypeReplace(name, new SafeRegExp("\\\\", "g"), "\\\\");
  name = StringPrototypeReplace(name, new SafeRegExp("\\n", "g"), "%0A");
  name = StringPrototypeReplace(name, new SafeRegExp("\\r", "g"), "%0D");
  return StringPrototypeReplace(name, new SafeRegExp('"', "g"), "%22");
}

/**
 * https://html.spec.whatwg.org/#multipart-form-data: bytes at once where all
 * values are strings, otherwise a stream, since a Blob is read piece by piece.
 * Its length is known: many servers take no upload without one.
 */
function serialize(form) {
  const boundary = op_form_boundary();
  const list = listOf(form);
  const parts = [];
  let hasFile = false;
  for (let i = 0; i < list.length; i++) {
    const { name, value } = list[i];
    let head = `--${boundary}\r\nContent-Disposition: form-data; ` +
      `name="${escapeName(name)}"`;
    if (typeof value === "string") {
      ArrayPrototypePush(parts, `${head}\r\n\r\n${value}\r\n`);
    } else {
      hasFile = true;
      head += `; filename="${escapeName(value.name)}"\r\nContent-Type: ` +
        `${value.type === "" ? "application/octet-stream" : value.type}\r\n\r\n`;
      ArrayPrototypePush(parts, head, value, "\r\n");
    }
  }
  ArrayPrototypePush(parts, `--${boundary}--`);
  if (!hasFile) {
    let text = "";
    for (let i = 0; i < parts.length; i++) text += parts[i];
    return { boundary, bytes: core.encode(text), stream: null, length: null };
  }
  const { Blob } = blobs();
  const whole = new Blob(parts);
  return { boundary, bytes: null, stream: whole.stream(), length: whole.size };
}

const BOUNDARY = new SafeRegExp(
  ";\\s*boundary=(?:\"([^\"]+)\"|([^;\\s]+))",
  "i",
);

const CHARSET = new SafeRegExp(";\\s*charset=\"?([^\";\\s]+)", "i");

/** @param {BodyState} state @param {string | null} type its Content-Type */
async function parse(state, type) {
  if (type === null) {
    throw new TypeError("Parsing a Body as FormData requires a Content-Type header.");
  }
  const lower = StringPrototypeToLowerCase(type);
  const form = new FormData();
  if (StringPrototypeStartsWith(lower, "multipart/form-data")) {
    const match = RegExpPrototypeExec(BOUNDARY, type);
    const boundary = match?.[1] ?? match?.[2];
    if (boundary === undefined) {
      throw new TypeError(
        "No boundary string in Content-Type header. The multipart/form-data " +
          "MIME type requires a boundary parameter, e.g. 'Content-Type: " +
          "multipart/form-data; boundary=\"abcd\"'. See RFC 7578, section 4.",
      );
    }
    const bytes = await state.bytes();
    const parts = op_form_parse(bytes, boundary);
    const { File } = blobs();
    const list = listOf(form);
    for (let i = 0; i < parts.length; i++) {
      const { name, filename, contentType, data } = parts[i];
      ArrayPrototypePush(list, {
        name,
        // Before Workers had files, one was its text.
        value: filename === null || !has(flag.formdata_parser_supports_files)
          ? core.decode(data)
          : new File([data], filename, { type: contentType ?? "" }),
      });
    }
    return form;
  }
  if (StringPrototypeStartsWith(lower, "application/x-www-form-urlencoded")) {
    const charset = RegExpPrototypeExec(CHARSET, lower)?.[1];
    if (charset !== undefined && charset !== "utf-8" && charset !== "utf8") {
      throw new TypeError(
        "Non-utf-8 application/x-www-form-urlencoded body.",
      );
    }
    const { parseUrlEncoded } = core.loadExtScript("ext:deno_web/00_url.js");
    const pairs = parseUrlEncoded(await state.bytes());
    for (let i = 0; i < pairs.length; i++) form.append(pairs[i][0], pairs[i][1]);
    return form;
  }
  throw new TypeError(
    `Unrecognized Content-Type header value. FormData can only parse the ` +
      `following MIME types: multipart/form-data, application/x-www-form-urlencoded`,
  );
}

return { FormData, isFormData, parse, serialize };
})();
