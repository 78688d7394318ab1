//! is_complete_request and its reply.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#code-completeness>

use serde::{Deserialize, Serialize};

use crate::Content;

/// Asks whether code is complete.
#[derive(Clone, Debug, Deserialize)]
pub struct IsCompleteRequest {
    /// The source text.
    pub code: String,
}

/// Whether a console should run the code or ask for another line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum IsCompleteReply {
    /// It can run.
    Complete,
    /// It needs more code.
    Incomplete {
        /// The indent of the next line.
        indent: String,
    },
    /// No continuation can make it valid.
    Invalid,
}

impl Content for IsCompleteReply {
    fn msg_type(&self) -> &str {
        "is_complete_reply"
    }
}
