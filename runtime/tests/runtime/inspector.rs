//! Isolates under a debugger.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use outboard_runtime::{EventError, Inspection, Inspector, InspectorSession, Limits};
use serde_json::{Value, json};

use crate::support::{Bench, PATIENCE, worker_with};

const WALL: Duration = Duration::from_millis(100);

/// A lane whose isolates can be inspected, and those that have started.
fn inspected() -> (Bench, mpsc::Receiver<Inspector>) {
    let (sender, started) = mpsc::channel();
    let bench = Bench::with(Inspection::On(Arc::new(move |inspector| {
        // The test may have ended.
        let _ = sender.send(inspector);
    })));
    (bench, started)
}

/// Waits for a message that is `wanted`.
fn until(session: &mut InspectorSession, wanted: impl Fn(&Value) -> bool) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let next = async {
        while let Some(message) = session.next().await {
            let message: Value = serde_json::from_str(&message).expect("JSON");
            if wanted(&message) {
                return message;
            }
        }
        panic!("the session ended");
    };
    runtime
        .block_on(async { tokio::time::timeout(PATIENCE, next).await })
        .expect("a message in time")
}

fn command(session: &mut InspectorSession, id: u64, method: &str) {
    let command = json!({ "id": id, "method": method }).to_string();
    session.send(command).expect("it takes commands");
    until(session, |message| message["id"] == id);
}

#[test]
fn the_wall_limit_waits_for_a_debugger() {
    let (bench, started) = inspected();
    let worker = worker_with(
        "export default { async fetch() {
           debugger;
           // Twice the limit, of which nothing was used.
           await scheduler.wait(200);
           return new Response('after all');
         } };",
        |spec| {
            spec.limits = Limits {
                wall: WALL,
                ..Limits::default()
            };
        },
    );
    // Alone it is over its limit.
    let result = bench.get(&worker, "/");
    assert!(
        matches!(result, Err(EventError::WallLimit { .. })),
        "{result:?}"
    );

    let inspector = started.recv_timeout(PATIENCE).expect("an isolate");
    assert_eq!(
        (inspector.worker(), inspector.url()),
        ("test", "worker:///index.js")
    );
    let mut session = inspector.open().expect("a session");
    command(&mut session, 1, "Debugger.enable");
    let debugger = std::thread::spawn(move || {
        until(&mut session, |message| {
            message["method"] == "Debugger.paused"
        });
        // Longer than the limit, while the lane stands still.
        std::thread::sleep(2 * WALL);
        command(&mut session, 2, "Debugger.resume");
        session
    });
    let result = bench.get(&worker, "/").expect("an answer");
    assert_eq!(result, (200, "after all".into()));

    // And is so again when nobody looks any more.
    drop(debugger.join().expect("a session"));
    let result = bench.get(&worker, "/");
    assert!(
        matches!(result, Err(EventError::WallLimit { .. })),
        "{result:?}"
    );
}

#[test]
fn a_session_ends_with_its_isolate() {
    let (bench, started) = inspected();
    let worker = worker_with(
        "export default { fetch: () => new Response('ok') };",
        |_| {},
    );
    bench.get(&worker, "/").expect("an answer");
    let inspector = started.recv_timeout(PATIENCE).expect("an isolate");
    let mut session = inspector.open().expect("a session");
    command(&mut session, 1, "Runtime.enable");
    bench.lane.stop();
    assert!(inspector.has_ended());
    assert!(inspector.open().is_none());
    assert!(session.send("{}".into()).is_err());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    // What it said before is still there, then nothing.
    runtime.block_on(async { while session.next().await.is_some() {} });
}
