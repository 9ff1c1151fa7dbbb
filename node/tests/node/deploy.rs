//! `outboard deploy` and what goes with it, on a node that runs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use crate::support::http::{get, send};
use crate::support::s3::S3;
use crate::support::{PATIENCE, Process, signal, until};

const OUTBOARD: &str = env!("CARGO_BIN_EXE_outboard");

/// Tenants `acme` and `other`, and a worker of the node's own.
const CONFIG: &str = r#"
listen = "127.0.0.1:0"
lanes = 2
access_log = { enabled = false }
[control]
listen = "127.0.0.1:0"
versions = 4
package_mb = 1
[[tenant]]
name = "acme"
routes = ["acme.test", "*.acme.test"]
limits = { subrequests = 7 }
[[tenant]]
name = "other"
routes = ["other.test", "taken.acme.test"]
[[worker]]
name = "own"
main = "own.js"
routes = ["acme.test/own/*"]
"#;

/// A folder with a node's config and data, and projects.
struct Site {
    dir: tempfile::TempDir,
}

struct Node {
    process: Process,
    address: SocketAddr,
    control: SocketAddr,
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let own = "export default { fetch: () => new Response('own') };";
        std::fs::write(dir.path().join("own.js"), own).expect("a file");
        let site = Self { dir };
        site.configure(CONFIG);
        site
    }

    fn configure(&self, config: &str) {
        std::fs::write(self.config(), config).expect("a file");
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("outboard.toml")
    }

    fn start(&self) -> Node {
        let mut command = Command::new(OUTBOARD);
        command.arg("serve").arg("--config").arg(self.config());
        let (lines, heard) = mpsc::channel();
        let process = Process::start(command, move |line| {
            // The test may have given up.
            let _ = lines.send(line.to_string());
        });
        let address = |what: &str| {
            let line = heard.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no {what}:\n{}", process.log()));
            let address = line.strip_prefix(what).and_then(|rest| rest.parse().ok());
            address.unwrap_or_else(|| panic!("{line:?}"))
        };
        let control = address("control on http://");
        let address = address("ready on http://");
        Node {
            process,
            address,
            control,
        }
    }

    /// A project `name` with these fields and this script.
    fn project(&self, name: &str, fields: &str, script: &str) -> PathBuf {
        let folder = self.dir.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let config = format!(
            r#"{{ "name": "{name}", "main": "index.js", "compatibility_date": "2026-04-01", {fields} }}"#
        );
        std::fs::write(folder.join("wrangler.jsonc"), config).expect("a file");
        std::fs::write(folder.join("index.js"), script).expect("a file");
        folder
    }

    /// The worker `api` of acme.
    fn api(&self, script: &str) -> PathBuf {
        self.project("api", r#""routes": ["acme.test/*"]"#, script)
    }

    fn token(&self, tenant: &str, options: &[&str]) -> String {
        let mut command = Command::new(OUTBOARD);
        command.args(["token", "create", "--tenant", tenant]);
        command.arg("--config").arg(self.config()).args(options);
        done(command.output().expect("outboard runs")).trim().into()
    }

    fn tokens(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(OUTBOARD);
        command
            .arg("token")
            .args(arguments)
            .arg("--config")
            .arg(self.config());
        command.output().expect("outboard runs")
    }
}

impl Node {
    /// Runs a command against the node, with standard input.
    fn run(&self, token: &str, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(OUTBOARD)
            .args(arguments)
            .env("OUTBOARD_URL", format!("http://{}", self.control))
            .env("OUTBOARD_TOKEN", token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("outboard runs");
        let mut stdin = child.stdin.take().expect("it is piped");
        // One that ends early reads nothing.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("it ends")
    }

    #[track_caller]
    fn done(&self, token: &str, arguments: &[&str]) -> String {
        done(self.run(token, arguments, ""))
    }

    #[track_caller]
    fn refused(&self, token: &str, arguments: &[&str]) -> String {
        refused(self.run(token, arguments, ""))
    }

    #[track_caller]
    fn deploy(&self, token: &str, folder: &Path) -> String {
        self.done(token, &["deploy", &folder.display().to_string()])
    }

    #[track_caller]
    fn deploy_refused(&self, token: &str, folder: &Path) -> String {
        self.refused(token, &["deploy", &folder.display().to_string()])
    }

    fn text(&self, host: &str, path: &str) -> String {
        text(self.address, host, path)
    }

    /// What the API answers to a request as it is written.
    fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.control).expect("a connection");
        stream.write_all(request).expect("it is sent");
        let mut answer = Vec::new();
        // It may be reset.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn reload(&self, line: &str) {
        let before = self.process.log().len();
        signal(&self.process, libc::SIGHUP);
        until(line, || self.process.log().split_off(before).contains(line));
    }
}

fn text(address: SocketAddr, host: &str, path: &str) -> String {
    String::from_utf8_lossy(&send(address, &get(host, path)).body).into_owned()
}

#[track_caller]
fn done(output: Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn refused(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "it is not refused: {said}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn says(what: &str) -> String {
    format!("export default {{ fetch: (request, env) => new Response({what}) }};")
}

#[test]
fn versions_are_deployed_kept_and_rolled_back() {
    let site = Site::new();
    let node = site.start();
    let token = site.token("acme", &[]);
    assert_eq!(
        node.text("acme.test", "/"),
        "no worker is routed at acme.test/"
    );

    let folder = site.api(&says("'one'"));
    let told = node.deploy(&token, &folder);
    assert!(told.contains("serves api version 1"), "{told}");
    assert!(told.contains("acme.test/*"), "{told}");
    assert_eq!(node.text("acme.test", "/"), "one");
    // The node's own route is more specific.
    assert_eq!(node.text("acme.test", "/own/x"), "own");
    for version in 2..=6 {
        node.deploy(&token, &site.api(&says(&format!("'v{version}'"))));
        assert_eq!(node.text("acme.test", "/"), format!("v{version}"));
    }
    let by_name = ["--name", "api"];
    let list = node.done(&token, &["versions", "list", "--name", "api"]);
    assert!(list.starts_with("*     6  "), "{list}");
    assert_eq!(
        list.lines().count(),
        4,
        "as many as the config says: {list}"
    );

    node.done(&token, &[&["rollback"], &by_name[..]].concat());
    assert_eq!(node.text("acme.test", "/"), "v5");
    node.done(&token, &[&["rollback", "3"], &by_name[..]].concat());
    assert_eq!(node.text("acme.test", "/"), "v3");
    let none = node.refused(&token, &[&["rollback"], &by_name[..]].concat());
    assert!(none.contains("has no version before"), "{none}");
    let none = node.refused(&token, &[&["rollback", "1"], &by_name[..]].concat());
    assert!(none.contains("worker \"api\" has no version 1"), "{none}");
    // By the project, and over a new process that was killed.
    drop(node);
    let node = site.start();
    assert_eq!(node.text("acme.test", "/"), "v3");
    let dir = folder.display().to_string();
    let list = node.done(&token, &["versions", "list", "--dir", &dir]);
    assert!(list.contains("*     3"), "{list}");
    node.deploy(&token, &site.api(&says("'seven'")));
    assert_eq!(node.text("acme.test", "/"), "seven");
    let list = node.done(&token, &["versions", "list", "--dir", &dir]);
    assert!(list.contains("*     7"), "{list}");
}

#[test]
fn a_worker_is_deleted_unless_another_calls_it() {
    let site = Site::new();
    let node = site.start();
    let token = site.token("acme", &[]);
    let back = site.project(
        "back",
        r#""kv_namespaces": [{ "binding": "KV", "id": "kept" }]"#,
        "export default { async fetch(request, { KV }) {
           const before = await KV.get('key');
           await KV.put('key', 'kept');
           return new Response(before);
         } };",
    );
    node.deploy(&token, &back);
    let bound =
        r#""routes": ["acme.test/*"], "services": [{ "binding": "BACK", "service": "back" }]"#;
    let script = "export default { fetch: (request, { BACK }) => BACK.fetch(request) };";
    node.deploy(&token, &site.project("api", bound, script));
    assert_eq!(node.text("acme.test", "/"), "");

    let delete = |name: &'static str| ["delete", "--name", name];
    let told = node.refused(&token, &delete("back"));
    assert!(
        told.contains("worker \"api\" is bound to \"back\""),
        "{told}"
    );
    let other = site.token("other", &[]);
    let told = node.refused(&other, &delete("api"));
    assert!(told.contains("there is no worker \"api\""), "{told}");
    assert_eq!(node.text("acme.test", "/"), "kept");

    let told = node.done(&token, &delete("api"));
    assert!(told.starts_with("api is deleted on http://"), "{told}");
    assert_eq!(
        node.text("acme.test", "/"),
        "no worker is routed at acme.test/"
    );
    let told = node.refused(&token, &delete("api"));
    assert!(told.contains("there is no worker \"api\""), "{told}");
    node.done(&token, &delete("back"));
    drop(node);
    let node = site.start();
    assert_eq!(
        node.text("acme.test", "/"),
        "no worker is routed at acme.test/"
    );
    node.deploy(&token, &back);
    node.deploy(&token, &site.project("api", bound, script));
    assert_eq!(node.text("acme.test", "/"), "kept");
}

#[test]
fn secrets_are_set_and_never_shown() {
    let site = Site::new();
    let node = site.start();
    let token = site.token("acme", &[]);
    let fields = r#""routes": ["acme.test/*"], "vars": { "NAME": "var" }, "secrets": { "required": ["KEY"] }"#;
    let script = says("`${env.NAME} ${env.KEY} ${env.OTHER}`");
    let folder = site.project("api", fields, &script);
    let missing = node.deploy_refused(&token, &folder);
    assert!(
        missing.contains("secrets.required: \"KEY\" is not set"),
        "{missing}"
    );
    let put = |name: &str, value: &str| {
        node.run(&token, &["secret", "put", name, "--name", "api"], value)
    };
    let told = done(put("KEY", "hunter2\n"));
    assert!(told.contains("has it when it is deployed"), "{told}");
    node.deploy(&token, &folder);
    assert_eq!(node.text("acme.test", "/"), "var hunter2 undefined");

    let told = done(put("OTHER", "swordfish"));
    assert!(told.contains("serves api version 2"), "{told}");
    // A secret of a var's name replaces it.
    done(put("NAME", "secret"));
    assert_eq!(node.text("acme.test", "/"), "secret hunter2 swordfish");
    let list = node.done(&token, &["secret", "list", "--name", "api"]);
    assert_eq!(list, "KEY\nNAME\nOTHER\n");
    node.done(&token, &["secret", "delete", "OTHER", "--name", "api"]);
    assert_eq!(node.text("acme.test", "/"), "secret hunter2 undefined");
    // A version of before comes with its secrets.
    node.done(&token, &["rollback", "2", "--name", "api"]);
    assert_eq!(node.text("acme.test", "/"), "var hunter2 swordfish");

    // What a script cannot do without stays.
    let kept = node.refused(&token, &["secret", "delete", "KEY", "--name", "api"]);
    assert!(
        kept.contains("secrets.required: \"KEY\" is not set"),
        "{kept}"
    );
    // A name is no path: none of these is KEY.
    for name in ["KEY?x", "KEY#x", "../KEY", "K Y", ""] {
        let told = refused(put(name, "x"));
        assert!(
            told.contains(&format!("SECRET: {name:?}: a name has")),
            "{told}"
        );
    }
    let told = node.refused(&token, &["delete", "--name", "api/secrets/NAME"]);
    assert!(
        told.contains("--name: \"api/secrets/NAME\": a name has"),
        "{told}"
    );
    for (name, value, fault) in [
        ("1KEY", "x", "secret: \"1KEY\": a name has letters"),
        ("KEY", "", "secret: it has no value"),
        (
            "KEY",
            &*"x".repeat(65_537),
            "secret: its value has more than 65536 bytes",
        ),
    ] {
        let told = refused(put(name, value));
        assert!(told.contains(fault), "{told}");
    }
    let none = node.refused(&token, &["secret", "delete", "NONE", "--name", "api"]);
    assert!(
        none.contains("worker \"api\" has no secret \"NONE\""),
        "{none}"
    );
    let log = node.process.log();
    assert!(
        !log.contains("hunter2") && !log.contains("swordfish"),
        "{log}"
    );
    drop(node);
    let node = site.start();
    assert_eq!(node.text("acme.test", "/"), "var hunter2 swordfish");
}

#[test]
fn tokens_are_checked_and_reach_their_own_tenant() {
    let site = Site::new();
    let node = site.start();
    let acme = site.token("acme", &["--expires", "1h"]);
    let other = site.token("other", &[]);
    let folder = site.api(&says("'acme'"));
    node.deploy(&acme, &folder);

    let mut wrong = acme.clone();
    let last = if wrong.ends_with('A') { "B" } else { "A" };
    wrong.replace_range(wrong.len() - 1.., last);
    let expired = site.token("acme", &["--expires", "0s"]);
    let revoked = site.token("acme", &[]);
    let id = revoked.split('_').nth(1).expect("its id");
    done(site.tokens(&["revoke", id]));
    for (token, fault) in [
        (&*wrong, "the token is not valid"),
        (&*revoked, "the token is not valid"),
        ("something else", "the token is not valid"),
        (&*expired, "the token has expired"),
    ] {
        let told = node.deploy_refused(token, &site.api(&says("'bad'")));
        assert!(told.contains(fault), "{told}");
        assert!(!told.contains(token), "{told}");
    }
    let told = node.raw(b"GET /v1/workers HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(told.starts_with("HTTP/1.1 401"), "{told}");
    let list = done(site.tokens(&["list"]));
    assert!(list.contains("has expired") && !list.contains(id), "{list}");
    let nobody = refused(site.tokens(&["create", "--tenant", "nobody"]));
    assert!(
        nobody.contains("no [[tenant]] is called \"nobody\""),
        "{nobody}"
    );

    // Another tenant's token: acme's worker is not there for it.
    for arguments in [
        &["versions", "list", "--name", "api"][..],
        &["rollback", "--name", "api"],
        &["secret", "list", "--name", "api"],
        &["secret", "delete", "KEY", "--name", "api"],
    ] {
        let told = node.refused(&other, arguments);
        assert!(told.contains("there is no worker \"api\""), "{told}");
    }
    // Nor may it take its routes, whoever has more of a host.
    for (route, fault) in [
        ("acme.test/*", "routes[0]: \"acme.test/*\" is not within"),
        ("*", "routes[0]: \"*\" is not within"),
        ("x.other.test", "routes[0]: \"x.other.test\" is not within"),
        (
            "https://other.test",
            "routes[0]: \"https://other.test\": a route is a host",
        ),
    ] {
        let told = node.refused(
            &other,
            &["deploy", &folder.display().to_string(), "--route", route],
        );
        assert!(told.contains(fault), "{told}");
    }
    for route in ["taken.acme.test/x", "acme.test/own/x", "*.test"] {
        let told = node.refused(
            &acme,
            &["deploy", &folder.display().to_string(), "--route", route],
        );
        assert!(
            told.contains("is not within the routes of this tenant"),
            "{route}: {told}"
        );
    }
    // A worker of the same name is the other tenant's own.
    let theirs = site.project("api", r#""routes": ["other.test"]"#, &says("'other'"));
    node.deploy(&other, &theirs);
    assert_eq!(node.text("other.test", "/"), "other");
    assert_eq!(node.text("acme.test", "/"), "acme");
    // Two workers of a tenant do not share a route.
    let second = site.project("second", r#""routes": ["acme.test/*"]"#, &says("'second'"));
    let told = node.deploy_refused(&acme, &second);
    assert!(
        told.contains("is a route of \"acme/api\" already"),
        "{told}"
    );

    // A tenant that is no more has nothing served, and nobody's token.
    site.configure(&CONFIG.replace("name = \"other\"", "name = \"another\""));
    node.reload("config reloaded");
    assert_eq!(
        node.text("other.test", "/"),
        "no worker is routed at other.test/"
    );
    assert_eq!(node.text("acme.test", "/"), "acme");
    let told = node.refused(&other, &["versions", "list", "--name", "api"]);
    assert!(told.contains("the token's tenant is not served"), "{told}");
}

#[test]
fn a_bad_deployment_leaves_the_version_that_is_served() {
    let site = Site::new();
    let node = site.start();
    let token = site.token("acme", &[]);
    node.deploy(&token, &site.api(&says("'good'")));
    for (fields, script, fault) in [
        (
            r#""routes": ["acme.test/*"]"#,
            "throw new Error('at start');",
            "the script does not start: Error: at start",
        ),
        (
            r#""routes": ["acme.test/*"]"#,
            "while (true) globalThis.x = 1;",
            "the script does not start",
        ),
        (
            r#""services": [{ "binding": "B", "service": "none" }]"#,
            "export default {};",
            "services.B: there is no worker \"none\"",
        ),
        (
            r#""durable_objects": { "bindings": [{ "name": "D", "class_name": "Missing" }] }"#,
            "export default {};",
            "durable_objects.D: the script exports no class \"Missing\"",
        ),
        (
            r#""migrations": [{ "tag": "v1", "new_sqlite_classes": ["Missing"] }]"#,
            "export default {};",
            "migrations[0]: the script exports no class \"Missing\"",
        ),
    ] {
        let told = node.deploy_refused(&token, &site.project("api", fields, script));
        assert!(told.contains(fault), "{told}");
        assert_eq!(node.text("acme.test", "/"), "good");
    }
    let large = format!("// {}\n{}", "x".repeat(2 << 20), says("'large'"));
    let fields = r#""routes": ["acme.test/*"], "no_bundle": true"#;
    let told = node.deploy_refused(&token, &site.project("api", fields, &large));
    assert!(told.contains("the body is over 1048576 bytes"), "{told}");

    // Half-finished, and no package at all.
    let head = |length: usize| {
        format!(
            "PUT /v1/workers/api HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n"
        )
    };
    let mut half = TcpStream::connect(node.control).expect("a connection");
    let begun = format!("{}outboard package 1\n100\n{{", head(5_000));
    half.write_all(begun.as_bytes()).expect("it is sent");
    drop(half);
    let told = node.raw(format!("{}nonsense", head(8)).as_bytes());
    assert!(told.starts_with("HTTP/1.1 400"), "{told}");
    assert!(told.contains("this is no package of a worker"), "{told}");
    let later = format!("{}outboard package 9\n2\n{{}}", head(23));
    let told = node.raw(later.as_bytes());
    assert!(told.contains("the package has the format 9"), "{told}");
    for (request, status) in [
        ("POST /v1/workers", "405"),
        ("POST /v1/workers/api", "405"),
        ("GET /v2/workers", "404"),
        ("GET /v1/workers/..%2f..%2fother/versions", "404"),
        ("GET /v1/workers/%2e%2e/versions", "404"),
    ] {
        let request = format!(
            "{request} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        );
        let told = node.raw(request.as_bytes());
        assert!(
            told.starts_with(&format!("HTTP/1.1 {status}")),
            "{request}: {told}"
        );
    }
    assert_eq!(node.text("acme.test", "/"), "good");
    let list = node.done(&token, &["versions", "list", "--name", "api"]);
    assert_eq!(list.lines().count(), 1, "{list}");
    let wrong = Command::new(OUTBOARD)
        .args(["versions", "list", "--name", "api", "--to", "nowhere"])
        .output()
        .expect("outboard runs");
    assert!(refused(wrong).contains("--to: \"nowhere\" is no address"));
}

#[test]
fn updates_under_load_drop_no_request() {
    let site = Site::new();
    let node = site.start();
    let token = site.token("acme", &[]);
    let version = |number: u32| {
        format!(
            "export default {{ async fetch() {{
               await new Promise((done) => setTimeout(done, {}));
               return new Response('v{number}');
             }} }};",
            number % 3 * 20
        )
    };
    node.deploy(&token, &site.api(&version(0)));
    let (stop, served) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let answer = send(node.address, &get("acme.test", "/"));
                    let body = String::from_utf8_lossy(&answer.body).into_owned();
                    assert!(
                        answer.status.starts_with("200"),
                        "{}: {body}",
                        answer.status
                    );
                    assert!(body.starts_with('v'), "{body}");
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for number in 1..=8 {
            node.deploy(&token, &site.api(&version(number)));
            assert_eq!(node.text("acme.test", "/"), format!("v{number}"));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(served.load(Ordering::Relaxed) > 50);
}

/// A worker whose objects count.
const COUNTER: &str = "import { DurableObject } from 'cloudflare:workers';
    export class A extends DurableObject {
      count() {
        const count = (this.ctx.storage.kv.get('count') ?? 0) + 1;
        this.ctx.storage.kv.put('count', count);
        return count;
      }
    }
    export class B extends A {}
    export default { async fetch(request, env) {
      await env.KV?.put('key', request.headers.get('host'));
      return new Response(`${await env.COUNTER.getByName('x').count()} ${await env.KV?.get('key')}`);
    } };";

fn counter(class: &str, migrations: &str, route: &str) -> String {
    format!(
        r#""routes": ["{route}"], "kv_namespaces": [{{ "binding": "KV", "id": "shared" }}],
           "durable_objects": {{ "bindings": [{{ "name": "COUNTER", "class_name": "{class}" }}] }},
           "migrations": [{migrations}]"#
    )
}

#[test]
fn what_workers_keep_is_their_tenants_own_and_migrations_go_one_way() {
    let site = Site::new();
    let node = site.start();
    let (acme, other) = (site.token("acme", &[]), site.token("other", &[]));
    let v1 = r#"{ "tag": "v1", "new_sqlite_classes": ["A"] }"#;
    let project = |class: &str, migrations: &str, route: &str| {
        site.project("api", &counter(class, migrations, route), COUNTER)
    };
    node.deploy(&acme, &project("A", v1, "acme.test/*"));
    assert_eq!(node.text("acme.test", "/"), "1 acme.test");
    // The same names, and nothing of it is shared.
    node.deploy(&other, &project("A", v1, "other.test/*"));
    assert_eq!(node.text("other.test", "/"), "1 other.test");
    assert_eq!(node.text("acme.test", "/"), "2 acme.test");

    let v2 =
        format!(r#"{v1}, {{ "tag": "v2", "renamed_classes": [{{ "from": "A", "to": "B" }}] }}"#);
    node.deploy(&acme, &project("B", &v2, "acme.test/*"));
    assert_eq!(node.text("acme.test", "/"), "3 acme.test");
    let told = node.refused(&acme, &["rollback", "--name", "api"]);
    assert!(
        told.contains("migrations: those up to \"v2\" were applied here"),
        "{told}"
    );
    assert_eq!(node.text("acme.test", "/"), "4 acme.test");

    // A worker calls another of its tenant, which needs no route.
    let back = site.project("back", r#""routes": []"#, &says("'back'"));
    node.deploy(&acme, &back);
    let services =
        r#""routes": ["front.acme.test"], "services": [{ "binding": "BACK", "service": "back" }]"#;
    let script = "export default { fetch: (request, env) => env.BACK.fetch(request) };";
    let front = site.project("front", services, script);
    node.deploy(&acme, &front);
    assert_eq!(node.text("front.acme.test", "/"), "back");
    let told = node.refused(
        &other,
        &[
            "deploy",
            &front.display().to_string(),
            "--route",
            "other.test/front",
        ],
    );
    assert!(
        told.contains("services.BACK: there is no worker \"back\""),
        "{told}"
    );
    drop(node);
    let node = site.start();
    assert_eq!(node.text("front.acme.test", "/"), "back");
    assert_eq!(node.text("acme.test", "/"), "5 acme.test");
    assert_eq!(node.text("other.test", "/"), "2 other.test");
}

#[test]
fn a_tenants_database_is_asked_from_the_command_line() {
    let site = Site::new();
    let token = site.token("acme", &[]);
    let node = site.start();
    let fields = r#""routes": ["acme.test/*"], "d1_databases": [{ "binding": "DB", "database_id": "shop" }]"#;
    let script = "export default { async fetch(request, { DB }) {
        await DB.exec(`CREATE TABLE IF NOT EXISTS visits (path)`);
        await DB.prepare('INSERT INTO visits VALUES (?)').bind(new URL(request.url).pathname).run();
        return new Response('noted');
    } };";
    let folder = site.project("api", fields, script);
    node.deploy(&token, &folder);
    assert_eq!(node.text("acme.test", "/a"), "noted");
    drop(node);
    let mut command = Command::new(OUTBOARD);
    command.args([
        "d1",
        "execute",
        "DB",
        "--command",
        "SELECT path FROM visits",
    ]);
    command.arg("--dir").arg(&folder);
    command.arg("--data").arg(site.dir.path().join("data"));
    command.args(["--tenant", "acme"]);
    let told = done(command.output().expect("outboard runs"));
    assert_eq!(told, "path\n----\n/a\n");
}

/// Kills nodes while they deploy. `OUTBOARD_KILLS` says how many.
#[test]
fn a_killed_deployment_has_happened_or_not() {
    let site = Site::new();
    let token = site.token("acme", &[]);
    let node = site.start();
    node.deploy(&token, &site.api(&says("'v0'")));
    let mut node = node;
    let kills = std::env::var("OUTBOARD_KILLS").ok();
    let kills = kills.map_or(5, |kills| kills.parse().expect("a number"));
    let mut served = 0;
    for number in 1..=kills {
        let folder = site.api(&says(&format!("'v{number}'")));
        let moment = Duration::from_millis(number * 61 % 300);
        let acknowledged = std::thread::scope(|scope| {
            let deploying = scope.spawn(|| {
                let arguments = ["deploy", &folder.display().to_string()];
                node.run(&token, &arguments, "").status.success()
            });
            std::thread::sleep(moment);
            signal(&node.process, libc::SIGKILL);
            deploying.join().expect("it ends")
        });
        node.process.wait(PATIENCE);
        node = site.start();
        let body = node.text("acme.test", "/");
        let is_new = body == format!("v{number}");
        assert!(
            is_new || (!acknowledged && body == format!("v{served}")),
            "{body}"
        );
        if is_new {
            served = number;
        }
    }
    node.deploy(&token, &site.api(&says("'last'")));
    assert_eq!(node.text("acme.test", "/"), "last");
    // Nothing is left of what did not happen.
    let worker = site.dir.path().join("data/control/workers/acme/api");
    let left = std::fs::read_dir(&worker)
        .expect("the worker's folder")
        .count();
    assert_eq!(left, 2, "the state and the packages");
}

/// A tenant's `files` is its own, also where the node's config has a bucket on S3 of that
/// name; the config may say that the tenant's is on S3 too.
#[test]
fn a_tenant_reaches_a_bucket_on_s3_if_the_config_says_so() {
    let Some(s3) = S3::start() else {
        return;
    };
    let site = Site::new();
    let bucket = s3.bucket("files", "s3://bucket/own");
    site.configure(&format!("{CONFIG}{bucket}"));
    let node = site.start();
    let token = site.token("acme", &[]);
    let script = "export default { async fetch(request, { FILES }) {
      const { pathname } = new URL(request.url);
      await FILES.put(pathname, 'x');
      return new Response((await FILES.list()).objects.map(({ key }) => key).join());
    } };";
    let fields = r#""routes": ["acme.test/*"], "r2_buckets": [{ "binding": "FILES", "bucket_name": "files" }]"#;
    node.deploy(&token, &site.project("api", fields, script));
    assert_eq!(node.text("acme.test", "/here"), "/here");
    let keys = "print([o['Key'] for o in s3.list_objects_v2(Bucket='bucket').get('Contents', [])])";
    assert_eq!(s3.python(keys), "[]");
    let theirs = s3.bucket("acme/files", "s3://bucket/acme");
    site.configure(&format!("{CONFIG}{bucket}{theirs}"));
    node.reload("config reloaded");
    assert_eq!(
        node.text("acme.test", "/there"),
        "/there",
        "{}",
        node.process.log()
    );
    assert_eq!(s3.python(keys), "['acme//there']");
}
