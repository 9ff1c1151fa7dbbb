//! A worker's exports as events find them.

use std::sync::Arc;
use std::time::Duration;

use crate::capability::Parcel;

/// Which export an event is for, and what its caller says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entrypoint {
    /// None: the default export.
    pub name: Option<String>,
    /// `ctx.props`; None where it is an empty object.
    pub props: Option<Props>,
    /// What its caller lets an event of it use.
    pub limits: Option<CallLimits>,
}

/// What a caller says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Props {
    /// An object.
    Json(String),
    /// An object in which there may be services and objects.
    Parcel(Arc<Parcel>),
}

/// Limits of one event that are below its worker's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallLimits {
    pub cpu: Option<Duration>,
    pub subrequests: Option<u32>,
}

impl Entrypoint {
    /// The default export, called by nobody in particular.
    pub const DEFAULT: &Self = &Self {
        name: None,
        props: None,
        limits: None,
    };
}

/// A kind of event that an export may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    Fetch,
    Scheduled,
    Test,
    Queue,
    Connect,
    Tail,
    TailStream,
}

impl Handler {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Scheduled => "scheduled",
            Self::Test => "test",
            Self::Queue => "queue",
            Self::Connect => "connect",
            Self::Tail => "tail",
            Self::TailStream => "tailStream",
        }
    }
}

/// The events that an export takes (`handlersOf` in js/dispatch.js).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Handlers(u32);

impl Handlers {
    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(crate) fn has_any(self) -> bool {
        self.0 != 0
    }

    pub(crate) fn has(self, handler: Handler) -> bool {
        let bit = match handler {
            Handler::Fetch => 1,
            Handler::Scheduled => 2,
            Handler::Test => 4,
            Handler::Queue => 8,
            Handler::Connect => 16,
            Handler::Tail => 32,
            Handler::TailStream => 64,
        };
        self.0 & bit != 0
    }
}
