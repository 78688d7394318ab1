//! interrupt_request's reply; shutdown_request and its reply.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#kernel-shutdown>

use serde::{Deserialize, Serialize};

use crate::Content;

/// Confirms that the interrupt was requested.
#[derive(Clone, Debug, Serialize)]
pub struct InterruptReply {
    /// Always "ok".
    pub status: &'static str,
}

impl Content for InterruptReply {
    fn msg_type(&self) -> &str {
        "interrupt_reply"
    }
}

/// Requests the end of the kernel.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ShutdownRequest {
    /// Whether another kernel will replace it.
    #[serde(default)]
    pub restart: bool,
}

/// Confirms that the kernel ends now.
#[derive(Clone, Debug, Serialize)]
pub struct ShutdownReply {
    /// Always "ok".
    pub status: &'static str,
    /// As in the request.
    pub restart: bool,
}

impl Content for ShutdownReply {
    fn msg_type(&self) -> &str {
        "shutdown_reply"
    }
}
