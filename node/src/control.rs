//! Deployments to a running node: who may send them, what is kept of them, and the
//! API that they come in by. What the node then serves is the site's to decide
//! (`commands/serve/site.rs`), which takes one [`Order`] at a time.

mod api;
mod file;
mod order;
mod server;
mod tokens;
mod versions;

pub(crate) use self::api::Control;
pub(crate) use self::order::{Action, Answer, Internal, Order, Refusal, VersionLine, WorkerLine};
pub(crate) use self::server::serve;
pub(crate) use self::tokens::TokenStore;
pub(crate) use self::versions::{Deployments, SecretValue, Secrets, WorkerState};

/// Where a node keeps all this, in its data folder.
pub(crate) const FOLDER: &str = "control";
