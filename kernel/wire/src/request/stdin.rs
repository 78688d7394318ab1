//! The kernel's question to the user, and the answer.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#messages-on-the-stdin-router-dealer-channel>

use serde::{Deserialize, Serialize};

use crate::Content;

/// Asks for a line of text.
#[derive(Clone, Debug, Serialize)]
pub struct InputRequest {
    /// Shown before the field.
    pub prompt: String,
    /// Whether the typed text must not be shown.
    pub password: bool,
}

impl Content for InputRequest {
    fn msg_type(&self) -> &str {
        "input_request"
    }
}

/// The answer.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct InputReply {
    /// The line, without its line end.
    pub(super) value: String,
}
