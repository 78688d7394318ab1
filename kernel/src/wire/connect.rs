//! connect_request's reply.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#connect>

use serde::Serialize;

use super::Content;

/// The kernel's ports.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ConnectReply {
    /// Always "ok".
    pub(crate) status: &'static str,
    /// Requests.
    pub(crate) shell_port: u16,
    /// Broadcasts.
    pub(crate) iopub_port: u16,
    /// Questions to the user.
    pub(crate) stdin_port: u16,
    /// Echo.
    pub(crate) hb_port: u16,
    /// Urgent requests.
    pub(crate) control_port: u16,
}

impl Content for ConnectReply {
    fn msg_type(&self) -> &str {
        "connect_reply"
    }
}
