//! What commits of one object, in their order, come to.

use std::collections::BTreeMap;
use std::io;

use crate::commit::{Commit, PAGE_SIZE, Page};
use crate::disk::DiskFile;
use crate::pages::{bytes_of, pages_in, seal};

/// Changes of a database that are to be written to its file, each page once.
#[derive(Default)]
pub(crate) struct Changes {
    pages: BTreeMap<u32, Page>,
    /// Pages in the database after the last commit.
    size: u32,
    /// The fewest after any commit: what is behind is not what it was.
    least: Option<u32>,
}

impl Changes {
    /// Pages that whoever gathers changes has in memory: a segment's worth, 64 MiB.
    pub(crate) const MOST: usize = (64 << 20) / PAGE_SIZE;
    /// Bytes that are written at once.
    const RUN: usize = 1 << 20;

    /// Takes the database for empty.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            least: Some(0),
            ..Self::default()
        };
    }

    pub(crate) fn add(&mut self, commit: Commit) {
        let size = commit.size;
        self.size = size;
        self.least = Some(self.least.map_or(size, |least| least.min(size)));
        self.pages.extend(commit.pages);
        let last = self.pages.last_key_value();
        if last.is_some_and(|(last, _)| *last > size) {
            self.pages.retain(|number, _| *number <= size);
        }
    }

    /// How many pages they changed.
    pub(crate) fn len(&self) -> usize {
        self.pages.len()
    }

    /// Writes them: again and again gives the same.
    pub(crate) fn write(&self, file: &dyn DiskFile) -> io::Result<()> {
        let Some(least) = self.least else {
            return Ok(());
        };
        let mut size = pages_in(file.size()?)?;
        if size > least {
            file.set_len(bytes_of(least))?;
            size = least;
        }
        let mut pages = self.pages.iter().peekable();
        let mut run = Vec::new();
        while let Some((first, page)) = pages.next() {
            run.clear();
            push_sealed(&mut run, *first, page);
            let mut last = *first;
            while run.len() < Self::RUN
                && let Some((number, page)) = pages.next_if(|(number, _)| **number - last == 1)
            {
                push_sealed(&mut run, *number, page);
                last = *number;
            }
            file.write_at(&run, bytes_of(first - 1))?;
            size = size.max(last);
        }
        if size != self.size {
            file.set_len(bytes_of(self.size))?;
        }
        Ok(())
    }
}

fn push_sealed(run: &mut Vec<u8>, number: u32, page: &Page) {
    let mut bytes = **page;
    seal(number, &mut bytes);
    run.extend_from_slice(&bytes);
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use proptest::prelude::*;

    use super::*;
    use crate::key::{Epoch, NamespaceId, ObjectId, ObjectKey, Seq};

    #[derive(Default)]
    pub(crate) struct Memory(Mutex<Vec<u8>>);

    impl DiskFile for Memory {
        fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
            let mut file = self.0.lock();
            let offset = offset as usize;
            let len = file.len().max(offset + bytes.len());
            file.resize(len, 0);
            file[offset..offset + bytes.len()].copy_from_slice(bytes);
            Ok(())
        }

        fn size(&self) -> io::Result<u64> {
            Ok(self.0.lock().len() as u64)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.lock().resize(len as usize, 0);
            Ok(())
        }

        fn sync(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// One after the other, as the database's owner wrote them.
    fn write_each(commits: &[Commit], file: &Memory) {
        for commit in commits {
            if commit.is_first {
                file.set_len(0).unwrap();
            }
            for (number, page) in &commit.pages {
                let mut page = **page;
                seal(*number, &mut page);
                file.write_at(&page, bytes_of(number - 1)).unwrap();
            }
            file.set_len(bytes_of(commit.size)).unwrap();
        }
    }

    fn commits() -> impl Strategy<Value = Vec<Commit>> {
        let pages = prop::collection::vec((1..8_u32, any::<u8>()), 0..4);
        let commit =
            (0..8_u32, prop::bool::weighted(0.1), pages).prop_map(|(size, is_first, pages)| {
                Commit {
                    object: ObjectKey {
                        namespace: NamespaceId(1),
                        id: ObjectId([0; 32]),
                    },
                    epoch: Epoch(1),
                    is_first,
                    goes_on: false,
                    previous: Seq(0),
                    time: 0,
                    size,
                    pages: pages
                        .into_iter()
                        .map(|(number, byte)| (number, Arc::new([byte; PAGE_SIZE])))
                        .collect(),
                }
            });
        prop::collection::vec(commit, 0..12)
    }

    proptest! {
        #[test]
        fn they_come_to_what_each_of_them_does(
            commits in commits(), cut in any::<prop::sample::Index>(),
        ) {
            // A start that was cut short wrote some of it before.
            let cut = cut.index(commits.len() + 1);
            let [each, at_once] = [Memory::default(), Memory::default()];
            for file in [&each, &at_once] {
                write_each(&commits[..cut], file);
            }
            write_each(&commits, &each);
            let mut changes = Changes::default();
            for commit in commits {
                if commit.is_first {
                    changes.clear();
                }
                changes.add(commit);
            }
            changes.write(&at_once).unwrap();
            prop_assert!(*each.0.lock() == *at_once.0.lock());
        }
    }
}
