//! inspect_request and its reply.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#introspection>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Content;

/// Requests an explanation of the code at the cursor.
#[derive(Clone, Debug, Deserialize)]
pub struct InspectRequest {
    /// The source text.
    pub code: String,
    /// The cursor, in code points; by default, the end of the text.
    pub cursor_pos: Option<usize>,
}

/// The explanation.
#[derive(Clone, Debug, Default, Serialize)]
pub struct InspectReply {
    /// Always "ok": finding nothing is not an error.
    pub status: &'static str,
    /// Whether anything was found.
    pub found: bool,
    /// The explanation by MIME type.
    pub data: Map<String, Value>,
    /// Empty.
    pub metadata: Map<String, Value>,
}

impl Content for InspectReply {
    fn msg_type(&self) -> &str {
        "inspect_reply"
    }
}
