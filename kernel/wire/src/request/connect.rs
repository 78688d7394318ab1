//! connect_request's reply.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#connect>

use serde::Serialize;

use crate::Content;

/// The kernel's ports.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectReply {
    /// Always "ok".
    pub status: &'static str,
    /// Requests.
    pub shell_port: u16,
    /// Broadcasts.
    pub iopub_port: u16,
    /// Questions to the user.
    pub stdin_port: u16,
    /// Echo.
    pub hb_port: u16,
    /// Urgent requests.
    pub control_port: u16,
}

impl Content for ConnectReply {
    fn msg_type(&self) -> &str {
        "connect_reply"
    }
}
