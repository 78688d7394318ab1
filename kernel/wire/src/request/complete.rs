//! complete_request and its reply. Offsets count Unicode code points.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#completion>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Content;

/// Requests the completion of code.
#[derive(Clone, Debug, Deserialize)]
pub struct CompleteRequest {
    /// The source text.
    pub code: String,
    /// The cursor, in code points; by default, the end of the text.
    pub cursor_pos: Option<usize>,
}

/// The matches, and the range of text that each of them replaces.
#[derive(Clone, Debug, Serialize)]
pub struct CompleteReply {
    /// The replacements.
    pub matches: Vec<String>,
    /// The range's start, in code points.
    pub cursor_start: usize,
    /// The range's end, in code points.
    pub cursor_end: usize,
    /// JupyterLab reads kinds and signatures from `_jupyter_types_experimental`.
    pub metadata: Map<String, Value>,
    /// Always "ok".
    pub status: &'static str,
}

impl Content for CompleteReply {
    fn msg_type(&self) -> &str {
        "complete_reply"
    }
}
