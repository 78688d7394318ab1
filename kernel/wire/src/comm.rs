//! Comms. The kernel has no target of its own, so that every comm which a
//! client opens is closed again, as the protocol asks.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#custom-messages>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Content;

/// A comm that a client opens.
#[derive(Clone, Debug, Deserialize)]
pub struct CommOpen {
    /// The comm's id.
    pub comm_id: String,
    /// Whom the client wants at the other end.
    #[serde(default)]
    pub target_name: String,
}

/// The comm that a comm_msg or comm_close is about; its data nobody reads.
#[derive(Clone, Debug, Deserialize)]
pub struct CommId {
    /// The comm's id.
    pub comm_id: String,
}

/// Closes a comm.
#[derive(Clone, Debug, Serialize)]
pub struct CommClose {
    /// The comm's id.
    pub comm_id: String,
    /// Empty.
    pub data: Map<String, Value>,
}

impl Content for CommClose {
    fn msg_type(&self) -> &str {
        "comm_close"
    }
}

/// The open comms: none.
#[derive(Clone, Debug, Serialize)]
pub struct CommInfoReply {
    /// Always "ok".
    pub status: &'static str,
    /// By id.
    pub comms: Map<String, Value>,
}

impl Content for CommInfoReply {
    fn msg_type(&self) -> &str {
        "comm_info_reply"
    }
}
