//! Compatibility dates and flags: what a worker's date and flags turn on.
//!
//! Facts and a decision, no I/O: [`FLAGS`] is the table, [`Compatibility`] what
//! a date and a list of flags come to. `project` checks configurations with
//! it, `runtime` behaves by it.

#![forbid(unsafe_code)]
// The table writes dates as 2026_04_01.
#![allow(clippy::inconsistent_digit_grouping)]

mod table;

use std::fmt;

pub use table::{FLAGS, Flag, FlagInfo};

/// What Outboard does about a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// As the flag says, on or off.
    Follows,
    /// Behaves as if it were on, whichever date and flags are given; what that is.
    On(&'static str),
    /// Behaves as if it were off, whichever date and flags are given; what that is.
    Off(&'static str),
    /// Concerns what is not offered.
    Without(&'static str),
    /// Workers accept the name and do nothing for it.
    Obsolete,
}

/// 64 flags a word, by [`Flag`]'s number.
const WORDS: usize = 3;

/// What a date and flags come to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Compatibility {
    date: u32,
    on: [u64; WORDS],
}

/// What is wrong with a date or a flag. `index` is the flag's place in its list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("expected a date such as \"2026-04-01\", not \"{0}\"")]
    BadDate(String),
    #[error("\"{name}\" is no compatibility flag{}", suggestion(*.nearest))]
    Unknown {
        index: usize,
        name: String,
        nearest: Option<&'static str>,
    },
    #[error("\"{name}\" is there twice")]
    Twice { index: usize, name: String },
    #[error("\"{name}\" contradicts \"{other}\"; keep one of them")]
    Contradiction {
        index: usize,
        name: String,
        other: String,
    },
    #[error("\"{name}\": Outboard does not serve Python Workers")]
    Python { index: usize, name: String },
}

impl Fault {
    /// The place in the list of flags; none where the date is at fault.
    pub fn index(&self) -> Option<usize> {
        match self {
            Self::BadDate(_) => None,
            Self::Unknown { index, .. }
            | Self::Twice { index, .. }
            | Self::Contradiction { index, .. }
            | Self::Python { index, .. } => Some(*index),
        }
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |name| format!("; did you mean \"{name}\"?"))
}

/// A flag that was given and does not do what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    pub index: usize,
    pub message: String,
}

impl Compatibility {
    /// What a date, as `2026-04-01`, and flags come to.
    ///
    /// # Errors
    /// With every fault, in the order of the list.
    pub fn new(date: &str, flags: &[impl AsRef<str>]) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let date = parse_date(date).unwrap_or_else(|| {
            faults.push(Fault::BadDate(date.to_owned()));
            0
        });
        let mut chosen: Vec<(&'static FlagInfo, bool, &str)> = Vec::with_capacity(flags.len());
        for (index, name) in flags.iter().enumerate() {
            let name = name.as_ref();
            let Some((info, on)) = find(name) else {
                let (name, nearest) = (name.to_owned(), nearest(name));
                faults.push(Fault::Unknown {
                    index,
                    name,
                    nearest,
                });
                continue;
            };
            let name_owned = || name.to_owned();
            if on && info.flag == Flag::PythonWorkers {
                faults.push(Fault::Python {
                    index,
                    name: name_owned(),
                });
            }
            match chosen
                .iter()
                .find(|(earlier, ..)| earlier.flag == info.flag)
            {
                Some((_, earlier, _)) if *earlier == on => {
                    faults.push(Fault::Twice {
                        index,
                        name: name_owned(),
                    });
                }
                Some((_, _, other)) => faults.push(Fault::Contradiction {
                    index,
                    name: name_owned(),
                    other: (*other).to_owned(),
                }),
                None => chosen.push((info, on, name)),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let given = |flag| {
            chosen
                .iter()
                .find(|(info, ..)| info.flag == flag)
                .map(|(_, on, _)| *on)
        };
        Ok(Self::resolve(date, given))
    }

    fn resolve(date: u32, given: impl Fn(Flag) -> Option<bool>) -> Self {
        let mut this = Self {
            date,
            on: [0; WORDS],
        };
        for info in FLAGS {
            let by_date = info.since.is_some_and(|since| since <= date);
            if given(info.flag).unwrap_or(by_date) {
                this.set(info.flag);
            }
        }
        for info in FLAGS {
            let Some((by, after)) = info.implied else {
                continue;
            };
            let implied = after <= date && by.iter().any(|flag| this.has(*flag));
            if implied && given(info.flag) != Some(false) {
                this.set(info.flag);
            }
        }
        this
    }

    fn set(&mut self, flag: Flag) {
        self.on[flag as usize / 64] |= 1 << (flag as usize % 64);
    }

    /// Whether the date or a flag turned it on. What Outboard does may differ:
    /// see [`FlagInfo::support`].
    pub fn has(&self, flag: Flag) -> bool {
        self.on[flag as usize / 64] & (1 << (flag as usize % 64)) != 0
    }

    /// All flags as bytes: flag `n` is bit `n % 8` of byte `n / 8`.
    pub fn bytes(&self) -> [u8; WORDS * 8] {
        let mut bytes = [0; WORDS * 8];
        for (chunk, word) in bytes.chunks_mut(8).zip(self.on) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// The date, as `2026-04-01`.
    pub fn date(&self) -> String {
        show_date(self.date)
    }
}

/// As of the newest date that changes anything, with no flags.
impl Default for Compatibility {
    fn default() -> Self {
        let newest = FLAGS.iter().filter_map(|info| info.since).max();
        Self::resolve(newest.unwrap_or(0), |_| None)
    }
}

impl fmt::Debug for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = FLAGS.iter().filter(|info| self.has(info.flag));
        f.debug_struct("Compatibility")
            .field("date", &self.date())
            .field("on", &on.map(|info| info.enable).collect::<Vec<_>>())
            .finish()
    }
}

/// Those of `flags` that are known and do not do what they say, and why.
pub fn unmet(flags: &[impl AsRef<str>]) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    for (index, name) in flags.iter().enumerate() {
        let name = name.as_ref();
        let Some((info, on)) = find(name) else {
            continue;
        };
        let message = match info.support {
            Support::Follows | Support::Obsolete => continue,
            Support::On(_) if on => continue,
            Support::Off(_) if !on => continue,
            Support::On(what) | Support::Off(what) => {
                format!("\"{name}\" has no effect: {what}")
            }
            Support::Without(what) => {
                format!("\"{name}\" has no effect: Outboard does not offer {what}")
            }
        };
        unmet.push(Unmet { index, message });
    }
    unmet
}

/// The flag that a name is about, and whether the name turns it on.
pub fn find(name: &str) -> Option<(&'static FlagInfo, bool)> {
    FLAGS.iter().find_map(|info| {
        if info.enable == name {
            Some((info, true))
        } else if info.disable == Some(name) {
            Some((info, false))
        } else {
            None
        }
    })
}

fn names() -> impl Iterator<Item = &'static str> {
    FLAGS
        .iter()
        .flat_map(|info| std::iter::once(info.enable).chain(info.disable))
}

/// The name that is at most a third of its letters away.
fn nearest(name: &str) -> Option<&'static str> {
    // Longer ones are no slip of the hand, and would take long to compare.
    if name.len() > 80 {
        return None;
    }
    names()
        .map(|known| (distance(name.as_bytes(), known.as_bytes()), known))
        .filter(|(distance, known)| *distance * 3 <= known.len())
        .min()
        .map(|(_, known)| known)
}

/// Levenshtein's distance.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// `2026-04-01` as 20260401. Days are not counted: the calendar is the caller's.
fn parse_date(text: &str) -> Option<u32> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shaped {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u32>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let sound = (1..=12).contains(&month) && (1..=31).contains(&day);
    sound.then_some(year * 10_000 + month * 100 + day)
}

/// 20260401 as `2026-04-01`.
pub fn show_date(date: u32) -> String {
    format!(
        "{:04}-{:02}-{:02}",
        date / 10_000,
        date / 100 % 100,
        date % 100
    )
}

#[cfg(test)]
mod tests;
