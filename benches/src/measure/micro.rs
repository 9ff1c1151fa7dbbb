//! How fast is one API? Outboard against workerd on the same loops; turns per second of the server's CPU time, less those of a loop that does nothing.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Bench, everyone};
use crate::http::{self, Client};
use crate::peer::{Peer, Site};
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

const CASES: &[Case] = &[
    case("headers", "Headers: 10 names set, read, walked", 4_000),
    case("url", "URL: parsed with a base, three parts read", 10_000),
    case("encode", "TextEncoder: 1 KB", 20_000),
    case("decode", "TextDecoder: 1 KB", 20_000),
    case("digest", "crypto.subtle.digest: SHA-256 of 1 KB", 4_000),
    case("json", "JSON body: 1 KB read and written", 3_000),
    case("clone", "structuredClone: a small tree", 8_000),
    case("rewriter", "HTMLRewriter: 200 links in 11 KB", 60),
    case("gzip", "gzip and back: 256 KB", 6),
    case("buffer", "Buffer: 1 KB to hex, back, base64", 8_000),
    case("stream_1mb", "TransformStream: 1 MB in 64 KB chunks", 60),
    case("stream_1gb", "TransformStream: 1 GB in 64 KB chunks", 1),
];

/// Before anything is measured: the compilers have seen the loop.
const WARM_UP: u32 = 5;

struct Rounds {
    server: Server,
    client: Client,
    figures: Vec<Vec<f64>>,
    answers: Vec<Vec<u8>>,
}

pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let mut turns = bench.enter("micro", bench.peers(), |peer| Rounds::new(bench, peer));
    turns.rounds(bench.effort.pick(7, 3), |_, rounds| rounds.round());
    // A peer that answers something else has not done the same work.
    let mut answers = turns.states().map(|(_, rounds)| &rounds.answers);
    if let (Some(one), Some(other)) = (answers.next(), answers.next()) {
        for (case, (one, other)) in CASES.iter().zip(one.iter().zip(other)) {
            if one != other {
                bench.note(format!("micro: {}: the peers' answers differ", case.path));
            }
        }
    }
    Ok(CASES
        .iter()
        .enumerate()
        .map(|(index, case)| {
            let row = Row::new("micro", case.what, "turns / CPU s").aim("ratio ≥ 1");
            turns.row(row, everyone, |rounds| {
                Samples::median(rounds.figures[index].clone())
            })
        })
        .collect())
}

impl Rounds {
    fn new(bench: &Bench, peer: &Peer) -> Result<Self> {
        let site = Site::OneWithNode {
            script: include_str!("../../scripts/micro.js"),
        };
        let server = peer.start(site, &request("nothing", 1), &bench.scratch)?;
        let client = Client::connect(server.address())?;
        let mut rounds = Self {
            server,
            client,
            figures: CASES.iter().map(|_| Vec::new()).collect(),
            answers: Vec::new(),
        };
        for case in CASES {
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
        for (index, case) in CASES.iter().enumerate() {
            let (_, empty) = self.ask("nothing", case.turns)?;
            let (answer, used) = self.ask(case.path, case.turns)?;
            ensure!(
                answer == self.answers[index],
                "{}: another answer than before",
                case.path
            );
            let used = used.saturating_sub(empty).max(Duration::from_micros(1));
            self.figures[index].push(f64::from(case.turns) / used.as_secs_f64());
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
