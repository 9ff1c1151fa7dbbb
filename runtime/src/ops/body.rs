//! Bodies that the host has: read whole, chunk by chunk, or passed on.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;

use async_compression::tokio::bufread::{
    BrotliDecoder, BrotliEncoder, DeflateDecoder, DeflateEncoder, GzipDecoder, GzipEncoder,
};
use bytes::Bytes;
use deno_core::convert::Uint8Array;
use deno_core::{
    AsyncRefCell, AsyncResult, BufView, CancelFuture, CancelHandle, CancelTryFuture, OpState,
    RcRef, Resource, ResourceId, op2, v8,
};
use deno_error::JsErrorBox;
use futures::{Stream, StreamExt, TryStreamExt};
use http::HeaderValue;
use http_body::Body;
use http_body_util::{BodyDataStream, BodyExt, StreamBody};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::body::{BodyError, HostBody, ResponseBody, carried, split_head};
use crate::heap::copy_of;
use crate::object::Object;

/// A content coding (RFC 9110, 8.4.1) that the runtime reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Identity,
    Gzip,
    Deflate,
    Brotli,
}

/// What fetch offers where the script says nothing.
pub(crate) const ACCEPTED: HeaderValue = HeaderValue::from_static("br, gzip");

impl Coding {
    /// The coding a `Content-Encoding` names; none for those left untouched.
    pub(crate) fn of(value: &HeaderValue) -> Option<Self> {
        let name = value.as_bytes().trim_ascii();
        if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") {
            Some(Self::Gzip)
        } else if name.eq_ignore_ascii_case(b"br") {
            Some(Self::Brotli)
        } else if name.eq_ignore_ascii_case(b"deflate") {
            Some(Self::Deflate)
        } else {
            None
        }
    }
}

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>;

enum Reader {
    /// Not read yet, so it can still be passed on as it is.
    Whole(HostBody),
    /// Being read, decoded; what a read left over goes first.
    Reading {
        chunks: Chunks,
        left: Bytes,
    },
    Taken,
}

/// A host body in an isolate's resource table.
pub(crate) struct BodyResource {
    reader: AsyncRefCell<Reader>,
    coding: Cell<Coding>,
    limit: usize,
    cancel: CancelHandle,
    /// A script's signal ended the exchange: what is missing is an error.
    aborted: Cell<bool>,
}

impl BodyResource {
    pub(crate) fn new(body: HostBody, coding: Coding, limit: usize) -> Self {
        Self {
            reader: AsyncRefCell::new(Reader::Whole(body)),
            coding: Cell::new(coding),
            limit,
            cancel: CancelHandle::new(),
            aborted: Cell::new(false),
        }
    }

    /// The body for someone else, coded as `kept` where it was so.
    pub(crate) fn into_body(self: Rc<Self>, kept: Coding) -> Result<HostBody, JsErrorBox> {
        let mut reader = RcRef::map(&self, |body| &body.reader)
            .try_borrow_mut()
            .ok_or_else(|| JsErrorBox::type_error("The body is being read."))?;
        match std::mem::replace(&mut *reader, Reader::Taken) {
            Reader::Whole(body)
                if self.coding.get() == kept || self.coding.get() == Coding::Identity =>
            {
                Ok(body)
            }
            Reader::Whole(body) => Ok(boxed(decode(body, self.coding.get()))),
            Reader::Reading { chunks, left } => {
                let left = futures::stream::iter((!left.is_empty()).then_some(Ok(left)));
                Ok(boxed(left.chain(chunks)))
            }
            Reader::Taken => Err(JsErrorBox::type_error("The body was read already.")),
        }
    }

    async fn chunk(self: &Rc<Self>, limit: usize) -> Result<Bytes, JsErrorBox> {
        let mut reader = RcRef::map(self, |body| &body.reader).borrow_mut().await;
        loop {
            match &mut *reader {
                Reader::Whole(_) => {
                    if let Reader::Whole(body) = std::mem::replace(&mut *reader, Reader::Taken) {
                        *reader = Reader::Reading {
                            chunks: decode(body, self.coding.get()),
                            left: Bytes::new(),
                        };
                    }
                }
                Reader::Reading { chunks, left } => {
                    if left.is_empty() {
                        let next = chunks
                            .next()
                            .try_or_cancel_none(RcRef::map(self, |body| &body.cancel))
                            .await;
                        match next {
                            Some(Ok(chunk)) if chunk.is_empty() => continue,
                            Some(Ok(chunk)) => *left = chunk,
                            Some(Err(error)) => return Err(lost(error)),
                            None if self.aborted.get() => return Err(aborted()),
                            None => return Ok(Bytes::new()),
                        }
                    }
                    return Ok(left.split_to(left.len().min(limit)));
                }
                Reader::Taken => return Ok(Bytes::new()),
            }
        }
    }

    /// Takes the first `count` bytes; the rest stays to be read or passed on as it is.
    pub(super) async fn take_head(self: Rc<Self>, count: usize) -> Result<Bytes, JsErrorBox> {
        let mut reader = RcRef::map(&self, |body| &body.reader).borrow_mut().await;
        let body = match std::mem::replace(&mut *reader, Reader::Taken) {
            Reader::Whole(body) if self.coding.get() == Coding::Identity => body,
            Reader::Whole(body) => boxed(decode(body, self.coding.get())),
            _ => return Err(JsErrorBox::type_error("The body was read already.")),
        };
        self.coding.set(Coding::Identity);
        let (head, rest) = split_head(body, count)
            .or_cancel(RcRef::map(&self, |body| &body.cancel))
            .await
            .map_err(|_| aborted())?
            .map_err(lost)?;
        *reader = Reader::Whole(rest);
        Ok(head)
    }

    /// How many bytes are to come, where that is known and nobody took any.
    pub(super) fn length(self: &Rc<Self>) -> Option<u64> {
        let reader = RcRef::map(self, |body| &body.reader).try_borrow_mut()?;
        match &*reader {
            Reader::Whole(body) if self.coding.get() == Coding::Identity => {
                body.size_hint().exact()
            }
            _ => None,
        }
    }

    async fn all(self: Rc<Self>) -> Result<Vec<u8>, JsErrorBox> {
        let mut all = Vec::new();
        loop {
            let chunk = self.chunk(usize::MAX).await?;
            if chunk.is_empty() {
                return Ok(all);
            }
            if all.len() + chunk.len() > self.limit {
                return Err(JsErrorBox::range_error(format!(
                    "Memory limit would be exceeded before EOF: the body is over {} bytes.",
                    self.limit
                )));
            }
            all.extend_from_slice(&chunk);
        }
    }
}

/// Not seen by the script, which throws its signal's reason instead.
fn aborted() -> JsErrorBox {
    JsErrorBox::generic("The body was aborted.")
}

/// What a script sees when the other side went away mid-body.
fn lost(error: BodyError) -> JsErrorBox {
    JsErrorBox::generic(format!("Network connection lost: {error}"))
}

impl Resource for BodyResource {
    fn name(&self) -> Cow<'_, str> {
        "body".into()
    }

    fn read(self: Rc<Self>, limit: usize) -> AsyncResult<BufView> {
        Box::pin(async move { self.chunk(limit).await.map(BufView::from) })
    }

    fn read_byob(
        self: Rc<Self>,
        mut buffer: deno_core::BufMutView,
    ) -> AsyncResult<(usize, deno_core::BufMutView)> {
        Box::pin(async move {
            let chunk = self.chunk(buffer.len()).await?;
            buffer[..chunk.len()].copy_from_slice(&chunk);
            Ok((chunk.len(), buffer))
        })
    }

    fn close(self: Rc<Self>) {
        self.cancel.cancel();
    }
}

/// Lets a wait for the next chunk end when the resource is closed.
trait CancelNone: Future + Sized {
    async fn try_or_cancel_none<T>(self, cancel: RcRef<CancelHandle>) -> Option<T>
    where
        Self: Future<Output = Option<T>>;
}

impl<F: Future> CancelNone for F {
    async fn try_or_cancel_none<T>(self, cancel: RcRef<CancelHandle>) -> Option<T>
    where
        Self: Future<Output = Option<T>>,
    {
        let next = async { Ok::<_, std::io::Error>(self.await) };
        next.try_or_cancel(cancel).await.unwrap_or(None)
    }
}

fn decode(body: HostBody, coding: Coding) -> Chunks {
    if coding == Coding::Identity {
        return Box::pin(BodyDataStream::new(body));
    }
    let reader = StreamReader::new(BodyDataStream::new(body).map_err(std::io::Error::other));
    match coding {
        Coding::Identity => unreachable!("handled above"),
        Coding::Gzip => {
            let mut decoder = GzipDecoder::new(reader);
            decoder.multiple_members(true);
            chunks(decoder)
        }
        Coding::Deflate => chunks(DeflateDecoder::new(reader)),
        Coding::Brotli => chunks(BrotliDecoder::new(reader)),
    }
}

fn chunks(reader: impl tokio::io::AsyncRead + Send + 'static) -> Chunks {
    Box::pin(ReaderStream::with_capacity(reader, 64 << 10).map_err(BodyError::new))
}

fn boxed(chunks: impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static) -> HostBody {
    StreamBody::new(chunks.map_ok(http_body::Frame::data)).boxed_unsync()
}

/// Codes an answer on its way out, as its `Content-Encoding` says; that of an `object` as
/// [`carried`] has it.
pub(crate) fn encode_body(
    body: ResponseBody,
    coding: Coding,
    object: Option<Rc<Object>>,
) -> ResponseBody {
    let plain = BodyDataStream::new(carried(body, object));
    let reader = StreamReader::new(plain.map_err(std::io::Error::other));
    ResponseBody::Host(boxed(match coding {
        Coding::Identity => return ResponseBody::Host(boxed(chunks(reader))),
        Coding::Gzip => chunks(GzipEncoder::new(reader)),
        Coding::Deflate => chunks(DeflateEncoder::new(reader)),
        Coding::Brotli => chunks(BrotliEncoder::with_quality(
            reader,
            // The default (11) takes seconds a megabyte; 5 is what servers use.
            async_compression::Level::Precise(5),
        )),
    }))
}

/// Reads a body to its end. It stays in the table meanwhile, where an abort or
/// the event's end finds it.
async fn read_all(state: &Rc<RefCell<OpState>>, rid: ResourceId) -> Result<Vec<u8>, JsErrorBox> {
    let body = state
        .borrow()
        .resource_table
        .get::<BodyResource>(rid)
        .map_err(JsErrorBox::from_err)?;
    let bytes = body.all().await;
    // Gone already where it was closed meanwhile.
    let _ = state.borrow_mut().resource_table.take_any(rid);
    bytes
}

/// A body as a script hands it over (`bodyForHost` in js/fetch.js).
pub(crate) enum Handed {
    Nothing,
    Full(Bytes),
    /// The host's own bytes, untouched.
    Host(Rc<BodyResource>),
    /// A script's stream.
    Stream(Rc<dyn Resource>),
}

/// Takes a body: null, a string, bytes, or the id of a resource.
pub(crate) fn take_body<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: &Rc<RefCell<OpState>>,
    body: v8::Local<'a, v8::Value>,
) -> Result<Handed, JsErrorBox> {
    if body.is_null_or_undefined() {
        return Ok(Handed::Nothing);
    }
    if let Ok(text) = v8::Local::<v8::String>::try_from(body) {
        let mut bytes = vec![0; text.utf8_length(scope)];
        let flags = v8::WriteFlags::kReplaceInvalidUtf8;
        let written = text.write_utf8_v2(scope, &mut bytes, flags, None);
        bytes.truncate(written);
        return Ok(Handed::Full(bytes.into()));
    }
    if let Ok(view) = v8::Local::<v8::ArrayBufferView>::try_from(body) {
        return Ok(Handed::Full(copy_of(view).into()));
    }
    let rid = body.uint32_value(scope).unwrap_or(ResourceId::MAX);
    let resource = state
        .borrow_mut()
        .resource_table
        .take_any(rid)
        .map_err(JsErrorBox::from_err)?;
    Ok(
        match <dyn Resource>::downcast_rc::<BodyResource>(&resource) {
            Some(host) => Handed::Host(host.clone()),
            None => Handed::Stream(resource),
        },
    )
}

#[op2]
pub(crate) async fn op_body_bytes(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
) -> Result<Uint8Array, JsErrorBox> {
    read_all(&state, rid).await.map(Uint8Array::from)
}

#[op2]
#[string]
pub(crate) async fn op_body_text(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
) -> Result<String, JsErrorBox> {
    let bytes = read_all(&state, rid).await?;
    // "UTF-8 decode" (https://encoding.spec.whatwg.org/#utf-8-decode).
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

#[op2(fast)]
pub(crate) fn op_body_cancel(state: &mut OpState, #[smi] rid: ResourceId) {
    if let Ok(resource) = state.resource_table.take_any(rid) {
        resource.close();
    }
}

/// Makes reads of a body fail, the one under way too.
#[op2(fast)]
pub(crate) fn op_body_abort(state: &mut OpState, #[smi] rid: ResourceId) {
    if let Ok(body) = state.resource_table.get::<BodyResource>(rid) {
        body.aborted.set(true);
        body.cancel.cancel();
    }
}
