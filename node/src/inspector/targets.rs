//! The isolates that debuggers can attach to.

use outboard_runtime::{Inspector, InspectorSession};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Shared by the lanes, which add to it, and the server.
#[derive(Default)]
pub(super) struct Targets(Mutex<Vec<Target>>);

struct Target {
    id: Uuid,
    inspector: Inspector,
    /// Ends the sessions.
    gone: CancellationToken,
}

/// A session as it is opened, and what ends it.
pub(super) struct Opened {
    pub(super) session: InspectorSession,
    pub(super) gone: CancellationToken,
}

impl Targets {
    /// An isolate has started.
    pub(super) fn add(&self, inspector: Inspector) {
        let mut targets = self.0.lock();
        targets.retain(|target| !target.inspector.has_ended());
        targets.push(Target {
            id: Uuid::new_v4(),
            inspector,
            gone: CancellationToken::new(),
        });
    }

    /// Ends all sessions and forgets all isolates.
    pub(super) fn clear(&self) {
        for target in self.0.lock().drain(..) {
            target.gone.cancel();
        }
    }

    /// What `/json/list` says to a client that knows this server as `host`.
    pub(super) fn list(&self, host: &str) -> Value {
        let mut targets = self.0.lock();
        targets.retain(|target| !target.inspector.has_ended());
        let list = targets.iter().map(|target| {
            let at = format!("{host}/{}", target.id);
            json!({
                "id": target.id.to_string(),
                "type": "node",
                "title": target.inspector.worker(),
                "description": "an isolate of Outboard",
                "url": target.inspector.url(),
                "devtoolsFrontendUrl":
                    format!("devtools://devtools/bundled/js_app.html?experiments=true&v8only=true&ws={at}"),
                "devtoolsFrontendUrlCompat":
                    format!("devtools://devtools/bundled/inspector.html?experiments=true&v8only=true&ws={at}"),
                "webSocketDebuggerUrl": format!("ws://{at}"),
            })
        });
        Value::Array(list.collect())
    }

    /// Opens a session with the isolate of this name.
    pub(super) fn open(&self, id: &str) -> Option<Opened> {
        let id = Uuid::try_parse(id).ok()?;
        let targets = self.0.lock();
        let target = targets.iter().find(|target| target.id == id)?;
        Some(Opened {
            session: target.inspector.open()?,
            gone: target.gone.clone(),
        })
    }
}
