import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { requestId } from "hono/request-id";
import { timing } from "hono/timing";

import { notes } from "./notes";
import { page } from "./page";

const app = new Hono();

app.use(requestId());
app.use(timing());
app.use("/api/*", cors({ origin: "*", exposeHeaders: ["x-request-id"] }));
app.use("/api/*", bodyLimit({ maxSize: 64 * 1024, onError: () => { throw new HTTPException(413, { message: "The body is over 64 KB." }); } }));

app.route("/api/notes", notes);
app.route("/", page);

// A route that fails, to see what a caller gets: no stack, but an id to search the logs for.
app.get("/api/broken", () => {
  throw new Error("this text stays in the log");
});

app.notFound((c) => c.json({ error: { message: `Nothing at ${c.req.method} ${c.req.path}.` } }, 404));

app.onError((error, c) => {
  if (error instanceof HTTPException) {
    return c.json({ error: { message: error.message } }, error.status);
  }
  console.error(c.get("requestId"), error);
  return c.json({ error: { message: "Something broke on our side.", requestId: c.get("requestId") } }, 500);
});

export default app;
