//! Isolates: lanes, limits, and the API that a worker's script sees.
//!
//! Three types to know: a [`Worker`] is an immutable script version; a
//! [`Lane`] is a thread that runs isolates of workers; everything an isolate
//! asks for outside itself goes through a [`Host`]. This crate knows no other
//! room and opens no socket.

mod binding;
mod body;
mod cage;
mod capability;
mod delivery;
mod dynamic;
mod entrypoint;
mod error;
mod event;
mod extension;
mod heap;
mod host;
mod inspector;
mod isolate;
mod lane;
mod limits;
mod loader;
mod node_compat;
mod object;
mod ops;
mod pipe;
mod platform;
mod rewriter;
mod rpc;
pub mod sql;
mod trace;
mod warm;
mod watchdog;
mod worker;

pub use binding::{Binding, KeyBinding, KeyFormat, ResourceKind, ServiceTarget};
pub use body::{BodyError, HostBody, ResponseBody, body_behind, empty_body, full_body, split_head};
pub use cage::{Room, Usage};
pub use capability::Parcel;
pub use delivery::{
    Delivery, DeliveryOutcome, QueueBatch, QueueFormat, QueueMessage, QueueMetrics, Report, Retry,
    Said, ScheduledRun,
};
pub use dynamic::{DynamicLanes, Loaded};
pub use entrypoint::{CallLimits, Entrypoint, Props};
pub use error::{EventError, ScriptError, StartError};
pub use event::Upgrade;
pub use extension::snapshot_extensions;
pub use host::{
    CacheAnswer, CacheOperation, CacheRequest, ConnectTarget, FetchError, Host, HostStream,
    LogLevel, LogRecord, ObjectHost, ServiceAnswer, ServiceError, SocketAnswer, Transport,
};
pub use inspector::{Inspection, Inspector, InspectorError, InspectorSession};
pub use lane::{
    AlarmOutcome, Exports, Lane, LaneBusy, LaneConfig, LaneLocal, LaneRef, MakeHost, ObjectsEnd,
    Served,
};
pub use limits::Limits;
pub use object::{
    BadObjectId, FacetPresence, ObjectId, ObjectNamespace, ObjectStorage, ObjectTarget,
    StorageError,
};
pub use ops::web_socket::{SocketEnd, SocketMessage};
pub use outboard_compatibility::{Compatibility, Fault as CompatibilityFault, Flag};
pub use platform::{Collector, Engine, Snapshot};
pub use rpc::RpcEnd;
pub use trace::{TailTarget, Tailed, Tails};
pub use warm::warm_snapshot;
pub use worker::{
    Module, ModuleKind, ObjectIsolation, Reach, ScriptClock, Worker, WorkerError, WorkerSpec,
};
