//! Durable objects: identity, storage, transactions, and the two gates.

use std::sync::Arc;

use http::Request;
use outboard_runtime::{Binding, ObjectTarget, Served};

use crate::object_host::{objects, objects_of};

#[test]
fn an_object_is_one_and_keeps_what_it_puts() {
    let objects = objects(
        "count = 0;
         async fetch(request) {
           const stored = (await this.ctx.storage.get('count')) ?? 0;
           await this.ctx.storage.put('count', stored + 1);
           return new Response([this.ctx.id.name, ++this.count, stored + 1].join());
         }",
    );
    assert_eq!(objects.get("/a"), "a,1,1");
    assert_eq!(objects.get("/a"), "a,2,2");
    assert_eq!(objects.get("/b"), "b,1,1");
    assert_eq!(objects.get("/a"), "a,3,3");
}

#[test]
fn sql_gives_rows_as_workers_do() {
    let objects = objects(
        "async fetch() {
           const { sql } = this.ctx.storage;
           sql.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, data BLOB); INSERT INTO t VALUES (1, ?, ?)',
             'one', new Uint8Array([1, 2]));
           sql.exec('INSERT INTO t VALUES (2, NULL, NULL)');
           const cursor = sql.exec('SELECT * FROM t ORDER BY id');
           const names = cursor.columnNames;
           const rows = [...cursor].map((row) => [row.id, row.name, row.data?.byteLength]);
           const one = sql.exec('SELECT count(*) AS n FROM t').one();
           const raw = sql.exec('SELECT id FROM t WHERE id > ? LIMIT ?', 1, 5).raw().toArray();
           const bound = sql.exec('SELECT typeof(?) AS type, ? / 2 AS half, ? || ? AS text', 5, 5, 5, true).one();
           const errors = [];
           for (const text of ['SELECT * FROM absent', 'BEGIN', 'SELECT * FROM _cf_KV',
               \"ATTACH 'x' AS y\", 'PRAGMA journal_mode = WAL', 'SELECT ?', 'SELEC 1',
               `SELECT ${Array(101).fill(1)}`, `SELECT zeroblob(${5 << 20})`, `SELECT ${' '.repeat(100_000)}1`]) {
             try { sql.exec(text).toArray(); errors.push('fine'); } catch (e) { errors.push(e.message.slice(0, 60)); }
           }
           return Response.json({ names, rows, one, raw, bound, errors });
         }",
    );
    assert_eq!(
        objects.get("/a"),
        concat!(
            r#"{"names":["id","name","data"],"rows":[[1,"one",2],[2,null,null]],"#,
            r#""one":{"n":2},"raw":[[2]],"bound":{"type":"real","half":2.5,"text":"5.0true"},"errors":["#,
            r#""no such table: absent: SQLITE_ERROR","#,
            r#""To execute a transaction, please use the state.storage.trans","#,
            r#""no such table: _cf_KV: SQLITE_ERROR","#,
            r#""not authorized: SQLITE_AUTH","not authorized: SQLITE_AUTH","#,
            r#""Wrong number of parameter bindings for SQL query. Expected 1","#,
            r#""near \"SELEC\": syntax error at offset 0: SQLITE_ERROR","#,
            r#""too many columns in result set: SQLITE_ERROR","#,
            r#""string or blob too big: SQLITE_TOOBIG","#,
            r#""statement too long: SQLITE_TOOBIG"]}"#
        )
    );
}

#[test]
fn what_a_turn_wrote_commits_whole_or_not_at_all() {
    let objects = objects(
        "async fetch(request) {
           const { storage } = this.ctx;
           switch (new URL(request.url).pathname.split('/')[2]) {
             case 'sync':
               try {
                 storage.transactionSync(() => { storage.kv.put('a', 1); throw new Error('undone'); });
               } catch {}
               storage.kv.put('b', 2);
               break;
             case 'async':
               await storage.transaction(async (txn) => {
                 await txn.put('c', 3);
                 await fetch('http://up.test/');
                 txn.rollback();
               });
               await storage.transaction((txn) => txn.put('d', 4));
               break;
             case 'lost':
               storage.kv.put('e', 5);
               for (;;);
           }
           return Response.json([...(await storage.list()).entries()]);
         }",
    );
    assert_eq!(objects.get("/x/sync"), r#"[["b",2]]"#);
    assert_eq!(objects.get("/x/async"), r#"[["b",2],["d",4]]"#);
}

#[test]
fn any_text_is_a_key_and_several_are_put_or_none() {
    let objects = objects(
        "async fetch() {
           const { storage } = this.ctx;
           for (const key of ['..', '.', '']) await storage.put(key, `${key}!`);
           for (const bad of [() => {}, 'x'.repeat(3 << 20)]) {
             await storage.put({ first: 1, bad }).catch(() => {});
           }
           storage.kv.put('', 'empty');
           const some = [...(await storage.get(['', '..'])).values()];
           const left = await storage.delete('.') && [...(await storage.list({ start: '' })).keys()];
           return Response.json([some, storage.kv.get('.') ?? null, left]);
         }",
    );
    assert_eq!(objects.get("/x"), r#"[["empty","..!"],null,["",".."]]"#);
}

#[test]
fn a_transaction_that_ended_takes_no_calls() {
    let objects = objects(
        "async fetch() {
           const { storage } = this.ctx;
           const seen = [];
           const see = async (run) => {
             try { seen.push(await run() ?? 'done'); } catch (error) { seen.push(error.message); }
           };
           let txn;
           await storage.transaction(async (open) => {
             txn = open;
             await see(() => txn.deleteAll());
           });
           await see(() => txn.put('late', 1));
           await see(() => txn.rollback());
           await storage.transaction(async (open) => {
             open.rollback();
             open.rollback();
             await see(() => open.put('undone', 1));
           });
           await see(() => storage.transaction((open) => { txn = open; throw new Error('thrown'); }));
           await see(() => txn.getAlarm());
           await storage.put('kept', 1);
           return Response.json([seen, [...(await storage.list()).keys()]]);
         }",
    );
    assert_eq!(
        objects.get("/x"),
        concat!(
            r#"[["Cannot call deleteAll() within a transaction","#,
            r#""Cannot call put() on transaction that has already committed: "#,
            r#"did you move `txn` outside of the closure?","#,
            r#""Cannot call rollback() on transaction that has already committed: "#,
            r#"did you move `txn` outside of the closure?","#,
            r#""Cannot put() on rolled back transaction","thrown","#,
            r#""Cannot getAlarm() on rolled back transaction"],["kept"]]"#
        )
    );
}

#[test]
fn only_the_last_list_of_sync_kv_goes_on() {
    let objects = objects(
        "async fetch() {
           const { kv } = this.ctx.storage;
           for (const key of ['a', 'b', 'c']) kv.put(key, key);
           const first = kv.list();
           const last = kv.list({ startAfter: 'a' });
           let message;
           try { first.next(); } catch (e) { message = e.message.slice(0, 34); }
           return Response.json([message, [...last]]);
         }",
    );
    assert_eq!(
        objects.get("/x/list"),
        r#"["kv.list() iterator was invalidated",[["b","b"],["c","c"]]]"#
    );
}

#[test]
fn nothing_leaves_before_the_writes_are_durable() {
    let objects = objects(
        "async fetch(request) {
           if (request.url.endsWith('/read')) return new Response(await this.ctx.storage.get('k'));
           this.ctx.storage.put('k', 'v');
           this.ctx.waitUntil(fetch('http://up.test/after-write'));
           return new Response('written');
         }",
    );
    objects.shared.durable.send_replace(0);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| objects.get("/a/write"));
        // Another object's answers do not wait: it wrote nothing.
        assert_eq!(objects.get("/b/read"), "");
        assert!(!asked.is_finished());
        assert_eq!(*objects.shared.left.lock(), [""; 0]);
        objects.shared.durable.send_replace(i64::MAX);
        assert_eq!(asked.join().expect("no panic"), "written");
    });
    let left = || objects.shared.left.lock().clone();
    let until = std::time::Instant::now() + crate::support::PATIENCE;
    while left().is_empty() {
        assert!(std::time::Instant::now() < until, "the request leaves");
        std::thread::yield_now();
    }
    assert_eq!(left(), ["http://up.test/after-write"]);
}

/// Invariant 3.
#[test]
fn bytes_to_a_socket_wait_for_the_writes_before() {
    let objects = objects(
        "async fetch(request) {
           if (request.url.endsWith('/nothing')) return new Response();
           const { connect } = await import('cloudflare:sockets');
           const socket = connect('far.test:1');
           await socket.opened;
           const writer = socket.writable.getWriter();
           const say = (text) => writer.write(new TextEncoder().encode(text));
           await say('before');
           this.ctx.storage.put('k', 'v');
           await say('after');
           return new Response('said');
         }",
    );
    objects.shared.durable.send_replace(0);
    let left = || objects.shared.left.lock().clone();
    let until_left = |count| {
        let until = std::time::Instant::now() + crate::support::PATIENCE;
        while left().len() < count {
            assert!(std::time::Instant::now() < until, "{:?}", left());
            std::thread::yield_now();
        }
    };
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| objects.get("/a/"));
        until_left(1);
        // What would leave without waiting has left when the lane has served this.
        assert_eq!(objects.get("/b/nothing"), "");
        assert_eq!(left(), ["far.test: before"]);
        objects.shared.durable.send_replace(i64::MAX);
        until_left(2);
        assert_eq!(asked.join().expect("no panic"), "said");
    });
    assert_eq!(left(), ["far.test: before", "far.test: after"]);
}

/// `allowUnconfirmed`, as Workers document it.
#[test]
fn what_need_not_be_confirmed_holds_nothing() {
    let objects = objects(
        "async fetch(request) {
           const { storage } = this.ctx;
           const loose = { allowUnconfirmed: true };
           switch (new URL(request.url).pathname.split('/')[2]) {
             case 'loose': storage.put('k', 1, loose); storage.delete('l', loose); break;
             case 'read': await storage.get('k'); storage.sql.exec('SELECT 1').one(); break;
             case 'both': storage.put('k', 1, loose); storage.put('m', 2); break;
             case 'sql': storage.put('k', 1, loose); storage.sql.exec('CREATE TABLE t (a)'); break;
             case 'sync': storage.put('k', 1, loose); await storage.sync(); break;
           }
           return new Response('done');
         }",
    );
    let shared = &objects.shared;
    shared.durable.send_replace(0);
    for path in ["/a/loose", "/a/read", "/a/loose"] {
        assert_eq!(objects.get(path), "done", "{path}");
    }
    for path in ["/b/both", "/c/sql", "/d/sync"] {
        shared.durable.send_replace(0);
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| objects.get(path));
            // The lane has served what came before.
            assert_eq!(objects.get("/a/read"), "done");
            assert!(!asked.is_finished(), "{path}");
            shared.durable.send_replace(i64::MAX);
            assert_eq!(asked.join().expect("no panic"), "done");
        });
    }
    // What must be confirmed comes first; what follows it does not count.
    shared.durable.send_replace(0);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| objects.get("/b/both"));
        let after = scope.spawn(|| objects.get("/b/loose"));
        assert_eq!(objects.get("/a/read"), "done");
        assert!(!asked.is_finished() && !after.is_finished());
        shared.durable.send_replace(i64::MAX);
        assert_eq!(asked.join().expect("no panic"), "done");
        assert_eq!(after.join().expect("no panic"), "done");
    });
}

#[test]
fn no_event_enters_while_concurrency_is_blocked() {
    let objects = objects(
        "constructor(ctx, env) {
           super(ctx, env);
           ctx.blockConcurrencyWhile(async () => {
             await scheduler.wait(20);
             this.ready = 'ready';
           });
         }
         async fetch() { return new Response(this.ready); }",
    );
    assert_eq!(objects.get("/a"), "ready");
}

#[test]
fn an_object_that_fails_begins_anew() {
    let objects = objects(
        "constructor(ctx, env) {
           super(ctx, env);
           this.count = 0;
           if (ctx.id.name === 'bad') throw new TypeError('not this one');
         }
         async fetch(request) {
           if (request.url.endsWith('/abort')) {
             await this.ctx.storage.put('kept', true);
             await this.ctx.storage.sync();
             this.ctx.storage.put('lost', true);
             this.ctx.abort('enough');
           }
           return new Response([++this.count, ...(await this.ctx.storage.list()).keys()].join());
         }",
    );
    assert_eq!(objects.get("/bad"), "TypeError: not this one");
    assert_eq!(objects.get("/a/"), "1");
    assert_eq!(objects.get("/a/abort"), "Error: enough");
    assert_eq!(objects.get("/a/"), "1,kept");
    assert_eq!(objects.get("/a/"), "2,kept");
}

#[test]
fn jurisdictions_are_those_that_workers_have() {
    let objects = objects_of(
        "",
        "const seen = [];
         const see = (run) => { try { seen.push(run()); } catch (error) { seen.push(`${error}`); } };
         for (const name of ['eu', 'us', 'fedramp', 'fedramp-high', null, undefined]) {
           const restricted = env.BOX.jurisdiction(name);
           see(() => restricted.idFromName('a').equals(env.BOX.idFromName('a')));
           see(() => env.BOX.newUniqueId({ jurisdiction: name }).toString().length);
         }
         see(() => env.BOX.jurisdiction('EU'));
         see(() => env.BOX.newUniqueId({ jurisdiction: '' }));
         see(() => env.BOX.jurisdiction('eu').jurisdiction('eu'));
         return Response.json(seen);",
    );
    let known = "eu, fedramp, fedramp-high, us";
    let mut expected: Vec<serde_json::Value> = Vec::new();
    for _ in 0..6 {
        expected.extend([true.into(), 64.into()]);
    }
    expected.extend([
        format!("TypeError: There is no jurisdiction \"EU\"; it is one of {known}.").into(),
        format!("TypeError: There is no jurisdiction \"\"; it is one of {known}.").into(),
        "TypeError: The namespace is restricted to a jurisdiction already.".into(),
    ]);
    assert_eq!(
        objects.get("/"),
        serde_json::Value::from(expected).to_string()
    );
}

#[test]
fn a_socket_is_accepted_in_one_way() {
    let objects = objects(
        "async fetch() {
           const seen = [];
           const see = (run) => { try { seen.push(`${run()}`); } catch (error) { seen.push(`${error}`); } };
           const { 0: one } = new WebSocketPair();
           see(() => this.ctx.getTags(one));
           this.ctx.acceptWebSocket(one);
           see(() => this.ctx.acceptWebSocket(one));
           see(() => one.accept());
           return Response.json(seen);
         }",
    );
    assert_eq!(
        objects.get("/x"),
        concat!(
            r#"["Error: you must call 'acceptWebSocket()' before attempting to access the tags of a WebSocket.","#,
            r#""Error: Cannot call `acceptWebSocket()` if the WebSocket was already accepted via `accept()`","#,
            r#""TypeError: Can't accept() WebSocket after enabling hibernation."]"#
        )
    );
}

/// Invariant 3.
#[test]
fn a_message_leaves_once_the_writes_before_it_are_durable() {
    let objects = objects_of(
        "hear(socket, message) {
           this.ctx.storage.put('k', message);
           socket.send('first');
           socket.send('second');
           console.log('wrote');
         }
         webSocketMessage(socket, message) { this.hear(socket, message); }
         async fetch(request) {
           const { 0: client, 1: server } = new WebSocketPair();
           if (request.url.endsWith('/held')) {
             this.ctx.acceptWebSocket(server);
           } else {
             server.accept();
             server.addEventListener('message', ({ data }) => this.hear(server, data));
           }
           return new Response(null, { status: 101, webSocket: client });
         }",
        "const { pathname } = new URL(request.url);
         if (pathname === '/other') return new Response('undefined');
         const headers = { upgrade: 'websocket' };
         const url = `http://x${pathname}`;
         const { webSocket } = await env.BOX.getByName(pathname).fetch(url, { headers });
         await fetch('http://up.test/nothing-is-durable-now');
         const list = [];
         await new Promise((resolve) => {
           webSocket.addEventListener('message', ({ data }) => list.push(data) === 2 && resolve());
           webSocket.accept();
           webSocket.send('hello');
         });
         return new Response(list.join());",
    );
    for path in ["/held", "/own"] {
        objects.bench.log.lock().clear();
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| objects.get(path));
            let until = std::time::Instant::now() + crate::support::PATIENCE;
            while !objects.bench.log.lock().iter().any(|line| line == "wrote") {
                assert!(std::time::Instant::now() < until, "{path}: it writes");
                std::thread::yield_now();
            }
            // What was written is not durable, so nothing of it was heard.
            assert_eq!(objects.get("/other"), "undefined");
            assert!(!asked.is_finished(), "{path}");
            objects.shared.durable.send_replace(i64::MAX);
            assert_eq!(asked.join().expect("no panic"), "first,second", "{path}");
        });
    }
}

#[test]
fn the_host_hears_of_an_alarm_before_and_after_its_commit() {
    let objects = objects(
        "async fetch(request) {
           const { storage } = this.ctx;
           if (request.url.endsWith('/drop')) await storage.deleteAlarm();
           else await storage.setAlarm(Date.now() + 1_000_000);
           return new Response(typeof (await storage.getAlarm()));
         }
         alarm() {}",
    );
    assert_eq!(objects.get("/a/set"), "number");
    assert_eq!(objects.get("/a/drop"), "object");
    let told = objects.shared.alarms.lock().clone();
    assert_eq!(
        told,
        [
            "a true false",
            "a true true",
            "a false false",
            "a false true"
        ]
    );
}

#[test]
fn subrequests_are_counted_for_each_event_of_an_object() {
    let objects = objects(
        "async fetch() {
           let sent = 0;
           try { for (;; sent++) await fetch('http://up.test/'); } catch {}
           return new Response(sent);
         }",
    );
    let first = objects.get("/a");
    assert_eq!(first, "1000");
    assert_eq!(objects.get("/a"), first);
}

#[test]
fn an_event_may_wait_for_another_of_its_object() {
    let objects = objects(
        "async fetch(request) {
           if (request.url.endsWith('/wait')) {
             console.log('waits');
             return new Response(await new Promise((resolve) => this.resolve = resolve));
           }
           this.resolve('from the other');
           return new Response('told');
         }",
    );
    let target = Arc::new(ObjectTarget {
        namespace: match &objects.namespace {
            Binding::Objects(namespace) => namespace.clone(),
            other => panic!("{other:?}"),
        },
        id: outboard_runtime::ObjectId::from_name("test:Box", "a"),
        name: Some("a".into()),
    });
    // As from another lane: nothing of this isolate's waits for the answer.
    let (lane, worker) = (objects.bench.lane.handle(), objects.worker.clone());
    let waiting = std::thread::spawn(move || {
        let request = Request::get("http://x/wait")
            .body(outboard_runtime::empty_body())
            .expect("a request");
        let served = futures::executor::block_on(lane.object(worker, target, request));
        match served.expect("an answer") {
            Served::Response(response) => response.status().as_u16(),
            Served::Upgrade(_) => 101,
        }
    });
    let until = std::time::Instant::now() + crate::support::PATIENCE;
    while !objects.bench.log.lock().iter().any(|line| line == "waits") {
        assert!(std::time::Instant::now() < until, "it waits");
        std::thread::yield_now();
    }
    // A few turns of the event loop, in which it could be given up.
    for _ in 0..3 {
        assert_eq!(
            objects.get("/b/none"),
            "TypeError: this.resolve is not a function"
        );
    }
    assert_eq!(objects.get("/a/tell"), "told");
    assert_eq!(waiting.join().expect("no panic"), 200);
}

/// Invariant 4.
#[test]
fn a_transaction_holds_nobody_elses_writes() {
    let objects = objects_of(
        "async fetch(request) {
           const { storage } = this.ctx;
           switch (new URL(request.url).pathname) {
             case '/undone':
               return new Response(await storage.transaction(async (txn) => {
                 await txn.put('undone', true);
                 this.begun?.();
                 await scheduler.wait(20);
                 const seen = [...(await txn.list()).keys()];
                 txn.rollback();
                 return seen.join();
               }));
             case '/beside': {
               // Runs already when the transaction begins; each of these would go on in it.
               await new Promise((resolve) => this.begun = resolve);
               const kept = storage.put('kept', true);
               let thrown;
               try { storage.kv.put('sync', true); } catch (e) { thrown = e.message.slice(0, 13); }
               await kept;
               return new Response(thrown);
             }
             case '/timer':
               await scheduler.wait(5);
               storage.sql.exec('CREATE TABLE IF NOT EXISTS t (a)');
               return new Response('later');
             default:
               return new Response([...(await storage.list()).keys(),
                 ...storage.sql.exec(\"SELECT name FROM sqlite_schema WHERE name = 't'\").raw()].join());
           }
         }",
        "const box = env.BOX.getByName('a');
         const ask = (path) => box.fetch(`http://x${path}`).then((response) => response.text());
         const beside = ask('/beside');
         await scheduler.wait(1);
         const timer = ask('/timer');
         const undone = ask('/undone');
         const all = await Promise.all([beside, timer, undone]);
         return Response.json([...all, await ask('/list')]);",
    );
    assert_eq!(
        objects.get("/"),
        r#"["A transaction","later","undone","kept,t"]"#
    );
}
