//! inspect_request and its reply.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#introspection>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Content;

/// Explain what is at the cursor.
#[derive(Clone, Debug, Deserialize)]
pub struct InspectRequest {
    /// The source text.
    pub code: String,
    /// The cursor, in code points; without it, the text's end.
    pub cursor_pos: Option<usize>,
}

/// What is known.
#[derive(Clone, Debug, Default, Serialize)]
pub struct InspectReply {
    /// Always "ok": not to find anything is no error.
    pub status: &'static str,
    /// Whether anything was found.
    pub found: bool,
    /// By MIME type.
    pub data: Map<String, Value>,
    /// Empty.
    pub metadata: Map<String, Value>,
}

impl Content for InspectReply {
    fn msg_type(&self) -> &str {
        "inspect_reply"
    }
}
