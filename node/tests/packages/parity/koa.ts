/* flags: ["nodejs_compat"] */
/* requests: [
  {"path": "/", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/json?a=1", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/stream", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/web", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/echo", "method": "POST", "body": "some text ", "repeat": 1000, "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/cookies", "headers": {"cookie": "a=1"}, "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/fresh", "headers": {"if-none-match": "\"v1\""}, "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/empty", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/throws", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/fails", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/missing", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/", "method": "HEAD", "ignoreHeaders": ["content-length", "transfer-encoding"]}
] */
// koa: middleware around a node:http server.
import { Readable } from "node:stream";
import { httpServerHandler } from "cloudflare:node";
import Koa from "koa";

const app = new Koa({ keys: ["a key"] });
app.silent = true;
app.use(async (ctx, next) => {
  await next();
  ctx.set("x-after", `${ctx.method} ${ctx.path} ${ctx.status}`);
});
app.use(async (ctx) => {
  switch (ctx.path) {
    case "/":
      ctx.body = "hello";
      break;
    case "/json":
      ctx.body = { query: ctx.query, host: ctx.host, protocol: ctx.protocol, ip: typeof ctx.ip };
      break;
    case "/stream":
      ctx.body = Readable.from(["one ", "two"]);
      break;
    case "/web":
      ctx.body = new Blob(["a blob"]).stream();
      break;
    case "/echo": {
      let size = 0;
      for await (const chunk of ctx.req) size += chunk.length;
      ctx.body = `${size}`;
      break;
    }
    case "/cookies":
      ctx.cookies.set("b", "2", { signed: true, maxAge: null });
      ctx.body = ctx.cookies.get("a");
      break;
    case "/fresh":
      ctx.status = 200;
      ctx.etag = "v1";
      if (ctx.fresh) ctx.status = 304;
      else ctx.body = "stale";
      break;
    case "/empty":
      ctx.body = null;
      break;
    case "/throws":
      ctx.throw(409, "a conflict");
      break;
    case "/fails":
      throw new Error("hidden");
  }
});
app.listen(8080);

export default httpServerHandler({ port: 8080 });
