//! The load a soak mixes: some connections for each kind of request.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::http::{self, Client};

const MEGABYTE: usize = 1 << 20;

/// One kind of request, and what came of it.
pub(super) struct Kind {
    pub(super) name: &'static str,
    request: Vec<u8>,
    pub(super) connections: usize,
    /// Between an answer and the next request.
    pause: Duration,
    ends: Ends,
    answered: AtomicU64,
    wrong: AtomicU64,
    /// What was wrong first.
    first: Mutex<Option<String>>,
}

/// How a request should end.
#[derive(Clone, Copy)]
enum Ends {
    With {
        status: u16,
        body: usize,
    },
    /// Some other request may have ended the isolate, or this one did.
    InAny(&'static [u16]),
    /// The client reads a little and leaves.
    Left,
}

pub(super) fn kinds() -> Vec<Kind> {
    let kind = |name, request, connections, pause, ends| Kind {
        name,
        request,
        connections,
        pause: Duration::from_millis(pause),
        ends,
        answered: AtomicU64::new(0),
        wrong: AtomicU64::new(0),
        first: Mutex::new(None),
    };
    let get = http::get;
    let post = |host, body: &[u8]| http::post(host, "application/octet-stream", body);
    let megabyte = vec![b'x'; MEGABYTE];
    let order = br#"{"items":[{"price":5,"quantity":2}]}"#;
    let whole = |body| Ends::With { status: 200, body };
    vec![
        kind("hello", get("hello.test"), 8, 0, whole(14)),
        kind("json", post("json.test", order), 4, 0, whole(71)),
        kind("stream", get("stream.test"), 2, 5, whole(MEGABYTE)),
        kind("echo", post("echo.test", &megabyte), 1, 5, whole(MEGABYTE)),
        kind("reads", post("reads.test", &megabyte), 1, 5, whole(7)),
        kind("leaves", get("stream.test"), 1, 20, Ends::Left),
        kind(
            "throws",
            get("throws.test"),
            1,
            5,
            Ends::With {
                status: 500,
                body: 21,
            },
        ),
        kind("loops", get("loops.test"), 2, 200, Ends::InAny(&[503])),
        kind("hoards", get("hoards.test"), 1, 1_000, Ends::InAny(&[503])),
        kind("grows", get("grows.test"), 1, 20, Ends::InAny(&[200, 503])),
    ]
}

impl Kind {
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    pub(super) fn wrong(&self) -> u64 {
        self.wrong.load(Ordering::Relaxed)
    }

    /// What there is to say against it.
    pub(super) fn verdict(&self) -> Option<String> {
        let first = self.first.lock().expect("nobody panicked").take();
        match (self.answered(), first) {
            (0, None) => Some(format!("{}: nothing was answered", self.name)),
            (_, None) => None,
            (_, Some(first)) => Some(format!("{}: {} wrong: {first}", self.name, self.wrong())),
        }
    }

    /// One connection's requests until `stop`.
    pub(super) fn drive(&self, address: SocketAddr, stop: &AtomicBool) {
        let mut client = None;
        while !stop.load(Ordering::Relaxed) {
            match self.ask(address, &mut client) {
                Ok(()) => {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    client = None;
                    self.wrong.fetch_add(1, Ordering::Relaxed);
                    let mut first = self.first.lock().expect("nobody panicked");
                    first.get_or_insert_with(|| format!("{error:#}"));
                    // Where nothing works this should not be a busy loop.
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
            std::thread::sleep(self.pause);
        }
    }

    fn ask(&self, address: SocketAddr, client: &mut Option<Client>) -> Result<()> {
        if let Ends::Left = self.ends {
            let mut stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.write_all(&self.request)?;
            let mut some = [0; 1_024];
            if stream.read(&mut some)? == 0 {
                bail!("the server left first");
            }
            return Ok(());
        }
        let client = match client {
            Some(client) => client,
            None => client.insert(Client::connect(address)?),
        };
        let reply = client.ask(&self.request)?;
        let is_right = match self.ends {
            Ends::With { status, body } => reply.status == status && reply.body.len() == body,
            Ends::InAny(statuses) => statuses.contains(&reply.status),
            Ends::Left => true,
        };
        if is_right {
            return Ok(());
        }
        let length = reply.body.len();
        let start = String::from_utf8_lossy(&reply.body[..length.min(200)]).into_owned();
        bail!("{} with {length} bytes: {start}", reply.status)
    }
}
