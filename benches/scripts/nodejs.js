// As counter.js, with what many npm packages import of Node's.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { EventEmitter } from "node:events";
import { posix } from "node:path";

const events = new EventEmitter();
let requests = 0;
events.on("request", () => requests += 1);

export default {
  fetch() {
    events.emit("request");
    const digest = createHash("sha256").update(Buffer.from(NAME)).digest("hex");
    if (posix.join("/", digest, "..") !== "/") throw new Error("another path");
    return new Response(`${NAME} ${requests}\n`);
  },
};
