// Hono, and files in a bucket: uploads by form and by body, ranges, conditional
// requests, pages of a list.
import { Hono } from "hono";
import { etag } from "hono/etag";

type Env = { Bindings: { BUCKET: any } };
const app = new Hono<Env>();

app.post("/upload", async (c) => {
  const { file, note } = await c.req.parseBody<{ file: File; note: string }>();
  const put = await c.env.BUCKET.put(`forms/${file.name}`, file, {
    httpMetadata: { contentType: file.type },
    customMetadata: { note },
  });
  return c.json({ key: put.key, size: put.size, note: put.customMetadata.note }, 201);
});

app.put("/files/:name", async (c) => {
  const put = await c.env.BUCKET.put(c.req.param("name"), c.req.raw.body, {
    httpMetadata: c.req.raw.headers,
    onlyIf: c.req.raw.headers,
  });
  return put === null ? c.text("not as expected", 412) : c.json({ etag: put.etag });
});

app.get("/files/*", async (c) => {
  const key = c.req.path.slice("/files/".length);
  const object = await c.env.BUCKET.get(key, { range: c.req.raw.headers, onlyIf: c.req.raw.headers });
  if (object === null) return c.notFound();
  if (!("body" in object)) return c.body(null, 304);
  const headers = new Headers({ etag: object.httpEtag });
  object.writeHttpMetadata(headers);
  const { offset, length } = object.range;
  if (length === object.size) return c.newResponse(object.body, 200, Object.fromEntries(headers));
  headers.set("content-range", `bytes ${offset}-${offset + length - 1}/${object.size}`);
  return c.newResponse(object.body, 206, Object.fromEntries(headers));
});

app.use("/list", etag());
app.get("/list", async (c) => {
  const names = [];
  let cursor;
  do {
    const page = await c.env.BUCKET.list({ limit: 2, cursor, delimiter: "/" });
    names.push(...page.objects.map((object) => object.key), ...page.delimitedPrefixes);
    cursor = page.cursor;
  } while (cursor);
  return c.json(names);
});

app.delete("/files/:name", async (c) => {
  await c.env.BUCKET.delete(c.req.param("name"));
  return c.body(null, 204);
});

export default app;
