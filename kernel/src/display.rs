//! Displays, which cells send to clients.

use serde_json::{Map, Value};

/// A value in several representations, by MIME type.
#[derive(Clone, Debug, Default)]
pub(crate) struct MimeBundle {
    /// MIME type to content (a string, or JSON for JSON types).
    pub(crate) data: Map<String, Value>,
    /// Metadata by MIME type.
    pub(crate) metadata: Map<String, Value>,
}

/// A display.
#[derive(Clone, Debug)]
pub(crate) struct Display {
    /// The content.
    pub(crate) bundle: MimeBundle,
    /// The id of the display, if it can be updated.
    pub(crate) id: Option<String>,
    /// Whether this replaces the earlier content of `id`.
    pub(crate) update: bool,
}
