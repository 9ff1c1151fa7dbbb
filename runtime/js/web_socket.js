// WebSocketPair and the sockets it makes, as Workers have them: `accept()`
// begins delivery, and the socket holds its event open until it is closed.
(function () {
const { core, primordials } = __bootstrap;
const {
  op_socket_close,
  op_socket_next,
  op_socket_pair,
  op_socket_send_bytes,
  op_socket_send_text,
} = core.ops;
const {
  ArrayBufferIsView,
  NumberIsInteger,
  ObjectDefineProperty,
  Symbol,
  SymbolToStringTag,
  TypeError,
  Uint8Array,
} = primordials;
const { CloseEvent, ErrorEvent, EventTarget, MessageEvent } = core
  .loadExtScript("ext:deno_web/02_event.js");
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");

const kPairEnd = Symbol("end of a pair");
const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

class WebSocket extends EventTarget {
  #rid;
  #accepted = false;
  #readyState = OPEN;
  #closeSent = false;

  constructor(url) {
    super();
    if (url !== kPairEnd) {
      throw new TypeError(
        "new WebSocket(url) is not served yet: outgoing WebSockets are not " +
          "supported by this version of Outboard.",
      );
    }
    this.#rid = arguments[1];
  }

  static end(rid) {
    return new WebSocket(kPairEnd, rid);
  }

  /** Gives the host's number for this end, which a response hands over. */
  static handOver(socket) {
    if (socket.#accepted) {
      throw new TypeError(
        "Can't return WebSocket in a Response after calling accept().",
      );
    }
    socket.#accepted = true;
    return socket.#rid;
  }

  static is(value) {
    return typeof value === "object" && value !== null && #rid in value;
  }

  get readyState() {
    return this.#readyState;
  }

  get url() {
    return null;
  }

  get protocol() {
    return "";
  }

  get extensions() {
    return "";
  }

  get binaryType() {
    return "arraybuffer";
  }

  set binaryType(_value) {}

  accept() {
    if (this.#accepted) {
      throw new TypeError(
        "Can't accept() WebSocket that was already used in a response.",
      );
    }
    this.#accepted = true;
    const event = requireEvent();
    event.hold();
    this.#deliver().finally(() => event.release());
  }

  async #deliver() {
    for (;;) {
      const message = await op_socket_next(this.#rid);
      if (message === null || message.kind === 2) {
        const code = message?.code ?? 1006;
        if (message === null) {
          this.dispatchEvent(
            new ErrorEvent("error", { message: "WebSocket connection lost." }),
          );
        } else if (!this.#closeSent) {
          // The closing handshake: answer a close with a close.
          this.#closeSent = true;
          op_socket_close(this.#rid, code, message.text);
        }
        this.#readyState = CLOSED;
        core.tryClose(this.#rid);
        this.dispatchEvent(
          new CloseEvent("close", {
            code,
            reason: message?.text ?? "",
            wasClean: message !== null,
          }),
        );
        return;
      }
      const data = message.kind === 0 ? message.text : message.data.buffer;
      this.dispatchEvent(new MessageEvent("message", { data }));
    }
  }

  send(data) {
    if (!this.#accepted) {
      throw new TypeError(
        "You must call accept() on this WebSocket before sending messages.",
      );
    }
    if (this.#closeSent || this.#readyState !== OPEN) {
      throw new TypeError("Can't call WebSocket send() after close().");
    }
    if (ArrayBufferIsView(data)) {
      op_socket_send_bytes(
        this.#rid,
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
    } else if (
      primordials.ObjectPrototypeToString(data) === "[object ArrayBuffer]"
    ) {
      op_socket_send_bytes(this.#rid, new Uint8Array(data));
    } else {
      op_socket_send_text(this.#rid, `${data}`);
    }
  }

  close(code = undefined, reason = "") {
    if (code !== undefined) {
      code = +code;
      if (
        !NumberIsInteger(code) || code < 1000 || code >= 5000 ||
        code === 1004 || code === 1005 || code === 1006 || code === 1015
      ) {
        throw new TypeError(`Invalid WebSocket close code: ${code}.`);
      }
    }
    if (!this.#accepted) {
      throw new TypeError(
        "You must call accept() on this WebSocket before sending messages.",
      );
    }
    if (this.#closeSent || this.#readyState === CLOSED) return;
    this.#closeSent = true;
    this.#readyState = CLOSING;
    op_socket_close(this.#rid, code ?? 1005, `${reason}`);
  }
}
const { end, handOver, is: isWebSocket } = WebSocket;
delete WebSocket.end;
delete WebSocket.handOver;
delete WebSocket.is;

const states = { __proto__: null, CONNECTING, OPEN, CLOSING, CLOSED };
for (const name in states) {
  const constant = { __proto__: null, value: states[name], enumerable: true };
  ObjectDefineProperty(WebSocket, name, constant);
  ObjectDefineProperty(WebSocket.prototype, name, constant);
  ObjectDefineProperty(WebSocket, `READY_STATE_${name}`, constant);
}
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

class WebSocketPair {
  constructor() {
    const [left, right] = op_socket_pair();
    this[0] = end(left);
    this[1] = end(right);
  }
}

return { handOver, isWebSocket, WebSocket, WebSocketPair };
})();
