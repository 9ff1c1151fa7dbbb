// One store a path: KV, R2 and D1, with values that /seed made. Each answers the size of what it read or wrote.
const text = "a value as long as a small document is; ".repeat(25);
const bytes = new Uint8Array(64 * 1024).fill(7);
const KEYS = 100;
let turn = 0;

const key = () => turn++ % KEYS;

const verbs = {
  async seed({ KV, BUCKET, DB }) {
    for (let i = 0; i < KEYS; i++) await KV.put(`key${i}`, text);
    await BUCKET.put("object", bytes);
    await DB.exec("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, text TEXT)");
    const row = DB.prepare("INSERT OR REPLACE INTO rows VALUES (?, ?)");
    await DB.batch(Array.from({ length: KEYS }, (_, i) => row.bind(i, text)));
    return KEYS;
  },
  kv_get: async ({ KV }) => (await KV.get(`key${key()}`)).length,
  async kv_put({ KV }) {
    await KV.put(`key${key()}`, text);
    return text.length;
  },
  r2_get: async ({ BUCKET }) => (await (await BUCKET.get("object")).arrayBuffer()).byteLength,
  async r2_put({ BUCKET }) {
    await BUCKET.put("written", bytes);
    return bytes.length;
  },
  d1_get: async ({ DB }) =>
    (await DB.prepare("SELECT text FROM rows WHERE id = ?").bind(key()).first("text")).length,
};

export default {
  async fetch(request, env) {
    const verb = verbs[new URL(request.url).pathname.slice(1)];
    return new Response(`${await verb(env)}\n`);
  },
};
