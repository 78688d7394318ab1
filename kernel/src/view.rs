//! What cells have defined: what execution says of it, and completion knows.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use swath_channel::Description;

/// What cells have defined so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionView {
    /// Source text of items (functions, types, `use`), in the order of definition.
    pub(crate) items: Vec<String>,
    /// The variables.
    pub(crate) variables: Vec<Variable>,
    /// Dependencies, as after `:dep`: `regex = "1"`.
    pub(crate) deps: Vec<String>,
    /// The folder that paths are relative to, where it is known.
    #[serde(skip)]
    pub(crate) folder: Option<PathBuf>,
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
    /// Its type, for people.
    #[serde(skip)]
    pub(crate) short_type: String,
    /// What is told of its value; the analyzer has no use for that.
    #[serde(skip)]
    pub(crate) description: Arc<Description>,
}
