// HTMLRewriter: drives the parser, which is the host's, a step at a time. The
// parser stops at every token that somebody listens to; handlers run here, may
// wait, and then it goes on. What is read pulls what is parsed.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_rewriter_chunk,
  op_rewriter_end,
  op_rewriter_go_on,
  op_rewriter_open,
  op_rewriter_output,
  op_rewriter_pending,
  op_rewriter_selector,
  op_rewriter_write,
} = core.ops;
const {
  ArrayBufferIsView,
  ArrayPrototypePush,
  ArrayPrototypeShift,
  FunctionPrototypeCall,
  MapPrototypeDelete,
  MapPrototypeGet,
  MapPrototypeSet,
  MathMin,
  ObjectDefineProperty,
  PromisePrototypeThen,
  RegExpPrototypeExec,
  SafeMap,
  SafeRegExp,
  SymbolToStringTag,
  TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeSubarray,
  TypeError,
  Uint8Array,
} = primordials;
const { getAsyncContext, setAsyncContext } = core;
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { makeEnumerable } = core.loadExtScript("ext:outboard/headers.js");
const { bodyState, kBytes, kNull, kStream, kText } = core.loadExtScript(
  "ext:outboard/body.js",
);
const { isResponse, Response } = core.loadExtScript("ext:outboard/response.js");
const { acquireReadableStreamDefaultReader, Deferred, ReadableStream } = core
  .loadExtScript("ext:deno_web/06_streams.js");
const { tokenOf } = core.loadExtScript("ext:outboard/html_tokens.js");

// Steps (ops/html_rewriter.rs): kinds from 3 on are tokens.
const WANTS_INPUT = 0;
const DONE = 1;
const STREAM = 2;
const END_TAG = 8;

/** How much the parser is given, and may have written, before it rests. */
const CHUNK = 64 << 10;

const CHARSET = new SafeRegExp(
  ';[ \\t]*charset[ \\t]*=[ \\t]*("[^"]*"|[^; \\t]*)',
  "i",
);

function charsetOf(response) {
  const type = response.headers.get("content-type");
  const found = type === null ? null : RegExpPrototypeExec(CHARSET, type);
  if (found === null) return "utf-8";
  const value = found[1];
  return value[0] === '"'
    ? primordials.StringPrototypeSlice(value, 1, value.length - 1)
    : value;
}

/**
 * Bytes of a body in pieces that the parser takes. A stream is read ahead a
 * little, so that who writes it need not wait for the handlers.
 */
class Input {
  #left = null;
  #reader = null;
  /** What was read ahead, and its size. @type {Uint8Array[]} */
  #ahead = [];
  #size = 0;
  #ended = false;
  /** Told when something was read, and when something was taken. */
  #arrived = new Deferred();
  #taken = new Deferred();

  constructor(state) {
    if (state.kind === kText) this.#left = core.encode(state.value);
    else if (state.kind === kBytes) this.#left = state.value;
    else {
      this.#reader = acquireReadableStreamDefaultReader(state.stream());
      PromisePrototypeThen(
        this.#fill(),
        () => {
          this.#ended = true;
          this.#arrived.resolve();
        },
        (error) => this.#arrived.reject(error),
      );
      ignore(this.#arrived.promise);
    }
  }

  /** The next piece; null at the end; a promise of either where it must wait. */
  next() {
    const left = this.#left;
    if (left !== null) {
      const length = TypedArrayPrototypeGetByteLength(left);
      if (length > 0) {
        const size = MathMin(length, CHUNK);
        this.#left = TypedArrayPrototypeSubarray(left, size);
        return TypedArrayPrototypeSubarray(left, 0, size);
      }
      this.#left = null;
    }
    return this.#reader === null ? null : this.#read();
  }

  async #read() {
    for (;;) {
      if (this.#ahead.length > 0) {
        this.#left = ArrayPrototypeShift(this.#ahead);
        this.#size -= TypedArrayPrototypeGetByteLength(this.#left);
        this.#taken.resolve();
        return this.next();
      }
      if (this.#ended) return null;
      await this.#arrived.promise;
    }
  }

  async #fill() {
    while (this.#reader !== null) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      const bytes = toBytes(value);
      const length = TypedArrayPrototypeGetByteLength(bytes);
      if (length === 0) continue;
      ArrayPrototypePush(this.#ahead, bytes);
      this.#size += length;
      const arrived = this.#arrived;
      this.#arrived = new Deferred();
      ignore(this.#arrived.promise);
      arrived.resolve();
      while (this.#size >= CHUNK && this.#reader !== null) {
        this.#taken = new Deferred();
        await this.#taken.promise;
      }
    }
  }

  cancel(reason) {
    this.#left = null;
    const reader = this.#reader;
    this.#reader = null;
    this.#taken.resolve();
    if (reader !== null) ignore(reader.cancel(reason));
  }
}

function toBytes(chunk) {
  if (ArrayBufferIsView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (core.isArrayBuffer(chunk)) return new Uint8Array(chunk);
  throw new TypeError("This ReadableStream did not return bytes.");
}

function ignore(promise) {
  PromisePrototypeThen(promise, undefined, () => {});
}

function isThenable(value) {
  return (typeof value === "object" || typeof value === "function") &&
    value !== null && typeof value.then === "function";
}

/** One transformation under way; the tokens' view of it too. */
class Session {
  rid;
  /** The token that a handler has now, which alone may be used. */
  token = null;
  /** How often the attributes of tokens were changed: ends iterators. */
  attributeEdits = 0;

  #handlers;
  #input;
  #context = getAsyncContext();
  #step = WANTS_INPUT;
  #over = false;
  #last = 0;
  /** @type {SafeMap<number, Function>} */
  #endTags = new SafeMap();
  /** @type {SafeMap<number, ReadableStream>} */
  #streams = new SafeMap();

  constructor(rid, handlers, input) {
    this.rid = rid;
    this.#handlers = handlers;
    this.#input = input;
  }

  addStream(stream) {
    MapPrototypeSet(this.#streams, ++this.#last, stream);
    return this.#last;
  }

  addEndTag(handler) {
    MapPrototypeSet(this.#endTags, ++this.#last, handler);
    return this.#last;
  }

  /** Runs the parser until it wrote something, or all. */
  async pull(controller) {
    try {
      for (;;) {
        const step = this.#step;
        if (step === DONE) {
          this.#flush(controller, /* last */ true);
          this.#over = true;
          controller.close();
          controller.byobRequest?.respond(0);
          return;
        }
        if (step === WANTS_INPUT) {
          // What there is goes out before more is waited for.
          if (op_rewriter_pending(this.rid) > 0) {
            this.#flush(controller);
            return;
          }
          let piece = this.#input.next();
          if (isThenable(piece)) piece = await piece;
          if (this.#over) return;
          this.#step = piece === null
            ? op_rewriter_end(this.rid)
            : op_rewriter_write(this.rid, piece);
          continue;
        }
        const kind = step & 15;
        if (kind === STREAM) await this.#copy(controller, step >> 4);
        else {
          const result = this.#handle(kind, step >> 4);
          if (isThenable(result)) {
            this.#flush(controller);
            await result;
          }
          this.token = null;
        }
        if (this.#over) return;
        this.#step = op_rewriter_go_on(this.rid);
        if (op_rewriter_pending(this.rid) >= CHUNK) {
          this.#flush(controller);
          return;
        }
      }
    } catch (error) {
      if (this.#over) return;
      this.#fail(controller, error);
    }
  }

  cancel(reason) {
    this.#end();
    this.#input.cancel(reason);
  }

  /** Calls a handler, in the context in which transform() was called. */
  #handle(kind, number) {
    let handler, self;
    if (kind === END_TAG) {
      handler = MapPrototypeGet(this.#endTags, number);
      MapPrototypeDelete(this.#endTags, number);
    } else ({ handler, self } = this.#handlers[number]);
    const token = tokenOf(kind, this);
    const outer = getAsyncContext();
    setAsyncContext(this.#context);
    try {
      return FunctionPrototypeCall(handler, self, token);
    } finally {
      setAsyncContext(outer);
    }
  }

  /** Copies a stream that a handler put in to where the parser is. */
  async #copy(controller, number) {
    const stream = MapPrototypeGet(this.#streams, number);
    MapPrototypeDelete(this.#streams, number);
    const reader = acquireReadableStreamDefaultReader(stream);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || this.#over) return;
        op_rewriter_chunk(this.rid, toBytes(value));
        this.#flush(controller);
      }
    } catch (error) {
      ignore(reader.cancel(error));
      throw error;
    }
  }

  #flush(controller, last = false) {
    const output = op_rewriter_output(this.rid, last);
    if (TypedArrayPrototypeGetByteLength(output) > 0) controller.enqueue(output);
  }

  #fail(controller, error) {
    try {
      this.#flush(controller);
    } catch {
      // The parser is gone with its event.
    }
    this.#end();
    this.#input.cancel(error);
    controller.error(error);
  }

  #end() {
    if (this.#over) return;
    this.#over = true;
    this.token = null;
    try {
      op_rewriter_output(this.rid, /* last */ true);
    } catch {
      // As above.
    }
  }
}

/** The handlers of `names` in `handlers`, and bits for those that there are. */
function collect(handlers, names, type) {
  if (typeof handlers !== "object" && typeof handlers !== "function") {
    throw new TypeError(
      `Failed to execute '${
        type === "ElementContentHandlers" ? "on" : "onDocument"
      }' on 'HTMLRewriter': parameter ${
        type === "ElementContentHandlers" ? 2 : 1
      } is not of type '${type}'.`,
    );
  }
  const list = [];
  let bits = 0;
  for (let bit = 0; bit < ALL.length; bit++) {
    const name = ALL[bit];
    const handler = names[name] ? handlers?.[name] : undefined;
    if (handler === undefined) {
      ArrayPrototypePush(list, null);
      continue;
    }
    if (typeof handler !== "function") {
      throw new TypeError(
        `Incorrect type for the '${name}' field on '${type}': the provided ` +
          "value is not of type 'function'.",
      );
    }
    bits |= 1 << bit;
    ArrayPrototypePush(list, { handler, self: handlers });
  }
  return { bits, list };
}

/** In the order of their bits. */
const ALL = ["element", "comments", "text", "doctype", "end"];
const OF_ELEMENTS = { __proto__: null, element: true, comments: true, text: true };
const OF_DOCUMENT = {
  __proto__: null,
  doctype: true,
  comments: true,
  text: true,
  end: true,
};

class HTMLRewriter {
  /** Selectors, null for the document, with bits of `ALL`. */
  #selectors = [];
  #bits = [];
  /** Eight places for each selector, as its handlers are numbered. */
  #handlers = [];

  on(selector, handlers) {
    selector = `${selector}`;
    const { bits, list } = collect(
      handlers,
      OF_ELEMENTS,
      "ElementContentHandlers",
    );
    op_rewriter_selector(selector);
    return this.#add(selector, bits, list);
  }

  onDocument(handlers) {
    const { bits, list } = collect(
      handlers,
      OF_DOCUMENT,
      "DocumentContentHandlers",
    );
    return this.#add(null, bits, list);
  }

  #add(selector, bits, list) {
    ArrayPrototypePush(this.#selectors, selector);
    ArrayPrototypePush(this.#bits, bits);
    const first = this.#selectors.length * 8 - 8;
    for (let bit = 0; bit < 8; bit++) {
      this.#handlers[first + bit] = list[bit] ?? null;
    }
    return this;
  }

  transform(response) {
    if (!isResponse(response)) {
      throw new TypeError(
        "Failed to execute 'transform' on 'HTMLRewriter': parameter 1 is not of " +
          "type 'Response'.",
      );
    }
    if (response.type === "error") {
      throw new TypeError("HTMLRewriter cannot transform an error response");
    }
    const state = bodyState(response);
    state.open();
    if (state.kind === kNull) return response;
    if (state.isUsed() || (state.kind === kStream && state.value.locked)) {
      throw new TypeError("The ReadableStream has been locked to a reader.");
    }
    const event = requireEvent();
    let session;
    const stream = new ReadableStream({
      type: "bytes",
      pull: (controller) => session.pull(controller),
      cancel: (reason) => session.cancel(reason),
    }, { highWaterMark: 1 });
    const rewritten = new Response(stream, response);
    const rid = op_rewriter_open(
      event.id,
      charsetOf(response),
      this.#selectors,
      this.#bits,
    );
    try {
      const taken = new Input(takeBody(state));
      session = new Session(rid, this.#snapshot(), taken);
    } catch (error) {
      op_rewriter_output(rid, /* last */ true);
      throw error;
    }
    return rewritten;
  }

  /** Handlers that are added later are for later transformations. */
  #snapshot() {
    return primordials.ArrayPrototypeSlice(this.#handlers);
  }
}

/** Takes a body whose stream, where it is one, is read here. */
function takeBody(state) {
  state.take();
  if (state.kind === kText || state.kind === kBytes) return state;
  // The stream itself becomes disturbed as it is read.
  state.used = false;
  return state;
}

makeEnumerable(HTMLRewriter.prototype);
ObjectDefineProperty(HTMLRewriter.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "HTMLRewriter",
  configurable: true,
});

return { HTMLRewriter };
})();
