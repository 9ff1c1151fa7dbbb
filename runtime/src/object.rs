//! Durable objects as their isolate knows them: a name, a database, and the two
//! gates.
//!
//! All that a script writes in one turn of its isolate is one transaction, which
//! commits when the turn ends. The **output gate** ([`Object::durable`]) holds
//! what leaves the object (an answer, a request, a message) until the commits
//! before it are durable. The **input gate** ([`Object::admitted`]) holds new events
//! while `blockConcurrencyWhile` runs; storage itself never waits, so nothing
//! can interleave with it.

mod alarm;
mod database;
mod facet;
mod facets;
mod id;
mod keys;
mod memory;
mod sockets;
mod statements;
mod table;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use futures::future::{BoxFuture, LocalBoxFuture, Shared};
use rusqlite::Connection;
use tokio::sync::{Notify, Semaphore};

pub(crate) use self::alarm::{AlarmTime, Due, now};
pub(crate) use self::database::{Confirmed, Database, DatabaseError, Effect};
pub use self::facet::FacetPresence;
pub(crate) use self::facet::{FacetInstance, FacetStart, MOST_DEPTH, ShownId};
pub(crate) use self::facets::{
    Facet, FacetStub, Facets, Place, gone as facet_gone, is_left as facet_left, left as leave_facet,
};
pub use self::id::{BadObjectId, ObjectId};
pub(crate) use self::keys::KeyRange;
pub(crate) use self::memory::SqlMemory;
pub(crate) use self::sockets::{HeldSocket, ObjectSockets, Residence, SocketEvent, Sockets};
pub(crate) use self::table::Objects;
use crate::error::{EventError, ScriptError};
use crate::event::EventId;
use crate::host::Host;
use crate::isolate::Isolate;
use crate::watchdog::Signals;

/// The objects of one class.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectNamespace {
    /// The host's name for the worker that has the class.
    pub service: String,
    /// The class, as the worker exports it.
    pub class: String,
    /// Tells it from every other: ids and databases are its own by this.
    pub key: String,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectTarget {
    pub namespace: Arc<ObjectNamespace>,
    pub id: ObjectId,
    /// The name that the id was made from, where the caller knows it.
    pub name: Option<String>,
}

/// An object's database as its host keeps it; lives on the object's lane.
pub trait ObjectStorage {
    /// The database: empty at first, and this object's alone.
    fn connection(&mut self) -> &mut Connection;

    /// Resolves when all that was committed so far is durable. None: it is.
    fn durable(&self) -> Option<BoxFuture<'static, Result<(), StorageError>>>;

    /// What really went wrong, where SQLite knows only that something did.
    fn explain(&self, error: &rusqlite::Error) -> Option<StorageError> {
        let _ = error;
        None
    }

    /// Its state now, as a text that is later than those before.
    fn bookmark(&self) -> Result<String, StorageError> {
        Err(StorageError::no_history())
    }

    /// Its state at a time, in milliseconds since 1970.
    fn bookmark_at(&self, time: u64) -> LocalBoxFuture<'static, Result<String, StorageError>> {
        let _ = time;
        std::future::ready(Err(StorageError::no_history())).boxed_local()
    }

    /// Has it be as it was at a bookmark when it is opened next, which the future need
    /// not be polled for; tells what undoes that.
    fn restore_next(
        &self,
        bookmark: &str,
    ) -> LocalBoxFuture<'static, Result<String, StorageError>> {
        let _ = bookmark;
        std::future::ready(Err(StorageError::no_history())).boxed_local()
    }

    /// Closes it once its commits are durable.
    fn close(self: Box<Self>) -> LocalBoxFuture<'static, Result<(), StorageError>>;
}

/// Why a database does not open, or lost a commit; the message reaches the script.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct StorageError {
    pub message: String,
}

impl StorageError {
    /// A store that keeps nothing of the past.
    pub fn no_history() -> Self {
        Self {
            message: "This Durable Object's storage back-end does not implement \
                      point-in-time recovery."
                .into(),
        }
    }
}

/// An object in its isolate.
pub(crate) struct Object {
    /// The script's number for it.
    pub(crate) number: u32,
    pub(crate) target: Arc<ObjectTarget>,
    /// The event that its timers and sockets belong to; open as long as it is.
    pub(crate) life: Cell<EventId>,
    /// The script was told of it.
    pub(crate) started: Cell<bool>,
    pub(crate) last_used: Cell<Instant>,
    /// Events that it serves (`Events`).
    pub(crate) open_events: Cell<usize>,
    /// How many of them are how deep (`Event::depth`).
    depths: RefCell<BTreeMap<u32, u32>>,
    database: RefCell<Database>,
    /// Why it ended before its time: the next event finds a new one.
    fault: RefCell<Option<EventError>>,
    /// Its script ended it, and wants the alarm that ran then run no more.
    pub(crate) gives_up_alarm: Cell<bool>,
    /// A transaction ended, or the object did.
    changed: Notify,
    /// The turn that runs has used the database.
    touched: Cell<bool>,
    /// Its database is closed, or it had none.
    closed: Cell<bool>,
    /// How many `blockConcurrencyWhile` run.
    blocked: Cell<u32>,
    /// The isolate's rounds of its event loop, and the first in which something
    /// that the script waits for may come to it.
    round: Rc<Cell<u64>>,
    next_resumed: Cell<u64>,
    /// Whose turn it is to enter; events enter in the order of their arrival.
    queue: Semaphore,
    /// The isolate that it is in.
    home: OnceCell<Weak<Isolate>>,
    pub(crate) facets: Facets,
    /// What is to be durable too, and is in no database of its own.
    owed: RefCell<Option<Durable>>,
    /// Of one that another object has. Behind the database, which is closed before it
    /// has left.
    pub(crate) facet: Option<FacetInstance>,
}

type Durable = Shared<BoxFuture<'static, Result<(), StorageError>>>;

impl Object {
    fn new(
        number: u32,
        target: Arc<ObjectTarget>,
        facet: Option<FacetInstance>,
        signals: Arc<Signals>,
        memory: Rc<SqlMemory>,
        round: Rc<Cell<u64>>,
    ) -> Self {
        Self {
            number,
            target,
            life: Cell::new(0),
            started: Cell::new(false),
            last_used: Cell::new(Instant::now()),
            open_events: Cell::new(0),
            depths: RefCell::default(),
            database: RefCell::new(Database::new(signals, memory)),
            fault: RefCell::default(),
            gives_up_alarm: Cell::new(false),
            changed: Notify::new(),
            touched: Cell::new(false),
            closed: Cell::new(false),
            blocked: Cell::new(0),
            round,
            next_resumed: Cell::new(0),
            queue: Semaphore::new(1),
            home: OnceCell::new(),
            facets: Facets::default(),
            owed: RefCell::default(),
            facet,
        }
    }

    /// It is in this isolate.
    pub(crate) fn lives_in(&self, isolate: &Rc<Isolate>) {
        self.home.get_or_init(|| Rc::downgrade(isolate));
    }

    /// The isolate that it is in.
    pub(crate) fn home(&self) -> Weak<Isolate> {
        self.home.get().cloned().unwrap_or_default()
    }

    /// What leaves the object waits for this too.
    pub(crate) fn owe(&self, durable: BoxFuture<'static, Result<(), StorageError>>) {
        let before = self.owed.borrow_mut().take();
        let both = async move {
            if let Some(before) = before {
                before.await?;
            }
            durable.await
        };
        *self.owed.borrow_mut() = Some(both.boxed().shared());
    }

    /// What it owes, where that is not known to be durable.
    fn owed(&self) -> Option<BoxFuture<'static, Result<(), StorageError>>> {
        let owed = self.owed.borrow();
        let owed = owed
            .as_ref()
            .filter(|owed| !matches!(owed.peek(), Some(Ok(()))))?;
        Some(owed.clone().boxed())
    }

    /// The depth of its deepest event.
    pub(crate) fn depth(&self) -> u32 {
        let depths = self.depths.borrow();
        depths.last_key_value().map_or(0, |(depth, _)| *depth)
    }

    pub(crate) fn entered(&self, depth: u32) {
        *self.depths.borrow_mut().entry(depth).or_default() += 1;
    }

    pub(crate) fn left(&self, depth: u32) {
        let mut depths = self.depths.borrow_mut();
        if let Some(count) = depths.get_mut(&depth) {
            *count -= 1;
            if *count == 0 {
                depths.remove(&depth);
            }
        }
    }

    /// Runs `work` on the database, which is opened where it is not; its writes are
    /// part of the turn's transaction, which the first begins.
    pub(crate) fn database<T>(
        self: &Rc<Self>,
        objects: &Objects,
        host: &Rc<dyn Host>,
        work: impl FnOnce(&mut Database) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        if let Some(fault) = &*self.fault.borrow() {
            let text = fault.to_string();
            let text = text.strip_prefix("Error: ").unwrap_or(&text);
            return Err(DatabaseError::plain(text));
        }
        let mut database = self.database.borrow_mut();
        database.open(|| host.objects().open(&self.target))?;
        if !self.touched.replace(true) {
            objects.touched(self.clone());
        }
        work(&mut database)
    }

    /// Begins a transaction of the script's that may outlast the turn: what was
    /// written before is no part of it.
    pub(crate) fn begin_transaction(
        self: &Rc<Self>,
        objects: &Objects,
        host: &Rc<dyn Host>,
    ) -> Result<(), DatabaseError> {
        if self.database.borrow().in_turn() {
            self.end_turn(false, host);
        }
        self.database(objects, host, Database::savepoint)
    }

    /// Asks something of the database as its host keeps it, where it is open.
    pub(crate) fn storage<T>(&self, ask: impl FnOnce(&dyn ObjectStorage) -> T) -> Option<T> {
        self.database.borrow().storage().map(ask)
    }

    /// A turn ended: what it wrote is a commit, or, where the turn was stopped, was
    /// never written.
    fn end_turn(&self, stopped: bool, host: &Rc<dyn Host>) {
        self.touched.set(false);
        let mut tell = |time, committed| {
            let objects = host.objects();
            objects.alarm_changed(&self.target, time, committed)
        };
        let ended = self.database.borrow_mut().end_turn(stopped, &mut tell);
        if let Err(error) = ended {
            self.ended_by(&error);
        }
        self.changed.notify_waiters();
    }

    /// The output gate: waits until nothing before is at stake any more, but for what
    /// the script lets go unconfirmed.
    pub(crate) async fn durable(&self) -> Result<(), EventError> {
        self.passed(Database::durable).await
    }

    /// Waits until all is durable that was written before.
    pub(crate) async fn settled(&self) -> Result<(), EventError> {
        self.passed(Database::settled).await
    }

    async fn passed(
        &self,
        wait: impl Fn(&Database) -> Option<BoxFuture<'static, Result<(), StorageError>>>,
    ) -> Result<(), EventError> {
        loop {
            let changed = self.changed.notified();
            let (open, durable) = {
                let database = self.database.borrow();
                (database.in_turn(), wait(&database).or_else(|| self.owed()))
            };
            if let Some(fault) = &*self.fault.borrow() {
                return Err(fault.clone());
            }
            if open {
                changed.await;
                continue;
            }
            let Some(durable) = durable else {
                return Ok(());
            };
            if let Err(error) = durable.await {
                self.reset(error.to_string());
            } else if self.owed().is_none() {
                return Ok(());
            }
        }
    }

    /// Whether [`Self::durable`] would wait, or fail.
    pub(crate) fn is_at_stake(&self) -> bool {
        let database = self.database.borrow();
        self.fault.borrow().is_some()
            || database.in_turn()
            || database.durable().is_some()
            || self.owed().is_some()
    }

    /// The input gate: waits until an event may enter, after those before it.
    pub(crate) async fn admitted(&self) -> Result<(), EventError> {
        // It is never closed.
        let _turn = self.queue.acquire().await;
        loop {
            let changed = self.changed.notified();
            if let Some(fault) = &*self.fault.borrow() {
                return Err(fault.clone());
            }
            if self.blocked.get() > 0 {
                changed.await;
            } else if self.is_resuming() {
                // It may begin to block, and what is on its way would come anyway.
                tokio::task::yield_now().await;
            } else {
                return Ok(());
            }
        }
    }

    /// Whether something that the script waits for comes to it in this round.
    pub(crate) fn is_resuming(&self) -> bool {
        self.next_resumed.get() > self.round.get()
    }

    /// Waits while a part of the object's life holds back the rest of it, and while
    /// something else comes to the script: what the loop hands over in one round
    /// runs step by step together, and would interleave where it awaits storage.
    pub(crate) async fn resumed(&self) {
        loop {
            let changed = self.changed.notified();
            if self.fault.borrow().is_some() {
                return;
            }
            if self.blocked.get() > 0 {
                changed.await;
            } else if self.is_resuming() {
                tokio::task::yield_now().await;
            } else {
                self.next_resumed.set(self.round.get() + 1);
                return;
            }
        }
    }

    pub(crate) fn block(&self) {
        self.blocked.set(self.blocked.get() + 1);
    }

    pub(crate) fn unblock(&self) {
        self.blocked.set(self.blocked.get().saturating_sub(1));
        self.changed.notify_waiters();
    }

    /// The script is done with it: `ctx.abort`, a constructor that threw.
    pub(crate) fn abort(&self, message: String) {
        let mut error = ScriptError::plain(message);
        error.resets_object = true;
        self.break_with(EventError::Exception(error));
    }

    /// Ends it where an error of its database says so.
    pub(crate) fn ended_by(&self, error: &DatabaseError) {
        match error.effect {
            Effect::None => {}
            Effect::Undone => self.abort(format!("Error: {error}")),
            Effect::Fatal => self.reset(error.to_string()),
        }
    }

    /// What it holds in memory is no longer what its database has.
    pub(crate) fn reset(&self, reason: String) {
        self.break_with(EventError::ObjectReset { reason });
    }

    pub(crate) fn break_with(&self, fault: EventError) {
        // What it held in memory its sockets are a part of.
        if !facet_left(&fault)
            && let Some(home) = self.home().upgrade()
        {
            home.cut_sockets(&self.target);
        }
        self.give_up(fault);
    }

    /// Ends it for another to have its database and its sockets.
    pub(crate) fn hand_over(&self, reason: String) {
        self.give_up(EventError::ObjectReset { reason });
    }

    fn give_up(&self, fault: EventError) {
        if let Some(facet) = &self.facet {
            facet.start.presence.end(fault.clone());
        }
        self.fault.borrow_mut().get_or_insert(fault);
        // What was not committed never will be.
        let mut untold = |_time, _committed| Ok(());
        let _ = self.database.borrow_mut().end_turn(true, &mut untold);
        self.changed.notify_waiters();
    }

    pub(crate) fn fault(&self) -> Option<EventError> {
        self.fault.borrow().clone()
    }

    /// Waits until it has ended before its time, and tells why.
    pub(crate) async fn broken(&self) -> EventError {
        loop {
            let changed = self.changed.notified();
            if let Some(fault) = self.fault() {
                return fault;
            }
            changed.await;
        }
    }

    /// Waits until another may open its database.
    pub(crate) async fn closed(&self) {
        loop {
            let changed = self.changed.notified();
            if self.closed.get() {
                return;
            }
            changed.await;
        }
    }

    pub(crate) fn set_closed(&self) {
        self.closed.set(true);
        if let Some(facet) = &self.facet {
            facet.leave();
        }
        self.changed.notify_waiters();
    }

    /// Gives up the database.
    pub(crate) fn take_storage(&self) -> Option<Box<dyn ObjectStorage>> {
        self.database.borrow_mut().take()
    }
}
