use crate::support::*;

#[test]
fn a_handler_answers_at_once_or_later() {
    let bench = Bench::new();
    let worker = worker(
        r#"
        export default {
          async fetch(request, env, ctx) {
            const url = new URL(request.url);
            if (url.pathname === "/later") {
              await new Promise((resolve) => setTimeout(resolve, 5));
              return new Response("later", { status: 201 });
            }
            if (url.pathname === "/fetch") return fetch("http://up.test/x", { method: "POST", body: "hi" });
            if (url.pathname === "/stream") {
              const { readable, writable } = new TransformStream();
              const writer = writable.getWriter();
              ctx.waitUntil((async () => {
                for (let i = 0; i < 3; i++) await writer.write(new TextEncoder().encode(`${i},`));
                await writer.close();
              })());
              return new Response(readable);
            }
            return new Response(`${request.method} ${url.host}${url.pathname} ${request.headers.get("host")}`);
          },
        };
        "#,
    );
    let check = |path: &str, expected: (u16, &str)| {
        let (status, body) = bench.get(&worker, path).unwrap();
        assert_eq!(
            (status, body.as_str()),
            expected,
            "{path}; {:?}",
            bench.log.lock()
        );
    };
    check("/a", (200, "GET worker.test/a worker.test"));
    check("/later", (201, "later"));
    check("/fetch", (200, "POST http://up.test/xhi"));
    check("/stream", (200, "0,1,2,"));
}

#[test]
fn a_client_that_leaves_ends_the_stream_quietly() {
    let bench = Bench::new();
    let worker = worker(
        r#"
        let cancelled = "no";
        export default {
          async fetch(request) {
            if (request.url.endsWith("/cancelled")) return new Response(cancelled);
            if (request.url.endsWith("/pulled")) {
              return new Response(new ReadableStream({
                pull(controller) { controller.enqueue(new Uint8Array(70_000)); },
                cancel() { cancelled = "yes"; },
              }));
            }
            const { readable, writable } = new TransformStream();
            (async () => {
              const writer = writable.getWriter();
              for (;;) await writer.write(new Uint8Array(70_000));
            })();
            return new Response(readable);
          },
        };
        "#,
    );
    bench.open_and_leave(&worker, "/pulled");
    bench.open_and_leave(&worker, "/written");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while bench.get(&worker, "/cancelled").expect("an answer").1 != "yes" {
        assert!(std::time::Instant::now() < deadline, "never cancelled");
    }
    assert_eq!(*bench.log.lock(), Vec::<String>::new());
}
