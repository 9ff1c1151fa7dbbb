//! Durable objects through `outboard dev`: kept over a killed process and a new
//! version, and woken by their alarms.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::support::http::{Upload, get, send};
use crate::support::{BOX, Dev, Outboard, PATIENCE, until};

/// A class `Box` with this body; the path's first part names the object.
fn write(dir: &Path, body: &str) {
    let source = format!(
        "import {{ DurableObject }} from 'cloudflare:workers';
         export class Box extends DurableObject {{ {body} }}
         export default {{ fetch(request, env) {{
           return env.BOX.getByName(new URL(request.url).pathname.split('/')[1]).fetch(request);
         }} }};"
    );
    std::fs::write(dir.join("index.js"), source).expect("a file");
}

fn project(body: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("wrangler.jsonc"), BOX).expect("a file");
    write(dir.path(), body);
    dir
}

pub(crate) fn body(dev: &Dev, path: &str) -> String {
    let answer = send(dev.address, &get("localhost", path));
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn counting(version: &str) -> String {
    format!(
        "async fetch() {{
           const count = ((await this.ctx.storage.get('count')) ?? 0) + 1;
           await this.ctx.storage.put('count', count);
           return new Response(`{version} ${{count}}`);
         }}"
    )
}

#[test]
fn what_an_object_stored_outlives_its_process_and_its_version() {
    outlives_process_and_version("shared");
}

#[test]
fn what_an_object_apart_stored_outlives_its_process_and_its_version() {
    outlives_process_and_version("object");
}

fn outlives_process_and_version(isolation: &str) {
    let dir = project(&counting("one"));
    let options = ["--isolation", isolation];
    let dev = Dev::start_with(dir.path(), &options);
    assert_eq!(body(&dev, "/a"), "one 1");
    assert_eq!(body(&dev, "/a"), "one 2");
    // Killed: nothing was closed.
    drop(dev);
    let dev = Dev::start_with(dir.path(), &options);
    assert_eq!(body(&dev, "/a"), "one 3");
    write(dir.path(), &counting("two"));
    let mut expected = 3;
    until("the new version", || {
        expected += 1;
        let answer = body(&dev, "/a");
        let (version, count) = answer.split_once(' ').expect("a version and a count");
        assert_eq!(count, expected.to_string());
        version == "two"
    });
}

#[test]
fn more_objects_are_awake_than_files_may_be_open() {
    let dir = project(&counting("one"));
    let dev = Dev::start_with_files(dir.path(), 256);
    for count in 1..=2 {
        for number in 0..400 {
            let answer = body(&dev, &format!("/{number}"));
            assert_eq!(answer, format!("one {count}"), "{}", dev.process.log());
        }
    }
}

#[test]
fn the_idlest_objects_leave_where_too_many_are_in_memory() {
    let dir = project(
        "asked = 0;
         async fetch() {
           const all = ((await this.ctx.storage.get('all')) ?? 0) + 1;
           await this.ctx.storage.put('all', all);
           return new Response(`${++this.asked} of ${all}`);
         }",
    );
    let node = Outboard::serve(&format!(
        "lanes = 1\ndata = {:?}\n[[worker]]\nname = \"demo\"\ndir = {:?}\nroutes = [\"*\"]\n\
         limits = {{ awake_objects = 16 }}\n",
        dir.path().join("data"),
        dir.path(),
    ));
    let body = |number: u32| {
        let answer = send(node.address, &get("localhost", &format!("/{number}")));
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    for number in 0..40 {
        assert_eq!(body(number), "1 of 1", "{}", node.process.log());
    }
    // The newest are where they were; the first have left, and come back.
    assert_eq!(body(39), "2 of 2");
    assert_eq!(body(25), "2 of 2");
    assert_eq!(body(0), "1 of 2");
    assert_eq!(body(20), "1 of 2");
}

#[test]
fn two_processes_do_not_share_a_folder() {
    let dir = project(&counting("one"));
    let first = Dev::start(dir.path());
    assert_eq!(body(&first, "/a"), "one 1");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_outboard"))
        .args(["serve", "--config"])
        .arg({
            let config = dir.path().join("outboard.toml");
            let text = "listen = \"127.0.0.1:0\"\ndata = \".outboard\"\n\
                        [[worker]]\nname = \"demo\"\ndir = \".\"\nroutes = [\"*\"]\n";
            std::fs::write(&config, text).expect("a file");
            config
        })
        .output()
        .expect("the program runs");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("another process has the store open"),
        "{told}"
    );
}

#[test]
fn an_alarm_rings_though_the_process_was_killed_and_again_when_it_fails() {
    alarm_rings("shared");
}

#[test]
fn an_alarm_of_an_object_apart_rings_too() {
    alarm_rings("object");
}

fn alarm_rings(isolation: &str) {
    let options = ["--isolation", isolation];
    let dir = project(
        "async fetch(request) {
           const { storage } = this.ctx;
           if (request.url.endsWith('/set')) {
             await storage.setAlarm(Date.now() + 500);
             return new Response(String(await storage.getAlarm() !== null));
           }
           return Response.json(await storage.get('rang') ?? []);
         }
         async alarm({ retryCount, isRetry, scheduledTime }) {
           const { storage } = this.ctx;
           const rang = [...(await storage.get('rang') ?? []),
             [retryCount, isRetry, scheduledTime <= Date.now(), await storage.getAlarm()]];
           await storage.put('rang', rang);
           if (rang.length === 1) throw new Error('not the first time');
         }",
    );
    let dev = Dev::start_with(dir.path(), &options);
    assert_eq!(body(&dev, "/a/set"), "true");
    drop(dev);
    let dev = Dev::start_with(dir.path(), &options);
    let twice = "[[0,false,true,null],[1,true,true,null]]";
    until("the second try", || body(&dev, "/a/get") == twice);
    // It succeeded, and is gone.
    assert!(dev.process.log().contains("not the first time"));
}

/// One that is set for this very moment, as the one was that runs.
#[test]
fn an_alarm_that_sets_the_next_for_now_goes_on() {
    let dir = project(
        "async fetch(request) {
           const { storage } = this.ctx;
           if (request.url.endsWith('/set')) {
             await storage.setAlarm(Date.now());
           }
           return new Response(String(await storage.get('rang') ?? 0));
         }
         async alarm() {
           const { storage } = this.ctx;
           const rang = (await storage.get('rang') ?? 0) + 1;
           await storage.put('rang', rang);
           if (rang < 300) await storage.setAlarm(Date.now());
         }",
    );
    let dev = Dev::start(dir.path());
    body(&dev, "/a/set");
    until("the last", || body(&dev, "/a/get") == "300");
}

pub(crate) fn join(dev: &Dev, path: &str) -> WebSocket<TcpStream> {
    connect(dev.address, path)
}

pub(crate) fn connect(address: SocketAddr, path: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let url = format!("ws://{address}{path}");
    client(url, stream).expect("the handshake").0
}

pub(crate) fn hear(socket: &mut WebSocket<TcpStream>) -> String {
    match socket.read().expect("a message") {
        Message::Text(text) => text.to_string(),
        other => panic!("{other:?} is no text"),
    }
}

/// examples/objects, as its README has it.
#[test]
fn the_example_counts_limits_and_chats() {
    let dir = tempfile::tempdir().expect("a folder");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/objects");
    for path in ["wrangler.jsonc", "src"] {
        let (from, to) = (example.join(path), dir.path().join(path));
        if from.is_file() {
            std::fs::copy(from, to).expect("a copy");
            continue;
        }
        std::fs::create_dir(&to).expect("a folder");
        for file in std::fs::read_dir(from).expect("the sources") {
            let file = file.expect("an entry");
            std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
        }
    }
    let dev = Dev::start(dir.path());
    assert_eq!(body(&dev, "/count/a"), r#"{"count":1}"#);
    assert_eq!(body(&dev, "/count/a"), r#"{"count":2}"#);
    let left: Vec<_> = (0..6).map(|_| body(&dev, "/limited")).collect();
    assert_eq!(left[0], r#"{"left":4}"#);
    assert_eq!(left[5], "too many requests\n");

    let (mut ann, mut bob) = (
        join(&dev, "/rooms/lobby?name=ann"),
        join(&dev, "/rooms/lobby?name=bob"),
    );
    ann.send(Message::text("ping")).expect("sent");
    assert_eq!(hear(&mut ann), "pong");
    ann.send(Message::text("hello")).expect("sent");
    let line = r#"{"name":"ann","text":"hello"}"#;
    assert_eq!(hear(&mut ann), line);
    assert_eq!(hear(&mut bob), line);
    drop(dev);

    let dev = Dev::start(dir.path());
    assert_eq!(body(&dev, "/rooms/lobby"), format!("[{line}]"));
    assert_eq!(hear(&mut join(&dev, "/rooms/lobby?name=late")), line);
}

/// A project of one script of `tests/packages`, with the packages that it imports;
/// None where they are not installed.
pub(crate) fn with_packages(script: &str) -> Option<tempfile::TempDir> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let packages = tests.join("npm/node_modules");
    if !packages.join("capnweb").is_dir() {
        eprintln!("SKIPPED: packages of node/tests/npm are not here; run scripts/setup");
        return None;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let config = BOX.replace("index.js", script).replace(
        "\"durable_objects\"",
        "\"compatibility_flags\": [\"nodejs_compat\"], \"durable_objects\"",
    );
    std::fs::write(dir.path().join("wrangler.jsonc"), config).expect("a file");
    std::fs::copy(tests.join("packages").join(script), dir.path().join(script)).expect("a copy");
    std::os::unix::fs::symlink(packages, dir.path().join("node_modules")).expect("a link");
    Some(dir)
}

#[test]
fn drizzle_orm_runs_on_an_objects_sql() {
    let Some(dir) = with_packages("drizzle.ts") else {
        return;
    };
    let dev = Dev::start(dir.path());
    let expected = concat!(
        r#"[[{"id":1,"body":"one","tags":["a","b"]},{"id":2,"body":"TWO","tags":null}],"#,
        r#""undo",[{"n":2}],{"last":2}]"#
    );
    assert_eq!(body(&dev, "/"), expected, "{}", dev.process.log());
}

#[test]
fn partyserver_keeps_its_connections() {
    let Some(dir) = with_packages("partyserver.ts") else {
        return;
    };
    let dev = Dev::start(dir.path());
    let mut ann = join(&dev, "/parties/box/room?_pk=ann");
    assert_eq!(hear(&mut ann), "ann is in room");
    let mut bob = join(&dev, "/parties/box/room?_pk=bob");
    assert_eq!(hear(&mut bob), "bob is in room");
    ann.send(Message::text("hello")).expect("sent");
    assert_eq!(hear(&mut bob), "ann 1 hello");
    // The new version finds the old one's connections.
    let script = dir.path().join("partyserver.ts");
    let source = std::fs::read_to_string(&script).expect("the script");
    std::fs::write(&script, source.replace(" has ", " holds ")).expect("a file");
    until("the new version", || {
        body(&dev, "/parties/box/room") == "room holds 2"
    });
    ann.send(Message::text("still here")).expect("sent");
    assert_eq!(hear(&mut bob), "ann 2 still here");
}

/// An object is on one lane, whichever lane a request comes in by.
#[test]
fn objects_are_reached_from_every_lane() {
    let dir = project(
        "count = 0;
         async fetch(request) {
           if (request.headers.has('upgrade')) {
             const { 0: client, 1: server } = new WebSocketPair();
             this.ctx.acceptWebSocket(server);
             return new Response(null, { status: 101, webSocket: client });
           }
           this.ctx.storage.put('count', ++this.count);
           return new Response(request.body, { headers: { count: `${this.count}` } });
         }
         webSocketMessage(socket, message) { socket.send(`${this.count} ${message}`); }",
    );
    let server = Outboard::serve(&format!(
        "lanes = 4\ndata = {:?}\n[[worker]]\nname = \"demo\"\ndir = {:?}\nroutes = [\"*\"]\n",
        dir.path().join("data"),
        dir.path(),
    ));
    let names: Vec<_> = (0..16).map(|number| format!("/object{number}")).collect();
    for round in 1..=3 {
        for name in &names {
            // A connection each: the kernel hands them to all lanes.
            let mut request = get("localhost", name);
            request.method = "POST".into();
            request.upload = Upload::Sized(name.clone().into());
            let answer = send(server.address, &request);
            assert_eq!(answer.header("count"), Some(round.to_string().as_str()));
            assert_eq!(String::from_utf8_lossy(&answer.body), *name);
        }
    }
    for name in &names {
        let mut socket = connect(server.address, name);
        socket.send(Message::text("hello")).expect("sent");
        assert_eq!(hear(&mut socket), "3 hello");
    }
}
