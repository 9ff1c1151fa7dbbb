//! A configuration as both formats give it, before anything of it is checked.

/// One value. Text and data are both bytes: which of the two a field wants is
/// known when it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Void,
    Bool(bool),
    Number(u64),
    Bytes(Vec<u8>),
    /// An enumerant.
    Name(String),
    List(Vec<Value>),
    /// Fields that were given, in order. Of a union only the chosen one.
    Struct(Vec<(String, Value)>),
}

impl Value {
    /// What it is, for an error.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Void => "void",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Bytes(_) => "text",
            Self::Name(_) => "a name",
            Self::List(_) => "a list",
            Self::Struct(_) => "a struct",
        }
    }
}
