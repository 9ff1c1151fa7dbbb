/* flags: ["nodejs_compat"] */
/* requests: [
  {"path": "/", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/items/7?q=a&q=b&deep%5Bx%5D=1", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/json", "method": "POST", "headers": {"content-type": "application/json"}, "body": "{\"a\":[1,2]}", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/json", "method": "POST", "headers": {"content-type": "application/json"}, "body": "{\"a\":", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/form", "method": "POST", "headers": {"content-type": "application/x-www-form-urlencoded"}, "body": "a=1&b%5B%5D=2&b%5B%5D=3", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/raw", "method": "PUT", "headers": {"content-type": "application/octet-stream"}, "chunks": ["one", "two"], "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/json", "method": "POST", "headers": {"content-type": "application/json"}, "body": "[123456789]", "repeat": 20000, "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/cookie", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/redirect", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/etag", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/etag", "headers": {"if-none-match": "W/\"5-iwnNGXnNzZ0mDWMsLQmkFwcDMWA\""}, "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/negotiate", "headers": {"accept": "text/html;q=0.5, application/json"}, "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/stream", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/fails", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/missing", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/", "method": "HEAD", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/items/1", "method": "OPTIONS", "ignoreHeaders": ["content-length", "transfer-encoding"]}
] */
// express 5 behind the worker's fetch handler.
import { Readable } from "node:stream";
import { httpServerHandler } from "cloudflare:node";
import express from "express";

const app = express();
app.disable("x-powered-by");
app.set("query parser", "extended");
app.set("env", "production");
app.use(express.json(), express.urlencoded({ extended: true }), express.raw());
app.use((request, response, next) => {
  response.set("x-seen", `${request.method} ${request.originalUrl} ${request.protocol} ${request.hostname}`);
  next();
});
app.get("/", (_, response) => response.send("hello"));
app.get("/items/:id", (request, response) => response.json({ ...request.params, query: request.query }));
app.post("/json", (request, response) => response.status(201).json({ body: request.body }));
app.post("/form", (request, response) => response.json(request.body));
app.put("/raw", (request, response) => response.type("bin").send(request.body));
app.get("/cookie", (_, response) => {
  response.cookie("a", "b c", { httpOnly: true, path: "/x" }).clearCookie("d").sendStatus(202);
});
app.get("/redirect", (_, response) => response.redirect(307, "/else where"));
app.get("/etag", (_, response) => response.send("taggd"));
app.get("/negotiate", (_, response) => {
  response.format({ html: () => response.send("<p>"), json: () => response.json({ json: true }) });
});
app.get("/stream", (_, response) => Readable.from(["one ", "two ", "three"]).pipe(response));
app.get("/fails", async () => {
  throw Object.assign(new Error("broken"), { status: 503, expose: true });
});
app.use((error, _request, response, next) => {
  if (response.headersSent) return next(error);
  response.status(error.status ?? 500).json({ error: error.message, type: error.type });
});
app.listen(8080);

export default httpServerHandler({ port: 8080 });
