// Spans of a script's own, which a streaming tail worker hears of.
import assert from "node:assert";
import { tracing } from "cloudflare:workers";

const atTheTop = tracing.enterSpan("at the top", (span) => span.isTraced);

async function spans(env) {
  const root = tracing.getActiveSpan();
  assert.deepStrictEqual([atTheTop, root.isTraced, root === tracing.getActiveSpan()], [false, true, true]);
  root.setAttribute("root", true);
  root.end();
  tracing.enterSpan("outer", (outer) => {
    outer.setAttribute("n", 1).setAttribute("f", 1.5).setAttribute("n", 2).setAttribute("u", undefined);
    outer.setAttributes({ o: {}, none: null, q: "text", skipped: undefined });
    console.log("in outer");
    tracing.enterSpan("inner", (inner) => {
      console.log("in inner");
      assert.deepStrictEqual([tracing.getActiveSpan() === inner, inner.isTraced], [true, true]);
      const { traceId, spanId } = inner.spanContext();
      assert.match(`${traceId} ${spanId}`, /^[0-9a-f]{32} [0-9a-f]{16}$/);
      assert.strictEqual(traceId, root.spanContext().traceId);
    });
  });
  await tracing.enterSpan("later", async () => {
    await scheduler.wait(1);
    console.log("in later");
    const init = { method: "POST", body: "\u00e4!", headers: { accept: "text/plain" } };
    await (await env.SELF.fetch("http://spans.test/answers?a#b", init)).text();
  });
  const manual = tracing.startActiveSpan("manual", (span) => span);
  console.log("after manual");
  manual.setAttribute("late", 1).end();
  assert.strictEqual(manual.setAttribute("too late", 1).isTraced, false);
  tracing.withActiveSpan(manual, () => console.log("in manual, which has ended"));
  const free = tracing.startSpan("free").updateName("renamed");
  free.setStatus({ code: "error", message: "bad" }).setStatus({ code: "ok" });
  free.recordException(new TypeError("recorded"));
  free.recordException("text");
  free.recordException({ code: 5, message: "numbered" });
  free.end();
  tracing.startSpan("never ended");
  assert.throws(() => tracing.enterSpan("x".repeat(100), () => { throw new Error("boom"); }), /boom/);
}

export default {
  async fetch(request, env) {
    if (request.url.endsWith("/spans")) await spans(env);
    return new Response("fine");
  },
};

export const traced = {
  async test(_, { SELF }) {
    const answer = await SELF.fetch("http://spans.test/spans", { cf: { told: 1 } });
    assert.strictEqual(await answer.text(), "fine");
  },
};
