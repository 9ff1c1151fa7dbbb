//! The session store: objects with a SQLite database each, and one log that
//! makes their commits durable together.
//!
//! A [`Store`] opens a folder, recovers what a crash left, and opens objects
//! by [`ObjectKey`]. An [`Object`]'s commits do not wait for the disk: each gives a
//! [`Receipt`], and whatever must not be seen before its writes are durable
//! (an answer, a message) waits for the object's last one. A thousand objects
//! that wait share one `fdatasync` ([`LocalLog`]).
//!
//! What objects were is kept for a while ([`Retention`]): an object can be as it was at a
//! [`Bookmark`] again ([`ObjectPast`]).
//!
//! Promised, and held by tests that cut the power at every write: an
//! acknowledged commit is there after a crash, whole, and a commit that was not
//! acknowledged is there whole or not at all.

mod bookmark;
mod changes;
mod clock;
mod commit;
mod disk;
mod doubt;
mod history;
mod key;
mod log;
mod moment;
mod object;
mod pages;
mod restore;
mod snapshot;
mod store;
mod transfer;
mod vfs;

pub use bookmark::{BadBookmark, Bookmark};
pub use clock::Clock;
pub use commit::{Commit, PAGE_SIZE, Page};
pub use disk::{Disk, DiskFile, FileDisk};
pub use history::Retention;
pub use key::{Epoch, NamespaceId, ObjectId, ObjectKey, Seq};
pub use log::local::{LocalLog, LogOptions};
pub use log::{CommitLog, LogError, Receipt};
pub use moment::{BadMoment, Moment};
pub use object::{Object, ObjectError};
pub use restore::{HistoryError, ObjectPast};
pub use snapshot::Snapshot;
pub use store::{Damage, Recovery, Store, StoreError, StoreOptions};
pub use transfer::{TransferError, rewrite, sql_faults};
