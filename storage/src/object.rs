//! An open object: its database, and what of it is durable.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::limits::Limit;

use crate::key::ObjectKey;
use crate::log::{LogError, Receipt};
use crate::pages::{Pages, PagesError};
use crate::store::{Inner, Registration};
use crate::vfs;

/// Why an object cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// What the script's SQL did wrong, or SQLite refused.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// A commit is not durable.
    #[error(transparent)]
    Log(LogError),
    /// The database, or the log's last word on it, is damaged.
    #[error("{object} is damaged: {what}")]
    Damaged { object: ObjectKey, what: String },
    #[error("{object}: {error}")]
    Io {
        object: ObjectKey,
        error: Arc<std::io::Error>,
    },
    #[error("{0} is open already")]
    Open(ObjectKey),
    /// It is as it was, and opens the next time.
    #[error("{object} was not restored: {why}")]
    NotRestored { object: ObjectKey, why: String },
}

impl From<PagesError> for ObjectError {
    fn from(error: PagesError) -> Self {
        match error {
            PagesError::Log(error) => Self::Log(error),
            PagesError::Io { object, error } => Self::Io { object, error },
            PagesError::Damaged { object, .. } => Self::Damaged {
                object,
                what: error.to_string(),
            },
        }
    }
}

/// One object's database, open. Commits do not wait for the disk; whoever lets
/// something of them be seen awaits [`Object::newest`]'s receipt first.
pub struct Object {
    connection: Connection,
    pages: Arc<Pages>,
    pub(crate) restored: bool,
    /// Last, so that the store knows the object as open until it is closed.
    registration: Registration,
}

/// A transaction's memory for pages that it has read, in KiB.
const CACHE_KIB: u32 = 1024;

impl Object {
    pub(crate) fn open(pages: Arc<Pages>, registration: Registration) -> Result<Self, ObjectError> {
        let restored = registration.store().restore(&pages)?;
        let open = || -> rusqlite::Result<Connection> {
            let connection = vfs::connect(pages.clone())?;
            // The journal need not survive a crash: the file never holds a part of
            // a transaction. One sync a transaction is the commit itself.
            connection.execute_batch(&format!(
                "PRAGMA page_size = {page}; PRAGMA journal_mode = MEMORY;
                 PRAGMA synchronous = NORMAL; PRAGMA locking_mode = EXCLUSIVE;
                 PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{CACHE_KIB};
                 PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;",
                page = crate::PAGE_SIZE,
            ))?;
            connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
            // Reads the schema: a damaged database is refused here.
            connection.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(()))?;
            Ok(connection)
        };
        match open() {
            Ok(connection) => Ok(Self {
                connection,
                pages,
                restored,
                registration,
            }),
            Err(error) => Err(fault(&pages, &error).unwrap_or(ObjectError::Sql(error))),
        }
    }

    pub fn key(&self) -> ObjectKey {
        self.pages.object()
    }

    /// The database. Its transactions are commits.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The same, to set hooks on.
    pub fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Bytes in the database.
    pub fn size(&self) -> u64 {
        self.pages.len()
    }

    pub(crate) fn pages(&self) -> &Arc<Pages> {
        &self.pages
    }

    pub(crate) fn store(&self) -> &Arc<Inner> {
        self.registration.store()
    }

    /// The newest commit's receipt; when it is durable, all before it are.
    pub fn newest(&self) -> Option<Receipt> {
        self.pages.newest()
    }

    /// What really went wrong, where SQLite only says that something did.
    pub fn explain(&self, error: rusqlite::Error) -> ObjectError {
        self.fault(&error).unwrap_or(ObjectError::Sql(error))
    }

    /// The same, where it is not SQLite's own word on a statement.
    pub fn fault(&self, error: &rusqlite::Error) -> Option<ObjectError> {
        fault(&self.pages, error)
    }

    /// Closes the object once its commits are durable, so that the next to open it
    /// finds all in the file. Dropping it instead does not wait, and the object
    /// can be opened again when its commits are settled.
    pub async fn close(self) -> Result<(), ObjectError> {
        let Self {
            connection,
            pages,
            registration,
            ..
        } = self;
        drop(connection);
        if let Some(newest) = pages.newest() {
            newest.wait().await.map_err(ObjectError::Log)?;
        }
        pages.leave()?;
        drop(registration);
        Ok(())
    }
}

fn fault(pages: &Pages, error: &rusqlite::Error) -> Option<ObjectError> {
    if let Some(fault) = pages.fault() {
        pages.forgive();
        return Some(fault.into());
    }
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            Some(ObjectError::Damaged {
                object: pages.object(),
                what: error.to_string(),
            })
        }
        _ => None,
    }
}
