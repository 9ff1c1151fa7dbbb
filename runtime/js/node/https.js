// node:https: as node:http, by another agent.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectAssign } = primordials;
const { isURL, urlToHttpOptions } = core.loadExtScript(
  "ext:deno_node/internal/url.ts",
);
const { HttpsAgent, httpsGlobalAgent } = core.loadExtScript(
  "ext:outboard/node/http/agent.js",
);
const { ClientRequest } = core.loadExtScript("ext:outboard/node/http/client.js");
const { HttpsServer } = core.loadExtScript("ext:outboard/node/http/server.js");
const { URL } = core.loadExtScript("ext:deno_web/00_url.js");

function request(input, options, callback) {
  let own = {};
  if (typeof input === "string") own = urlToHttpOptions(new URL(input));
  else if (isURL(input)) own = urlToHttpOptions(input);
  else {
    callback = options;
    options = input;
  }
  if (typeof options === "function") callback = options;
  else own = ObjectAssign(own, options);
  own._defaultAgent = httpsGlobalAgent;
  return new ClientRequest(own, callback);
}

return {
  exports: {
    Agent: HttpsAgent,
    Server: HttpsServer,
    createServer: (options, listener) => new HttpsServer(options, listener),
    get(input, options, callback) {
      return request(input, options, callback).end();
    },
    globalAgent: httpsGlobalAgent,
    request,
  },
};
})();
