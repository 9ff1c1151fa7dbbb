//! WebSockets that objects hibernate with, as their clients see them end.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use crate::objects::{connect, hear};
use crate::support::http::{get, send};
use crate::support::{self, BOX, Outboard, signal, until};

/// `/NAME` tells how many sockets the object has, and what its handlers heard.
const SCRIPT: &str = "
import { DurableObject } from 'cloudflare:workers';
const heard = [];
export class Box extends DurableObject {
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (request.headers.get('upgrade') !== 'websocket') {
      return new Response(`${this.ctx.getWebSockets().length}: ${heard.splice(0).join(', ')}`);
    }
    const [client, server] = Object.values(new WebSocketPair());
    if (pathname.endsWith('/plain')) {
      server.accept();
      server.addEventListener('message', ({ data }) => this.webSocketMessage(server, data));
    } else {
      this.ctx.acceptWebSocket(server);
    }
    return new Response(null, { status: 101, webSocket: client });
  }
  webSocketMessage(socket, text) {
    if (text === 'abort') this.ctx.abort('enough');
    if (text === 'loop') for (;;);
    socket.send(`heard ${text}`);
  }
  webSocketClose(socket, code, reason, clean) { heard.push(`close ${code} ${clean}`); }
  webSocketError(socket, error) { heard.push(error.message); }
}
export default { fetch(request, env) {
  return env.BOX.getByName(new URL(request.url).pathname.split('/')[1]).fetch(request);
} };
";

fn serve() -> (tempfile::TempDir, Outboard) {
    let dir = support::project(BOX, SCRIPT);
    let server = Outboard::serve(&format!(
        "lanes = 1\ndata = {:?}\n[[worker]]\nname = \"demo\"\ndir = {:?}\nroutes = [\"*\"]\n\
         limits = {{ cpu_ms = 500 }}\n",
        dir.path().join("data"),
        dir.path(),
    ));
    (dir, server)
}

fn text(server: &Outboard, path: &str) -> String {
    let answer = send(server.address, &get("localhost", path));
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn say(socket: &mut WebSocket<TcpStream>, text: &str) {
    socket.send(Message::text(text)).expect("sent");
}

/// The connection ends, and no close comes before that.
fn is_cut(socket: &mut WebSocket<TcpStream>) -> bool {
    match socket.read() {
        Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => true,
        Err(Error::Io(error)) => error.kind() == std::io::ErrorKind::ConnectionReset,
        other => panic!("{other:?} is no cut"),
    }
}

#[test]
fn an_object_that_ends_before_its_time_has_its_sockets_cut() {
    let (_dir, server) = serve();
    for (end, path) in [("abort", "/a"), ("loop", "/b"), ("abort", "/c/plain")] {
        let mut one = connect(server.address, path);
        let mut two = connect(server.address, path);
        say(&mut two, "hello");
        assert_eq!(hear(&mut two), "heard hello");
        say(&mut one, end);
        assert!(is_cut(&mut one) && is_cut(&mut two), "{end} {path}");
        // The next one has none, and nobody was told of those.
        until("the next one", || text(&server, path) == "0: ");
        let mut again = connect(server.address, path);
        say(&mut again, "hello");
        assert_eq!(hear(&mut again), "heard hello");
    }
}

#[test]
fn a_node_that_ends_closes_them() {
    let (_dir, mut server) = serve();
    let mut sockets = ["/a", "/b", "/b/plain"].map(|path| connect(server.address, path));
    for socket in &mut sockets {
        say(socket, "hello");
        assert_eq!(hear(socket), "heard hello");
    }
    signal(&server.process, libc::SIGTERM);
    for socket in &mut sockets {
        let Message::Close(Some(close)) = socket.read().expect("a close") else {
            panic!("something else than a close");
        };
        assert_eq!(close.code, CloseCode::Away);
    }
    let status = server.process.wait(Duration::from_secs(10));
    assert!(status.success(), "{status:?}: {}", server.process.log());
}

#[test]
fn others_keep_theirs() {
    let (_dir, server) = serve();
    let mut other = connect(server.address, "/other");
    let mut one = connect(server.address, "/one");
    say(&mut one, "abort");
    assert!(is_cut(&mut one));
    say(&mut other, "hello");
    assert_eq!(hear(&mut other), "heard hello");
}

#[test]
fn a_socket_that_breaks_the_protocol_is_told_of_and_closed() {
    let (_dir, server) = serve();
    for (path, frame, description) in [
        ("/opcode", [0x83, 0x80, 0, 0, 0, 0], "Unknown opcode 3"),
        (
            "/rest",
            [0x80, 0x80, 0, 0, 0, 0],
            "Unexpected continuation frame",
        ),
    ] {
        let mut socket = connect(server.address, path);
        socket.get_mut().write_all(&frame).expect("sent");
        let closed = CloseFrame {
            code: CloseCode::Protocol,
            reason: description.into(),
        };
        assert_eq!(
            socket.read().expect("a close"),
            Message::Close(Some(closed))
        );
        let told = format!(
            "0: WebSocket protocol error; protocolError.statusCode = 1002; \
             protocolError.description = {description}"
        );
        let mut shown = String::new();
        until("the error", || {
            shown = text(&server, path);
            shown != "1: " && shown != "0: "
        });
        assert_eq!(shown, told);
    }
    // A client that goes without a word is no error.
    let mut socket = connect(server.address, "/gone");
    say(&mut socket, "hello");
    assert_eq!(hear(&mut socket), "heard hello");
    drop(socket);
    let mut shown = String::new();
    until("the close", || {
        shown = text(&server, "/gone");
        shown != "1: "
    });
    assert_eq!(shown, "0: close 1006 false");
}
