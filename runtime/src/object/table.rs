//! The objects that an isolate has in memory.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::{FacetInstance, Object, ObjectId, ObjectTarget, SqlMemory};
use crate::host::Host;
use crate::watchdog::Signals;

/// A class's key and an id: who an object is, whatever its caller calls it.
pub(super) type Key = (String, ObjectId);

pub(super) fn key(target: &ObjectTarget) -> Key {
    (target.namespace.key.clone(), target.id)
}

#[derive(Default)]
pub(crate) struct Objects {
    by_key: RefCell<HashMap<Key, Rc<Object>>>,
    by_number: RefCell<HashMap<u32, Rc<Object>>>,
    last: Cell<u32>,
    /// Those that have left, and whose databases have yet to be closed.
    closing: RefCell<HashMap<Key, Rc<Object>>>,
    /// Counts the rounds of the event loop.
    round: Rc<Cell<u64>>,
    /// Those that were idle for longest when they were last looked for, and since when.
    idlest: RefCell<VecDeque<(u32, Instant)>>,
    /// The newest that there was then.
    looked_at: Cell<u32>,
    /// Those whose databases the turn that runs has touched.
    touched: RefCell<Vec<Rc<Object>>>,
    sql_memory: Rc<SqlMemory>,
}

impl Objects {
    /// The object, new where it is not in memory.
    pub(crate) fn get_or_insert(
        &self,
        target: &Arc<ObjectTarget>,
        facet: Option<FacetInstance>,
        signals: &Arc<Signals>,
    ) -> Rc<Object> {
        let mut by_key = self.by_key.borrow_mut();
        let object = by_key.entry(key(target)).or_insert_with(|| {
            // Numbers are small integers for V8; so many objects at once have no room.
            let mut by_number = self.by_number.borrow_mut();
            let mut number = self.last.get();
            loop {
                number = (number + 1) & 0x3fff_ffff;
                if number != 0 && !by_number.contains_key(&number) {
                    break;
                }
            }
            self.last.set(number);
            let object = Rc::new(Object::new(
                number,
                target.clone(),
                facet,
                signals.clone(),
                self.sql_memory.clone(),
                self.round.clone(),
            ));
            by_number.insert(number, object.clone());
            object
        });
        object.clone()
    }

    pub(crate) fn find(&self, target: &ObjectTarget) -> Option<Rc<Object>> {
        self.by_key.borrow().get(&key(target)).cloned()
    }

    pub(crate) fn get(&self, number: u32) -> Option<Rc<Object>> {
        self.by_number.borrow().get(&number).cloned()
    }

    /// No events any more; it counts as closing until [`Self::closed`].
    pub(crate) fn remove(&self, object: &Rc<Object>) {
        self.by_number.borrow_mut().remove(&object.number);
        let key = key(&object.target);
        self.by_key.borrow_mut().remove(&key);
        self.closing.borrow_mut().insert(key, object.clone());
    }

    pub(crate) fn closed(&self, object: &Rc<Object>) {
        self.closing.borrow_mut().remove(&key(&object.target));
        object.set_closed();
    }

    /// The object that has the database and will give it up.
    pub(crate) fn closing(&self, target: &ObjectTarget) -> Option<Rc<Object>> {
        self.closing.borrow().get(&key(target)).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Rc<Object>> {
        self.by_key.borrow().values().cloned().collect()
    }

    /// The next of those that are idle for longest, of which `some` are looked for at a
    /// time, and not before as many are new.
    pub(crate) fn next_idlest(
        &self,
        some: usize,
        is_idle: impl Fn(&Rc<Object>) -> bool,
    ) -> Option<Rc<Object>> {
        let mut idlest = self.idlest.borrow_mut();
        let is_new = self.last.get().wrapping_sub(self.looked_at.get()) as usize >= some;
        if idlest.is_empty() && is_new {
            self.looked_at.set(self.last.get());
            let mut idle = self.all();
            idle.retain(&is_idle);
            idle.sort_unstable_by_key(|object| object.last_used.get());
            let found = idle.iter().take(some);
            idlest.extend(found.map(|object| (object.number, object.last_used.get())));
        }
        while let Some((number, last_used)) = idlest.pop_front() {
            let object = self.get(number);
            let still_idle =
                |object: &Rc<Object>| object.last_used.get() == last_used && is_idle(object);
            if let Some(object) = object.filter(still_idle) {
                return Some(object);
            }
        }
        None
    }

    /// Those of some namespaces.
    pub(crate) fn of(&self, keys: &[String]) -> Vec<Rc<Object>> {
        among(&self.by_key.borrow(), keys)
    }

    /// The same of those whose databases have yet to be closed.
    pub(crate) fn closing_of(&self, keys: &[String]) -> Vec<Rc<Object>> {
        among(&self.closing.borrow(), keys)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_key.borrow().len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_key.borrow().is_empty()
    }

    /// Whether there is none, and none that has yet to be closed.
    pub(crate) fn is_vacant(&self) -> bool {
        self.is_empty() && self.closing.borrow().is_empty()
    }

    /// A round of the event loop is over, with all that its results led to.
    pub(crate) fn end_round(&self) {
        self.round.set(self.round.get() + 1);
    }

    pub(super) fn touched(&self, object: Rc<Object>) {
        self.touched.borrow_mut().push(object);
    }

    /// Ends the transactions of a turn; of one that was `stopped` nothing stays.
    pub(crate) fn end_turn(&self, stopped: bool, host: &Rc<dyn Host>) {
        if self.touched.borrow().is_empty() {
            return;
        }
        let touched = std::mem::take(&mut *self.touched.borrow_mut());
        for object in touched {
            object.end_turn(stopped, host);
        }
    }
}

fn among(objects: &HashMap<Key, Rc<Object>>, keys: &[String]) -> Vec<Rc<Object>> {
    let wanted = objects.iter().filter(|((key, _), _)| keys.contains(key));
    wanted.map(|(_, object)| object.clone()).collect()
}
