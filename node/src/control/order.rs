//! What tenants ask of a node, one at a time, and what they are told.

use bytes::Bytes;
use outboard_project::{Package, PackageError};
use serde::Serialize;
use tokio::sync::oneshot;

use super::versions::{DeploymentsError, Version};
use crate::objects::{MigrateError, MigrationError, OpenError};

/// Something a tenant wants.
pub(crate) struct Order {
    pub(crate) tenant: String,
    /// The id of the token that says so.
    pub(crate) token: String,
    pub(crate) action: Action,
    pub(crate) reply: oneshot::Sender<Result<Answer, Refusal>>,
}

pub(crate) enum Action {
    Workers,
    Deploy {
        worker: String,
        package: Box<Package>,
        /// What it was read from, to be kept.
        bytes: Bytes,
    },
    /// It is served no more, and its versions and secrets go.
    Delete {
        worker: String,
    },
    Versions {
        worker: String,
    },
    /// To the version before where none is named.
    Rollback {
        worker: String,
        version: Option<u64>,
    },
    Secrets {
        worker: String,
    },
    /// None removes it.
    SetSecret {
        worker: String,
        name: String,
        value: Option<super::SecretValue>,
    },
}

/// What there is, as JSON.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Workers {
        workers: Vec<WorkerLine>,
    },
    /// This version is served now.
    Served {
        worker: String,
        version: u64,
        routes: Vec<String>,
    },
    Deleted {
        deleted: String,
    },
    /// It is kept for the first version.
    Set {
        worker: String,
    },
    Versions {
        current: Option<u64>,
        versions: Vec<VersionLine>,
    },
    /// Names alone: values are never told.
    Secrets {
        secrets: Vec<String>,
    },
}

#[derive(Debug, Serialize)]
pub(crate) struct WorkerLine {
    pub(crate) name: String,
    pub(crate) version: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct VersionLine {
    pub(crate) number: u64,
    pub(crate) created: u64,
    pub(crate) cause: String,
    pub(crate) token: String,
    pub(crate) package: String,
}

impl From<&Version> for VersionLine {
    fn from(version: &Version) -> Self {
        Self {
            number: version.number,
            created: version.created,
            cause: version.cause.clone(),
            token: version.token.clone(),
            package: version.package.clone(),
        }
    }
}

/// Why something was not done; nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// Its tenant was taken out of the node's config.
    #[error("the token's tenant is not served by this node")]
    NoTenant,
    #[error("there is no worker {0:?}")]
    NoWorker(String),
    #[error(
        "worker {worker:?} has no version {version}; `outboard versions list` lists those that are kept"
    )]
    NoVersion { worker: String, version: u64 },
    #[error("worker {0:?} has no version before the one that is served")]
    NoneBefore(String),
    #[error("worker {worker:?} has no secret {name:?}")]
    NoSecret { worker: String, name: String },
    #[error(
        "worker {caller:?} is bound to {worker:?}; deploy {caller:?} without that binding first"
    )]
    Called { worker: String, caller: String },
    #[error(transparent)]
    Package(#[from] PackageError),
    #[error(transparent)]
    Worker(#[from] outboard_runtime::WorkerError),
    #[error("{field}: {fault}")]
    Field { field: String, fault: String },
    #[error(transparent)]
    Migration(#[from] MigrationError),
    #[error("the script does not start: {0}")]
    Script(String),
    /// What failed is the node's own affair, and in its log.
    #[error("the node could not do it; its log says why")]
    Internal(#[from] Internal),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Internal {
    #[error(transparent)]
    Deployments(#[from] DeploymentsError),
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error(transparent)]
    Node(#[from] crate::node::NodeError),
}

impl Refusal {
    pub(crate) fn field(field: impl Into<String>, fault: impl Into<String>) -> Self {
        Self::Field {
            field: field.into(),
            fault: fault.into(),
        }
    }
}

impl From<DeploymentsError> for Refusal {
    fn from(error: DeploymentsError) -> Self {
        Self::Internal(error.into())
    }
}
