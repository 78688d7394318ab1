//! Encodes typed contents as signed frames.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Frames, Header, Signer};

/// A content that the kernel sends.
pub trait Content: Serialize {
    /// The message's type.
    fn msg_type(&self) -> &str;
    /// The message's metadata.
    fn metadata(&self) -> Option<&Map<String, Value>> {
        None
    }
    /// Additional raw data.
    fn buffers(&self) -> &[Bytes] {
        &[]
    }
}

/// Encodes the session's messages.
#[derive(Clone)]
pub struct Encoder {
    signer: Signer,
    session: String,
    username: String,
}

impl Encoder {
    /// Returns an encoder of a new session. Clients treat the session's id as the
    /// kernel's identity.
    pub fn new(signer: Signer) -> Self {
        Self {
            signer,
            session: Uuid::new_v4().to_string(),
            username: std::env::var("USER").unwrap_or_else(|_| "kernel".to_owned()),
        }
    }

    /// Returns the frames of a message sent to `identities` on behalf of `parent`,
    /// a header as received (`null` if no request caused the message).
    pub fn encode<C: Content + ?Sized>(
        &self,
        identities: Vec<Bytes>,
        parent: &Value,
        content: &C,
    ) -> Result<Frames, serde_json::Error> {
        let encoded = serde_json::to_vec(content)?;
        let mut frames = self.frames(identities, parent, content.msg_type(), encoded)?;
        if let Some(metadata) = content.metadata() {
            frames.metadata = Bytes::from(serde_json::to_vec(metadata)?);
        }
        frames.buffers = content.buffers().to_vec();
        frames.signature = Bytes::from(self.signer.sign(frames.signed()));
        Ok(frames)
    }

    /// Returns the frames of an iopub message, with its topic.
    pub fn publish<C: Content + ?Sized>(
        &self,
        parent: &Value,
        content: &C,
    ) -> Result<Frames, serde_json::Error> {
        let topic = format!("kernel.{}.{}", self.session, content.msg_type());
        self.encode(vec![Bytes::from(topic)], parent, content)
    }

    /// Returns the frames before they are signed. It is not generic, so that it is
    /// compiled only once.
    fn frames(
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
        Ok(Frames {
            identities,
            header: Bytes::from(serde_json::to_vec(&header)?),
            parent_header,
            metadata: Bytes::from_static(b"{}"),
            content: Bytes::from(content),
            ..Frames::default()
        })
    }
}
