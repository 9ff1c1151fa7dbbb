/* requests: [{}] */
// Headers: names and values that are refused, and with which error.

const probes = {
  "empty name": () => [...new Headers({ "": "a" })],
  "name with a space": () => new Headers({ "a b": "c" }),
  "name with a colon": () => new Headers().append("a:b", "c"),
  "name with a line feed": () => new Headers().set("a\n", "c"),
  "name outside ASCII": () => new Headers().set("é", "c") ?? "taken",
  "get with a bad name": () => new Headers().get("a b"),
  "has with a bad name": () => new Headers().has("a b"),
  "delete with a bad name": () => new Headers().delete("a b"),
  "value with a line feed": () => new Headers({ a: "b\nc" }),
  "value with a carriage return": () => new Headers({ a: "b\rc" }),
  "value with a zero": () => new Headers().append("a", "b\0c"),
  "value that ends with a line feed": () => new Headers({ a: "b\n" }).get("a"),
  "value in Latin-1": () => new Headers({ a: "caf\u00e9" }).get("a"),
  "value above Latin-1": () => new Headers({ a: "\u2603" }).get("a"),
  "control character in a value": () => new Headers({ a: "b\u0001c" }).get("a"),
  "pair with one item": () => new Headers([["a"]]),
  "pair with three items": () => new Headers([["a", "b", "c"]]),
  "null": () => [...new Headers(null)],
  "undefined": () => [...new Headers(undefined)],
  "number": () => [...new Headers(1)],
  "string": () => [...new Headers("ab")],
  "symbol value": () => new Headers({ a: Symbol("s") }),
  "no arguments to get": () => new Headers().get(),
  "one argument to append": () => new Headers().append("a"),
  "called without new": () => Headers(),
  "method on another object": () => Headers.prototype.get.call({}, "a"),
};

export default {
  async fetch() {
    return report(probes);
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
    lines += `${name}: ${JSON.stringify(answer)}\n`;
  }
  return new Response(lines);
}
