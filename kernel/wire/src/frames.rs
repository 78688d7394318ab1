//! A multipart message, split into its named frames.

use bytes::Bytes;
use thiserror::Error;

/// Separates the routing identities from the message.
const DELIMITER: &[u8] = b"<IDS|MSG>";

/// The frames of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// Routing identities; on iopub the topic.
    pub identities: Vec<Bytes>,
    /// Hexadecimal HMAC of the four frames that follow; empty without a key.
    pub signature: Bytes,
    /// JSON: the message's own header.
    pub header: Bytes,
    /// JSON: the header of the message that caused this one.
    pub parent_header: Bytes,
    /// JSON: metadata.
    pub metadata: Bytes,
    /// JSON: content.
    pub content: Bytes,
    /// Raw buffers, which no signature covers.
    pub buffers: Vec<Bytes>,
}

/// The reason why a multipart message does not follow the protocol.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FrameError {
    /// The delimiter frame is missing.
    #[error("message of {found} frames has no <IDS|MSG> delimiter")]
    NoDelimiter {
        /// The number of frames.
        found: usize,
    },
    /// Fewer than five frames follow the delimiter.
    #[error("message has {found} frames after its delimiter, expected at least 5")]
    TooShort {
        /// The number of frames.
        found: usize,
    },
}

impl Frames {
    /// Splits a multipart message into named frames.
    pub fn split(parts: Vec<Bytes>) -> Result<Self, FrameError> {
        let found = parts.len();
        let mut parts = parts.into_iter();
        let mut identities = Vec::new();
        loop {
            match parts.next() {
                Some(part) if part == DELIMITER => break,
                Some(part) => identities.push(part),
                None => return Err(FrameError::NoDelimiter { found }),
            }
        }
        let found = parts.len();
        let mut next = || parts.next().ok_or(FrameError::TooShort { found });
        Ok(Self {
            identities,
            signature: next()?,
            header: next()?,
            parent_header: next()?,
            metadata: next()?,
            content: next()?,
            buffers: parts.collect(),
        })
    }

    /// Returns the multipart message of these frames.
    pub fn join(self) -> Vec<Bytes> {
        let mut parts = self.identities;
        parts.reserve(6 + self.buffers.len());
        parts.push(Bytes::from_static(DELIMITER));
        parts.extend([
            self.signature,
            self.header,
            self.parent_header,
            self.metadata,
            self.content,
        ]);
        parts.extend(self.buffers);
        parts
    }

    /// Returns the frames that the signature covers.
    pub fn signed(&self) -> [&[u8]; 4] {
        [
            &self.header,
            &self.parent_header,
            &self.metadata,
            &self.content,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(texts: &[&'static str]) -> Vec<Bytes> {
        texts
            .iter()
            .map(|text| Bytes::from_static(text.as_bytes()))
            .collect()
    }

    #[test]
    fn identities_and_buffers_may_be_any_number() {
        for input in [
            parts(&["<IDS|MSG>", "s", "h", "p", "m", "c"]),
            parts(&["a", "b", "<IDS|MSG>", "s", "h", "p", "m", "c", "x", "y"]),
        ] {
            let frames = Frames::split(input.clone()).unwrap();
            assert_eq!(frames.signed(), [b"h", b"p", b"m", b"c"]);
            assert_eq!(frames.join(), input);
        }
    }

    #[test]
    fn what_is_short_or_undelimited_is_an_error() {
        assert_eq!(
            Frames::split(parts(&["a", "b"])),
            Err(FrameError::NoDelimiter { found: 2 })
        );
        assert_eq!(
            Frames::split(parts(&["<IDS|MSG>", "s", "h", "p", "m"])),
            Err(FrameError::TooShort { found: 4 })
        );
        assert_eq!(
            Frames::split(Vec::new()),
            Err(FrameError::NoDelimiter { found: 0 })
        );
    }
}
