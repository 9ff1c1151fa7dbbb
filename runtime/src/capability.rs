//! What workers pass on to one another for good: values, and in them services and
//! objects. Unlike what a call carries, it outlives the event that passed it.

pub(crate) mod kept;
mod restored;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

pub(crate) use self::restored::{Restored, RestoredKind, Way};
use crate::binding::ServiceTarget;
use crate::dynamic::Dynamic;
use crate::entrypoint::Entrypoint;
use crate::object::{FacetStub, ObjectTarget};

/// What whoever holds it may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Capability {
    Service(Arc<ServiceTarget>),
    Object(Arc<ObjectTarget>),
    /// A class of a worker's that is deployed, for facets.
    Class(Arc<ServiceTarget>),
    /// What somebody's `[restore]` method makes.
    Restored(Arc<Restored>),
}

/// A value as V8 clones it, and the capabilities that are in it by number.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    pub(crate) bytes: Vec<u8>,
    pub(crate) capabilities: Vec<Capability>,
}

impl fmt::Debug for Parcel {
    // Not derived: the value may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel")
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// What a script holds by a number of the host's.
#[derive(Clone)]
pub(crate) enum Grant {
    Capability(Capability),
    /// A worker that it loads.
    Dynamic(Rc<Dynamic>),
    /// An export of one.
    Entrypoint(Rc<Dynamic>, Entrypoint),
    Class(Class),
    /// An export of the worker itself, which another loads.
    Own(Entrypoint),
    /// What an object has.
    Facet(Rc<FacetStub>),
    /// How something is called that a `[restore]` method made.
    Way(Rc<Way>),
}

/// A class that facets may have.
#[derive(Clone)]
pub(crate) enum Class {
    /// Of the worker itself, which another loads.
    Own(Entrypoint),
    /// Of a worker that is deployed.
    Service(Arc<ServiceTarget>),
    /// Of one that the script loads.
    Dynamic(Rc<Dynamic>, Entrypoint),
}

/// The grants of one isolate. Each is there until the script's handle on it is
/// collected.
#[derive(Default)]
pub(crate) struct Grants {
    held: RefCell<HashMap<i32, Grant>>,
    last: Cell<i32>,
}

impl Grants {
    /// The first number: those below are places in a worker's list of bindings.
    const FIRST: i32 = 1 << 24;
    /// The largest small integer of a V8 with compressed pointers.
    const LAST: i32 = (1 << 30) - 1;

    pub(crate) fn is_one(number: i32) -> bool {
        number >= Self::FIRST
    }

    pub(crate) fn add(&self, grant: Grant) -> i32 {
        let mut held = self.held.borrow_mut();
        let mut number = self.last.get();
        loop {
            number = if (Self::FIRST..Self::LAST).contains(&number) {
                number + 1
            } else {
                Self::FIRST
            };
            if !held.contains_key(&number) {
                break;
            }
        }
        self.last.set(number);
        held.insert(number, grant);
        number
    }

    pub(crate) fn get(&self, number: i32) -> Option<Grant> {
        self.held.borrow().get(&number).cloned()
    }

    pub(crate) fn remove(&self, number: i32) {
        // The grant itself is dropped when the table is free again.
        let removed = self.held.borrow_mut().remove(&number);
        drop(removed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> Grant {
        Grant::Capability(Capability::Service(Arc::new(ServiceTarget {
            service: "a".into(),
            entrypoint: Entrypoint::default(),
        })))
    }

    #[test]
    fn a_number_is_free_again_when_its_grant_is_removed() {
        let grants = Grants::default();
        let (one, two) = (grants.add(grant()), grants.add(grant()));
        assert!(one != two && Grants::is_one(one) && Grants::is_one(two));
        grants.remove(one);
        assert!(grants.get(one).is_none() && grants.get(two).is_some());
        // Numbers come round in the end.
        grants.last.set(Grants::LAST);
        assert_eq!(grants.add(grant()), one);
    }
}
