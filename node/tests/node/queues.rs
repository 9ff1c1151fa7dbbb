//! Queues through the binary: what is sent is delivered at least once, over kills, and
//! ends in the dead letter queue where it never succeeds.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::support::http::{Upload, get, send};
use crate::support::{Dev, Outboard, until};

const CONFIG: &str = r#"{
  "name": "demo",
  "main": "index.js",
  "compatibility_date": "2026-04-01",
  "kv_namespaces": [{ "binding": "SEEN", "id": "seen" }],
  "queues": {
    "producers": [
      { "binding": "WORK", "queue": "work" },
      { "binding": "MANY", "queue": "many" },
      { "binding": "LATE", "queue": "many", "delivery_delay": 1 }
    ],
    "consumers": [
      { "queue": "work", "max_batch_size": 1, "max_batch_timeout": 0, "max_retries": 2,
        "dead_letter_queue": "dead" },
      { "queue": "dead", "max_batch_timeout": 0 },
      { "queue": "many", "max_batch_size": 5, "max_batch_timeout": 2 }
    ]
  }
}"#;

/// POST /QUEUE sends the JSON of its body; with `?batch` it is a list for `sendBatch`.
/// `/seen` tells what was delivered, in order of queue, body and attempt.
const SCRIPT: &str = "
const bodyOf = (body) => body instanceof Map ? [...body]
  : body instanceof Uint8Array ? `bytes ${body}` : body;
export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/seen') {
      const { keys } = await env.SEEN.list();
      return Response.json(keys.map(({ name, metadata }) => [...name.split('|').slice(0, 3), metadata]));
    }
    const queue = env[pathname.slice(1)];
    try {
      if (request.method === 'GET') return Response.json(await queue.metrics());
      if (pathname === '/types') return;
      const sent = await request.json();
      if (sent === 'kinds') {
        await env.MANY.sendBatch([
          { body: 'text', contentType: 'text' },
          { body: new Uint8Array([1, 2]), contentType: 'bytes' },
          { body: { json: true } },
          { body: new Map([['v', 8]]), contentType: 'v8' },
        ]);
        return new Response('sent');
      }
      const options = JSON.parse(searchParams.get('options') ?? '{}');
      if (searchParams.has('size')) {
        await queue.send('x'.repeat(Number(searchParams.get('size'))), { contentType: 'text' });
      } else if (searchParams.has('batch')) {
        await queue.sendBatch(sent.map((body) => ({ body })), options);
      } else {
        await queue.send(sent, options);
      }
      return new Response('sent');
    } catch (error) {
      return new Response(`${error}`, { status: 500 });
    }
  },
  async queue(batch, env) {
    for (const message of batch.messages) {
      const body = JSON.stringify(bodyOf(message.body));
      const name = [batch.queue, body, message.attempts, message.id].join('|');
      await env.SEEN.put(name, '', { metadata: batch.messages.length });
      if (batch.queue !== 'work') continue;
      if (message.body === 'hang' && message.attempts === 1) await new Promise((done) => setTimeout(done, 60_000));
      if (message.body === 'poison') throw new Error('it is poison');
      if (message.body === 'again' && message.attempts < 2) message.retry({ delaySeconds: 1 });
    }
  },
};
";

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("wrangler.jsonc"), CONFIG).expect("a file");
    std::fs::write(dir.path().join("index.js"), SCRIPT).expect("a file");
    dir
}

fn post(dev: &Dev, path: &str, body: &Value) -> String {
    let mut request = get("localhost", path);
    request.method = "POST".into();
    request.upload = Upload::Sized(body.to_string().into_bytes());
    let answer = send(dev.address, &request);
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn json(dev: &Dev, path: &str) -> Value {
    let answer = send(dev.address, &get("localhost", path));
    serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
}

/// `QUEUE BODY ATTEMPT SIZE` of each delivery.
fn seen(dev: &Dev) -> Vec<String> {
    let seen = json(dev, "/seen");
    let lines = seen.as_array().into_iter().flatten().map(|line| {
        let part = |index: usize| line[index].as_str().unwrap_or_default();
        format!("{} {} {} {}", part(0), part(1), part(2), line[3])
    });
    lines.collect()
}

fn expect(dev: &Dev, lines: &[&str]) {
    let mut last = Vec::new();
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    while last != lines {
        assert!(
            std::time::Instant::now() < deadline,
            "{last:#?}\n{}",
            dev.process.log()
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
        last = seen(dev);
    }
}

#[test]
fn every_kind_of_message_comes_as_it_was_sent_in_batches() {
    let dir = project();
    let dev = Dev::start(dir.path());
    assert_eq!(post(&dev, "/MANY", &json!("kinds")), "sent");
    let backlog = json(&dev, "/MANY");
    assert_eq!(backlog["backlogCount"], 4, "{backlog}");
    assert!(backlog["oldestMessageTimestamp"].is_string(), "{backlog}");
    // A fifth makes the batch full, before its time.
    assert_eq!(post(&dev, "/MANY", &json!(5)), "sent");
    let kinds = [
        "many \"bytes 1,2\" 1 5",
        "many \"text\" 1 5",
        "many 5 1 5",
        "many [[\"v\",8]] 1 5",
        "many {\"json\":true} 1 5",
    ];
    expect(&dev, &kinds);
    // What is sent late comes late, in a batch of its own that is not full.
    assert_eq!(post(&dev, "/LATE?batch", &json!(["late", "later"])), "sent");
    let all = [
        &[
            "many \"bytes 1,2\" 1 5",
            "many \"late\" 1 2",
            "many \"later\" 1 2",
        ],
        &kinds[1..],
    ]
    .concat();
    expect(&dev, &all);
    until("an empty queue", || {
        json(&dev, "/MANY") == json!({ "backlogCount": 0, "backlogBytes": 0 })
    });
}

#[test]
fn a_message_is_tried_again_over_kills_and_ends_among_the_dead() {
    let dir = project();
    let dev = Dev::start(dir.path());
    assert_eq!(post(&dev, "/WORK", &json!("hang")), "sent");
    expect(&dev, &["work \"hang\" 1 1"]);
    assert_eq!(
        post(&dev, "/WORK?batch", &json!(["poison", "again", "fine"])),
        "sent"
    );
    // Killed while the first is out, and the others wait behind it.
    drop(dev);
    let dev = Dev::start(dir.path());
    expect(
        &dev,
        &[
            "dead \"poison\" 1 1",
            "work \"again\" 1 1",
            "work \"again\" 2 1",
            "work \"fine\" 1 1",
            "work \"hang\" 1 1",
            "work \"hang\" 2 1",
            "work \"poison\" 1 1",
            "work \"poison\" 2 1",
            "work \"poison\" 3 1",
        ],
    );
    until("an empty queue", || {
        json(&dev, "/WORK")["backlogCount"] == 0
    });
}

#[test]
fn what_is_past_a_limit_is_refused_in_workers_words() {
    let dir = project();
    let dev = Dev::start(dir.path());
    let check = |path: &str, body: Value, expected: &str| {
        assert_eq!(post(&dev, path, &body), expected, "{path}");
    };
    check("/WORK?size=128000", json!(0), "sent");
    check(
        "/WORK?size=128001",
        json!(0),
        "Error: message length of 128001 bytes exceeds limit of 128000 (10204)",
    );
    let long = "x".repeat(90_000);
    check(
        "/WORK?batch",
        json!([long, long, long]),
        "Error: batch size of 270006 bytes exceeds limit of 256000 (10205)",
    );
    check(
        "/WORK?batch",
        json!(vec![0; 101]),
        "Error: batch message count of 101 exceeds limit of 100 (10206)",
    );
    let late = "/WORK?options=%7B%22delaySeconds%22%3A86401%7D";
    check(
        late,
        json!(0),
        "Error: message delay 86401 is invalid: 0 to 86400 seconds are allowed (10202)",
    );
}

/// Invariant 1, of messages: what was sent is delivered, whatever dies in between.
#[test]
fn messages_that_were_sent_survive_kill_9_under_load() {
    let dir = project();
    let last = AtomicU64::new(0);
    for cycle in 0..4 {
        let dev = Dev::start(dir.path());
        let over = AtomicBool::new(false);
        let first = last.load(Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let number = last.load(Ordering::Relaxed) + 1;
                    if post(&dev, "/MANY", &json!(number)) != "sent" {
                        return;
                    }
                    last.store(number, Ordering::Relaxed);
                }
            });
            until("some are sent", || {
                last.load(Ordering::Relaxed) > first + 10 + cycle * 9
            });
            crate::support::signal(&dev.process, libc::SIGKILL);
            over.store(true, Ordering::Relaxed);
        });
    }
    let dev = Dev::start(dir.path());
    let sent = last.load(Ordering::Relaxed);
    until("all are delivered", || {
        let seen = seen(&dev);
        (1..=sent).all(|number| {
            let prefix = format!("many {number} ");
            seen.iter().any(|line| line.starts_with(&prefix))
        })
    });
    until("an empty queue", || {
        json(&dev, "/MANY")["backlogCount"] == 0
    });
}

fn worker(dir: &Path, name: &str) -> String {
    format!(
        "[[worker]]\nname = {name:?}\ndir = {:?}\nroutes = [\"{name}.test/*\"]\n",
        dir.join(name)
    )
}

#[test]
fn one_worker_sends_and_another_of_the_node_receives() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, queues: &str, script: &str| {
        let folder = dir.path().join(name);
        std::fs::create_dir(&folder).expect("a folder");
        let config = format!(
            r#"{{ "name": "{name}", "main": "index.js", "compatibility_date": "2026-04-01",
                 "kv_namespaces": [{{ "binding": "SEEN", "id": "seen" }}], "queues": {queues} }}"#
        );
        std::fs::write(folder.join("wrangler.jsonc"), config).expect("a file");
        std::fs::write(folder.join("index.js"), script).expect("a file");
    };
    let consumes = r#"{ "consumers": [{ "queue": "jobs", "max_batch_timeout": 0 }] }"#;
    let consumer = "export default {
       async queue({ messages }, env) { await env.SEEN.put('job', messages[0].body.job); },
     };";
    write(
        "front",
        r#"{ "producers": [{ "binding": "JOBS", "queue": "jobs" }] }"#,
        "export default { async fetch({ url }, env) {
           if (!url.endsWith('/send')) return new Response(await env.SEEN.get('job'));
           await env.JOBS.send({ job: 'done' });
           return new Response('sent');
         } };",
    );
    write("back", consumes, consumer);
    write("other", consumes, consumer);
    let head = format!("lanes = 2\ndata = {:?}\n", dir.path().join("data"));
    // What only consumes has no route.
    let workers = format!(
        "{head}{}[[worker]]\nname = \"back\"\ndir = {:?}\n",
        worker(dir.path(), "front"),
        dir.path().join("back")
    );
    let server = Outboard::serve(&workers);
    let ask = |path: &str| {
        let answer = send(server.address, &get("front.test", path));
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    assert_eq!(ask("/send"), "sent");
    until("the job", || ask("/") == "done");
    drop(server);

    let file = dir.path().join("outboard.toml");
    let contested = format!(
        "listen = \"127.0.0.1:0\"\n{workers}{}",
        worker(dir.path(), "other")
    );
    std::fs::write(&file, contested).expect("a file");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_outboard"));
    let output = command.args(["serve", "--config"]).arg(&file).output();
    let told = output.expect("outboard runs").stderr;
    let told = String::from_utf8_lossy(&told);
    let fault = "worker \"back\": queues.consumers: worker \"other\" consumes \"jobs\" too";
    assert!(told.contains(fault), "{told}");
}

/// examples/reports, as its README has it.
#[test]
fn the_example_makes_reports() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/reports");
    let dir = tempfile::tempdir().expect("a folder");
    for folder in ["src", "migrations"] {
        std::fs::create_dir(dir.path().join(folder)).expect("a folder");
    }
    for file in [
        "wrangler.jsonc",
        "src/index.ts",
        "migrations/0001_reports.sql",
    ] {
        std::fs::copy(example.join(file), dir.path().join(file)).expect("a copy");
    }
    let mut migrate = std::process::Command::new(env!("CARGO_BIN_EXE_outboard"));
    migrate.args(["d1", "migrations", "apply", "DB", "--dir"]);
    let migrated = migrate.arg(dir.path()).output().expect("outboard runs");
    assert!(migrated.status.success(), "{migrated:?}");
    let dev = Dev::start(dir.path());
    let order = |text: &str| {
        let mut request = get("localhost", "/reports");
        request.method = "POST".into();
        request.upload = Upload::Sized(text.into());
        let answer = send(dev.address, &request);
        assert_eq!(answer.status, "202 Accepted", "{}", dev.process.log());
        let order: Value = serde_json::from_slice(&answer.body).expect("an order");
        format!("/reports/{}", order["id"].as_str().expect("an id"))
    };
    let text = |path: &str| {
        let answer = send(dev.address, &get("localhost", path));
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    let report = order("to be or not to be");
    until("the report", || {
        text(&report) == "2 to\n2 be\n1 or\n1 not\n"
    });
    order("1 2 3");
    let counts = json!([{ "state": "failed", "n": 1 }, { "state": "made", "n": 1 }]);
    until("the other fails", || {
        json(&dev, "/reports")["counts"] == counts
    });
    let night = "/cdn-cgi/handler/scheduled?cron=0+3+*+*+*";
    assert_eq!(text(night), "ok");
    assert_eq!(text(&report), "2 to\n2 be\n1 or\n1 not\n");
    let later = std::time::SystemTime::now() + std::time::Duration::from_hours(25);
    let later = later.duration_since(std::time::UNIX_EPOCH);
    let later = later.expect("after 1970").as_millis();
    assert_eq!(text(&format!("{night}&time={later}")), "ok");
    assert_eq!(text(&report), "no such report, or not made yet\n");
}
