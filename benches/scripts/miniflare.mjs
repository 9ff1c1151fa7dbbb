// Serves worker.js of the current folder by miniflare: the port and the
// compatibility date are given, its data is kept in the folder.
import { Miniflare } from "miniflare";

const [, , port, compatibilityDate] = process.argv;
const miniflare = new Miniflare({
  host: "127.0.0.1",
  port: Number(port),
  modules: true,
  scriptPath: "worker.js",
  compatibilityDate,
  kvNamespaces: ["KV"],
  kvPersist: "kv",
  r2Buckets: ["BUCKET"],
  r2Persist: "r2",
  d1Databases: ["DB"],
  d1Persist: "d1",
});
process.on("SIGTERM", async () => {
  await miniflare.dispose();
  process.exit(0);
});
await miniflare.ready;
