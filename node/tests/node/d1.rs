//! D1 databases through `outboard dev` and `serve`: what bindings answer, and what a
//! killed process leaves.

use std::path::Path;

use serde_json::{Value, json};

use crate::objects::{body, with_packages};
use crate::parity::program;
use crate::support::http::{Request, Upload, get, send};
use crate::support::{Dev, Outboard};
use crate::workerd::{run, workerd};

pub(crate) const CONFIG: &str = r#"{
  "name": "shop",
  "main": "index.js",
  "compatibility_date": "2026-04-01",
  "d1_databases": [{ "binding": "DB", "database_name": "shop", "database_id": "shop-1" }]
}"#;

/// A worker whose handler is this body of `async (DB, env, request)`.
pub(crate) fn project(handler: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("wrangler.jsonc"), CONFIG).expect("a file");
    let script = format!(
        "const said = async (promise) => {{
           try {{ return await promise; }} catch (error) {{ return [error.message, error.cause?.message]; }}
         }};
         const handle = async (DB, env, request) => {{ {handler} }};
         export default {{ async fetch(request, env) {{
           return Response.json(await handle(env.DB, env, request) ?? null);
         }} }};"
    );
    std::fs::write(dir.path().join("index.js"), script).expect("a file");
    dir
}

/// What the handler answers, once.
fn answer(handler: &str) -> Value {
    let dir = project(handler);
    let dev = Dev::start(dir.path());
    let text = body(&dev, "/");
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}\n{}", dev.process.log()))
}

/// The promise of the API's page, method by method.
#[test]
fn statements_give_rows_and_what_they_did() {
    let found = answer(
        "await DB.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, data BLOB, real REAL)`);
         const insert = DB.prepare('INSERT INTO t (name, data, real) VALUES (?, ?, ?)');
         const bound = insert.bind('one', new Uint8Array([1, 2, 255]), 1.5);
         const run = await bound.run();
         await insert.bind(null, new Uint8Array([7]).buffer, 2).run();
         await DB.prepare('INSERT INTO t (name, data) VALUES (?2, ?1)').bind([9, 8], true).run();
         const all = DB.prepare('SELECT * FROM t ORDER BY id');
         const { meta } = run;
         return {
           run: [run.success, run.results, meta.changes, meta.last_row_id, meta.changed_db,
             meta.rows_written, typeof meta.duration, meta.size_after > 0, meta.served_by_primary],
           all: (await all.all()).results,
           read: (await all.all()).meta.changed_db,
           raw: await all.raw(),
           names: (await all.raw({ columnNames: true }))[0],
           none: [await DB.prepare('SELECT 1 WHERE 0').first(),
             await DB.prepare('SELECT 1 a WHERE 0').raw({ columnNames: true })],
           first: [await all.first(), await all.first('name')],
           twice: [(await DB.prepare('SELECT 1 a, 2 a').all()).results,
             await DB.prepare('SELECT 1 a, 2 a').raw()],
           returning: await DB.prepare('INSERT INTO t (name) VALUES (?) RETURNING id, name')
             .bind('four').run().then((run) => [run.results, run.meta.changes]),
           several: await DB.prepare('SELECT 1 a; SELECT 2 b').first(),
           exec: await DB.exec('-- none\\nSELECT 1\\nSELECT 2').then(({ count, duration }) =>
             [count, typeof duration]),
           statement: Object.keys(bound),
           kinds: [DB, all, DB.withSession()].map((value) => value.constructor.name),
           big: await DB.prepare('SELECT 9007199254740993 a, 1e999 b, ? c').bind(1e300).raw(),
         };",
    );
    let rows = json!([
        { "id": 1, "name": "one", "data": [1, 2, 255], "real": 1.5 },
        { "id": 2, "name": null, "data": [7], "real": 2 },
        { "id": 3, "name": "1.0", "data": [9, 8], "real": null },
    ]);
    let first = rows[0].clone();
    let expected = json!({
        "run": [true, [], 1, 1, true, 1, "number", true, true],
        "all": rows,
        "read": false,
        "raw": [[1, "one", [1, 2, 255], 1.5], [2, null, [7], 2], [3, "1.0", [9, 8], null]],
        "names": ["id", "name", "data", "real"],
        "none": [null, [["a"]]],
        "first": [first, "one"],
        "twice": [[{ "a": 2 }], [[1, 2]]],
        "returning": [[{ "id": 4, "name": "four" }], 1],
        "several": { "b": 2 },
        "exec": [2, "number"],
        "statement": ["statement", "params"],
        "kinds": ["D1Database", "D1PreparedStatement", "D1DatabaseSession"],
        "big": [[9_007_199_254_740_992_u64, null, 1e300]],
    });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(found[name], *value, "{name}");
    }
}

#[test]
fn errors_are_worded_as_d1s() {
    let found = answer(
        "await DB.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)');
         const sql = (text, ...values) => said(DB.prepare(text).bind(...values).all());
         const bind = async (value) => DB.prepare('SELECT ?').bind(value);
         await sql(`INSERT INTO t VALUES (1, 'a')`);
         return {
           table: await sql('SELECT * FROM missing'),
           syntax: await sql('SELEKT 1'),
           unique: await sql(`INSERT INTO t VALUES (2, 'a')`),
           few: await sql('SELECT ?'),
           many: await sql('SELECT ?', 1, 2),
           apart: await sql('SELECT ?; SELECT 1', 1),
           begin: (await sql('BEGIN'))[0].slice(0, 40),
           attach: await sql(`ATTACH 'x' AS x`),
           pragma: await sql('PRAGMA journal_mode = wal'),
           reserved: await sql('CREATE TABLE _cf_x (a)'),
           renamed: await sql('ALTER TABLE t RENAME TO _cf_t'),
           comment: await sql('-- nothing'),
           undefined: await said(bind(undefined)),
           object: await said(bind({})),
           bigint: await said(bind(1n)),
           function: (await said(bind(() => 1)))[0],
           column: await said(DB.prepare('SELECT 1 a').first('b')),
           exec: await said(DB.exec('SELECT 1\\nSELEKT 2')),
           dump: await said(DB.dump()),
           query: (await said(DB.query({})))[0].slice(0, 42),
           long: await sql(`SELECT '${'x'.repeat(100_000)}'`),
           value: await sql('SELECT length(?)', 'x'.repeat(2_000_001)),
           parameters: await sql(`SELECT ${Array(101).fill('?').join()}`, ...Array(101).fill(1)),
           columns: await sql(`SELECT ${Array(101).fill('1').join()}`),
           nul: await sql('DELETE FROM t\\0; SELECT 1'),
           kept: await sql('SELECT count(*) n FROM t').then(({ results }) => results),
         };",
    );
    let d1 = |text: &str| json!([format!("D1_ERROR: {text}"), text]);
    let type_error = |text: &str| json!([format!("D1_TYPE_ERROR: {text}"), text]);
    let expected = json!({
        "table": d1("no such table: missing: SQLITE_ERROR"),
        "syntax": d1("near \"SELEKT\": syntax error at offset 0: SQLITE_ERROR"),
        "unique": d1("UNIQUE constraint failed: t.name: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)"),
        "few": d1("Wrong number of parameter bindings for SQL query. Expected 1, got 0"),
        "many": d1("Wrong number of parameter bindings for SQL query. Expected 1, got 2"),
        "apart": d1("When executing multiple SQL statements in a single call, only the last statement can have parameters."),
        "begin": "D1_ERROR: To execute a transaction, plea",
        "attach": d1("not authorized: SQLITE_AUTH"),
        "pragma": d1("not authorized: SQLITE_AUTH"),
        "reserved": d1("not authorized: SQLITE_AUTH"),
        "renamed": d1("not authorized: SQLITE_AUTH"),
        "comment": d1("No SQL statements detected."),
        "undefined": type_error("Type 'undefined' not supported for value 'undefined'"),
        "object": type_error("Type 'object' not supported for value '[object Object]'"),
        "bigint": type_error("Type 'bigint' not supported for value '1'"),
        "function": "D1_TYPE_ERROR: Type 'function' not supported for value '() => 1'",
        "column": ["D1_COLUMN_NOTFOUND: Column not found (b)", "Column not found"],
        "exec": ["D1_EXEC_ERROR: Error in line 1: SELECT 1: near \"SELEKT\": syntax error at offset 0: SQLITE_ERROR",
            "Error in line 1: SELECT 1: near \"SELEKT\": syntax error at offset 0: SQLITE_ERROR"],
        "dump": ["D1_DUMP_ERROR: dump() is for databases of D1's alpha; `outboard d1 export` writes one",
            "dump() is for databases of D1's alpha; `outboard d1 export` writes one"],
        "query": "D1_ERROR: D1Database.query() requires the ",
        "long": d1("statement too long: SQLITE_TOOBIG"),
        "value": d1("string or blob too big: SQLITE_TOOBIG"),
        "parameters": d1("too many SQL variables at offset 207: SQLITE_ERROR"),
        "columns": d1("too many columns in result set: SQLITE_ERROR"),
        "nul": d1("SQL code did not contain a statement."),
        "kept": [{ "n": 1 }],
    });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(found[name], *value, "{name}");
    }
}

#[test]
fn a_batch_is_whole_or_nothing() {
    let found = answer(
        "await DB.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)');
         const insert = DB.prepare('INSERT INTO t (name) VALUES (?)');
         const all = DB.prepare('SELECT name FROM t');
         const done = await DB.batch([insert.bind('a'), insert.bind('b'), all]);
         const failed = await said(DB.batch([insert.bind('c'), insert.bind('a'), insert.bind('d')]));
         const broken = await said(DB.batch([insert.bind('c'), DB.prepare('SELEKT')]));
         // Rolls back by itself.
         const undone = await said(DB.batch([insert.bind('c'),
           DB.prepare(`INSERT OR ROLLBACK INTO t (name) VALUES ('a')`)]));
         const lines = await said(DB.exec(`INSERT INTO t (name) VALUES ('e')\\nSELEKT`));
         const deferred = await said(DB.batch([
           DB.prepare('CREATE TABLE child (of REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)'),
           DB.prepare('INSERT INTO child VALUES (77)')]));
         return [done.map(({ results, meta }) => [results, meta.changes, meta.last_row_id]),
           failed[0], broken[0], undone[0], lines[0].slice(0, 40), deferred[0],
           await all.raw(), await said(DB.batch([]))];",
    );
    let expected = json!([
        [[[], 1, 1], [[], 1, 2], [[{ "name": "a" }, { "name": "b" }], 0, 2]],
        "D1_ERROR: UNIQUE constraint failed: t.name: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)",
        "D1_ERROR: near \"SELEKT\": syntax error at offset 0: SQLITE_ERROR",
        "D1_ERROR: UNIQUE constraint failed: t.name: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)",
        "D1_EXEC_ERROR: Error in line 1: INSERT I",
        "D1_ERROR: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)",
        [["a"], ["b"]],
        ["D1_ERROR: No SQL statements detected.", "No SQL statements detected."],
    ]);
    for (found, expected) in found
        .as_array()
        .expect("a list")
        .iter()
        .zip(expected.as_array().expect("a list"))
    {
        assert_eq!(found, expected);
    }
}

#[test]
fn sessions_carry_bookmarks() {
    let found = answer(
        "const session = DB.withSession('first-primary');
         const before = session.getBookmark();
         await session.prepare('CREATE TABLE t (a)').run();
         const first = session.getBookmark();
         await session.batch([session.prepare('INSERT INTO t VALUES (1)')]);
         const second = session.getBookmark();
         const later = DB.withSession(second);
         const same = later.getBookmark() === second;
         const read = await later.prepare('SELECT a FROM t').raw();
         const shape = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/;
         return [before, shape.test(first), first < second, same, read,
           DB.withSession().getBookmark(), DB.withSession(' first-unconstrained ').getBookmark(),
           typeof DB.exec, typeof session.exec];",
    );
    let expected = json!([
        null,
        true,
        true,
        true,
        [[1]],
        null,
        null,
        "function",
        "undefined"
    ]);
    assert_eq!(found, expected);
}

/// Invariants 1 and 3.
#[test]
fn what_was_answered_survives_a_kill() {
    let dir = project(
        "await DB.exec('CREATE TABLE IF NOT EXISTS t (n INTEGER)');
         const { results } = await DB.prepare('INSERT INTO t SELECT count(*) + 1 FROM t RETURNING n').run();
         return results[0].n;",
    );
    for round in 0..3 {
        let dev = Dev::start(dir.path());
        for number in 1..=5 {
            assert_eq!(body(&dev, "/"), (round * 5 + number).to_string());
        }
        // Killed: nothing was closed.
        drop(dev);
    }
}

/// Invariant 1, with clients side by side: a batch books a number and counts it.
#[test]
fn batches_survive_a_kill_under_load() {
    const CLIENTS: usize = 4;
    let dir = project(
        "const [, verb, client, n] = new URL(request.url).pathname.split('/');
         if (verb === 'add') {
           await DB.batch([
             DB.prepare('INSERT INTO booked VALUES (?, ?)').bind(client, Number(n)),
             DB.prepare('UPDATE counted SET n = n + 1'),
           ]);
           return Number(n);
         }
         await DB.exec('CREATE TABLE IF NOT EXISTS booked (client TEXT, n INTEGER, UNIQUE (client, n))');
         await DB.exec('CREATE TABLE IF NOT EXISTS counted (n INTEGER)');
         await DB.exec('INSERT INTO counted SELECT 0 WHERE NOT EXISTS (SELECT * FROM counted)');
         return [await DB.prepare('SELECT n FROM counted').first('n'),
           await DB.prepare('SELECT client, max(n), count(*) FROM booked GROUP BY client ORDER BY 1').raw()];",
    );
    let mut acknowledged = [0; CLIENTS];
    for round in 1..=5 {
        let dev = Dev::start(dir.path());
        let found: Value = serde_json::from_str(&body(&dev, "/all")).expect("JSON");
        let mut booked = 0;
        let mut last = [0; CLIENTS];
        for row in found[1].as_array().expect("rows") {
            let client: usize = row[0]
                .as_str()
                .and_then(|name| name.parse().ok())
                .expect("a client");
            last[client] = row[1].as_u64().expect("a number");
            assert_eq!(row[1], row[2], "no gaps: {found}");
            booked += last[client];
        }
        assert_eq!(found[0], booked, "a batch is whole: {found}");
        for client in 0..CLIENTS {
            let (had, has) = (acknowledged[client], last[client]);
            assert!(
                (had..=had + 1).contains(&has),
                "{client} had {had}: {found}"
            );
        }
        let (answered, answers) = std::sync::mpsc::channel();
        let (process, address) = (dev.process, dev.address);
        acknowledged = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let (answered, mut done) = (answered.clone(), last[client]);
                    scope.spawn(move || {
                        loop {
                            let path = format!("/add/{client}/{}", done + 1);
                            let answer = send(address, &get("localhost", &path));
                            if answer.body != (done + 1).to_string().as_bytes() {
                                assert_eq!(answer.status, "", "only a kill fails: {answer:?}");
                                return done;
                            }
                            done += 1;
                            let _ = answered.send(());
                        }
                    })
                })
                .collect();
            for _ in 0..round * 17 {
                answers.recv().expect("an answer");
            }
            // Killed in the middle of what it does.
            drop(process);
            let done = clients
                .into_iter()
                .map(|client| client.join().expect("a client"));
            done.collect::<Vec<_>>().try_into().expect("all of them")
        });
    }
}

fn post(path: &str, text: &str) -> Request {
    let mut request = get("localhost", path);
    request.method = "POST".into();
    request.upload = Upload::Sized(text.to_owned().into());
    request
}

/// Workers that name one database have one, on every lane of a node.
#[test]
fn databases_are_shared_by_id() {
    let script = "export default { async fetch(request, { DB }) {
        if (request.method === 'POST') {
          await DB.prepare('INSERT INTO t VALUES (?)').bind(await request.text()).run();
        } else {
          await DB.exec('CREATE TABLE IF NOT EXISTS t (a)');
        }
        return Response.json(await DB.prepare('SELECT count(*) FROM t').raw());
      } };";
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, id: &str| {
        let worker = dir.path().join(name);
        std::fs::create_dir(&worker).expect("a folder");
        let config = format!(
            r#"{{ "name": "{name}", "main": "index.js", "compatibility_date": "2026-04-01",
                 "d1_databases": [{{ "binding": "DB", {id} }}] }}"#
        );
        std::fs::write(worker.join("wrangler.jsonc"), config).expect("a file");
        std::fs::write(worker.join("index.js"), script).expect("a file");
        let route = format!("\"*/{name}/*\"");
        format!("[[worker]]\nname = \"{name}\"\ndir = {worker:?}\nroutes = [{route}]\n")
    };
    let workers = [
        write("a", r#""database_id": "one""#),
        write("b", r#""database_id": "one", "database_name": "other""#),
        write("c", r#""database_name": "named""#),
        write("d", r#""database_name": "named""#),
        write("e", r#""migrations_dir": "sql""#),
        write("f", r#""migrations_dir": "sql""#),
    ];
    let data = dir.path().join("data");
    let config = format!("lanes = 4\ndata = {data:?}\n{}", workers.concat());
    let server = Outboard::serve(&config);
    let ask = |request: &Request| {
        let answer = send(server.address, request);
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    for (first, second, shared) in [("a", "b", true), ("c", "d", true), ("e", "f", false)] {
        assert_eq!(ask(&get("localhost", &format!("/{first}/"))), "[[0]]");
        // A connection each: the kernel hands them to all lanes.
        for number in 1..=8 {
            let posted = ask(&post(&format!("/{first}/"), "x"));
            assert_eq!(posted, format!("[[{number}]]"));
        }
        let other = if shared { "[[8]]" } else { "[[0]]" };
        assert_eq!(ask(&get("localhost", &format!("/{second}/"))), other);
    }
}

/// A query stops when nobody waits for it, and holds no lane meanwhile.
#[test]
fn a_query_that_nobody_waits_for_ends() {
    let dir = project(
        "if (request.url.endsWith('/slow')) {
           DB.prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
             SELECT count(*) FROM n`).all();
           await scheduler.wait(50);
           // Its isolate is ended for that.
           for (;;);
         }
         return await DB.prepare('SELECT 1').first();",
    );
    let config = CONFIG.replace("\"main\"", "\"limits\": { \"cpu_ms\": 100 }, \"main\"");
    std::fs::write(dir.path().join("wrangler.jsonc"), config).expect("a file");
    let dev = Dev::start(dir.path());
    assert_ne!(body(&dev, "/slow"), "");
    // Behind it on the database's thread, which has 30 seconds for a query.
    let asked = std::time::Instant::now();
    assert_eq!(body(&dev, "/"), r#"{"1":1}"#);
    assert!(asked.elapsed() < std::time::Duration::from_secs(15));
}

#[test]
fn drizzle_orm_runs_on_a_database() {
    let Some(dir) = with_packages("drizzle_d1.ts") else {
        return;
    };
    let config = CONFIG.replace("index.js", "drizzle_d1.ts").replace(
        "\"main\"",
        "\"compatibility_flags\": [\"nodejs_compat\"], \"main\"",
    );
    std::fs::write(dir.path().join("wrangler.jsonc"), config).expect("a file");
    let dev = Dev::start(dir.path());
    let found: Value = serde_json::from_str(&body(&dev, "/")).expect("JSON");
    let expected = json!([
        [1, 5000, [1, 2]],
        [{ "n": 2 }],
        "UNIQUE constraint failed: users.name: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)",
        ["Ann", [{ "id": 1, "author": 1, "tags": ["a"] }, { "id": 2, "author": 1, "tags": null }]],
        [{ "name": "Ann", "tags": ["a"] }, { "name": "Ann", "tags": null }],
        1,
    ]);
    assert_eq!(found, expected, "{}", dev.process.log());
}

/// A worker with a D1 database of a service that tells what it was asked, or
/// answers what the statement says.
const WRAPPED: &str = r#"
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "main.js", esModule = embed "main.js")],
      compatibilityDate = "2026-04-01",
      bindings = [(name = "DB", wrapped = (
        moduleName = "cloudflare-internal:d1-api",
        innerBindings = [(name = "fetcher", service = "keeper")],
      ))],
    )),
    (name = "keeper", worker = (
      modules = [(name = "keeper.js", esModule = embed "keeper.js")],
      compatibilityDate = "2026-04-01",
    )),
  ],
);
"#;

const KEEPER: &str = r#"
let tokens = 0;
export default { async fetch(request) {
  const text = await request.text();
  const { pathname, search } = new URL(request.url);
  const told = [request.method, pathname + search, request.headers.get("content-type"),
    request.headers.get("x-cf-d1-session-commit-token"), text];
  const body = text === "" ? {} : JSON.parse(text);
  const headers = { "x-cf-d1-session-commit-token": `token-${9 - tokens++ % 9}` };
  const { sql } = Array.isArray(body) ? body[0] : body;
  if (sql?.startsWith("=")) return new Response(sql.slice(1), { headers });
  const one = { success: true, meta: { duration: 1, changes: 2, other: 3 }, extra: 1,
    results: { columns: ["told", "a", "a"], rows: [[told, 1, 2]] } };
  return Response.json(Array.isArray(body) ? body.map(() => one) : one, { headers });
} };
"#;

/// All tests print what they see; both programs print the same.
const CALLS: &str = r#"
const seen = async (name, ask) => {
  let result;
  try {
    result = await ask();
  } catch (error) {
    result = { name: error.name, message: error.message, cause: error.cause?.message };
  }
  console.log(`SEEN ${name} ${JSON.stringify(result)}`);
};
const answers = [
  '{"success":true,"results":[{"a":1,"b":2}],"meta":{"duration":1}}', '{"success":true,"meta":{}}',
  '{"success":true,"results":[],"meta":{}}', '{"error":"no"}', '[{"error":"no"}]', '[]', "no JSON", "null", "5",
  '[{"success":true,"results":{"columns":["a"],"rows":[]},"meta":{"duration":2}},{"error":"late"}]',
];
export default { async test(controller, { DB }) {
  await seen("shape", () => [DB, DB.withSession(), DB.prepare("")].map((of) => [of.constructor.name,
    Object.getOwnPropertyNames(Object.getPrototypeOf(of)).filter((name) => !name.startsWith("_")),
    String(of), ["exec", "query", "dump", "withSession"].filter((name) => name in of)]));
  const sessions = [DB, DB.withSession(), DB.withSession("first-primary"), DB.withSession(" b ")];
  for (const [at, db] of sessions.entries()) {
    const statement = db.prepare("SELECT ?").bind(1, "x", null, true, false, new Uint8Array([1, 2]));
    for (const method of ["first", "run", "all", "raw"]) {
      await seen(`${at} ${method}`, () => statement[method]());
    }
    await seen(`${at} batch`, () => db.batch([statement, db.prepare("b"), { statement: "c", params: 5 }]));
    await seen(`${at} bookmark`, () => db.getBookmark?.());
  }
  for (const answer of answers) {
    const statement = DB.prepare(`=${answer}`);
    for (const [method, ...values] of [["first"], ["first", "a"], ["first", "z"], ["run"], ["all"],
      ["raw"], ["raw", { columnNames: true }]]) {
      await seen(`${answer} ${method} ${values}`, () => statement[method](...values));
    }
    if (!answer.startsWith("{")) await seen(`${answer} batch`, () => DB.batch([statement, statement]));
    await seen(`${answer} exec`, () => DB.exec(`=${answer}\nsecond`));
  }
  const values = [undefined, 1n, {}, [], [1, 255], [256], ["a"], [1.5], () => 1, new Date(0), NaN, Infinity,
    new ArrayBuffer(2), new Float64Array([1.5, -1]), new DataView(new ArrayBuffer(2)), new Int8Array([-1]),
    new SharedArrayBuffer(1), new String("s"), Object.create(null)];
  for (const [at, value] of values.entries()) {
    await seen(`bind ${at}`, () => DB.prepare("a").bind(value).params);
  }
  await seen("bind none", () => DB.prepare("a").bind().params);
  await seen("bind again", () => DB.prepare("a").bind(1).bind(2).params);
  await seen("text", () => [DB.prepare("a").statement, DB.prepare(5).statement]);
  await seen("exec", () => DB.exec("\n one \n two\n\n"));
  const calls = [() => DB.exec(5), () => DB.withSession(5), () => DB.batch(5)];
  for (const call of calls) {
    await seen("5", async () => { try { await call(); } catch ({ name }) { return name; } });
  }
  await seen("batch none", () => DB.batch([]));
  await seen("column 0", () => DB.prepare('={"success":true,"results":[{"a":0,"n":null}],"meta":{}}').first("n"));
} };
"#;

#[test]
fn the_binding_asks_and_reads_as_workerds() {
    let Some(theirs) = program() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("config.capnp", WRAPPED),
        ("keeper.js", KEEPER),
        ("main.js", CALLS),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let seen = |program: &Path| {
        let output = run(program, &["test", "config.capnp"], folder.path());
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told).into_owned();
        let lines = told.lines().filter_map(|line| line.split_once("SEEN "));
        let lines: Vec<_> = lines.map(|(_, seen)| seen.to_owned()).collect();
        assert!(lines.len() > 100, "{told}");
        lines
    };
    let (ours, theirs) = (seen(&workerd(folder.path())), seen(&theirs));
    let differences: Vec<_> = ours.iter().zip(&theirs).filter(|(a, b)| a != b).collect();
    assert!(differences.is_empty(), "{differences:#?}");
    assert_eq!(ours.len(), theirs.len());
}
