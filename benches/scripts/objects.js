// Durable objects of one class. `/NAME/VERB` asks one; its answer says how many
// requests this instance has had, so that "woken" is checked, not assumed.
import { DurableObject } from "cloudflare:workers";

const TEXT = "a row of an object, as long as a short message is".repeat(4);
let rang = 0;

export class Box extends DurableObject {
  requests = 0;

  async fetch(request) {
    this.requests += 1;
    const { storage } = this.ctx;
    const [, , verb, value] = new URL(request.url).pathname.split("/");
    switch (verb) {
      case "write":
        storage.sql.exec("CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, text TEXT)");
        storage.sql.exec("INSERT OR REPLACE INTO rows VALUES (?, ?)", this.requests % 64, TEXT);
        break;
      case "read":
        storage.sql.exec("SELECT text FROM rows WHERE n = 1").toArray();
        break;
      // A megabyte, once.
      case "fill":
        storage.sql.exec("CREATE TABLE IF NOT EXISTS pages (n INTEGER PRIMARY KEY, text TEXT)");
        if (storage.sql.databaseSize < 1e6) {
          for (let n = 0; n < 256; n++) {
            storage.sql.exec("INSERT OR REPLACE INTO pages VALUES (?, ?)", n, TEXT.repeat(20));
          }
        }
        break;
      case "look":
        storage.sql.exec("SELECT text FROM pages WHERE n = ?", Number(value)).one();
        break;
      case "alarm":
        await storage.setAlarm(Number(value));
        break;
    }
    return new Response(`${this.requests}\n`);
  }

  alarm() {
    rang += 1;
  }
}

export default {
  fetch(request, env) {
    const [, name] = new URL(request.url).pathname.split("/");
    // All objects are in this worker's one isolate.
    if (name === "rang") return new Response(`${rang}\n`);
    return env.BOX.get(env.BOX.idFromName(name)).fetch(request);
  },
};
