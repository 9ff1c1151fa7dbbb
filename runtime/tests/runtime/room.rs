//! Room for heaps: isolates end when they are retired or the cage is full, and
//! new ones are refused while no idle one can make room.

use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use outboard_runtime::{Engine, EventError, Inspection, Room, Served, StartError, Worker};

use crate::support::*;

/// Heap limit of the workers here.
const HEAP: usize = 8 << 20;
/// Room for the lane's growth and a few isolates of 1 to 2 MB.
const ROOM: usize = HEAP + (10 << 20);

fn engine(heaps: usize) -> Engine {
    let code = usize::MAX / 2;
    Engine::init(outboard_snapshot::SNAPSHOT).with_room(Room { heaps, code })
}

fn small(source: &str) -> Arc<Worker> {
    worker_with(source, |spec| spec.limits.heap = HEAP)
}

/// Waits until there are so many isolates.
fn settle(engine: Engine, isolates: usize) {
    let deadline = Instant::now() + crate::support::PATIENCE;
    while engine.usage().isolates != isolates {
        let usage = engine.usage();
        assert!(Instant::now() < deadline, "{usage:?}, not {isolates}");
        std::thread::yield_now();
    }
}

/// Answers with how many requests its isolate has had.
const COUNTS: &str = "let count = 0;
    export default { async fetch(request) {
      count++;
      if (request.url.endsWith('/hold')) await fetch('http://never.test/');
      return new Response(count);
    } };";

#[test]
fn the_isolate_that_was_idle_longest_ends_when_room_is_short() {
    let engine = engine(ROOM);
    let bench = Bench::on(engine, Inspection::Off);
    let workers: Vec<_> = (0..20).map(|_| small(COUNTS)).collect();
    let kept = &workers[0];
    for (served, worker) in workers.iter().enumerate() {
        assert_eq!(bench.get(worker, "/").expect("room was made").1, "1");
        // It is never the one that was idle longest.
        let count = if served == 0 { 2 } else { served + 2 };
        assert_eq!(bench.get(kept, "/").expect("kept").1, count.to_string());
    }
    let usage = engine.usage();
    assert!((2..15).contains(&usage.isolates), "{usage:?}");
    // The newest was let in before anybody knew how large it is.
    assert!(usage.heaps + HEAP <= ROOM + (2 << 20), "{usage:?}");
    let last = workers.last().expect("some");
    assert_eq!(bench.get(last, "/").expect("an answer").1, "2");
    let second = bench.get(&workers[1], "/").expect("started again");
    assert_eq!(second.1, "1");
}

/// V8's range for code is full with a few hundred isolates that compiled something.
#[test]
fn idle_isolates_with_code_end_when_room_for_it_is_short() {
    const CODE: usize = 2 << 20;
    let engine = Engine::init(outboard_snapshot::SNAPSHOT).with_room(Room {
        heaps: usize::MAX / 2,
        code: CODE,
    });
    let bench = Bench::on(engine, Inspection::Off);
    let cold = small(COUNTS);
    assert_eq!(bench.get(&cold, "/").expect("an answer").1, "1");
    for _ in 0..20 {
        let warm = small(
            "export default { fetch() {
               let sum = 0;
               for (let i = 0; i < 1e6; i++) sum += i % 7;
               return new Response(sum);
             } };",
        );
        assert_eq!(bench.get(&warm, "/").expect("room was made").1, "2999997");
        let usage = engine.usage();
        assert!((1..=CODE).contains(&usage.code), "{usage:?}");
    }
    let usage = engine.usage();
    assert!((4..12).contains(&usage.isolates), "{usage:?}");
    // One without code would have made no room.
    assert_eq!(bench.get(&cold, "/").expect("an answer").1, "2");
}

#[test]
fn a_new_isolate_is_refused_while_all_others_are_busy() {
    let engine = engine(ROOM);
    let bench = Bench::on(engine, Inspection::Off);
    let (refusal, held) = bench
        .lane
        .run(|lane| {
            async move {
                let mut held = Vec::new();
                loop {
                    let worker = small(COUNTS);
                    if let Err(error) = lane.warm(&worker).await {
                        return (error, held.len());
                    }
                    let lane = lane.clone();
                    held.push(tokio::task::spawn_local(async move {
                        let _ = lane.fetch(&worker, get("/hold"), false).await;
                    }));
                    // The event is open before the next one asks.
                    tokio::task::yield_now().await;
                    assert!(held.len() < 20, "there is room for {ROOM} bytes");
                }
            }
            .boxed_local()
        })
        .expect("the lane takes commands")
        .blocking_recv()
        .expect("the lane answers");
    assert!(held >= 2, "{held} before {refusal}");
    assert!(
        matches!(refusal, StartError::Full { isolates, .. } if isolates == held),
        "{refusal:?}"
    );
}

#[test]
fn a_refused_worker_starts_as_soon_as_there_is_room() {
    let one = engine(64 << 20);
    let bench = Bench::on(one, Inspection::Off);
    bench.get(&small(COUNTS), "/").expect("an answer");
    // For one isolate and not for two.
    let engine = engine(HEAP + one.usage().heaps + (1 << 18));
    let bench = Bench::on(engine, Inspection::Off);
    let (busy, next) = (small(COUNTS), small(COUNTS));
    let (refused, served) = bench
        .lane
        .run(move |lane| {
            async move {
                lane.warm(&busy).await.expect("room for one");
                let mut hold = Box::pin(lane.fetch(&busy, get("/hold"), false));
                assert!(futures::poll!(&mut hold).is_pending());
                let refused = lane.fetch(&next, get("/"), false).await.map(|_| ());
                // The client leaves; its event ends on the isolate's next turn.
                drop(hold);
                loop {
                    match lane.fetch(&next, get("/"), false).await {
                        Err(EventError::Start(StartError::Full { .. })) => {
                            tokio::task::yield_now().await;
                        }
                        served => return (refused, served.map(|_| ())),
                    }
                }
            }
            .boxed_local()
        })
        .expect("the lane takes commands")
        .blocking_recv()
        .expect("the lane answers");
    let full = matches!(refused, Err(EventError::Start(StartError::Full { .. })));
    assert!(full, "{refused:?}");
    served.expect("an answer");
}

#[test]
fn an_isolate_that_was_ended_for_a_breach_gives_its_room_back() {
    let engine = engine(64 << 20);
    let bench = Bench::on(engine, Inspection::Off);
    let hog = small("const a = []; export default { fetch() { for (;;) a.push({}); } };");
    bench.get(&hog, "/").expect_err("its heap is full");
    // Nobody asks for it again.
    settle(engine, 0);
    assert_eq!(engine.usage().heaps, 0);
}

/// Retiring a version while its isolate still started used to forget it: the
/// isolate came to live, for no request, until it was evicted.
#[test]
fn a_worker_retired_while_it_starts_serves_who_waited_and_ends() {
    let engine = engine(64 << 20);
    let bench = Bench::on(engine, Inspection::Off);
    let worker = small(
        "await crypto.subtle.digest('SHA-512', new Uint8Array(1 << 20));
         export default { async fetch() {
           await new Promise((resolve) => setTimeout(resolve, 1));
           return new Response('served');
         } };",
    );
    let served = bench
        .lane
        .run(move |lane| {
            async move {
                let mut first = Box::pin(lane.fetch(&worker, get("/"), false));
                assert!(futures::poll!(&mut first).is_pending(), "it starts");
                lane.retire(&worker);
                first.await.map(|served| match served {
                    Served::Response(response) => response.status().as_u16(),
                    Served::Upgrade(_) => 101,
                })
            }
            .boxed_local()
        })
        .expect("the lane takes commands")
        .blocking_recv()
        .expect("the lane answers");
    assert_eq!(served.expect("an answer"), 200);
    settle(engine, 0);
}
