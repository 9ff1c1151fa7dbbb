//! Warms the snapshot: what every worker runs is run once before the image is
//! taken, so that its bytecode is in it.

use std::rc::Rc;

use deno_core::{JsRuntime, v8};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};

use crate::body::HostBody;
use crate::event::Event;
use crate::host::{ConnectTarget, FetchError, Host, HostStream, LogRecord, SocketAnswer};
use crate::ops::Shared;

/// How many handlers `warm` in js/globals.js tries.
const EVENTS: usize = 3;

/// The snapshot is built where nothing can be reached.
struct NoHost;

impl Host for NoHost {
    fn fetch(
        &self,
        _request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<Response<HostBody>, FetchError>> {
        let message = "there is no network while the snapshot is built".into();
        std::future::ready(Err(FetchError { message })).boxed_local()
    }

    fn web_socket(
        &self,
        _request: Request<()>,
    ) -> LocalBoxFuture<'static, Result<SocketAnswer, FetchError>> {
        let message = "there is no network while the snapshot is built".into();
        std::future::ready(Err(FetchError { message })).boxed_local()
    }

    fn connect(
        &self,
        _target: ConnectTarget,
    ) -> LocalBoxFuture<'static, Result<Box<dyn HostStream>, FetchError>> {
        let message = "there is no network while the snapshot is built".into();
        std::future::ready(Err(FetchError { message })).boxed_local()
    }

    fn log(&self, record: LogRecord<'_>) {
        // An error here would otherwise be lost with the build script's run.
        panic!("the warm-up logged: {}", record.message);
    }
}

/// Runs the warm-up. Panics where the runtime's scripts fail: that is a bug of
/// this crate, found while it is built.
pub fn warm_snapshot(runtime: &mut JsRuntime) {
    let shared = Shared::new(Rc::new(NoHost), Rc::default());
    runtime.op_state().borrow_mut().put(shared.clone());
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("warm.test"));
    let events: Vec<_> = (0..EVENTS)
        .map(|_| Event::request(headers.clone(), None))
        .collect();
    let ids: Vec<_> = events
        .iter()
        .map(|event| shared.events.insert(event.clone()))
        .collect();
    let code = format!("__outboardWarm({ids:?})");
    runtime
        .execute_script("warm", code)
        .expect("the runtime's scripts run");
    {
        deno_core::scope!(scope, runtime);
        v8::tc_scope!(let scope, scope);
        scope.perform_microtask_checkpoint();
    }
    for event in events {
        assert!(event.answered.get(), "a warm-up handler did not answer");
    }
}
