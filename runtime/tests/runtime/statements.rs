//! Statements of objects that would not end, or would take all memory there is: they are
//! errors of their objects, and the lane goes on (invariant 5).

use std::time::{Duration, Instant};

use outboard_runtime::Limits;

use crate::object_host::{Objects, objects_with, objects_within};

/// Limits small enough for a test to reach.
fn limits(cpu: Duration) -> Limits {
    Limits {
        cpu,
        heap: 32 << 20,
        buffers: 32 << 20,
        ..Limits::default()
    }
}

/// More than what is not about time takes.
const LONG: Duration = Duration::from_secs(30);

/// Objects whose `fetch` runs `body` with `sql` at hand, and rows without end.
fn objects(body: &str, cpu: Duration) -> Objects {
    let body = format!(
        "async fetch(request) {{
           const {{ storage }} = this.ctx, {{ sql }} = storage;
           const path = new URL(request.url).pathname;
           const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) ';
           if (path === '/good') {{
             return Response.json(sql.exec(endless + 'SELECT i FROM n LIMIT 3').raw().toArray());
           }}
           {body}
         }}"
    );
    objects_within(&body, limits(cpu))
}

/// What `body` comes to, and that another object answers soon after.
fn check(body: &str, expected: &str) {
    let cpu = match expected {
        CPU => Duration::from_millis(300),
        _ => LONG,
    };
    let objects = objects(body, cpu);
    let good = |when: &str| assert_eq!(objects.get("/good"), "[[1],[2],[3]]", "{when} {body}");
    good("before");
    let started = Instant::now();
    let text = objects.get("/bad");
    let took = started.elapsed();
    assert!(text.contains(expected), "{body}: {text}");
    // Without a look at the time within them, some of these take minutes.
    assert!(took < Duration::from_secs(20), "{body}: {took:?}");
    good("after");
}

const CPU: &str = "exceeded its CPU time limit";
const MEMORY: &str = "exceeded its memory limit";

#[test]
fn a_statement_stops_with_its_events_cpu_time() {
    for statement in [
        "SELECT count(*) FROM n",
        // Few steps, of which each is long.
        "SELECT sum(length(randomblob(4000000))) FROM n",
        "SELECT sum(t LIKE '%a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_a_b') \
         FROM n, (SELECT replace(hex(zeroblob(2000000)), '0', 'a') t)",
        // One step.
        "SELECT instr(hex(zeroblob(2000000)), hex(zeroblob(1000000)) || '1')",
        "SELECT length(replace(hex(zeroblob(2000000)), hex(zeroblob(1000000)) || '1', ''))",
        "SELECT length(trim(hex(zeroblob(2000000)), replace(hex(zeroblob(100000)), '0', 'b') || '0'))",
        "SELECT length(json_patch(a, a)) FROM (SELECT json_group_object(i, 1) a FROM \
         (SELECT i FROM n LIMIT 100000))",
    ] {
        check(
            &format!("sql.exec(`${{endless}} {statement}`).toArray();"),
            CPU,
        );
    }
    // While one is sorted.
    check(
        "sql.exec(endless + 'SELECT i FROM (SELECT i FROM n LIMIT 2000000) ORDER BY random()');",
        CPU,
    );
    // What a script does not read.
    check(
        "sql.exec(endless + 'SELECT count(*) FROM n; SELECT 1');",
        CPU,
    );
}

#[test]
fn an_index_of_text_stops_with_its_events_cpu_time() {
    check(
        "if (path === '/bad') {
           sql.exec('CREATE VIRTUAL TABLE texts USING fts5(text)');
           sql.exec(`INSERT INTO texts VALUES (replace(hex(zeroblob(200000)), '00', 'a '))`);
           const phrase = `\"${'a '.repeat(2000)}\"`;
           for (;;) sql.exec('SELECT count(*) FROM texts WHERE text MATCH ?', phrase).one();
         }",
        CPU,
    );
}

#[test]
fn rows_that_fill_the_heap_end_the_isolate_and_not_the_process() {
    let wide = format!("SELECT {} FROM t", ["t"; 99].join(", "));
    for rows in ["SELECT t FROM n CROSS JOIN t", &wide] {
        check(
            &format!(
                "const text = ', t (t) AS MATERIALIZED (SELECT hex(zeroblob(500000))) ';
                 return Response.json(sql.exec(endless + text + `{rows}`).toArray().length);"
            ),
            MEMORY,
        );
    }
}

#[test]
fn blobs_that_have_no_room_are_refused_and_others_read() {
    check(
        "if (path === '/bad') {
           const read = (count) => sql.exec(`${endless} SELECT zeroblob(4000000) FROM n LIMIT ${count}`)
             .toArray().length;
           let refused;
           try { read(12); } catch (error) { refused = error.message; }
           const many = [];
           for (let i = 0; i < 12; i++) many.push(read(2));
           return Response.json([refused, many.every((count) => count === 2)]);
         }",
        r#"["Array buffer allocation failed",true]"#,
    );
}

#[test]
fn a_list_of_more_than_memory_ends_the_isolate_and_not_the_process() {
    let objects = objects(
        "if (path.startsWith('/o/fill')) {
           for (let i = 0; i < 8; i++) storage.kv.put(path + i, new Uint8Array(2_000_000));
           return new Response('there');
         }
         if (path === '/o/all') return new Response(`${(await storage.list()).size}`);
         // One by one they need no more than a few have.
         let count = 0, bytes = 0;
         for (const [key, value] of storage.kv.list({ reverse: path === '/o/back' })) {
           if (path === '/o/less' && count++ % 2 === 0) storage.kv.delete(key);
           bytes += value.length;
         }
         return new Response(`${bytes}`);",
        LONG,
    );
    for part in 0..4 {
        assert_eq!(objects.get(&format!("/o/fill/{part}")), "there");
    }
    for path in ["/o/each", "/o/back"] {
        assert_eq!(objects.get(path), "64000000", "{path}");
    }
    let text = objects.get("/o/all");
    assert!(text.contains(MEMORY), "{text}");
    assert_eq!(objects.get("/good"), "[[1],[2],[3]]");
    assert_eq!(objects.get("/o/less"), "64000000");
    assert_eq!(objects.get("/o/each"), "32000000");
}

#[test]
fn memory_that_statements_take_is_bounded() {
    for statement in [
        "SELECT length(json_group_array(hex(zeroblob(2000000)))) FROM (SELECT i FROM n LIMIT 200)",
        "SELECT count(DISTINCT i || hex(zeroblob(500000))) FROM (SELECT i FROM n LIMIT 400)",
        "SELECT i || hex(zeroblob(500000)) FROM n ORDER BY 1",
    ] {
        check(
            &format!(
                "let refused;
                 try {{ sql.exec(`${{endless}} {statement}`); }} catch (error) {{ refused = error.message; }}
                 const after = sql.exec('SELECT 1 AS one').one().one;
                 return Response.json([refused, after]);"
            ),
            r#"["out of memory: SQLITE_NOMEM",1]"#,
        );
    }
}

#[test]
fn a_message_that_has_no_room_ends_the_isolate_and_not_the_process() {
    let objects = objects_with(
        "async fetch() {
           const { 0: client, 1: server } = new WebSocketPair();
           this.ctx.acceptWebSocket(server);
           return new Response(null, { status: 101, webSocket: client });
         }
         webSocketMessage(socket, message) { socket.send(`${message.byteLength}`); }",
        "if (request.url.endsWith('/small')) globalThis.held = null;
         else globalThis.held = new ArrayBuffer((32 << 20) - 1_500_000);
         const headers = { upgrade: 'websocket' };
         const { webSocket } = await env.BOX.getByName('a').fetch('http://x/', { headers });
         const heard = new Promise((resolve) => {
           webSocket.addEventListener('message', ({ data }) => resolve(data));
           webSocket.addEventListener('close', ({ code }) => resolve(`closed ${code}`));
         });
         webSocket.accept();
         const message = new Uint8Array(1_000_000);
         webSocket.send(message);
         return new Response(`${await heard} of ${message.length}`);",
        limits(LONG),
    );
    assert_eq!(objects.get("/small"), "1000000 of 1000000");
    let text = objects.get("/large");
    assert!(text.contains(MEMORY), "{text}");
    assert_eq!(objects.get("/small"), "1000000 of 1000000");
}
