//! A worker's exports as events find them.

/// Which export an event is for, and what its caller says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entrypoint {
    /// None: the default export.
    pub name: Option<String>,
    /// `ctx.props`, as JSON; None where it is an empty object.
    pub props: Option<String>,
}

impl Entrypoint {
    /// The default export, called by nobody in particular.
    pub const DEFAULT: &Self = &Self {
        name: None,
        props: None,
    };
}

/// A kind of event that an export may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    Fetch,
    Scheduled,
    Test,
    Queue,
}

impl Handler {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Scheduled => "scheduled",
            Self::Test => "test",
            Self::Queue => "queue",
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
        };
        self.0 & bit != 0
    }
}
