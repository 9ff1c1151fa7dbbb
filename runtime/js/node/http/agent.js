// Agents of node:http and node:https: their options are kept, and the host's
// connections are the host's.
(function () {
const { core, primordials } = __bootstrap;
const { JSONStringify, SafeArrayIterator } = primordials;
const { EventEmitter } = core.loadExtScript("ext:deno_node/_events.mjs");
const { validateNumber, validateOneOf } = core.loadExtScript(
  "ext:deno_node/internal/validators.mjs",
);
const { ERR_METHOD_NOT_IMPLEMENTED } = core.loadExtScript(
  "ext:outboard/node/errors.js",
);

class Agent extends EventEmitter {
  static defaultMaxSockets = Infinity;

  agentKeepAliveTimeoutBuffer = 1000;
  freeSockets = {};
  requests = {};
  sockets = {};
  totalSocketCount = 0;

  constructor(options = undefined) {
    super({});
    const own = { __proto__: null, ...options };
    this.options = own;
    this.defaultPort = own.defaultPort || 80;
    this.protocol = own.protocol || "http:";
    own.path = null;
    if (!("proxyEnv" in own)) own.proxyEnv = undefined;
    own.noDelay ??= true;
    this.keepAliveMsecs = own.keepAliveMsecs || 1000;
    this.keepAlive = own.keepAlive || false;
    this.maxSockets = own.maxSockets || Agent.defaultMaxSockets;
    this.maxFreeSockets = own.maxFreeSockets || 256;
    this.scheduling = own.scheduling || "lifo";
    validateOneOf(this.scheduling, "scheduling", ["fifo", "lifo"]);
    if (own.maxTotalSockets !== undefined) {
      validateNumber(own.maxTotalSockets, "maxTotalSockets", 1);
    }
    this.maxTotalSockets = own.maxTotalSockets ?? Infinity;
  }

  createConnection() {
    throw new ERR_METHOD_NOT_IMPLEMENTED("createConnection");
  }

  getName(options = {}) {
    const { family, host, localAddress, port, socketPath } = options;
    let name = `${host || "localhost"}:${port || ""}:${localAddress || ""}`;
    if (family === 4 || family === 6) name += `:${family}`;
    if (socketPath) name += `:${socketPath}`;
    return name;
  }

  addRequest() {}
  createSocket() {}
  removeSocket() {}
  keepSocketAlive() {
    return false;
  }
  reuseSocket() {}
  destroy() {}
}

/** What of a connection over TLS makes it another: present, or not undefined. */
const TLS = [
  "ca", "cert", "clientCertEngine", "ciphers", "key", "pfx",
  "rejectUnauthorized", "servername", "minVersion", "maxVersion",
  "secureProtocol", "crl", "honorCipherOrder", "ecdhCurve", "dhparam",
  "secureOptions", "sessionIdContext", "sigalgs", "privateKeyIdentifier",
  "privateKeyEngine",
];

class HttpsAgent extends Agent {
  maxCachedSessions = 100;

  constructor(options = undefined) {
    super({
      ...options,
      defaultPort: options?.defaultPort ?? 443,
      protocol: options?.protocol ?? "https:",
    });
  }

  getName(options = {}) {
    let name = super.getName(options);
    for (const option of new SafeArrayIterator(TLS)) {
      const value = options[option];
      name += ":";
      if (option === "rejectUnauthorized" || option === "honorCipherOrder") {
        if (value !== undefined) name += value;
      } else if (option === "servername") {
        if (value && value !== options.host) name += value;
      } else if (value) {
        name += option === "sigalgs" ? JSONStringify(value) : value;
      }
    }
    return name;
  }
}

const pooled = { keepAlive: true, scheduling: "lifo", timeout: 5000 };
const globalAgent = new Agent(pooled);
const httpsGlobalAgent = new HttpsAgent(pooled);

return {
  Agent,
  globalAgent,
  HttpsAgent,
  httpsGlobalAgent,
  module: { Agent, globalAgent },
};
})();
