//! Where two answers to one request differ, and which of that is known.

use std::path::Path;

use serde::Deserialize;
use sha1::{Digest, Sha1};

use super::case::Case;
use crate::support::http::Answer;

/// Longer bodies are compared by their hash.
const MAX_SHOWN: usize = 64 << 10;

/// One line that is in one answer and not, or otherwise, in the other.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    pub(super) case: String,
    /// The request's place in the case.
    pub(super) number: usize,
    pub(super) request: String,
    ours: Option<String>,
    theirs: Option<String>,
}

impl Difference {
    pub(super) fn ours(&self) -> &str {
        self.ours.as_deref().unwrap_or("(no such line)")
    }

    pub(super) fn theirs(&self) -> &str {
        self.theirs.as_deref().unwrap_or("(no such line)")
    }
}

/// The lines in which two answers differ.
pub(super) fn between(
    case: &Case,
    number: usize,
    ours: &Answer,
    theirs: &Answer,
) -> Vec<Difference> {
    let (ours_head, ours_body) = lines(ours);
    let (theirs_head, theirs_body) = lines(theirs);
    let pairs = align(&ours_head, &theirs_head)
        .into_iter()
        .chain(align(&ours_body, &theirs_body));
    pairs
        .map(|(ours, theirs)| Difference {
            case: case.name.clone(),
            number,
            request: case.requests[number].describe(),
            ours,
            theirs,
        })
        .collect()
}

/// An answer as lines: its status and headers, then its body.
fn lines(answer: &Answer) -> (Vec<String>, Vec<String>) {
    let mut head: Vec<String> = answer
        .headers
        .iter()
        .map(|(name, value)| format!("header {name}: {value}"))
        .collect();
    // Names in one order; values of one name stay in theirs.
    head.sort_by(|a, b| a.split(':').next().cmp(&b.split(':').next()));
    head.insert(0, format!("status {}", answer.status));
    head.extend(answer.fault.map(|fault| format!("fault {fault}")));
    let body = match std::str::from_utf8(&answer.body) {
        Ok(text) if text.len() <= MAX_SHOWN => text.lines().map(String::from).collect(),
        _ => vec![format!(
            "{} bytes, SHA-1 {:x}",
            answer.body.len(),
            Sha1::digest(&answer.body)
        )],
    };
    (head, body)
}

type Pair = (Option<String>, Option<String>);

/// Pairs of lines that differ, by a longest common subsequence.
fn align(ours: &[String], theirs: &[String]) -> Vec<Pair> {
    let differ = |(ours, theirs): (&String, &String)| {
        (ours != theirs).then(|| (Some(ours.clone()), Some(theirs.clone())))
    };
    if ours.len() == theirs.len() {
        return ours.iter().zip(theirs).filter_map(differ).collect();
    }
    let mut longest = vec![vec![0_u32; theirs.len() + 1]; ours.len() + 1];
    for (i, left) in ours.iter().enumerate().rev() {
        for (j, right) in theirs.iter().enumerate().rev() {
            longest[i][j] = if left == right {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < ours.len() || j < theirs.len() {
        let (left, right) = (ours.get(i), theirs.get(j));
        match (left, right) {
            (Some(left), Some(right)) if left == right => {
                i += 1;
                j += 1;
            }
            (Some(left), Some(right)) if name(left) == name(right) => {
                pairs.push((Some(left.clone()), Some(right.clone())));
                i += 1;
                j += 1;
            }
            (Some(left), right) if right.is_none() || longest[i + 1][j] >= longest[i][j + 1] => {
                pairs.push((Some(left.clone()), None));
                i += 1;
            }
            (_, right) => {
                pairs.push((None, right.cloned()));
                j += 1;
            }
        }
    }
    pairs
}

fn name(line: &str) -> &str {
    line.split(": ").next().unwrap_or(line)
}

/// `known-differences.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    #[serde(default)]
    difference: Vec<KnownDifference>,
}

/// Lines of a case that differ for a reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownDifference {
    pub(super) case: String,
    /// The path of the request; absent where any may differ so.
    path: Option<String>,
    /// How the lines begin, in either answer.
    lines: Vec<String>,
    /// Why it is so, and whether it stays.
    #[expect(dead_code, reason = "for the reader; that it is there is checked")]
    reason: String,
}

impl Known {
    pub(super) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("the list of known differences");
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(super) fn entries(&self) -> &[KnownDifference] {
        &self.difference
    }

    pub(super) fn covers(&self, found: &Difference) -> bool {
        let mut entries = self.difference.iter();
        entries.any(|entry| entry.lines.iter().any(|line| entry.matches(line, found)))
    }
}

impl KnownDifference {
    fn matches(&self, line: &str, found: &Difference) -> bool {
        let path = found.request.split(' ').nth(1);
        self.case == found.case
            && self
                .path
                .as_deref()
                .is_none_or(|wanted| path == Some(wanted))
            && [&found.ours, &found.theirs]
                .into_iter()
                .flatten()
                .any(|found| found.starts_with(line))
    }

    /// Lines of this entry that no difference has.
    pub(super) fn stale<'a>(&'a self, found: &'a [Difference]) -> impl Iterator<Item = &'a str> {
        self.lines
            .iter()
            .filter(|line| !found.iter().any(|found| self.matches(line, found)))
            .map(String::as_str)
    }
}
