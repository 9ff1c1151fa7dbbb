/* flags: ["nodejs_compat"] */
/* requests: [
  {"path": "/plain"},
  {"path": "/echo", "method": "POST", "body": "what was sent", "repeat": 100},
  {"path": "/json?a=1&b=2", "headers": {"x-two": ["1", "2"], "cookie": "a=b"}},
  {"path": "/pieces"},
  {"path": "/later"},
  {"path": "/empty"},
  {"path": "/not-modified"},
  {"path": "/cookies", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/head", "method": "HEAD"},
  {"path": "/pipe", "method": "PUT", "body": "piped"},
  {"path": "/errors"}
] */
// A server of node:http behind the worker's fetch handler.
import http from "node:http";
import { handleAsNodeRequest, httpServerHandler } from "cloudflare:node";

const routes = {
  "/plain": (request, response) => response.end("plain"),
  "/echo": (request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      response.setHeader("content-type", "text/plain");
      response.end(Buffer.concat(chunks));
    });
  },
  "/json": (request, response) => {
    const { cookie, "x-two": two } = request.headers;
    response.writeHead(201, { "content-type": "application/json" });
    response.end(JSON.stringify({
      cookie,
      two,
      url: request.url,
      method: request.method,
      version: request.httpVersion,
      sent: response.headersSent,
    }));
  },
  "/pieces": (request, response) => {
    response.write("one ");
    response.write(Buffer.from("two "));
    response.end("three");
  },
  "/later": (request, response) => {
    response.write("now ");
    setTimeout(() => response.end("later"), 5);
  },
  "/empty": (request, response) => {
    response.statusCode = 204;
    response.end();
  },
  "/not-modified": (request, response) => {
    response.writeHead(304, { etag: '"a"' });
    response.end();
  },
  "/cookies": (request, response) => {
    response.setHeader("set-cookie", ["a=1", "b=2"]);
    response.end("baked");
  },
  "/head": (request, response) => {
    response.setHeader("x-head", "yes");
    response.end("never seen");
  },
  "/pipe": (request, response) => request.pipe(response),
  "/errors": (request, response) => {
    const lines = [];
    const probe = (name, run) => {
      try {
        lines.push(`${name}: ${run()}`);
      } catch (error) {
        lines.push(`${name}: ${error.name} ${error.code}: ${error.message}`);
      }
    };
    probe("status", () => response.writeHead(99));
    probe("name", () => response.setHeader("a b", "c"));
    probe("value", () => response.setHeader("a", "\n"));
    probe("undefined", () => response.setHeader("a", undefined));
    probe("chunk", () => response.write(1));
    probe("assign", () => response.assignSocket());
    probe("listen twice", () => server.listen(8080));
    probe("address", () => JSON.stringify(server.address()));
    probe("listening", () => server.listening);
    probe("remote", () => request.socket.remoteFamily);
    probe("handler", () => httpServerHandler({}));
    response.end(lines.join("\n"));
  },
};

const server = http.createServer((request, response) => {
  const route = routes[request.url.split("?")[0]];
  response.sendDate = false;
  route(request, response);
});
server.listen(8080);

export default {
  fetch(request, env, ctx) {
    return handleAsNodeRequest(8080, request, env, ctx);
  },
};
