//! fetch: redirects, encodings and cancellation around the host's one exchange
//! (https://fetch.spec.whatwg.org/#http-fetch, without CORS: there is no origin).

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use deno_core::url::Url;
use deno_core::{CancelFuture, CancelHandle, OpState, RcRef, Resource, ResourceId, ToV8, op2, v8};
use deno_error::JsErrorBox;
use futures::future::LocalBoxFuture;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST,
    HeaderName, LOCATION,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use super::Shared;
use super::body::{ACCEPTED, BodyResource, Coding, Handed, take_body};
use super::event::header_map;
use super::service::{Cf, Route, SaidUrl};
use crate::body::{HostBody, ResponseBody, ScriptBody, carried, empty_body, full_body};
use crate::event::EventId;
use crate::object::Object;

/// https://fetch.spec.whatwg.org/#http-redirect-fetch allows 20.
const MAX_REDIRECTS: usize = 20;

/// What a worker may say of a request besides its headers, of which Workers take as much.
const CF_BYTES: usize = 128 << 10;

/// An exchange under way.
struct FetchResource {
    answer: Cell<Option<LocalBoxFuture<'static, Result<Answer, JsErrorBox>>>>,
    /// The object whose input gate the answer has to pass.
    gate: Option<Rc<Object>>,
    cancel: CancelHandle,
    /// The body goes to the script as it came, compressed or not.
    raw: bool,
}

impl Resource for FetchResource {
    fn name(&self) -> Cow<'_, str> {
        "fetch".into()
    }

    fn close(self: Rc<Self>) {
        self.cancel.cancel();
    }
}

struct Answer {
    response: Response<HostBody>,
    url: String,
    redirected: bool,
    /// The answer to a HEAD request has no body, whatever its headers say.
    head: bool,
}

/// What the script makes its Response from.
#[derive(ToV8)]
pub(crate) struct FetchAnswer {
    pub(crate) status: u32,
    pub(crate) status_text: String,
    pub(crate) headers: Vec<String>,
    pub(crate) url: String,
    pub(crate) redirected: bool,
    /// A resource id, or -1 where there is none.
    pub(crate) body: i32,
}

/// A body that can be sent again after a 307, or one that cannot.
enum Upload {
    Full(Bytes),
    Once(HostBody),
}

#[op2]
#[smi]
pub(crate) fn op_fetch_send<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: Rc<RefCell<OpState>>,
    #[smi] event: EventId,
    #[smi] service: i32,
    #[string] method: String,
    #[string] url: String,
    headers: v8::Local<'a, v8::Array>,
    body: v8::Local<'a, v8::Value>,
    length: f64,
    follow: bool,
    raw: bool,
    #[string] object: Option<String>,
    #[string] cf: Option<String>,
) -> Result<ResourceId, JsErrorBox> {
    let shared = Shared::of(&state);
    count_subrequest(&shared, event)?;
    let route = Route::find(&shared, event, service, object.as_deref())?;
    let said = url;
    // Where it is parsed before, none comes that is no URL.
    let unknown = |_| JsErrorBox::type_error(format!("Fetch API cannot load: {said}"));
    let url = Url::parse(&said).map_err(unknown)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(JsErrorBox::type_error(format!(
            "Fetch API cannot load: {url}"
        )));
    }
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| JsErrorBox::type_error(format!("Invalid HTTP method string: {method}")))?;
    let mut headers = header_map(scope, headers)?;
    // A service gets what the script said.
    if route.is_network() {
        for name in FORBIDDEN {
            headers.remove(name);
        }
        if !raw && !headers.contains_key(ACCEPT_ENCODING) {
            headers.insert(ACCEPT_ENCODING, ACCEPTED);
        }
    }
    let length = (length >= 0.0).then_some(length as u64);
    let object = shared.events.get(event);
    let object = object.and_then(|event| event.object.clone());
    let upload = upload(scope, &state, body, length, object)?;
    if let Some(size) = cf.as_ref().map(String::len)
        && size > CF_BYTES
    {
        return Err(JsErrorBox::type_error(format!(
            "The cf of a request may have {CF_BYTES} bytes as JSON; this one has {size}."
        )));
    }
    let told = Told {
        url: super::url::legacy(&said, &url).map(SaidUrl),
        cf: cf.map(|cf| Cf(cf.into())),
    };
    let answer = exchange(route, method, url, headers, upload, follow, told);
    Ok(state.borrow_mut().resource_table.add(FetchResource {
        answer: Cell::new(Some(Box::pin(answer))),
        gate: shared.events.get(event).and_then(|event| event.gate()),
        cancel: CancelHandle::new(),
        raw,
    }))
}

/// Headers that say how a connection is used, which is the host's to say.
pub(crate) const FORBIDDEN: [HeaderName; 5] = [
    HOST,
    http::header::CONNECTION,
    http::header::TRANSFER_ENCODING,
    http::header::UPGRADE,
    CONTENT_LENGTH,
];

pub(crate) fn count_subrequest(shared: &Shared, event: EventId) -> Result<(), JsErrorBox> {
    let (Some(event), Some(worker)) = (shared.events.get(event), shared.worker()) else {
        return Err(JsErrorBox::generic(
            "Cannot perform I/O after the event that asked for it has ended.",
        ));
    };
    let count = event.subrequests.get() + 1;
    if count > event.subrequest_limit(&worker.limits) {
        return Err(JsErrorBox::generic("Too many subrequests."));
    }
    event.subrequests.set(count);
    Ok(())
}

fn upload<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: &Rc<RefCell<OpState>>,
    body: v8::Local<'a, v8::Value>,
    length: Option<u64>,
    object: Option<Rc<Object>>,
) -> Result<Option<Upload>, JsErrorBox> {
    Ok(match take_body(scope, state, body)? {
        Handed::Nothing => None,
        Handed::Full(bytes) => Some(Upload::Full(bytes)),
        Handed::Host(host) => Some(Upload::Once(host.into_body(Coding::Identity)?)),
        Handed::Stream(resource) => {
            let body = ScriptBody::new(resource, length, |_end| {});
            Some(Upload::Once(carried(ResponseBody::Script(body), object)))
        }
    })
}

/// What else a worker is told of a request to it.
struct Told {
    url: Option<SaidUrl>,
    cf: Option<Cf>,
}

async fn exchange(
    route: Route,
    mut method: Method,
    mut url: Url,
    mut headers: HeaderMap,
    mut upload: Option<Upload>,
    follow: bool,
    told: Told,
) -> Result<Answer, JsErrorBox> {
    let mut visited = Vec::new();
    for hop in 0.. {
        let nothing = upload.is_none();
        let (body, again) = match upload.take() {
            None => (empty_body(), None),
            Some(Upload::Full(bytes)) => (full_body(bytes.clone()), Some(Upload::Full(bytes))),
            Some(Upload::Once(body)) => (body, None),
        };
        let streamed = again.is_none() && !http_body::Body::is_end_stream(&body);
        let mut request = Request::new(body);
        *request.method_mut() = method.clone();
        *request.uri_mut() = without_fragment(&url)
            .parse()
            .map_err(|_| JsErrorBox::type_error(format!("Invalid URL: {url}")))?;
        *request.headers_mut() = headers.clone();
        if !route.is_network() {
            if !nothing {
                say_length(&mut request);
            }
            // Where it is redirected to it has another URL.
            if let Some(url) = told.url.clone().filter(|_| hop == 0) {
                request.extensions_mut().insert(url);
            }
            if let Some(cf) = &told.cf {
                request.extensions_mut().insert(cf.clone());
            }
        } else if nothing && !matches!(method, Method::GET | Method::HEAD) {
            // RFC 9110, 8.6: said where the method has a meaning for a body.
            let length = request.headers_mut();
            length.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let response = route.fetch(request).await?;
        let next = match redirect_target(&response, &url) {
            Some(next) if follow => next?,
            _ => {
                return Ok(Answer {
                    response,
                    url: match told.url {
                        Some(SaidUrl(url)) if hop == 0 => url,
                        _ => without_fragment(&url).into_owned(),
                    },
                    redirected: hop > 0,
                    head: method == Method::HEAD,
                });
            }
        };
        if hop == MAX_REDIRECTS {
            visited.push(url.to_string());
            return Err(JsErrorBox::type_error(format!(
                "Too many redirects.{}",
                visited.join(", ")
            )));
        }
        upload = again;
        let status = response.status();
        let to_get =
            status == StatusCode::SEE_OTHER && method != Method::GET && method != Method::HEAD
                || matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND)
                    && method == Method::POST;
        if to_get {
            method = Method::GET;
            upload = None;
            headers.remove(CONTENT_TYPE);
            headers.remove(CONTENT_ENCODING);
        } else if streamed {
            return Err(JsErrorBox::type_error(
                "A request with a one-time-use body (it was initialized from a stream, \
                 not a buffer) encountered a redirect requiring the body to be \
                 retransmitted.",
            ));
        }
        if next.origin() != url.origin() {
            // What was meant for one host is not for another.
            headers.remove(AUTHORIZATION);
            headers.remove(COOKIE);
        }
        visited.push(std::mem::replace(&mut url, next).into());
    }
    unreachable!("the loop ends at MAX_REDIRECTS")
}

/// Tells a service of a body what a connection would have told it.
fn say_length(request: &mut Request<HostBody>) {
    let length = http_body::Body::size_hint(request.body()).exact();
    let headers = request.headers_mut();
    match length {
        Some(length) => headers.insert(CONTENT_LENGTH, HeaderValue::from(length)),
        None => headers.insert(
            http::header::TRANSFER_ENCODING,
            HeaderValue::from_static("chunked"),
        ),
    };
}

fn without_fragment(url: &Url) -> Cow<'_, str> {
    match url.fragment() {
        None => url.as_str().into(),
        Some(_) => {
            let mut url = url.clone();
            url.set_fragment(None);
            String::from(url).into()
        }
    }
}

fn redirect_target<B>(response: &Response<B>, base: &Url) -> Option<Result<Url, JsErrorBox>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    let target = std::str::from_utf8(location.as_bytes())
        .ok()
        .and_then(|location| base.join(location).ok())
        .filter(|url| matches!(url.scheme(), "http" | "https"));
    Some(target.ok_or_else(|| {
        JsErrorBox::type_error(format!(
            "Invalid redirect from {base}: Location is {location:?}"
        ))
    }))
}

#[op2]
pub(crate) async fn op_fetch_wait(
    state: Rc<RefCell<OpState>>,
    #[smi] rid: ResourceId,
) -> Result<FetchAnswer, JsErrorBox> {
    let (fetch, limit) = {
        let state = state.borrow();
        let fetch = state
            .resource_table
            .get::<FetchResource>(rid)
            .map_err(JsErrorBox::from_err)?;
        let worker = state.borrow::<Rc<Shared>>().worker();
        (fetch, worker.map_or(0, |worker| worker.limits.body))
    };
    let answer = fetch
        .answer
        .take()
        .ok_or_else(|| JsErrorBox::generic("the answer was taken already"))?
        .or_cancel(RcRef::map(&fetch, |fetch| &fetch.cancel))
        .await;
    if let Some(gate) = &fetch.gate {
        gate.resumed().await;
    }
    let _ = state.borrow_mut().resource_table.take::<FetchResource>(rid);
    let Answer {
        response,
        url,
        redirected,
        head: without_body,
    } = answer.map_err(|_| JsErrorBox::generic("The fetch was aborted."))??;
    let (head, body) = response.into_parts();
    let coding = head
        .headers
        .get(CONTENT_ENCODING)
        .filter(|_| !fetch.raw)
        .and_then(Coding::of)
        .unwrap_or(Coding::Identity);
    let none = without_body || matches!(head.status.as_u16(), 101 | 204 | 205 | 304);
    let body = if none {
        -1
    } else {
        state
            .borrow_mut()
            .resource_table
            .add(BodyResource::new(body, coding, limit)) as i32
    };
    let reason = head.extensions.get::<hyper::ext::ReasonPhrase>();
    Ok(FetchAnswer {
        status: head.status.as_u16().into(),
        status_text: match reason {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => head.status.canonical_reason().unwrap_or("").into(),
        },
        headers: header_strings(&head.headers),
        url,
        redirected,
        body,
    })
}

/// Header values as text: UTF-8, as Workers have it.
pub(crate) fn header_strings(headers: &HeaderMap) -> Vec<String> {
    let mut list = Vec::with_capacity(headers.len() * 2);
    for (name, value) in headers {
        list.push(name.as_str().to_string());
        list.push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    list
}

#[op2(fast)]
pub(crate) fn op_fetch_abort(state: &mut OpState, #[smi] rid: ResourceId) {
    if let Ok(fetch) = state.resource_table.get::<FetchResource>(rid) {
        fetch.close();
    }
}
