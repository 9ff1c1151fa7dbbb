//! `outboard workerd`: the same configurations in npm workerd, with equal results.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;

use crate::parity::program;
use crate::support::http::{get, send};
use crate::support::{PATIENCE, Process};

/// Exports that pass and fail, bindings, and calls to itself and to another.
const CONFIG: &str = r#"
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "main.js", esModule = embed "main.js"), (name = "note", text = "a note")],
      compatibilityDate = "2026-04-01",
      bindings = [
        (name = "TEXT", text = "text"),
        (name = "JSON", json = "{\"a\":[1]}"),
        (name = "DATA", data = "\x01\xff"),
        (name = "KEY", cryptoKey = (raw = "secret", algorithm = (json = "{\"name\":\"HMAC\",\"hash\":\"SHA-256\"}"), usages = [sign])),
        (name = "SELF", service = "main"),
        (name = "OTHER", service = (name = "other", entrypoint = "named", props = (json = "{\"who\":\"main\"}"))),
        (name = "MISSING", fromEnvironment = "OUTBOARD_NO_SUCH_VARIABLE"),
      ],
    )),
    (name = "other", worker = (
      modules = [(name = "other.js", esModule = embed "other.js")],
      compatibilityDate = "2026-04-01",
      globalOutbound = "main",
    )),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
"#;

const MAIN: &str = r#"
import note from "note";
const equal = (a, b) => {
  if (JSON.stringify(a) !== JSON.stringify(b)) {
    throw new Error(`${JSON.stringify(a)} is not ${JSON.stringify(b)}`);
  }
};
export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/throw") throw new RangeError("far too much");
    if (pathname === "/headers") return Response.json([...request.headers]);
    if (pathname === "/error") return Response.error();
    if (pathname === "/deep") return env.SELF.fetch("http://main.test/plain");
    if (pathname === "/socket") {
      const { 0: client, 1: server } = new WebSocketPair();
      server.accept();
      server.addEventListener("message", ({ data }) => {
        server.send(`echo ${data}`);
        server.close(1000, "done");
      });
      return new Response(null, { status: 101, webSocket: client });
    }
    return new Response(`${request.method} ${request.url} ${await request.text()}`);
  },
  async test(controller, env, ctx) {
    equal([env.TEXT, env.JSON, note, env.MISSING ?? null], ["text", { a: [1] }, "a note", null]);
    equal([...new Uint8Array(env.DATA)], [1, 255]);
    equal(env.KEY.type, "secret");
    const signed = await crypto.subtle.sign("HMAC", env.KEY, new Uint8Array(1));
    equal(signed.byteLength, 32);
  },
};
export const calls = {
  async test(controller, env) {
    const answer = await env.SELF.fetch("https://main.test/x?y#z", { method: "POST", body: "body" });
    equal(await answer.text(), "POST https://main.test/x?y body");
    equal(await (await env.SELF.fetch("http://main.test/deep")).text(), "GET http://main.test/plain ");
    equal(await (await env.OTHER.fetch("http://other.test/")).text(), '{"who":"main"}');
    equal(await (await env.OTHER.fetch("http://other.test/out")).text(), "GET http://anywhere.test/ ");
  },
};
export const streams = {
  async test(controller, env) {
    const { readable, writable } = new IdentityTransformStream();
    const answer = env.SELF.fetch("http://main.test/", { method: "POST", body: readable });
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode("one "));
    await writer.write(new TextEncoder().encode("two"));
    await writer.close();
    equal(await (await answer).text(), "POST http://main.test/ one two");
  },
};
export const sockets = {
  async test(controller, env) {
    const headers = { upgrade: "websocket" };
    const { webSocket } = await env.SELF.fetch("http://main.test/socket", { headers });
    webSocket.accept();
    const message = new Promise((resolve) => webSocket.addEventListener("message", resolve));
    const closed = new Promise((resolve) => webSocket.addEventListener("close", resolve));
    webSocket.send("hello");
    equal((await message).data, "echo hello");
    equal((await closed).reason, "done");
    webSocket.close();
    equal([...new WebSocketPair()].length, 2);
  },
};
export const errors = {
  async test(controller, env) {
    const error = await env.SELF.fetch("http://main.test/error").catch((error) => error);
    equal(error.message, "Return value from serve handler must not be an error response (like Response.error())");
  },
};
export const lengths = {
  async test(controller, env) {
    const seen = async (init) => {
      const answer = await env.SELF.fetch("http://main.test/headers", init);
      return await answer.json();
    };
    const text = ["content-type", "text/plain;charset=UTF-8"];
    const stream = new Response("abc").body.pipeThrough(new TransformStream());
    equal(await seen({}), []);
    equal(await seen({ method: "POST" }), []);
    equal(await seen({ method: "POST", body: "abc" }), [["content-length", "3"], text]);
    equal(await seen({ method: "PUT", body: new Uint8Array(0) }), [["content-length", "0"]]);
    equal(await seen({ method: "POST", body: stream }), [["transfer-encoding", "chunked"]]);
    equal(await seen({ headers: { host: "else.test" } }), [["host", "else.test"]]);
  },
};
export const throws = {
  async test(controller, env) {
    try {
      await env.SELF.fetch("http://main.test/throw");
    } catch (error) {
      equal([error.name, error.message], ["RangeError", "far too much"]);
      return;
    }
    throw new Error("nothing was thrown");
  },
};
export const fails = { test() { throw new Error("on purpose"); } };
export const rejects = { async test() { await Promise.reject(new Error("on purpose")); } };
export const silent = {};
"#;

const OTHER: &str = r#"
export default {};
export const named = {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/out") return fetch("http://anywhere.test/");
    return Response.json(ctx.props);
  },
};
"#;

fn scratch() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("config.capnp", CONFIG),
        ("main.js", MAIN),
        ("other.js", OTHER),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

pub(crate) fn run(program: &Path, arguments: &[&str], folder: &Path) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

/// The program by the name that tools know.
pub(crate) fn workerd(folder: &Path) -> std::path::PathBuf {
    let link = folder.join("workerd");
    symlink(env!("CARGO_BIN_EXE_outboard"), &link).expect("a link");
    link
}

/// `PASS main:calls` of each test, in order, without times and places.
pub(crate) fn results(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines()
        .filter_map(|line| {
            let (_, rest) = line.split_once("[ ")?;
            let (word, name) = rest.split_once(" ] ")?;
            let name = name.split(" (").next()?;
            (word != "TEST").then(|| format!("{word} {name}"))
        })
        .collect()
}

#[test]
fn tests_end_as_in_workerd() {
    let folder = scratch();
    let ours = workerd(folder.path());
    let expected = [
        "PASS main",
        "PASS main:calls",
        "PASS main:errors",
        "FAIL main:fails",
        "PASS main:lengths",
        "FAIL main:rejects",
        "PASS main:sockets",
        "PASS main:streams",
        "PASS main:throws",
    ];
    let filters: [(&str, &[&str], i32); 4] = [
        ("*", &expected, 1),
        ("main:s*", &expected[6..8], 0),
        ("other", &[], 1),
        ("config:main:default", &expected[..1], 0),
    ];
    let peer = program();
    for (filter, expected, status) in filters {
        let arguments = ["test", "config.capnp", filter];
        let output = run(&ours, &arguments, folder.path());
        let shown = String::from_utf8_lossy(&output.stderr);
        assert_eq!(results(&output), expected, "{filter}: {shown}");
        assert_eq!(output.status.code(), Some(status), "{filter}: {shown}");
        if let Some(peer) = &peer {
            let theirs = run(peer, &arguments, folder.path());
            assert_eq!(results(&theirs), expected, "{filter} in workerd");
            assert_eq!(theirs.status.code(), Some(status), "{filter} in workerd");
        }
    }
}

#[test]
fn a_binary_configuration_is_the_same() {
    let Some(peer) = program() else {
        eprintln!("SKIPPED: npm workerd, which makes one, is not here; run scripts/setup");
        return;
    };
    let folder = scratch();
    let ours = workerd(folder.path());
    let made = run(
        &peer,
        &["compile", "--config-only", "config.capnp"],
        folder.path(),
    );
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    std::fs::write(folder.path().join("config.bin"), &made.stdout).expect("a file");
    let filter = "main:c*";
    let output = run(
        &ours,
        &["test", "--binary", "config.bin", filter],
        folder.path(),
    );
    assert_eq!(
        results(&output),
        ["PASS main:calls"],
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let child = Command::new(&ours)
        .args(["test", "--binary", "-", filter])
        .stdin(std::fs::File::open(folder.path().join("config.bin")).expect("a file"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .expect("it runs");
    assert_eq!(results(&child), ["PASS main:calls"]);
}

#[test]
fn a_test_may_ask_for_the_collector() {
    let folder = scratch();
    let ours = workerd(folder.path());
    let config = |flags: &str| {
        format!(
            "const c :Config = (services = [(name = \"w\", worker = (modules = [(name = \"m\", \
             esModule = \"export default {{ test() {{ gc(); }} }}\")], compatibilityDate = \
             \"2026-01-01\"))], v8Flags = [{flags}]);"
        )
    };
    let check = |flags: &str, expected: &str| {
        std::fs::write(folder.path().join("gc.capnp"), config(flags)).expect("a file");
        let output = run(&ours, &["test", "gc.capnp"], folder.path());
        let shown = String::from_utf8_lossy(&output.stderr);
        assert_eq!(results(&output), [expected], "{flags}: {shown}");
    };
    check("\"--expose-gc\"", "PASS w");
    check("", "FAIL w");
}

#[test]
fn a_socket_serves_its_worker() {
    let folder = scratch();
    let mut command = Command::new(workerd(folder.path()));
    command
        .args(["serve", "config.capnp", "--control-fd=1"])
        .current_dir(folder.path());
    let (socket, port, _process) = listening(command);
    assert_eq!(socket, "http");
    let address = format!("127.0.0.1:{port}").parse().expect("an address");
    let answer = send(address, &get("host.test", "/deep"));
    assert_eq!(answer.body, b"GET http://main.test/plain ");
}

#[test]
fn a_tcp_socket_is_for_a_connect_handler() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = r#"const c :Config = (
      services = [(name = "w", worker = (
        modules = [(name = "m", esModule =
          `import { WorkerEntrypoint } from "cloudflare:workers";
          `export class Shout extends WorkerEntrypoint {
          `  async connect(socket) {
          `    const { localAddress } = await socket.opened;
          `    const { value } = await socket.readable.getReader().read();
          `    const said = new TextDecoder().decode(value);
          `    const writer = socket.writable.getWriter();
          `    await writer.write(new TextEncoder().encode(
          `      localAddress + " " + this.ctx.props.who + " " + said.toUpperCase()));
          `    await writer.close();
          `  }
          `}
        )],
        compatibilityDate = "2026-04-01"))],
      sockets = [(name = "raw", address = "127.0.0.1:0", tcp = (),
        service = (name = "w", entrypoint = "Shout", props = (json = "{\"who\": \"somebody\"}")))],
    );"#;
    std::fs::write(folder.path().join("tcp.capnp"), config).expect("a file");
    let mut command = Command::new(workerd(folder.path()));
    command
        .args(["serve", "tcp.capnp", "--control-fd=1"])
        .current_dir(folder.path());
    let (socket, port, _process) = listening(command);
    assert_eq!(socket, "raw");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream.write_all(b"hear me").expect("it is read");
    let mut heard = String::new();
    stream.read_to_string(&mut heard).expect("an answer");
    assert_eq!(heard, "127.0.0.1:0 somebody HEAR ME");
}

/// Starts a program that says its one socket's name and port.
fn listening(command: Command) -> (String, u16, Process) {
    let (sender, receiver) = mpsc::channel();
    let process = Process::start(command, move |line| {
        // The test may have given up.
        let _ = sender.send(line.to_string());
    });
    let line = receiver
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|_| panic!("it did not start:\n{}", process.log()));
    let said: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!(said["event"], "listen");
    let port = said["port"].as_u64().and_then(|port| port.try_into().ok());
    let socket = said["socket"].as_str().expect("a name").to_string();
    (socket, port.expect("a port"), process)
}

#[test]
fn a_bad_configuration_is_one_clear_error() {
    let folder = scratch();
    let ours = workerd(folder.path());
    let check = |config: &str, arguments: &[&str], expected: &str| {
        std::fs::write(folder.path().join("bad.capnp"), config).expect("a file");
        let mut all = vec!["test", "bad.capnp"];
        all.extend(arguments);
        let output = run(&ours, &all, folder.path());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(error.trim_end(), format!("error: {expected}"), "{config}");
        assert_eq!(output.status.code(), Some(1), "{config}");
    };
    let worker = |more: &str| {
        format!(
            "const c :Config = (services = [(name = \"w\", worker = (modules = [(name = \"m\", \
             esModule = \"export default {{ test() {{}} }}\")], {more}))]);"
        )
    };
    check("", &[], "bad.capnp: no constant of type Config");
    check(
        &worker("bindings = [(name = \"B\", memoryCache = (id = \"w\"))]"),
        &[],
        "services[0].worker.bindings[0].memoryCache: binding \"B\": a memory cache is not offered",
    );
    check(
        &worker(
            "bindings = [(name = \"B\", durableObjectNamespace = \"C\")], \
             durableObjectNamespaces = [(className = \"C\", ephemeralLocal = void)], \
             durableObjectStorage = (inMemory = void), compatibilityDate = \"2026-01-01\"",
        ),
        &[],
        "services[0].worker.durableObjectNamespaces[0].ephemeralLocal: objects without storage \
         are not offered\n\
         services[0].worker.bindings[0]: \"C\" of \"w\" has no objects with storage",
    );
    check(
        &worker("bindings = [(name = \"B\", json = \"{\")], compatibilityDate = \"2026-01-01\""),
        &[],
        "services[0].worker.bindings[0]: \"B\" is not valid JSON: EOF while parsing an object at \
         line 1 column 1",
    );
    check(
        &worker(""),
        &[],
        "services[0].worker.compatibilityDate: is missing",
    );
    check(
        &worker("compatibilityDate = \"2026-01-01\""),
        &["--compat-date=2026-01-01"],
        "services[0].worker.compatibilityDate: is given here and by --compat-date",
    );
    check(
        &worker("compatibilityDate = \"2026-01-01\""),
        &["-dfiles=/tmp"],
        "--directory-path: no service is called \"files\"",
    );
    check(
        &worker("compatibilityDate = \"2026-01-01\""),
        &["a:b:c:d"],
        "\"a:b:c:d\" has too many colons",
    );
}
