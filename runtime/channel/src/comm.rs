//! Comm messages between a client and code in the runtime process.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// An action of one end of a comm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comm {
    /// The comm's id.
    pub id: String,
    /// The action.
    pub action: CommAction,
    /// The data, in a form that the two ends agree on.
    pub data: Value,
    /// The message's metadata.
    pub metadata: Map<String, Value>,
    /// Raw data.
    pub buffers: Vec<Buffer>,
}

/// The actions of one end of a comm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommAction {
    /// Open the comm.
    Open {
        /// The name of the target at the other end.
        target: String,
    },
    /// Send a message.
    Message,
    /// Close the comm.
    Close,
}

/// Bytes; base64 in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buffer(pub Vec<u8>);

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Serialize for Buffer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Buffer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_any_bytes() {
        let buffer = Buffer((0..=255).collect());
        let text = serde_json::to_string(&buffer).expect("a text");
        assert_eq!(
            serde_json::from_str::<Buffer>(&text).expect("base64"),
            buffer
        );
        assert!(serde_json::from_str::<Buffer>("\"?\"").is_err());
    }
}
