//! Durable objects: their ids, their gates, and keys and values. SQL is next door.

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::convert::Uint8Array;
use deno_core::{FromV8, JsBuffer, OpState, ToV8, op2, v8};
use deno_error::JsErrorBox;
use futures::FutureExt;
use futures::future::LocalBoxFuture;

use super::Shared;
use super::facet::{delete_all, refuse_alarm};
use crate::binding::Binding;
use crate::event::{Event, EventId, Outcome};
use crate::object::{
    AlarmTime, Confirmed, Database, DatabaseError, KeyRange, Object, ObjectId, ObjectNamespace,
    ObjectStorage, StorageError,
};

/// What a script sees of an object that is gone.
fn gone() -> JsErrorBox {
    JsErrorBox::generic("This Durable Object has ended.")
}

pub(super) fn find(shared: &Shared, number: u32) -> Result<Rc<Object>, JsErrorBox> {
    shared.objects.get(number).ok_or_else(gone)
}

/// Runs `work` on an object's database.
pub(super) fn database<T>(
    shared: &Shared,
    number: u32,
    work: impl FnOnce(&mut Database) -> Result<T, DatabaseError>,
) -> Result<T, JsErrorBox> {
    let object = find(shared, number)?;
    let done = object.database(&shared.objects, &shared.host, work);
    done.map_err(|error| thrown(&object, error))
}

/// What the script catches; after some errors its object is no more.
fn thrown(object: &Object, error: DatabaseError) -> JsErrorBox {
    object.ended_by(&error);
    JsErrorBox::generic(error.to_string())
}

fn namespace(state: &OpState, binding: u32) -> Result<std::sync::Arc<ObjectNamespace>, JsErrorBox> {
    let worker = state.borrow::<Rc<Shared>>().worker();
    let found = worker.and_then(|worker| match worker.bindings.get(binding as usize)? {
        (_, Binding::Objects(namespace)) => Some(namespace.clone()),
        _ => None,
    });
    found.ok_or_else(|| JsErrorBox::range_error("no such namespace"))
}

/// The number of a class that the worker itself has; -1 of one that it has not.
#[op2(fast)]
#[smi]
pub(crate) fn op_object_class(state: &mut OpState, #[string] class: &str) -> i32 {
    let Some(worker) = state.borrow::<Rc<Shared>>().worker() else {
        return -1;
    };
    let is_own = |(_, binding): &(String, Binding)| matches!(binding, Binding::Objects(namespace) if namespace.class == class && namespace.service == worker.name);
    let found = worker.bindings.iter().position(is_own);
    found
        .and_then(|index| i32::try_from(index).ok())
        .unwrap_or(-1)
}

#[op2]
#[string]
pub(crate) fn op_object_id_named(
    state: &mut OpState,
    #[smi] binding: u32,
    #[string] name: &str,
) -> Result<String, JsErrorBox> {
    let namespace = namespace(state, binding)?;
    Ok(ObjectId::from_name(&namespace.key, name).to_string())
}

#[op2]
#[string]
pub(crate) fn op_object_id_unique(
    state: &mut OpState,
    #[smi] binding: u32,
) -> Result<String, JsErrorBox> {
    let namespace = namespace(state, binding)?;
    ObjectId::unique(&namespace.key)
        .map(|id| id.to_string())
        .map_err(|error| JsErrorBox::generic(format!("no randomness: {error}")))
}

/// The id as it is written, where the text is one of the namespace's.
#[op2]
#[string]
pub(crate) fn op_object_id_parse(
    state: &mut OpState,
    #[smi] binding: u32,
    #[string] text: &str,
) -> Result<String, JsErrorBox> {
    let namespace = namespace(state, binding)?;
    ObjectId::parse(&namespace.key, text)
        .map(|id| id.to_string())
        .map_err(|error| JsErrorBox::type_error(error.to_string()))
}

/// Closes the input gate; gives the event of what may go on meanwhile.
#[op2(fast)]
#[smi]
pub(crate) fn op_object_block(
    state: &mut OpState,
    #[smi] number: u32,
) -> Result<EventId, JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>();
    let object = find(shared, number)?;
    let life = shared.events.get(object.life.get()).ok_or_else(gone)?;
    object.block();
    Ok(shared.events.insert(Event::section(object, life)))
}

#[op2(fast)]
pub(crate) fn op_object_unblock(state: &mut OpState, #[smi] number: u32) {
    if let Ok(object) = find(state.borrow::<Rc<Shared>>(), number) {
        object.unblock();
    }
}

/// Whether a result comes to the script in this round of the loop: a timer must
/// not begin what would hold it back.
#[op2(fast)]
pub(crate) fn op_object_resuming(state: &mut OpState, #[smi] number: u32) -> bool {
    find(state.borrow::<Rc<Shared>>(), number).is_ok_and(|object| object.is_resuming())
}

/// Waits until what came may come to the event: an object's input gate may be closed.
#[op2]
pub(crate) async fn op_object_resumed(state: Rc<RefCell<OpState>>, #[smi] event: EventId) {
    let shared = Shared::of(&state);
    let gate = shared.events.get(event).and_then(|event| event.gate());
    if let Some(gate) = gate {
        gate.resumed().await;
    }
}

/// Ends the object before its time; `error` is what its callers see. An alarm that runs
/// comes again where it `retries`.
#[op2(fast)]
pub(crate) fn op_object_abort<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] number: u32,
    error: v8::Local<'a, v8::Value>,
    log: bool,
    retries: bool,
) {
    let shared = Shared::of(&state);
    let Ok(object) = find(&shared, number) else {
        return;
    };
    if !retries {
        object.gives_up_alarm.set(true);
    }
    let message = if log {
        let id = object.life.get();
        shared.uncaught(scope, id, error).message
    } else {
        deno_core::error::JsError::from_v8_exception(scope, error).exception_message
    };
    let message = message.strip_prefix("Uncaught ").unwrap_or(&message);
    object.abort(message.to_string());
    fail_events(&shared, &object);
}

/// Nobody waits for what a broken object will not do any more.
pub(super) fn fail_events(shared: &Shared, object: &Rc<Object>) {
    let Some(fault) = object.fault() else {
        return;
    };
    for event in shared.events.of(object) {
        event.settle(Outcome::Failed(fault.clone()));
    }
    if let Some(isolate) = object.home().upgrade() {
        // Its sockets close at once, and who has a facet may start it anew, not when it is
        // next called.
        let target = object.target.clone();
        deno_core::unsync::spawn(async move { isolate.end_broken(&target) });
    }
}

/// Resolves when what the object wrote is durable.
#[op2]
pub(crate) async fn op_object_sync(
    state: Rc<RefCell<OpState>>,
    #[smi] number: u32,
    #[smi] event: EventId,
) -> Result<(), JsErrorBox> {
    let shared = Shared::of(&state);
    let object = find(&shared, number)?;
    let gate = shared.events.get(event).and_then(|event| event.gate());
    object
        .settled()
        .await
        .map_err(|error| JsErrorBox::generic(error.to_string()))?;
    if let Some(gate) = gate {
        gate.resumed().await;
    }
    Ok(())
}

/// Asks an object's storage, and gives the script the answer in its turn.
async fn asked(
    shared: &Shared,
    object: &Object,
    event: EventId,
    ask: impl FnOnce(&dyn ObjectStorage) -> LocalBoxFuture<'static, Result<String, StorageError>>,
) -> Result<String, JsErrorBox> {
    let gate = shared.events.get(event).and_then(|event| event.gate());
    let told = object.storage(ask).ok_or_else(gone)?.await;
    if let Some(gate) = gate {
        gate.resumed().await;
    }
    told.map_err(|error| JsErrorBox::generic(error.to_string()))
}

/// An object whose database is open.
fn opened(shared: &Shared, number: u32) -> Result<Rc<Object>, JsErrorBox> {
    database(shared, number, |_| Ok(()))?;
    find(shared, number)
}

/// The object's state when the turn has ended.
#[op2]
#[string]
pub(crate) async fn op_object_bookmark(
    state: Rc<RefCell<OpState>>,
    #[smi] number: u32,
    #[smi] event: EventId,
) -> Result<String, JsErrorBox> {
    let shared = Shared::of(&state);
    let object = opened(&shared, number)?;
    let settled = object.settled().await;
    settled.map_err(|error| JsErrorBox::generic(error.to_string()))?;
    asked(&shared, &object, event, |storage| {
        std::future::ready(storage.bookmark()).boxed_local()
    })
    .await
}

/// Its state at a time.
#[op2]
#[string]
pub(crate) async fn op_object_bookmark_at(
    state: Rc<RefCell<OpState>>,
    #[smi] number: u32,
    #[smi] event: EventId,
    time: f64,
) -> Result<String, JsErrorBox> {
    let shared = Shared::of(&state);
    let object = opened(&shared, number)?;
    // Before 1970 there was nothing.
    let time = time as u64;
    asked(&shared, &object, event, |storage| storage.bookmark_at(time)).await
}

/// Has the object be as it was when it begins next.
#[op2]
#[string]
pub(crate) async fn op_object_restore_next(
    state: Rc<RefCell<OpState>>,
    #[smi] number: u32,
    #[smi] event: EventId,
    #[string] bookmark: String,
) -> Result<String, JsErrorBox> {
    let shared = Shared::of(&state);
    let object = opened(&shared, number)?;
    asked(&shared, &object, event, |storage| {
        storage.restore_next(&bookmark)
    })
    .await
}

/// Bytes in the object's database.
#[op2(fast)]
pub(crate) fn op_object_size(state: &mut OpState, #[smi] number: u32) -> Result<f64, JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    Ok(database(&shared, number, Database::size)? as f64)
}

const KEEP: u32 = 1;
const BEGIN_LONG: u32 = 3;
const KEEP_SYNC: u32 = 4;
const UNDO_SYNC: u32 = 5;

/// `how`: 0 begins a transaction within the turn's, 1 keeps it, 2 undoes it, 3
/// begins one that may outlast the turn; 4 keeps and 5 undoes one that did not.
#[op2(fast)]
pub(crate) fn op_object_transaction(
    state: &mut OpState,
    #[smi] number: u32,
    #[smi] how: u32,
) -> Result<(), JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    if how == BEGIN_LONG {
        let object = find(&shared, number)?;
        let begun = object.begin_transaction(&shared.objects, &shared.host);
        return begun.map_err(|error| thrown(&object, error));
    }
    let is_sync = matches!(how, KEEP_SYNC | UNDO_SYNC);
    if is_sync && find(&shared, number)?.fault().is_some() {
        return match how {
            // What made the script throw says more.
            UNDO_SYNC => Ok(()),
            _ => Err(JsErrorBox::generic(
                "Cannot commit transaction due to an earlier SQL critical error",
            )),
        };
    }
    database(&shared, number, |database| match how {
        0 => database.savepoint(),
        KEEP | KEEP_SYNC => database.end_savepoint(true),
        _ => database.end_savepoint(false),
    })
}

#[op2]
pub(crate) fn op_object_get(
    state: &mut OpState,
    #[smi] number: u32,
    #[string] key: &str,
) -> Result<Option<Uint8Array>, JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    let value = database(&shared, number, |database| database.get_key(key))?;
    Ok(value.map(Into::into))
}

#[op2]
pub(crate) fn op_object_put(
    state: &mut OpState,
    #[smi] number: u32,
    #[string] key: &str,
    #[buffer] value: JsBuffer,
    unconfirmed: bool,
) -> Result<(), JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    database(&shared, number, |database| {
        database.write(Confirmed::unless(unconfirmed));
        database.put_key(key, &value)
    })
}

#[op2(fast)]
pub(crate) fn op_object_delete(
    state: &mut OpState,
    #[smi] number: u32,
    #[string] key: &str,
    unconfirmed: bool,
) -> Result<bool, JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    database(&shared, number, |database| {
        database.write(Confirmed::unless(unconfirmed));
        database.delete_key(key)
    })
}

#[op2(fast)]
pub(crate) fn op_object_delete_all(
    state: &mut OpState,
    #[smi] number: u32,
    alarm: bool,
    unconfirmed: bool,
) -> Result<(), JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    database(&shared, number, |database| {
        database.write(Confirmed::unless(unconfirmed));
        database.delete_all(alarm)
    })?;
    delete_all(&shared, &find(&shared, number)?)
}

/// The alarm's time in milliseconds since 1970; -1 where there is none.
#[op2(fast)]
pub(crate) fn op_object_alarm(state: &mut OpState, #[smi] number: u32) -> Result<f64, JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    let time = database(&shared, number, Database::alarm)?;
    Ok(time.map_or(-1.0, |time| time as f64))
}

/// A negative `time` takes the alarm away.
#[op2(fast)]
pub(crate) fn op_object_set_alarm(
    state: &mut OpState,
    #[smi] number: u32,
    time: f64,
    unconfirmed: bool,
) -> Result<(), JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    let time = (time >= 0.0).then_some(time as AlarmTime);
    let object = find(&shared, number)?;
    if time.is_some() && object.facet.is_some() {
        // As Workers have it, that is its end.
        return Err(refuse_alarm(&shared, &object));
    }
    database(&shared, number, |database| {
        database.write(Confirmed::unless(unconfirmed));
        database.set_alarm(time)
    })
}

/// Options of `list()`, as the script hands them over.
#[derive(FromV8)]
pub(crate) struct ListOptions {
    start: Option<String>,
    start_after: Option<String>,
    end: Option<String>,
    prefix: Option<String>,
    limit: Option<u32>,
    reverse: bool,
}

/// A key and its value.
#[derive(ToV8)]
pub(crate) struct Entry {
    key: String,
    value: Uint8Array,
}

/// Entries, and whether there are more behind them.
#[derive(ToV8)]
pub(crate) struct Entries {
    entries: Vec<Entry>,
    goes_on: bool,
}

#[op2]
pub(crate) fn op_object_list(
    state: &mut OpState,
    #[smi] number: u32,
    #[scoped] options: ListOptions,
) -> Result<Entries, JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    let range = KeyRange {
        start: options.start,
        start_after: options.start_after,
        end: options.end,
        prefix: options.prefix.unwrap_or_default(),
        limit: options.limit,
        reverse: options.reverse,
    };
    let listed = database(&shared, number, |database| database.list_keys(&range))?;
    let entries = listed.entries.into_iter().map(|(key, value)| Entry {
        key,
        value: value.into(),
    });
    Ok(Entries {
        entries: entries.collect(),
        goes_on: listed.goes_on,
    })
}
