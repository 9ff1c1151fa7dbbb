use outboard_runtime::Compatibility;

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
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    while bench.get(&worker, "/cancelled").expect("an answer").1 != "yes" {
        assert!(std::time::Instant::now() < deadline, "never cancelled");
    }
    assert_eq!(*bench.log.lock(), Vec::<String>::new());
}

#[test]
fn the_request_of_a_client_that_leaves_is_aborted() {
    let bench = Bench::new();
    let source = r#"
        let seen = "nothing";
        export default {
          async fetch(request, env, ctx) {
            if (request.url.endsWith("/seen")) return new Response(seen);
            const { signal } = new Request(request.clone());
            request.signal.onabort = () => {
              const { name, message } = request.signal.reason;
              ctx.waitUntil(scheduler.wait(1).then(() => {
                seen = `${name}: ${message} ${signal.aborted}`;
              }));
            };
            if (request.url.endsWith("/whole")) return new Response("all of it");
            return new Response(new ReadableStream({
              pull(controller) { controller.enqueue(new Uint8Array(70_000)); },
            }));
          },
        };
    "#;
    let flags = ["enable_request_signal"].map(String::from);
    let worker = worker_with(source, |spec| {
        spec.compatibility = Compatibility::new("2026-01-01", &flags).expect("flags");
    });
    let seen = || bench.get(&worker, "/seen").expect("an answer").1;
    assert_eq!(
        bench.get(&worker, "/whole").expect("an answer").1,
        "all of it"
    );
    assert_eq!(seen(), "nothing");
    bench.open_and_leave(&worker, "/cut");
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    while seen() == "nothing" {
        assert!(std::time::Instant::now() < deadline, "never aborted");
    }
    assert_eq!(seen(), "AbortError: The client has disconnected true");
}

#[test]
fn the_clock_stands_still_while_script_runs() {
    let bench = Bench::new();
    let worker = worker(
        "const startup = [Date.now(), +new Date(), performance.now()];
         const read = () => [Date.now(), +new Date(), Date.parse(new Date().toISOString()), performance.now()];
         const spin = () => { for (let i = 0; i < 1e7; i++) globalThis.spun = i; };
         const same = (list) => list.every((time) => time === list[0]);
         export default { async fetch() {
           const times = read();
           spin();
           times.push(...read());
           await null;
           spin();
           times.push(...read());
           await scheduler.wait(20);
           const later = read();
           spin();
           later.push(...read());
           return Response.json([startup, same(times), same(later), later[0] - times[0] >= 19, times[0] > Date.UTC(2024)]);
         } };",
    );
    assert_eq!(
        bench.get(&worker, "/").expect("answers").1,
        "[[0,0,0],true,true,true,true]"
    );
    // It moves with each event too.
    let worker = self::worker(
        "let last = 0;
         export default { fetch() {
           const moved = Date.now() - last;
           last = Date.now();
           for (let i = 0; i < 1e7; i++) globalThis.spun = i;
           return new Response(String(moved > 0));
         } };",
    );
    for _ in 0..2 {
        assert_eq!(bench.get(&worker, "/").expect("answers").1, "true");
    }
}

#[test]
fn date_is_what_the_language_says() {
    let bench = Bench::new();
    let worker = worker(
        "class Later extends Date { constructor() { super(); } }
         class Given extends Date {}
         export default { fetch() {
           const descriptor = (key) => { const { value, ...rest } = Object.getOwnPropertyDescriptor(Date, key); return Object.values(rest).map(Number).join(''); };
           return Response.json([
             typeof Date, Date.name, Date.length, typeof Date(), Date() === new Date().toString(),
             new Later() instanceof Later, new Later() instanceof Date, new Later().getTime() === Date.now(), new Given(5).getTime(),
             new Date(2020, 1).getMonth(), isNaN(new Date(undefined)), new Date(new Date(7)).getTime(), new Date('2024-01-01').getTime(),
             Date.UTC(1970, 0, 2), Date.parse('1970-01-01T00:00:01Z'), new Date().constructor === Date, Date.prototype.constructor === Date,
             structuredClone(new Date(9)) instanceof Date, Reflect.construct(Date, [], Array) instanceof Array,
             Object.getOwnPropertyNames(Date).sort().join(), Object.getOwnPropertyNames(Date).sort().map(descriptor).join(),
             String(Date).includes('[native code]'), descriptor.call(null, 'now'), (() => { try { new Date.now(); } catch (error) { return error.name; } })(),
           ]);
         } };",
    );
    assert_eq!(
        bench.get(&worker, "/").expect("answers").1,
        "[\"function\",\"Date\",7,\"string\",true,true,true,true,5,1,true,7,1704067200000,86400000,1000,true,true,true,true,\
         \"UTC,length,name,now,parse,prototype\",\"101,001,001,101,101,000\",true,\"101\",\"TypeError\"]"
    );
}
