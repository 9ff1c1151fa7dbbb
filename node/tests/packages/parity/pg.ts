/* servers: ["postgres"] */
/* flags: ["nodejs_compat"] */
/* requests: [{"path": "/md5"}, {"path": "/password"}, {"path": "/refused"}] */
// pg over a socket: its handshake, a password, queries, parameters, errors, a pool.
import pg from "pg";

async function all(address: string, user: string) {
  const [host, port] = address.split(":");
  const config = { host, port: Number(port), user, password: "secret", database: "test", ssl: false } as const;
  const lines: string[] = [];
  const probe = async (name: string, run: () => Promise<unknown>) => {
    try {
      lines.push(`${name}: ${JSON.stringify(await run())}`);
    } catch (error) {
      lines.push(`${name}: ${error.name} ${error.code} ${error.message}`);
    }
  };
  const client = new pg.Client(config);
  client.on("notice", (notice) => lines.push(`notice ${notice.message}`));
  await probe("connect", async () => void (await client.connect()));
  // pg's socket for Workers does not say that it closed: a query would wait for ever.
  if (user === "refused") return lines.join("\n");
  await probe("simple", async () => {
    const { command, rowCount, fields, rows } = await client.query("select simple");
    return [command, rowCount, fields.map(({ name, dataTypeID }) => [name, dataTypeID]), rows];
  });
  await probe("parameters", async () => (await client.query("select $1", ["a\u00e4", 7, null, new Date(0)])).rows);
  await probe("array", async () => (await client.query({ text: "select simple", rowMode: "array" })).rows);
  await probe("named", async () => {
    const query = { name: "n", text: "select $1", values: [Buffer.from([1, 2, 255])] };
    return [(await client.query(query)).rows, (await client.query(query)).rows];
  });
  await probe("error", () => client.query("fail"));
  await probe("after an error", async () => (await client.query("select simple")).rowCount);
  await probe("many rows", async () => (await client.query("select many")).rows.length);
  await probe("end", async () => void (await client.end()));
  const pool = new pg.Pool({ ...config, max: 2 });
  pool.on("error", () => {});
  await probe("pool", async () => {
    const all = await Promise.all([1, 2, 3].map((n) => pool.query("select $1", [n])));
    return [all.map(({ rows }) => rows), pool.totalCount, pool.waitingCount];
  });
  await probe("pool ends", async () => void (await pool.end()));
  return lines.join("\n");
}

export default {
  fetch: async (request: Request, env) => new Response(await all(env.postgres, new URL(request.url).pathname.slice(1))),
};
