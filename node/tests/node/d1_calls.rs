//! D1 with the flag `d1_binding_jsrpc`, on databases of the node's own.

use serde_json::{Value, json};

use crate::d1::{CONFIG, project};
use crate::objects::body;
use crate::support::Dev;

/// With the flag that has databases asked by calls, the node's own are asked as
/// before, and `query` is there.
#[test]
fn calls_are_requests_to_the_nodes_own() {
    let dir = project(
        "await DB.exec('CREATE TABLE t (a, b)');
         const insert = DB.prepare('INSERT INTO t VALUES (?, ?)');
         await DB.batch([insert.bind(1, 'x'), insert.bind(2, 'y')]);
         const { success, results } = await DB.query({
           queries: [{ sql: 'SELECT * FROM t WHERE a > ?', params: [1] }],
           bookmark: 'first-primary',
         });
         const [{ data, meta }] = results.queryResults;
         const bad = await DB.query({ queries: [{ sql: 'SELECT 1' }, { sql: 'nothing' }] });
         const session = DB.withSession();
         await session.prepare('SELECT 1').run();
         return {
           query: [success, typeof results.bookmark, data, typeof meta.duration],
           bad: [bad.success, bad.error.message],
           rows: (await DB.prepare('SELECT a FROM t').run()).results,
           said: await said(DB.prepare('nothing').run()),
           exec: await said(DB.exec('SELECT 1\\nnothing')),
           session: typeof session.getBookmark(),
         };",
    );
    let config = CONFIG.replace(
        "\"main\"",
        "\"compatibility_flags\": [\"d1_binding_jsrpc\", \"experimental\"], \"main\"",
    );
    std::fs::write(dir.path().join("wrangler.jsonc"), config).expect("a file");
    let dev = Dev::start(dir.path());
    let found: Value = serde_json::from_str(&body(&dev, "/")).expect("JSON");
    let message = "near \"nothing\": syntax error at offset 0: SQLITE_ERROR";
    let rows = json!({ "kind": "raw", "columns": ["a", "b"], "rows": [[2, "y"]] });
    assert_eq!(
        found,
        json!({
            "query": [true, "string", rows, "number"],
            "bad": [false, message],
            "rows": [{ "a": 1 }, { "a": 2 }],
            "said": [format!("D1_ERROR: {message}"), null],
            "exec": [format!("D1_EXEC_ERROR: {message}"), null],
            "session": "string",
        })
    );
}
