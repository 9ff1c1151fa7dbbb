//! CPU time is charged to the event that used it; one that is over its limit ends, and no
//! other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outboard_runtime::{EventError, Limits, Worker};

use crate::support::*;

const LIMIT: Duration = Duration::from_millis(200);
/// Long-open events beside the hog. Did they share what it uses, it would outlast them.
const INNOCENTS: usize = 4;

/// A worker whose `/hog` burns CPU time in small pieces, each of which ends with `pause`.
fn hog(pause: &str) -> Arc<Worker> {
    let source = format!(
        "let done = false, begun = 0, spun = 0, wake;
         const shared = new Promise((resolve) => wake = resolve);
         const burn = () => {{ for (let i = 0; i < 2e5; i++) spun += i % 7; }};
         const hog = async () => {{ for (;;) {{ burn(); {pause}; }} }};
         const stream = () => {{
           const {{ readable, writable }} = new TransformStream();
           const writer = writable.getWriter();
           const write = async () => {{
             for (;;) {{ burn(); await writer.write(new Uint8Array(1)); await scheduler.wait(0); }}
           }};
           write();
           return new Response(readable);
         }};
         export default {{ async fetch(request, env, ctx) {{
           switch (new URL(request.url).pathname) {{
             case '/innocent':
               begun++;
               while (!done) await scheduler.wait(10);
               return new Response('innocent');
             case '/hog': return await hog();
             case '/later': ctx.waitUntil(hog()); return new Response('answered');
             case '/stream': return stream();
             case '/loop': await scheduler.wait(1); for (;;);
             case '/waits': setTimeout(() => {{}}, 60_000); begun++; await shared; for (;;);
             case '/wakes': wake(); await scheduler.wait(60_000); break;
             case '/end': done = true; break;
             case '/spun': return new Response(`${{spun}}`);
           }}
           return new Response(`${{begun}}`);
         }} }};"
    );
    worker_with(&source, |spec| {
        spec.limits = Limits {
            cpu: LIMIT,
            subrequests: u32::MAX,
            ..Limits::default()
        };
    })
}

/// Waits until so many events are open and have begun to wait.
fn until_begun(bench: &Bench, worker: &Arc<Worker>, count: usize) {
    let patience = Instant::now() + Duration::from_secs(30);
    while bench.get(worker, "/").expect("an answer").1 != count.to_string() {
        assert!(Instant::now() < patience, "they never began");
    }
}

fn is_over(result: &Result<(u16, String), EventError>) -> bool {
    matches!(result, Err(EventError::CpuLimit { limit }) if *limit == LIMIT)
}

/// Asks for `path` beside innocent events, checks its end with `expected`, and that they go on.
fn check(pause: &str, path: &str, expected: impl Fn(&Result<(u16, String), EventError>) -> bool) {
    let bench = Bench::new();
    let worker = hog(pause);
    let innocents: Vec<_> = (0..INNOCENTS)
        .map(|_| bench.begin(&worker, get("/innocent")))
        .collect();
    until_begun(&bench, &worker, INNOCENTS);
    let ended = bench.get(&worker, path);
    assert!(expected(&ended), "{pause}: {path}: {ended:?}");
    let patience = Instant::now() + Duration::from_secs(60);
    let said = format!("Worker exceeded its CPU time limit of {LIMIT:?}");
    while *bench.log.lock() != [said.clone()] {
        let log = bench.log.lock();
        assert!(Instant::now() < patience && log.is_empty(), "{log:?}");
        drop(log);
        std::thread::yield_now();
    }
    // Nothing of it runs any more, in the isolate that was.
    let (_, spun) = bench.get(&worker, "/spun").expect("an answer");
    for _ in 0..20 {
        assert_eq!(bench.get(&worker, "/spun").expect("an answer").1, spun);
    }
    let (_, begun) = bench.get(&worker, "/end").expect("an answer");
    assert_eq!(begun, INNOCENTS.to_string(), "{pause}: {path}");
    for innocent in innocents {
        let answer = innocent.blocking_recv().expect("the lane answers");
        let (_, text) = answer.unwrap_or_else(|error| panic!("{pause}: {path}: {error}"));
        assert_eq!(text, "innocent");
    }
}

#[test]
fn one_that_burns_in_small_pieces_ends_alone() {
    check("await scheduler.wait(0)", "/hog", is_over);
    check("await fetch('http://later.test/')", "/hog", is_over);
    check(
        "await (await fetch('http://later.test/')).text()",
        "/hog",
        is_over,
    );
}

#[test]
fn one_that_burns_after_its_answer_ends_alone() {
    let is_answered = |result: &Result<(u16, String), EventError>| matches!(result, Ok((200, text)) if text == "answered");
    check("await scheduler.wait(0)", "/later", is_answered);
    // What it streams is cut: its client would wait for ever.
    let is_cut = |result: &Result<(u16, String), EventError>| {
        let said = format!("[body failed: Worker exceeded its CPU time limit of {LIMIT:?}]");
        matches!(result, Ok((200, text)) if *text == said)
    };
    check("", "/stream", is_cut);
}

/// A loop ends with the isolate; the error says which event it was.
#[test]
fn the_event_that_loops_is_the_one_that_is_named() {
    let bench = Bench::new();
    let worker = hog("await 0");
    let innocent = bench.begin(&worker, get("/innocent"));
    until_begun(&bench, &worker, 1);
    let ended = bench.get(&worker, "/loop");
    assert!(is_over(&ended), "{ended:?}");
    let innocent = innocent.blocking_recv().expect("the lane answers");
    assert!(
        matches!(innocent, Err(EventError::IsolateLost { .. })),
        "{innocent:?}"
    );

    // Also where another event's script woke it.
    let waits = bench.begin(&worker, get("/waits"));
    until_begun(&bench, &worker, 1);
    let wakes = bench.get(&worker, "/wakes");
    assert!(
        matches!(wakes, Err(EventError::IsolateLost { .. })),
        "{wakes:?}"
    );
    let waits = waits.blocking_recv().expect("the lane answers");
    assert!(is_over(&waits), "{waits:?}");
}
