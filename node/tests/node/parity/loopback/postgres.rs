//! As much of PostgreSQL's protocol (version 3) as a client's driver needs: start,
//! passwords, simple and extended queries. A row tells what the server was sent.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;

const SSL_REQUEST: u32 = 80_877_103;
const START: u32 = 196_608;

/// No message of a test is longer.
const MAX_MESSAGE: usize = 1 << 20;

pub(super) fn converse(mut stream: TcpStream) -> Result<()> {
    let Some(user) = start(&mut stream)? else {
        return Ok(());
    };
    let mut session = Session {
        password: String::new(),
        parameters: Vec::new(),
        query: String::new(),
        out: Vec::new(),
    };
    match user.as_str() {
        "md5" => session.send(b'R', &[0, 0, 0, 5, b's', b'a', b'l', b't']),
        "password" => session.send(b'R', &[0, 0, 0, 3]),
        _ => {
            session.error("FATAL", "28P01", &format!("{user} may not come in"));
            return stream.write_all(&session.out);
        }
    }
    loop {
        stream.write_all(&std::mem::take(&mut session.out))?;
        let (kind, body) = message(&mut stream)?;
        if kind == b'X' {
            return Ok(());
        }
        session.take(kind, &body)?;
    }
}

/// The user that a start message names; None where the client only asked to cancel.
fn start(stream: &mut TcpStream) -> Result<Option<String>> {
    loop {
        let body = body(stream)?;
        let code = body.get(..4).and_then(|code| code.try_into().ok());
        match code.map(u32::from_be_bytes) {
            Some(SSL_REQUEST) => stream.write_all(b"N")?,
            Some(START) => {
                let texts: Vec<_> = texts(&body[4..]).collect();
                let mut pairs = texts.chunks(2);
                let user = pairs.find(|pair| pair[0] == "user");
                return Ok(user.and_then(|pair| pair.get(1).cloned()));
            }
            _ => return Ok(None),
        }
    }
}

fn message(stream: &mut TcpStream) -> Result<(u8, Vec<u8>)> {
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    Ok((kind[0], body(stream)?))
}

fn body(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if !(4..MAX_MESSAGE).contains(&length) {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; length - 4];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// Texts that end with a zero each.
fn texts(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes
        .split(|byte| *byte == 0)
        .map(|text| String::from_utf8_lossy(text).into_owned())
}

struct Session {
    /// As it came.
    password: String,
    query: String,
    parameters: Vec<Option<Vec<u8>>>,
    out: Vec<u8>,
}

impl Session {
    fn send(&mut self, kind: u8, body: &[u8]) {
        let length = u32::try_from(body.len() + 4).expect("a short message");
        self.out.push(kind);
        self.out.extend(length.to_be_bytes());
        self.out.extend(body);
    }

    fn send_texts(&mut self, kind: u8, texts: &[&str]) {
        let mut body = Vec::new();
        for text in texts {
            body.extend(text.as_bytes());
            body.push(0);
        }
        self.send(kind, &body);
    }

    fn error(&mut self, severity: &str, code: &str, text: &str) {
        self.send_texts(
            b'E',
            &[
                &format!("S{severity}"),
                &format!("C{code}"),
                &format!("M{text}"),
                "",
            ],
        );
    }

    fn take(&mut self, kind: u8, body: &[u8]) -> Result<()> {
        let mut texts = texts(body);
        let mut text = || texts.next().unwrap_or_default();
        match kind {
            b'p' => {
                self.password = text();
                self.send(b'R', &[0; 4]);
                self.send_texts(b'S', &["server_version", "17.0"]);
                self.send_texts(b'S', &["client_encoding", "UTF8"]);
                self.send(b'K', &[0, 0, 0, 1, 0, 0, 0, 2]);
                self.send_texts(b'N', &["SNOTICE", "C00000", "Mwelcome", ""]);
                self.send(b'Z', b"I");
            }
            b'Q' => {
                self.query = text();
                if self.query != "fail" {
                    self.describe();
                }
                self.execute();
                self.send(b'Z', b"I");
            }
            b'P' => {
                (_, self.query) = (text(), text());
                self.send(b'1', &[]);
            }
            b'B' => {
                self.parameters = parameters(body)?;
                self.send(b'2', &[]);
            }
            b'D' => self.describe(),
            b'E' => self.execute(),
            b'C' => self.send(b'3', &[]),
            b'S' => self.send(b'Z', b"I"),
            b'H' => {}
            other => return Err(Error::other(format!("message {}", char::from(other)))),
        }
        Ok(())
    }

    fn columns(&self) -> &'static [(&'static str, u32)] {
        match self.query.as_str() {
            "select simple" => &[
                ("id", 23),
                ("big", 20),
                ("name", 25),
                ("ok", 16),
                ("at", 1184),
                ("doc", 3802),
                ("bytes", 17),
                ("list", 1007),
                ("none", 25),
            ],
            "select many" => &[("n", 23), ("text", 25)],
            "select $1" => &[("sent", 25)],
            _ => &[],
        }
    }

    fn rows(&self) -> Vec<Vec<Option<String>>> {
        let some = |text: &str| Some(text.to_string());
        match self.query.as_str() {
            "select simple" => vec![vec![
                some("42"),
                some("9007199254740993"),
                some(&format!("gr\u{fc}n, with {}", self.password)),
                some("t"),
                some("2024-02-29 23:59:59.999+00"),
                some(r#"{"a":[1,null]}"#),
                some("\\x00ff10"),
                some("{1,2,NULL}"),
                None,
            ]],
            "select many" => (0..2_000)
                .map(|n: u32| vec![some(&n.to_string()), some(&"x".repeat(200))])
                .collect(),
            "select $1" => vec![vec![some(&format!("{:?}", self.parameters))]],
            _ => Vec::new(),
        }
    }

    fn describe(&mut self) {
        let columns = self.columns();
        let mut body = count(columns.len());
        for (name, kind) in columns {
            body.extend(name.as_bytes());
            body.extend([0; 7]);
            body.extend(kind.to_be_bytes());
            body.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]);
        }
        self.send(b'T', &body);
    }

    fn execute(&mut self) {
        if self.query == "fail" {
            return self.error("ERROR", "42601", "that is no query");
        }
        let rows = self.rows();
        for row in &rows {
            let mut body = count(row.len());
            for value in row {
                let Some(value) = value else {
                    body.extend([0xff; 4]);
                    continue;
                };
                let length = u32::try_from(value.len()).expect("a short value");
                body.extend(length.to_be_bytes());
                body.extend(value.as_bytes());
            }
            self.send(b'D', &body);
        }
        self.send_texts(b'C', &[&format!("SELECT {}", rows.len())]);
    }
}

fn count(length: usize) -> Vec<u8> {
    u16::try_from(length).expect("few").to_be_bytes().into()
}

/// Of a Bind message: two names, formats, then the values.
fn parameters(body: &[u8]) -> Result<Vec<Option<Vec<u8>>>> {
    let mut rest = body;
    for _ in 0..2 {
        let end = rest.iter().position(|byte| *byte == 0);
        rest = &rest[end.ok_or(ErrorKind::InvalidData)? + 1..];
    }
    let formats = number(&mut rest, 2)?;
    number(&mut rest, 2 * formats)?;
    let mut values = Vec::new();
    for _ in 0..number(&mut rest, 2)? {
        let length = number(&mut rest, 4)?;
        if length == u32::MAX as usize {
            values.push(None);
            continue;
        }
        let (value, after) = rest
            .split_at_checked(length)
            .ok_or(ErrorKind::InvalidData)?;
        values.push(Some(value.into()));
        rest = after;
    }
    Ok(values)
}

/// So many bytes as a number; of more than eight, the last count.
fn number(rest: &mut &[u8], bytes: usize) -> Result<usize> {
    let (head, after) = rest.split_at_checked(bytes).ok_or(ErrorKind::InvalidData)?;
    *rest = after;
    Ok(head
        .iter()
        .fold(0, |number: usize, byte| (number << 8) | usize::from(*byte)))
}
