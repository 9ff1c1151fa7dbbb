/* requests: [{}] */
/* flags: ["enable_ctx_exports"] */
// Calls of a worker's own entrypoints: values, references, disposal and errors.
import { RpcPromise, RpcProperty, RpcStub, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

class Counter extends RpcTarget {
  #value;
  own = "own";
  constructor(value) { super(); this.#value = value; }
  add(n) { return this.#value += n; }
  get value() { return this.#value; }
  get next() { return new Counter(this.#value + 1); }
}

class Tracked extends RpcTarget {
  constructor(log) { super(); this.log = log; }
  ping() { return "pong"; }
  [Symbol.dispose]() { this.log.push("disposed"); }
}

class Other { method() { return 1; } }

export class Service extends WorkerEntrypoint {
  field = "not seen";
  echo(value) { return value; }
  props() { return this.ctx.props; }
  args(...list) { return list.length; }
  counter(n) { return new Counter(n); }
  nested() { return { deep: { counter: new Counter(10), list: [1, 2] }, fn: (a) => a + 1 }; }
  get property() { return { a: { b: 5 } }; }
  async slow(n) { await scheduler.wait(1); return n; }
  fail(kind) {
    if (kind === "dom") throw new DOMException("a dom error", "AbortError");
    if (kind === "custom") { const e = new Error("custom"); e.name = "Custom"; e.code = 7; throw e; }
    if (kind === "string") throw "a string";
    if (kind === "range") throw new RangeError("out");
    throw new Error("plain");
  }
  async apply(fn, ...args) { return await fn(...args); }
  async useTwice(target) { return [await target.ping(), await target.ping()]; }
  async keep(target) { const dup = target.dup(); return { call: () => dup.ping(), [Symbol.dispose]: () => dup[Symbol.dispose]() }; }
  async read(stream) { return await new Response(stream).text(); }
  stream() { return new Blob(["a stream"]).stream(); }
  other() { return new Other(); }
  request() { return new Request("http://a.test/x", { method: "POST", body: "posted", headers: { "x-a": "1" } }); }
  failed() { return Response.error(); }
  response() { return new Response("answered", { status: 201, headers: { "x-b": "2" } }); }
  async describe(value) { return [value.constructor.name, await value.text()]; }
  fetch(request) { return new Response(`fetched ${request.url} ${JSON.stringify(this.ctx.props)}`); }
}

export const handlers = {
  one(arg, env, ctx) { return [arg, typeof env, typeof ctx.waitUntil]; },
  two(a, b, env, ctx) { return a + b; },
};

const later = () => new Promise((resolve) => setTimeout(resolve, 20));

const probes = (exports) => {
  const service = exports.Service;
  return {
    "values": () => service.echo({ a: 1, b: [1, "x", null], c: new Map([["k", new Set([1])]]), d: new Date(0), e: 10n, f: /x/gi }),
    "more values": async () => { const v = await service.echo([new Uint8Array([1, 2]), new Error("e"), undefined, NaN, -0]); return [v[0].constructor.name, v[0].length, v[1].message, v[2] === undefined, Number.isNaN(v[3]), Object.is(v[4], -0)]; },
    "args": () => Promise.all([service.args(), service.args(1), service.args(undefined, undefined)]),
    "props": async () => [await service.props(), await exports.Service({ props: { a: [1] } }).props()],
    "bad props": () => exports.Service({ props: 5 }),
    "own field": () => service.field,
    "own field called": () => service.field(),
    "missing": () => service.nothing(),
    "missing property": () => service.nothing,
    "of object": () => typeof service.toString,
    "property": async () => [await service.property, await service.property.a.b],
    "property called": () => service.property(),
    "property of property called": () => service.property.a(),
    "target": async () => { const c = await service.counter(5); const r = [await c.add(1), await c.value, await c.next.value]; c[Symbol.dispose](); return r; },
    "own of target": async () => { using c = await service.counter(5); return await c.own; },
    "pipelined": () => service.counter(1).add(2),
    "pipelined deep": () => service.nested().deep.counter.add(5),
    "pipelined value": () => service.nested().deep.list,
    "pipelined item": () => service.nested().deep.list[0],
    "pipelined function": () => service.nested().fn(1),
    "pipelined missing": () => service.nested().deep.nothing(),
    "pipelined on value": () => service.echo(5).toFixed(),
    "pipelined on failure": () => service.fail("range").x.y(),
    "function result": async () => { using o = await service.nested(); return [typeof o.fn, await o.fn(41), await o.deep.counter.add(1), o.deep.list]; },
    "order": async () => { using c = await service.counter(0); return Promise.all([c.add(1), c.add(10), c.add(100)]); },
    "order of pipelined": () => { const c = service.counter(0); return Promise.all([c.add(1), c.add(10), c.value]); },
    "kinds": async () => { const p = service.slow(1); const r = [p instanceof RpcPromise, service.slow instanceof RpcProperty, typeof p, typeof service.slow, typeof service.slow.then]; await p; return r; },
    "stub kinds": async () => { using c = await service.counter(1); return [c instanceof RpcStub, typeof c, c.then === undefined]; },
    "then": () => service.slow(3).then((n) => n + 1),
    "catch": () => service.fail().catch((e) => e.message),
    "finally": async () => { let seen = false; const v = await service.slow(3).finally(() => { seen = true; }); return [v, seen]; },
    "error": () => service.fail(),
    "range error": async () => { try { await service.fail("range"); } catch (e) { return [e instanceof RangeError, e.message, e.remote]; } },
    "dom error": async () => { try { await service.fail("dom"); } catch (e) { return [e instanceof DOMException, e.name, e.message]; } },
    "custom error": async () => { try { await service.fail("custom"); } catch (e) { return [e instanceof Error, e.message]; } },
    "string": async () => { try { await service.fail("string"); } catch (e) { return [typeof e, String(e)]; } },
    "callback": () => service.apply((a, b) => a * b, 6, 7),
    "callback fails": () => service.apply(() => { throw new TypeError("from the callback"); }),
    "callback in object": async () => { using o = await service.echo({ f: () => "called" }); return await o.f(); },
    "disposed": async () => { const log = []; const r = await service.useTwice(new Tracked(log)); await later(); return [r, log]; },
    "kept": async () => { const log = []; const kept = await service.keep(new Tracked(log)); await later(); const before = [...log]; const r = await kept.call(); kept[Symbol.dispose](); await later(); return [before, r, log]; },
    "used after disposal": async () => { const c = await service.counter(1); c[Symbol.dispose](); return await c.add(1); },
    "dup": async () => { const c = await service.counter(1); const d = c.dup(); c[Symbol.dispose](); const r = await d.add(1); d[Symbol.dispose](); return r; },
    "own stub": async () => { const log = []; const s = new RpcStub(new Tracked(log)); const r = await s.ping(); s[Symbol.dispose](); await later(); return [r, log]; },
    "stub of a function": async () => { using s = new RpcStub((a) => a * 2); return await s(21); },
    "stub of an object": async () => { using s = new RpcStub({ f(a) { return a; }, v: 3 }); return [await s.f(1), await s.v]; },
    "stub of nothing": () => new RpcStub(5),
    "class instance": () => service.other(),
    "class instance passed": () => service.echo(new Other()),
    "null prototype": () => service.echo(Object.create(null)),
    "symbol": () => service.echo(Symbol("a")),
    "promise passed": () => service.echo({ p: service.slow(1) }),
    "url passed": () => service.echo(new URL("http://a/")),
    "cycle": async () => { const a = { n: 1 }; a.self = a; const b = await service.echo(a); return b.self === b; },
    "same twice": async () => { const x = {}; const [a, b] = await service.echo([x, x]); return a === b; },
    "headers": async () => [...(await service.echo(new Headers({ "x-a": "1", b: "2" })))],
    "request": async () => { const r = await service.request(); return [r.method, r.url, r.headers.get("x-a"), await r.text()]; },
    "response": async () => { const r = await service.response(); return [r.status, r.headers.get("x-b"), await r.text()]; },
    "error response": async () => { const { type, status, ok } = await service.failed(); return [type, status, ok]; },
    "response passed": () => service.describe(new Response("abc")),
    "request passed": () => service.describe(new Request("http://a/", { method: "PUT", body: "put" })),
    "stream": async () => await new Response(await service.stream()).text(),
    "stream passed": () => service.read(new Blob(["passed"]).stream()),
    "stream locked": () => { const s = new Blob(["x"]).stream(); s.getReader(); return service.read(s); },
    "blob": async () => { const b = await service.echo(new Blob(["bl", "ob"], { type: "a/b" })); return [b.type, b.size, await b.text()]; },
    "signal": async () => { const c = new AbortController(); c.abort(new Error("why")); const s = await service.echo(c.signal); return [s.aborted]; },
    "fetch": async () => await (await exports.Service({ props: { p: 1 } }).fetch("http://a.test/b")).text(),
    "reserved": () => new RpcStub({ constructor: 1 }).x,
    "handlers": () => exports.handlers.one("x"),
    "handlers without": () => exports.handlers.one(),
    "handlers of two": () => exports.handlers.two(1, 2),
    "too deep": () => { let p = service; for (let i = 0; i < 70; i++) p = p.x; return "no"; },
    "big": async () => (await service.echo("x".repeat(1 << 20))).length,
    "too big": () => service.echo("x".repeat(33 << 20)).catch((e) => [e.name, e.message.slice(0, 60)]),
    "json": () => JSON.stringify({ a: service.slow }),
  };
};

export default {
  fetch(_request, _env, ctx) {
    return report(probes(ctx.exports));
  },
};

// One line a probe: its value, or what it threw.
async function report(probes) {
  let lines = "";
  for (const [name, probe] of Object.entries(probes)) {
    let answer;
    try {
      answer = (await probe()) ?? null;
    } catch (error) {
      answer = { threw: error.name, message: error.message };
    }
    lines += `${name}: ${JSON.stringify(answer, show)}\n`;
  }
  return new Response(lines);
}

function show(_key, value) {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Map || value instanceof Set) return [...value];
  if (value instanceof RegExp) return String(value);
  return value;
}
