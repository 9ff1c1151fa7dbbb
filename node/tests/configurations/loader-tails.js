// Who hears of the events of workers that were loaded.
import assert from "node:assert";
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

/** Where a test waits for what a tail worker was told. */
export class Meeting extends DurableObject {
  #told = Promise.withResolvers();

  tell(told) {
    this.#told.resolve(told);
  }

  told() {
    return this.#told.promise;
  }
}

export class Hears extends WorkerEntrypoint {
  async tail(events) {
    const { meeting } = this.ctx.props;
    const [{ logs, outcome, event }] = JSON.parse(JSON.stringify(events));
    const told = { logs: logs.map(({ message }) => message), outcome, url: event.request.url };
    await this.ctx.exports.Meeting.getByName(meeting).tell(told);
  }
}

export class Follows extends WorkerEntrypoint {
  tailStream(first) {
    const types = [first.event.type];
    return async ({ event }) => {
      types.push(event.type);
      if (event.type === "outcome") {
        await this.ctx.exports.Meeting.getByName("stream").tell(types);
      }
    };
  }
}

const code = (more) => ({
  compatibilityDate: "2026-04-01",
  mainModule: "main.js",
  modules: {
    "main.js": `export default {
      fetch(request) {
        console.log("loaded", 1);
        if (request.url.endsWith("/throws")) throw new Error("thrown");
        return new Response("ok");
      },
    };`,
  },
  ...more,
});

export const aTailHearsOfALoadedWorker = {
  async test(_controller, { LOADER }, { exports }) {
    for (const [path, outcome] of [["fine", "ok"], ["throws", "exception"]]) {
      const tails = [exports.Hears({ props: { meeting: path } })];
      const worker = LOADER.get(path, () => code({ tails })).getEntrypoint();
      // It has ended when its body has.
      const answer = worker.fetch(`https://host/${path}`);
      await answer.then((response) => response.text(), () => {});
      assert.deepStrictEqual(await exports.Meeting.getByName(path).told(), {
        logs: [["loaded", 1]],
        outcome,
        url: `https://host/${path}`,
      });
    }
  },
};

export const aStreamFollowsALoadedWorker = {
  async test(_controller, { LOADER }, { exports }) {
    const streamingTails = [exports.Follows({ props: {} })];
    const given = code({ streamingTails, allowExperimental: true });
    const worker = LOADER.get("stream", () => given).getEntrypoint();
    assert.strictEqual(await (await worker.fetch("https://host/")).text(), "ok");
    const types = await exports.Meeting.getByName("stream").told();
    assert.deepStrictEqual([types.at(0), types.at(-1)], ["onset", "outcome"]);
    assert.ok(types.includes("log"));
  },
};

export const streamsAreExperimental = {
  async test(_controller, { LOADER }, { exports }) {
    const streamingTails = [exports.Follows({ props: {} })];
    const worker = LOADER.get("refused", () => code({ streamingTails })).getEntrypoint();
    await assert.rejects(worker.fetch("https://host/"), {
      message: /^Streaming tail workers are experimental/,
    });
  },
};
