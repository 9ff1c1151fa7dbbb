/* requests: [{}] */
// Headers: combining, order, case, deletion, set-cookie kept apart.

const probes = {
  "appended values are joined": () => {
    const headers = new Headers({ accept: "a" });
    headers.append("Accept", "b");
    return headers.get("ACCEPT");
  },
  "set replaces all": () => {
    const headers = new Headers([["x-a", "1"], ["x-a", "2"]]);
    headers.set("X-A", "3");
    return [...headers];
  },
  "iteration is sorted and lower-case": () =>
    [...new Headers({ "X-Zed": "1", "Content-Type": "text/plain", accept: "*/*" })],
  "keys, values, entries": () => {
    const headers = new Headers({ b: "2", a: "1" });
    return [[...headers.keys()], [...headers.values()], [...headers.entries()]];
  },
  "forEach gives value, key, parent": () => {
    const headers = new Headers({ a: "1" });
    const seen = [];
    headers.forEach((value, key, parent) => seen.push(value, key, parent === headers));
    return seen;
  },
  "missing is null": () => [new Headers().get("a"), new Headers().has("a")],
  "values are trimmed": () => new Headers({ a: "  b\t " }).get("a"),
  "empty value is kept": () => [new Headers({ a: "" }).get("a"), new Headers({ a: "" }).has("a")],
  "delete": () => {
    const headers = new Headers({ a: "1", b: "2" });
    headers.delete("A");
    headers.delete("none");
    return [...headers];
  },
  "set-cookie is never joined in iteration": () => {
    const headers = new Headers();
    headers.append("set-cookie", "a=1");
    headers.append("b", "x");
    headers.append("Set-Cookie", "c=2, d");
    return [[...headers], headers.getSetCookie(), headers.get("set-cookie")];
  },
  "getSetCookie without any": () => new Headers().getSetCookie(),
  "set of set-cookie drops the others": () => {
    const headers = new Headers([["set-cookie", "a=1"], ["set-cookie", "b=2"]]);
    headers.set("set-cookie", "c=3");
    return headers.getSetCookie();
  },
  "getAll for set-cookie": () => {
    const headers = new Headers([["set-cookie", "a=1"], ["set-cookie", "b=2"]]);
    return headers.getAll("set-cookie");
  },
  "getAll for another name": () => new Headers({ a: "1" }).getAll("a"),
  "copies": () => {
    const first = new Headers({ a: "1" });
    const second = new Headers(first);
    second.set("a", "2");
    return [first.get("a"), second.get("a")];
  },
  "from a Map": () => [...new Headers(new Map([["a", "1"], ["b", "2"]]))],
  "from a generator": () =>
    [...new Headers((function* () { yield ["a", "1"]; yield ["a", "2"]; })())],
  "values become strings": () => [...new Headers({ a: 1, b: true, c: null, d: undefined })],
  "changed while iterating": () => {
    const headers = new Headers({ a: "1", b: "2", c: "3" });
    const seen = [];
    for (const [name] of headers) {
      seen.push(name);
      headers.delete("b");
    }
    return seen;
  },
  "tag": () => [Object.prototype.toString.call(new Headers()), typeof Headers.prototype[Symbol.iterator]],
  "has with a second argument": () => new Headers({ a: "1" }).has("a", "2"),
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
