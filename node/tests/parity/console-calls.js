/* requests: [{}] */
// Every console method takes whatever it is given and returns undefined.

const circle = { name: "circle" };
circle.self = circle;
const hostile = {
  get a() { throw new Error("getter"); },
  toString() { throw new Error("toString"); },
  [Symbol.toPrimitive]() { throw new Error("toPrimitive"); },
};

export default {
  async fetch(request, env, ctx) {
    const values = [1, "text", null, undefined, Symbol("s"), 10n, () => {}, class A {}, [1, [2]], circle, new Map([[1, circle]]), new Error("e"), hostile, new Proxy({}, { get() { throw new Error("trap"); } }), request, env, ctx, new Uint8Array(3), Promise.reject(1), new Date(NaN), Object.create(null), globalThis];
    const answers = {};
    for (const method of ["log", "info", "warn", "error", "debug", "trace", "dir", "table", "group", "groupEnd", "count", "assert", "time", "timeEnd", "timeLog", "clear", "dirxml", "groupCollapsed", "countReset", "timeStamp"]) {
      if (typeof console[method] !== "function") {
        answers[method] = typeof console[method];
        continue;
      }
      try {
        for (const value of values) console[method](value);
        console[method]();
        console[method]("%s and %d and %o and %%", "a", 1, circle, "more");
        answers[method] = "fine";
      } catch (error) {
        answers[method] = { threw: error.name, message: error.message };
      }
    }
    const { log } = console;
    answers.detached = typeof log("called without its object");
    return Response.json(answers);
  },
};
