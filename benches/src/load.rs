//! The load generator: one thread, one epoll, a fixed set of keep-alive
//! connections. Closed loop (a connection asks again once it is answered) to
//! find the peak, open loop (arrivals come when they come) for latency.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::histogram::Histogram;
use crate::http::ResponseReader;
use crate::kernel::{self, Interest, Poller};

/// Patience for the requests under way when a run ends; later ones count as failed.
const DRAIN: Duration = Duration::from_secs(5);

/// A run with this many failures measures something else than it claims.
const MAX_FAILURES: u64 = 1000;

/// Read at once; a whole small answer, a good part of a large one.
const READ_SIZE: usize = 256 * 1024;

#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// Each connection asks again as soon as it has its answer.
    Closed,
    /// Requests arrive at this rate, at random (Poisson) and whether or not
    /// earlier ones are answered. One that finds no free connection queues,
    /// and its latency counts from its arrival: nothing is omitted.
    Open { rate: f64 },
}

pub(crate) enum Requests<'a> {
    Same {
        request: &'a [u8],
        duration: Duration,
    },
    /// Each once, in order, within the time limit.
    Once {
        requests: &'a [Vec<u8>],
        limit: Duration,
    },
}

pub(crate) struct Outcome {
    pub(crate) answered: u64,
    /// Answers other than 2xx, broken connections, and requests never answered.
    pub(crate) failed: u64,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    pub(crate) latency: Histogram,
    /// How late the generator itself noticed arrivals; part of every latency at an open loop.
    pub(crate) late: Histogram,
    /// CPU time of the generator's thread.
    pub(crate) generator_cpu: Duration,
}

pub(crate) struct Connections {
    address: SocketAddr,
    poller: Poller,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
    random: Random,
}

struct Connection {
    stream: TcpStream,
    reader: ResponseReader,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Idle,
    /// `due` is when the request arrived, which may be before it was sent.
    Busy {
        due: Instant,
        request: usize,
        written: usize,
    },
}

impl Connections {
    pub(crate) fn open(address: SocketAddr, count: usize) -> Result<Self> {
        let poller = Poller::new().context("epoll")?;
        let mut connections = Vec::with_capacity(count);
        for token in 0..count {
            connections.push(Connection::open(address, &poller, token)?);
        }
        Ok(Self {
            address,
            poller,
            connections,
            buffer: vec![0; READ_SIZE],
            random: Random(0x9e37_79b9_7f4a_7c15),
        })
    }

    pub(crate) fn run(&mut self, requests: &Requests, pace: Pace) -> Result<Outcome> {
        let cpu_before = kernel::thread_cpu()?;
        let started = Instant::now();
        let (duration, most) = match requests {
            Requests::Same { duration, .. } => (*duration, usize::MAX),
            Requests::Once { requests, limit } => (*limit, requests.len()),
        };
        let mut run = Run {
            requests,
            outcome: Outcome {
                answered: 0,
                failed: 0,
                elapsed: Duration::ZERO,
                latency: Histogram::new(),
                late: Histogram::new(),
                generator_cpu: Duration::ZERO,
            },
            closes_at: started + duration,
            issued: 0,
            most,
            busy: 0,
            last_answer: started,
        };
        let mut waiting = VecDeque::new();
        let mut next_arrival = started;
        let mut ready = Vec::new();
        let mut idle: Vec<usize> = (0..self.connections.len()).collect();

        loop {
            let now = Instant::now();
            if let Pace::Open { rate } = pace {
                while next_arrival <= now && next_arrival < run.closes_at {
                    run.outcome.late.record(now - next_arrival);
                    waiting.push_back(next_arrival);
                    next_arrival += Duration::from_secs_f64(self.random.exponential() / rate);
                }
            }
            while let Some(&token) = idle.last() {
                let due = match pace {
                    Pace::Closed if now < run.closes_at => now,
                    Pace::Closed => break,
                    Pace::Open { .. } => match waiting.pop_front() {
                        Some(due) => due,
                        None => break,
                    },
                };
                if run.issued == run.most {
                    break;
                }
                idle.pop();
                self.send(token, due, &mut run)?;
            }
            let finished = run.busy == 0
                && waiting.is_empty()
                && (now >= run.closes_at || run.issued == run.most);
            if finished || now >= run.closes_at + DRAIN {
                break;
            }
            let wake = match pace {
                Pace::Open { .. } if next_arrival < run.closes_at => next_arrival,
                _ if now < run.closes_at => run.closes_at,
                _ => run.closes_at + DRAIN,
            };
            self.poller
                .wait(wake.saturating_duration_since(now), &mut ready)?;
            for &token in &ready {
                self.advance(token, pace, &mut run, &mut idle)?;
            }
        }

        run.outcome.failed += run.busy as u64 + waiting.len() as u64;
        if run.busy > 0 {
            self.reopen_busy()?;
        }
        run.outcome.elapsed = run.last_answer - started;
        run.outcome.generator_cpu = kernel::thread_cpu()?.saturating_sub(cpu_before);
        Ok(run.outcome)
    }

    fn send(&mut self, token: usize, due: Instant, run: &mut Run) -> Result<()> {
        let connection = &mut self.connections[token];
        connection.state = State::Busy {
            due,
            request: run.issued,
            written: 0,
        };
        connection.reader.restart();
        run.issued += 1;
        run.busy += 1;
        if connection.write(run)?.is_partial() {
            self.poller
                .change(&connection.stream, token, Interest::ReadAndWrite)?;
        }
        Ok(())
    }

    /// Continues what a connection can do, and at a closed loop asks again at once.
    fn advance(
        &mut self,
        token: usize,
        pace: Pace,
        run: &mut Run,
        idle: &mut Vec<usize>,
    ) -> Result<()> {
        let connection = &mut self.connections[token];
        if connection.is_writing(run) && !connection.write(run)?.is_partial() {
            self.poller
                .change(&connection.stream, token, Interest::Read)?;
        }
        let complete = match connection.stream.read(&mut self.buffer) {
            Ok(0) => Err(anyhow!("closed by the server")),
            Ok(read) => connection
                .reader
                .feed(&self.buffer[..read])
                .and_then(|complete| {
                    if complete && connection.is_writing(run) {
                        bail!("answered before the upload was complete");
                    }
                    Ok(complete)
                }),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        };
        match (complete, connection.state) {
            (Ok(false), _) => Ok(()),
            (Ok(true), State::Busy { due, .. }) => {
                let now = Instant::now();
                connection.state = State::Idle;
                run.answered(connection.reader.status(), due, now);
                if matches!(pace, Pace::Closed) && now < run.closes_at && run.issued < run.most {
                    return self.send(token, now, run);
                }
                idle.push(token);
                Ok(())
            }
            // A server may close an idle connection; only a lost request is a failure.
            (_, State::Idle) => self.reopen(token),
            (Err(error), State::Busy { .. }) => {
                run.busy -= 1;
                run.outcome.failed += 1;
                if run.outcome.failed > MAX_FAILURES {
                    return Err(error.context(format!(
                        "more than {MAX_FAILURES} requests failed, the last one"
                    )));
                }
                idle.push(token);
                self.reopen(token)
            }
        }
    }

    fn reopen(&mut self, token: usize) -> Result<()> {
        self.connections[token] = Connection::open(self.address, &self.poller, token)?;
        Ok(())
    }

    fn reopen_busy(&mut self) -> Result<()> {
        for token in 0..self.connections.len() {
            if matches!(self.connections[token].state, State::Busy { .. }) {
                self.reopen(token)?;
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    All,
    Part,
}

impl Written {
    fn is_partial(self) -> bool {
        self == Written::Part
    }
}

impl Connection {
    fn open(address: SocketAddr, poller: &Poller, token: usize) -> Result<Self> {
        let stream =
            TcpStream::connect(address).with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        poller.add(&stream, token)?;
        Ok(Self {
            stream,
            reader: ResponseReader::new(),
            state: State::Idle,
        })
    }

    fn is_writing(&self, run: &Run) -> bool {
        match self.state {
            State::Busy {
                request, written, ..
            } => written < run.request(request).len(),
            State::Idle => false,
        }
    }

    fn write(&mut self, run: &Run) -> Result<Written> {
        let State::Busy {
            request, written, ..
        } = &mut self.state
        else {
            bail!("nothing to write")
        };
        let bytes = run.request(*request);
        while *written < bytes.len() {
            match self.stream.write(&bytes[*written..]) {
                Ok(count) => *written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Written::Part),
                // The read that follows reports the broken connection.
                Err(_) => *written = bytes.len(),
            }
        }
        Ok(Written::All)
    }
}

struct Run<'a> {
    requests: &'a Requests<'a>,
    outcome: Outcome,
    closes_at: Instant,
    issued: usize,
    most: usize,
    busy: usize,
    last_answer: Instant,
}

impl Run<'_> {
    fn request(&self, index: usize) -> &[u8] {
        match self.requests {
            Requests::Same { request, .. } => request,
            Requests::Once { requests, .. } => &requests[index],
        }
    }

    fn answered(&mut self, status: u16, due: Instant, now: Instant) {
        self.busy -= 1;
        self.last_answer = now;
        if (200..300).contains(&status) {
            self.outcome.answered += 1;
            self.outcome.latency.record(now - due);
        } else {
            self.outcome.failed += 1;
        }
    }
}

/// xorshift64*: every run sees the same arrivals.
struct Random(u64);

impl Random {
    /// Exponentially distributed with mean 1.
    fn exponential(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        let uniform = (bits as f64 + 0.5) / (1u64 << 53) as f64;
        -uniform.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;
    use std::net::TcpListener;

    /// A server that answers each request after `pause`, one connection at a time.
    fn slow_server(pause: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 1024];
            while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
                std::thread::sleep(pause);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            }
        });
        address
    }

    #[test]
    fn an_open_loop_omits_nothing() {
        // 200 a second offered to a server that manages at most 100: half of
        // the requests must be seen to queue, for as long as the run lasts.
        let address = slow_server(Duration::from_millis(10));
        let request = http::get("test");
        let requests = Requests::Same {
            request: &request,
            duration: Duration::from_millis(500),
        };
        let outcome = Connections::open(address, 1)
            .unwrap()
            .run(&requests, Pace::Open { rate: 200.0 })
            .unwrap();
        assert_eq!(outcome.failed, 0);
        assert!(outcome.answered > 70, "{}", outcome.answered);
        assert!(outcome.latency.quantile(0.99) > Duration::from_millis(250));
    }

    #[test]
    fn each_request_of_a_list_is_sent_once() {
        let address = slow_server(Duration::ZERO);
        let list = vec![http::get("a"), http::get("b"), http::get("c")];
        let requests = Requests::Once {
            requests: &list,
            limit: Duration::from_secs(5),
        };
        let outcome = Connections::open(address, 1)
            .unwrap()
            .run(&requests, Pace::Closed)
            .unwrap();
        assert_eq!((outcome.answered, outcome.failed), (3, 0));
    }
}
