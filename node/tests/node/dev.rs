//! `outboard dev` and `outboard check` on projects, as a developer uses them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::http::{Request, Upload, get, send};
use crate::support::{Dev, Process, until};

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, content).expect("a file");
    }
    dir
}

const CONFIG: &str = r#"{
  "name": "demo",
  "main": "src/index.ts",
  "compatibility_date": "2026-04-01",
  "vars": { "GREETING": "hello", "LIST": [1, 2] },
}"#;

fn body(dev: &Dev, path: &str) -> String {
    let request = get("localhost", path);
    String::from_utf8_lossy(&send(dev.address, &request).body).into_owned()
}

#[test]
fn who_asks_before_the_first_build_waits_for_the_worker() {
    let dir = project(&[
        ("wrangler.jsonc", CONFIG),
        (
            "src/index.ts",
            "export default { fetch: () => new Response('built') };\n",
        ),
    ]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
    let port = address.port().to_string();
    command.arg("dev").arg(dir.path());
    command.args(["--no-inspector", "--port", &port]);
    let _process = Process::start(command, |_line| {});
    until("it listens", || {
        std::net::TcpStream::connect(address).is_ok()
    });
    let answer = send(address, &get("localhost", "/"));
    assert_eq!(answer.body, b"built", "{}", answer.status);
}

#[test]
fn a_project_is_served_and_reloaded_when_a_file_changes() {
    let dir = project(&[
        ("wrangler.jsonc", CONFIG),
        (".dev.vars", "GREETING=secret hello\n"),
        ("src/name.ts", "export const name: string = 'one';\n"),
        (
            "src/index.ts",
            "import { name } from './name';\nimport page from './page.html';\n\
             export default { fetch: (_: Request, env: any) => new Response(`${env.GREETING} ${name} ${env.LIST[1]} ${page}`) };\n",
        ),
        ("src/page.html", "<p>"),
    ]);
    let dev = Dev::start(dir.path());
    assert_eq!(body(&dev, "/"), "secret hello one 2 <p>");

    std::fs::write(
        dir.path().join("src/name.ts"),
        "export const name = 'two';\n",
    )
    .expect("a file");
    until("the new name", || body(&dev, "/").contains("two"));

    // A syntax error keeps what worked, and says where it is.
    std::fs::write(dir.path().join("src/name.ts"), "export const name = ;\n").expect("a file");
    until("the error", || dev.process.log().contains("name.ts:1:"));
    assert!(body(&dev, "/").contains("two"));

    std::fs::write(
        dir.path().join("src/name.ts"),
        "export const name = 'three';\n",
    )
    .expect("a file");
    until("the third name", || body(&dev, "/").contains("three"));
}

#[test]
fn an_error_shows_the_authors_own_lines() {
    let dir = project(&[
        ("wrangler.jsonc", CONFIG),
        (
            "src/index.ts",
            "interface Unused { a: string }\n\nfunction broken(): never {\n  throw new TypeError('on purpose');\n}\n\
             export default { fetch() { return broken(); } };\n",
        ),
    ]);
    let dev = Dev::start(dir.path());
    let answer = body(&dev, "/");
    assert!(answer.starts_with("TypeError: on purpose"), "{answer}");
    assert!(answer.contains("src/index.ts:4:"), "{answer}");
    until("the log", || dev.process.log().contains("src/index.ts:4:"));
}

#[test]
fn a_scheduled_handler_is_run_by_its_route() {
    let dir = project(&[
        ("wrangler.jsonc", CONFIG),
        (
            "src/index.ts",
            "let ran = 'nothing';\nexport default {\n\
             async scheduled(event: any, env: any, ctx: any) {\n\
               if (event.cron === 'bad') throw new Error('no such cron');\n\
               ctx.waitUntil((async () => { await 0; ran = `${event.cron} ${env.GREETING}`; })());\n\
             },\n  fetch: () => new Response(ran),\n};\n",
        ),
    ]);
    let dev = Dev::start(dir.path());
    assert_eq!(
        body(&dev, "/cdn-cgi/handler/scheduled?cron=*/5+*+*+*+*"),
        "ok"
    );
    assert_eq!(body(&dev, "/"), "*/5 * * * * hello");
    let failed = body(&dev, "/cdn-cgi/handler/scheduled?cron=bad");
    assert!(failed.starts_with("Error: no such cron"), "{failed}");
    let refused = body(&dev, "/cdn-cgi/handler/scheduled?time=noon");
    assert!(refused.starts_with("time: milliseconds"), "{refused}");
}

fn check(dir: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_outboard"))
        .arg("check")
        .arg(dir)
        .output()
        .expect("it runs");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

#[test]
fn check_lists_every_fault_with_file_line_and_field() {
    let dir = project(&[(
        "wrangler.jsonc",
        "{\n  \"name\": \"demo\",\n  \"main\": \"src/gone.ts\",\n  \"compatibility_date\": \"soon\",\n  \"vectorize\": [{ \"binding\": \"V\" }]\n}\n",
    )]);
    let (ok, text) = check(dir.path());
    assert!(!ok, "{text}");
    for part in [
        "wrangler.jsonc:3:",
        "wrangler.jsonc:4:",
        "wrangler.jsonc:5:",
        "vectorize",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let dir = project(&[
        ("wrangler.jsonc", CONFIG),
        (
            "src/index.ts",
            "throw new Error('at the top');\nexport default {};\n",
        ),
    ]);
    let (ok, text) = check(dir.path());
    assert!(
        !ok && text.contains("at the top") && text.contains("src/index.ts:1:"),
        "{text}"
    );
}

#[test]
fn check_warns_beside_faults_and_of_a_script_that_nothing_calls() {
    let config = r#"{ "name": "demo", "main": "src/gone.ts", "compatibility_date": "2026-01-01", "colour": 1 }"#;
    let dir = project(&[("wrangler.jsonc", config)]);
    let (ok, text) = check(dir.path());
    assert!(!ok && text.contains("error: "), "{text}");
    assert!(
        text.contains("warning: ") && text.contains("colour"),
        "{text}"
    );
    let dir = project(&[
        ("wrangler.jsonc", CONFIG),
        ("src/index.ts", "export const answer = 42;\n"),
    ]);
    let (ok, text) = check(dir.path());
    assert!(ok, "{text}");
    let warned = text.contains("warning: src/index.ts: no event handlers");
    assert!(warned, "{text}");
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples")
        .join(name)
}

/// Examples with packages are tested where those are installed, which
/// `scripts/setup` does.
fn installed(name: &str) -> bool {
    let there = example(name).join("node_modules").is_dir();
    if !there {
        println!("SKIPPED: examples/{name} has no node_modules; run scripts/setup");
    }
    there
}

#[test]
fn the_hello_example_answers() {
    let dev = Dev::start(&example("hello"));
    assert!(!body(&dev, "/").is_empty());
    let (ok, text) = check(&example("hello"));
    assert!(ok, "{text}");
}

#[test]
fn the_hono_example_validates_and_stores() {
    if !installed("hono") {
        return;
    }
    let dev = Dev::start(&example("hono"));
    let post = |json: &str| {
        send(
            dev.address,
            &Request {
                method: "POST".into(),
                path: "/api/notes".into(),
                headers: vec![
                    ("host".into(), "localhost".into()),
                    ("content-type".into(), "application/json".into()),
                    ("connection".into(), "close".into()),
                ],
                upload: Upload::Sized(json.as_bytes().to_vec()),
            },
        )
    };
    let refused = post("{}");
    assert!(refused.status.starts_with("400"), "{refused:?}");
    let made = post(r#"{"text":"First of all"}"#);
    assert!(made.status.starts_with("201"), "{made:?}");
    assert!(body(&dev, "/api/notes").contains("First"));
}

#[test]
fn the_agent_example_runs_its_tools_and_streams() {
    if !installed("agent") {
        return;
    }
    let dev = Dev::start(&example("agent"));
    assert!(body(&dev, "/").contains("<!doctype html>"));
    let run = send(
        dev.address,
        &Request {
            method: "POST".into(),
            path: "/api/run".into(),
            headers: vec![
                ("host".into(), dev.address.to_string()),
                ("content-type".into(), "application/json".into()),
                ("connection".into(), "close".into()),
            ],
            upload: Upload::Sized(br#"{"prompt":"try your tools"}"#.to_vec()),
        },
    );
    assert_eq!(
        run.header("content-type")
            .map(|t| t.starts_with("text/event-stream")),
        Some(true)
    );
    let events = String::from_utf8_lossy(&run.body);
    for event in [
        "event: tool_use",
        "event: tool_result",
        "event: text",
        "event: done",
    ] {
        assert!(events.contains(event), "{event} in {events}");
    }
    // The fetch tool reached the example's own facts over the network.
    assert!(events.contains("octopus"), "{events}");
}
