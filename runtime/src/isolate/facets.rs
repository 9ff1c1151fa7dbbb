//! Facets in their isolate: objects that others have.

use std::rc::Rc;
use std::sync::Arc;

use deno_core::v8;

use super::Isolate;
use super::dispatch::{optional, props_of};
use crate::error::EventError;
use crate::event::Outcome;
use crate::object::{
    FacetInstance, FacetPresence, FacetStart, Object, ObjectTarget, ShownId, leave_facet,
};

impl Isolate {
    /// The facet, begun where it is not in memory, as [`Self::object`] does.
    pub(crate) fn facet(
        self: &Rc<Self>,
        start: &Arc<FacetStart>,
    ) -> Result<Rc<Object>, EventError> {
        if let Some(object) = self.shared.objects.find(&start.target) {
            return Ok(object);
        }
        let instance = FacetInstance::enter(start)?;
        Ok(self.begin_object(&start.target, Some(instance)))
    }

    /// The facet, where it is in memory.
    pub(crate) fn facet_here(&self, target: &ObjectTarget) -> Option<Rc<Object>> {
        let object = self.shared.objects.find(target)?;
        object.facet.is_some().then_some(object)
    }

    /// Whether it has something to do that its script does not know of.
    pub(super) fn is_held(&self, object: &Object) -> bool {
        let has_sockets = object.facet.is_some() && self.shared.sockets.are_open(&object.target);
        has_sockets || object.facets.are_there()
    }

    /// An object that is here has ended before its time.
    pub(crate) fn cut_sockets(&self, target: &ObjectTarget) {
        self.shared.sockets.cut(target);
    }

    /// Whoever has the facet has ended it: nothing more of it happens.
    pub(crate) fn break_facet(&self, target: &ObjectTarget, reason: EventError) {
        let Some(object) = self.shared.objects.find(target) else {
            return;
        };
        object.break_with(reason);
        if let Some(fault) = object.fault() {
            for event in self.shared.events.of(&object) {
                event.settle(Outcome::Failed(fault.clone()));
            }
        }
    }

    /// Has an object that is broken leave memory.
    pub(crate) fn end_broken(&self, target: &ObjectTarget) {
        if let Some(object) = self.shared.objects.find(target)
            && object.fault().is_some()
        {
            self.end_object(&object, true);
        }
    }

    /// Breaks those of this isolate that have been ended from elsewhere.
    pub(super) fn notice_ended(object: &Object) {
        let ended = object.facet.as_ref();
        let ended = ended.and_then(|facet| facet.start.presence.ended());
        if let Some(reason) = ended.filter(|_| object.fault().is_none()) {
            object.break_with(reason);
        }
    }

    /// Ends the facets of an object that has ended.
    pub(super) fn end_facets_of(object: &Object) -> Vec<Arc<FacetPresence>> {
        let reason = object.fault().unwrap_or_else(leave_facet);
        object.facets.end_all(&reason)
    }
}

/// What the script is told of an object that begins: its class, its id, the id's name,
/// and of a facet its props and whether its id is any text.
pub(super) fn told<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    object: &Object,
) -> Option<[v8::Local<'a, v8::Value>; 5]> {
    let target = &object.target;
    let undefined = v8::undefined(scope).into();
    let Some(facet) = &object.facet else {
        return Some([
            optional(scope, Some(&target.namespace.class))?,
            optional(scope, Some(&target.id.to_string()))?,
            optional(scope, target.name.as_deref())?,
            undefined,
            undefined,
        ]);
    };
    let class = facet.start.class.name.as_deref().unwrap_or("default");
    let (id, name, is_text) = match &facet.start.id {
        ShownId::Object { hex, name } => (hex, name.as_deref(), false),
        ShownId::Text(text) => (text, None, true),
    };
    let props = match &facet.start.class.props {
        Some(_) => props_of(scope, &facet.start.class)?,
        None => optional(scope, Some("{}"))?,
    };
    Some([
        optional(scope, Some(class))?,
        optional(scope, Some(id))?,
        optional(scope, name)?,
        props,
        v8::Boolean::new(scope, is_text).into(),
    ])
}
