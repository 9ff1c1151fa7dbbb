/* requests: [
  {"path": "/items/7?q=a%20b"},
  {"path": "/items", "method": "POST", "headers": {"content-type": "application/json"}, "body": "{\"name\":\"x\"}"},
  {"path": "/basic"},
  {"path": "/basic", "headers": {"authorization": "Basic YW5uOnNlY3JldA=="}},
  {"path": "/stream", "ignoreHeaders": ["content-length", "transfer-encoding"]},
  {"path": "/sse"},
  {"path": "/etag"},
  {"path": "/etag", "headers": {"if-none-match": "\"never\""}},
  {"path": "/cookie", "headers": {"cookie": "a=1; b=two"}},
  {"path": "/any", "method": "OPTIONS", "headers": {"origin": "https://x.test", "access-control-request-method": "PUT"}},
  {"path": "/fails"},
  {"path": "/nowhere"}
] */
// hono with the middleware that uses the platform most.
import { Hono } from "hono";
import { basicAuth } from "hono/basic-auth";
import { getCookie, setSignedCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { stream, streamSSE } from "hono/streaming";

const app = new Hono();

app.use("/any", cors({ origin: "https://x.test", allowMethods: ["PUT"], maxAge: 60 }));
app.use("/etag", etag());
app.use("/basic", basicAuth({ username: "ann", password: "secret" }));
app.get("/items/:id{[0-9]+}", (c) => c.json({ id: c.req.param("id"), q: c.req.query("q") }));
app.post("/items", async (c) => c.json(await c.req.json(), 201));
app.get("/basic", (c) => c.text("let in"));
app.get("/etag", (c) => c.html("<p>tagged</p>"));
app.get("/cookie", async (c) => {
  await setSignedCookie(c, "c", "3", "a secret", { httpOnly: true, sameSite: "Lax" });
  return c.json(getCookie(c));
});
app.get("/stream", (c) =>
  stream(c, async (out) => {
    await out.write("one ");
    await out.pipe(new Blob(["two ", "three"]).stream());
  }));
app.get("/sse", (c) =>
  streamSSE(c, async (out) => {
    for (let id = 0; id < 3; id++) await out.writeSSE({ id: `${id}`, event: "tick", data: `n\n${id}` });
  }));
app.get("/fails", () => {
  throw new HTTPException(418, { message: "short and stout" });
});

export default app;
