// WebSocketPair and the sockets it makes, as Workers have them: `accept()`
// begins delivery, and the socket holds its event open until it is closed.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_socket_close,
  op_socket_connect,
  op_socket_end,
  op_object_socket_attach,
  op_socket_next,
  op_socket_owned,
  op_socket_pair,
  op_socket_send_bytes,
  op_socket_send_text,
  op_url_normalize,
} = core.ops;
const {
  ArrayBufferIsView,
  ArrayPrototypeIncludes,
  ArrayPrototypeJoin,
  ArrayPrototypePush,
  Error,
  ObjectDefineProperty,
  RegExpPrototypeTest,
  SafeRegExp,
  StringPrototypeIndexOf,
  StringPrototypeSlice,
  StringPrototypeToWellFormed,
  Symbol,
  SymbolIterator,
  SymbolToStringTag,
  TypedArrayPrototypeGetByteLength,
  TypeError,
  Uint8Array,
} = primordials;
const { CloseEvent, ErrorEvent, Event, EventTarget, MessageEvent, setIsTrusted } = core
  .loadExtScript("ext:deno_web/02_event.js");
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { currentEvent, foreign, requireEvent } = core.loadExtScript("ext:outboard/event.js");
const { findHeader, makeEnumerable } = core.loadExtScript("ext:outboard/headers.js");

/** The way that `fetch()` goes, among the host's services. */
const GLOBAL = -1;
const kPairEnd = Symbol("end of a pair");
const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** The longest reason of a close, and the largest attachment, in bytes. */
const REASON = 123;
const ATTACHMENT = 16 << 10;

/** The reason of a close that nobody sent, as Workers have it. */
const NO_CLOSE = "WebSocket disconnected without sending Close frame.";

class WebSocket extends EventTarget {
  #rid;
  /** The event that has it; others cannot use it. */
  #owner = currentEvent();
  #accepted = false;
  #handedOver = false;
  /** The other end, where this isolate has it. @type {WebSocket | null} */
  #peer = null;
  #binaryType = has(flag.websocket_standard_binary_type)
    ? "blob"
    : "arraybuffer";
  /** Serialised, as a hibernating object would keep it. @type {Uint8Array | null} */
  #attachment = null;
  /** The object that holds it, and the host's number there. */
  #object = 0;
  #held = 0;
  #connecting = false;
  /** It failed. */
  #lost = false;
  /** The other side is gone: what is sent is let go. */
  #gone = false;
  #closeSent = false;
  #closeHeard = false;
  /** The other side's close is not answered: the script does that. */
  #halfOpen = false;

  #url = null;
  /** What the server chose, or nothing. */
  #protocol = "";

  constructor(url, protocols = undefined) {
    super();
    if (url === kPairEnd) {
      this.#rid = arguments[1];
      return;
    }
    const event = requireEvent();
    const target = toHttpUrl(url, ["ws", "wss"]);
    const headers = protocolHeaders(protocols);
    this.#rid = -1;
    this.#url = `${url}`;
    this.#connecting = true;
    event.hold();
    this.#connect(event, target, headers).finally(() => event.release());
  }

  async #connect(event, target, headers) {
    let answer, reason;
    try {
      answer = await op_socket_connect(event.id, GLOBAL, target, headers, null);
      if (answer.socket < 0) {
        core.tryClose(answer.body);
        reason = `the server answered ${answer.status}`;
      }
    } catch (error) {
      reason = error.message;
    }
    this.#connecting = false;
    if (this.#closeSent) {
      if (answer?.socket >= 0) op_socket_end(answer.socket);
      reason ??= "it was closed before";
    }
    if (reason !== undefined) {
      this.#lost = true;
      const message = `WebSocket connection failed: ${reason}`;
      const error = new TypeError(message);
      this.#dispatch(new ErrorEvent("error", { message, error }));
      this.#dispatch(new CloseEvent("close", { code: 1006 }));
      return;
    }
    this.#rid = answer.socket;
    this.#accepted = true;
    op_socket_owned(this.#rid, event.id);
    this.#protocol = findHeader(answer.headers, "sec-websocket-protocol");
    this.#dispatch(new Event("open"));
    await this.#deliver(event);
  }

  static end(rid) {
    return new WebSocket(kPairEnd, rid);
  }

  /** Both ends of a pair. */
  static ends(left, right) {
    const both = [end(left), end(right)];
    both[0].#peer = both[1];
    both[1].#peer = both[0];
    return both;
  }

  /** Gives the host's number for this end, which a response hands over. */
  static handOver(socket) {
    if (socket.#accepted || socket.#handedOver) {
      throw new TypeError(
        "Can't return WebSocket in a Response after calling accept().",
      );
    }
    socket.#handedOver = true;
    return socket.#rid;
  }

  /**
   * Lets an object hold a socket that a script had: `accept` takes the host's
   * number of it and gives the object's, `open` a new one to send with.
   */
  static hold(socket, object, accept, open) {
    if (socket.#accepted) {
      throw new Error(
        "Cannot call `acceptWebSocket()` if the WebSocket was already accepted via " +
          "`accept()`",
      );
    }
    if (socket.#handedOver || socket.#peer?.#accepted) {
      throw new Error(
        "Cannot call `acceptWebSocket()` on this WebSocket because its pair has " +
          "already been accepted or used in a Response.",
      );
    }
    socket.#accepted = true;
    socket.#object = object;
    socket.#held = accept(socket.#rid);
    socket.#rid = open(socket.#held);
    if (socket.#attachment !== null) {
      op_object_socket_attach(object, socket.#held, socket.#attachment);
    }
    return socket.#held;
  }

  /** A socket that an object holds, for an object that is new in memory. */
  static held(rid, object, number, attachment, closed) {
    const socket = new WebSocket(kPairEnd, rid);
    socket.#accepted = true;
    socket.#object = object;
    socket.#held = number;
    socket.#attachment = attachment ?? null;
    socket.#closeSent = closed;
    return socket;
  }

  /** The object's number of a socket that it holds, or 0. */
  static heldNumber(socket, object) {
    return #rid in socket && socket.#object === object ? socket.#held : 0;
  }

  /** Whether it was accepted, in either way. */
  static isAccepted(socket) {
    return socket.#accepted;
  }

  /** The other side closed a socket that an object holds, or is gone. */
  static heldClosed(socket, clean) {
    socket.#closeHeard = true;
    socket.#gone = !clean;
  }

  /** Its object has heard of that. */
  static heldEnded(socket) {
    socket.#gone = true;
    op_socket_end(socket.#rid);
  }

  static is(value) {
    return typeof value === "object" && value !== null && #rid in value;
  }

  get readyState() {
    this.#checkOwner();
    if (this.#lost || (this.#closeSent && this.#closeHeard)) return CLOSED;
    if (this.#closeSent || this.#closeHeard) return CLOSING;
    return this.#connecting ? CONNECTING : OPEN;
  }

  get url() {
    return this.#url;
  }

  get protocol() {
    return this.#protocol;
  }

  get extensions() {
    return "";
  }

  get binaryType() {
    return this.#binaryType;
  }

  set binaryType(type) {
    if (type === "blob" || type === "arraybuffer") this.#binaryType = type;
  }

  get bufferedAmount() {
    return 0;
  }

  #checkOwner() {
    const error = foreign(this.#owner, "Native");
    if (error !== undefined) throw error;
  }

  accept(options = undefined) {
    this.#checkOwner();
    if (this.#connecting) {
      throw new TypeError(
        "Websockets obtained from the 'new WebSocket()' constructor cannot " +
          "call accept",
      );
    }
    if (this.#handedOver) {
      throw new TypeError(
        "Can't accept() WebSocket that was already used in a response.",
      );
    }
    if (this.#held !== 0) {
      throw new TypeError("Can't accept() WebSocket after enabling hibernation.");
    }
    if (this.#accepted) return;
    const event = requireEvent();
    this.#accepted = true;
    op_socket_owned(this.#rid, event.id);
    this.#halfOpen = !!options?.allowHalfOpen;
    event.hold();
    this.#deliver(event).finally(() => event.release());
  }

  async #deliver(event) {
    for (;;) {
      const message = await op_socket_next(this.#rid);
      // Its object ended before its time.
      if (message === null && event.ended) return;
      if (message === null) {
        op_socket_end(this.#rid);
        this.#gone = true;
        this.#dispatch(new CloseEvent("close", { code: 1006, reason: NO_CLOSE }));
        this.#closeHeard = true;
        return;
      }
      if (message.kind === 2) {
        this.#hearClose(message);
        return;
      }
      // What broke the protocol; no close follows it.
      if (message.kind === 3) {
        this.#lost = true;
        op_socket_end(this.#rid);
        const error = new Error(message.text);
        this.#dispatch(
          new ErrorEvent("error", { message: `Uncaught Error: ${message.text}`, error }),
        );
        return;
      }
      this.#dispatch(new MessageEvent("message", { data: this.#data(message) }));
    }
  }

  #hearClose({ code, text }) {
    this.#closeHeard = true;
    if (!this.#halfOpen && !this.#closeSent) {
      // The closing handshake: answer a close with a close.
      this.#closeSent = true;
      op_socket_close(this.#rid, code, text);
    }
    if (this.#closeSent) op_socket_end(this.#rid);
    this.#dispatch(
      new CloseEvent("close", { code, reason: text, wasClean: true }),
    );
  }

  /** A value that a hibernating Durable Object keeps with its socket. */
  serializeAttachment(value) {
    if (arguments.length === 0) {
      throw new TypeError(
        "Failed to execute 'serializeAttachment' on 'WebSocket': parameter 1 is not of type " +
          "'Value'.",
      );
    }
    const bytes = values().serializeAny(value);
    const length = TypedArrayPrototypeGetByteLength(bytes);
    if (length > ATTACHMENT) {
      throw new Error(
        `A WebSocket 'attachment' cannot be larger than ${ATTACHMENT} bytes.` +
          `'attachment' was ${length} bytes.`,
      );
    }
    this.#attachment = bytes;
    if (this.#held !== 0) op_object_socket_attach(this.#object, this.#held, bytes);
  }

  deserializeAttachment() {
    return this.#attachment === null ? null : values().deserialize(this.#attachment);
  }

  #requireAccepted() {
    if (!this.#accepted) {
      throw new TypeError(
        "You must call one of accept() or state.acceptWebSocket() on this " +
          "WebSocket before sending messages.",
      );
    }
  }

  #data({ kind, text, data }) {
    if (kind === 0) return text;
    if (this.#binaryType === "arraybuffer") return data.buffer;
    const { Blob } = core.loadExtScript("ext:deno_web/09_file.js");
    return new Blob([data]);
  }

  /** As the host's own: a listener that throws is reported, not a fault here. */
  #dispatch(event) {
    setIsTrusted(event, true);
    this.dispatchEvent(event);
  }

  send(data) {
    this.#checkOwner();
    if (this.#closeSent) {
      throw new TypeError("Can't call WebSocket send() after close().");
    }
    // The standard: what is sent to nobody is let go.
    if (this.#lost || this.#gone) return;
    this.#requireAccepted();
    if (ArrayBufferIsView(data) || core.isAnyArrayBuffer(data)) {
      op_socket_send_bytes(this.#rid, toBytes(data));
    } else {
      op_socket_send_text(this.#rid, `${data}`);
    }
  }

  close(code = undefined, reason = undefined) {
    this.#checkOwner();
    if (code !== undefined) {
      code = +code | 0;
      if (
        code < 1000 || code >= 5000 ||
        code === 1004 || code === 1005 || code === 1006 || code === 1015 ||
        (code !== 1000 && code < 3000 && has(flag.pedantic_wpt))
      ) {
        throw invalidAccess(`Invalid WebSocket close code: ${code}.`);
      }
    }
    const text = StringPrototypeToWellFormed(`${reason ?? ""}`);
    if (TypedArrayPrototypeGetByteLength(core.encode(text)) > REASON) {
      throw new (dom())(
        `WebSocket close reason must not be longer than ${REASON} bytes when ` +
          "UTF-8 encoded.",
        "SyntaxError",
      );
    }
    if (code === undefined && reason !== undefined) {
      throw invalidAccess(
        "If you specify a WebSocket close reason, you must also specify a code.",
      );
    }
    if (this.#closeSent || this.#lost || this.#gone) return;
    if (this.#connecting) {
      // Ends the connection as soon as there is one.
      this.#closeSent = true;
      return;
    }
    this.#requireAccepted();
    this.#closeSent = true;
    op_socket_close(this.#rid, code ?? 1005, text);
    if (this.#closeHeard) op_socket_end(this.#rid);
  }
}

/** Bytes of an array buffer or a view; none of one that was given away. */
function toBytes(data) {
  if (!ArrayBufferIsView(data)) {
    return new Uint8Array(data.detached ? 0 : data);
  }
  const { buffer, byteLength, byteOffset } = data;
  if (byteLength === 0) return new Uint8Array(0);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** As objects keep them. */
function values() {
  return core.loadExtScript("ext:outboard/object_keys.js");
}

function dom() {
  return core.loadExtScript("ext:deno_web/01_dom_exception.js").DOMException;
}

function invalidAccess(message) {
  return new (dom())(message, "InvalidAccessError");
}

const { end, ends, handOver, held, heldClosed, heldEnded, heldNumber, hold, isAccepted } =
  WebSocket;
const { is: isWebSocket } = WebSocket;
delete WebSocket.end;
delete WebSocket.ends;
delete WebSocket.handOver;
delete WebSocket.held;
delete WebSocket.heldClosed;
delete WebSocket.heldEnded;
delete WebSocket.heldNumber;
delete WebSocket.hold;
delete WebSocket.is;
delete WebSocket.isAccepted;

const states = { __proto__: null, CONNECTING, OPEN, CLOSING, CLOSED };
for (const name in states) {
  const constant = { __proto__: null, value: states[name], enumerable: true };
  ObjectDefineProperty(WebSocket, name, constant);
  ObjectDefineProperty(WebSocket.prototype, name, constant);
  ObjectDefineProperty(WebSocket, `READY_STATE_${name}`, constant);
  ObjectDefineProperty(WebSocket.prototype, `READY_STATE_${name}`, constant);
}
makeEnumerable(WebSocket.prototype);
ObjectDefineProperty(WebSocket.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "WebSocket",
  configurable: true,
});
const { defineEventHandler } = core.loadExtScript("ext:deno_web/02_event.js");
defineEventHandler(WebSocket.prototype, "close");
defineEventHandler(WebSocket.prototype, "error");
defineEventHandler(WebSocket.prototype, "message");
defineEventHandler(WebSocket.prototype, "open");

/** `ws:` and `wss:` as the host's client speaks of them. */
function toHttpUrl(url, schemes) {
  let href;
  try {
    href = op_url_normalize(`${url}`);
  } catch {
    throw syntaxError("The url is invalid.");
  }
  const scheme = StringPrototypeSlice(href, 0, StringPrototypeIndexOf(href, ":"));
  const rest = StringPrototypeSlice(href, scheme.length);
  if (!ArrayPrototypeIncludes(schemes, scheme)) {
    throw syntaxError("The url scheme must be ws or wss.");
  }
  if (StringPrototypeIndexOf(href, "#") >= 0) {
    throw syntaxError("The url fragment must be empty.");
  }
  return scheme === "ws" || scheme === "http" ? `http${rest}` : `https${rest}`;
}

function syntaxError(message) {
  return new (dom())(`WebSocket Constructor: ${message}`, "SyntaxError");
}

/** A token (RFC 9110, 5.6.2). */
const TOKEN = new SafeRegExp("^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$");

/** https://websockets.spec.whatwg.org/#dom-websocket-websocket, steps 7 to 9. */
function protocolHeaders(protocols) {
  if (protocols === undefined) return [];
  const one = typeof protocols === "string";
  const list = one ? [protocols] : [...protocols];
  if (list.length === 0) return [];
  for (let i = 0; i < list.length; i++) {
    if (!RegExpPrototypeTest(TOKEN, list[i])) {
      throw syntaxError(
        one
          ? "The protocol header token is invalid."
          : "One of the protocol header tokens is invalid.",
      );
    }
    for (let j = 0; j < i; j++) {
      if (list[i] === list[j]) {
        throw syntaxError("The protocols header cannot have repeating values.");
      }
    }
  }
  return ["sec-websocket-protocol", ArrayPrototypeJoin(list, ", ")];
}

/** fetch() of a request that asks for a WebSocket: a Response with one. */
async function fetchSocket(event, service, url, headers, object) {
  const target = toHttpUrl(url, ["ws", "wss", "http", "https"]);
  let answer;
  try {
    answer = await op_socket_connect(event.id, service, target, headers, object);
  } catch (error) {
    if (service === GLOBAL) throw error;
    throw core.loadExtScript("ext:outboard/rpc_errors.js").restoreFailure(error);
  }
  const { hostResponse, Response } = core.loadExtScript(
    "ext:outboard/response.js",
  );
  if (answer.socket < 0) {
    return hostResponse({
      status: answer.status,
      statusText: "",
      headers: answer.headers,
      url,
      redirected: false,
      body: answer.body,
    });
  }
  const pairs = [];
  for (let i = 0; i < answer.headers.length; i += 2) {
    ArrayPrototypePush(pairs, [answer.headers[i], answer.headers[i + 1]]);
  }
  return new Response(null, {
    status: 101,
    headers: pairs,
    webSocket: end(answer.socket),
  });
}

class WebSocketPair {
  constructor() {
    requireEvent();
    const [left, right] = op_socket_pair();
    const both = ends(left, right);
    this[0] = both[0];
    this[1] = both[1];
  }

  *[SymbolIterator]() {
    yield this[0];
    yield this[1];
  }
}

return {
  fetchSocket,
  handOver,
  held,
  heldClosed,
  heldEnded,
  heldNumber,
  hold,
  isAccepted,
  isWebSocket,
  WebSocket,
  WebSocketPair,
};
})();
