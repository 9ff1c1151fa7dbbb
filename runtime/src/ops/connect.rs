//! `connect()`: streams of bytes that the host or another worker opens for a script, and
//! those that a script's `connect` handler is given.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use deno_core::{
    AsyncRefCell, AsyncResult, BufMutView, BufView, CancelFuture, CancelHandle, OpState, RcRef,
    Resource, ResourceId, WriteOutcome, op2,
};
use deno_error::JsErrorBox;
use futures::FutureExt;
use futures::future::{BoxFuture, LocalBoxFuture};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};

use super::Shared;
use super::fetch::count_subrequest;
use super::service::Route;
use crate::event::EventId;
use crate::host::{ConnectTarget, FetchError, HostStream, Transport};
use crate::object::Object;

pub(crate) type Opening = LocalBoxFuture<'static, Result<Box<dyn HostStream>, FetchError>>;

/// A connection in an isolate's resource table: read, written, shut down.
pub(crate) struct ConnectionResource {
    event: EventId,
    /// The object that opened it: what leaves by it waits for the object's writes.
    object: Option<Rc<Object>>,
    /// Until the script waits for it (`op_connect_opened`).
    opening: Cell<Option<Opening>>,
    reader: AsyncRefCell<Option<ReadHalf<Box<dyn HostStream>>>>,
    writer: AsyncRefCell<Option<WriteHalf<Box<dyn HostStream>>>>,
    /// Ends a wait for the other side, which may never speak.
    cancel: CancelHandle,
    /// Ready once the other side has let go of it, where that shows.
    left: Cell<Option<BoxFuture<'static, ()>>>,
}

impl ConnectionResource {
    fn new(event: EventId, object: Option<Rc<Object>>, opening: Opening) -> Self {
        Self {
            event,
            object,
            opening: Cell::new(Some(opening)),
            reader: AsyncRefCell::new(None),
            writer: AsyncRefCell::new(None),
            cancel: CancelHandle::new(),
            left: Cell::new(None),
        }
    }

    /// The output gate of the object that it is in the hands of.
    async fn durable(&self) -> Result<(), JsErrorBox> {
        let Some(object) = &self.object else {
            return Ok(());
        };
        let durable = object.durable().await;
        durable.map_err(|error| JsErrorBox::generic(error.to_string()))
    }

    async fn open(self: Rc<Self>) -> Result<(), JsErrorBox> {
        let opening = self.opening.take().ok_or_else(closed)?;
        self.durable().await?;
        let cancel = RcRef::map(&self, |this| &this.cancel);
        let stream = opening.or_cancel(cancel).await.map_err(|_| closed())?;
        let stream = stream.map_err(|error| JsErrorBox::generic(error.message))?;
        self.left.set(stream.left());
        let (reader, writer) = split(stream);
        *RcRef::map(&self, |this| &this.reader).borrow_mut().await = Some(reader);
        *RcRef::map(&self, |this| &this.writer).borrow_mut().await = Some(writer);
        Ok(())
    }

    /// The connection itself, once no read and no write is under way.
    async fn into_stream(self: Rc<Self>) -> Option<Box<dyn HostStream>> {
        self.cancel.cancel();
        let mut reader = RcRef::map(&self, |this| &this.reader).borrow_mut().await;
        let mut writer = RcRef::map(&self, |this| &this.writer).borrow_mut().await;
        let (reader, writer) = (Option::take(&mut reader)?, Option::take(&mut writer)?);
        Some(reader.unsplit(writer))
    }
}

/// Not seen by the script: its own side has ended already.
fn closed() -> JsErrorBox {
    JsErrorBox::generic("The connection was closed.")
}

fn lost(error: std::io::Error) -> JsErrorBox {
    JsErrorBox::generic(format!("Network connection lost: {error}"))
}

impl Resource for ConnectionResource {
    fn name(&self) -> Cow<'_, str> {
        "connection".into()
    }

    fn read_byob(self: Rc<Self>, mut buffer: BufMutView) -> AsyncResult<(usize, BufMutView)> {
        Box::pin(async move {
            let mut reader = RcRef::map(&self, |this| &this.reader).borrow_mut().await;
            let Some(reader) = &mut *reader else {
                return Err(closed());
            };
            let cancel = RcRef::map(&self, |this| &this.cancel);
            // A read that is cancelled has taken nothing.
            let read = reader.read(&mut buffer).or_cancel(cancel).await;
            let read = read.map_err(|_| closed())?.map_err(lost)?;
            Ok((read, buffer))
        })
    }

    fn write(self: Rc<Self>, view: BufView) -> AsyncResult<WriteOutcome> {
        Box::pin(async move {
            let mut writer = RcRef::map(&self, |this| &this.writer).borrow_mut().await;
            let Some(writer) = &mut *writer else {
                return Err(closed());
            };
            self.durable().await?;
            let cancel = RcRef::map(&self, |this| &this.cancel);
            let write = async {
                let nwritten = writer.write(&view).await?;
                // TLS holds bytes back for a full record.
                writer.flush().await?;
                Ok(nwritten)
            };
            let nwritten = write
                .or_cancel(cancel)
                .await
                .map_err(|_| closed())?
                .map_err(lost)?;
            Ok(WriteOutcome::Partial { nwritten, view })
        })
    }

    fn shutdown(self: Rc<Self>) -> AsyncResult<()> {
        Box::pin(async move {
            let mut writer = RcRef::map(&self, |this| &this.writer).borrow_mut().await;
            let Some(writer) = &mut *writer else {
                return Ok(());
            };
            self.durable().await?;
            let cancel = RcRef::map(&self, |this| &this.cancel);
            let shutdown = writer.shutdown().or_cancel(cancel).await;
            shutdown.map_err(|_| closed())?.map_err(lost)
        })
    }

    fn close(self: Rc<Self>) {
        self.cancel.cancel();
    }
}

fn add(state: &mut OpState, event: EventId, opening: Opening) -> ResourceId {
    let of = state.borrow::<Rc<Shared>>().events.get(event);
    let object = of.as_ref().and_then(|of| of.object.clone());
    let connection = ConnectionResource::new(event, object, opening);
    let rid = state.resource_table.add(connection);
    if let Some(of) = of {
        of.own(rid);
    }
    rid
}

/// A name for a worker, which nothing else has.
#[op2]
#[string]
pub(crate) fn op_connect_virtual_host() -> String {
    format!("{}.workers.alt", uuid::Uuid::new_v4().simple())
}

/// Begins a connection to `authority`, which is `host` and `port`, as a subrequest of
/// `event`; it ends with the event. `service` and `object` say by which way ([`Route`]).
#[op2]
#[smi]
pub(crate) fn op_connect(
    state: &mut OpState,
    #[smi] event: EventId,
    #[smi] service: i32,
    #[string] object: Option<String>,
    #[string] authority: String,
    #[string] host: String,
    #[smi] port: u32,
    tls: bool,
) -> Result<ResourceId, JsErrorBox> {
    let shared = state.borrow::<Rc<Shared>>().clone();
    let port = u16::try_from(port)
        .map_err(|_| JsErrorBox::type_error(format!("{port} is no port number")))?;
    count_subrequest(&shared, event)?;
    let transport = if tls {
        Transport::Tls
    } else {
        Transport::Plain
    };
    let target = ConnectTarget {
        host,
        port,
        transport,
    };
    let route = Route::find(&shared, event, service, object.as_deref())?;
    let opening = route.connect(authority, target)?;
    Ok(add(state, event, opening))
}

/// The connection that an event came with, and what it is to.
#[op2]
#[serde]
pub(crate) fn op_connect_accept(
    state: &mut OpState,
    #[smi] event: EventId,
) -> Result<(ResourceId, String), JsErrorBox> {
    let of = state.borrow::<Rc<Shared>>().events.get(event);
    let connection = of.and_then(|event| event.connection.take());
    let connection =
        *connection.ok_or_else(|| JsErrorBox::generic("the event is no connection"))?;
    // Whoever connected may have left.
    let _ = connection.taken.send(());
    let opening = std::future::ready(Ok(connection.stream)).boxed_local();
    Ok((add(state, event, opening), connection.authority))
}

/// Waits until the other side has let go of a connection (true), or until this one has,
/// or it does not show.
#[op2]
pub(crate) async fn op_connect_left(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
) -> Result<bool, JsErrorBox> {
    let connection = find(&state, rid)?;
    let Some(left) = connection.left.take() else {
        return Ok(false);
    };
    let cancel = RcRef::map(&connection, |this| &this.cancel);
    Ok(left.or_cancel(cancel).await.is_ok())
}

fn find(state: &RefCell<OpState>, rid: ResourceId) -> Result<Rc<ConnectionResource>, JsErrorBox> {
    let found = state.borrow().resource_table.get(rid);
    found.map_err(|_| closed())
}

/// Waits for a connection; until then it cannot be read or written.
#[op2]
pub(crate) async fn op_connect_opened(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
) -> Result<(), JsErrorBox> {
    find(&state, rid)?.open().await
}

/// Takes the connection out of `rid` and goes on in TLS: the number of the new
/// one, to be waited for like any other.
#[op2(fast)]
#[smi]
pub(crate) fn op_connect_start_tls(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[string] name: String,
) -> Result<ResourceId, JsErrorBox> {
    let plain = state
        .resource_table
        .take::<ConnectionResource>(rid)
        .map_err(|_| closed())?;
    let event = plain.event;
    if let Some(event) = state.borrow::<Rc<Shared>>().events.get(event) {
        event.disown(rid);
    }
    let opening = async move {
        let stream = plain.into_stream().await.ok_or_else(|| FetchError {
            message: "the connection is not open".into(),
        })?;
        stream.start_tls(name).await
    };
    Ok(add(state, event, opening.boxed_local()))
}
