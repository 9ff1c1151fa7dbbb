//! What a name of `env` can be, besides text and JSON.

use std::fmt;
use std::sync::Arc;

use crate::entrypoint::Entrypoint;
use crate::object::ObjectNamespace;

/// The value of a name of `env`.
#[derive(Clone, PartialEq, Eq)]
pub enum Binding {
    /// An ArrayBuffer.
    Data(Vec<u8>),
    /// A `WebAssembly.Module`, from Wasm's binary form.
    Wasm(Vec<u8>),
    /// A `CryptoKey`.
    Key(KeyBinding),
    /// A `Fetcher`: what it fetches goes to a service of the host's.
    Service(Arc<ServiceTarget>),
    /// A `DurableObjectNamespace`.
    Objects(Arc<ObjectNamespace>),
    /// A `DurableObjectClass` of a worker of the host's, which facets may have.
    Class(Arc<ServiceTarget>),
    /// An object of the kind's class: what it does is requests to a service of the
    /// host's, in the kind's own protocol.
    Resource(ResourceKind, Arc<ServiceTarget>),
    /// A `WorkerLoader`. Those of a worker with the same name here share what they
    /// load by name.
    Loader(String),
}

/// What keeps data beside a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    /// A `KvNamespace`.
    Kv,
    /// An `R2Bucket`.
    R2,
    /// A `D1Database`.
    D1,
    /// A `Queue`, as who writes to it has it.
    Queue,
}

impl ResourceKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kv => "kv",
            Self::R2 => "r2",
            Self::D1 => "d1",
            Self::Queue => "queue",
        }
    }
}

/// A key as `crypto.subtle.importKey` takes it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyBinding {
    pub format: KeyFormat,
    /// The bytes; of a JWK its JSON text.
    pub data: Vec<u8>,
    /// JSON: a name or an object.
    pub algorithm: serde_json::Value,
    pub extractable: bool,
    /// `sign`, `verify`, ...
    pub usages: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFormat {
    Raw,
    Pkcs8,
    Spki,
    Jwk,
}

impl KeyFormat {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Pkcs8 => "pkcs8",
            Self::Spki => "spki",
            Self::Jwk => "jwk",
        }
    }
}

/// A service of the host's, and what of it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTarget {
    /// The name that the host knows it by.
    pub service: String,
    pub entrypoint: Entrypoint,
}

impl fmt::Debug for Binding {
    // Not derived: data and keys may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(_) => f.write_str("Data"),
            Self::Wasm(_) => f.write_str("Wasm"),
            Self::Key(key) => f.debug_tuple("Key").field(&key.format).finish(),
            Self::Objects(namespace) => f.debug_tuple("Objects").field(namespace).finish(),
            Self::Class(target) => f.debug_tuple("Class").field(target).finish(),
            Self::Service(target) => f.debug_tuple("Service").field(target).finish(),
            Self::Resource(kind, target) => {
                f.debug_tuple("Resource").field(kind).field(target).finish()
            }
            Self::Loader(name) => f.debug_tuple("Loader").field(name).finish(),
        }
    }
}
