//! The definitions of a session's cells, which execution passes to completion.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use swath_channel::Description;

/// Everything that cells have defined so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionView {
    /// Source text of items (functions, types, `use`), in the order of definition.
    pub(crate) items: Vec<String>,
    /// The variables.
    pub(crate) variables: Vec<Variable>,
    /// Dependencies, in the syntax of `:dep`: `regex = "1"`.
    pub(crate) deps: Vec<String>,
    /// The folder that paths are relative to, if known.
    #[serde(skip)]
    pub(crate) folder: Option<PathBuf>,
}

/// A variable of the session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: String,
    /// Its type, as source code that compiles.
    pub(crate) type_name: String,
    /// Whether it was declared `mut`.
    pub(crate) mutable: bool,
    /// Its type, for display.
    #[serde(skip)]
    pub(crate) short_type: String,
    /// The description of its value, which the analyzer does not need.
    #[serde(skip)]
    pub(crate) description: Arc<Description>,
}
