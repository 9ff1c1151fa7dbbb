//! The inspector of an isolate: Chrome DevTools Protocol messages, in and out,
//! for whoever has a transport to carry them.
//!
//! A session works from any thread and does not need the lane to listen: V8
//! takes commands between two instructions of a script, and while a script is
//! paused at a breakpoint the lane waits for nothing else.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deno_core::futures::StreamExt;
use deno_core::futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use deno_core::{
    InspectorMsg, InspectorSessionChannels, InspectorSessionKind, InspectorSessionProxy, JsRuntime,
    v8,
};

use crate::worker::Worker;

/// Commands a session may have waiting. A client waits for answers, so more
/// means that the isolate is not coming round to any.
const COMMANDS: usize = 1_024;

/// Whether isolates of a lane can be inspected.
#[derive(Clone, Default)]
pub enum Inspection {
    /// They cannot, and nothing is paid for it.
    #[default]
    Off,
    /// They can: each is told of when it serves, on its lane.
    On(Arc<dyn Fn(Inspector) + Send + Sync>),
}

impl Inspection {
    pub(crate) fn is_on(&self) -> bool {
        matches!(self, Self::On(_))
    }

    /// Tells of an isolate that serves `worker` now.
    pub(crate) fn tell(&self, worker: &Worker, hatch: Option<&Hatch>) {
        if let (Self::On(tell), Some(hatch)) = (self, hatch) {
            tell(Inspector {
                worker: worker.name.clone(),
                url: worker.main.to_string(),
                hatch: hatch.clone(),
            });
        }
    }
}

impl fmt::Debug for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_on() { "On" } else { "Off" })
    }
}

/// An isolate's end of its inspector: where sessions come in, and how many
/// there are.
#[derive(Clone)]
pub(crate) struct Hatch {
    sessions: UnboundedSender<InspectorSessionProxy>,
    attached: Arc<AtomicUsize>,
}

impl Hatch {
    /// Gives a runtime its inspector. The runtime must be current.
    pub(crate) fn open(runtime: &mut JsRuntime) -> Self {
        runtime.maybe_init_inspector();
        Self {
            sessions: runtime.inspector().get_session_sender(),
            attached: Arc::default(),
        }
    }

    /// The isolate serves no more: nobody can attach to it any longer.
    pub(crate) fn close(&self) {
        self.sessions.close_channel();
    }

    /// Whether anybody looks: what a developer steps through takes its time.
    pub(crate) fn is_attached(&self) -> bool {
        self.attached.load(Ordering::Relaxed) > 0
    }
}

/// V8's own `console.error`, which is heard by debuggers and nobody else.
pub(crate) struct ErrorConsole(v8::Global<v8::Function>);

impl ErrorConsole {
    pub(crate) fn find(runtime: &mut JsRuntime) -> Option<Self> {
        let context = runtime.main_context();
        deno_core::scope!(scope, runtime);
        let context = v8::Local::new(scope, context);
        let extras = context.get_extras_binding_object(scope);
        let name = v8::String::new(scope, "console")?;
        let console = extras.get(scope, name.into())?.to_object(scope)?;
        let name = v8::String::new(scope, "error")?;
        let error = console.get(scope, name.into())?;
        let error = v8::Local::<v8::Function>::try_from(error).ok()?;
        Some(Self(v8::Global::new(scope, error)))
    }

    /// Shows an error that nobody caught.
    pub(crate) fn show<'a>(
        &self,
        scope: &mut v8::PinScope<'a, '_>,
        error: v8::Local<'a, v8::Value>,
    ) {
        v8::tc_scope!(let scope, scope);
        let Some(label) = v8::String::new(scope, "Uncaught") else {
            return;
        };
        let receiver = v8::undefined(scope).into();
        let function = v8::Local::new(scope, &self.0);
        // Nobody to tell if it throws.
        let _ = function.call(scope, receiver, &[label.into(), error]);
    }
}

/// An isolate that can be inspected.
#[derive(Clone)]
pub struct Inspector {
    worker: String,
    url: String,
    hatch: Hatch,
}

impl Inspector {
    /// The name of the worker that the isolate serves.
    pub fn worker(&self) -> &str {
        &self.worker
    }

    /// The URL of the worker's main module, as scripts have it in the protocol.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the isolate serves no more.
    pub fn has_ended(&self) -> bool {
        self.hatch.sessions.is_closed()
    }

    /// Opens a session, unless the isolate has ended. While there is one, the
    /// isolate's events have neither a wall nor their usual CPU limit.
    pub fn open(&self) -> Option<InspectorSession> {
        let (events_in, events) = unbounded();
        let (commands, commands_out) = unbounded();
        let attached = Attached::new(&self.hatch.attached);
        self.hatch
            .sessions
            .unbounded_send(InspectorSessionProxy {
                channels: InspectorSessionChannels::Regular {
                    tx: events_in,
                    rx: commands_out,
                },
                kind: InspectorSessionKind::NonBlocking {
                    wait_for_disconnect: false,
                },
            })
            .ok()?;
        Some(InspectorSession {
            commands,
            events,
            _attached: attached,
        })
    }
}

impl fmt::Debug for Inspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspector")
            .field("worker", &self.worker)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Counts a session for as long as it is there.
struct Attached(Arc<AtomicUsize>);

impl Attached {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a session takes no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InspectorError {
    #[error("the isolate has ended")]
    Ended,
    #[error("{COMMANDS} commands are waiting")]
    Full,
}

/// One debugger's session with an isolate. Dropping it ends it; a script that
/// is paused then goes on.
pub struct InspectorSession {
    commands: UnboundedSender<String>,
    events: UnboundedReceiver<InspectorMsg>,
    _attached: Attached,
}

impl InspectorSession {
    /// Sends a command, `{"id": 1, "method": "Runtime.enable"}`.
    pub fn send(&self, command: String) -> Result<(), InspectorError> {
        if self.commands.len() >= COMMANDS {
            return Err(InspectorError::Full);
        }
        self.commands
            .unbounded_send(command)
            .map_err(|_closed| InspectorError::Ended)
    }

    /// The next answer or event, until the isolate ends. V8 says all that it has
    /// to say at once and waits for nobody, so whoever holds a session keeps
    /// taking and bounds what is kept. Cancel-safe.
    pub async fn next(&mut self) -> Option<String> {
        self.events.next().await.map(|message| message.content)
    }
}
