/* requests: [{}] */
// Spans of a script's own where nobody is told of them.
import { tracing } from "cloudflare:workers";

const outside = [typeof tracing.getActiveSpan(), tracing.enterSpan("top", (span, n) => [span.isTraced, n], 1)];
const thrown = (run) => {
  try {
    return String(run());
  } catch (error) {
    return String(error);
  }
};
const span = () => tracing.startSpan("a");

const probes = {
  "outside": () => outside,
  "tags": () => [String(tracing), String(span()), typeof tracing.Span, span() instanceof tracing.Span],
  "of ctx": (ctx) => [String(ctx.tracing), ctx.tracing === ctx.tracing, ctx.tracing.Span === tracing.Span],
  "enterSpan": () => tracing.enterSpan("a", (span, ...args) => [span.isTraced, args], 1, 2),
  "this": () => tracing.enterSpan("a", function () { return this === globalThis; }),
  "a promise": () => tracing.enterSpan("a", async (span, n) => { await null; return [span.isTraced, n]; }, 1),
  "throws": () => thrown(() => tracing.enterSpan("a", () => { throw new RangeError("as it does"); })),
  "rejects": () => tracing.enterSpan("a", async () => { throw new RangeError("as it does"); }).catch(String),
  "startActiveSpan": () => tracing.startActiveSpan("a", (span, n) => [span.isTraced, n], 1),
  "withActiveSpan": () => tracing.withActiveSpan(span(), (...args) => args, 1, 2),
  "getActiveSpan": () => [String(tracing.getActiveSpan()), tracing.getActiveSpan().isTraced],
  "spanContext": () => span().spanContext(),
  "chains": () => {
    const one = span();
    return [
      one.setAttribute("a", 1) === one,
      one.setAttributes({ b: "c", d: undefined }) === one,
      one.updateName("b") === one,
      one.setStatus({ code: "error", message: "m" }) === one,
      one.recordException(new Error("a")),
      one.end(),
      one.end(),
    ];
  },
  "no name": () => [thrown(() => tracing.enterSpan()), thrown(() => tracing.startSpan())],
  "no callback": () => [thrown(() => tracing.enterSpan("a")), thrown(() => tracing.startActiveSpan("a", 5)), thrown(() => tracing.withActiveSpan(span()))],
  "no span": () => thrown(() => tracing.withActiveSpan({}, () => 1)),
  "without this": () => { const { enterSpan } = tracing; return thrown(() => enterSpan("a", () => 1)); },
  "attributes": () => [
    thrown(() => span().setAttribute()),
    thrown(() => span().setAttribute("a", {})),
    thrown(() => span().setAttribute("a", 1n)),
    thrown(() => span().setAttribute("a", Symbol("b"))),
    thrown(() => span().setAttributes()),
    thrown(() => span().setAttributes(null)),
  ],
  "status": () => [{}, { code: "a" }, { code: "unset" }].map((status) => thrown(() => span().setStatus(status))),
  "exceptions": () => [undefined, "a", 5, {}, { name: "a" }].map((error) => thrown(() => span().recordException(error))),
  "construction": () => thrown(() => new tracing.Span()),
  "clone": () => thrown(() => structuredClone(span())),
};

export default {
  async fetch(_request, _env, ctx) {
    const lines = [];
    for (const [name, probe] of Object.entries(probes)) {
      lines.push(`${name}: ${JSON.stringify(await probe(ctx))}`);
    }
    return new Response(lines.join("\n"));
  },
};
