// What is told of another worker's spans, in order and with the span it is of.
import assert from "node:assert";

let told;

export default {
  tailStream({ event: onset }) {
    if (!onset.info.url?.endsWith("/spans")) return undefined;
    const ids = new Map([[onset.spanId, "event"]]);
    told = [["onset", onset.info.cfJson]];
    return ({ event, spanContext }) => {
      const { type, name, info, message, code, spanId } = event;
      if (type === "spanOpen") ids.set(spanId, name);
      // Known to workerd where no header says it, too.
      const size = ({ name }) => name !== "http.response.body.size";
      const known = type === "attributes" ? info.filter(size) : info;
      const rest = type === "log" ? message[0] : known ?? message ?? name;
      told.push([ids.get(spanContext.spanId), type, ...(rest === undefined ? [] : [rest]), ...(code === undefined ? [] : [code])]);
    };
  },
};

export const spans = {
  async test() {
    for (let i = 0; i < 200 && told?.at(-1)[1] !== "outcome"; i++) await scheduler.wait(10);
    const long = "x".repeat(64);
    const of = (name) => told.filter(([span]) => span === name);
    assert.deepStrictEqual(of("onset"), [["onset", { told: 1 }]]);
    assert.deepStrictEqual(of("outer"), [
      ["outer", "log", "in outer"],
      ["outer", "spanOpen", "inner"],
      ["outer", "attributes", [
        { name: "n", value: 2 },
        { name: "f", value: 1.5 },
        { name: "o", value: "[object Object]" },
        { name: "none", value: "null" },
        { name: "q", value: "text" },
      ]],
      ["outer", "spanClose"],
    ]);
    assert.deepStrictEqual(of("inner"), [["inner", "log", "in inner"], ["inner", "spanClose"]]);
    assert.deepStrictEqual(of("later"), [
      ["later", "log", "in later"],
      ["later", "spanOpen", "fetch"],
      ["later", "spanClose"],
    ]);
    const attributes = (method, url, headers, size) => [
      { name: "network.protocol.name", value: "http" },
      { name: "network.protocol.version", value: "HTTP/1.1" },
      { name: "http.request.method", value: method },
      { name: "url.full", value: url },
      ...headers.map(([name, value]) => ({ name: `http.request.header.${name}`, value })),
      ...(size === undefined ? [] : [{ name: "http.request.body.size", value: size }]),
      { name: "http.response.status_code", value: 200n },
    ];
    const headers = [["content-type", "text/plain;charset=UTF-8"], ["accept", "text/plain"]];
    assert.deepStrictEqual(of("fetch"), [
      ["fetch", "attributes", attributes("POST", "http://spans.test/answers?a#b", headers, 3n)],
      ["fetch", "spanClose"],
    ]);
    assert.deepStrictEqual(of("manual"), [
      ["manual", "attributes", [{ name: "late", value: 1 }]],
      ["manual", "spanClose"],
      ["manual", "log", "in manual, which has ended"],
    ]);
    assert.deepStrictEqual(of("free"), [
      ["free", "spanUpdate", { type: "name", name: "renamed" }],
      ["free", "spanUpdate", { type: "status", status: { code: "error", message: "bad" } }],
      ["free", "spanUpdate", { type: "status", status: { code: "ok" } }],
      ["free", "exception", "recorded"],
      ["free", "exception", "text"],
      ["free", "exception", "numbered", 5],
      ["free", "spanClose"],
    ]);
    assert.deepStrictEqual(of("never ended"), [["never ended", "spanClose"]]);
    assert.deepStrictEqual(of(long), [[long, "spanClose"]]);
    assert.deepStrictEqual(of("event").filter(([, type]) => type !== "return"), [
      ["event", "attributes", [{ name: "root", value: true }]],
      ["event", "spanOpen", "outer"],
      ["event", "spanOpen", "later"],
      ["event", "spanOpen", "manual"],
      ["event", "log", "after manual"],
      ["event", "spanOpen", "free"],
      ["event", "spanOpen", "never ended"],
      ["event", "spanOpen", long],
      ["event", "outcome"],
    ]);
  },
};
