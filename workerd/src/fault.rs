//! What is wrong with a configuration, and where.

use std::fmt;

/// One thing that keeps a configuration from being used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: `services[0].worker.bindings[2]`.
    pub path: String,
    pub problem: Problem,
}

/// Why it cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No workerd would take it either.
    Invalid(String),
    /// workerd offers it and Outboard does not; the name of the feature.
    NotOffered(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::Invalid(text) => write!(f, "{}: {text}", self.path),
            Problem::NotOffered(what) => write!(f, "{}: {what} not offered", self.path),
        }
    }
}
