//! The Cache API: requests to the host's cache, as subrequests of their event.

use std::cell::RefCell;
use std::rc::Rc;

use deno_core::{OpState, ResourceId, op2, v8};
use deno_error::JsErrorBox;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::{Request, Response, StatusCode};

use super::Shared;
use super::body::{BodyResource, Coding, Handed, encode_body, take_body};
use super::event::{HeaderList, header_map};
use super::fetch::{FetchAnswer, count_subrequest, header_strings};
use crate::body::{ResponseBody, ScriptBody, carried, empty_body, full_body};
use crate::event::EventId;
use crate::host::{CacheAnswer, CacheOperation, CacheRequest, FetchError};

/// A key as the script gave it; anything else than a whole URL is refused.
fn key(url: &str, headers: http::HeaderMap) -> Result<Request<()>, JsErrorBox> {
    let mut request = Request::new(());
    *request.uri_mut() = url
        .parse()
        .ok()
        .filter(|uri: &http::Uri| uri.authority().is_some())
        .ok_or_else(|| {
            JsErrorBox::type_error(
                "Invalid URL. Cache API keys must be fully-qualified, valid URLs.",
            )
        })?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn ask(
    state: &Rc<RefCell<OpState>>,
    event: EventId,
    cache: Option<String>,
    request: Request<()>,
    operation: CacheOperation,
) -> Result<LocalBoxFuture<'static, Result<CacheAnswer, FetchError>>, JsErrorBox> {
    let shared = Shared::of(state);
    count_subrequest(&shared, event)?;
    let worker = shared.worker();
    let request = CacheRequest {
        worker: worker.map_or_else(String::new, |worker| worker.name().into()),
        cache,
        request,
        operation,
    };
    let host = shared.host.clone();
    let event = shared.events.get(event);
    Ok(async move {
        // Others see a cache: it is told like them.
        if let Some(object) = event.as_ref().and_then(|event| event.object.clone()) {
            let durable = object.durable().await;
            durable.map_err(|error| FetchError {
                message: error.to_string(),
            })?;
        }
        let answer = host.cache(request).await;
        if let Some(gate) = event.and_then(|event| event.gate()) {
            gate.resumed().await;
        }
        answer
    }
    .boxed_local())
}

fn failed(error: FetchError) -> JsErrorBox {
    JsErrorBox::generic(error.message)
}

#[op2]
pub(crate) async fn op_cache_match(
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
    #[string] cache: Option<String>,
    #[string] url: String,
    #[scoped] headers: HeaderList,
) -> Result<Option<FetchAnswer>, JsErrorBox> {
    let request = key(&url, headers.0)?;
    let answer = ask(&state, event, cache, request, CacheOperation::Match)?;
    let CacheAnswer::Found(response) = answer.await.map_err(failed)? else {
        return Ok(None);
    };
    let limit = Shared::of(&state)
        .worker()
        .map_or(0, |worker| worker.limits.body);
    let (head, body) = response.into_parts();
    let coding = head
        .headers
        .get(http::header::CONTENT_ENCODING)
        .and_then(Coding::of)
        .unwrap_or(Coding::Identity);
    let without_body = matches!(head.status.as_u16(), 204 | 205 | 304);
    let body = if without_body {
        -1
    } else {
        let body = BodyResource::new(body, coding, limit);
        state.borrow_mut().resource_table.add(body) as i32
    };
    Ok(Some(FetchAnswer {
        status: head.status.as_u16().into(),
        status_text: head.status.canonical_reason().unwrap_or("").into(),
        headers: header_strings(&head.headers),
        url: String::new(),
        redirected: false,
        body,
    }))
}

/// Hands an answer over to be stored. Returns the number of what to wait for
/// (`op_cache_put_wait`): the body is taken before this returns.
#[op2]
#[smi]
pub(crate) fn op_cache_put<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
    #[string] cache: Option<String>,
    #[string] url: String,
    request_headers: v8::Local<'a, v8::Array>,
    #[smi] status: u32,
    headers: v8::Local<'a, v8::Array>,
    body: v8::Local<'a, v8::Value>,
    length: f64,
    encode: bool,
) -> Result<ResourceId, JsErrorBox> {
    let request = key(&url, header_map(scope, request_headers)?)?;
    let object = Shared::of(&state).events.get(event);
    let object = object.and_then(|event| event.object.clone());
    let mut headers = header_map(scope, headers)?;
    headers.remove(http::header::TRANSFER_ENCODING);
    let length = (length >= 0.0).then_some(length as u64);
    let kept = headers
        .get(http::header::CONTENT_ENCODING)
        .and_then(Coding::of);
    let body = match take_body(scope, &state, body)? {
        Handed::Nothing => ResponseBody::Full(Default::default()),
        Handed::Full(bytes) => ResponseBody::Full(bytes),
        Handed::Host(host) => ResponseBody::Host(host.into_body(kept.unwrap_or(Coding::Identity))?),
        Handed::Stream(resource) => {
            ResponseBody::Script(ScriptBody::new(resource, length, |_end| {}))
        }
    };
    let body = match kept {
        // As it would be sent: what is stored is what a client would get.
        Some(coding) if encode && !matches!(body, ResponseBody::Host(_)) => {
            encode_body(body, coding, object.clone())
        }
        _ => body,
    };
    let mut response = Response::new(match body {
        ResponseBody::Full(bytes) if bytes.is_empty() => empty_body(),
        ResponseBody::Full(bytes) => full_body(bytes),
        body => carried(body, object),
    });
    *response.status_mut() = u16::try_from(status)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| JsErrorBox::range_error(format!("{status} is no HTTP status")))?;
    *response.headers_mut() = headers;
    let operation = CacheOperation::Put(response);
    let storing = ask(&state, event, cache, request, operation)?;
    Ok(state
        .borrow_mut()
        .resource_table
        .add(Storing(RefCell::new(Some(storing)))))
}

/// A put under way.
struct Storing(RefCell<Option<LocalBoxFuture<'static, Result<CacheAnswer, FetchError>>>>);

impl deno_core::Resource for Storing {}

#[op2]
pub(crate) async fn op_cache_put_wait(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
) -> Result<(), JsErrorBox> {
    let storing = state
        .borrow_mut()
        .resource_table
        .take::<Storing>(rid)
        .map_err(JsErrorBox::from_err)?;
    let storing = storing.0.borrow_mut().take();
    match storing {
        Some(storing) => storing.await.map(drop).map_err(failed),
        None => Ok(()),
    }
}

/// Whether there was something to delete.
#[op2]
pub(crate) async fn op_cache_delete(
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
    #[string] cache: Option<String>,
    #[string] url: String,
) -> Result<bool, JsErrorBox> {
    let request = key(&url, http::HeaderMap::new())?;
    let deleting = ask(&state, event, cache, request, CacheOperation::Delete)?;
    let answer = deleting.await.map_err(failed)?;
    Ok(matches!(answer, CacheAnswer::Done))
}
