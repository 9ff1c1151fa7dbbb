/* requests: [{}] */
// URLPattern: groups, wildcards, bases, what is refused.

const groups = (result) => result && [result.pathname.input, Object.entries(result.pathname.groups).sort()];

const probes = {
  "named groups": () => groups(new URLPattern({ pathname: "/books/:id/:page" }).exec("https://example.com/books/12/3")),
  "test": () => {
    const pattern = new URLPattern({ pathname: "/books/:id" });
    return [pattern.test("https://example.com/books/1"), pattern.test("https://example.com/books/"), pattern.test({ pathname: "/books/1" })];
  },
  "optional and repeated": () => ["/a", "/a/b", "/a/b/c"].map((path) => groups(new URLPattern({ pathname: "/a/:rest*" }).exec({ pathname: path }))),
  "optional group": () => ["/a", "/a/b"].map((path) => groups(new URLPattern({ pathname: "/a{/:b}?" }).exec({ pathname: path }))),
  "wildcard": () => groups(new URLPattern({ pathname: "/files/*" }).exec({ pathname: "/files/x/y" })),
  "regular expression": () => [groups(new URLPattern({ pathname: "/:id(\\d+)" }).exec({ pathname: "/12" })), new URLPattern({ pathname: "/:id(\\d+)" }).test({ pathname: "/ab" })],
  "whole address": () => {
    const result = new URLPattern("https://*.example.com/:a\\?x=:y#z").exec("https://www.example.com/1?x=2#z");
    return [{ ...result.hostname.groups }, { ...result.pathname.groups }, { ...result.search.groups }, result.hash.input];
  },
  "relative to a base": () => new URLPattern("/a/:b", "https://example.com").test("https://example.com/a/c"),
  "relative without a base": () => new URLPattern("/a/:b"),
  "fields": () => {
    const pattern = new URLPattern({ hostname: "example.com", pathname: "/:a" });
    return ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash", "hasRegExpGroups"].map((name) => pattern[name]);
  },
  "ignoreCase": () => new URLPattern({ pathname: "/a" }, { ignoreCase: true }).test({ pathname: "/A" }),
  "inputs": () => new URLPattern({ pathname: "/a" }).exec({ pathname: "/a" }).inputs,
  "no match": () => new URLPattern({ pathname: "/a" }).exec("https://example.com/b"),
  "unfinished group": () => new URLPattern({ pathname: "/:" }),
  "group named twice": () => new URLPattern({ pathname: "/:a/:a" }),
  "no arguments": () => new URLPattern().test("https://example.com/x"),
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
