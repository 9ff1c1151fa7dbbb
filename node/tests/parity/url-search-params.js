/* requests: [{}] */
// URLSearchParams: sources, order, encoding.

const probes = {
  "from a string": () => [...new URLSearchParams("?a=1&b=2&a=3&c&=d&&e=f=g")],
  "from an object": () => String(new URLSearchParams({ a: "1 2", b: "&=+", c: "é" })),
  "from pairs": () => String(new URLSearchParams([["a", "1"], ["a", "2"]])),
  "from a Map": () => String(new URLSearchParams(new Map([["a", "1"]]))),
  "from FormData": () => {
    const form = new FormData();
    form.append("a", "1");
    return String(new URLSearchParams(form));
  },
  "from another": () => String(new URLSearchParams(new URLSearchParams("a=1&a=2"))),
  "null and undefined": () => [String(new URLSearchParams(null)), String(new URLSearchParams(undefined))],
  "bad pair": () => new URLSearchParams([["a"]]),
  "decoding": () => [...new URLSearchParams("a=%20+%2B&%E2%98%83=%zz&b=%ff")],
  "encoding": () => String(new URLSearchParams({ k: "*-._~!'()[]/?:@ \u0000☃" })),
  "get, getAll, has": () => {
    const params = new URLSearchParams("a=1&a=2&b=");
    return [params.get("a"), params.getAll("a"), params.has("b"), params.get("c"), params.has("a", "2"), params.has("a", "3"), params.size];
  },
  "set, append, delete": () => {
    const params = new URLSearchParams("a=1&b=2&a=3");
    params.set("a", "4");
    params.append("c", "5");
    params.append("c", "6");
    params.delete("c", "5");
    params.delete("b");
    return String(params);
  },
  "sort is by code unit and stable": () => {
    const params = new URLSearchParams("z=1&a=2&Z=3&a=1&é=4");
    params.sort();
    return String(params);
  },
  "forEach": () => {
    const seen = [];
    new URLSearchParams("a=1&b=2").forEach((value, key) => seen.push(key, value));
    return seen;
  },
  "changed while iterating": () => {
    const params = new URLSearchParams("a=1&b=2&c=3");
    const seen = [];
    for (const [name] of params) {
      seen.push(name);
      params.delete(name);
    }
    return seen;
  },
  "lone surrogate": () => String(new URLSearchParams({ a: "\ud800" })),
  "tag": () => Object.prototype.toString.call(new URLSearchParams()),
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
