//! workerd's configuration, as its tools write it: Cap'n Proto, binary or text.
//!
//! [`Config::from_binary`] and [`Config::from_text`] give checked structs, or
//! every fault with its path (`services[0].worker.bindings[2]: ...`). Both
//! formats become one tree of values first, and nothing of Cap'n Proto leaves
//! this crate. It runs nothing: what a service is made of is the node's to know.
#![forbid(unsafe_code)]

mod binary;
mod binding;
mod check;
mod config;
mod durable_objects;
mod fault;
mod text;
mod value;
mod worker;

pub use binding::{Algorithm, Binding, BindingKind, CryptoKey, KeyFormat};
pub use config::{
    Config, ConfigError, Designator, Disk, ExtensionModule, External, Header, HttpOptions, Network,
    Protocol, Service, ServiceKind, Socket, SocketProtocol, Style,
};
pub use durable_objects::{DurableObjects, DurableStorage};
pub use fault::{Fault, Problem};
pub use text::TextError;
pub use worker::{Module, ModuleKind, Source, WorkerConfig};

#[allow(
    clippy::all,
    unreachable_pub,
    dead_code,
    reason = "generated from the schema"
)]
mod workerd_capnp {
    include!(concat!(env!("OUT_DIR"), "/workerd_capnp.rs"));
}
