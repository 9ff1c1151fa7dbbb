// Objects that are told what a loaded worker's events do.
import assert from "node:assert";
import { DurableObject } from "cloudflare:workers";

export class Ear extends DurableObject {
  #heard = [];
  #waiting = Promise.withResolvers();

  #hear(what) {
    this.#heard.push(what);
    this.#waiting.resolve();
    this.#waiting = Promise.withResolvers();
  }

  tail(traces) {
    for (const { logs, outcome } of traces) this.#hear([logs[0].message[0], outcome]);
  }

  tailStream(onset) {
    this.#hear(onset.event.type);
    return {
      log: ({ event }) => this.#hear(event.message[0]),
      outcome: ({ event }) => this.#hear(event.outcome),
    };
  }

  async heard(count) {
    while (this.#heard.length < count) await this.#waiting.promise;
    return this.#heard;
  }
}

function load(LOADER, tails) {
  return LOADER.load({
    compatibilityDate: "2026-04-01",
    compatibilityFlags: ["experimental"],
    allowExperimental: true,
    mainModule: "main.js",
    modules: {
      "main.js": `
        export default {
          fetch(request) {
            console.log("said " + new URL(request.url).pathname);
            if (request.url.endsWith("throw")) throw new Error("thrown");
            return new Response("fine");
          },
        };
      `,
    },
    ...tails,
  }).getEntrypoint();
}

export const anObjectHearsAfterEvents = {
  async test(_controller, { LOADER, EARS }) {
    const ear = EARS.getByName("after");
    const loaded = load(LOADER, { tails: [ear] });
    assert.strictEqual(await (await loaded.fetch("http://loaded/a")).text(), "fine");
    assert.deepStrictEqual(await ear.heard(1), [["said /a", "ok"]]);
    await assert.rejects(() => loaded.fetch("http://loaded/throw"), { message: "thrown" });
    assert.deepStrictEqual((await ear.heard(2))[1], ["said /throw", "exception"]);
  },
};

export const anObjectHearsDuringEvents = {
  async test(_controller, { LOADER, EARS }) {
    const ear = EARS.getByName("during");
    const loaded = load(LOADER, { streamingTails: [ear] });
    assert.strictEqual(await (await loaded.fetch("http://loaded/b")).text(), "fine");
    assert.deepStrictEqual(await ear.heard(3), ["onset", "said /b", "ok"]);
  },
};
