/* flags: ["nodejs_compat"] */
// node:util has what Node took out in its version 23, and shows the calls of the worker's own code.
import util, { getCallSites, isBoolean } from "node:util";

const values = {
  boolean: true, buffer: Buffer.from("a"), bytes: new Uint8Array(1), date: new Date(0), error: new TypeError("x"),
  like: Object.create(Error.prototype), function: () => 1, null: null, undefined: undefined, number: 1, object: {},
  regexp: /a/, string: "a", symbol: Symbol("a"), bigint: 1n,
};
const names = [
  "isArray", "isBoolean", "isBuffer", "isDate", "isError", "isFunction", "isNull", "isNullOrUndefined", "isNumber",
  "isObject", "isPrimitive", "isRegExp", "isString", "isSymbol", "isUndefined",
];

/** Calls without the places, which the runner's own lines move. */
const calls = (list) =>
  list.map((call) => [call.functionName, Object.keys(call).join(), typeof call.lineNumber, call.column === call.columnNumber]);

function inner(frames) {
  return calls(getCallSites(frames));
}

export default {
  async fetch() {
    let lines = `${isBoolean === util.isBoolean}\n`;
    for (const name of names) {
      const kinds = Object.entries(values).filter(([, value]) => util[name](value)).map(([kind]) => kind);
      lines += `${name}: ${kinds.join(" ")}\n`;
    }
    lines += `calls: ${JSON.stringify(inner(1))}\n`;
    lines += `of a callback: ${JSON.stringify([1].map(function each() { return inner(2); }))}\n`;
    lines += `the old name: ${util.getCallSite(1).length}\n`;
    for (const frames of [0, -1, 201, 200, "2", undefined]) {
      let answer;
      try {
        answer = util.getCallSites(frames).length > 0;
      } catch (error) {
        answer = `${error.name}: ${error.message}`;
      }
      lines += `${String(frames)}: ${answer}\n`;
    }
    for (const name of ["_errnoException", "_exceptionWithHostPort"]) {
      try {
        util[name]();
      } catch (error) {
        lines += `${name}: ${error.code} ${error.message}\n`;
      }
    }
    return new Response(lines);
  },
};
