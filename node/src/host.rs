//! The node's answer to what isolates ask for: its gateway for the way out, its
//! log for what they say.

use std::rc::Rc;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt;
use outboard_egress::{Client, RequestBody};
use outboard_runtime::{BodyError, FetchError, Host, HostBody, LogLevel, LogRecord, ScriptError};

use crate::output;

/// Where lines of workers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkerLog {
    /// To the developer's terminal, as they are.
    Terminal,
    /// As events of the node's own log.
    Tracing,
}

pub(crate) struct NodeHost {
    client: Client,
    log: WorkerLog,
}

impl NodeHost {
    pub(crate) fn new(client: Client, log: WorkerLog) -> Rc<dyn Host> {
        Rc::new(Self { client, log })
    }
}

impl Host for NodeHost {
    fn fetch(
        &self,
        request: Request<HostBody>,
    ) -> LocalBoxFuture<'static, Result<Response<HostBody>, FetchError>> {
        let client = self.client.clone();
        async move {
            let request = request.map(RequestBody::new);
            match client.send(request).await {
                Ok(response) => Ok(response.map(|body| {
                    body.map_err(|error| BodyError(error.to_string()))
                        .boxed_unsync()
                })),
                Err(error) => Err(FetchError {
                    message: error.to_string(),
                }),
            }
        }
        .boxed_local()
    }

    fn log(&self, record: LogRecord<'_>) {
        match self.log {
            WorkerLog::Terminal => print_line(&record),
            WorkerLog::Tracing => trace_line(&record),
        }
    }
}

fn trace_line(record: &LogRecord<'_>) {
    let LogRecord {
        worker, message, ..
    } = record;
    match record.level {
        LogLevel::Debug => tracing::debug!(target: "worker", %worker, "{message}"),
        LogLevel::Info => tracing::info!(target: "worker", %worker, "{message}"),
        LogLevel::Warn => tracing::warn!(target: "worker", %worker, "{message}"),
        LogLevel::Error => tracing::error!(target: "worker", %worker, "{message}"),
    }
}

fn print_line(record: &LogRecord<'_>) {
    match record.error {
        Some(error) => eprintln!("{}", pretty_error(error)),
        None => match record.level {
            LogLevel::Debug => println!("{}", output::mark(record.message, output::DIM)),
            LogLevel::Info => println!("{}", record.message),
            LogLevel::Warn => eprintln!("{}", output::mark(record.message, output::YELLOW)),
            LogLevel::Error => eprintln!("{}", output::mark(record.message, output::RED)),
        },
    }
}

/// A script's error for a person: the message stands out, the stack does not.
pub(crate) fn pretty_error(error: &ScriptError) -> String {
    let mut text = format!(
        "{} {}",
        output::mark("Uncaught", output::RED),
        output::mark(&error.message, output::BOLD)
    );
    for frame in &error.frames {
        text.push('\n');
        text.push_str(&output::mark(frame, output::DIM));
    }
    text
}

/// A lane's host, made on the lane: connections live where they are used.
pub(crate) type MakeHost = Arc<dyn Fn() -> Rc<dyn Host> + Send + Sync>;
