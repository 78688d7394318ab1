//! interrupt_request's reply; shutdown_request and its reply.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#kernel-shutdown>

use serde::{Deserialize, Serialize};

use super::Content;

/// The interrupt is under way.
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

/// End the kernel.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ShutdownRequest {
    /// Whether another one will be started in its place.
    #[serde(default)]
    pub restart: bool,
}

/// The kernel ends now.
#[derive(Clone, Debug, Serialize)]
pub struct ShutdownReply {
    /// Always "ok".
    pub status: &'static str,
    /// As asked.
    pub restart: bool,
}

impl Content for ShutdownReply {
    fn msg_type(&self) -> &str {
        "shutdown_reply"
    }
}
