//! From frames to a typed request, or to the reason for dropping them.

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;
use serde_json::Value;
use thiserror::Error;

use super::frames::FrameError;
use super::{BadRequest, Frames, Header, Request, Signer};

/// How many signatures are remembered, to drop messages that are played back.
const REMEMBERED_SIGNATURES: usize = 65_536;

/// A received message: who asks, and what.
#[derive(Debug)]
pub struct Envelope {
    /// Where a reply goes.
    pub identities: Vec<Bytes>,
    /// The header as received, every field kept: the parent of what is sent
    /// on behalf of this message.
    pub header: Value,
    /// The message's type.
    pub msg_type: String,
    /// The request, or why its content isn't one: that gets an error reply.
    pub request: Result<Request, BadRequest>,
    /// Raw data beside the content, which no signature covers.
    pub buffers: Vec<Bytes>,
}

/// Why a message is dropped.
#[derive(Debug, Error)]
pub enum Rejected {
    /// Not a message of this protocol.
    #[error(transparent)]
    Frames(#[from] FrameError),
    /// Unsigned, or signed with another key.
    #[error("message's signature is wrong: expected HMAC-SHA256 with the connection file's key")]
    Signature,
    /// The same signed message came before.
    #[error("message's signature was seen before: it is played back")]
    Replayed,
    /// The header is no header.
    #[error("message's header does not parse: {0}")]
    Header(serde_json::Error),
    /// Nothing that a kernel knows.
    #[error("message type `{0}` is unknown")]
    UnknownType(String),
}

/// Reads one socket's messages.
pub struct Reader {
    signer: Signer,
    seen: HashSet<Bytes>,
    /// The order of `seen`, oldest first.
    order: VecDeque<Bytes>,
}

impl Reader {
    /// A reader that accepts what `signer` verifies.
    pub fn new(signer: Signer) -> Self {
        Self {
            signer,
            seen: HashSet::new(),
            order: VecDeque::new(),
        }
    }

    /// Checks and parses one multipart message.
    pub fn read(&mut self, parts: Vec<Bytes>) -> Result<Envelope, Rejected> {
        let frames = Frames::split(parts)?;
        if !self.signer.verify(&frames.signature, frames.signed()) {
            return Err(Rejected::Signature);
        }
        if !self.is_new(&frames.signature) {
            return Err(Rejected::Replayed);
        }
        let header: Value = serde_json::from_slice(&frames.header).map_err(Rejected::Header)?;
        let typed = Header::deserialize_from(&header).map_err(Rejected::Header)?;
        let request = match Request::parse(&typed.msg_type, &frames.content) {
            Err(BadRequest::UnknownType(name)) => return Err(Rejected::UnknownType(name)),
            parsed => parsed,
        };
        Ok(Envelope {
            identities: frames.identities,
            header,
            msg_type: typed.msg_type,
            request,
            buffers: frames.buffers,
        })
    }

    fn is_new(&mut self, signature: &Bytes) -> bool {
        if !self.signer.is_signing() {
            return true;
        }
        // A copy: the frame would keep the whole receive buffer alive.
        let signature = Bytes::copy_from_slice(signature);
        if !self.seen.insert(signature.clone()) {
            return false;
        }
        self.order.push_back(signature);
        if self.order.len() > REMEMBERED_SIGNATURES
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }
}

impl Header {
    fn deserialize_from(value: &Value) -> Result<Self, serde_json::Error> {
        serde::Deserialize::deserialize(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(signer: &Signer, header: &str, content: &str) -> Vec<Bytes> {
        let mut frames = Frames {
            identities: vec![Bytes::from_static(b"client")],
            header: Bytes::copy_from_slice(header.as_bytes()),
            parent_header: Bytes::from_static(b"{}"),
            metadata: Bytes::from_static(b"{}"),
            content: Bytes::copy_from_slice(content.as_bytes()),
            ..Frames::default()
        };
        frames.signature = Bytes::from(signer.sign(frames.signed()));
        frames.join()
    }

    const KERNEL_INFO: &str = r#"{"msg_id":"1","msg_type":"kernel_info_request","extra":[1]}"#;

    #[test]
    fn a_header_keeps_the_fields_that_we_do_not_know() {
        let signer = Signer::new(b"k");
        let envelope = Reader::new(signer.clone())
            .read(message(&signer, KERNEL_INFO, "{}"))
            .unwrap();
        assert_eq!(envelope.header["extra"][0], 1);
        assert!(matches!(envelope.request, Ok(Request::KernelInfo)));
    }

    #[test]
    fn what_is_dropped() {
        let signer = Signer::new(b"k");
        let mut reader = Reader::new(signer.clone());
        let good = message(&signer, KERNEL_INFO, "{}");
        assert!(reader.read(good.clone()).is_ok());
        assert!(matches!(reader.read(good), Err(Rejected::Replayed)));
        let foreign = message(&Signer::new(b"other"), KERNEL_INFO, "{}");
        assert!(matches!(reader.read(foreign), Err(Rejected::Signature)));
        let unsigned = message(&Signer::new(b""), KERNEL_INFO, "{}");
        assert!(matches!(reader.read(unsigned), Err(Rejected::Signature)));
        for header in ["", "[]", "{}", r#"{"msg_id":1,"msg_type":"x"}"#] {
            let bad = message(&signer, header, "{}");
            assert!(
                matches!(reader.read(bad), Err(Rejected::Header(_))),
                "{header}"
            );
        }
        let unknown = message(&signer, r#"{"msg_id":"2","msg_type":"dance"}"#, "{}");
        assert!(matches!(
            reader.read(unknown),
            Err(Rejected::UnknownType(_))
        ));
    }

    #[test]
    fn a_content_that_does_not_parse_is_still_answered() {
        let signer = Signer::new(b"k");
        let mut reader = Reader::new(signer.clone());
        let header = r#"{"msg_id":"3","msg_type":"execute_request"}"#;
        for content in ["", "[]", "{}", r#"{"code":1}"#] {
            let envelope = reader.read(message(&signer, header, content)).unwrap();
            assert!(
                matches!(envelope.request, Err(BadRequest::Content { .. })),
                "{content}"
            );
        }
    }
}
