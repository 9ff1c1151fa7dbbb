//! Tail workers of a node: they hear what others do, and cost those nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::http::{get, send};
use crate::support::{Dev, Outboard, until};

/// Writes a project; `rest` are more fields of its configuration.
fn write(dir: &Path, name: &str, rest: &str, script: &str) {
    let folder = dir.join(name);
    std::fs::create_dir(&folder).expect("a folder");
    let config = format!(
        r#"{{ "name": "{name}", "main": "index.js", "compatibility_date": "2026-04-01",
             "kv_namespaces": [{{ "binding": "HEARD", "id": "heard" }}]{rest} }}"#
    );
    std::fs::write(folder.join("wrangler.jsonc"), config).expect("a file");
    std::fs::write(folder.join("index.js"), script).expect("a file");
}

fn serve(dir: &Path, names: &[&str]) -> Outboard {
    let mut config = format!("lanes = 1\ndata = {:?}\n", dir.join("data"));
    for name in names {
        config += &format!(
            "[[worker]]\nname = {name:?}\ndir = {:?}\nroutes = [\"{name}.test/*\"]\n",
            dir.join(name)
        );
    }
    Outboard::serve(&config)
}

fn ask(server: &Outboard, host: &str, path: &str) -> String {
    let answer = send(server.address, &get(host, path));
    String::from_utf8_lossy(&answer.body).into_owned()
}

const SHOP: &str = "export default { fetch(request) {
  console.log('sold', new URL(request.url).pathname);
  return new Response('sold');
} };";

#[test]
fn tail_workers_of_a_node_hear_what_its_workers_do() {
    let dir = tempfile::tempdir().expect("a folder");
    let tails = r#", "tail_consumers": [{ "service": "log" }],
                   "streaming_tail_consumers": [{ "service": "watch" }]"#;
    write(dir.path(), "shop", tails, SHOP);
    let read = "async fetch(request, env) { return new Response(await env.HEARD.get(NAME)); }";
    let log = format!(
        "const NAME = 'log';
         export default {{ {read},
           async tail([item], env) {{
             const {{ scriptName, outcome, logs, event }} = item;
             await env.HEARD.put(NAME, JSON.stringify(
               [scriptName, outcome, logs[0].message, event.response.status]));
           }} }};"
    );
    write(dir.path(), "log", "", &log);
    let watch = format!(
        "const NAME = 'watch';
         export default {{ {read},
           tailStream(onset, env, ctx) {{
             const types = [onset.event.scriptName];
             return (told) => {{
               types.push(told.event.type);
               if (told.event.type === 'outcome') {{
                 ctx.waitUntil(env.HEARD.put(NAME, types.join(' ')));
               }}
             }};
           }} }};"
    );
    write(dir.path(), "watch", "", &watch);
    let server = serve(dir.path(), &["shop", "log", "watch"]);
    assert_eq!(ask(&server, "shop.test", "/tea"), "sold");
    let heard = r#"["shop","ok",["sold","/tea"],200]"#;
    until("tail()", || ask(&server, "log.test", "/") == heard);
    let heard = "shop log return outcome";
    until("tailStream()", || ask(&server, "watch.test", "/") == heard);
}

#[test]
fn a_tail_worker_that_loops_or_throws_holds_up_nobody() {
    let dir = tempfile::tempdir().expect("a folder");
    let tails = r#", "tail_consumers": [{ "service": "loops" }, { "service": "throws" }],
                   "streaming_tail_consumers": [{ "service": "loops" }]"#;
    write(dir.path(), "shop", tails, SHOP);
    let loops = "export default { tail() { for (;;); }, tailStream() { for (;;); } };";
    let limits = r#", "limits": { "cpu_ms": 2000 }"#;
    write(dir.path(), "loops", limits, loops);
    let throws = "export default { tail() { throw new Error('of no use'); } };";
    write(dir.path(), "throws", "", throws);
    let server = serve(dir.path(), &["shop", "loops", "throws"]);
    let begun = Instant::now();
    for _ in 0..400 {
        assert_eq!(ask(&server, "shop.test", "/"), "sold");
    }
    // On the same lane each of them would wait for 2 s.
    assert!(begun.elapsed() < Duration::from_secs(400));
    // More of them end than may wait.
    until("a line of what is dropped", || {
        assert_eq!(ask(&server, "shop.test", "/"), "sold");
        server
            .process
            .log()
            .contains("were not told to the tail worker")
    });
}

#[test]
fn a_worker_in_development_may_tail_itself() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = "export default {
      async fetch(request, env) {
        console.warn('asked');
        return new Response(await env.HEARD.get('heard') ?? '');
      },
      async tail([{ logs }], env) {
        if (logs.length > 0) await env.HEARD.put('heard', logs[0].level);
      },
    };";
    write(
        dir.path(),
        "own",
        r#", "tail_consumers": [{ "service": "own" }]"#,
        script,
    );
    let dev = Dev::start(&dir.path().join("own"));
    until("its own log", || {
        send(dev.address, &get("localhost", "/")).body == b"warn"
    });
}

#[test]
fn a_tail_worker_that_is_not_there_is_a_fault() {
    let dir = tempfile::tempdir().expect("a folder");
    let tails = r#", "tail_consumers": [{ "service": "nobody" }]"#;
    write(dir.path(), "shop", tails, SHOP);
    let file = dir.path().join("outboard.toml");
    let config = "listen = \"127.0.0.1:0\"\n[[worker]]\nname = \"shop\"\ndir = \"shop\"\n\
                  routes = [\"shop.test/*\"]\n";
    std::fs::write(&file, config).expect("a file");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_outboard"));
    let output = command.args(["serve", "--config"]).arg(&file).output();
    let told = output.expect("outboard runs").stderr;
    let told = String::from_utf8_lossy(&told);
    let fault = "worker \"shop\": tail_consumers: \"nobody\": no worker is called so";
    assert!(told.contains(fault), "{told}");
}
