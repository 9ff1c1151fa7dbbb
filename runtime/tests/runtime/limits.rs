//! Hostile and broken scripts: one clear error each, and the lane goes on
//! (invariant 5).

use std::time::{Duration, Instant};

use outboard_runtime::{EventError, Limits, Module, ModuleKind, StartError};

use crate::support::*;

const GOOD: &str = "export default { fetch: () => new Response('fine') };";

/// Limits small enough for a test to reach.
fn tight() -> Limits {
    Limits {
        cpu: Duration::from_millis(200),
        startup_cpu: Duration::from_millis(200),
        wall: Duration::from_secs(60),
        heap: 32 << 20,
        buffers: 32 << 20,
        subrequests: 3,
        ..Limits::default()
    }
}

/// The same, and time enough to reach others than those of time.
fn roomy() -> Limits {
    Limits {
        cpu: Duration::from_secs(60),
        startup_cpu: Duration::from_secs(60),
        ..tight()
    }
}

/// Runs `body` as a handler beside a good worker. After its error, the same
/// worker's `/good` path and the neighbour answer, and soon.
fn check(body: &str, expected: impl Fn(&Result<(u16, String), EventError>) -> bool) {
    check_within(roomy(), body, expected);
}

fn check_within(
    limits: Limits,
    body: &str,
    expected: impl Fn(&Result<(u16, String), EventError>) -> bool,
) {
    let source = format!(
        "export default {{ async fetch(request, env, ctx) {{
           if (request.url.endsWith('/good')) return new Response('good');
           {body}
         }} }};"
    );
    let bench = Bench::new();
    let neighbour = worker(GOOD);
    assert_eq!(bench.get(&neighbour, "/").expect("warm").1, "fine");
    let hostile = worker_with(&source, |spec| spec.limits = limits);
    let result = bench.get(&hostile, "/");
    assert!(
        expected(&result),
        "{body}: {result:?}; {:?}",
        bench.log.lock()
    );
    for (worker, path, answer) in [(&neighbour, "/", "fine"), (&hostile, "/good", "good")] {
        let before = bench.cpu();
        let (_, text) = bench.get(worker, path).unwrap_or_else(|error| {
            panic!("after {body}: {path}: {error}; {:?}", bench.log.lock())
        });
        assert_eq!(text, answer, "after {body}");
        // A hostile script that still ran would use up its limit.
        let used = bench.cpu() - before;
        assert!(used < Duration::from_millis(150), "after {body}: {used:?}");
    }
}

fn is_cpu(result: &Result<(u16, String), EventError>) -> bool {
    matches!(result, Err(EventError::CpuLimit { .. }))
}

fn is_memory(result: &Result<(u16, String), EventError>) -> bool {
    matches!(result, Err(EventError::MemoryLimit { .. }))
}

fn throws(part: &str) -> impl Fn(&Result<(u16, String), EventError>) -> bool {
    move |result| matches!(result, Err(EventError::Exception(error)) if error.message.contains(part))
}

#[test]
fn an_endless_loop_is_stopped() {
    let check = |body, expected| check_within(tight(), body, expected);
    check("for (;;) {}", is_cpu);
    check("await 0; for (;;) {}", is_cpu);
    check(
        "await new Promise((r) => setTimeout(r, 1)); for (;;) {}",
        is_cpu,
    );
    // In small pieces too: an event's turns are added up.
    check(
        "for (;;) { for (let i = 0; i < 5e6; i++) globalThis.spun = i; await new Promise((r) => setTimeout(r, 0)); }",
        is_cpu,
    );
    // Loops whose stack check V8's optimiser has been known to lose.
    check("for (;;) new Array(1000).fill({});", is_cpu);
    check(
        "/(a*)*b/.test('a'.repeat(64)); return new Response('x');",
        is_cpu,
    );
}

#[test]
fn a_promise_that_never_settles_is_given_up() {
    check("await new Promise(() => {});", |result| {
        matches!(result, Err(EventError::Hung))
    });
    // With something under way that could still end, only the wall limit helps.
    let limits = Limits {
        wall: Duration::from_secs(1),
        ..roomy()
    };
    check_within(limits, "await fetch('http://never.test/');", |result| {
        matches!(result, Err(EventError::WallLimit { .. }))
    });
}

#[test]
fn a_stack_overflow_is_an_exception() {
    check(
        "const f = () => f() + 1; f();",
        throws("Maximum call stack size exceeded"),
    );
    check(
        "const o = {}; o.toString = () => `${o}`; return new Response(o);",
        throws("Maximum call stack size exceeded"),
    );
}

#[test]
fn a_full_heap_ends_the_isolate_and_not_the_process() {
    check(
        "const a = []; for (;;) a.push(new Array(1000).fill({}));",
        is_memory,
    );
    check(
        "const a = []; for (;;) a.push('x'.repeat(1e5) + a.length);",
        |result| is_memory(result) || is_cpu(result),
    );
    check(
        "const m = new Map(); for (let i = 0;; i++) m.set(i, { i });",
        |result| is_memory(result) || is_cpu(result),
    );
    check(
        "let s = 'x'; for (;;) s += s;",
        throws("Invalid string length"),
    );
    check(
        "return new Response(new Array(2 ** 32));",
        throws("Invalid array length"),
    );
}

#[test]
fn array_buffers_over_the_limit_are_refused() {
    check(
        "new ArrayBuffer(2 ** 40);",
        throws("Array buffer allocation failed"),
    );
    check(
        "const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1));",
        throws("Array buffer allocation failed"),
    );
    // Those that the runtime makes for the script are counted as well.
    check(
        "const a = [], e = new TextEncoder(), s = 'x'.repeat(1 << 22); for (;;) a.push(e.encode(s));",
        |result| is_memory(result) || throws("Array buffer allocation failed")(result),
    );
}

/// A look at the memory of a script is a collection; where that lasts longer than it takes
/// the watchdog to ask for the next look, the script is stopped all the same.
#[test]
fn a_look_at_memory_that_lasts_long_is_one() {
    let bench = Bench::new();
    let source = "export default { fetch() {
        let list = null;
        for (let i = 0; i < 800_000; i++) list = { list };
        const a = [], e = new TextEncoder(), s = 'x'.repeat(1 << 22);
        for (;;) a.push(e.encode(s), list);
    } };";
    let hostile = worker_with(source, |spec| {
        spec.limits = roomy();
    });
    let result = bench.get(&hostile, "/");
    assert!(is_memory(&result), "{result:?}");
}

#[test]
fn wasm_memory_counts() {
    check(
        "const a = [];
         for (;;) {
           const memory = new WebAssembly.Memory({ initial: 64 });
           new Uint8Array(memory.buffer).fill(1);
           a.push(memory);
         }",
        is_memory,
    );
}

/// `grow(pages)` of a memory that the module keeps to itself.
const GROWS: &[u8] = b"\0asm\x01\0\0\0\
    \x01\x06\x01\x60\x01\x7f\x01\x7f\
    \x03\x02\x01\x00\
    \x05\x03\x01\x00\x01\
    \x07\x08\x01\x04grow\x00\x00\
    \x0a\x08\x01\x06\x00\x20\x00\x40\x00\x0b";

/// Sends requests to a worker that counts them until its isolate is replaced
/// for its memory, at most `most`; a neighbour answers meanwhile.
fn check_growth(source: &str, most: usize) {
    let bench = Bench::new();
    let neighbour = worker(GOOD);
    let source = format!("let served = 0; {source}");
    let grows = worker_with(&source, |spec| {
        spec.limits = tight();
        spec.modules.push(Module {
            specifier: "grows.wasm".into(),
            kind: ModuleKind::Wasm,
            content: GROWS.to_vec(),
            named_exports: Vec::new(),
            source_map: None,
        });
    });
    let mut served = 0;
    loop {
        assert_eq!(bench.get(&neighbour, "/").expect("good").1, "fine");
        let (_, count) = bench.get(&grows, "/").expect("an answer");
        if count == "1" && served > 0 {
            break;
        }
        served += 1;
        assert_eq!(count, served.to_string(), "{source}");
        assert!(served < most, "{source}: never replaced");
    }
    assert!(served > 16, "{source}: replaced after {served} requests");
    let log = bench.log.lock();
    assert_eq!(*log, ["Worker exceeded its memory limit of 32 MB"]);
}

#[test]
fn wasm_memory_that_grows_by_little_over_many_requests_counts() {
    // 1 MB a request, of 32 and 16 for what V8 has not collected yet.
    check_growth(
        "import grows from './grows.wasm';
         const { grow } = new WebAssembly.Instance(grows).exports;
         export default { fetch() { grow(16); return new Response(++served); } };",
        60,
    );
    check_growth(
        "const kept = [];
         export default { fetch() {
           kept.push(new WebAssembly.Memory({ initial: 16 }));
           return new Response(++served);
         } };",
        60,
    );
    check_growth(
        "const kept = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
         export default { fetch() { kept.grow(16); return new Response(++served); } };",
        60,
    );
}

#[test]
fn wasm_memory_that_was_let_go_does_not_count() {
    let bench = Bench::new();
    let worker = worker_with(
        "export default { fetch() {
           const memory = new WebAssembly.Memory({ initial: 64 });
           return new Response(memory.buffer.byteLength);
         } };",
        |spec| spec.limits = tight(),
    );
    for _ in 0..100 {
        bench.get(&worker, "/").expect("4 MB at a time");
    }
    assert!(bench.log.lock().is_empty());
}

#[test]
fn a_response_that_goes_on_past_its_limit_is_cut() {
    let bench = Bench::new();
    let worker = worker_with(
        "let cancelled = 'no';
         export default { async fetch(request) {
           const { pathname } = new URL(request.url);
           const bytes = new Uint8Array(10_000);
           const endless = () => new ReadableStream({
             pull(controller) { controller.enqueue(bytes); },
             cancel() { cancelled = 'yes'; },
           });
           switch (pathname) {
             case '/endless': return new Response(endless());
             case '/zipped': return new Response(endless(), { headers: { 'content-encoding': 'gzip' } });
             case '/exact': return new Response('x'.repeat(100_000));
             case '/over': return new Response('x'.repeat(100_001));
             case '/announced': {
               const { readable, writable } = new FixedLengthStream(100_001);
               return new Response(readable);
             }
             case '/passed': return fetch('http://up.test/', { method: 'POST', body: 'x'.repeat(100_000) });
             case '/cancelled': return new Response(cancelled);
           }
         } };",
        |spec| spec.limits.response = Some(100_000),
    );
    let logged = || {
        let line = "Worker exceeded its response limit of 100000 bytes";
        let mut log = bench.log.lock();
        assert!(log.iter().all(|other| other == line), "{log:?}");
        log.drain(..).count()
    };
    let (status, body) = bench.get(&worker, "/exact").expect("an answer");
    assert_eq!((status, body.len(), logged()), (200, 100_000, 0));
    for path in ["/over", "/announced", "/passed"] {
        let error = bench.get(&worker, path).expect_err("no answer");
        let limited = matches!(error, EventError::ResponseLimit { limit: 100_000 });
        assert!(limited, "{path}: {error:?}");
        assert_eq!(logged(), 1, "{path}");
    }
    for path in ["/endless", "/zipped"] {
        let (status, body) = bench.get(&worker, path).expect("a head");
        assert_eq!(status, 200);
        assert_eq!(
            body, "[body failed: the body is over 100000 bytes]",
            "{path}"
        );
        assert_eq!(logged(), 1, "{path}");
    }
    // The script is told, and the isolate goes on.
    assert_eq!(
        bench.get(&worker, "/cancelled").expect("an answer").1,
        "yes"
    );
}

#[test]
fn waiting_without_using_the_cpu_is_refused() {
    check(
        "Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0);",
        throws("Atomics.wait cannot be called in this context"),
    );
}

#[test]
fn a_wait_until_that_never_settles_is_cancelled() {
    let bench = Bench::new();
    let worker = worker_with(
        "let ticks = 0;
         export default { fetch(request, env, ctx) {
           if (request.url.endsWith('/ticks')) {
             // Others that were due before are not any more.
             return scheduler.wait(5).then(() => new Response(`${ticks}`));
           }
           ctx.waitUntil(new Promise(() => setInterval(() => ticks++, 1)));
           return new Response('answered');
         } };",
        |spec| spec.limits.wait_until = Duration::from_millis(100),
    );
    assert_eq!(bench.get(&worker, "/").expect("an answer").1, "answered");
    let deadline = Instant::now() + PATIENCE;
    while !bench
        .log
        .lock()
        .iter()
        .any(|line| line.contains("have been cancelled"))
    {
        assert!(Instant::now() < deadline, "never cancelled");
        std::thread::yield_now();
    }
    let first = bench.get(&worker, "/ticks").expect("an answer").1;
    assert_ne!(first, "0", "it ran until then");
    assert_eq!(bench.get(&worker, "/ticks").expect("an answer").1, first);
}

#[test]
fn a_flood_of_log_lines_is_cut() {
    let bench = Bench::new();
    let worker = worker(
        "export default { fetch() {
           for (let i = 0; i < 2000; i++) console.log('x'.repeat(1000));
           return new Response('ok');
         } };",
    );
    assert_eq!(bench.get(&worker, "/").expect("an answer").1, "ok");
    let logged: usize = bench.log.lock().iter().map(String::len).sum();
    assert!((100_000..1_000_000).contains(&logged), "{logged} bytes");
}

#[test]
fn timers_are_counted_and_end_with_their_event() {
    let bench = Bench::new();
    let worker = worker_with(
        "let fired = 0;
         export default { async fetch(request) {
           if (request.url.endsWith('/fired')) {
             // Had they lived on, they would have been due before this.
             await scheduler.wait(30);
             return new Response(String(fired));
           }
           const set = () => setTimeout(() => fired++, 20);
           for (let i = 0; i < 10_000; i++) set();
           try { set(); } catch (error) { return new Response(`${error.name}: ${error.message}`); }
         } };",
        |spec| spec.limits.cpu = Duration::from_secs(5),
    );
    assert_eq!(
        bench.get(&worker, "/").expect("an answer").1,
        "QuotaExceededError: You have exceeded the number of active timeouts you may set. max \
         active timeouts: 10000, current active timeouts: 10000, finished timeouts: 0"
    );
    assert_eq!(bench.get(&worker, "/fired").expect("an answer").1, "0");
}

#[test]
fn an_unhandled_rejection_is_logged_once_and_harms_nothing() {
    let bench = Bench::new();
    let worker = worker(
        "export default { async fetch() {
           Promise.reject(new Error('nobody caught me'));
           await new Promise((resolve) => setTimeout(resolve, 5));
           return new Response('ok');
         } };",
    );
    assert_eq!(bench.get(&worker, "/").expect("an answer").1, "ok");
    let log = bench.log.lock();
    let reports = log.iter().filter(|line| line.contains("nobody caught me"));
    assert_eq!(reports.count(), 1, "{log:?}");
}

#[test]
fn what_is_thrown_is_what_is_reported() {
    check("throw new TypeError('no');", throws("TypeError: no"));
    check("throw 'just text';", throws("just text"));
    check("throw null;", throws("null"));
    check(
        "return 'not a response';",
        throws("did not resolve to 'Response'"),
    );
    check("return undefined;", throws("did not resolve to 'Response'"));
    check("return Response.error();", throws("Response.error()"));
}

#[test]
fn code_from_strings_is_refused() {
    check(
        "eval('1');",
        throws("Code generation from strings disallowed"),
    );
    check(
        "new Function('1');",
        throws("Code generation from strings disallowed"),
    );
    check(
        "await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));",
        throws("Wasm code generation disallowed by embedder"),
    );
}

#[test]
fn subrequests_are_counted_per_event() {
    check(
        "for (let i = 0; i < 4; i++) await fetch(`http://up.test/${i}`); return new Response('x');",
        throws("Too many subrequests."),
    );
}

#[test]
fn the_engine_is_hidden_from_the_script() {
    let bench = Bench::new();
    let worker = worker(
        "export default { fetch() {
           const found = ['Deno', '__bootstrap', '__outboard', 'require', 'module']
             .filter((name) => name in globalThis);
           return Response.json(found);
         } };",
    );
    assert_eq!(bench.get(&worker, "/").expect("an answer").1, "[]");
}

#[test]
fn a_script_that_cannot_start_says_why() {
    let check = |source: &str, expected: &str| {
        let bench = Bench::new();
        let limits = if expected.contains("CPU") {
            tight()
        } else {
            roomy()
        };
        let broken = worker_with(source, |spec| spec.limits = limits);
        let Err(EventError::Start(error)) = bench.get(&broken, "/") else {
            panic!("{source}: started");
        };
        let text = error.to_string();
        assert!(text.contains(expected), "{source}: {text}");
        let neighbour = worker(GOOD);
        assert_eq!(bench.get(&neighbour, "/").expect("an answer").1, "fine");
    };
    check("export default {", "SyntaxError: Unexpected end of input");
    check("throw new Error('at the top');", "Error: at the top");
    check("import './gone.js';", "No such module \"./gone.js\"");
    check("import 'node:none';", "No such module \"node:none\"");
    check("await new Promise(() => {});", "never resolved");
    check("for (;;) {}", "exceeded CPU time limit");
    check(
        "const a = []; for (;;) a.push(new Array(1000).fill({}));",
        "memory limit",
    );
    check(
        "export const kept = new WebAssembly.Memory({ initial: 1024 });",
        "memory limit of 32 MB",
    );
    check("fetch('http://up.test/'); await 0; throw 1", "1");
    check(
        "setTimeout(() => {}, 1);",
        "Disallowed operation called within global scope",
    );
}

#[test]
fn a_worker_without_the_handler_says_so() {
    let bench = Bench::new();
    let worker = worker("export default { scheduled() {} };");
    assert!(matches!(
        bench.get(&worker, "/"),
        Err(EventError::NoHandler { kind: "fetch" })
    ));
}

#[test]
fn start_errors_are_remembered_for_a_while() {
    let bench = Bench::new();
    let broken = worker_with("for (;;) {}", |spec| spec.limits = tight());
    assert!(matches!(
        bench.get(&broken, "/"),
        Err(EventError::Start(StartError::CpuLimit { .. }))
    ));
    let before = bench.cpu();
    assert!(bench.get(&broken, "/").is_err());
    assert!(bench.cpu() - before < Duration::from_millis(100));
}
