//! A client that hides nothing: it sends what it is told to and reports what
//! came back, a connection that was cut included.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::PATIENCE;

/// The pause between two chunks, so that they arrive as two.
const PAUSE: Duration = Duration::from_millis(10);

/// What to send as the body.
#[derive(Debug, Clone, Default)]
pub(crate) enum Upload {
    #[default]
    None,
    /// With its content-length.
    Sized(Vec<u8>),
    /// With `transfer-encoding: chunked`.
    Chunked(Vec<Vec<u8>>),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) upload: Upload,
}

/// A GET on a connection that ends with its answer.
pub(crate) fn get(host: &str, path: &str) -> Request {
    Request {
        method: "GET".into(),
        path: path.into(),
        headers: vec![
            ("host".into(), host.into()),
            ("connection".into(), "close".into()),
        ],
        ..Request::default()
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    /// The status line without its version; empty where none came.
    pub(crate) status: String,
    /// As they came, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// How the answer fell short, if it did.
    pub(crate) fault: Option<&'static str>,
}

impl Answer {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(header, _)| header == name);
        named.next().map(|(_, value)| value.as_str())
    }
}

/// Sends one request on a connection of its own and reads to the end.
pub(crate) fn send(address: SocketAddr, request: &Request) -> Answer {
    let Ok(stream) = TcpStream::connect(address) else {
        return fault("no connection");
    };
    let configured = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
        .and_then(|()| stream.set_nodelay(true));
    let (Ok(()), Ok(writer)) = (configured, stream.try_clone()) else {
        return fault("no connection");
    };
    // The answer may come, and the server leave, before all is sent.
    std::thread::scope(|scope| {
        scope.spawn(|| upload(writer, request));
        let answer = read(&stream, request.method == "HEAD");
        // Ends the upload, should it still wait.
        let _ = stream.shutdown(Shutdown::Both);
        answer
    })
}

fn fault(fault: &'static str) -> Answer {
    Answer {
        fault: Some(fault),
        ..Answer::default()
    }
}

/// Errors are left to the reading side: a server may stop reading and answer.
fn upload(mut stream: TcpStream, request: &Request) {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match &request.upload {
        Upload::None => {}
        Upload::Sized(body) => head.push_str(&format!("content-length: {}\r\n", body.len())),
        Upload::Chunked(_) => head.push_str("transfer-encoding: chunked\r\n"),
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    if let Upload::Sized(body) = &request.upload {
        bytes.extend_from_slice(body);
    }
    if stream.write_all(&bytes).is_err() {
        return;
    }
    if let Upload::Chunked(chunks) = &request.upload {
        for chunk in chunks {
            std::thread::sleep(PAUSE);
            let mut bytes = format!("{:x}\r\n", chunk.len()).into_bytes();
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
            if !chunk.is_empty() && stream.write_all(&bytes).is_err() {
                return;
            }
        }
        let _ = stream.write_all(b"0\r\n\r\n");
    }
}

fn read(mut stream: &TcpStream, head_only: bool) -> Answer {
    let mut bytes = Vec::new();
    let slow = match stream.read_to_end(&mut bytes) {
        Ok(_) => false,
        // A reset after the answer ends it as well as a close does.
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    };
    let mut answer = parse(&bytes, head_only);
    if slow && answer.fault.is_some() {
        answer.fault = Some("not ended in time");
    }
    answer
}

fn parse(bytes: &[u8], head_only: bool) -> Answer {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        return fault("cut before the answer");
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    let mut answer = Answer {
        status: status
            .split_once(' ')
            .map_or(status, |(_version, rest)| rest)
            .to_string(),
        ..Answer::default()
    };
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        answer
            .headers
            .push((name.to_ascii_lowercase(), value.trim().to_string()));
    }
    let rest = &bytes[end + 4..];
    let bodiless = ["1", "204", "304"]
        .iter()
        .any(|status| answer.status.starts_with(status));
    if head_only || bodiless {
        answer.body = rest.to_vec();
    } else if answer.header("transfer-encoding") == Some("chunked") {
        let (body, ended) = unchunk(rest);
        answer.body = body;
        answer.fault = (!ended).then_some("cut inside the body");
    } else {
        answer.body = rest.to_vec();
        let length = answer.header("content-length").map(str::parse::<usize>);
        if let Some(Ok(length)) = length {
            answer.fault = (rest.len() < length).then_some("cut inside the body");
            answer.body.truncate(length);
        }
    }
    answer
}

/// The chunks' content, and whether the last one came.
fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = find(rest, b"\r\n") {
        let size = std::str::from_utf8(&rest[..end])
            .ok()
            .and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
        let Some(size) = size else {
            return (body, false);
        };
        if size == 0 {
            return (body, true);
        }
        rest = &rest[end + 2..];
        body.extend_from_slice(&rest[..size.min(rest.len())]);
        rest = rest.get(size + 2..).unwrap_or_default();
    }
    (body, false)
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}
