//! Packages that live on RPC, unmodified.

use std::path::Path;

use tokio_tungstenite::tungstenite::Message;

use crate::objects::{body, hear, join, with_packages};
use crate::support::{Dev, until};

#[test]
fn capnweb_speaks_over_a_websocket() {
    let Some(dir) = with_packages("capnweb.ts") else {
        return;
    };
    let dev = Dev::start(dir.path());
    let expected = r#"["Hello, you!",1,3,[2,4],["RangeError","not that"]]"#;
    assert_eq!(body(&dev, "/"), expected, "{}", dev.process.log());
}

/// A project of the Agents SDK's.
fn agents() -> Option<tempfile::TempDir> {
    let dir = with_packages("agents.ts")?;
    let config = r#"{
      "name": "agents",
      "main": "agents.ts",
      "compatibility_date": "2026-08-05",
      "durable_objects": { "bindings": [
        { "name": "Counter", "class_name": "Counter" },
        { "name": "TOOLS", "class_name": "Tools" }] },
      "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Counter", "Tools"] }]
    }"#;
    write(dir.path(), config);
    Some(dir)
}

fn write(dir: &Path, config: &str) {
    std::fs::write(dir.join("wrangler.jsonc"), config).expect("a file");
}

#[test]
fn agents_have_state_methods_schedules_and_tools() {
    let Some(dir) = agents() else {
        return;
    };
    let dev = Dev::start(dir.path());
    assert_eq!(
        body(&dev, "/plan"),
        r#"[2,"ring"]"#,
        "{}",
        dev.process.log()
    );
    assert_eq!(
        body(&dev, "/tools"),
        r#"[["add"],"3 in call 1","4 in call 2"]"#,
        "{}",
        dev.process.log()
    );

    // What a client's library does: it hears the state, and calls methods.
    let mut socket = join(&dev, "/agents/counter/shared");
    let mut hear_of = |what: &str| {
        loop {
            let said = hear(&mut socket);
            if said.contains(what) {
                return said;
            }
        }
    };
    assert!(hear_of("cf_agent_state").contains(r#""count":0"#));
    let mut other = join(&dev, "/agents/counter/shared");
    let call = r#"{"type":"rpc","id":"1","method":"increment","args":[5]}"#;
    other.send(Message::text(call)).expect("sent");
    assert!(hear_of("cf_agent_state").contains(r#""count":5"#));
    assert_eq!(body(&dev, "/agents/counter/shared"), "[5,2]");

    until("the schedule", || {
        body(&dev, "/agents/counter/planned") == "[12,2]"
    });
}

#[test]
fn workers_call_one_another_32_deep() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = r#"{
      "name": "deep",
      "main": "index.js",
      "compatibility_date": "2026-04-01",
      "durable_objects": { "bindings": [{ "name": "OBJECT", "class_name": "Deeper" }] },
      "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Deeper"] }]
    }"#;
    let script = r#"
      import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
      const down = async (n, further) => {
        try { return await further(n + 1); } catch (error) { return `${n} ${error}`; }
      };
      export class Deep extends WorkerEntrypoint {
        call(n) { return down(n, (n) => this.ctx.exports.Deep.call(n)); }
        async fetch({ url }) {
          const n = Number(url.split("/").pop());
          const further = async (n) => (await this.ctx.exports.Deep.fetch(`http://deep/${n}`)).text();
          return new Response(await down(n, further));
        }
      }
      export class Deeper extends DurableObject {
        call(n) { return down(n, (n) => this.env.OBJECT.getByName(`${n}`).call(n)); }
      }
      export default {
        async fetch(request, env, ctx) {
          const { Deep } = ctx.exports;
          return new Response([
            await Deep.call(1),
            await (await Deep.fetch("http://deep/1")).text(),
            await env.OBJECT.getByName("1").call(1),
            // What ended counts no more.
            await env.OBJECT.getByName("1").call(31),
          ].join("\n"));
        },
      };
    "#;
    std::fs::write(dir.path().join("index.js"), script).expect("a file");
    write(dir.path(), config);
    let dev = Dev::start_with(dir.path(), &["--no-persist"]);
    let refused = "31 Error: Subrequest depth limit exceeded. This request recursed through \
                   Workers too many times. This can happen e.g. if you have a Worker or Durable \
                   Object that calls other Workers or objects recursively.";
    let last = refused.replacen("31", "61", 1);
    let expected = [refused, refused, refused, last.as_str()].join("\n");
    assert_eq!(body(&dev, "/"), expected, "{}", dev.process.log());
}
