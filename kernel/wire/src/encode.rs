//! From typed contents to signed frames.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Frames, Header, Signer};

/// A content that the kernel sends.
pub trait Content: Serialize {
    /// The message's type.
    fn msg_type(&self) -> &str;
}

/// Makes the session's messages.
#[derive(Clone)]
pub struct Encoder {
    signer: Signer,
    session: String,
    username: String,
}

impl Encoder {
    /// An encoder of a new session: clients take its id for the kernel's identity.
    pub fn new(signer: Signer) -> Self {
        Self {
            signer,
            session: Uuid::new_v4().to_string(),
            username: std::env::var("USER").unwrap_or_else(|_| "kernel".to_owned()),
        }
    }

    /// The frames of a message sent to `identities` on behalf of `parent`, a
    /// header as it was received (`null`: nobody's request).
    pub fn encode<C: Content + ?Sized>(
        &self,
        identities: Vec<Bytes>,
        parent: &Value,
        content: &C,
    ) -> Result<Frames, serde_json::Error> {
        self.encode_json(
            identities,
            parent,
            content.msg_type(),
            serde_json::to_vec(content)?,
        )
    }

    /// The frames of an iopub message, with its topic.
    pub fn publish<C: Content + ?Sized>(
        &self,
        parent: &Value,
        content: &C,
    ) -> Result<Frames, serde_json::Error> {
        let topic = format!("kernel.{}.{}", self.session, content.msg_type());
        self.encode(vec![Bytes::from(topic)], parent, content)
    }

    /// Not generic: compiled once for all contents.
    fn encode_json(
        &self,
        identities: Vec<Bytes>,
        parent: &Value,
        msg_type: &str,
        content: Vec<u8>,
    ) -> Result<Frames, serde_json::Error> {
        let header = Header::new(&self.session, &self.username, msg_type);
        let parent_header = match parent {
            Value::Object(_) => Bytes::from(serde_json::to_vec(parent)?),
            _ => Bytes::from_static(b"{}"),
        };
        let mut frames = Frames {
            identities,
            header: Bytes::from(serde_json::to_vec(&header)?),
            parent_header,
            metadata: Bytes::from_static(b"{}"),
            content: Bytes::from(content),
            ..Frames::default()
        };
        frames.signature = Bytes::from(self.signer.sign(frames.signed()));
        Ok(frames)
    }
}
