//! Whether all that is kept can be read.

use std::io;

use super::base::{self, BasePages};
use super::index::{self, Index};
use super::{History, index_path, segment_path};
use crate::disk::Disk;
use crate::key::ObjectKey;
use crate::pages;

impl History {
    /// What is wrong with kept segments and bases, each with its path; none if
    /// nothing is. Reads all of it.
    pub(crate) fn faults(&self) -> io::Result<Vec<String>> {
        let mut faults = Vec::new();
        for head in self.segments.values() {
            let (path, index) = (segment_path(head.number), index_path(head.number));
            let file = self.disk.open(&path, false)?;
            let found = index::entries_of(&*file, head.number)?;
            let whole = found
                .as_ref()
                .is_some_and(|found| found.damaged.is_empty() && found.extent.next == head.next);
            if !whole {
                faults.push(format!("{path}: a commit is damaged"));
                continue;
            }
            let indexed = self.disk.open(&index, false)?;
            let entries: io::Result<Vec<_>> = Index::new(&*indexed, *head).all().collect();
            if entries.ok() != found.map(|found| found.entries) {
                faults.push(format!("{index}: does not list its segment"));
            }
        }
        for key in bases(&*self.disk)? {
            let Some((_, file)) = self.base(key)? else {
                continue;
            };
            let damaged = pages::damaged_pages(&BasePages(file))?;
            if !damaged.is_empty() {
                let pages: Vec<_> = damaged.iter().map(ToString::to_string).collect();
                let pages = pages.join(", ");
                faults.push(format!("{}: damaged pages: {pages}", base::path(key)));
            }
        }
        Ok(faults)
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
