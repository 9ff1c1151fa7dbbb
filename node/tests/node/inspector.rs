//! `outboard dev` under a debugger, over a real WebSocket.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sourcemap::SourceMap;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::support::http::{get, send};
use crate::support::{PATIENCE, Process, signal};

const CONFIG: &str = r#"{
  "name": "demo",
  "main": "src/index.ts",
  "compatibility_date": "2026-04-01",
  "limits": { "cpu_ms": 500 },
}"#;

fn project(script: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("src")).expect("a folder");
    std::fs::write(dir.path().join("wrangler.jsonc"), CONFIG).expect("a file");
    write(dir.path(), script);
    dir
}

fn write(dir: &Path, script: &str) {
    std::fs::write(dir.join("src/index.ts"), script).expect("a file");
}

/// A running `outboard dev` and what it prints.
struct Dev {
    process: Process,
    lines: mpsc::Receiver<String>,
}

impl Dev {
    fn start(dir: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outboard"));
        command
            .arg("dev")
            .arg(dir)
            .args(["--port", "0"])
            .args(options);
        let (sender, lines) = mpsc::channel();
        let process = Process::start(command, move |line| {
            let _ = sender.send(line.to_string());
        });
        Self { process, lines }
    }

    /// Waits for its end, which is a failure that says `text`.
    fn fails(mut self, text: &str) {
        assert!(!self.process.wait(PATIENCE).success());
        // Its last words may still be in the pipe.
        let deadline = Instant::now() + PATIENCE;
        while !self.process.log().contains(text) {
            assert!(Instant::now() < deadline, "{}", self.process.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The rest of the next line that begins like this.
    fn line(&self, start: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(start) {
                        return rest.to_string();
                    }
                }
                Err(_) => panic!("no line {start:?}:\n{}", self.process.log()),
            }
        }
    }
}

/// A project that is served and can be inspected.
struct Inspected {
    dev: Dev,
    worker: SocketAddr,
    inspector: SocketAddr,
}

impl Inspected {
    fn start(dir: &Path) -> Self {
        let dev = Dev::start(dir, &["--inspector-port", "0"]);
        let inspector = dev.line("inspector on ws://");
        let inspector = inspector
            .strip_suffix(" (chrome://inspect)")
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("no address: {inspector}"));
        let worker = dev.line("ready on http://");
        Self {
            dev,
            worker: worker.parse().expect("an address"),
            inspector,
        }
    }

    /// Asks the worker, on a thread: a breakpoint may keep it.
    fn ask(&self, path: &str) -> JoinHandle<String> {
        let (worker, path) = (self.worker, path.to_string());
        std::thread::spawn(move || {
            let response = send(worker, &get("localhost", &path));
            String::from_utf8_lossy(&response.body).into_owned()
        })
    }

    fn list(&self) -> Vec<Value> {
        let response = send(
            self.inspector,
            &get(&self.inspector.to_string(), "/json/list"),
        );
        serde_json::from_slice(&response.body).expect("a list")
    }

    fn only_target(&self) -> Value {
        let mut list = self.list();
        assert_eq!(list.len(), 1, "{list:?}");
        list.remove(0)
    }

    fn attach(&self) -> Debugger {
        Debugger::attach(&self.only_target())
    }
}

struct Debugger {
    socket: WebSocket<TcpStream>,
    calls: u64,
    events: VecDeque<Value>,
}

impl Debugger {
    fn attach(target: &Value) -> Self {
        let url = target["webSocketDebuggerUrl"].as_str().expect("a URL");
        let address = url
            .strip_prefix("ws://")
            .and_then(|rest| rest.split_once('/'))
            .unwrap_or_else(|| panic!("{url}"))
            .0;
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let (socket, _) = client(url, stream).expect("the handshake");
        Self {
            socket,
            calls: 0,
            events: VecDeque::new(),
        }
    }

    fn read(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.read().expect("a message in time") {
                return serde_json::from_str(&text).expect("JSON");
            }
        }
    }

    /// Runs a command; gives its result.
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        let command = json!({ "id": id, "method": method, "params": params });
        self.socket
            .send(Message::text(command.to_string()))
            .expect("sent");
        loop {
            let mut message = self.read();
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].take();
            }
            self.events.push_back(message);
        }
    }

    /// The next event of this name that is `wanted`.
    fn event(&mut self, method: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let is_it = |event: &Value| event["method"] == method && wanted(&event["params"]);
        if let Some(at) = self.events.iter().position(is_it) {
            return self.events.remove(at).expect("it is there")["params"].take();
        }
        loop {
            let mut message = self.read();
            if is_it(&message) {
                return message["params"].take();
            }
            self.events.push_back(message);
        }
    }

    fn evaluate(&mut self, expression: &str) -> Value {
        let result = self.call("Runtime.evaluate", json!({ "expression": expression }));
        result["result"]["value"].clone()
    }

    /// Enables the debugger; gives the worker's script and its source map.
    fn script(&mut self) -> (Value, SourceMap) {
        self.call("Debugger.enable", json!({}));
        let script = self.event("Debugger.scriptParsed", |script| {
            script["url"]
                .as_str()
                .is_some_and(|url| url.starts_with("worker:///"))
        });
        let map = script["sourceMapURL"].as_str().expect("a source map");
        let map = match sourcemap::decode_data_url(map).expect("a map in its URL") {
            sourcemap::DecodedMap::Regular(map) => map,
            _ => panic!("not a plain map"),
        };
        (script, map)
    }

    /// Sets a breakpoint at the first code of an author's line, from 1.
    fn break_at(&mut self, script: &Value, map: &SourceMap, line: u32) {
        let token = map
            .tokens()
            .filter(|token| token.get_src_line() + 1 == line && is_index(token))
            .min_by_key(|token| token.get_dst())
            .expect("code of that line");
        let set = self.call(
            "Debugger.setBreakpointByUrl",
            json!({
                "url": script["url"],
                "lineNumber": token.get_dst_line(),
                "columnNumber": token.get_dst_col(),
            }),
        );
        assert_eq!(set["locations"].as_array().map(Vec::len), Some(1), "{set}");
    }

    /// Waits for a pause; gives the author's line, from 1, and the top frame.
    fn paused(&mut self, map: &SourceMap) -> (u32, Value) {
        let paused = self.event("Debugger.paused", |_| true);
        let frame = paused["callFrames"][0].clone();
        let place = |name: &str| {
            let number = frame["location"][name].as_u64().expect("a place");
            u32::try_from(number).expect("a small place")
        };
        let token = map
            .lookup_token(place("lineNumber"), place("columnNumber"))
            .expect("a mapped place");
        assert!(is_index(&token), "{token:?}");
        (token.get_src_line() + 1, frame)
    }

    /// Waits until the other side has closed; gives what it said.
    fn closed(mut self) -> String {
        loop {
            match self.socket.read().expect("a message in time") {
                Message::Close(frame) => {
                    return frame.map_or(String::new(), |frame| frame.reason.to_string());
                }
                _ => continue,
            }
        }
    }
}

fn is_index(token: &sourcemap::Token<'_>) -> bool {
    token
        .get_source()
        .is_some_and(|source| source.ends_with("src/index.ts"))
}

const STEPS: &str = "\
interface Unused { a: string }

export default {
  fetch(request: Request): Response {
    const path: string = new URL(request.url).pathname;
    const doubled = path + path;
    return new Response(doubled);
  },
};
";

#[test]
fn targets_are_listed_to_this_machine_alone() {
    let dir = project(STEPS);
    let inspected = Inspected::start(dir.path());
    let target = inspected.only_target();
    assert_eq!(target["title"], "demo");
    assert_eq!(target["type"], "node");
    let id = target["id"].as_str().expect("an id");
    assert_eq!(id.len(), 36, "a UUID: {id}");
    let at = format!("{}/{id}", inspected.inspector);
    assert_eq!(target["webSocketDebuggerUrl"], format!("ws://{at}"));
    let frontend = target["devtoolsFrontendUrl"].as_str().expect("a URL");
    assert!(
        frontend.starts_with("devtools://devtools/") && frontend.ends_with(&format!("ws={at}")),
        "{frontend}"
    );

    let ask = |path: &str, host: &str| send(inspected.inspector, &get(host, path));
    let version = ask("/json/version", "localhost:9229");
    let version: Value = serde_json::from_slice(&version.body).expect("JSON");
    assert!(
        version["Browser"]
            .as_str()
            .is_some_and(|name| name.starts_with("outboard/")),
        "{version}"
    );
    let list = ask("/json", "localhost:1");
    let list: Value = serde_json::from_slice(&list.body).expect("JSON");
    assert_eq!(
        list[0]["webSocketDebuggerUrl"],
        format!("ws://localhost:1/{id}")
    );

    // A name of someone else's DNS, a name of ours that is none, and a guess.
    let refused = ask("/json/list", "rebound.example:9229");
    assert!(refused.status.starts_with("403"), "{refused:?}");
    assert!(!String::from_utf8_lossy(&refused.body).contains(id));
    assert!(ask("/", "localhost").status.starts_with("404"));
    assert!(
        ask(&format!("/{id}"), "localhost")
            .status
            .starts_with("404")
    );
    let guess = format!("ws://{}/{}", inspected.inspector, "0".repeat(32));
    let stream = TcpStream::connect(inspected.inspector).expect("a connection");
    assert!(client(guess, stream).is_err());

    // The handshake looks at the host too.
    let mut stream = TcpStream::connect(inspected.inspector).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let request = format!(
        "GET /{id} HTTP/1.1\r\nHost: rebound.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut start = [0; 12];
    stream.read_exact(&mut start).expect("an answer");
    assert_eq!(&start, b"HTTP/1.1 403");
}

#[test]
fn a_script_is_paused_stepped_and_resumed_in_the_authors_lines() {
    let dir = project(STEPS);
    let inspected = Inspected::start(dir.path());
    let mut debugger = inspected.attach();
    let (script, map) = debugger.script();
    debugger.break_at(&script, &map, 5);

    let answer = inspected.ask("/ab");
    let (line, frame) = debugger.paused(&map);
    assert_eq!(line, 5);
    let url = debugger.call(
        "Debugger.evaluateOnCallFrame",
        json!({ "callFrameId": frame["callFrameId"], "expression": "request.url" }),
    );
    assert_eq!(url["result"]["value"], "http://localhost/ab");
    // Another debugger may come while the script stands still.
    let mut other = inspected.attach();
    other.call("Runtime.enable", json!({}));

    debugger.call("Debugger.stepOver", json!({}));
    assert_eq!(debugger.paused(&map).0, 6);
    debugger.call("Debugger.stepOver", json!({}));
    let (line, frame) = debugger.paused(&map);
    assert_eq!(line, 7);
    let local = debugger.call(
        "Debugger.evaluateOnCallFrame",
        json!({ "callFrameId": frame["callFrameId"], "expression": "doubled" }),
    );
    assert_eq!(local["result"]["value"], "/ab/ab");
    debugger.call("Debugger.resume", json!({}));
    assert_eq!(answer.join().expect("an answer"), "/ab/ab");

    // A debugger that leaves lets go of what it has paused.
    let answer = inspected.ask("/c");
    assert_eq!(debugger.paused(&map).0, 5);
    drop(debugger);
    assert_eq!(answer.join().expect("an answer"), "/c/c");
}

#[test]
fn expressions_logs_profiles_and_snapshots() {
    let dir = project(
        "export default {\n\
           fetch(request: Request): Response {\n\
             console.log('hello', { a: 1 });\n\
             console.warn('careful');\n\
             if (request.url.endsWith('/bad')) throw new TypeError('on purpose');\n\
             return new Response('ok');\n\
           },\n\
         };\n",
    );
    let inspected = Inspected::start(dir.path());
    let mut debugger = inspected.attach();
    assert_eq!(debugger.evaluate("6 * 7"), 42);
    assert_eq!(debugger.evaluate("typeof Response"), "function");
    assert_eq!(
        debugger.evaluate("'gr\u{fc}n \u{1f7e2}'"),
        "gr\u{fc}n \u{1f7e2}"
    );
    // More CPU time than the worker's events have.
    let loops = "(() => { let n = 0; while (n < 2e9) n++; return n; })()";
    assert_eq!(debugger.evaluate(loops), 2e9);

    debugger.call("Runtime.enable", json!({}));
    let context = debugger.event("Runtime.executionContextCreated", |_| true);
    assert_eq!(context["context"]["auxData"]["isDefault"], true);
    debugger.call("Profiler.enable", json!({}));
    debugger.call("Profiler.start", json!({}));
    assert_eq!(inspected.ask("/").join().expect("an answer"), "ok");
    let logged = debugger.event("Runtime.consoleAPICalled", |call| call["type"] == "log");
    assert_eq!(logged["args"][0]["value"], "hello");
    assert_eq!(logged["args"][1]["type"], "object");
    // The message's place is the worker's line, not the runtime's.
    let url = logged["stackTrace"]["callFrames"][0]["url"].as_str();
    assert!(
        url.is_some_and(|url| url.starts_with("worker:///")),
        "{logged}"
    );
    let warned = debugger.event("Runtime.consoleAPICalled", |call| call["type"] == "warning");
    assert_eq!(warned["args"][0]["value"], "careful");
    // The terminal has it as well.
    inspected.dev.line("hello { a: ");

    // An error that nobody catches is shown as well.
    inspected.ask("/bad").join().expect("an answer");
    let thrown = debugger.event("Runtime.consoleAPICalled", |call| call["type"] == "error");
    assert_eq!(thrown["args"][0]["value"], "Uncaught");
    let description = thrown["args"][1]["description"].as_str();
    assert!(
        description.is_some_and(|text| text.starts_with("TypeError: on purpose")),
        "{thrown}"
    );

    let profile = debugger.call("Profiler.stop", json!({}));
    let nodes = profile["profile"]["nodes"].as_array().map_or(0, Vec::len);
    assert!(nodes > 0, "{profile}");

    debugger.call("HeapProfiler.enable", json!({}));
    debugger.call("HeapProfiler.takeHeapSnapshot", json!({}));
    let snapshot: String = debugger
        .events
        .iter()
        .filter(|event| event["method"] == "HeapProfiler.addHeapSnapshotChunk")
        .filter_map(|event| event["params"]["chunk"].as_str())
        .collect();
    let snapshot: Value = serde_json::from_str(&snapshot).expect("a snapshot");
    let nodes = snapshot["snapshot"]["node_count"].as_u64();
    assert!(nodes.is_some_and(|count| count > 1_000), "{nodes:?}");
    // All that took more than an event's CPU time, and the worker goes on.
    assert_eq!(inspected.ask("/").join().expect("an answer"), "ok");
}

#[test]
fn a_reload_ends_sessions_and_offers_the_new_isolate() {
    let dir = project(STEPS);
    let inspected = Inspected::start(dir.path());
    let old = inspected.only_target();
    let mut debugger = inspected.attach();
    let (script, map) = debugger.script();
    debugger.break_at(&script, &map, 6);
    let answer = inspected.ask("/x");
    assert_eq!(debugger.paused(&map).0, 6);

    // Also while the lane stands still.
    write(
        dir.path(),
        "export default {\n  fetch() {\n    return new Response('new');\n  },\n};\n",
    );
    assert_eq!(debugger.closed(), "the worker is being reloaded");
    assert_eq!(answer.join().expect("an answer"), "/x/x");
    inspected.dev.line("reloaded");

    let new = inspected.only_target();
    assert_ne!(new["id"], old["id"]);
    let mut debugger = Debugger::attach(&new);
    assert_eq!(debugger.evaluate("1 + 1"), 2);
    assert_eq!(inspected.ask("/").join().expect("an answer"), "new");

    // Nor does a script that stands still keep the server from ending.
    let (script, map) = debugger.script();
    debugger.break_at(&script, &map, 3);
    let answer = inspected.ask("/");
    debugger.paused(&map);
    let Inspected { mut dev, .. } = inspected;
    signal(&dev.process, libc::SIGTERM);
    assert!(dev.process.wait(PATIENCE).success());
    drop(answer.join());
}

#[test]
fn an_endless_loop_is_paused_and_one_that_nobody_watches_is_stopped() {
    let dir = project(
        "const state = new Map([['on', true]]);\n\
         export default {\n\
           fetch(request: Request): Response {\n\
             if (request.url.endsWith('/loop')) while (state.get('on'));\n\
             return new Response('ok');\n\
           },\n\
         };\n",
    );
    let inspected = Inspected::start(dir.path());
    let first = inspected.only_target();
    let mut debugger = inspected.attach();
    let (script, map) = debugger.script();
    debugger.break_at(&script, &map, 4);
    let answer = inspected.ask("/loop");
    // In the handler, then somewhere in its loop.
    debugger.paused(&map);
    debugger.call("Debugger.setBreakpointsActive", json!({ "active": false }));
    debugger.call("Debugger.resume", json!({}));
    debugger.event("Debugger.resumed", |_| true);
    debugger.call("Debugger.pause", json!({}));
    let (line, frame) = debugger.paused(&map);
    assert_eq!(line, 4);
    debugger.call(
        "Debugger.evaluateOnCallFrame",
        json!({ "callFrameId": frame["callFrameId"], "expression": "state.set('on', false)" }),
    );
    debugger.call("Debugger.resume", json!({}));
    assert_eq!(answer.join().expect("an answer"), "ok");
    assert_eq!(inspected.only_target()["id"], first["id"]);

    // The isolate that replaces a stopped one is offered in its place.
    debugger.socket.close(None).expect("a close");
    debugger.closed();
    write_loop(dir.path());
    inspected.dev.line("reloaded");
    let before = inspected.only_target();
    let answer = inspected.ask("/loop").join().expect("an answer");
    assert!(answer.contains("CPU time limit"), "{answer}");
    assert_eq!(inspected.ask("/").join().expect("an answer"), "ok");
    assert_ne!(inspected.only_target()["id"], before["id"]);
}

fn write_loop(dir: &Path) {
    write(
        dir,
        "export default { fetch(request: Request) {\n\
           if (request.url.endsWith('/loop')) for (;;);\n\
           return new Response('ok');\n\
         } };\n",
    );
}

#[test]
fn without_its_usual_port_it_takes_another() {
    // Whoever else has it may let go of it meanwhile.
    let Ok(_held) = TcpListener::bind("127.0.0.1:9229") else {
        println!("SKIPPED: something else on this machine listens on port 9229");
        return;
    };
    let dir = project(STEPS);
    let dev = Dev::start(dir.path(), &[]);
    dev.line("port 9229 is taken");
    let address = dev.line("inspector on ws://127.0.0.1:");
    assert!(!address.starts_with("9229 "), "{address}");
    dev.line("ready on ");
}

#[test]
fn a_port_that_was_asked_for_is_taken_or_a_fault() {
    let dir = project(STEPS);
    let dev = Dev::start(dir.path(), &["--no-inspector"]);
    let first = dev.lines.recv_timeout(PATIENCE).expect("a line");
    assert!(first.starts_with("ready on "), "{first}");

    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = held.local_addr().expect("an address").port().to_string();
    let fault = format!("inspector: 127.0.0.1:{port}");
    Dev::start(dir.path(), &["--inspector-port", &port]).fails(&fault);
    let configure = |dev: &str| {
        let config = CONFIG.replace("\"limits\"", &format!("\"dev\": {dev}, \"limits\""));
        std::fs::write(dir.path().join("wrangler.jsonc"), config).expect("a file");
    };
    configure("{ \"inspector_ip\": \"here\" }");
    Dev::start(dir.path(), &[]).fails("dev.inspector_ip: \"here\" is no IP address");
    configure(&format!("{{ \"inspector_port\": {port} }}"));
    Dev::start(dir.path(), &[]).fails(&fault);
    drop(held);
    let dev = Dev::start(dir.path(), &[]);
    dev.line(&format!("inspector on ws://127.0.0.1:{port} "));
}
