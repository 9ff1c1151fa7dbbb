//! What can go wrong with a script, told apart by who has to act.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deno_core::error::{CoreError, CoreErrorKind, JsError};

/// An error that a script threw, with its stack mapped to the user's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// `TypeError: x is not a function`, without `Uncaught`.
    pub message: String,
    /// The lines of the stack below the message, `    at f (src/a.ts:3:5)`.
    pub frames: Vec<String>,
    /// The durable object that it comes from is gone with it.
    pub resets_object: bool,
    /// All that another worker is to catch, as `js/rpc_errors.js` has it.
    pub(crate) thrown: Option<Arc<[u8]>>,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for frame in &self.frames {
            write!(f, "\n{frame}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ScriptError {}

impl ScriptError {
    pub(crate) fn from_js(error: &JsError) -> Self {
        let message = error
            .exception_message
            .strip_prefix("Uncaught (in promise) ")
            .or_else(|| error.exception_message.strip_prefix("Uncaught "))
            .unwrap_or(&error.exception_message)
            .to_string();
        let frames = error
            .frames
            .iter()
            .filter(|frame| {
                // The runtime's own scripts say nothing to the worker's author.
                !frame
                    .file_name
                    .as_deref()
                    .is_some_and(|file| file.starts_with("ext:"))
            })
            .map(|frame| {
                format!(
                    "    at {}",
                    deno_core::error::format_frame::<deno_core::error::NoAnsiColors>(frame, None)
                        .replace("worker:///", "")
                )
            })
            .collect();
        Self {
            message,
            frames,
            resets_object: false,
            thrown: None,
        }
    }

    pub(crate) fn from_core(error: &CoreError) -> Self {
        match error.as_kind() {
            CoreErrorKind::Js(js) => Self::from_js(js),
            other => Self::plain(other.to_string()),
        }
    }

    pub(crate) fn plain(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            frames: Vec::new(),
            resets_object: false,
            thrown: None,
        }
    }
}

/// Why one event got no answer from its handler.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EventError {
    /// The handler threw, rejected or returned something that is no answer.
    #[error("{0}")]
    Exception(ScriptError),
    /// More CPU time than [`Limits::cpu`](crate::Limits::cpu).
    #[error("Worker exceeded its CPU time limit of {limit:?}")]
    CpuLimit { limit: Duration },
    /// More heap than [`Limits::heap`](crate::Limits::heap).
    #[error("Worker exceeded its memory limit of {} MB", limit >> 20)]
    MemoryLimit { limit: usize },
    /// A durable object lost its memory, and the event with it: its writes were not
    /// kept.
    #[error("the Durable Object was reset: {reason}")]
    ObjectReset { reason: String },
    /// No answer within [`Limits::wall`](crate::Limits::wall).
    #[error("Worker gave no answer within {limit:?}")]
    WallLimit { limit: Duration },
    /// An answer longer than [`Limits::response`](crate::Limits::response).
    #[error("Worker exceeded its response limit of {limit} bytes")]
    ResponseLimit { limit: u64 },
    /// Nothing is left that could ever make the handler answer.
    #[error(
        "The Workers runtime canceled this request because it detected that your \
         Worker's code had hung and would never generate a response. Refer to: \
         https://developers.cloudflare.com/workers/observability/errors/"
    )]
    Hung,
    /// The isolate went down because of another of its events.
    #[error("The isolate was stopped while it served another event: {reason}")]
    IsolateLost { reason: String },
    /// The script ended its isolate. Why is its author's to know, and in the log.
    #[error("internal error; reference = {reference}")]
    Aborted { reference: String },
    /// The isolate has as many events open as it may.
    #[error("Worker is overloaded: {open} events are open")]
    Overloaded { open: usize },
    /// The isolate could not start.
    #[error("{0}")]
    Start(#[from] StartError),
    /// The worker has no handler for this kind of event.
    #[error("Handler does not export a {kind}() function.")]
    NoHandler { kind: &'static str },
    /// The worker's main module has no such export, or it takes no events.
    #[error("Worker \"{worker}\" has no entrypoint named \"{name}\".")]
    NoEntrypoint { worker: String, name: String },
}

impl EventError {
    pub(crate) fn aborted() -> Self {
        Self::Aborted {
            reference: uuid::Uuid::new_v4().simple().to_string(),
        }
    }
}

/// Why an isolate of a worker could not start.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StartError {
    /// The script does not compile, an import is missing, or its top level threw.
    #[error("{0}")]
    Script(ScriptError),
    /// The top level used more CPU time than it may.
    #[error("Script startup exceeded CPU time limit of {limit:?}.")]
    CpuLimit { limit: Duration },
    /// The top level used more memory than the isolate may.
    #[error("Script startup exceeded the memory limit of {} MB.", limit >> 20)]
    MemoryLimit { limit: usize },
    /// The top level called `abortIsolate()`.
    #[error("The script called abortIsolate() while it started: {reason:?}")]
    Aborted { reason: String },
    /// A top-level await never settles.
    #[error("Top-level await promise never resolved.")]
    Stalled,
    /// The process has no room for another heap.
    #[error("no room for another isolate: {used_mb} MB of heap in use by {isolates} isolates")]
    Full { used_mb: usize, isolates: usize },
}
