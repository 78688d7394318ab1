//! Decodes frames into a typed request, or into the reason for dropping them.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;
use thiserror::Error;

use super::frames::FrameError;
use super::sign::{Digest, Verdict};
use super::{BadRequest, Frames, Header, Request, Signer};

/// How many signatures are remembered to detect replayed messages.
const REMEMBERED_SIGNATURES: usize = 65_536;

/// A received message: its sender, and its request.
#[derive(Debug)]
pub struct Envelope {
    /// The identities to which a reply goes.
    pub identities: Vec<Bytes>,
    /// The header as received, with every field: the parent of everything sent
    /// on behalf of this message.
    pub header: Value,
    /// The message's type.
    pub msg_type: String,
    /// The request, or why its content is invalid: the sender then gets an
    /// error reply.
    pub request: Result<Request, BadRequest>,
}

/// The reason for dropping a message.
#[derive(Debug, Error)]
pub enum Rejected {
    /// Not a message of this protocol.
    #[error(transparent)]
    Frames(#[from] FrameError),
    /// Unsigned, or signed with another key.
    #[error("message's signature is wrong: expected HMAC-SHA256 with the connection file's key")]
    Signature,
    /// The same signed message was received before.
    #[error("message's signature was seen before: it is a replay")]
    Replayed,
    /// The header is invalid.
    #[error("cannot parse the message's header: {0}")]
    Header(serde_json::Error),
    /// The message type is unknown.
    #[error("message type `{0}` is unknown")]
    UnknownType(String),
}

/// Reads messages. Its clones share the memory of received messages.
#[derive(Clone)]
pub struct Reader {
    signer: Signer,
    seen: Arc<Mutex<Seen>>,
}

/// Signatures of received messages: their bytes, because their hexadecimal text
/// can be written in many ways.
#[derive(Default)]
struct Seen {
    known: HashSet<Digest>,
    /// The same, oldest first.
    order: VecDeque<Digest>,
}

impl Reader {
    /// Returns a reader that accepts messages that `signer` verifies.
    pub fn new(signer: Signer) -> Self {
        Self {
            signer,
            seen: Arc::default(),
        }
    }

    /// Checks and parses one multipart message.
    pub fn read(&self, parts: Vec<Bytes>) -> Result<Envelope, Rejected> {
        let frames = Frames::split(parts)?;
        // Verify without the lock, so that a large message does not block other
        // channels.
        match self.signer.check(&frames.signature, frames.signed()) {
            Verdict::Unsigned => {}
            Verdict::Right(digest) if self.seen.lock().insert(digest) => {}
            Verdict::Right(_) => return Err(Rejected::Replayed),
            Verdict::Wrong => return Err(Rejected::Signature),
        }
        let header: Value = serde_json::from_slice(&frames.header).map_err(Rejected::Header)?;
        let typed = Header::deserialize_from(&header).map_err(Rejected::Header)?;
        let parsed = Request::parse(
            &typed.msg_type,
            &frames.content,
            &frames.metadata,
            frames.buffers,
        );
        let request = match parsed {
            Err(BadRequest::UnknownType(name)) => return Err(Rejected::UnknownType(name)),
            parsed => parsed,
        };
        Ok(Envelope {
            identities: frames.identities,
            header,
            msg_type: typed.msg_type,
            request,
        })
    }
}

impl Seen {
    /// Adds `digest`; returns whether it is new.
    fn insert(&mut self, digest: Digest) -> bool {
        if !self.known.insert(digest) {
            return false;
        }
        self.order.push_back(digest);
        if self.order.len() > REMEMBERED_SIGNATURES
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
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
        let reader = Reader::new(signer.clone());
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
    fn a_replayed_message_is_known_by_its_digest_and_on_every_channel() {
        let signer = Signer::new(b"k");
        let reader = Reader::new(signer.clone());
        let another_channel = reader.clone();
        let mut frames = Frames::split(message(&signer, KERNEL_INFO, "{}")).unwrap();
        assert!(reader.read(frames.clone().join()).is_ok());
        frames.signature = frames.signature.to_ascii_uppercase().into();
        frames.identities = vec![Bytes::from_static(b"somebody else")];
        frames.buffers = vec![Bytes::from_static(b"unsigned")];
        assert!(matches!(
            another_channel.read(frames.join()),
            Err(Rejected::Replayed)
        ));
    }

    #[test]
    fn the_oldest_signatures_are_forgotten() {
        let mut seen = Seen::default();
        let digest = |number: usize| {
            let mut digest = Digest::default();
            digest[..8].copy_from_slice(&number.to_be_bytes());
            digest
        };
        let total = REMEMBERED_SIGNATURES + 1000;
        assert!((0..total).all(|number| seen.insert(digest(number))));
        assert_eq!(seen.order.len(), REMEMBERED_SIGNATURES);
        assert_eq!(seen.known.len(), REMEMBERED_SIGNATURES);
        assert!(!seen.insert(digest(1000)));
        assert!(seen.insert(digest(999)));
    }

    #[test]
    fn a_content_that_does_not_parse_is_still_answered() {
        let signer = Signer::new(b"k");
        let reader = Reader::new(signer.clone());
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
