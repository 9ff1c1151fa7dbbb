//! Objects that have an isolate to themselves: their isolates end with them, and the
//! lane is then free for others.

use std::rc::Weak;
use std::sync::Arc;

use super::{HOUSEKEEPING, LaneLocal, Slot};
use crate::object::ObjectTarget;
use crate::worker::{ObjectIsolation, Worker};

/// An object that came to this lane, and a version for its isolate alone.
pub(super) struct Guest {
    worker: Arc<Worker>,
    target: Arc<ObjectTarget>,
}

impl LaneLocal {
    /// Notes an object that comes to this lane with an isolate to itself.
    pub(super) fn admit_guest(&self, worker: &Arc<Worker>, target: &Arc<ObjectTarget>) {
        if worker.objects != ObjectIsolation::Each {
            return;
        }
        let mut guests = self.guests.borrow_mut();
        if guests.iter().all(|guest| guest.worker.id != worker.id) {
            guests.push(Guest {
                worker: worker.clone(),
                target: target.clone(),
            });
        }
    }

    /// Ends the isolates whose objects have left memory. The lane goes on to have an
    /// object whose sockets it holds: they hibernate where they are.
    pub(super) fn see_off_guests(&self) {
        let guests = std::mem::take(&mut *self.guests.borrow_mut());
        let staying: Vec<_> = guests
            .into_iter()
            .filter(|guest| !self.has_left(guest))
            .collect();
        self.guests.borrow_mut().extend(staying);
    }

    fn has_left(&self, guest: &Guest) -> bool {
        let is_here = match self.slots.borrow().get(&guest.worker.id) {
            Some(Slot::Starting(_)) => true,
            // What it was started for may not have entered it yet.
            Some(Slot::Live(isolate)) if isolate.last_used().elapsed() < HOUSEKEEPING => true,
            Some(Slot::Live(isolate)) => !isolate.is_lost() && !isolate.is_vacant(),
            Some(Slot::Failed(..)) | None => false,
        };
        if is_here {
            return false;
        }
        if self.slots.borrow().contains_key(&guest.worker.id) {
            tracing::debug!(worker = guest.worker.name(), id = %guest.target.id, "an object's isolate ends");
            self.retire(&guest.worker);
        }
        let replaced = self.replaced.borrow();
        let mut leaving = replaced.iter().filter_map(Weak::upgrade);
        leaving.all(|isolate| isolate.leaving_object(&guest.target).is_none())
            && !self.sockets.has(&guest.target)
            && self.host.objects().left(&guest.worker, &guest.target)
    }
}
