interface Env {
  DB: D1Database;
  FILES: R2Bucket;
  COUNTS: KVNamespace;
  WORK: Queue<Work>;
}

interface Work {
  id: string;
  text: string;
}

const DAY = 24 * 60 * 60 * 1000;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, route, id] = new URL(request.url).pathname.split("/");
    if (route !== "reports") return new Response("no such page\n", { status: 404 });
    if (request.method === "POST") return await order(await request.text(), env);
    if (id) return await download(id, env);
    const { results } = await env.DB.prepare("SELECT id, state FROM reports ORDER BY made, id").all();
    return Response.json({ reports: results, counts: await env.COUNTS.get("counts", "json") });
  },

  /** Reports are made apart from requests: one that fails is tried again, two times. */
  async queue(batch: MessageBatch<Work>, env: Env): Promise<void> {
    for (const message of batch.messages) {
      if (batch.queue === "failed-reports") {
        await finish(message.body.id, "failed", env);
        continue;
      }
      try {
        await make(message.body, env);
        message.ack();
      } catch (error) {
        console.warn(`report ${message.body.id}, attempt ${message.attempts}: ${error}`);
        message.retry();
      }
    }
  },

  /** Each night: reports of yesterday and before go. */
  async scheduled(controller: ScheduledController, env: Env): Promise<void> {
    const before = controller.scheduledTime - DAY;
    const { results } = await env.DB.prepare("DELETE FROM reports WHERE made < ? RETURNING id").bind(before)
      .all<{ id: string }>();
    await env.FILES.delete(results.map(({ id }) => id));
    console.log(`${results.length} old reports deleted`);
  },
};

async function order(text: string, env: Env): Promise<Response> {
  if (text === "") return new Response("a report needs a text\n", { status: 400 });
  const id = crypto.randomUUID();
  await env.DB.prepare("INSERT INTO reports (id, made) VALUES (?, ?)").bind(id, Date.now()).run();
  await env.WORK.send({ id, text });
  return Response.json({ id }, { status: 202, headers: { location: `/reports/${id}` } });
}

async function make({ id, text }: Work, env: Env): Promise<void> {
  const words = text.match(/\p{L}+/gu);
  if (words === null) throw new Error("there are no words in it");
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const lines = [...counts].sort(([, a], [, b]) => b - a).map(([word, count]) => `${count} ${word}\n`);
  await env.FILES.put(id, lines.join(""), { httpMetadata: { contentType: "text/plain" } });
  // A message may come twice: the file and the state are the same then.
  await finish(id, "made", env);
}

async function finish(id: string, state: string, env: Env): Promise<void> {
  await env.DB.prepare("UPDATE reports SET state = ? WHERE id = ?").bind(state, id).run();
  const { results } = await env.DB.prepare("SELECT state, count(*) AS n FROM reports GROUP BY state").all();
  await env.COUNTS.put("counts", JSON.stringify(results));
}

async function download(id: string, env: Env): Promise<Response> {
  const file = await env.FILES.get(id);
  if (file === null) return new Response("no such report, or not made yet\n", { status: 404 });
  const headers = new Headers({ etag: file.httpEtag });
  file.writeHttpMetadata(headers);
  return new Response(file.body, { headers });
}
