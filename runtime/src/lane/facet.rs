//! Facets of objects, on the lane that has their isolate: the object's own, or that of
//! the worker whose class it is.

use std::rc::{Rc, Weak};
use std::sync::Arc;

use futures::FutureExt;
use http::Request;

use super::call::{AbortOnDrop, ended};
use super::{LaneLocal, LaneRef, Served};
use crate::body::{HostBody, carried};
use crate::error::EventError;
use crate::host::Host;
use crate::isolate::Isolate;
use crate::object::{FacetStart, Object, ObjectTarget};
use crate::rpc::RpcEnd;
use crate::worker::Worker;

/// Whose isolate a facet is in.
pub(crate) enum FacetIsolate {
    /// That of the object that has it.
    Own(Weak<Isolate>),
    /// That of a worker on the lane.
    Of(Arc<Worker>),
}

impl LaneRef {
    /// Ends a facet on this lane, and waits until it is gone.
    pub(crate) async fn end_facet(&self, start: Arc<FacetStart>, reason: EventError) {
        let presence = start.presence.clone();
        let ended = self.ask(move |lane| {
            async move {
                lane.end_facet(&start, &reason);
                Ok(())
            }
            .boxed_local()
        });
        // A lane that has ended has no facets.
        if ended.await.is_ok() {
            presence.gone().await;
        }
    }
}

impl LaneLocal {
    pub(crate) fn host(&self) -> &Rc<dyn Host> {
        &self.host
    }

    /// Serves one request to a facet. As for [`Self::object`], a task of its own enters
    /// the isolate, and the answer leaves once what the facet wrote is durable.
    ///
    /// Dropping the future abandons the request.
    pub(crate) async fn facet(
        self: Rc<Self>,
        of: FacetIsolate,
        start: Arc<FacetStart>,
        request: Request<HostBody>,
    ) -> Result<Served<HostBody>, EventError> {
        let task = deno_core::unsync::spawn(async move {
            let (isolate, object) = self.enter_facet(of, &start).await?;
            let answer = isolate.call_object(&object, request)?;
            let outcome = self.outcome(isolate.worker(), answer).await;
            object.durable().await?;
            Served::of(outcome, |body| carried(body, Some(object)))
        });
        let _abandon = AbortOnDrop(task.abort_handle());
        // It ends otherwise only with the lane.
        task.await.unwrap_or(Err(EventError::Hung))
    }

    /// Runs a session of calls with a facet, until it ends.
    pub(crate) async fn facet_rpc(
        self: Rc<Self>,
        of: FacetIsolate,
        start: Arc<FacetStart>,
        called: RpcEnd,
    ) -> Result<(), EventError> {
        let task = deno_core::unsync::spawn(async move {
            let (isolate, object) = self.enter_facet(of, &start).await?;
            if called.is_ended() {
                return Ok(());
            }
            let answer = isolate.call_object_rpc(&object, called)?;
            ended(answer.await)
        });
        // It ends otherwise only with the lane.
        task.await.unwrap_or(Err(EventError::Hung))
    }

    /// Waits until an event may begin in a facet, and brings it into memory.
    async fn enter_facet(
        self: &Rc<Self>,
        of: FacetIsolate,
        start: &Arc<FacetStart>,
    ) -> Result<(Rc<Isolate>, Rc<Object>), EventError> {
        let isolate = match of {
            FacetIsolate::Own(isolate) => isolate.upgrade().ok_or_else(lost)?,
            FacetIsolate::Of(worker) => self.isolate(&worker).await?,
        };
        if isolate.is_lost() {
            return Err(lost());
        }
        let target = &start.target;
        self.object_is_free(&isolate, target).await;
        if isolate.is_new_object(target)
            && let Some(ready) = isolate.object_is_ready(target)
        {
            ready.await.map_err(|error| EventError::ObjectReset {
                reason: error.to_string(),
            })?;
        }
        let object = isolate.facet(start)?;
        object.admitted().await?;
        Ok((isolate, object))
    }

    /// A facet that is in memory on this lane; waits until an event may begin in it.
    pub(super) async fn facet_here(
        &self,
        target: &ObjectTarget,
    ) -> Result<(Rc<Isolate>, Rc<Object>), EventError> {
        let mut isolates = self.isolates().into_iter();
        let here = isolates.find_map(|isolate| {
            let object = isolate.facet_here(target)?;
            Some((isolate, object))
        });
        let (isolate, object) = here.ok_or_else(lost)?;
        object.admitted().await?;
        Ok((isolate, object))
    }

    /// Those that serve, and those that are replaced and have objects.
    fn isolates(&self) -> Vec<Rc<Isolate>> {
        let mut isolates = self.live();
        isolates.extend(self.replaced.borrow().iter().filter_map(Weak::upgrade));
        isolates
    }

    /// Ends a facet in whichever isolate of the lane it is.
    pub(crate) fn end_facet(&self, start: &FacetStart, reason: &EventError) {
        for isolate in self.isolates() {
            isolate.break_facet(&start.target, reason.clone());
            isolate.end_broken(&start.target);
        }
    }
}

fn lost() -> EventError {
    EventError::IsolateLost {
        reason: "the isolate of the object that has the facet has ended".into(),
    }
}
