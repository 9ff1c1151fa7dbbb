//! How fast is one API? Outboard against workerd on the same loops; turns per second of the server's CPU time, less those of a loop that does nothing.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Bench, everyone};
use crate::http::{self, Client};
use crate::peer::{Bindings, Peer, Site};
use crate::report::{Row, Samples};
use crate::server::Server;

struct Case {
    path: &'static str,
    what: &'static str,
    /// Turns in one request: some tens of milliseconds of either peer.
    turns: u32,
}

const fn case(path: &'static str, what: &'static str, turns: u32) -> Case {
    Case { path, what, turns }
}

/// A script, and the paths of it that are measured.
struct Suite {
    name: &'static str,
    script: &'static str,
    flags: &'static [&'static str],
    bindings: Bindings,
    aim: &'static str,
    /// Also what one turn takes by the clock.
    is_timed: bool,
    cases: &'static [Case],
}

const APIS: Suite = Suite {
    name: "micro",
    script: include_str!("../../scripts/micro.js"),
    flags: &["nodejs_compat"],
    bindings: Bindings::None,
    aim: "ratio ≥ 1",
    is_timed: false,
    cases: CASES,
};

const CALLS: Suite = Suite {
    name: "calls",
    script: include_str!("../../scripts/calls.js"),
    flags: &["enable_ctx_exports"],
    bindings: Bindings::Calls,
    aim: "ratio ≥ 2",
    is_timed: true,
    cases: &[
        case("call", "a method of an entrypoint: two numbers", 1_000),
        case("fetch", "fetch of an entrypoint", 1_000),
        case("stub", "a method of a stub", 1_000),
        case("object", "a method of an object", 1_000),
        case("dynamic", "a method of a worker on another lane", 1_000),
        case("chain", "ten calls, each of the last one's promise", 200),
        case("back", "a function passed, and called back", 500),
        case("large", "an argument of 1 MB", 30),
        case("stream", "a stream of 1 MB in 64 KB chunks", 20),
    ],
};

const CASES: &[Case] = &[
    case("headers", "Headers: 10 names set, read, walked", 8_000),
    case("url", "URL: parsed with a base, three parts read", 30_000),
    case("encode", "TextEncoder: 1 KB", 80_000),
    case("decode", "TextDecoder: 1 KB", 120_000),
    case("digest", "crypto.subtle.digest: SHA-256 of 1 KB", 40_000),
    case("json", "JSON body: 1 KB read and written", 6_000),
    case("clone", "structuredClone: a small tree", 30_000),
    case("rewriter", "HTMLRewriter: 200 links in 11 KB", 120),
    case("gzip", "gzip and back: 256 KB", 20),
    case("buffer", "Buffer: 1 KB to hex, back, base64", 8_000),
    case("stream_1mb", "TransformStream: 1 MB in 64 KB chunks", 400),
    case("stream_1gb", "TransformStream: 1 GB in 64 KB chunks", 1),
];

/// Before anything is measured: the compilers have seen the loop.
const WARM_UP: u32 = 5;

struct Rounds {
    suite: &'static Suite,
    server: Server,
    client: Client,
    figures: Vec<Vec<f64>>,
    micros: Vec<Vec<f64>>,
    answers: Vec<Vec<u8>>,
}

pub(super) fn apis(bench: &Bench) -> Result<Vec<Row>> {
    measure(bench, &APIS)
}

pub(super) fn calls(bench: &Bench) -> Result<Vec<Row>> {
    measure(bench, &CALLS)
}

fn measure(bench: &Bench, suite: &'static Suite) -> Result<Vec<Row>> {
    let set_up = |peer: &Peer| Rounds::new(bench, peer, suite);
    let mut turns = bench.enter(suite.name, bench.peers(), set_up);
    turns.rounds(bench.effort.pick(7, 3), |_, rounds| rounds.round());
    // A peer that answers something else has not done the same work.
    let mut answers = turns.states().map(|(_, rounds)| &rounds.answers);
    if let (Some(one), Some(other)) = (answers.next(), answers.next()) {
        for (case, (one, other)) in suite.cases.iter().zip(one.iter().zip(other)) {
            if one != other {
                bench.note(format!(
                    "{}: {}: the peers' answers differ",
                    suite.name, case.path
                ));
            }
        }
    }
    let mut rows = Vec::new();
    for (index, case) in suite.cases.iter().enumerate() {
        let row = Row::new(suite.name, case.what, "turns / CPU s").aim(suite.aim);
        rows.push(turns.row(row, everyone, |rounds| {
            Samples::median(rounds.figures[index].clone())
        }));
        if suite.is_timed {
            let what = format!("{}, by the clock", case.what);
            let row = Row::new(suite.name, what, "µs a turn").aim("ratio ≤ 0.5");
            rows.push(turns.row(row, everyone, |rounds| {
                Samples::median(rounds.micros[index].clone())
            }));
        }
    }
    Ok(rows)
}

impl Rounds {
    fn new(bench: &Bench, peer: &Peer, suite: &'static Suite) -> Result<Self> {
        let site = Site::With {
            script: suite.script,
            flags: suite.flags,
            bindings: suite.bindings,
        };
        let server = peer.start(site, &request("nothing", 1), &bench.scratch)?;
        let client = Client::connect(server.address())?;
        let mut rounds = Self {
            suite,
            server,
            client,
            figures: vec![Vec::new(); suite.cases.len()],
            micros: vec![Vec::new(); suite.cases.len()],
            answers: Vec::new(),
        };
        for case in suite.cases {
            let mut answer = Vec::new();
            let times = if case.turns == 1 { 1 } else { WARM_UP };
            for _ in 0..times {
                answer = rounds.ask(case.path, case.turns)?.0;
            }
            rounds.answers.push(answer);
        }
        Ok(rounds)
    }

    fn round(&mut self) -> Result<()> {
        for (index, case) in self.suite.cases.iter().enumerate() {
            let (_, empty) = self.ask("nothing", case.turns)?;
            let asked = Instant::now();
            let (answer, used) = self.ask(case.path, case.turns)?;
            let elapsed = asked.elapsed();
            ensure!(
                answer == self.answers[index],
                "{}: another answer than before",
                case.path
            );
            self.micros[index].push(elapsed.as_secs_f64() * 1e6 / f64::from(case.turns));
            // Else a collection or another thread's work fell into the empty loop: no figure.
            if used > empty {
                let used = used - empty;
                self.figures[index].push(f64::from(case.turns) / used.as_secs_f64());
            }
        }
        Ok(())
    }

    /// The answer, and the server's CPU time for it.
    fn ask(&mut self, path: &str, turns: u32) -> Result<(Vec<u8>, Duration)> {
        let before = self.server.cpu()?;
        let reply = self.client.ask(&request(path, turns))?;
        ensure!(
            reply.status == 200,
            "{path}: status {}: {}",
            reply.status,
            String::from_utf8_lossy(&reply.body)
        );
        Ok((reply.body, self.server.cpu()?.saturating_sub(before)))
    }
}

fn request(path: &str, turns: u32) -> Vec<u8> {
    http::get_path("bench.test", &format!("/{path}?n={turns}"))
}
