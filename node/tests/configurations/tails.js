// A worker whose events two tail workers hear of: one of each kind it can have.
import assert from "node:assert";
import { channel } from "node:diagnostics_channel";
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { names } from "shared:names";

export class Calls extends WorkerEntrypoint {
  greet(name) {
    console.log("greets", name);
    return `hello ${name}`;
  }
}

export class Counter extends DurableObject {
  async fetch() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    console.log("counted", count);
    return new Response(`${count}`);
  }
}

export default {
  async fetch(request, _env, ctx) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/logs":
        console.debug("debug", 1, true, null, undefined);
        console.info({ a: [1, { b: 2 }] }, ["x"], new Date(0));
        console.warn(new RangeError("seen"), Symbol.iterator, () => 1);
        console.error(new Map([[1, 2]]), Promise.resolve());
        console.table([1]);
        channel("outside").publish({ key: new Uint8Array([1, 2]) });
        break;
      case "/throws":
        throw new TypeError("not caught");
      case "/waits":
        ctx.waitUntil(Promise.resolve().then(() => console.log("later")));
        break;
    }
    return new Response("fine", { status: 201 });
  },
  scheduled(controller) {
    console.log("runs", controller.cron);
  },
  queue(batch) {
    batch.ackAll();
  },
};

export const events = {
  async test(_controller, { SELF, CALLS, COUNTER }) {
    assert.deepStrictEqual(names, ["shared", "inner"]);
    await assert.rejects(import("shared:inner"));
    const id = "0123456789abcdef0123456789abcdef";
    const headers = { authorization: "Bearer x", "x-plain": "plain", cookie: "a=b" };
    const get = async (path, init) => (await SELF.fetch(`https://a.test${path}`, init)).text();
    assert.strictEqual(await get(`/logs?id=${id}`, { method: "POST", headers }), "fine");
    await assert.rejects(get("/throws"));
    await get("/waits");
    await SELF.scheduled({ scheduledTime: new Date(1000), cron: "* * * * 1" });
    const message = { id: "1", timestamp: new Date(), body: "x", attempts: 1 };
    await SELF.queue("letters", [message]);
    assert.strictEqual(await CALLS.greet("you"), "hello you");
    const counter = COUNTER.get(COUNTER.idFromName("one"));
    assert.strictEqual(await (await counter.fetch("https://a.test/count")).text(), "1");
  },
};
