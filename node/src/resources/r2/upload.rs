//! Uploads in parts: their rows, and what completes them.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::digest::{etag_of_parts, hex};
use super::error::R2Error;
use super::index::{
    Attributes, Blob, Doomed, Index, Row, attributes, blobs, doom, insert_blob, replace, written,
};
use super::protocol::AskedPart;

/// The least that a part has, but for the last.
const LEAST_PART: u64 = 5 << 20;
/// The most that an object has.
const MOST_SIZE: u64 = 5 << 40;

/// How long an upload may take, in milliseconds, as Workers have it by default.
pub(super) const PATIENCE: i64 = 7 * 24 * 60 * 60 * 1000;

/// An upload as it is begun.
pub(super) struct Begun<'a> {
    /// Unlike every object's and other upload's.
    pub(super) id: i64,
    pub(super) name: &'a str,
    pub(super) key: &'a str,
    pub(super) now: i64,
    pub(super) attributes: &'a Attributes,
}

impl Index {
    pub(super) fn begin_upload(&mut self, begun: &Begun<'_>) -> Result<(), R2Error> {
        self.write(|transaction| {
            let attributes = begun.attributes;
            transaction
                .prepare_cached("INSERT INTO uploads VALUES (?, ?, ?, ?, FALSE, ?, ?, ?)")?
                .execute((
                    begun.id,
                    begun.name,
                    begun.key.as_bytes(),
                    begun.now,
                    written(&attributes.http)?,
                    written(&attributes.custom)?,
                    &attributes.class,
                ))?;
            Ok(())
        })
    }

    /// Refuses an upload that takes no parts.
    pub(super) fn open_upload(&self, name: &str, key: &str) -> Result<(), R2Error> {
        let found = self.read(|connection| find(connection, name, key))?;
        match found {
            Some(Upload { ended: false, .. }) => Ok(()),
            _ => Err(R2Error::NoSuchUpload),
        }
    }

    /// Makes a blob a part of an upload, in the place of the one that was.
    pub(super) fn put_part(
        &mut self,
        name: &str,
        key: &str,
        blob: &Blob,
    ) -> Result<Doomed, R2Error> {
        self.write(|transaction| {
            let id = match find(transaction, name, key)? {
                Some(Upload {
                    id, ended: false, ..
                }) => id,
                _ => return Err(R2Error::NoSuchUpload.into()),
            };
            let mut doom = transaction.prepare_cached(
                "UPDATE blobs SET owner = NULL WHERE owner = ? AND number = ? RETURNING id",
            )?;
            let old = doom.query_map((id, blob.number), |row| row.get(0))?;
            let old: Vec<i64> = old.collect::<rusqlite::Result<_>>()?;
            insert_blob(transaction, id, blob)?;
            let old = old.into_iter();
            Ok(old.map(|blob| (id, super::blobs::BlobId(blob))).collect())
        })
    }

    /// Makes the parts an object, in the order of their numbers; the others go.
    pub(super) fn complete(
        &mut self,
        name: &str,
        key: &str,
        asked: &[AskedPart],
        version: String,
        now: i64,
    ) -> Result<(Row, Doomed), R2Error> {
        self.write(|transaction| {
            let upload = match find(transaction, name, key)? {
                Some(upload) if !upload.ended => upload,
                _ => return Err(R2Error::NoSuchUpload.into()),
            };
            let all = blobs(transaction, upload.id)?;
            let parts = choose(&all, asked)?;
            let row = Row {
                key: key.into(),
                id: upload.id,
                version,
                size: parts.iter().map(|part| part.size).sum(),
                etag: etag_of_parts(parts.iter().map(|part| &part.md5[..])),
                uploaded: now,
                checksums: Vec::new(),
                attributes: upload.attributes,
            };
            let chosen: HashSet<_> = parts.iter().map(|part| part.id).collect();
            let mut doomed = replace(transaction, &row)?;
            let mut leave =
                transaction.prepare_cached("UPDATE blobs SET owner = NULL WHERE id = ?")?;
            for part in all.iter().filter(|part| !chosen.contains(&part.id)) {
                leave.execute([part.id.0])?;
                doomed.push((upload.id, part.id));
            }
            end(transaction, upload.id)?;
            Ok((row, doomed))
        })
    }

    /// Ends an upload and all its parts; nothing where it ended before.
    pub(super) fn abort(&mut self, name: &str, key: &str) -> Result<Doomed, R2Error> {
        self.write(|transaction| {
            let mut doomed = Vec::new();
            match find(transaction, name, key)? {
                None => return Err(R2Error::NoSuchUpload.into()),
                Some(Upload { ended: true, .. }) => {}
                Some(Upload { id, .. }) => {
                    doom(transaction, id, &mut doomed)?;
                    end(transaction, id)?;
                }
            }
            Ok(doomed)
        })
    }

    /// Forgets uploads that began before a time, and dooms their parts.
    pub(super) fn expire(&mut self, before: i64) -> Result<Doomed, R2Error> {
        self.write(|transaction| {
            let mut find = transaction
                .prepare_cached("DELETE FROM uploads WHERE started < ? RETURNING id, ended")?;
            let rows = find.query_map([before], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let rows: Vec<(i64, bool)> = rows.collect::<rusqlite::Result<_>>()?;
            let mut doomed = Vec::new();
            // What one that was completed has is an object's.
            for (id, _) in rows.iter().filter(|(_, ended)| !ended) {
                doom(transaction, *id, &mut doomed)?;
            }
            Ok(doomed)
        })
    }
}

struct Upload {
    id: i64,
    ended: bool,
    attributes: Attributes,
}

fn find(connection: &Connection, name: &str, key: &str) -> rusqlite::Result<Option<Upload>> {
    connection
        .prepare_cached(
            "SELECT id, ended, http, custom, class FROM uploads WHERE name = ? AND key = ?",
        )?
        .query_row((name, key.as_bytes()), |row| {
            Ok(Upload {
                id: row.get(0)?,
                ended: row.get(1)?,
                attributes: attributes(row, 2)?,
            })
        })
        .optional()
}

fn end(transaction: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE uploads SET ended = TRUE WHERE id = ?")?
        .execute([id])
        .map(drop)
}

/// A part that was uploaded.
pub(super) trait Uploaded {
    fn number(&self) -> u32;
    fn size(&self) -> u64;
    fn etag(&self) -> String;
}

impl Uploaded for Blob {
    fn number(&self) -> u32 {
        self.number
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn etag(&self) -> String {
        hex(&self.md5)
    }
}

/// The parts that are asked for, by their numbers, if they make an object.
pub(super) fn choose<'a, P: Uploaded>(
    all: &'a [P],
    asked: &[AskedPart],
) -> Result<Vec<&'a P>, R2Error> {
    let by_number: HashMap<u32, &P> = all.iter().map(|part| (part.number(), part)).collect();
    let mut seen = HashSet::new();
    let mut parts = Vec::with_capacity(asked.len());
    for AskedPart { part, etag } in asked {
        if !seen.insert(part) {
            return Err(R2Error::BadUpload);
        }
        let found = by_number.get(part).filter(|found| found.etag() == *etag);
        parts.push(*found.ok_or(R2Error::InvalidPart)?);
    }
    parts.sort_by_key(|part| part.number());
    let Some((last, before)) = parts.split_last() else {
        return Ok(parts);
    };
    if before.iter().any(|part| part.size() < LEAST_PART) {
        return Err(R2Error::TooSmall);
    }
    if let Some(first) = before.first() {
        let alike = before.iter().all(|part| part.size() == first.size());
        if !alike || last.size() > first.size() {
            return Err(R2Error::BadUpload);
        }
    }
    if parts.iter().map(|part| part.size()).sum::<u64>() > MOST_SIZE {
        return Err(R2Error::TooLarge);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::super::blobs::BlobId;
    use super::*;

    #[test]
    fn parts_are_chosen_by_their_rules() {
        let sizes = [LEAST_PART, LEAST_PART, LEAST_PART + 1, 7];
        let parts: Vec<_> = (1..)
            .zip(sizes)
            .map(|(number, size)| Blob {
                id: BlobId(number.into()),
                number,
                size,
                md5: [number as u8; 16],
            })
            .collect();
        let check = |asked: &[(u32, u8)], expected: Result<&[u32], u32>| {
            let asked: Vec<_> = asked
                .iter()
                .map(|(part, digest)| AskedPart {
                    part: *part,
                    etag: hex(&[*digest; 16]),
                })
                .collect();
            match (choose(&parts, &asked), expected) {
                (Ok(parts), Ok(expected)) => {
                    let numbers: Vec<_> = parts.iter().map(|part| part.number).collect();
                    assert_eq!(numbers, expected);
                }
                (Err(error), Err(code)) => {
                    assert_eq!(error.codes().1, code, "{asked:?}");
                }
                (found, expected) => panic!("{asked:?}: {} {expected:?}", found.is_ok()),
            }
        };
        check(&[], Ok(&[]));
        check(&[(4, 4)], Ok(&[4]));
        check(&[(2, 2), (4, 4), (1, 1)], Ok(&[1, 2, 4]));
        check(&[(3, 3), (4, 4)], Ok(&[3, 4]));
        check(&[(1, 1), (1, 1)], Err(10048));
        check(&[(1, 2)], Err(10025));
        check(&[(9, 9)], Err(10025));
        check(&[(1, 1), (3, 3)], Err(10048));
        check(&[(1, 1), (3, 3), (4, 4)], Err(10048));
    }
}
