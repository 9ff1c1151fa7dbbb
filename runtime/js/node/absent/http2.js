// node:http2: constants; sessions are the host's business.
(function () {
const { core, primordials } = __bootstrap;
const {
  ObjectCreate,
  ObjectKeys,
  SafeArrayIterator,
  StringPrototypeReplaceAll,
  StringPrototypeToUpperCase,
  Symbol,
} = primordials;
const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
const { notImplementedAll, notImplementedClass } = core.loadExtScript(
  "ext:outboard/node/errors.js",
);
const { METHODS, STATUS_CODES } = core.loadExtScript(
  "ext:outboard/node/http/common.js",
);

const constants = {
  ...core.loadExtScript("ext:deno_node/internal/http2/constants.ts"),
};
const toName = (text) =>
  StringPrototypeToUpperCase(
    StringPrototypeReplaceAll(StringPrototypeReplaceAll(text, " ", "_"), "-", "_"),
  );
for (const method of new SafeArrayIterator(METHODS)) {
  constants[`HTTP2_METHOD_${toName(method)}`] = method;
}
for (const status of new SafeArrayIterator(ObjectKeys(STATUS_CODES))) {
  const name = status === "418" ? "TEAPOT" : toName(STATUS_CODES[status]);
  constants[`HTTP_STATUS_${name}`] = +status;
}

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
