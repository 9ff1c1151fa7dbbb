// node:dgram: sockets that can be made, and send and receive nothing.
(function () {
const { core, primordials } = __bootstrap;
const {
  FunctionPrototypeCall,
  ObjectSetPrototypeOf,
  SafeArrayIterator,
  SymbolAsyncDispose,
} = primordials;
const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.mjs");
const { validateFunction, validateObject } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);

function Socket(type, callback) {
  FunctionPrototypeCall(EventEmitter, this);
  validateObject(typeof type === "string" ? { type } : type, "type");
  if (callback !== undefined) validateFunction(callback, "callback");
}
ObjectSetPrototypeOf(Socket.prototype, EventEmitter.prototype);
ObjectSetPrototypeOf(Socket, EventEmitter);

const methods = (names, result) => {
  for (const name of new SafeArrayIterator(names)) {
    Socket.prototype[name] = {
      [name]() {
        return result === "this" ? this : result === "object" ? {} : result;
      },
    }[name];
  }
};
methods(["bind", "close", "ref", "unref"], "this");
methods(["address", "remoteAddress"], "object");
methods([
  "getRecvBufferSize",
  "getSendBufferSize",
  "getSendQueueCount",
  "getSendQueueSize",
], 0);
methods([
  "addMembership",
  "addSourceSpecificMembership",
  "connect",
  "disconnect",
  "dropMembership",
  "dropSourceSpecificMembership",
  "send",
  "sendto",
  "setBroadcast",
  "setMulticastInterface",
  "setMulticastLoopback",
  "setMulticastTTL",
  "setRecvBufferSize",
  "setSendBufferSize",
  "setTTL",
], undefined);
Socket.prototype[SymbolAsyncDispose] = async function () {};

return {
  exports: {
    createSocket: (type, callback) => new Socket(type, callback),
    Socket,
  },
};
})();
