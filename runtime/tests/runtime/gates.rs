//! The gates against a sequential model: events of one object that await storage,
//! timers, fetches and calls, fail and undo, all at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::object_host::{Objects, objects, objects_of};

/// Runs the program in the path's third part, a step at a time. What a step saw is
/// in the trace; `stretch` counts the waits for anything but storage, `kept` the changes
/// up to the last that has to be confirmed.
const INTERPRETER: &str = r"
  trace = [];
  kept = 0;
  keep(options) {
    if (options !== undefined) return;
    this.kept = this.ctx.storage.sql.exec('SELECT total_changes() AS n').one().n;
  }
  peer() { return this.env.BOX.getByName('peer'); }
  ping() {}
  async callBack(fn) { await Promise.all([fn(), fn()]); }
  async fetch(request) {
    const [, , event, program] = new URL(request.url).pathname.split('/');
    if (event === 'trace') {
      return Response.json({ trace: this.trace, last: [...await this.ctx.storage.list()] });
    }
    return new Response(await this.run(event, program));
  }
  async run(event, program) {
    const { storage } = this.ctx;
    let stretch = 0;
    const saw = (step, what) => this.trace.push([+event, stretch, step, what ?? null]);
    for (const step of program.split('.')) {
      const [kind, key] = step;
      const options = kind <= 'Z' ? { allowConcurrency: true, allowUnconfirmed: true } : undefined;
      const increment = async (store) => {
        const before = await store.get(key, options);
        await store.put(key, (before ?? 0) + 1, options);
        this.keep(options);
        return before;
      };
      switch (kind.toLowerCase()) {
        case 'g': saw(step, await storage.get(key, options)); break;
        case 'i': saw(step, await increment(storage)); break;
        case 'd':
          saw(step, await storage.delete(key, options));
          this.keep(options);
          break;
        case 'l': saw(step, [...await storage.list(options)]); break;
        case 'm':
          saw(step, [...await storage.get(['a', 'b', 'c'], options)]);
          await storage.put({ a: 1, b: 2 }, options);
          this.keep(options);
          break;
        case 'u':
          // Not awaited: its order is that of the calls all the same.
          storage.put(key, 50, options);
          this.keep(options);
          saw(step, await storage.get(key, options));
          break;
        case 'c': case 'r':
          try {
            saw(step, await storage.transaction(async (txn) => {
              const before = await increment(txn);
              await increment(txn);
              if (kind === 'r') throw new Error('undo');
              return before;
            }));
          } catch { saw(step); }
          break;
        case 's': case 't':
          try {
            saw(step, storage.transactionSync(() => {
              const before = storage.kv.get(key);
              storage.kv.put(key, (before ?? 0) + 1);
              this.keep();
              if (kind === 't') throw new Error('undo');
              return before;
            }));
          } catch { saw(step); }
          break;
        case 'b':
          stretch++;
          await this.ctx.blockConcurrencyWhile(async () => {
            const before = await storage.get(key);
            await fetch(`http://up.test/b?changes=${this.kept}`);
            await storage.put(key, (before ?? 0) + 1);
            this.keep();
            saw(step, before);
          });
          stretch++;
          break;
        case 'f':
          await fetch(`http://up.test/f?changes=${this.kept}`);
          stretch++;
          break;
        case 'p': await this.peer().ping(); stretch++; break;
        case 'k':
          await this.peer().callBack(async () => {
            stretch++;
            saw(step, await increment(storage));
          });
          stretch++;
          break;
        case 'w': await scheduler.wait(0); stretch++; break;
        case 'x': throw new Error('on purpose');
      }
    }
    return `${this.kept}`;
  }
";

/// Every other event is a call, and no request.
const HANDLER: &str = r"
  const [, name, event, program] = new URL(request.url).pathname.split('/');
  const stub = env.BOX.getByName(name);
  return event % 2 === 1 ? new Response(await stub.run(event, program)) : stub.fetch(request);
";

fn step() -> impl Strategy<Value = String> {
    let on_key = (
        prop::sample::select("gGiIdDuUccrstbk".chars().collect::<Vec<_>>()),
        prop::sample::select(vec!['a', 'b', 'c']),
    );
    prop_oneof![
        6 => on_key.prop_map(|(kind, key)| format!("{kind}{key}")),
        3 => prop::sample::select(vec!["f", "w", "p", "f", "w", "p", "l", "L", "m", "M"]).prop_map(String::from),
        1 => Just("x".to_string()),
    ]
}

fn programs() -> impl Strategy<Value = Vec<String>> {
    let program = prop::collection::vec(step(), 1..10).prop_map(|steps| steps.join("."));
    prop::collection::vec(program, 2..6)
}

type Model = BTreeMap<String, i64>;

/// What the step sees, and makes of what is stored.
fn apply(model: &mut Model, step: &str) -> Value {
    let (kind, key) = step.split_at(1);
    let before = model.get(key).copied();
    let mut increment = |by| model.insert(key.into(), before.unwrap_or(0) + by);
    match kind.to_lowercase().as_str() {
        "g" => json!(before),
        "i" | "b" | "s" | "k" => {
            increment(1);
            json!(before)
        }
        "c" => {
            increment(2);
            json!(before)
        }
        "r" | "t" => Value::Null,
        "d" => json!(model.remove(key).is_some()),
        "u" => {
            model.insert(key.into(), 50);
            json!(50)
        }
        "l" => entries(model),
        "m" => {
            let seen = entries(model);
            model.insert("a".into(), 1);
            model.insert("b".into(), 2);
            seen
        }
        other => panic!("{other} leaves no trace"),
    }
}

fn entries(model: &Model) -> Value {
    json!(model.iter().collect::<Vec<_>>())
}

/// Runs the programs at once on a new object. What is durable follows what is
/// waited for, one change at a time.
fn run(objects: &Objects, name: &str, programs: &[String]) -> Value {
    let shared = &objects.shared;
    shared.wanted.store(0, Ordering::Relaxed);
    shared.durable.send_replace(0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let wanted = shared.wanted.load(Ordering::Relaxed);
                shared.durable.send_if_modified(|durable| {
                    let behind = *durable < wanted;
                    *durable += i64::from(behind);
                    behind
                });
                std::thread::yield_now();
            }
            shared.durable.send_replace(i64::MAX);
        });
        let events: Vec<_> = programs
            .iter()
            .enumerate()
            .map(|(number, program)| {
                scope.spawn(move || {
                    let answer = objects.get(&format!("/{name}/{number}/{program}"));
                    (answer, *objects.shared.durable.borrow())
                })
            })
            .collect();
        let answers: Vec<_> = events
            .into_iter()
            .map(|event| event.join().expect("no panic"))
            .collect();
        done.store(true, Ordering::Release);
        for ((answer, durable), program) in answers.iter().zip(programs) {
            let fails = program.split('.').any(|step| step == "x");
            match answer.parse::<i64>() {
                Ok(changes) => assert!(changes <= *durable && !fails, "{answer}: {program}"),
                Err(_) => assert!(
                    fails && answer.contains("on purpose"),
                    "{answer}: {program}"
                ),
            }
        }
    });
    let early = std::mem::take(&mut *shared.early.lock());
    assert!(early.is_empty(), "left before their writes: {early:?}");
    let trace = objects.get(&format!("/{name}/trace"));
    serde_json::from_str(&trace).unwrap_or_else(|error| panic!("{error}: {trace}"))
}

/// The trace is one that events make which run a stretch at a time, one after
/// another.
fn check(found: &Value) {
    let mut model = Model::new();
    let mut over = Vec::new();
    let mut current = Value::Null;
    for entry in found["trace"].as_array().expect("a trace") {
        let stretch = json!([entry[0], entry[1]]);
        if stretch != current {
            assert!(!over.contains(&stretch), "{stretch} was interrupted");
            over.push(std::mem::replace(&mut current, stretch));
        }
        let step = entry[2].as_str().expect("a step");
        assert_eq!(entry[3], apply(&mut model, step), "{entry}");
    }
    assert_eq!(found["last"], entries(&model), "what is stored in the end");
}

/// Invariants 3 and 4.
#[test]
fn events_that_interleave_see_what_a_sequence_of_them_would() {
    let objects = objects_of(INTERPRETER, HANDLER);
    let cases = std::env::var("OUTBOARD_GATES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok()).unwrap_or(60);
    let mut runner = TestRunner::new(Config {
        cases,
        source_file: Some(file!()),
        ..Config::default()
    });
    let number = std::cell::Cell::new(0);
    let result = runner.run(&programs(), |programs| {
        number.set(number.get() + 1);
        let found = run(&objects, &format!("object{}", number.get()), &programs);
        check(&found);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Until the object waits for its writes to be durable, or has said what it must not before.
fn wait_for_writes(objects: &Objects, has_said: impl Fn() -> bool) {
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while objects.shared.wanted.load(Ordering::Relaxed) == 0 && !has_said() {
        let left = || objects.shared.left.lock().clone();
        assert!(std::time::Instant::now() < until, "{:?}", left());
        std::thread::yield_now();
    }
}

/// Invariant 3. Whoever reads the cache is told of it.
#[test]
fn what_is_put_in_a_cache_waits_for_the_writes_before() {
    let objects = objects(
        "async fetch(request) {
           if (request.url.endsWith('/nothing')) return new Response();
           this.ctx.storage.put('k', 'v');
           const key = 'http://cache.test/kept';
           if (request.url.endsWith('/put')) await caches.default.put(key, new Response('v'));
           else await caches.default.delete(key);
           return new Response('said');
         }",
    );
    for path in ["/a/put", "/a/delete"] {
        objects.shared.durable.send_replace(0);
        objects.shared.left.lock().clear();
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| objects.get(path));
            wait_for_writes(&objects, || !objects.shared.left.lock().is_empty());
            assert_eq!(objects.get("/b/nothing"), "");
            assert_eq!(*objects.shared.left.lock(), [""; 0], "{path}");
            objects.shared.durable.send_replace(i64::MAX);
            assert_eq!(asked.join().expect("no panic"), "said");
        });
        assert_eq!(
            *objects.shared.left.lock(),
            ["cache: http://cache.test/kept"]
        );
        objects.shared.wanted.store(0, Ordering::Relaxed);
    }
}

/// Invariant 3. What is written to a stream leaves the object like all that it says.
#[test]
fn parts_of_an_upload_wait_for_the_writes_before() {
    let objects = objects(
        "async fetch(request) {
           if (request.url.endsWith('/nothing')) return new Response();
           const { readable, writable } = new TransformStream();
           const writer = writable.getWriter();
           const say = (text) => writer.write(new TextEncoder().encode(text));
           const answer = fetch('http://up.test/upload', { method: 'POST', body: readable });
           await say('before');
           // It has left when this comes back.
           await fetch('http://up.test/between');
           this.ctx.storage.put('k', 'v');
           await say('after');
           await writer.close();
           await answer;
           return new Response('said');
         }",
    );
    let shared = &objects.shared;
    shared.durable.send_replace(0);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| objects.get("/a/"));
        let left = || shared.left.lock().clone();
        wait_for_writes(&objects, || left().concat().contains("after"));
        assert_eq!(objects.get("/b/nothing"), "");
        assert!(!left().concat().contains("after"), "{:?}", left());
        shared.durable.send_replace(i64::MAX);
        assert_eq!(asked.join().expect("no panic"), "said");
        let parts = left().into_iter();
        let parts = parts.filter_map(|line| line.strip_prefix("upload: ").map(str::to_owned));
        assert_eq!(parts.collect::<String>(), "beforeafter");
    });
}

/// Invariant 3, of an answer that is coded on its way.
#[test]
fn parts_of_a_coded_answer_wait_for_the_writes_before() {
    let objects = objects(
        "async fetch(request) {
           if (request.url.endsWith('/nothing')) return new Response();
           const { readable, writable } = new TransformStream();
           const writer = writable.getWriter();
           const say = (text) => writer.write(new TextEncoder().encode(text));
           this.ctx.waitUntil((async () => {
             await say('before');
             // Its head has left by then, or this holds that, and the test tells less.
             await scheduler.wait(200);
             this.ctx.storage.put('k', 'v');
             await say('after');
             await writer.close();
           })());
           return new Response(readable, { headers: { 'content-encoding': 'gzip' } });
         }",
    );
    let shared = &objects.shared;
    shared.durable.send_replace(0);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| objects.bench.get(&objects.worker, "/a/"));
        wait_for_writes(&objects, || asked.is_finished());
        assert_eq!(objects.get("/b/nothing"), "");
        assert!(!asked.is_finished());
        shared.durable.send_replace(i64::MAX);
        let (status, _coded) = asked.join().expect("no panic").expect("an answer");
        assert_eq!(status, 200);
    });
}
