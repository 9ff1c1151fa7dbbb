/* requests: [{}, {"path": "/streamed"}] */
// HTMLRewriter: elements, attributes, text, comments, document ends, faults.

const page = `<!doctype html><html><head><title>Old &amp; grey</title></head><body class="a b"><p id=one>Hello <b>big</b> world</p><!-- note --><a href="/x">link</a><br><ul><li>1</li><li>2</li></ul></body></html>`;
const rewrite = (html, build) => build(new HTMLRewriter()).transform(new Response(html, { headers: { "content-type": "text/html", "content-length": "1" } }));

const probes = {
  "attributes": () => rewrite(page, (r) => r.on("a[href]", { element(e) { e.setAttribute("href", e.getAttribute("href") + '?q="1"'); e.setAttribute("rel", "nofollow"); } })).text(),
  "content": () => rewrite("<p>old</p>", (r) => r.on("p", { element(e) { e.before("<1>"); e.after("<i>2</i>", { html: true }); e.prepend("3"); e.append("4"); } })).text(),
  "inner content": () => rewrite("<p>old <b>x</b></p><div>y</div>", (r) => r.on("p", { element(e) { e.setInnerContent("<new>"); } }).on("div", { element(e) { e.setInnerContent("<u>n</u>", { html: true }); } })).text(),
  "remove and replace": () => rewrite("<p>a</p><b>c<i>d</i></b><u>e</u>", (r) => r.on("p", { element(e) { e.remove(); } }).on("b", { element(e) { e.removeAndKeepContent(); } }).on("u", { element(e) { e.replace("<!>", { html: true }); } })).text(),
  "tag name": () => rewrite("<P>a</P>", (r) => r.on("p", { element(e) { e.tagName = "section"; } })).text(),
  "fields": async () => {
    const seen = [];
    await rewrite('<p CLASS="x" data-a=1>a</p>', (r) => r.on("*", { element(e) { seen.push(e.tagName, [...e.attributes], e.namespaceURI, e.hasAttribute("class"), e.getAttribute("none"), e.removed); } })).text();
    return seen;
  },
  "text": async () => {
    const seen = [];
    const html = await rewrite("<p>one <b>two</b></p>", (r) => r.on("p", { text(t) { seen.push([t.text, t.lastInTextNode]); if (t.text) t.replace(t.text.toUpperCase()); } })).text();
    return [seen, html];
  },
  "comments": () => rewrite("<p><!-- a --></p>", (r) => r.on("p", { comments(c) { c.text = c.text.trim() + "!"; } })).text(),
  "document": async () => {
    const seen = [];
    const html = await rewrite(page, (r) => r.onDocument({ doctype(d) { seen.push(d.name, d.publicId, d.systemId); }, comments(c) { seen.push(c.text); }, end(end) { end.append("<!--end-->", { html: true }); } })).text();
    return [seen, html.slice(-20)];
  },
  "end tag": () => rewrite("<p>a</p>", (r) => r.on("p", { element(e) { e.onEndTag((tag) => { tag.before("-"); tag.name = "q"; }); } })).text(),
  "async handlers": () => rewrite("<p></p>", (r) => r.on("p", { async element(e) { await scheduler.wait(1); e.append("later"); } })).text(),
  "order of handlers": async () => {
    const seen = [];
    await rewrite('<p class="a">x</p>', (r) => r.on("p", { element() { seen.push(1); } }).on(".a", { element() { seen.push(2); } })).text();
    return seen;
  },
  "selectors": async () => {
    const counts = {};
    const selectors = ["li:nth-child(2)", "body > p", "p b", "[id=one]", "[class~=b]", "a[href^='/']", "p:not(#two)", "br", "p#one"];
    await rewrite(page, (r) => selectors.reduce((all, selector) => all.on(selector, { element() { counts[selector] = (counts[selector] ?? 0) + 1; } }), r)).text();
    return Object.entries(counts).sort();
  },
  "bad selector": () => new HTMLRewriter().on("p:::", {}),
  "handler throws": () => rewrite("<p></p>", (r) => r.on("p", { element() { throw new RangeError("in handler"); } })).text(),
  "content-length": () => rewrite("<p></p>", (r) => r.on("p", {})).headers.get("content-length") ?? "none",
  "null body": () => new HTMLRewriter().transform(new Response(null)).body,
  "transform of something else": () => new HTMLRewriter().transform("<p>"),
};

export default {
  async fetch(request) {
    if (new URL(request.url).pathname === "/streamed") {
      const parts = ReadableStream.from(["<p>he", "llo</", "p><a hr", 'ef="x">', "y</a>"]).pipeThrough(new TextEncoderStream());
      return new HTMLRewriter().on("a", { element(e) { e.setAttribute("href", "z"); } }).transform(new Response(parts, { headers: { "content-type": "text/html" } }));
    }
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
