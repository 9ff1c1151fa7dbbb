/* requests: [{}] */
// HTMLRewriter: refusals, tokens that are over, streams as content, encodings,
// hostile documents.

const rewrite = (html, build, headers = { "content-type": "text/html" }) => build(new HTMLRewriter()).transform(new Response(html, { headers })).text();
const element = (html, selector, run) => rewrite(html, (r) => r.on(selector, { element: run }));
const text = (...parts) => new Response(parts.join("")).body;
const bytes = (...list) => new Uint8Array(list);

const probes = {
  "tag names that are refused": () => tries("<p>", "p", [(e) => { e.tagName = "a b"; }, (e) => { e.tagName = ""; }, (e) => { e.tagName = "1"; }, (e) => { e.tagName = "a>"; }]),
  "attributes that are refused": () => tries("<p>", "p", [(e) => e.setAttribute("a b", ""), (e) => e.setAttribute("", ""), (e) => e.setAttribute("a=", ""), (e) => e.setAttribute("a>", "")]),
  "attribute values": () => element("<p>", "p", (e) => { e.setAttribute("a", "\"'<>&"); e.setAttribute("B", undefined); e.setAttribute("c", null); e.setAttribute("d", 5); }),
  "comments that are refused": () => rewrite("<p><!--a--></p>", (r) => r.on("p", { comments(c) { c.text = "--><b>"; } })),
  "end tag of a void element": () => element("<br>", "br", (e) => { e.onEndTag(() => {}); }),
  "end tag twice": () => element("<p>a</p>", "p", (e) => { e.onEndTag((t) => { t.before("1"); }); e.onEndTag((t) => { t.before("2"); }); }),
  "end tag, two handlers": () => rewrite("<p>a</p>", (r) => r.on("p", { element(e) { e.onEndTag((t) => { t.before("1"); }); } }).on("p", { element(e) { e.onEndTag((t) => { t.after("2"); }); } })),
  "end tag that is implied": async () => { const seen = []; const html = await element("<ul><li>1<li>2</ul>", "li", (e) => { e.onEndTag((t) => { seen.push(t.name); }); }); return [html, seen]; },
  "end tag, async": () => element("<p>a</p>", "p", (e) => { e.onEndTag(async (t) => { await scheduler.wait(1); t.remove(); }); }),
  "end tag without a function": () => element("<p>a</p>", "p", (e) => { e.onEndTag(5); }),
  "end tag after": () => element("<p>a</p>", "p", (e) => { e.onEndTag((t) => { t.after("<i>", { html: true }); t.name = "q"; return t.name; }); }),
  "a token that is over": async () => { let kept; await element("<p a=b>", "p", (e) => { kept = e; }); return kept.tagName; },
  "an iterator that is over": async () => { let kept; await element("<p a=b>", "p", (e) => { kept = e.attributes; }); return kept.next(); },
  "a token that is over, in a later handler": () => { let kept; return rewrite("<p><b>", (r) => r.on("p", { element(e) { kept = e; } }).on("b", { element() { kept.remove(); } })); },
  "an iterator after a change": () => element("<p a=b>", "p", (e) => { const all = e.attributes; e.setAttribute("c", ""); all.next(); }),
  "an iterator to its end": async () => { let seen; await element("<p a=b>", "p", (e) => { const all = e.attributes; seen = [all.next(), all.next(), all.next(), typeof all[Symbol.iterator], String(all)]; }); return seen; },
  "names of tokens": async () => { const seen = []; await rewrite("<!doctype html><p>a</p><!--b-->", (r) => r.on("p", { element(e) { seen.push(String(e)); e.onEndTag((t) => { seen.push(String(t)); }); }, text(t) { seen.push(String(t)); } }).onDocument({ comments(c) { seen.push(String(c)); }, doctype(d) { seen.push(String(d)); }, end(d) { seen.push(String(d)); } })); return [seen, String(new HTMLRewriter())]; },
  "chaining": () => element("<p>a</p>", "p", (e) => { if (e.before("1").after("2").prepend("3").append("4").setAttribute("a", "b").removeAttribute("c") !== e) throw new Error("another"); }),
  "the same token twice": async () => { const seen = []; await rewrite("<p>", (r) => r.on("p", { element(e) { e.mark = 1; } }).on("p", { element(e) { seen.push(e.mark ?? "fresh"); } })); return seen; },
  "undefined as content": () => element("<p>a</p>", "p", (e) => { e.replace(undefined); }),
  "no content": () => element("<p>a</p>", "p", (e) => { e.replace(); }),
  "options of another type": () => element("<p>a</p>", "p", (e) => { e.before("<", 5); }),
  "options null": () => element("<p>a</p>", "p", (e) => { e.before("<", null); e.after("<", undefined); e.append("<", { html: 1 }); }),
  "namespaces": async () => { const seen = []; await element("<svg><a/><foreignObject><p></p></foreignObject></svg><math><mi/></math><a>", "*", (e) => { seen.push(`${e.tagName} ${e.namespaceURI}`); }); return seen; },
  "doctypes": async () => { const seen = []; for (const html of ['<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://a.test/">', "<!doctype>", "<!doctype html SYSTEM 'about:legacy-compat'>"]) await rewrite(html, (r) => r.onDocument({ doctype(d) { seen.push([d.name, d.publicId, d.systemId]); } })); return seen; },
  "document end": () => rewrite("<p>", (r) => r.onDocument({ end(e) { e.append("<1>").append("<i>", { html: true }); } })),
  "document end, async": () => rewrite("", (r) => r.onDocument({ async end(e) { await scheduler.wait(1); e.append("late"); } })),
  "document text": async () => { const seen = []; await rewrite("a<p>b</p>c", (r) => r.onDocument({ text(t) { seen.push([t.text, t.lastInTextNode]); } })); return seen; },
  "script and style text": () => rewrite("<script>a<b</script><style>c</style><title>d</title>", (r) => r.on("*", { text(t) { if (t.text) t.before("<"); } })),
  "a stream as text": () => element("<p>a</p>", "p", (e) => { e.prepend(text("<1>")); e.append(text("<2>"), { html: true }); }),
  "streams in all places": () => element("<p>a</p>", "p", (e) => { e.before(text("1")); e.after(text("2")); e.setInnerContent(text("3")); }),
  "a stream replaces": () => element("<p>a</p>b", "p", (e) => { e.replace(text("<i>", "x"), { html: true }); }),
  "a response as content": () => element("<p>a</p>", "p", (e) => { e.replace(new Response("<r>")); }),
  "a response without a body": () => element("<p>a</p>", "p", (e) => { e.replace(new Response(null)); }),
  "a stream in parts": () => element("<p>a</p>", "p", (e) => { e.append(new ReadableStream({ async pull(c) { await scheduler.wait(1); c.enqueue(bytes(0xe2, 0x82)); c.enqueue(bytes(0xac)); c.close(); } })); }),
  "a stream that is no UTF-8": () => element("<p>a</p>", "p", (e) => { e.append(new Response(bytes(0xe2, 0x28, 0xa1)).body); }),
  "a stream that fails": () => element("<p>a</p>", "p", (e) => { e.append(new ReadableStream({ start(c) { c.error(new RangeError("source")); } })); }),
  "a stream in a text and an end tag": () => rewrite("<p>a</p>", (r) => r.on("p", { text(t) { if (t.text) t.replace(text("<t>")); }, element(e) { e.onEndTag((t) => { t.before(text("<e>")); }); } })),
  "a stream in a comment": () => rewrite("<p><!--a--></p>", (r) => r.on("p", { comments(c) { c.replace(text("x")); } })),
  "a stream that is overwritten": () => element("<p>a</p>", "p", (e) => { e.replace(text("1")); e.replace("2"); }),
  "handlers of another type": () => new HTMLRewriter().on("p", { element: 5 }),
  "handlers null": () => String(new HTMLRewriter().on("p", null)),
  "no handlers": () => new HTMLRewriter().on("p"),
  "document handlers of another type": () => new HTMLRewriter().onDocument({ end: "x" }),
  "no selector": () => String(new HTMLRewriter().on(undefined, {})),
  "this in handlers": () => { const handlers = { word: "x", element(e) { e.append(this.word); } }; return rewrite("<p>", (r) => r.on("p", handlers)); },
  "selectors that are refused": () => ["", "p >", "p[", "p::before", "p:hover", ":not(:not(p))", "p + b", "p ~ b", "a|b", ".1", "p,", "{"].map((selector) => { try { new HTMLRewriter().on(selector, {}); return "fine"; } catch (e) { return e.message; } }),
  "selector lists": () => element("<p></p><b></b><i></i>", "p, b", (e) => { e.append("x"); }),
  "attribute selectors": async () => { const seen = []; const html = '<a b="cd-e f"></a>'; for (const s of ["[b]", "[b='cd-e f']", "[b~=f]", "[b^=cd]", "[b$='e f']", "[b*='-']", "[b|=cd]", "[B]", "[b='CD-E F' i]", "[c]"]) await element(html, s, () => { seen.push(s); }); return seen; },
  "a rejection": () => element("<p>", "p", async () => { throw new RangeError("async"); }),
  "a rejection without an error": () => element("<p>", "p", async () => { throw "text"; }).catch((e) => [typeof e, String(e)]),
  "an error response": () => new HTMLRewriter().transform(Response.error()),
  "a used body": async () => { const response = new Response("a"); await response.text(); return new HTMLRewriter().transform(response); },
  "the body is taken": () => { const response = new Response("a"); new HTMLRewriter().transform(response); return response.bodyUsed; },
  "another response": () => { const response = new Response("a", { status: 201, statusText: "Made", headers: { a: "b" } }); const other = new HTMLRewriter().transform(response); return [other === response, other.status, other.statusText, [...other.headers]]; },
  "an empty body": () => rewrite("", (r) => r.on("p", {})),
  "bytes as a body": () => new HTMLRewriter().on("p", { element(e) { e.append("x"); } }).transform(new Response(new TextEncoder().encode("<p>a</p>"))).text(),
  "a chunk that is no bytes": () => new HTMLRewriter().transform(new Response(new ReadableStream({ start(c) { c.enqueue(5); c.close(); } }))).text().then(() => "fine", (e) => e.name),
  "byob": async () => { const reader = new HTMLRewriter().on("p", { element(e) { e.append("x"); } }).transform(new Response("<p>a</p>")).body.getReader({ mode: "byob" }); const { value } = await reader.read(new Uint8Array(100)); return new TextDecoder().decode(value); },
  "windows-1251": async () => { const response = new Response(bytes(0x3c, 0x70, 0x3e, 0xcf, 0xf0, 0x3c, 0x2f, 0x70, 0x3e), { headers: { "content-type": "text/html; charset=windows-1251" } }); const seen = []; const out = new HTMLRewriter().on("p", { text(t) { seen.push(t.text); }, element(e) { e.append("\u044f\u20ac\u{1f600}"); } }).transform(response); return [seen, [...new Uint8Array(await out.arrayBuffer())], seen]; },
  "an unknown encoding": () => rewrite("a", (r) => r, { "content-type": "text/html; charset=nonsense" }),
  "utf-16": () => rewrite("a", (r) => r, { "content-type": "text/html; charset=utf-16" }),
  "quoted charset": () => rewrite("a", (r) => r, { "content-type": 'text/html; charset="UTF-8"' }),
  "other parameters": () => rewrite("a", (r) => r, { "content-type": "text/html; boundary=x; charset=utf-8" }),
  "input that is no UTF-8": async () => { const seen = []; const out = new HTMLRewriter().on("p", { text(t) { seen.push(t.text); } }).transform(new Response(bytes(0x3c, 0x70, 0x3e, 0xff, 0xfe, 0x61))); return [[...new Uint8Array(await out.arrayBuffer())], seen]; },
  "one rewriter, two documents": async () => { const rewriter = new HTMLRewriter().on("p", { async element(e) { await scheduler.wait(1); e.append("x"); } }); return Promise.all([rewriter.transform(new Response("<p>1</p>")).text(), rewriter.transform(new Response("<p>2</p>")).text()]); },
  "one after the other": () => { let response = new Response("<p>a</p>"); for (const word of ["1", "2", "3"]) response = new HTMLRewriter().on("p", { element(e) { e.append(word); } }).transform(response); return response.text(); },
  "a rewriter in a handler": () => element("<p>a</p>", "p", async (e) => { e.append(await element("<b>c</b>", "b", (b) => { b.append("d"); }), { html: true }); }),
  "a fetch in a handler": () => element("<p>a</p>", "p", async (e) => { e.append(await (await fetch("data:,fetched")).text()); }),
  "unclosed and stray tags": () => element("</b><p><i>a</p></i><", "p", (e) => { e.append("x"); e.after("y"); }),
  "an attribute of a megabyte": async () => (await element(`<p a="${"x".repeat(1 << 20)}">`, "p", (e) => { e.setAttribute("b", e.getAttribute("a").length); })).slice(-14),
  "a deep document": async () => (await element("<div>".repeat(5000), "div", (e) => { e.setAttribute("a", ""); })).length,
  "many attributes": async () => { let count; await element(`<p ${Array.from({ length: 5000 }, (_, i) => `a${i}=${i}`).join(" ")}>`, "p", (e) => { count = [...e.attributes].length; }); return count; },
  "nul and odd characters": () => element("<p\0 a\0=b\0>\0c</p\0>\0", "*", (e) => { e.setAttribute("x", e.getAttribute("a\0") ?? "none"); }),
  "cdata and processing": () => rewrite("<![CDATA[a]]><?php b ?><svg><![CDATA[c]]></svg>", (r) => r.onDocument({ comments(c) { c.text = `(${c.text})`; } })),
  "a plaintext end": () => element("<plaintext><p>a", "p", (e) => { e.remove(); }),
  "a noscript in select": () => element("<select><noscript><p>a</select>", "p", (e) => { e.remove(); }),
  "an async context": async () => { const seen = []; const controller = new AbortController(); await element("<p>", "p", async () => { await scheduler.wait(1, { signal: controller.signal }); seen.push("after"); }); return seen; },
  "a reader that leaves": async () => { let cancelled = "no"; const input = new ReadableStream({ pull(c) { c.enqueue(new TextEncoder().encode("<p>a</p>")); }, cancel(reason) { cancelled = String(reason); } }); const reader = new HTMLRewriter().on("p", { element(e) { e.append("x"); } }).transform(new Response(input)).body.getReader(); await reader.read(); await reader.cancel("enough"); await scheduler.wait(5); return cancelled !== "no"; },
};

async function tries(html, selector, runs) {
  const said = [];
  await element(html, selector, (e) => {
    for (const run of runs) {
      try {
        run(e);
        said.push("fine");
      } catch (error) {
        said.push(`${error.name}: ${error.message}`);
      }
    }
  });
  return said;
}

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
      answer = { threw: error?.name, message: error?.message };
    }
    lines += `${name}: ${JSON.stringify(answer)}\n`;
  }
  return new Response(lines);
}
