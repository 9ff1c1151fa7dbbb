/* requests: [{}] */
// URL: parsing, setters, canParse, what is refused.

const fields = (url) => ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"].map((name) => url[name]);

const probes = {
  "all fields": () => fields(new URL("https://user:pass@example.com:8080/a/b?c=d#e")),
  "default port is dropped": () => new URL("https://example.com:443/").href,
  "dots and doubled slashes": () => new URL("https://example.com/a/./b/../c//d/..").href,
  "relative": () => ["b", "/b", "//other.com/b", "?b", "#b", "../b", ""].map((path) => new URL(path, "https://example.com/x/y?z#w").href),
  "host is lower-case": () => new URL("HTTPS://EXAMPLE.com/A").href,
  "international host": () => new URL("https://münchen.example/straße?ß#ß").href,
  "escapes": () => new URL('https://example.com/a b"<>`{}|^%zz?a b"<>`\'#a b"<>`').href,
  "addresses as numbers": () => ["http://127.1/", "http://0x7f.1/", "http://2130706433/", "http://[::1]/", "http://[0:0::0:1]/"].map((url) => new URL(url).host),
  "tabs and line feeds": () => new URL(" https://exa\tmple.com/\na ").href,
  "backslashes": () => new URL("https:\\\\example.com\\a").href,
  "other schemes": () => ["data:text/plain,a b", "mailto:a@b", "blob:https://example.com/x", "foo://bar/baz", "file:///C:/a"].map((url) => [new URL(url).href, new URL(url).origin]),
  "invalid": () => new URL("nothing"),
  "invalid with a base": () => new URL("//", "https://example.com"),
  "invalid base": () => new URL("/a", "nothing"),
  "invalid port": () => new URL("https://example.com:99999/"),
  "invalid host": () => new URL("https://exa mple.com/"),
  "no arguments": () => new URL(),
  "error code": () => {
    try {
      new URL("nothing");
    } catch (error) {
      return [error.name, error.code ?? "none", error instanceof TypeError];
    }
  },
  "canParse": () => [URL.canParse("https://a"), URL.canParse("a"), URL.canParse("a", "https://b")],
  "parse": () => [URL.parse("a"), URL.parse("a", "https://b/c").href],
  "setters": () => {
    const url = new URL("https://example.com/a?b#c");
    url.protocol = "http";
    url.host = "other.com:81";
    url.pathname = "x y";
    url.search = "q=1 2";
    url.hash = "";
    url.username = "me@";
    url.port = "80";
    return url.href;
  },
  "setters that are ignored": () => {
    const url = new URL("https://example.com/");
    url.protocol = "foo";
    url.port = "x";
    url.hostname = "";
    return url.href;
  },
  "href refuses": () => {
    const url = new URL("https://example.com/");
    url.href = "nothing";
  },
  "searchParams writes through": () => {
    const url = new URL("https://example.com/?a=1");
    url.searchParams.append("b", "2 3");
    url.searchParams.delete("a");
    return [url.href, url.search, url.searchParams === url.searchParams];
  },
  "search writes into searchParams": () => {
    const url = new URL("https://example.com/?a=1");
    const params = url.searchParams;
    url.search = "?b=2";
    return [...params];
  },
  "toJSON and toString": () => JSON.stringify([new URL("https://a"), String(new URL("https://a"))]),
  "createObjectURL": () => [typeof URL.createObjectURL, typeof URL.revokeObjectURL],
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
