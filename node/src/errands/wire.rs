//! How errands travel: frames on a Unix socket.
//!
//! ```text
//! frame    kind 1 | bytes 4, little end first | so many bytes
//! command  ERRAND (JSON), DATA ..., END
//! node     DATA ..., then DONE (JSON: warnings) or FAILED (text)
//! ```
//! A node that fails early does not read the rest of what the command sends.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use super::{Errand, Warnings};

/// Changes with the frames, and with what errands mean.
const VERSION: u32 = 1;

/// Bytes of a frame: an errand may name a thousand keys.
const MOST: usize = 4 << 20;
/// Bytes of a frame of data.
pub(super) const CHUNK: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Errand = 1,
    Data = 2,
    End = 3,
    Done = 4,
    Failed = 5,
}

/// What a frame says.
#[derive(Debug)]
pub(super) enum Frame {
    Errand(Vec<u8>),
    Data(Vec<u8>),
    End,
    Done(Warnings),
    Failed(String),
}

/// Why the other side is not understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("a frame of kind {0}, which there is not")]
    Kind(u8),
    #[error("a frame of {0} bytes, of which there may be {MOST}")]
    TooLong(usize),
    #[error("a frame that is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(
        "the node is another version of Outboard ({node}), and does not do this command for one \
         of {}; use that version, or stop the node",
        env!("CARGO_PKG_VERSION")
    )]
    Version { node: String },
    #[error("a frame that is not expected")]
    Unexpected,
}

#[derive(Deserialize)]
struct Asked {
    version: u32,
    errand: serde_json::Value,
}

#[derive(Serialize)]
struct Asks<'a> {
    version: u32,
    errand: &'a Errand,
}

pub(super) fn send_errand(out: &mut impl Write, errand: &Errand) -> Result<(), WireError> {
    let asks = Asks {
        version: VERSION,
        errand,
    };
    Ok(send(out, Kind::Errand, &serde_json::to_vec(&asks)?)?)
}

pub(super) fn read_errand(json: &[u8]) -> Result<Errand, WireError> {
    let other = || WireError::Version {
        node: env!("CARGO_PKG_VERSION").into(),
    };
    let asked: Asked = serde_json::from_slice(json)?;
    if asked.version != VERSION {
        return Err(other());
    }
    serde_json::from_value(asked.errand).map_err(|_unknown| other())
}

pub(super) fn send_end(out: &mut impl Write) -> io::Result<()> {
    send(out, Kind::End, &[])
}

pub(super) fn send_done(out: &mut impl Write, warnings: &Warnings) -> Result<(), WireError> {
    Ok(send(out, Kind::Done, &serde_json::to_vec(warnings)?)?)
}

pub(super) fn send_failed(out: &mut impl Write, why: &str) -> io::Result<()> {
    let most = why.floor_char_boundary(CHUNK);
    send(out, Kind::Failed, &why.as_bytes()[..most])
}

fn send(out: &mut impl Write, kind: Kind, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok();
    let length = length.filter(|_| bytes.len() <= MOST);
    let length = length.ok_or_else(|| io::Error::other(WireError::TooLong(bytes.len())))?;
    let mut head = [kind as u8; 5];
    head[1..].copy_from_slice(&length.to_le_bytes());
    out.write_all(&head)?;
    out.write_all(bytes)
}

/// The next frame; none where the other side has ended.
pub(super) fn receive(input: &mut impl Read) -> Result<Option<Frame>, WireError> {
    let mut head = [0; 5];
    loop {
        match input.read(&mut head[..1]) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    input.read_exact(&mut head[1..])?;
    let [kind, length @ ..] = head;
    let length = u32::from_le_bytes(length) as usize;
    if length > MOST {
        return Err(WireError::TooLong(length));
    }
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes)?;
    let kinds = [
        Kind::Errand,
        Kind::Data,
        Kind::End,
        Kind::Done,
        Kind::Failed,
    ];
    let found = kinds.into_iter().find(|known| *known as u8 == kind);
    Ok(Some(match found.ok_or(WireError::Kind(kind))? {
        Kind::Errand => Frame::Errand(bytes),
        Kind::Data => Frame::Data(bytes),
        Kind::End => Frame::End,
        Kind::Done => Frame::Done(serde_json::from_slice(&bytes)?),
        Kind::Failed => Frame::Failed(String::from_utf8_lossy(&bytes).into_owned()),
    }))
}

/// Writes what it is given as frames of data.
pub(super) struct Outgoing<W>(pub(super) W);

impl<W: Write> Write for Outgoing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part = &bytes[..bytes.len().min(CHUNK)];
        if !part.is_empty() {
            send(&mut self.0, Kind::Data, part)?;
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Reads what frames of data have, up to the end that is told.
pub(super) struct Incoming<R> {
    stream: R,
    chunk: io::Cursor<Vec<u8>>,
    has_ended: bool,
}

impl<R> Incoming<R> {
    pub(super) fn new(stream: R) -> Self {
        Self {
            stream,
            chunk: io::Cursor::default(),
            has_ended: false,
        }
    }
}

impl<R: Read> Read for Incoming<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(buffer)?;
            if read > 0 || self.has_ended || buffer.is_empty() {
                return Ok(read);
            }
            match receive(&mut self.stream) {
                Ok(Some(Frame::Data(bytes))) => self.chunk = io::Cursor::new(bytes),
                Ok(Some(Frame::End)) => self.has_ended = true,
                Ok(Some(_)) => return Err(io::Error::other(WireError::Unexpected)),
                Ok(None) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(WireError::Io(error)) => return Err(error),
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_as_they_were_sent() {
        let mut sent = Vec::new();
        let errand = Errand::Data(super::super::DataErrand::Ls);
        send_errand(&mut sent, &errand).expect("sent");
        let long = vec![7; 3 * CHUNK + 1];
        Outgoing(&mut sent).write_all(&long).expect("sent");
        send_end(&mut sent).expect("sent");
        send_done(&mut sent, &vec!["w".into()]).expect("sent");
        send_failed(&mut sent, &"é".repeat(CHUNK)).expect("sent");
        let mut input = &sent[..];
        let Ok(Some(Frame::Errand(json))) = receive(&mut input) else {
            panic!("an errand comes first");
        };
        assert!(matches!(
            read_errand(&json),
            Ok(Errand::Data(super::super::DataErrand::Ls))
        ));
        let mut read = Vec::new();
        let mut incoming = Incoming::new(&mut input);
        incoming.read_to_end(&mut read).expect("read");
        assert_eq!(read, long);
        assert!(matches!(receive(&mut input), Ok(Some(Frame::Done(told))) if told == ["w"]));
        assert!(matches!(receive(&mut input), Ok(Some(Frame::Failed(why))) if why.len() <= CHUNK));
        assert!(matches!(receive(&mut input), Ok(None)));
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let check = |bytes: &[u8]| {
            receive(&mut &*bytes)
                .expect_err("it is refused")
                .to_string()
        };
        assert!(check(&[9, 0, 0, 0, 0]).contains("of kind 9"));
        assert!(check(&[2, 0, 0, 0, 9]).contains("a frame of 150994944 bytes"));
        assert!(check(&[4, 1, 0, 0, 0, b'x']).contains("no JSON"));
        assert!(check(&[2, 1, 0]).contains("failed to fill"));
        let told = read_errand(br#"{"version":2,"errand":{}}"#).expect_err("newer");
        assert!(told.to_string().contains("another version"), "{told}");
        let told = read_errand(br#"{"version":1,"errand":"dance"}"#).expect_err("unknown");
        assert!(told.to_string().contains("another version"), "{told}");
        let mut cut = &[2, 1, 0, 0, 0, b'x'][..];
        let mut incoming = Incoming::new(&mut cut);
        let end = incoming.read_to_end(&mut Vec::new()).expect_err("no end");
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
    }
}
