//! `caches` through the node: what is stored, for whom, and what of it is given.

use std::collections::BTreeMap;

use crate::support::Outboard;
use crate::support::http::{get, send};

const SCRIPT: &str = r#"
const key = (path) => `https://a.test${path}`;
const show = async (response) => response === undefined
  ? "missing"
  : [response.status, response.headers.get("cf-cache-status"), response.headers.get("content-range") ?? "-", await response.text()].join(" ");

const routes = {
  "/put": async () => {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const response = new Response(readable, { headers: { etag: '"v1"', "cache-control": "max-age=60", "x-kept": "yes" } });
    const putting = caches.default.put(key("/x"), response);
    const used = response.bodyUsed;
    await writer.write(new TextEncoder().encode("01234"));
    await writer.write(new TextEncoder().encode("56789"));
    await writer.close();
    await putting;
    return `${used}`;
  },
  "/match": async () => show(await caches.default.match(key("/x"))),
  "/headers": async () => {
    const found = await caches.default.match(new Request(key("/x")));
    return `${found.headers.get("x-kept")} ${found.headers.get("content-length")} ${found.headers.get("age")}`;
  },
  "/range": async () => show(await caches.default.match(new Request(key("/x"), { headers: { range: "bytes=2-4" } }))),
  "/etag": async () => show(await caches.default.match(new Request(key("/x"), { headers: { "if-none-match": '"v1"' } }))),
  "/post": async () => show(await caches.default.match(new Request(key("/x"), { method: "POST" }))),
  "/ignore-method": async () => show(await caches.default.match(new Request(key("/x"), { method: "POST" }), { ignoreMethod: true })),
  "/named": async () => {
    const cache = await caches.open("named");
    const before = await show(await cache.match(key("/x")));
    await cache.put(key("/x"), new Response("named"));
    return [before, await show(await cache.match(key("/x"))), await show(await caches.default.match(key("/x")))].join(", ");
  },
  "/delete": async () => `${await caches.default.delete(key("/x"))} ${await caches.default.delete(key("/x"))} ${await show(await caches.default.match(key("/x")))}`,
  "/fetched": async (request) => {
    const answer = await fetch(request.headers.get("x-self"));
    await caches.default.put(key("/f"), answer);
    return `${answer.bodyUsed} ${await show(await caches.default.match(key("/f")))}`;
  },
  "/refused": async () => {
    const said = [];
    const tries = [
      () => caches.default.put(key("/y"), new Response("a", { headers: { "set-cookie": "a=b" } })),
      () => caches.default.put(key("/y"), new Response("a", { headers: { "cache-control": "no-store" } })),
      () => caches.default.put(key("/y"), Response.error()),
      () => caches.default.put("not an address", new Response("a")),
      () => caches.default.put(key("/y"), new Response(new ReadableStream({ start(c) { c.error(new Error("source")); } }))),
      () => { const used = new Response("a"); used.text(); return caches.default.put(key("/y"), used); },
      () => caches.open("x".repeat(2000)),
    ];
    for (const attempt of tries) said.push(await attempt().then(() => "fine", (error) => error.name));
    return `${said} ${await show(await caches.default.match(key("/y")))}`;
  },
};

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    return new Response(await (routes[pathname] ?? (() => "origin"))(request));
  },
};
"#;

#[test]
fn what_a_worker_stores_it_finds_again_and_nobody_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = dir.path().join("cache.js");
    std::fs::write(&script, SCRIPT).expect("a file is written");
    let mut config = String::from("lanes = 2\negress = { allow_private = true }\n");
    for name in ["one", "two"] {
        config.push_str(&format!(
            "[[worker]]\nname = {name:?}\nmain = {:?}\nroutes = [\"{name}.test\"]\n",
            script.display().to_string()
        ));
    }
    let server = Outboard::serve(&config);
    let ask = |host: &str, path: &str| {
        let mut request = get(host, path);
        let own = format!("http://{}/origin", server.address);
        request.headers.push(("x-self".into(), own));
        String::from_utf8_lossy(&send(server.address, &request).body).into_owned()
    };
    let cases = BTreeMap::from([
        ("1 /match", "missing"),
        ("2 /put", "true"),
        ("3 /match", "200 HIT - 0123456789"),
        ("4 /headers", "yes 10 0"),
        ("5 /range", "206 HIT bytes 2-4/10 234"),
        ("6 /etag", "304 HIT - "),
        ("7 /post", "missing"),
        ("8 /ignore-method", "200 HIT - 0123456789"),
        ("9 /named", "missing, 200 HIT - named, 200 HIT - 0123456789"),
        (
            "a /refused",
            "fine,fine,TypeError,TypeError,Error,TypeError,TypeError missing",
        ),
    ]);
    for (case, expected) in cases {
        let (_, path) = case.split_once(' ').expect("a path");
        let found = ask("one.test", path);
        if path == "/headers" {
            // Its age may be a second or two on a busy machine.
            assert_eq!(found[..6], expected[..6]);
        } else {
            assert_eq!(found, expected, "{path}");
        }
    }
    // A fetched body goes from connection to cache; an answer's status is kept.
    let fetched = ask("one.test", "/fetched");
    assert!(fetched.starts_with("true 404 HIT - no worker"), "{fetched}");
    assert_eq!(ask("two.test", "/match"), "missing");
    assert_eq!(ask("two.test", "/delete"), "false false missing");
    assert_eq!(ask("one.test", "/delete"), "true false missing");
}
