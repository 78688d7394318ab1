//! Comms: messages between a client and code in the kernel, under an id.
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#custom-messages>

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Content;

/// Opens a comm; from either side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommOpen {
    /// The comm's id.
    pub comm_id: String,
    /// The target at the other end.
    #[serde(default)]
    pub target_name: String,
    /// Data in a format that the two ends agree on.
    #[serde(default)]
    pub data: Value,
    /// The message's metadata.
    #[serde(skip)]
    pub metadata: Map<String, Value>,
    /// Additional raw data.
    #[serde(skip)]
    pub buffers: Vec<Bytes>,
}

/// A message on a comm; from either side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommMsg {
    /// The comm's id.
    pub comm_id: String,
    /// Data in a format that the two ends agree on.
    #[serde(default)]
    pub data: Value,
    /// The message's metadata.
    #[serde(skip)]
    pub metadata: Map<String, Value>,
    /// Additional raw data.
    #[serde(skip)]
    pub buffers: Vec<Bytes>,
}

/// Closes a comm; from either side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommClose {
    /// The comm's id.
    pub comm_id: String,
    /// Data in a format that the two ends agree on.
    #[serde(default)]
    pub data: Value,
    /// The message's metadata.
    #[serde(skip)]
    pub metadata: Map<String, Value>,
    /// Additional raw data.
    #[serde(skip)]
    pub buffers: Vec<Bytes>,
}

impl Content for CommOpen {
    fn msg_type(&self) -> &str {
        "comm_open"
    }

    fn metadata(&self) -> Option<&Map<String, Value>> {
        Some(&self.metadata)
    }

    fn buffers(&self) -> &[Bytes] {
        &self.buffers
    }
}

impl Content for CommMsg {
    fn msg_type(&self) -> &str {
        "comm_msg"
    }

    fn metadata(&self) -> Option<&Map<String, Value>> {
        Some(&self.metadata)
    }

    fn buffers(&self) -> &[Bytes] {
        &self.buffers
    }
}

impl Content for CommClose {
    fn msg_type(&self) -> &str {
        "comm_close"
    }

    fn metadata(&self) -> Option<&Map<String, Value>> {
        Some(&self.metadata)
    }

    fn buffers(&self) -> &[Bytes] {
        &self.buffers
    }
}

/// Requests the list of open comms.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CommInfoRequest {
    /// Restricts the list to this target.
    #[serde(default)]
    pub target_name: Option<String>,
}

/// The open comms.
#[derive(Clone, Debug, Serialize)]
pub struct CommInfoReply {
    /// Always "ok".
    pub status: &'static str,
    /// `{"target_name": …}` by id.
    pub comms: Map<String, Value>,
}

impl Content for CommInfoReply {
    fn msg_type(&self) -> &str {
        "comm_info_reply"
    }
}
