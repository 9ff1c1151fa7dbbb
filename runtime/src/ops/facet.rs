//! `ctx.facets`, and the classes that facets have (`js/facets.js`).

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use deno_core::error::JsError;
use deno_core::{OpState, Resource, ResourceId, op2, v8};
use deno_error::JsErrorBox;

use super::Shared;
use super::object::{fail_events, find};
use super::parcel::{GrantHandle, ParcelHandle};
use super::service::Route;
use super::worker_loader::export;
use crate::binding::ServiceTarget;
use crate::capability::{Capability, Class, Grant};
use crate::dynamic::LoadFault;
use crate::entrypoint::{Entrypoint, Props};
use crate::error::{EventError, ScriptError};
use crate::event::EventId;
use crate::object::{Facet, FacetStart, FacetStub, MOST_DEPTH, Object, Place, ShownId, facet_gone};

/// The longest name, in bytes.
const LONGEST_NAME: usize = 256;

/// A facet that the script is asked about. Ends with the event that asked for it.
struct StartingResource {
    event: EventId,
    stub: Rc<FacetStub>,
    facet: Cell<Option<Rc<Facet>>>,
}

impl Resource for StartingResource {
    fn name(&self) -> Cow<'_, str> {
        "startingFacet".into()
    }

    fn close(self: Rc<Self>) {
        if let Some(facet) = self.facet.take() {
            facet.failed(LoadFault {
                class: "Error".into(),
                message: "The request which initiated this facet startup has already completed."
                    .into(),
            });
        }
    }
}

fn check_name(name: &str) -> Result<(), JsErrorBox> {
    if name.len() > LONGEST_NAME {
        return Err(JsErrorBox::type_error(format!(
            "Facet name is too long (max {LONGEST_NAME} characters)."
        )));
    }
    Ok(())
}

/// `[number, handle]` of an object's facet, which is started when it is first called.
#[op2]
pub(crate) fn op_facet_stub<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] object: u32,
    #[string] name: String,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    check_name(&name)?;
    let shared = Shared::of(&state);
    let parent = find(&shared, object)?;
    if parent.facet_depth() + 1 >= MOST_DEPTH {
        return Err(JsErrorBox::generic(format!(
            "Facet nesting depth limit exceeded. The maximum depth including the root Durable \
             Object is {MOST_DEPTH}."
        )));
    }
    let stub = Grant::Facet(Rc::new(FacetStub::new(&parent, name)));
    let made = GrantHandle::make(scope, &shared, stub);
    Ok(v8::Array::new_with_elements(scope, &made))
}

/// A facet is about to be called: what is to be told what it is, or -1 where that is
/// known, or asked already.
#[op2(fast)]
#[smi]
pub(crate) fn op_facet_begin(
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
    #[smi] stub: i32,
) -> Result<i32, JsErrorBox> {
    let shared = Shared::of(&state);
    let Some(Grant::Facet(stub)) = shared.grants.get(stub) else {
        return Err(JsErrorBox::range_error("no such facet"));
    };
    let Some(facet) = stub.begin()? else {
        return Ok(-1);
    };
    let rid = state.borrow_mut().resource_table.add(StartingResource {
        event,
        stub,
        facet: Cell::new(Some(facet)),
    });
    if let Some(event) = shared.events.get(event) {
        event.own(rid);
    }
    Ok(rid as i32)
}

/// Says what a facet is: its class, and its `ctx.id`, which is any text where `is_text`.
#[op2]
pub(crate) fn op_facet_start(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
    #[smi] service: i32,
    #[string] target: Option<String>,
    #[string] id: String,
    #[string] name: Option<String>,
    is_text: bool,
) -> Result<(), JsErrorBox> {
    let shared = Shared::of(&state);
    let Some(resource) = peek(&state, rid) else {
        // The event has ended, and callers know.
        return Ok(());
    };
    let class = Class::find(&shared, resource.event, service, target.as_deref())?;
    let id = if is_text {
        ShownId::Text(id)
    } else {
        ShownId::Object { hex: id, name }
    };
    let parent = resource.stub.parent.upgrade().ok_or_else(facet_gone)?;
    let (place, class) = place(&shared, &parent, class)?;
    // From here on nothing fails of which its callers would not hear.
    let Some(facet) = take(&state, rid).and_then(|resource| resource.facet.take()) else {
        return Ok(());
    };
    let name = resource.stub.name.clone();
    let host = shared.host.clone();
    deno_core::unsync::spawn(async move {
        let presence = facet.presence().clone();
        let had = host.objects().facet(&parent.target, &name, &presence);
        match had.await {
            Ok(id_of_database) => {
                let start = FacetStart {
                    target: parent.facet_target(id_of_database),
                    class,
                    id,
                    depth: parent.facet_depth() + 1,
                    presence,
                };
                facet.started(start, place);
            }
            Err(error) => facet.failed(LoadFault {
                class: "Error".into(),
                message: error.to_string(),
            }),
        }
    });
    Ok(())
}

/// Where a facet with a class runs.
fn place(
    shared: &Shared,
    parent: &Rc<Object>,
    class: Class,
) -> Result<(Place, Entrypoint), JsErrorBox> {
    let worker = shared.worker().ok_or_else(facet_gone)?;
    let lane = shared.sockets.lane().ok_or_else(facet_gone)?;
    let own = || Place::Own(Rc::downgrade(&lane), parent.home());
    Ok(match class {
        Class::Own(class) => (own(), class),
        Class::Dynamic(dynamic, class) => (Place::Dynamic(dynamic), class),
        Class::Service(target) => {
            let class = target.entrypoint.clone();
            let place = match &worker.loaded {
                Some(loaded) => Place::Lane(loaded.home.clone(), target),
                None if target.service == worker.name => own(),
                None => Place::Lane(lane.handle().clone(), target),
            };
            (place, class)
        }
    })
}

/// Says that it is not known what a facet is, and why.
#[op2(fast)]
pub(crate) fn op_facet_fail(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
    #[string] class: &str,
    #[string] message: &str,
) {
    let facet = take(&state, rid).and_then(|resource| resource.facet.take());
    if let Some(facet) = facet {
        facet.failed(LoadFault {
            class: class.to_string(),
            message: message.to_string(),
        });
    }
}

/// Ends a facet; who calls it hears `reason`.
#[op2(fast)]
pub(crate) fn op_facet_abort<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] object: u32,
    #[string] name: &str,
    reason: v8::Local<'a, v8::Value>,
) -> Result<(), JsErrorBox> {
    check_name(name)?;
    let parent = find(&Shared::of(&state), object)?;
    let message = JsError::from_v8_exception(scope, reason).exception_message;
    let message = message.strip_prefix("Uncaught ").unwrap_or(&message);
    parent.facets.end(name, ended_with(message));
    Ok(())
}

/// Ends a facet and removes what it keeps.
#[op2(fast)]
pub(crate) fn op_facet_delete(
    state: Rc<RefCell<OpState>>,
    #[smi] object: u32,
    #[string] name: &str,
) -> Result<(), JsErrorBox> {
    check_name(name)?;
    let shared = Shared::of(&state);
    let parent = find(&shared, object)?;
    parent
        .facets
        .end(name, ended_with("Error: Facet was deleted."));
    remove(&shared, &parent, Some(name))
}

/// Ends all facets of an object and removes what they keep.
pub(super) fn delete_all(shared: &Shared, parent: &Rc<Object>) -> Result<(), JsErrorBox> {
    parent
        .facets
        .end_all(&ended_with("Error: Facet was deleted."));
    remove(shared, parent, None)
}

fn remove(shared: &Shared, parent: &Rc<Object>, name: Option<&str>) -> Result<(), JsErrorBox> {
    let removed = shared.host.objects().delete_facets(&parent.target, name);
    let durable = removed.map_err(|error| JsErrorBox::generic(error.to_string()))?;
    if let Some(durable) = durable {
        parent.owe(durable);
    }
    Ok(())
}

fn ended_with(message: &str) -> EventError {
    EventError::Exception(ScriptError::plain(message))
}

/// A facet has set an alarm, which none can, and ends with it.
pub(super) fn refuse_alarm(shared: &Shared, facet: &Rc<Object>) -> JsErrorBox {
    let message = "Facets currently cannot set alarms.";
    facet.break_with(ended_with(&format!("Error: {message}")));
    fail_events(shared, facet);
    JsErrorBox::generic(message)
}

/// `[number, handle]` of a class that the worker exports, with `props` for its objects.
#[op2]
pub(crate) fn op_class<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[string] name: String,
    #[cppgc] props: Option<&ParcelHandle>,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let shared = Shared::of(&state);
    let (own, deployed) = (Class::Own, Class::Service);
    let props = props.map(|props| Props::Parcel(props.0.clone()));
    let class = own_export(&shared, Some(name), props, own, deployed)?;
    let made = GrantHandle::make(scope, &shared, Grant::Class(class));
    Ok(v8::Array::new_with_elements(scope, &made))
}

/// `[number, handle]` of an export of the worker's, with `props` for its `ctx`.
#[op2]
pub(crate) fn op_export<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[string] name: Option<String>,
    #[cppgc] props: &ParcelHandle,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let shared = Shared::of(&state);
    let deployed = |target| Grant::Capability(Capability::Service(target));
    let props = Some(Props::Parcel(props.0.clone()));
    let grant = own_export(&shared, name, props, Grant::Own, deployed)?;
    let made = GrantHandle::make(scope, &shared, grant);
    Ok(v8::Array::new_with_elements(scope, &made))
}

/// An export of the worker's, which others know by its name where it is deployed.
pub(super) fn own_export<T>(
    shared: &Shared,
    name: Option<String>,
    props: Option<Props>,
    own: impl FnOnce(Entrypoint) -> T,
    deployed: impl FnOnce(Arc<ServiceTarget>) -> T,
) -> Result<T, JsErrorBox> {
    let worker = shared.worker().ok_or_else(facet_gone)?;
    let entrypoint = Entrypoint {
        name,
        props,
        limits: None,
    };
    Ok(match &worker.loaded {
        Some(_) => own(entrypoint),
        None => deployed(Arc::new(ServiceTarget {
            service: worker.name.clone(),
            entrypoint,
        })),
    })
}

/// `[number, handle]` of a class that a loaded worker exports.
#[op2]
pub(crate) fn op_loader_class<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] stub: i32,
    #[string] name: Option<String>,
    #[cppgc] props: Option<&ParcelHandle>,
    cpu_ms: f64,
    sub_requests: f64,
) -> Result<v8::Local<'a, v8::Array>, JsErrorBox> {
    let shared = Shared::of(&state);
    let (dynamic, entrypoint) = export(&shared, stub, name, props, cpu_ms, sub_requests)?;
    let class = Grant::Class(Class::Dynamic(dynamic, entrypoint));
    let made = GrantHandle::make(scope, &shared, class);
    Ok(v8::Array::new_with_elements(scope, &made))
}

impl Class {
    /// The class that the script means: one that it was given, or an export of its own,
    /// by name and props as JSON.
    fn find(
        shared: &Shared,
        event: EventId,
        service: i32,
        target: Option<&str>,
    ) -> Result<Self, JsErrorBox> {
        Route::find(shared, event, service, target)?
            .into_class()
            .ok_or_else(|| JsErrorBox::type_error("It is no class of Durable Objects."))
    }
}

fn peek(state: &RefCell<OpState>, rid: ResourceId) -> Option<Rc<StartingResource>> {
    let found = state.borrow().resource_table.get::<StartingResource>(rid);
    found.ok()
}

fn take(state: &RefCell<OpState>, rid: ResourceId) -> Option<Rc<StartingResource>> {
    let mut state = state.borrow_mut();
    let resource = state.resource_table.take::<StartingResource>(rid).ok()?;
    let shared = state.borrow::<Rc<Shared>>();
    if let Some(event) = shared.events.get(resource.event) {
        event.disown(rid);
    }
    Some(resource)
}
