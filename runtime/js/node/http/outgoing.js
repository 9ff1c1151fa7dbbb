// OutgoingMessage, which is deno_node's: what a request and an answer share.
(function () {
const { core } = __bootstrap;
const {
  kHighWaterMark,
  kUniqueHeaders,
  OutgoingMessage,
  parseUniqueHeadersOption,
  validateHeaderName,
  validateHeaderValue,
} = core.loadExtScript("ext:deno_node/_http_outgoing.ts");

return {
  kUniqueHeaders,
  OutgoingMessage,
  parseUniqueHeadersOption,
  validateHeaderName,
  validateHeaderValue,
  module: {
    OutgoingMessage,
    kHighWaterMark,
    kUniqueHeaders,
    parseUniqueHeadersOption,
    validateHeaderName,
    validateHeaderValue,
  },
};
})();
