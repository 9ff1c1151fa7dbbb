//! Clients that break the rules or stall: each gets one clear answer or a closed
//! connection, and the next client is served as if nothing had been.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::{Outboard, PATIENCE};

/// Before any timeout of the server's ends: whoever waits for one is not served.
const SOON: Duration = Duration::from_secs(25);

const SCRIPT: &str = r#"
let seen = 0;
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/length") return new Response(`${(await request.arrayBuffer()).byteLength}`);
    if (pathname === "/aborted") {
      try { await request.text(); } catch { seen++; }
      return new Response("late");
    }
    if (pathname === "/half") {
      await request.body.getReader().read();
      return new Response("enough");
    }
    if (pathname === "/seen") return new Response(`${seen}`);
    return new Response("fine");
  },
};
"#;

fn server(more: &str) -> (Outboard, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let script = dir.path().join("worker.js");
    std::fs::write(&script, SCRIPT).expect("the script is written");
    let config = format!(
        "lanes = 1\n{more}\n[[worker]]\nname = \"w\"\nmain = {:?}\nroutes = [\"*\"]\n",
        script.display().to_string()
    );
    (Outboard::serve(&config), dir)
}

/// Sends raw bytes on a connection of their own; gives all that comes back.
fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(SOON)).expect("a timeout");
    // The server may close before all is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// `raw`, expecting `starts`; then a good client is served.
fn check(address: SocketAddr, bytes: impl AsRef<[u8]>, starts: &str) {
    let bytes = bytes.as_ref();
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
    let answer = raw(address, bytes);
    assert!(answer.starts_with(starts), "{shown:?}: {answer:?}");
    let good = raw(
        address,
        b"GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n",
    );
    assert!(good.ends_with("\r\n\r\nfine"), "after {shown:?}: {good:?}");
}

#[test]
fn malformed_requests_get_400_and_harm_nobody() {
    let (server, _dir) = server("[limits]\nrequest_head_bytes = 16384\nrequest_body_bytes = 1000");
    let address = server.address;
    for head in [
        "GARBAGE\r\n\r\n",
        "GET / HTTP/9.9\r\nhost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nbad name: x\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\n folded: x\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: nine\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        // RFC 9112, 3.2: exactly one Host.
        "GET / HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\x00b\r\nconnection: close\r\n\r\n",
    ] {
        check(address, head, "HTTP/1.1 400 ");
    }
    let mut binary = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    binary.extend(std::iter::repeat_n(0xff, 500));
    binary.extend(b"\r\n\r\n");
    check(address, binary, "HTTP/1.1 400 ");
}

#[test]
fn oversize_heads_and_bodies_are_refused() {
    let (server, _dir) = server("[limits]\nrequest_head_bytes = 16384\nrequest_body_bytes = 1000");
    let address = server.address;
    let long = "x".repeat(40_000);
    check(
        address,
        format!("GET / HTTP/1.1\r\nhost: a\r\nlong: {long}\r\n\r\n"),
        "HTTP/1.1 431 ",
    );
    check(
        address,
        format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"),
        "HTTP/1.1 4",
    );
    check(
        address,
        "POST /length HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 1001\r\n\r\n",
        "HTTP/1.1 413 ",
    );
    // Without a length it is found out while reading: the script's read fails.
    let chunk = "y".repeat(600);
    check(
        address,
        format!(
            "POST /length HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
             transfer-encoding: chunked\r\n\r\n258\r\n{chunk}\r\n258\r\n{chunk}\r\n0\r\n\r\n"
        ),
        "HTTP/1.1 500 ",
    );
    check(
        address,
        format!(
            "POST /length HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 600\r\n\r\n{chunk}"
        ),
        "HTTP/1.1 200 ",
    );
}

#[test]
fn a_client_that_stalls_is_cut_and_holds_up_nobody() {
    let (server, _dir) = server("[limits]\nhead_timeout_ms = 300");
    // Half a head, and then nothing.
    check(server.address, "GET / HTTP/1.1\r\nhost: a", "");
    // Many at once, none of which ever finishes.
    let stalled: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).expect("a connection");
            stream.write_all(b"GET / HT").expect("a few bytes");
            stream
        })
        .collect();
    check(
        server.address,
        "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 ",
    );
    for mut stream in stalled {
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut rest = Vec::new();
        // Closed, or answered with a timeout: either way it ends.
        stream.read_to_end(&mut rest).expect("the server ends it");
    }
}

#[test]
fn an_upload_that_breaks_off_fails_the_read_and_nothing_else() {
    let (server, _dir) = server("");
    let mut stream = TcpStream::connect(server.address).expect("a connection");
    stream
        .write_all(b"POST /aborted HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nsome")
        .expect("the head is sent");
    drop(stream);
    // The script sees it; ask until it has.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = raw(
            server.address,
            b"GET /seen HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        );
        if seen.ends_with("\r\n\r\n1") {
            break;
        }
        assert!(Instant::now() < deadline, "the read never failed: {seen:?}");
        std::thread::yield_now();
    }
}

#[test]
fn an_answer_to_an_unread_upload_says_that_the_connection_closes() {
    let (server, _dir) = server("[limits]\nrequest_body_bytes = 10000000");
    let check = |path: &str, length: usize, sent: usize, closes: bool| {
        let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n");
        let mut stream = TcpStream::connect(server.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let bytes = [head.as_bytes(), &vec![b'x'; sent]].concat();
        stream.write_all(&bytes).expect("it is sent");
        if !closes {
            // Another request, which ends the connection.
            stream
                .write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
                .expect("it is sent");
        }
        let mut answer = Vec::new();
        // A reset after the answer is as good an end.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let says = answer
            .split("\r\n\r\n")
            .next()
            .is_some_and(|head| head.contains("connection: close"));
        assert_eq!(says, closes, "{path} {length}: {answer}");
        let answers = answer.matches("HTTP/1.1 ").count();
        assert_eq!(answers, if closes { 1 } else { 2 }, "{path}: {answer}");
    };
    // Never looked at, with most of it still to come.
    check("/", 5_000_000, 50_000, true);
    check("/half", 5_000_000, 50_000, true);
    // Refused unseen.
    check("/", 10_000_001, 0, true);
    // Small, or read to its end: the connection goes on.
    check("/", 1_000, 1_000, false);
    check("/length", 5_000_000, 5_000_000, false);
}

#[test]
fn invalid_utf8_in_paths_and_headers_reaches_the_script_as_text() {
    let (server, _dir) = server("");
    check(
        server.address,
        b"GET /%FF%FE?q=%C3%28 HTTP/1.1\r\nhost: a\r\nx: caf\xe9\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 ",
    );
}
