// EventSource: server-sent events over fetch
// (https://html.spec.whatwg.org/#server-sent-events), or from a stream.
(function () {
const { core, primordials } = __bootstrap;
const { op_url_normalize } = core.ops;
const {
  ArrayPrototypeJoin,
  ArrayPrototypePush,
  Error,
  MathMax,
  MathMin,
  Number,
  ObjectDefineProperty,
  PromisePrototypeThen,
  RegExpPrototypeExec,
  RegExpPrototypeTest,
  SafeRegExp,
  StringPrototypeIncludes,
  StringPrototypeIndexOf,
  StringPrototypeSlice,
  StringPrototypeSplit,
  StringPrototypeToLowerCase,
  StringPrototypeTrim,
  Symbol,
  SymbolDispose,
  SymbolToStringTag,
  TypeError,
} = primordials;
const {
  defineEventHandler,
  ErrorEvent,
  Event,
  EventTarget,
  MessageEvent,
  setIsTrusted,
} = core.loadExtScript("ext:deno_web/02_event.js");
const { AbortController } = core.loadExtScript(
  "ext:deno_web/03_abort_signal.js",
);
const { TextDecoder } = core.loadExtScript(
  "ext:deno_web/08_text_encoding.js",
);
const {
  acquireReadableStreamDefaultReader,
  isReadableStreamDisturbed,
  isReadableStream,
} = core.loadExtScript("ext:deno_web/06_streams.js");
const { DOMException } = core.loadExtScript(
  "ext:deno_web/01_dom_exception.js",
);
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");
const { currentEvent } = core.loadExtScript("ext:outboard/event.js");
const { fetch } = core.loadExtScript("ext:outboard/fetch.js");
const { makeEnumerable } = core.loadExtScript("ext:outboard/headers.js");
const { setTimeout } = core.loadExtScript("ext:outboard/timers.js");

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 2;

/** How long to wait before connecting again, in milliseconds, and its bounds. */
const RETRY = 2_000;
const SHORTEST_RETRY = 1_000;
const LONGEST_RETRY = 10_000;

const kFromStream = Symbol("from a stream");
const LINE_END = new SafeRegExp("\\r\\n|\\n|\\r");
const DIGITS = new SafeRegExp("^[0-9]+$");

/** Text in pieces, cut wherever, to events. */
class Parser {
  lastEventId = "";
  retry = RETRY;
  #decoder = new TextDecoder();
  #rest = "";
  /** The text so far ends with a carriage return. */
  #afterReturn = false;
  #data = [];
  #type = "";

  /** The events that `bytes` complete: `{type, data, lastEventId}`. */
  feed(bytes) {
    const events = [];
    let text = this.#decoder.decode(bytes, { stream: true });
    if (this.#afterReturn && text !== "") {
      this.#afterReturn = false;
      if (text[0] === "\n") text = StringPrototypeSlice(text, 1);
    }
    for (;;) {
      const end = RegExpPrototypeExec(LINE_END, text);
      if (end === null) break;
      // A line feed that comes later belongs to it; the line need not wait.
      this.#afterReturn = end[0] === "\r" && end.index === text.length - 1;
      // Only new text is searched, so that a long line in pieces stays cheap.
      const line = this.#rest + StringPrototypeSlice(text, 0, end.index);
      this.#rest = "";
      this.#line(line, events);
      text = StringPrototypeSlice(text, end.index + end[0].length);
    }
    this.#rest += text;
    return events;
  }

  #line(line, events) {
    if (line === "") {
      const data = ArrayPrototypeJoin(this.#data, "\n");
      const type = this.#type === "" ? "message" : this.#type;
      this.#data = [];
      this.#type = "";
      if (data !== "") {
        const { lastEventId } = this;
        ArrayPrototypePush(events, { type, data, lastEventId });
      }
      return;
    }
    const colon = StringPrototypeIndexOf(line, ":");
    if (colon === 0) return;
    const field = colon < 0 ? line : StringPrototypeSlice(line, 0, colon);
    let value = colon < 0 ? "" : StringPrototypeSlice(line, colon + 1);
    if (value[0] === " ") value = StringPrototypeSlice(value, 1);
    if (field === "data") ArrayPrototypePush(this.#data, value);
    else if (field === "event") this.#type = value;
    else if (field === "id") {
      if (!StringPrototypeIncludes(value, "\0")) this.lastEventId = value;
    } else if (field === "retry" && RegExpPrototypeTest(DIGITS, value)) {
      this.retry = MathMax(
        SHORTEST_RETRY,
        MathMin(LONGEST_RETRY, Number(value)),
      );
    }
  }

  /** For the next connection: what was incomplete is dropped. */
  next() {
    const parser = new Parser();
    parser.lastEventId = this.lastEventId;
    parser.retry = this.retry;
    return parser;
  }
}

class EventSource extends EventTarget {
  #url = null;
  #fetcher;
  #readyState = CONNECTING;
  #parser = new Parser();
  #controller = new AbortController();
  #reader = null;
  /** A server that answers without a body is given one more chance. */
  #hadNoBody = false;

  constructor(url, init = undefined) {
    super();
    if (currentEvent() === undefined) {
      throw notSupported(
        "An EventSource can only be created within the context of a worker request.",
      );
    }
    if (url === kFromStream) return;
    if (init?.withCredentials) {
      throw notSupported(
        "The init.withCredentials option is not supported. It must be false or undefined.",
      );
    }
    try {
      this.#url = op_url_normalize(`${url}`);
    } catch {
      throw new DOMException(
        `Cannot open an EventSource to '${url}'. The URL is invalid.`,
        "SyntaxError",
      );
    }
    this.#fetcher = init?.fetcher;
    ignore(this.#connect());
  }

  static from(stream) {
    if (!isReadableStream(stream)) {
      throw new TypeError(
        "Failed to execute 'from' on 'EventSource': parameter 1 is not of type " +
          "'ReadableStream'.",
      );
    }
    const source = new EventSource(kFromStream);
    if (stream.locked) throw new TypeError("This ReadableStream is locked.");
    if (isReadableStreamDisturbed(stream)) {
      throw new TypeError("This ReadableStream has already been read from.");
    }
    ignore(source.#read(stream));
    return source;
  }

  get url() {
    return this.#url ?? "";
  }

  get withCredentials() {
    return false;
  }

  get readyState() {
    return this.#readyState;
  }

  close() {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSED;
    this.#stop();
  }

  #stop(reason = undefined) {
    this.#controller.abort(reason);
    const reader = this.#reader;
    this.#reader = null;
    if (reader !== null) ignore(reader.cancel(reason));
  }

  async #connect() {
    const headers = ["accept", "text/event-stream", "cache-control", "no-cache"];
    const { lastEventId } = this.#parser;
    if (lastEventId !== "") {
      ArrayPrototypePush(headers, "last-event-id", lastEventId);
    }
    const pairs = [];
    for (let i = 0; i < headers.length; i += 2) {
      ArrayPrototypePush(pairs, [headers[i], headers[i + 1]]);
    }
    const init = { headers: pairs, signal: this.#controller.signal };
    let response;
    try {
      response = this.#fetcher === undefined
        ? await fetch(this.#url, init)
        : await this.#fetcher.fetch(this.#url, init);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#readyState === CLOSED) {
      response.body?.cancel();
      return;
    }
    const refusal = refuse(response);
    if (refusal !== null) {
      response.body?.cancel();
      this.#fail(new DOMException(refusal, "AbortError"));
      return;
    }
    if (response.redirected) this.#url = response.url;
    const { body } = response;
    if (body !== null) {
      await this.#read(body);
      return;
    }
    if (this.#hadNoBody) {
      this.#fail(new Error("The server provided no content."));
      return;
    }
    this.#hadNoBody = true;
    this.#reconnect(
      new Error("The server provided no content. Will try reconnecting."),
    );
  }

  async #read(stream) {
    const reader = acquireReadableStreamDefaultReader(stream);
    this.#reader = reader;
    this.#readyState = OPEN;
    this.#dispatch(new Event("open"));
    try {
      while (this.#readyState === OPEN) {
        const { done, value } = await reader.read();
        if (done) break;
        const events = this.#parser.feed(value);
        for (let i = 0; i < events.length; i++) this.#message(events[i]);
      }
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#readyState === CLOSED) return;
    this.#reader = null;
    const error = new Error("The server disconnected.");
    if (this.#url === null) this.#fail(error);
    else this.#reconnect(error);
  }

  #message({ type, data, lastEventId }) {
    if (this.#readyState === CLOSED) return;
    const origin = this.#url === null ? "" : new URL(this.#url).origin;
    this.#dispatch(new MessageEvent(type, { data, lastEventId, origin }));
  }

  #fail(error) {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSED;
    this.#stop(error);
    this.#dispatch(errorEvent(error));
  }

  #reconnect(error) {
    this.#readyState = CONNECTING;
    this.#controller.abort(error);
    this.#dispatch(errorEvent(error));
    if (this.#readyState === CLOSED) return;
    this.#controller = new AbortController();
    this.#parser = this.#parser.next();
    setTimeout(() => {
      if (this.#readyState === CONNECTING) ignore(this.#connect());
    }, this.#parser.retry);
  }

  /** Also to `on` and the type, whatever that is: Workers call all such. */
  #dispatch(event) {
    setIsTrusted(event, true);
    this.dispatchEvent(event);
    const { type } = event;
    if (type !== "open" && type !== "message" && type !== "error") {
      const handler = this[`on${type}`];
      if (typeof handler === "function") {
        primordials.ReflectApply(handler, this, [event]);
      }
    }
  }
}

/** Why an answer is no stream of events; null where it is one. */
function refuse(response) {
  if (!response.ok) {
    return `The response status code was ${response.status}.`;
  }
  const type = response.headers.get("content-type");
  if (type === null) {
    return "No content type header was present in the response.";
  }
  const essence = StringPrototypeTrim(StringPrototypeSplit(type, ";")[0]);
  return StringPrototypeToLowerCase(essence) === "text/event-stream"
    ? null
    : `The content type '${type}' is invalid.`;
}

function errorEvent(error) {
  return new ErrorEvent("error", { error });
}

function notSupported(message) {
  return new DOMException(message, "NotSupportedError");
}

function ignore(promise) {
  PromisePrototypeThen(promise, undefined, () => {});
}

const states = { __proto__: null, CONNECTING, OPEN, CLOSED };
for (const name in states) {
  const constant = { __proto__: null, value: states[name], enumerable: true };
  ObjectDefineProperty(EventSource, name, constant);
  ObjectDefineProperty(EventSource.prototype, name, constant);
}
ObjectDefineProperty(EventSource.prototype, SymbolDispose, {
  __proto__: null,
  value: EventSource.prototype.close,
  writable: true,
  configurable: true,
});
makeEnumerable(EventSource.prototype);
ObjectDefineProperty(EventSource.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "EventSource",
  configurable: true,
});
defineEventHandler(EventSource.prototype, "error");
defineEventHandler(EventSource.prototype, "message");
defineEventHandler(EventSource.prototype, "open");

return { EventSource };
})();
