// node:http2: constants; sessions are the host's business.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectCreate, Symbol } = primordials;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { notImplementedAll, notImplementedClass } = core.loadExtScript(
  "ext:outboard/node/errors.js",
);
const { constants } = core.loadExtScript(
  "ext:deno_node/internal/http2/constants.ts",
);

const defaults = {
  headerTableSize: 4096,
  enablePush: true,
  initialWindowSize: 65535,
  maxFrameSize: 16384,
  maxConcurrentStreams: 4294967295,
  maxHeaderSize: 65535,
  maxHeaderListSize: 65535,
  enableConnectProtocol: false,
};

return {
  exports: {
    constants,
    ...notImplementedAll(
      ["connect", "createSecureServer", "createServer", "performServerHandshake"],
      "http2.",
    ),
    Http2ServerRequest: notImplementedClass("http2.Http2ServerRequest"),
    Http2ServerResponse: notImplementedClass("http2.Http2ServerResponse"),
    getDefaultSettings: () => ObjectCreate(defaults),
    getPackedSettings: () => Buffer.alloc(0),
    getUnpackedSettings: () => ({}),
    sensitiveHeaders: Symbol("nodejs.http2.sensitiveHeaders"),
  },
};
})();
