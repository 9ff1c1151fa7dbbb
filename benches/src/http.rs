//! As much HTTP/1.1 as a load generator needs: requests as bytes, and a
//! response parser that counts body bytes instead of keeping them.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A response head past this is a fault of the server.
const HEAD_LIMIT: usize = 16 * 1024;

/// Patience for one answer of a server that is not under load.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn get(host: &str) -> Vec<u8> {
    get_path(host, "/")
}

pub(crate) fn get_path(host: &str, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n").into_bytes()
}

pub(crate) fn post(host: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Reads one response from the pieces that arrive.
pub(crate) struct ResponseReader {
    part: Part,
    /// Bytes of an unfinished head or chunk size line.
    pending: Vec<u8>,
    status: u16,
    kept: Option<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Body { left: u64 },
    ChunkSize,
    Chunk { left: u64 },
    ChunkEnd,
    Trailer,
    Done,
}

impl ResponseReader {
    pub(crate) fn new() -> Self {
        Self {
            part: Part::Head,
            pending: Vec::new(),
            status: 0,
            kept: None,
        }
    }

    pub(crate) fn keeping_the_body() -> Self {
        Self {
            kept: Some(Vec::new()),
            ..Self::new()
        }
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn restart(&mut self) {
        self.part = Part::Head;
        self.pending.clear();
        self.status = 0;
    }

    /// Takes the next bytes; true once the response is complete.
    pub(crate) fn feed(&mut self, mut input: &[u8]) -> Result<bool> {
        while !input.is_empty() {
            match self.part {
                Part::Head => {
                    let Some(head) = self.take_until(&mut input, b"\r\n\r\n")? else {
                        break;
                    };
                    (self.status, self.part) = parse_head(&head)?;
                }
                Part::Body { left } => {
                    let left = left - self.take_body(&mut input, left);
                    self.part = if left == 0 {
                        Part::Done
                    } else {
                        Part::Body { left }
                    };
                }
                Part::ChunkSize => {
                    let Some(line) = self.take_until(&mut input, b"\r\n")? else {
                        break;
                    };
                    let size = std::str::from_utf8(&line)?.trim_end();
                    let size = size.split(';').next().unwrap_or_default();
                    let left = u64::from_str_radix(size, 16)
                        .with_context(|| format!("chunk size {size:?}"))?;
                    self.part = if left == 0 {
                        Part::Trailer
                    } else {
                        Part::Chunk { left }
                    };
                }
                Part::Chunk { left } => {
                    let left = left - self.take_body(&mut input, left);
                    self.part = if left == 0 {
                        Part::ChunkEnd
                    } else {
                        Part::Chunk { left }
                    };
                }
                Part::ChunkEnd => {
                    if self.take_until(&mut input, b"\r\n")?.is_some() {
                        self.part = Part::ChunkSize;
                    }
                }
                Part::Trailer => {
                    let Some(line) = self.take_until(&mut input, b"\r\n")? else {
                        break;
                    };
                    if *line == *b"\r\n" {
                        self.part = Part::Done;
                    }
                }
                Part::Done => bail!("{} bytes after the end of the response", input.len()),
            }
        }
        Ok(self.part == Part::Done)
    }

    fn take_body(&mut self, input: &mut &[u8], left: u64) -> u64 {
        let (body, rest) = input.split_at(input.len().min(left as usize));
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(body);
        }
        *input = rest;
        body.len() as u64
    }

    /// Everything up to and with `end`, or None after keeping what there is.
    fn take_until<'a>(
        &mut self,
        input: &mut &'a [u8],
        end: &[u8],
    ) -> Result<Option<std::borrow::Cow<'a, [u8]>>> {
        if self.pending.is_empty()
            && let Some(at) = find(input, end)
        {
            let (taken, rest) = input.split_at(at + end.len());
            *input = rest;
            return Ok(Some(taken.into()));
        }
        // The end may straddle two pieces: search again from just before the join.
        let from = self.pending.len().saturating_sub(end.len() - 1);
        let known = self.pending.len();
        self.pending.extend_from_slice(input);
        if let Some(at) = find(&self.pending[from..], end) {
            let length = from + at + end.len();
            *input = &input[length - known..];
            self.pending.truncate(length);
            return Ok(Some(std::mem::take(&mut self.pending).into()));
        }
        if self.pending.len() > HEAD_LIMIT {
            bail!("a response head or chunk line of more than {HEAD_LIMIT} bytes");
        }
        *input = &[];
        Ok(None)
    }
}

fn parse_head(head: &[u8]) -> Result<(u16, Part)> {
    let head = std::str::from_utf8(head).context("the response head is not text")?;
    let mut lines = head.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(|code| code.parse().ok())
        .with_context(|| format!("not a response: {status_line:?}"))?;
    let mut length = None;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(
                value
                    .trim()
                    .parse()
                    .with_context(|| format!("content-length {value:?}"))?,
            );
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok((status, Part::ChunkSize));
        }
    }
    match length {
        Some(0) => Ok((status, Part::Done)),
        Some(left) => Ok((status, Part::Body { left })),
        None => bail!("a response with neither content-length nor transfer-encoding"),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// One keep-alive connection that asks one thing at a time.
pub(crate) struct Client {
    stream: TcpStream,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// From the start of sending to the first byte of the answer.
    pub(crate) first_byte: Duration,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }

    pub(crate) fn ask(&mut self, request: &[u8]) -> Result<Reply> {
        let mut stream = &self.stream;
        let started = Instant::now();
        // What a socket takes at once needs no thread; a long upload that is
        // echoed has to be read while it is written.
        if request.len() <= 16 * 1024 {
            stream.write_all(request)?;
            return self.read_reply(started);
        }
        std::thread::scope(|scope| {
            let writer = scope.spawn(move || stream.write_all(request));
            let reply = self.read_reply(started);
            writer.join().expect("writing does not panic")?;
            reply
        })
    }

    fn read_reply(&self, started: Instant) -> Result<Reply> {
        let mut stream = &self.stream;
        let mut reader = ResponseReader::keeping_the_body();
        let mut buffer = [0; 16 * 1024];
        let mut first_byte = None;
        loop {
            let read = stream.read(&mut buffer).context("waiting for the answer")?;
            let first_byte = *first_byte.get_or_insert_with(|| started.elapsed());
            if read == 0 {
                bail!("the connection was closed before the answer was complete");
            }
            if reader.feed(&buffer[..read])? {
                let body = reader.kept.take().unwrap_or_default();
                return Ok(Reply {
                    status: reader.status,
                    body,
                    first_byte,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(response: &str, status: u16, body: &str) {
        for piece in 1..=response.len() {
            let mut reader = ResponseReader::keeping_the_body();
            let mut done = false;
            for bytes in response.as_bytes().chunks(piece) {
                assert!(!done, "done before the end in pieces of {piece}");
                done = reader.feed(bytes).unwrap();
            }
            assert!(done, "unfinished in pieces of {piece}");
            assert_eq!(reader.status(), status);
            assert_eq!(reader.kept.as_deref(), Some(body.as_bytes()));
        }
    }

    #[test]
    fn a_response_is_read_however_it_is_cut() {
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            200,
            "hello",
        );
        check("HTTP/1.1 500 Oh\r\ncontent-length:0\r\n\r\n", 500, "");
        check(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n",
            200,
            "abc0123456789",
        );
        check(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-sum: 1\r\n\r\n",
            200,
            "",
        );
    }

    #[test]
    fn bytes_after_the_end_are_a_fault() {
        let mut reader = ResponseReader::new();
        assert!(
            reader
                .feed(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab")
                .is_err()
        );
    }
}
