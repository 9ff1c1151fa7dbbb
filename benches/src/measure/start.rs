//! How soon does the program answer? Outboard against workerd, one hello worker each; milliseconds from making the process to its first successful answer.

use anyhow::Result;

use super::{Bench, everyone, millis};
use crate::http;
use crate::peer::{Peer, Site};
use crate::report::{Row, Samples};

pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let script = include_str!("../../scripts/hello.js");
    let start = |peer: &Peer| {
        Ok(peer
            .start(
                Site::One { script },
                &http::get("bench.test"),
                &bench.scratch,
            )?
            .start_to_ready)
    };
    // The first start also brings the program from disk into memory.
    let mut turns = bench.enter("start", bench.peers(), |peer| {
        start(peer).map(|_| Vec::new())
    });
    turns.rounds(bench.effort.pick(15, 5), |peer, rounds: &mut Vec<f64>| {
        rounds.push(millis(start(peer)?));
        Ok(())
    });
    Ok(vec![turns.row(
        Row::new("start", "program start to first answer", "ms"),
        everyone,
        |rounds| Samples::median(rounds.clone()),
    )])
}
