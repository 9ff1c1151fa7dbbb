//! Whether all that is kept can be read.

use std::io;

use super::base::{self, BasePages};
use super::index::{self, Index};
use super::{History, index_path, segment_path};
use crate::disk::Disk;
use crate::key::ObjectKey;
use crate::pages;

/// One of the things that are kept.
pub(crate) enum Kept {
    Segment(u64),
    Base(ObjectKey),
}

impl History {
    /// All that is kept now.
    pub(crate) fn all_kept(&self) -> io::Result<Vec<Kept>> {
        let segments = self.segments.keys().copied().map(Kept::Segment);
        let bases = bases(&*self.disk)?.into_iter().map(Kept::Base);
        Ok(segments.chain(bases).collect())
    }

    /// What is wrong with one of them, with its path; nothing where it was dropped
    /// meanwhile. Reads all of it.
    pub(crate) fn fault(&self, kept: &Kept) -> io::Result<Option<String>> {
        match kept {
            Kept::Segment(number) => self.segment_fault(*number),
            Kept::Base(key) => self.base_fault(*key),
        }
    }

    fn segment_fault(&self, number: u64) -> io::Result<Option<String>> {
        let Some(head) = self.segments.get(&number) else {
            return Ok(None);
        };
        let (path, index) = (segment_path(number), index_path(number));
        let file = self.disk.open(&path, false)?;
        let found = index::entries_of(&*file, number)?;
        let whole = found
            .as_ref()
            .is_some_and(|found| found.damaged.is_empty() && found.extent.next == head.next);
        if !whole {
            return Ok(Some(format!("{path}: a commit is damaged")));
        }
        let indexed = self.disk.open(&index, false)?;
        let entries: io::Result<Vec<_>> = Index::new(&*indexed, *head).all().collect();
        let is_listed = entries.ok() == found.map(|found| found.entries);
        Ok((!is_listed).then(|| format!("{index}: does not list its segment")))
    }

    fn base_fault(&self, key: ObjectKey) -> io::Result<Option<String>> {
        let Some((_, file)) = self.base(key)? else {
            return Ok(None);
        };
        let damaged = pages::damaged_pages(&BasePages(file))?;
        let pages: Vec<_> = damaged.iter().map(ToString::to_string).collect();
        let pages = pages.join(", ");
        Ok((!damaged.is_empty()).then(|| format!("{}: damaged pages: {pages}", base::path(key))))
    }
}

/// The objects that have a base.
fn bases(disk: &dyn Disk) -> io::Result<Vec<ObjectKey>> {
    let mut keys = Vec::new();
    let dir = "history/bases";
    for namespace in disk.list(dir)? {
        for shard in disk.list(&format!("{dir}/{namespace}"))? {
            for name in disk.list(&format!("{dir}/{namespace}/{shard}"))? {
                let Some(id) = name.strip_suffix(".base") else {
                    continue;
                };
                let path = format!("objects/{namespace}/{shard}/{id}.sqlite");
                keys.extend(ObjectKey::from_path(&path));
            }
        }
    }
    Ok(keys)
}
