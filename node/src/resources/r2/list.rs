//! Listing: a walk over the keys in order, which leaps over what a delimiter groups.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::error::R2Error;
use super::protocol::AskList;

/// The most a page of a list has, and what it has if nobody says.
pub(super) const MOST: u32 = 1000;

/// Bytes of a page's text: workerd takes a mebibyte.
pub(super) const MOST_BYTES: usize = 768 << 10;

/// Rows that are read at a time: a page of a list that groups leaps often.
const BATCH: u32 = 256;

/// Where a walk goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// With this key.
    At(Vec<u8>),
    /// Behind it.
    Behind(Vec<u8>),
}

/// What a list is asked for, checked.
#[derive(Debug)]
pub(super) struct Walk {
    prefix: Vec<u8>,
    delimiter: Vec<u8>,
    pub(super) limit: usize,
    pub(super) from: From,
}

/// An item of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item<T> {
    Object(T),
    /// The keys that begin so.
    Group(String),
}

/// A page of a list; its cursor says where the next goes on.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<Item<T>>,
    pub(crate) cursor: Option<String>,
}

/// Rows with their keys.
pub(super) type Keyed<R> = Vec<(Vec<u8>, R)>;

/// What is walked over.
pub(super) trait Rows {
    type Row;
    /// Up to `most` rows in the order of their keys, from a key on, before another.
    fn rows(
        &mut self,
        from: &From,
        before: Option<&[u8]>,
        most: u32,
    ) -> Result<Keyed<Self::Row>, R2Error>;
    /// Bytes that a row is in an answer.
    fn size(row: &Self::Row) -> usize;
}

impl Walk {
    pub(super) fn new(ask: &AskList) -> Result<Self, R2Error> {
        let limit = ask.limit.unwrap_or(MOST);
        if !(1..=MOST).contains(&limit) {
            return Err(R2Error::MaxKeys);
        }
        let prefix = ask.prefix.as_bytes().to_vec();
        let mut from = From::At(prefix.clone());
        let start_after = ask.start_after.as_bytes();
        if !start_after.is_empty() && start_after >= prefix.as_slice() {
            from = From::Behind(start_after.to_vec());
        }
        if let Some(cursor) = &ask.cursor {
            let cursor = read_cursor(cursor)
                .ok_or_else(|| R2Error::Argument("The list cursor is not valid.".into()))?;
            from = later(from, cursor);
        }
        Ok(Self {
            prefix,
            delimiter: ask.delimiter.as_bytes().to_vec(),
            limit: limit as usize,
            from,
        })
    }

    pub(super) fn page<R: Rows>(self, rows: &mut R) -> Result<Page<R::Row>, R2Error> {
        let end = behind_prefix(&self.prefix);
        let mut items = Vec::new();
        let mut bytes = 0;
        let mut next = Some(self.from.clone());
        'walk: while let Some(from) = &next {
            // One more than fits tells whether there is more.
            let room = u32::try_from(self.limit - items.len()).unwrap_or(MOST) + 1;
            let most = if self.delimiter.is_empty() {
                room
            } else {
                room.min(BATCH)
            };
            let found = rows.rows(from, end.as_deref(), most)?;
            if found.len() < most as usize {
                next = None;
            }
            for (key, row) in found {
                let group = self.group(&key);
                let size = group.map_or_else(|| R::size(&row), <[u8]>::len);
                if items.len() == self.limit || (bytes + size > MOST_BYTES && !items.is_empty()) {
                    next = Some(From::At(key));
                    break 'walk;
                }
                bytes += size;
                match group {
                    None => {
                        if next.is_some() {
                            next = Some(From::Behind(key));
                        }
                        items.push(Item::Object(row));
                    }
                    Some(group) => {
                        next = behind_prefix(group).map(From::At);
                        // Keys are texts, and a delimiter is one.
                        items.push(Item::Group(String::from_utf8_lossy(group).into_owned()));
                        continue 'walk;
                    }
                }
            }
        }
        Ok(Page {
            items,
            cursor: next.as_ref().map(cursor),
        })
    }

    /// What groups a key: all of it up to the delimiter behind the prefix.
    fn group<'a>(&self, key: &'a [u8]) -> Option<&'a [u8]> {
        if self.delimiter.is_empty() {
            return None;
        }
        let rest = key.get(self.prefix.len()..)?;
        let at = memchr::memmem::find(rest, &self.delimiter)?;
        Some(&key[..self.prefix.len() + at + self.delimiter.len()])
    }
}

/// The first key behind all that begin with a prefix; None where no key is.
fn behind_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut key = prefix[..=last].to_vec();
    key[last] += 1;
    Some(key)
}

fn later(a: From, b: From) -> From {
    let order = |from: &From| match from {
        From::At(key) => (key.clone(), false),
        From::Behind(key) => (key.clone(), true),
    };
    if order(&a) >= order(&b) { a } else { b }
}

/// Opaque to workers; a group's end is no text, so both are bytes.
pub(super) fn cursor(from: &From) -> String {
    let (mark, key) = match from {
        From::At(key) => (b'@', key),
        From::Behind(key) => (b'>', key),
    };
    let bytes: Vec<u8> = std::iter::once(mark).chain(key.iter().copied()).collect();
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn read_cursor(text: &str) -> Option<From> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (mark, key) = bytes.split_first()?;
    match mark {
        b'@' => Some(From::At(key.to_vec())),
        b'>' => Some(From::Behind(key.to_vec())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    struct Keys(BTreeSet<Vec<u8>>);

    impl Rows for Keys {
        type Row = String;

        fn rows(
            &mut self,
            from: &From,
            before: Option<&[u8]>,
            most: u32,
        ) -> Result<Keyed<String>, R2Error> {
            let keys = self.0.iter().filter(|key| match from {
                From::At(from) => *key >= from,
                From::Behind(from) => *key > from,
            });
            let keys = keys.filter(|key| before.is_none_or(|before| key.as_slice() < before));
            let keys = keys.take(most as usize);
            let text = |key: &Vec<u8>| String::from_utf8(key.clone()).expect("a text");
            Ok(keys.map(|key| (key.clone(), text(key))).collect())
        }

        fn size(row: &String) -> usize {
            row.len()
        }
    }

    /// What a list of all is, by its definition.
    fn expected(keys: &BTreeSet<Vec<u8>>, ask: &AskList) -> Vec<Item<String>> {
        let mut items = Vec::new();
        for key in keys {
            let key = String::from_utf8(key.clone()).expect("a text");
            let after = ask.start_after.is_empty() || key > ask.start_after;
            let Some(rest) = key.strip_prefix(&ask.prefix).filter(|_| after) else {
                continue;
            };
            let item = match rest.find(&ask.delimiter) {
                Some(at) if !ask.delimiter.is_empty() => Item::Group(format!(
                    "{}{}",
                    ask.prefix,
                    &rest[..at + ask.delimiter.len()]
                )),
                _ => Item::Object(key),
            };
            if items.last() != Some(&item) {
                items.push(item);
            }
        }
        items
    }

    proptest! {
        #[test]
        fn pages_are_the_list(
            keys in proptest::collection::btree_set("[ab/\u{e9}\u{10ffff}]{1,5}", 0..40),
            prefix in "[ab/\u{e9}]{0,2}",
            delimiter in "[/a]{0,2}",
            start_after in "[ab/\u{10ffff}]{0,3}",
            limit in 1u32..6,
        ) {
            let mut rows = Keys(keys.into_iter().map(String::into_bytes).collect());
            let mut ask = AskList {
                limit: Some(limit),
                prefix,
                delimiter,
                start_after,
                ..AskList::default()
            };
            let expected = expected(&rows.0, &ask);
            let mut found = Vec::new();
            loop {
                let page = Walk::new(&ask).expect("sound").page(&mut rows).expect("rows");
                prop_assert!(page.items.len() <= limit as usize);
                prop_assert!(page.cursor.is_none() || !page.items.is_empty());
                found.extend(page.items);
                match page.cursor {
                    Some(cursor) => ask.cursor = Some(cursor),
                    None => break,
                }
            }
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_is_asked_is_checked() {
        for limit in [0, 1001] {
            let ask = AskList {
                limit: Some(limit),
                ..AskList::default()
            };
            assert!(matches!(Walk::new(&ask), Err(R2Error::MaxKeys)), "{limit}");
        }
        for cursor in ["", "$", "AAAA"] {
            let ask = AskList {
                cursor: Some(cursor.into()),
                ..AskList::default()
            };
            assert!(
                matches!(Walk::new(&ask), Err(R2Error::Argument(_))),
                "{cursor}"
            );
        }
    }
}
