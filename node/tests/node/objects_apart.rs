//! `isolation = "object"`: an isolate for each object, on a lane of its own.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::mpsc;

use tokio_tungstenite::tungstenite::{Message, WebSocket};

use crate::objects::{connect, hear};
use crate::support::http::{Answer, get, send};
use crate::support::{self, Outboard, signal, until};

const CONFIG: &str = r#"{
  "name": "rooms",
  "main": "index.js",
  "compatibility_date": "2026-04-01",
  "durable_objects": { "bindings": [{ "name": "ROOM", "class_name": "Room" }] },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Room"] }]
}"#;

/// `/NAME` tells how often this isolate was asked, and how often the object was.
const SCRIPT: &str = "
import { DurableObject } from 'cloudflare:workers';
let asked = 0;
export class Room extends DurableObject {
  async fetch(request) {
    if (request.headers.get('upgrade') === 'websocket') {
      const [client, server] = Object.values(new WebSocketPair());
      this.ctx.acceptWebSocket(server);
      server.serializeAttachment('kept');
      return new Response(null, { status: 101, webSocket: client });
    }
    asked++;
    const all = ((await this.ctx.storage.get('asked')) ?? 0) + 1;
    await this.ctx.storage.put('asked', all);
    if (request.url.endsWith('/loop')) {
      console.log('it loops');
      for (;;);
    }
    return new Response(`${asked} of ${all}`);
  }
  async webSocketMessage(socket, text) {
    asked++;
    socket.send(`${text}: ${asked}, ${socket.deserializeAttachment()}`);
  }
}
export default { fetch(request, env) {
  return env.ROOM.getByName(new URL(request.url).pathname.split('/')[1]).fetch(request);
} };
";

fn project() -> tempfile::TempDir {
    support::project(CONFIG, SCRIPT)
}

fn serve(dir: &Path, more: &str) -> Outboard {
    let data = dir.join("data");
    Outboard::serve_logging(
        &format!(
            "lanes = 1\ndata = {data:?}\n[[worker]]\nname = \"rooms\"\ndir = {dir:?}\n\
             routes = [\"*\"]\nisolation = \"object\"\n{more}"
        ),
        "info,outboard_runtime=debug",
    )
}

fn ask(address: SocketAddr, path: &str) -> Answer {
    send(address, &get("localhost", path))
}

fn text(address: SocketAddr, path: &str) -> String {
    String::from_utf8_lossy(&ask(address, path).body).into_owned()
}

fn say(socket: &mut WebSocket<TcpStream>, text: &str) -> String {
    socket.send(Message::text(text)).expect("sent");
    hear(socket)
}

fn ended(server: &Outboard) -> usize {
    let log = server.process.log();
    log.matches("an object's isolate ends").count()
}

#[test]
fn objects_share_no_globals_and_a_sleeping_one_has_no_isolate() {
    let dir = project();
    let server = serve(dir.path(), "");
    let at = server.address;
    assert_eq!(text(at, "/a"), "1 of 1");
    assert_eq!(text(at, "/a"), "2 of 2");
    assert_eq!(text(at, "/b"), "1 of 1");
    let mut socket = connect(at, "/c");
    assert_eq!(say(&mut socket, "one"), "one: 1, kept");
    assert_eq!(say(&mut socket, "two"), "two: 2, kept");
    until("their isolates have ended", || ended(&server) == 3);
    // What they keep is there, what they had in memory is not.
    assert_eq!(text(at, "/a"), "1 of 3");
    assert_eq!(text(at, "/b"), "1 of 2");
    assert_eq!(say(&mut socket, "three"), "three: 1, kept");
}

#[test]
fn an_object_that_loops_delays_no_other() {
    let dir = project();
    let server = serve(dir.path(), "limits = { cpu_ms = 5000 }\n");
    let at = server.address;
    assert_eq!(text(at, "/b"), "1 of 1");
    let (answered, answers) = mpsc::channel();
    let looping = std::thread::spawn(move || {
        let answer = ask(at, "/a/loop");
        let _ = answered.send(());
        answer
    });
    until("it loops", || server.process.log().contains("it loops"));
    assert_eq!(text(at, "/c"), "1 of 1");
    let mut asked = 1;
    while answers.try_recv() == Err(mpsc::TryRecvError::Empty) {
        // It is asked so often that it does not go to sleep.
        asked += 1;
        assert_eq!(text(at, "/b"), format!("{asked} of {asked}"));
    }
    assert!(asked > 10, "{asked} answers");
    let answer = looping.join().expect("an answer");
    assert_eq!(answer.status, "500 Internal Server Error", "{answer:?}");
    // It was stopped in the turn that would have been kept.
    assert_eq!(text(at, "/a"), "1 of 1");
    asked += 1;
    assert_eq!(text(at, "/b"), format!("{asked} of {asked}"));
}

#[test]
fn isolation_of_objects_does_not_change_while_the_node_runs() {
    let dir = project();
    let server = serve(dir.path(), "");
    assert_eq!(text(server.address, "/a"), "1 of 1");
    let config = std::fs::read_to_string(server.config()).expect("the config");
    let shared = config.replace("\"object\"", "\"shared\"");
    std::fs::write(server.config(), shared).expect("the config is written");
    signal(&server.process, libc::SIGHUP);
    until("it is refused", || {
        let log = server.process.log();
        log.contains("isolation: the node has to be restarted to change it")
    });
    assert_eq!(text(server.address, "/a"), "2 of 2");
}
