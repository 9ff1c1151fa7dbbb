// What HTMLRewriter's handlers are given: views of the token that the parser
// waits at, good until the handler is done.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_rewriter_attributes,
  op_rewriter_edit,
  op_rewriter_flag,
  op_rewriter_insert,
  op_rewriter_insert_stream,
  op_rewriter_on_end_tag,
  op_rewriter_text,
} = core.ops;
const {
  ArrayIteratorPrototype,
  Error,
  ObjectDefineProperty,
  ObjectGetPrototypeOf,
  ObjectPrototypeIsPrototypeOf,
  ObjectSetPrototypeOf,
  Symbol,
  SymbolIterator,
  SymbolToStringTag,
  TypeError,
} = primordials;
const { makeEnumerable } = core.loadExtScript("ext:outboard/headers.js");
const { isResponse } = core.loadExtScript("ext:outboard/response.js");
const { ReadableStreamPrototype } = core.loadExtScript(
  "ext:deno_web/06_streams.js",
);

const kOurs = Symbol("made by the parser");

// Numbers that ops/html_rewriter.rs names.
const TAG_NAME = 0;
const NAMESPACE = 1;
const TEXT = 2;
const DOCTYPE_NAME = 3;
const PUBLIC_ID = 4;
const SYSTEM_ID = 5;
const ATTRIBUTE = 6;
const REMOVE_ATTRIBUTE = 7;
const REMOVE = 8;
const REMOVE_AND_KEEP_CONTENT = 9;
const IS_REMOVED = 0;
const IS_LAST = 1;
const HAS_ATTRIBUTE = 2;
const BEFORE = 0;
const AFTER = 1;
const PREPEND = 2;
const APPEND = 3;
const REPLACE = 4;
const INNER = 5;
const PLACES = [
  "before",
  "after",
  "prepend",
  "append",
  "replace",
  "setInnerContent",
];

function isHtml(token, method, options) {
  if (options === undefined || options === null) return false;
  if (typeof options !== "object") {
    throw wrongType(token, method, 2, "ContentOptions");
  }
  return !!options.html;
}

function wrongType(token, method, parameter, type) {
  return new TypeError(
    `Failed to execute '${method}' on '${token[SymbolToStringTag]}': parameter ` +
      `${parameter} is not of type '${type}'.`,
  );
}

class Token {
  /** @type {object} what the parser's driver knows (html_rewriter.js) */
  #session;

  constructor(key, session) {
    if (key !== kOurs) throw new TypeError("Illegal constructor");
    this.#session = session;
    session.token = this;
  }

  static session(token) {
    const session = token.#session;
    if (session.token !== token) {
      throw new TypeError(
        "This content token is no longer valid. Content tokens are only valid " +
          "during the execution of the relevant content handler.",
      );
    }
    return session;
  }

  static text(token, what, name = "") {
    return op_rewriter_text(sessionOf(token).rid, what, name);
  }

  static flag(token, what, name = "") {
    return op_rewriter_flag(sessionOf(token).rid, what, name);
  }

  static edit(token, what, first = "", second = "") {
    op_rewriter_edit(sessionOf(token).rid, what, first, second);
    return token;
  }

  static insert(token, place, args) {
    const session = sessionOf(token);
    let content = args[0];
    if (args.length === 0) {
      const types = "string or JsReadableStream or Response";
      throw wrongType(token, PLACES[place], 1, types);
    }
    const html = isHtml(token, PLACES[place], args[1]);
    if (typeof content === "object" && content !== null) {
      if (isResponse(content)) {
        content = content.body;
        if (content === null) return token;
      }
      if (ObjectPrototypeIsPrototypeOf(ReadableStreamPrototype, content)) {
        const number = session.addStream(content);
        op_rewriter_insert_stream(session.rid, place, number, html);
        return token;
      }
    }
    op_rewriter_insert(session.rid, place, `${content}`, html);
    return token;
  }

  static insertText(token, place, args) {
    const content = args[0];
    if (
      typeof content === "object" && content !== null &&
      (isResponse(content) ||
        ObjectPrototypeIsPrototypeOf(ReadableStreamPrototype, content))
    ) {
      throw new TypeError(
        "Replacing content in HTML comments using a ReadableStream or Response " +
          "object is not implemented. You must provide a string.",
      );
    }
    return Token.insert(token, place, args);
  }
}
const { edit, flag, insert, insertText, session: sessionOf, text } = Token;
delete Token.session;

/** An argument that must be a text: as WebIDL makes one of it. */
function string(value) {
  return `${value}`;
}

class Element extends Token {
  get tagName() {
    return text(this, TAG_NAME);
  }

  set tagName(name) {
    edit(this, TAG_NAME, string(name));
  }

  get attributes() {
    return new AttributesIterator(kOurs, this);
  }

  get removed() {
    return flag(this, IS_REMOVED);
  }

  get namespaceURI() {
    return text(this, NAMESPACE);
  }

  getAttribute(name) {
    return text(this, ATTRIBUTE, string(name));
  }

  hasAttribute(name) {
    return flag(this, HAS_ATTRIBUTE, string(name));
  }

  setAttribute(name, value) {
    edit(this, ATTRIBUTE, string(name), string(value));
    sessionOf(this).attributeEdits++;
    return this;
  }

  removeAttribute(name) {
    edit(this, REMOVE_ATTRIBUTE, string(name));
    sessionOf(this).attributeEdits++;
    return this;
  }

  before(_content, _options = undefined) {
    return insert(this, BEFORE, arguments);
  }

  after(_content, _options = undefined) {
    return insert(this, AFTER, arguments);
  }

  prepend(_content, _options = undefined) {
    return insert(this, PREPEND, arguments);
  }

  append(_content, _options = undefined) {
    return insert(this, APPEND, arguments);
  }

  replace(_content, _options = undefined) {
    return insert(this, REPLACE, arguments);
  }

  remove() {
    return edit(this, REMOVE);
  }

  removeAndKeepContent() {
    return edit(this, REMOVE_AND_KEEP_CONTENT);
  }

  setInnerContent(_content, _options = undefined) {
    return insert(this, INNER, arguments);
  }

  onEndTag(handler) {
    if (typeof handler !== "function") {
      throw new TypeError(
        "Failed to execute 'onEndTag' on 'Element': parameter 1 is not of type " +
          "'function'.",
      );
    }
    const session = sessionOf(this);
    const number = session.addEndTag(handler);
    op_rewriter_on_end_tag(session.rid, number);
  }
}

class EndTag extends Token {
  get name() {
    return text(this, TAG_NAME);
  }

  set name(name) {
    edit(this, TAG_NAME, string(name));
  }

  before(_content, _options = undefined) {
    return insert(this, BEFORE, arguments);
  }

  after(_content, _options = undefined) {
    return insert(this, AFTER, arguments);
  }

  remove() {
    return edit(this, REMOVE);
  }
}

class Comment extends Token {
  get text() {
    return text(this, TEXT);
  }

  set text(value) {
    edit(this, TEXT, string(value));
  }

  get removed() {
    return flag(this, IS_REMOVED);
  }

  before(_content, _options = undefined) {
    return insertText(this, BEFORE, arguments);
  }

  after(_content, _options = undefined) {
    return insertText(this, AFTER, arguments);
  }

  replace(_content, _options = undefined) {
    return insertText(this, REPLACE, arguments);
  }

  remove() {
    return edit(this, REMOVE);
  }
}

class Text extends Token {
  get text() {
    return text(this, TEXT);
  }

  get lastInTextNode() {
    return flag(this, IS_LAST);
  }

  get removed() {
    return flag(this, IS_REMOVED);
  }

  before(_content, _options = undefined) {
    return insert(this, BEFORE, arguments);
  }

  after(_content, _options = undefined) {
    return insert(this, AFTER, arguments);
  }

  replace(_content, _options = undefined) {
    return insert(this, REPLACE, arguments);
  }

  remove() {
    return edit(this, REMOVE);
  }
}

class Doctype extends Token {
  get name() {
    return text(this, DOCTYPE_NAME);
  }

  get publicId() {
    return text(this, PUBLIC_ID);
  }

  get systemId() {
    return text(this, SYSTEM_ID);
  }
}

class DocumentEnd extends Token {
  append(_content, _options = undefined) {
    return insertText(this, APPEND, arguments);
  }
}

class AttributesIterator {
  #element;
  #list;
  #at = 0;
  #edits;

  constructor(key, element) {
    if (key !== kOurs) throw new TypeError("Illegal constructor");
    const session = sessionOf(element);
    this.#element = element;
    this.#list = op_rewriter_attributes(session.rid);
    this.#edits = session.attributeEdits;
  }

  next() {
    const session = sessionOf(this.#element);
    if (session.attributeEdits !== this.#edits) {
      throw new Error(
        "The attributes of this element have been modified during iteration. " +
          "You must create a new iterator after modifying attributes.",
      );
    }
    const at = this.#at;
    if (at >= this.#list.length) return { done: true, value: undefined };
    this.#at = at + 2;
    return { done: false, value: [this.#list[at], this.#list[at + 1]] };
  }

  [SymbolIterator]() {
    return this;
  }
}
ObjectSetPrototypeOf(
  AttributesIterator.prototype,
  ObjectGetPrototypeOf(ArrayIteratorPrototype),
);

const classes = {
  __proto__: null,
  AttributesIterator,
  Comment,
  Doctype,
  DocumentEnd,
  Element,
  EndTag,
  Text,
};
for (const name in classes) {
  const { prototype } = classes[name];
  makeEnumerable(prototype);
  ObjectDefineProperty(prototype, SymbolToStringTag, {
    __proto__: null,
    value: name,
    configurable: true,
  });
}
// What is inherited is not part of the API.
for (const name of ["Comment", "Doctype", "DocumentEnd", "Element", "EndTag", "Text"]) {
  ObjectSetPrototypeOf(classes[name].prototype, primordials.ObjectPrototype);
}

/** By the kinds of steps: what a handler of that kind is given. */
const tokens = [
  null,
  null,
  null,
  Element,
  Comment,
  Text,
  Doctype,
  DocumentEnd,
  EndTag,
];

/** The token that the parser of `session` waits at. */
function tokenOf(kind, session) {
  return new tokens[kind](kOurs, session);
}

return { tokenOf };
})();
