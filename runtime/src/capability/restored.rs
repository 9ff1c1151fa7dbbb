//! What a worker's `[restore]` method makes anew whenever it is called for
//! (`js/restored.js`): it is known by who makes it and of what, and so outlives whoever
//! has made it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Capability, Parcel};

/// Something that a `[restore]` method makes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Restored {
    /// Whose method it is: a worker's, an object's, or that of what is itself made so.
    pub(crate) by: Capability,
    /// The method's argument.
    pub(crate) params: Arc<Parcel>,
    pub(crate) kind: RestoredKind,
    /// How many methods are called for it.
    steps: usize,
}

/// What a `[restore]` method gave first: it has to give the same again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RestoredKind {
    /// A service or an object.
    Service,
    /// A stub of something of the worker's own.
    Stub,
}

/// It would take too many methods to make it.
#[derive(Debug, thiserror::Error)]
#[error(
    "ctx.restore() was used within what it made more than {} times.",
    Restored::MOST_STEPS
)]
pub(crate) struct TooManySteps;

impl Restored {
    /// Each step is a call of one worker by another, of which there may be 32.
    const MOST_STEPS: usize = 16;

    pub(crate) fn new(
        by: Capability,
        params: Arc<Parcel>,
        kind: RestoredKind,
    ) -> Result<Arc<Self>, TooManySteps> {
        let steps = match &by {
            Capability::Restored(by) => by.steps + 1,
            _ => 1,
        };
        if steps > Self::MOST_STEPS {
            return Err(TooManySteps);
        }
        Ok(Arc::new(Self {
            by,
            params,
            kind,
            steps,
        }))
    }

    /// Who is called first, and what is to be made one after the other.
    pub(crate) fn way(self: &Arc<Self>) -> (Capability, Way) {
        let mut steps = VecDeque::from([self.clone()]);
        loop {
            match &steps[0].by {
                Capability::Restored(before) => steps.push_front(before.clone()),
                first => {
                    let way = Way {
                        callee: None,
                        steps: steps.clone(),
                    };
                    return (first.clone(), way);
                }
            }
        }
    }
}

/// Of a session of calls: what is to be made before it is with anything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Way {
    /// What is called, where it is known by how it was made alone.
    pub(crate) callee: Option<Arc<Restored>>,
    /// What is still to be made; the first by what is called.
    pub(crate) steps: VecDeque<Arc<Restored>>,
}

impl Way {
    /// Of a session with `callee`, which was made here.
    pub(crate) fn to(callee: Arc<Restored>) -> Self {
        Self {
            callee: Some(callee),
            steps: VecDeque::new(),
        }
    }

    /// What is to be made next, and the way of a session with it.
    pub(crate) fn next(mut self) -> Option<(Arc<Restored>, Self)> {
        let made = self.steps.pop_front()?;
        self.callee = Some(made.clone());
        Some((made, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::ServiceTarget;
    use crate::entrypoint::Entrypoint;

    #[test]
    fn what_is_made_by_what_was_made_is_called_for_from_the_first() {
        let first = Capability::Service(Arc::new(ServiceTarget {
            service: "a".into(),
            entrypoint: Entrypoint::default(),
        }));
        let params = |n| {
            Arc::new(Parcel {
                bytes: vec![n],
                capabilities: Vec::new(),
            })
        };
        let mut made = Vec::new();
        let mut by = first.clone();
        for n in 0..Restored::MOST_STEPS {
            let one = Restored::new(by, params(n as u8), RestoredKind::Service).expect("few");
            by = Capability::Restored(one.clone());
            made.push(one);
        }
        assert!(Restored::new(by, params(0), RestoredKind::Stub).is_err());
        let (called, mut way) = made[2].way();
        assert_eq!(called, first);
        assert!(way.callee.is_none());
        for one in &made[..3] {
            let (next, rest) = way.next().expect("there is more to make");
            assert_eq!(&next, one);
            assert_eq!(rest.callee.as_ref(), Some(one));
            way = rest;
        }
        assert!(way.next().is_none());
    }
}
