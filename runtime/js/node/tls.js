// node:tls: TLS by the host, over connect() or over a socket that stands. Whom
// to trust is the host's: certificates cannot be given or looked at.
(function () {
const { core, primordials } = __bootstrap;
const {
  ArrayBufferIsView,
  ArrayIsArray,
  Error,
  FunctionPrototypeCall,
  ObjectPrototypeIsPrototypeOf,
  ObjectSetPrototypeOf,
  SafeArrayIterator,
  Symbol,
} = primordials;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");
const { validateFunction, validateInteger } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);
const {
  ERR_METHOD_NOT_IMPLEMENTED,
  ERR_OPTION_NOT_IMPLEMENTED,
  notImplemented,
} = core.loadExtScript("ext:outboard/node/errors.js");
const net = core.loadExtScript("ext:outboard/node/net.js");
const { checkServerIdentity } = core.loadExtScript(
  "ext:outboard/node/net/identity.js",
);
const { _normalizeArgs, isIP, Socket } = net.exports;

const kTlsOptions = Symbol("kTlsOptions");

/** What would change whom the host trusts, or how it speaks. */
function checkOptions(options) {
  if (options.checkServerIdentity !== undefined) {
    validateFunction(options.checkServerIdentity, "options.checkServerIdentity");
    if (options.checkServerIdentity !== checkServerIdentity) {
      throw new ERR_OPTION_NOT_IMPLEMENTED("options.checkServerIdentity");
    }
  }
  if (options.pskCallback !== undefined) {
    validateFunction(options.pskCallback, "options.pskCallback");
    throw new ERR_OPTION_NOT_IMPLEMENTED("options.pskCallback");
  }
  if (options.isServer) throw new ERR_OPTION_NOT_IMPLEMENTED("options.isServer");
}

function TLSSocket(socket, options = {}) {
  if (new.target === undefined) return new TLSSocket(socket, options);
  options = { ...options };
  checkOptions(options);
  FunctionPrototypeCall(Socket, this, {
    allowHalfOpen: options.allowHalfOpen,
    onread: options.onread,
    signal: options.signal,
  });
  this[kTlsOptions] = options;
  this.encrypted = true;
  this.authorized = false;
  this.authorizationError = null;
  this.alpnProtocol = null;
  this.secureConnecting = true;
  this.servername = null;
  this.ssl = null;
  if (socket !== undefined && socket !== null) over(this, socket);
}
ObjectSetPrototypeOf(TLSSocket.prototype, Socket.prototype);
ObjectSetPrototypeOf(TLSSocket, Socket);

TLSSocket.prototype._transport = () => "on";

TLSSocket.prototype._connected = function () {
  this.secureConnecting = false;
  // The host has ended the connection where a certificate is not good.
  this.authorized = true;
  this.emit("secureConnect");
  this.emit("secure");
};

/** Puts TLS over a socket's connection, once it stands. */
function over(tls, socket) {
  if (!ObjectPrototypeIsPrototypeOf(Socket.prototype, socket)) {
    throw new ERR_METHOD_NOT_IMPLEMENTED("tls.TLSSocket over a stream");
  }
  tls.connecting = true;
  tls._parent = socket;
  socket.on("error", (error) => tls.destroy(error));
  const start = () => {
    const { servername, host } = tls[kTlsOptions];
    const peer = net.peerOf(socket);
    let connection = net.release(socket);
    try {
      connection = connection.startTls({
        expectedServerHostname: servername ?? host ?? socket._host,
      });
    } catch (error) {
      tls.destroy(error);
      return;
    }
    net.use(tls, connection, peer);
  };
  if (socket.connecting) socket.once("connect", start);
  else if (net.connectionOf(socket) === null) socket.once("connect", start);
  else start();
}

TLSSocket.prototype.getProtocol = () => null;
TLSSocket.prototype.getSession = () => undefined;
TLSSocket.prototype.getPeerCertificate = notImplemented("getPeerCertificate");
TLSSocket.prototype.getPeerX509Certificate = notImplemented(
  "getPeerX509Certificate",
);
TLSSocket.prototype.isSessionReused = () => false;
for (
  const name of new SafeArrayIterator([
    "enableTrace", "exportKeyingMaterial", "getCertificate", "getCipher",
    "getEphemeralKeyInfo", "getFinished", "getPeerFinished", "getSharedSigalgs",
    "getTLSTicket", "getX509Certificate", "renegotiate", "setKeyCert",
    "setMaxSendFragment", "setSession",
  ])
) {
  TLSSocket.prototype[name] = notImplemented(name);
}
TLSSocket.prototype.disableRenegotiation = function () {};
TLSSocket.prototype.setServername = function (name) {
  this.servername = name;
  this[kTlsOptions].servername = name;
};

function connect(...args) {
  // The options may follow a port and a host.
  const [first, callback] = _normalizeArgs(args);
  let options = { ...first };
  for (const arg of new SafeArrayIterator(args)) {
    if (typeof arg === "object" && arg !== null && arg !== first) {
      options = { ...options, ...arg };
    }
  }
  checkOptions(options);
  const tls = new TLSSocket(options.socket, options);
  if (callback !== null) tls.once("secureConnect", callback);
  const name = options.servername ?? options.host ?? "localhost";
  if (isIP(name) === 0) tls.servername = name;
  if (!options.socket) {
    if (options.timeout) tls.setTimeout(options.timeout);
    tls.connect(options);
  }
  return tls;
}

function SecureContext(_protocol, secureOptions) {
  if (new.target === undefined) return new SecureContext(_protocol, secureOptions);
  if (secureOptions !== undefined) validateInteger(secureOptions, "secureOptions");
  this.context = undefined;
}

/** Protocol names as the handshake has them: each after its length. */
function convertALPNProtocols(protocols, out) {
  if (ArrayIsArray(protocols)) {
    const parts = [];
    for (let n = 0; n < protocols.length; n++) {
      const name = Buffer.from(protocols[n]);
      if (name.length > 255) {
        throw new codes.ERR_OUT_OF_RANGE(
          `The byte length of the protocol at index ${n} exceeds the maximum length.`,
          "<= 255",
          name.length,
          true,
        );
      }
      parts[n] = Buffer.concat([Buffer.from([name.length]), name]);
    }
    out.ALPNProtocols = Buffer.concat(parts);
  } else if (ArrayBufferIsView(protocols)) {
    out.ALPNProtocols = Buffer.from(
      protocols.buffer.slice(
        protocols.byteOffset,
        protocols.byteOffset + protocols.byteLength,
      ),
    );
  }
}

const absent = (name) =>
  ({
    [name]() {
      throw new Error("Not implemented");
    },
  })[name];

return {
  exports: {
    CLIENT_RENEG_LIMIT: 3,
    CLIENT_RENEG_WINDOW: 600,
    DEFAULT_CIPHERS: "",
    DEFAULT_ECDH_CURVE: "auto",
    DEFAULT_MAX_VERSION: "TLSv1.3",
    DEFAULT_MIN_VERSION: "TLSv1.2",
    SecureContext,
    Server: absent("Server"),
    TLSSocket,
    checkServerIdentity,
    connect,
    convertALPNProtocols,
    createSecureContext: ({ secureProtocol, secureOptions } = {}) =>
      new SecureContext(secureProtocol, secureOptions),
    createSecurePair: notImplemented("createSecurePair"),
    createServer: absent("createServer"),
    getCiphers: absent("getCiphers"),
    rootCertificates: [],
  },
};
})();
