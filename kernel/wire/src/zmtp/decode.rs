//! Decodes the bytes that the peer sends.

use bytes::{Buf as _, Bytes, BytesMut};
use thiserror::Error;

use super::{
    COMMAND, Command, GREETING, LONG, MECHANISM, MORE, SIGNATURE_END, SIGNATURE_START, VERSION,
};

/// The maximum bytes of a command: topics and identities are short.
const MAX_COMMAND: usize = 4096;
/// Frames up to this size are copied out of the buffer, so that keeping a small
/// frame does not keep the buffer. A larger frame takes the buffer with it.
const COPIED: usize = 64 << 10;
/// The minimum and maximum bytes to read at once.
const READ: (usize, usize) = (16 << 10, 1 << 20);

/// Limits on a peer's messages.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a message, all its frames together.
    pub nbytes: usize,
    /// Frames of a message.
    pub frames: usize,
}

/// A decoded item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A complete message. No message is returned before [`Command::Ready`].
    Message(Vec<Bytes>),
    /// A command.
    Command(Command),
}

/// The reason why the connection must be closed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Violation {
    /// The peer does not use ZMTP.
    #[error("peer does not use ZMTP")]
    Greeting,
    /// The peer uses another version of ZMTP.
    #[error("peer uses ZMTP {found}, expected 3")]
    Version {
        /// The major version.
        found: u8,
    },
    /// The peer wants to authenticate or encrypt.
    #[error("peer requires a mechanism other than NULL, expected NULL")]
    Mechanism,
    /// The flags contain bits that no frame has.
    #[error("frame's flags are {found:#04x}")]
    Flags {
        /// The byte.
        found: u8,
    },
    /// A command is malformed.
    #[error("cannot parse a command")]
    Command,
    /// A message arrived before the end of the handshake.
    #[error("message arrived before READY")]
    NotReady,
    /// The message has more bytes than allowed.
    #[error("message of {nbytes} bytes or more, expected at most {limit}")]
    TooLong {
        /// The bytes including this frame.
        nbytes: u64,
        /// The maximum.
        limit: usize,
    },
    /// The message has more frames than allowed.
    #[error("message of more than {limit} frames, expected at most {limit}")]
    TooManyFrames {
        /// The maximum.
        limit: usize,
    },
}

/// Decodes one connection.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    stage: DecodeStage,
    /// Received bytes that are not decoded yet.
    buffer: BytesMut,
    /// How many bytes the next frame still needs, as far as known.
    missing: usize,
    /// The received frames of the current message.
    message: Vec<Bytes>,
    /// Their bytes.
    nbytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DecodeStage {
    Greeting,
    Handshake,
    Traffic,
}

impl Decoder {
    /// Returns a decoder for a new connection.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            stage: DecodeStage::Greeting,
            buffer: BytesMut::new(),
            missing: 0,
            message: Vec::new(),
            nbytes: 0,
        }
    }

    /// Returns the buffer for received bytes, with some room. The room grows
    /// with the received data, not with announced lengths.
    pub fn room(&mut self) -> &mut BytesMut {
        self.buffer.reserve(self.missing.clamp(READ.0, READ.1));
        &mut self.buffer
    }

    /// Returns the number of bytes allocated for received data.
    pub fn allocated(&self) -> usize {
        self.buffer.capacity() + self.nbytes + self.message.capacity() * size_of::<Bytes>()
    }

    /// Returns the next item; `None` if more bytes are needed. After an error
    /// the connection is unusable.
    pub fn decode(&mut self) -> Result<Option<Incoming>, Violation> {
        if self.stage == DecodeStage::Greeting {
            if !self.take_greeting()? {
                return Ok(None);
            }
            self.stage = DecodeStage::Handshake;
        }
        while let Some((flags, body)) = self.take_frame()? {
            if flags & COMMAND != 0 {
                let command = Command::parse(body).ok_or(Violation::Command)?;
                if matches!(command, Command::Ready(_)) {
                    if self.stage == DecodeStage::Traffic {
                        return Err(Violation::Command);
                    }
                    self.stage = DecodeStage::Traffic;
                }
                return Ok(Some(Incoming::Command(command)));
            }
            self.nbytes += body.len();
            self.message.push(body);
            if flags & MORE == 0 {
                self.nbytes = 0;
                return Ok(Some(Incoming::Message(std::mem::take(&mut self.message))));
            }
        }
        Ok(None)
    }

    /// Reads the greeting; returns whether it is complete. An invalid greeting
    /// is an error from its first wrong byte, because the peer may be waiting
    /// for an answer.
    fn take_greeting(&mut self) -> Result<bool, Violation> {
        let at = |index| self.buffer.get(index).copied();
        if at(0).is_some_and(|byte| byte != SIGNATURE_START)
            || at(9).is_some_and(|byte| byte != SIGNATURE_END)
        {
            return Err(Violation::Greeting);
        }
        if let Some(found) = at(10).filter(|&major| major < VERSION.0) {
            return Err(Violation::Version { found });
        }
        if self.buffer.len() < GREETING {
            return Ok(false);
        }
        let greeting = self.buffer.split_to(GREETING);
        let mechanism = greeting[12..32].strip_prefix(MECHANISM);
        if !mechanism.is_some_and(|rest| rest.iter().all(|&byte| byte == 0)) {
            return Err(Violation::Mechanism);
        }
        Ok(true)
    }

    /// Returns the flags and body of the next frame, once it is complete.
    fn take_frame(&mut self) -> Result<Option<(u8, Bytes)>, Violation> {
        self.missing = 0;
        let Some(&flags) = self.buffer.first() else {
            return Ok(None);
        };
        let wrong = flags & !(MORE | LONG | COMMAND) != 0 || flags & (MORE | COMMAND) == 5;
        if wrong {
            return Err(Violation::Flags { found: flags });
        }
        let (header, length) = if flags & LONG == 0 {
            (2, self.buffer.get(1).map(|&length| u64::from(length)))
        } else {
            let bytes = self
                .buffer
                .get(1..9)
                .and_then(|bytes| bytes.try_into().ok());
            (9, bytes.map(u64::from_be_bytes))
        };
        let Some(length) = length else {
            return Ok(None);
        };
        let length = self.check(flags, length)?;
        let nbytes = header + length;
        if self.buffer.len() < nbytes {
            self.missing = nbytes - self.buffer.len();
            return Ok(None);
        }
        self.buffer.advance(header);
        Ok(Some((flags, self.take(length))))
    }

    /// Checks that a frame is allowed here; returns its length.
    fn check(&self, flags: u8, length: u64) -> Result<usize, Violation> {
        let (before, limit) = if flags & COMMAND != 0 {
            (0, MAX_COMMAND)
        } else if self.stage != DecodeStage::Traffic {
            return Err(Violation::NotReady);
        } else if self.message.len() >= self.limits.frames {
            return Err(Violation::TooManyFrames {
                limit: self.limits.frames,
            });
        } else {
            (self.nbytes, self.limits.nbytes)
        };
        let nbytes = length.saturating_add(before as u64);
        match usize::try_from(length) {
            Ok(length) if nbytes <= limit as u64 => Ok(length),
            _ => Err(Violation::TooLong { nbytes, limit }),
        }
    }

    fn take(&mut self, length: usize) -> Bytes {
        if length <= COPIED {
            let body = Bytes::copy_from_slice(&self.buffer[..length]);
            self.buffer.advance(length);
            return body;
        }
        let body = self.buffer.split_to(length).freeze();
        // Copy the rest to a new buffer: the frame keeps this one.
        self.buffer = BytesMut::from(&self.buffer[..]);
        body
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode;
    use super::*;

    const LIMITS: Limits = Limits {
        nbytes: 1000,
        frames: 3,
    };

    /// Decodes `bytes`; returns the last item, or the violation.
    fn last(bytes: &[u8]) -> Result<Option<Incoming>, Violation> {
        let mut decoder = Decoder::new(LIMITS);
        decoder.room().extend_from_slice(bytes);
        let mut last = None;
        while let Some(incoming) = decoder.decode()? {
            last = Some(incoming);
        }
        Ok(last)
    }

    /// Like `last`, after a handshake.
    fn then(bytes: &[u8]) -> Result<Option<Incoming>, Violation> {
        last(&[&encode::greeting(), &encode::ready("DEALER")[..], bytes].concat())
    }

    fn message(frames: &[&'static str]) -> Incoming {
        Incoming::Message(frames.iter().map(|&frame| Bytes::from(frame)).collect())
    }

    #[test]
    fn what_is_understood() {
        assert_eq!(then(b"\x00\x01a"), Ok(Some(message(&["a"]))));
        assert_eq!(then(b"\x01\x01a\x00\x00"), Ok(Some(message(&["a", ""]))));
        let long = b"\x02\0\0\0\0\0\0\0\x02ab";
        assert_eq!(then(long), Ok(Some(message(&["ab"]))));
        // Between the frames of a message.
        let heartbeat = b"\x01\x01a\x04\x08\x04PING\0\x09x\x00\x01b";
        assert_eq!(then(heartbeat), Ok(Some(message(&["a", "b"]))));
        let subscribe = Command::Subscribe(Bytes::from_static(b"a"));
        let bytes = b"\x04\x0b\x09SUBSCRIBEa";
        assert_eq!(then(bytes), Ok(Some(Incoming::Command(subscribe))));
    }

    #[test]
    fn what_ends_the_connection() {
        let mut greeting = encode::greeting();
        assert_eq!(last(&greeting), Ok(None));
        assert_eq!(last(b"GET /"), Err(Violation::Greeting));
        assert_eq!(last(&[0xff; 10]), Err(Violation::Greeting));
        greeting[10] = 2;
        assert_eq!(last(&greeting[..11]), Err(Violation::Version { found: 2 }));
        greeting[10] = 3;
        greeting[12..17].copy_from_slice(b"CURVE");
        assert_eq!(last(&greeting), Err(Violation::Mechanism));
        let unready = [&encode::greeting(), &b"\x00\x01a"[..]].concat();
        assert_eq!(last(&unready), Err(Violation::NotReady));

        assert_eq!(then(b"\x08"), Err(Violation::Flags { found: 8 }));
        assert_eq!(then(b"\x05"), Err(Violation::Flags { found: 5 }));
        assert_eq!(then(b"\x04\x02\x04P"), Err(Violation::Command));
        assert_eq!(then(&encode::ready("DEALER")), Err(Violation::Command));
        let frames = b"\x01\0\x01\0\x01\0\x00\0";
        assert_eq!(then(frames), Err(Violation::TooManyFrames { limit: 3 }));
    }

    #[test]
    fn a_length_allocates_nothing() {
        let mut decoder = Decoder::new(LIMITS);
        let handshake = [&encode::greeting(), &encode::ready("DEALER")[..]].concat();
        decoder.room().extend_from_slice(&handshake);
        assert!(matches!(decoder.decode(), Ok(Some(_))));
        decoder.room().extend_from_slice(b"\x01\x64");
        decoder.room().extend_from_slice(&[0; 100]);
        decoder.room().extend_from_slice(b"\x02");
        decoder.room().extend_from_slice(&u64::MAX.to_be_bytes());
        let violation = Violation::TooLong {
            nbytes: u64::MAX,
            limit: 1000,
        };
        assert_eq!(decoder.decode(), Err(violation));
        assert!(decoder.allocated() < 100_000);
    }

    #[test]
    fn what_was_long_is_not_kept() {
        let limits = Limits {
            nbytes: 10 << 20,
            frames: 1,
        };
        let mut decoder = Decoder::new(limits);
        let page = encode::message(&[Bytes::from(vec![0; 10 << 20])]);
        let bytes = [&encode::greeting(), &encode::ready("DEALER")[..], &page].concat();
        let mut pages = 0;
        for piece in bytes.chunks(100_000) {
            decoder.room().extend_from_slice(piece);
            while let Some(incoming) = decoder.decode().unwrap() {
                pages += usize::from(matches!(incoming, Incoming::Message(_)));
            }
        }
        assert_eq!(pages, 1);
        decoder.room();
        assert!(decoder.allocated() < 100_000);
    }
}
