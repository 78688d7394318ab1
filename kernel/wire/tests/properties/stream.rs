//! Properties of decoding the bytes of a connection.
//!
//! The input's first byte is the size of the pieces into which the others are
//! split, as a network may split them: the result must not depend on it.

use bytes::BufMut as _;
use swath_wire::zmtp::{Decoder, Incoming, Limits, Violation, encode};

/// Small limits, so that the fuzzer reaches them.
const LIMITS: Limits = Limits {
    nbytes: 2048,
    frames: 16,
};
/// The maximum memory of a decoder: one message, and the bytes read at once.
const MAX_ALLOCATED: usize = 64 << 10;

/// Checks the properties of one input.
pub(crate) fn check(input: &[u8]) {
    let (size, bytes) = match input {
        [size, bytes @ ..] => (usize::from(*size).max(1), bytes),
        [] => return,
    };
    let whole = decode(bytes, bytes.len().max(1));
    let pieces = decode(bytes, size);
    assert_eq!(whole, pieces);

    // Decoded messages can be encoded and decoded again.
    let (events, _) = whole;
    let mut said = encode::greeting().to_vec();
    said.extend_from_slice(&encode::ready("DEALER"));
    let mut expected = Vec::new();
    for event in events {
        if let Incoming::Message(frames) = event {
            assert!(!frames.is_empty() && frames.len() <= LIMITS.frames);
            assert!(frames.iter().map(|frame| frame.len()).sum::<usize>() <= LIMITS.nbytes);
            said.extend_from_slice(&encode::message(&frames));
            expected.push(Incoming::Message(frames));
        }
    }
    let (mut heard, error) = decode(&said, said.len());
    assert!(matches!(heard.remove(0), Incoming::Command(_)));
    assert_eq!((heard, error), (expected, None));
}

/// Returns all decoded items, and the violation that ended decoding.
fn decode(bytes: &[u8], size: usize) -> (Vec<Incoming>, Option<Violation>) {
    let mut decoder = Decoder::new(LIMITS);
    let mut events = Vec::new();
    for piece in bytes.chunks(size) {
        decoder.room().put_slice(piece);
        loop {
            assert!(decoder.allocated() <= MAX_ALLOCATED + 2 * piece.len());
            match decoder.decode() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(violation) => return (events, Some(violation)),
            }
        }
    }
    (events, None)
}
