//! Bookmarks: points in an object's history, as scripts keep them.

use std::fmt;

use crate::key::{Epoch, ObjectKey, Seq};

/// A point in the history of one object: the state that it had after a commit.
///
/// Its text is of fixed width, and later points sort after earlier ones:
///
/// ```text
/// epoch 8 | seq 8 - 8 | time 12 | count 12 | check 8     in hexadecimal digits
/// ```
///
/// Only epoch and seq name the point. Time and count tell bookmarks of one point
/// apart, and the check says that it is this object's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bookmark {
    pub(crate) epoch: Epoch,
    pub(crate) at: Seq,
    /// When it was taken, or what time it is for, in milliseconds since 1970.
    pub(crate) time: u64,
    pub(crate) count: u64,
}

/// Sorts after every commit of an epoch: how the epoch ended, or will.
pub(crate) const END: Seq = Seq(u64::MAX);

const DIGITS_48: u64 = (1 << 48) - 1;

/// The text names no point of this object's history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a bookmark of this object")]
pub struct BadBookmark(pub String);

impl Bookmark {
    /// The state at the end of an epoch, which may still go on.
    pub(crate) fn end_of(epoch: Epoch, time: u64) -> Self {
        Self {
            epoch,
            at: END,
            time,
            count: 0,
        }
    }

    /// As a script has it.
    pub fn text(&self, object: ObjectKey) -> String {
        let written = self.to_string();
        format!("{written}{:08x}", check(&written, object))
    }

    /// From what [`Self::text`] gave for the same object.
    pub fn parse(text: &str, object: ObjectKey) -> Result<Self, BadBookmark> {
        let parsed = || {
            let (written, given) = text.split_at_checked(text.len().checked_sub(8)?)?;
            // A sign would be one digit less of number.
            let number = |digits: &str| {
                let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                plain.then(|| u64::from_str_radix(digits, 16).ok())?
            };
            let parts: Vec<_> = written.split('-').collect();
            let [epoch, high, low, rest] = parts.as_slice() else {
                return None;
            };
            let (time, count) = rest.split_at_checked(12)?;
            let bookmark = Self {
                epoch: Epoch(number(epoch)?),
                at: Seq((number(high)? << 32) | number(low)?),
                time: number(time)?,
                count: number(count)?,
            };
            // Whatever else reads as the same numbers was not written here.
            let is_ours = number(given)? == u64::from(check(written, object))
                && bookmark.to_string() == written;
            is_ours.then_some(bookmark)
        };
        parsed().ok_or_else(|| BadBookmark(text.chars().take(100).collect()))
    }
}

/// Without the check.
impl fmt::Display for Bookmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (high, low) = (self.at.0 >> 32, self.at.0 & 0xffff_ffff);
        let (time, count) = (self.time & DIGITS_48, self.count & DIGITS_48);
        // So many restores of one object there are not.
        let epoch = self.epoch.0 & 0xffff_ffff;
        write!(
            f,
            "{epoch:08x}-{high:08x}-{low:08x}-{time:012x}{count:012x}"
        )
    }
}

fn check(written: &str, object: ObjectKey) -> u32 {
    let of = crc32c::crc32c_append(
        crc32c::crc32c(&object.namespace.0.to_le_bytes()),
        &object.id.0,
    );
    crc32c::crc32c_append(of, written.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{NamespaceId, ObjectId};
    use proptest::prelude::*;

    fn key(number: u8) -> ObjectKey {
        ObjectKey {
            namespace: NamespaceId(1),
            id: ObjectId([number; 32]),
        }
    }

    fn bookmarks() -> impl Strategy<Value = Bookmark> {
        let seq = prop_oneof![any::<u64>(), 0..100_u64, Just(u64::MAX)];
        (any::<u32>(), seq, 0..=DIGITS_48, 0..=DIGITS_48).prop_map(|(epoch, at, time, count)| {
            Bookmark {
                epoch: Epoch(epoch.into()),
                at: Seq(at),
                time,
                count,
            }
        })
    }

    proptest! {
        #[test]
        fn texts_are_read_back_and_sort_as_the_points_do(a in bookmarks(), b in bookmarks()) {
            let (first, second) = (a.text(key(1)), b.text(key(1)));
            prop_assert_eq!(first.len(), 59);
            prop_assert_eq!(Bookmark::parse(&first, key(1)), Ok(a));
            if a != b {
                prop_assert_eq!(first.cmp(&second), a.cmp(&b));
            }
        }

        #[test]
        fn what_is_another_objects_or_was_changed_is_refused(
            bookmark in bookmarks(), at in 0..59_usize, noise in ".{0,70}",
        ) {
            let text = bookmark.text(key(1));
            prop_assert!(Bookmark::parse(&text, key(2)).is_err());
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'7' { b'8' } else { b'7' };
            let changed = String::from_utf8(changed).expect("ASCII");
            prop_assert!(Bookmark::parse(&changed, key(1)).is_err());
            prop_assert!(Bookmark::parse(&text[..at], key(1)).is_err());
            prop_assert!(Bookmark::parse(&noise, key(1)).is_err());
        }
    }
}
