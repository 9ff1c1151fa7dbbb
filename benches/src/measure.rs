//! The measurements, and what they share: peers take turns (A B A B ...), so
//! that a noisy minute of the machine meets both.

mod data;
mod isolates;
mod latency;
mod memory;
mod micro;
mod objects;
mod start;
mod throughput;

use std::cell::RefCell;
use std::time::Duration;

use anyhow::Result;

use crate::peer::Peer;
use crate::report::{Row, Samples};
use crate::server::Scratch;

pub(crate) struct Bench {
    /// The peer first, so that Outboard's figure follows what it is compared with.
    pub(crate) peers: Vec<Peer>,
    pub(crate) effort: Effort,
    pub(crate) cores: usize,
    pub(crate) scratch: Scratch,
    pub(crate) notes: RefCell<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    Full,
    Quick,
}

impl Effort {
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}

type Measure = fn(&Bench) -> Result<Vec<Row>>;

/// Every name that --only takes, in the order of a full run.
pub(crate) const MEASUREMENTS: &[(&str, Measure)] = &[
    ("hello", throughput::hello),
    ("json", throughput::json),
    ("stream", throughput::stream),
    ("upload", throughput::upload),
    ("cpu", throughput::cpu),
    ("latency", latency::measure),
    ("isolates", isolates::measure),
    ("memory", memory::measure),
    ("loader", loader),
    ("nodejs", nodejs),
    ("start", start::measure),
    ("micro", micro::apis),
    ("calls", micro::calls),
    ("objects", objects::measure),
    ("data", data::measure),
];

/// The same questions of workers that a worker loads, on either side.
fn loader(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = isolates::made_by(bench, isolates::LOADED)?;
    rows.extend(memory::of(bench, isolates::LOADED)?);
    Ok(rows)
}

/// And of those with Node's modules, which a worker pays for that asks for them.
fn nodejs(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for made in [isolates::FLAGGED, isolates::NODEJS] {
        rows.extend(isolates::made_by(bench, made)?);
        rows.extend(memory::of(bench, made)?);
    }
    let asked = ["50 a second: p50", ": made", "one of 100, PSS"];
    rows.retain(|row| asked.iter().any(|end| row.what.ends_with(end)));
    Ok(rows)
}

impl Bench {
    pub(crate) fn note(&self, note: String) {
        eprintln!("  note: {note}");
        self.notes.borrow_mut().push(note);
    }

    /// Lets every peer of `peers` prepare what it needs for its rounds.
    fn enter<S>(
        &self,
        name: &'static str,
        peers: Vec<Peer>,
        set_up: impl Fn(&Peer) -> Result<S>,
    ) -> Turns<'_, S> {
        let mut turns = Turns {
            bench: self,
            name,
            contenders: Vec::new(),
        };
        for peer in peers {
            let state = set_up(&peer);
            turns.contenders.push(Contender { peer, state: None });
            turns.keep(turns.contenders.len() - 1, state);
        }
        turns
    }

    fn peers(&self) -> Vec<Peer> {
        self.peers.iter().map(|peer| peer.with_lanes(1)).collect()
    }
}

/// The peers of one measurement. One that fails is noted and drops out; the others go on.
struct Turns<'a, S> {
    bench: &'a Bench,
    name: &'static str,
    contenders: Vec<Contender<S>>,
}

struct Contender<S> {
    peer: Peer,
    state: Option<S>,
}

impl<S> Turns<'_, S> {
    fn rounds(&mut self, rounds: usize, round: impl Fn(&Peer, &mut S) -> Result<()>) {
        for _ in 0..rounds {
            for index in 0..self.contenders.len() {
                let contender = &mut self.contenders[index];
                let Some(mut state) = contender.state.take() else {
                    continue;
                };
                let result = round(&contender.peer, &mut state).map(|()| state);
                self.keep(index, result);
            }
        }
    }

    /// A row of one figure for each peer that `is_in` it.
    fn row(
        &self,
        row: Row,
        is_in: impl Fn(&Peer) -> bool,
        figure: impl Fn(&S) -> Option<Samples>,
    ) -> Row {
        let mut row = row;
        for Contender { peer, state } in &self.contenders {
            if let Some(state) = state.as_ref().filter(|_| is_in(peer)) {
                row.set(peer.column, figure(state));
            }
        }
        row
    }

    fn keep(&mut self, index: usize, state: Result<S>) {
        let contender = &mut self.contenders[index];
        match state {
            Ok(state) => contender.state = Some(state),
            Err(error) => {
                self.bench.note(format!(
                    "{}: {} dropped out: {error:#}",
                    self.name,
                    contender.peer.label()
                ));
            }
        }
    }

    fn states(&self) -> impl Iterator<Item = (&Peer, &S)> {
        self.contenders
            .iter()
            .filter_map(|contender| Some((&contender.peer, contender.state.as_ref()?)))
    }
}

fn everyone(_: &Peer) -> bool {
    true
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
