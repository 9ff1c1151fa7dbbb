// Hono over a namespace of KV.
import { Hono } from "hono";

type Env = { Bindings: { KV: KVNamespace } };

const app = new Hono<Env>();

app.put("/notes/:name", async (c) => {
  await c.env.KV.put(`note:${c.req.param("name")}`, JSON.stringify(await c.req.json()));
  return c.json({ ok: true });
});
app.get("/notes", async (c) => {
  const { keys } = await c.env.KV.list({ prefix: "note:" });
  return c.json({ names: keys.map(({ name }) => name.slice("note:".length)) });
});
app.get("/notes/:name", async (c) => {
  const note = await c.env.KV.get(`note:${c.req.param("name")}`, "json");
  return note === null ? c.notFound() : c.json(note);
});

export default app;
