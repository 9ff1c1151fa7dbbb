//! A namespace: its database, and what of it is being read and written.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use outboard_runtime::{BodyError, HostBody, full_body};
use outboard_storage::Object;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::entries::{self, Head, Listed, PART, Pins, SCHEMA, ValueId};
use crate::objects::NodeObjects;
use crate::resources::database::{Database, DatabaseError};

/// What its databases are called by, before their names.
pub(crate) const KIND: &str = "kv";

/// Bytes of a value.
pub(crate) const MOST: u64 = 25 << 20;

/// Values of more than `SMALL` bytes that are written at a time; each has one part in
/// the log's queue, which others need room in.
const LARGE_WRITES: usize = 16;
const SMALL: usize = 64 << 10;

/// Bytes of values that one call reads at once; the rest is read as it is wanted.
const READ_AT_ONCE: i64 = 2 << 20;

#[derive(Clone)]
pub(crate) struct Namespace {
    database: Database,
    pins: Arc<Mutex<Pins>>,
    next: Arc<AtomicI64>,
    large: Arc<Semaphore>,
}

/// Why a value was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PutError {
    #[error("Value length of {0} exceeds limit of {MOST}.")]
    TooLong(u64),
    /// It did not come whole.
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// An entry, and its value or where that is.
pub(crate) struct Found {
    pub(crate) expires: Option<i64>,
    /// JSON.
    pub(crate) metadata: Option<String>,
    pub(crate) length: u64,
    value: Value,
}

enum Value {
    Read(Bytes),
    Kept(Kept),
}

impl Namespace {
    pub(crate) async fn open(objects: Arc<NodeObjects>, id: &str) -> Result<Self, DatabaseError> {
        let database = Database::open(objects, KIND, id.to_string(), &SCHEMA).await?;
        Self::of_database(database).await
    }

    /// Of an open database.
    pub(crate) async fn of(object: Object) -> Result<Self, DatabaseError> {
        Self::of_database(Database::of(object, &SCHEMA)?).await
    }

    async fn of_database(database: Database) -> Result<Self, DatabaseError> {
        let next = database.run(entries::next_value).await?;
        Ok(Self {
            database,
            pins: Arc::default(),
            next: Arc::new(AtomicI64::new(next)),
            large: Arc::new(Semaphore::new(LARGE_WRITES)),
        })
    }

    /// What each key has at one time, in their order.
    pub(crate) async fn get(&self, keys: Vec<String>) -> Result<Vec<Option<Found>>, DatabaseError> {
        let namespace = self.clone();
        let read = move |connection: &rusqlite::Connection| {
            let now = now();
            let mut left = READ_AT_ONCE;
            let mut all = Vec::with_capacity(keys.len());
            for key in &keys {
                let Some(entry) = entries::find(connection, key, now)? else {
                    all.push(None);
                    continue;
                };
                let at_once = entry.length <= left.min(PART as i64);
                let value = if at_once {
                    left -= entry.length;
                    Value::Read(entries::part(connection, entry.value, 0)?.into())
                } else {
                    Value::Kept(Kept::new(namespace.clone(), entry.value))
                };
                all.push(Some(Found {
                    expires: entry.expires,
                    metadata: entry.metadata,
                    length: u64::try_from(entry.length).unwrap_or(0),
                    value,
                }));
            }
            Ok(all)
        };
        self.database.run(read).await
    }

    /// Writes an entry whose value is what `body` brings; what was there stays until
    /// all of it is here. Dropping the future may leave either.
    pub(crate) async fn put(&self, head: Head, mut body: HostBody) -> Result<(), PutError> {
        let told = body.size_hint().lower();
        if told > MOST {
            return Err(PutError::TooLong(told));
        }
        // Pinned while it is written: a sweep takes it for garbage.
        let kept = Kept::new(self.clone(), self.fresh());
        let mut large = None;
        let mut gathered = Gathered::default();
        let mut number = 0;
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            let Ok(bytes) = frame?.into_data() else {
                continue;
            };
            length += bytes.len() as u64;
            if length > MOST {
                return Err(PutError::TooLong(length));
            }
            gathered.push(bytes);
            if gathered.length > SMALL && large.is_none() {
                large = self.large.acquire().await.ok();
            }
            // The last part is not written here.
            while gathered.length > PART {
                let (value, part) = (kept.value, gathered.take(PART));
                let write = move |connection: &rusqlite::Connection| {
                    entries::add_part(connection, value, number, &part.join())
                };
                self.database.run(write).await?;
                number += 1;
            }
        }
        let (value, part) = (kept.value, gathered.take(PART));
        let pins = self.pinned();
        let write = move |connection: &rusqlite::Connection| {
            let last = (number, &part.join()[..]);
            let length = i64::try_from(length).unwrap_or(i64::MAX);
            entries::put(connection, &head, value, last, length, &pins())
        };
        Ok(self.database.run(write).await?)
    }

    pub(crate) async fn delete(&self, key: String) -> Result<(), DatabaseError> {
        let pins = self.pinned();
        self.database
            .run(move |connection| entries::delete(connection, &key, &pins()))
            .await
    }

    /// See [`entries::list`].
    pub(crate) async fn list(
        &self,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Result<(Vec<Listed>, bool), DatabaseError> {
        let list = move |connection: &rusqlite::Connection| {
            entries::list(connection, &prefix, after.as_deref(), limit, now())
        };
        self.database.run(list).await
    }

    /// Deletes what has expired and what nobody can reach, a little a commit.
    pub(crate) async fn sweep(&self) -> Result<(), DatabaseError> {
        loop {
            let pins = self.pinned();
            let sweep =
                move |connection: &rusqlite::Connection| entries::sweep(connection, now(), &pins());
            if !self.database.run(sweep).await? {
                return Ok(());
            }
        }
    }

    /// To be called when it is the caller's turn: only then does nobody pin what has an
    /// entry, or was thrown away.
    fn pinned(&self) -> impl FnOnce() -> Pins + Send + 'static {
        let pins = self.pins.clone();
        move || pins.lock().clone()
    }

    fn fresh(&self) -> ValueId {
        ValueId(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl Found {
    /// The value as a body, and its length.
    pub(crate) fn into_body(self) -> HostBody {
        match self.value {
            Value::Read(bytes) => full_body(bytes),
            Value::Kept(kept) => ValueBody {
                kept,
                number: 0,
                left: self.length,
                reading: None,
            }
            .boxed_unsync(),
        }
    }
}

/// A value that stays while this lives, whatever becomes of its entry.
struct Kept {
    namespace: Namespace,
    value: ValueId,
}

impl Kept {
    fn new(namespace: Namespace, value: ValueId) -> Self {
        *namespace.pins.lock().entry(value).or_default() += 1;
        Self { namespace, value }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut pins = self.namespace.pins.lock();
        if let Some(count) = pins.get_mut(&self.value) {
            *count -= 1;
            if *count == 0 {
                pins.remove(&self.value);
            }
        }
    }
}

/// A value on its way out, a part at a time.
struct ValueBody {
    kept: Kept,
    /// The next part.
    number: i64,
    left: u64,
    reading: Option<BoxFuture<'static, Result<Vec<u8>, DatabaseError>>>,
}

impl Body for ValueBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let reading = this.reading.get_or_insert_with(|| {
            let database = this.kept.namespace.database.clone();
            let (value, number) = (this.kept.value, this.number);
            async move {
                database
                    .run(move |connection| entries::part(connection, value, number))
                    .await
            }
            .boxed()
        });
        let read = ready!(reading.as_mut().poll(cx));
        this.reading = None;
        Poll::Ready(Some(match read {
            Ok(bytes) => {
                this.number += 1;
                this.left = this.left.saturating_sub(bytes.len() as u64);
                Ok(Frame::data(bytes.into()))
            }
            Err(error) => {
                this.left = 0;
                tracing::error!(%error, "a value could not be read");
                Err(BodyError("the value could not be read".into()))
            }
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Bytes that came and are not written yet, in the pieces that they came in.
#[derive(Default)]
struct Gathered {
    pieces: std::collections::VecDeque<Bytes>,
    length: usize,
}

impl Gathered {
    fn push(&mut self, bytes: Bytes) {
        self.length += bytes.len();
        self.pieces.push_back(bytes);
    }

    /// The first bytes, `most` at most.
    fn take(&mut self, most: usize) -> Self {
        let mut taken = Self::default();
        while taken.length < most
            && let Some(mut piece) = self.pieces.pop_front()
        {
            let room = most - taken.length;
            if piece.len() > room {
                self.pieces.push_front(piece.split_off(room));
            }
            taken.push(piece);
        }
        self.length -= taken.length;
        taken
    }

    /// Copies all into one; not for a lane.
    fn join(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.length);
        self.pieces
            .iter()
            .for_each(|piece| all.extend_from_slice(piece));
        all
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since_epoch.unwrap_or_default().as_secs()).unwrap_or(i64::MAX)
}
