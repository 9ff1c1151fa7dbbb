// An export that is no class has one `ctx` for all its events, by the flag.
import assert from "node:assert";
import { WorkerEntrypoint } from "cloudflare:workers";

const seen = new Set();
let waited = 0;

export class Class extends WorkerEntrypoint {
  props() {
    return this.ctx.props;
  }
}

export default {
  fetch(_request, _env, ctx) {
    seen.add(ctx);
    ctx.passThroughOnException();
    ctx.waitUntil(scheduler.wait(1).then(() => waited++));
    return Response.json(ctx.props);
  },
  async test(_controller, { SELF, CLASS }) {
    assert.deepStrictEqual(await (await SELF.fetch("http://self/")).json(), {});
    assert.deepStrictEqual(await (await SELF.fetch("http://self/")).json(), {});
    assert.strictEqual(seen.size, 1);
    assert.deepStrictEqual(await CLASS.props(), { a: 1 });
    while (waited < 2) await scheduler.wait(1);
  },
};
