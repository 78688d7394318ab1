//! What cells have defined, as completion sees it.

use serde::{Deserialize, Serialize};

/// What cells have defined so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionView {
    /// Source text of items (functions, types, `use`), in the order of definition.
    pub(crate) items: Vec<String>,
    /// The variables.
    pub(crate) variables: Vec<Variable>,
    /// Dependencies, as after `:dep`: `regex = "1"`.
    pub(crate) deps: Vec<String>,
}

/// A variable of the session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: String,
    /// Its type, in source code that compiles.
    pub(crate) type_name: String,
    /// Whether it was declared `mut`.
    pub(crate) mutable: bool,
    /// Its value, in one line.
    pub(crate) summary: String,
    /// The memory that it takes, in bytes, where that is known.
    pub(crate) nbytes: Option<u64>,
}
