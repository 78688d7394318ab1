//! Properties of decoding a multipart message into a request.
//!
//! The input is text, so that a corpus can be read and written: one frame per
//! line. The first line says what to do with the frames: `signed` inserts the
//! correct signature after `<IDS|MSG>` (the input then lacks that frame),
//! `keyless` is for a reader without a key, and anything else leaves the frames
//! unchanged.

use bytes::Bytes;
use swath_wire::{Encoder, ErrorReply, FrameError, Frames, Reader, Rejected, Signer};

const KEY: &[u8] = b"0123456789abcdef";
const DELIMITER: &[u8] = b"<IDS|MSG>";

/// Checks the properties of one input.
pub(crate) fn check(input: &[u8]) {
    let mut lines = input.split(|&byte| byte == b'\n');
    let mode = lines.next().unwrap_or_default();
    let parts: Vec<Bytes> = lines.map(Bytes::copy_from_slice).collect();
    match mode {
        b"signed" => signed(parts),
        b"keyless" => keyless(parts),
        _ => as_it_is(parts),
    }
}

/// Splits a message, checking that nothing is lost.
fn split(parts: &[Bytes]) -> Result<Frames, FrameError> {
    let frames = Frames::split(Vec::from(parts))?;
    assert_eq!(frames.clone().join(), parts);
    Ok(frames)
}

/// Checks a correctly signed message: it is accepted once, and no bit of it can
/// be changed.
fn signed(mut parts: Vec<Bytes>) {
    let Some(at) = parts.iter().position(|part| part == DELIMITER) else {
        assert!(split(&parts).is_err());
        return;
    };
    parts.insert(at + 1, Bytes::new());
    let Ok(mut frames) = split(&parts) else {
        return;
    };
    let signer = Signer::new(KEY);
    frames.signature = signer.sign(frames.signed()).into();
    let reader = Reader::new(signer.clone());
    read(&reader, frames.clone(), &signer);

    for again in respelled(&frames) {
        let again = reader.clone().read(again.join());
        assert!(matches!(again, Err(Rejected::Replayed)), "{again:?}");
    }
    // Use new readers, so that only the signature can be the reason for a
    // rejection.
    for changed in tampered(&frames) {
        let changed = Reader::new(signer.clone()).read(changed.join());
        assert!(matches!(changed, Err(Rejected::Signature)), "{changed:?}");
    }
}

/// Returns messages that are the same in everything that the signature covers.
fn respelled(frames: &Frames) -> [Frames; 4] {
    let with = |change: fn(&mut Frames)| {
        let mut frames = frames.clone();
        change(&mut frames);
        frames
    };
    [
        with(|_| {}),
        with(|frames| frames.signature = frames.signature.to_ascii_uppercase().into()),
        with(|frames| frames.identities.insert(0, Bytes::from_static(b"thief"))),
        with(|frames| frames.buffers.push(Bytes::from_static(b"more"))),
    ]
}

/// Returns other messages with the same signature.
fn tampered(frames: &Frames) -> Vec<Frames> {
    let mut all = Vec::new();
    for which in 0..5 {
        for end in [false, true] {
            let mut changed = frames.clone();
            let frame = match which {
                0 => &mut changed.signature,
                1 => &mut changed.header,
                2 => &mut changed.parent_header,
                3 => &mut changed.metadata,
                _ => &mut changed.content,
            };
            let mut bytes = frame.to_vec();
            let at = if end {
                bytes.len().saturating_sub(1)
            } else {
                0
            };
            match bytes.get_mut(at) {
                // In a signature, use another digit, not another spelling of
                // it.
                Some(byte) if which == 0 => *byte = if *byte == b'0' { b'1' } else { b'0' },
                Some(byte) => *byte ^= 1,
                None => bytes.push(b' '),
            }
            *frame = bytes.into();
            all.push(changed);
        }
    }
    all
}

/// Checks that without a key every valid message is accepted, any number of
/// times.
fn keyless(parts: Vec<Bytes>) {
    let signer = Signer::new(b"");
    let reader = Reader::new(signer.clone());
    for _ in 0..2 {
        match split(&parts) {
            Ok(frames) => read(&reader, frames, &signer),
            Err(_) => assert!(matches!(
                reader.read(parts.clone()),
                Err(Rejected::Frames(_))
            )),
        }
    }
}

/// Checks a message with its own signature against the key.
fn as_it_is(parts: Vec<Bytes>) {
    let signer = Signer::new(KEY);
    let result = Reader::new(signer.clone()).read(parts.clone());
    match split(&parts) {
        Err(_) => assert!(matches!(result, Err(Rejected::Frames(_)))),
        Ok(frames) => {
            let right = signer.sign(frames.signed()).into_bytes();
            assert_eq!(
                !matches!(result, Err(Rejected::Signature)),
                frames.signature.eq_ignore_ascii_case(&right),
            );
        }
    }
}

/// Reads a correctly signed message, and answers it.
fn read(reader: &Reader, frames: Frames, signer: &Signer) {
    let identities = frames.identities.clone();
    let envelope = match reader.read(frames.join()) {
        Ok(envelope) => envelope,
        Err(Rejected::Header(_) | Rejected::UnknownType(_)) => return,
        Err(other) => panic!("{other}"),
    };
    assert_eq!(envelope.identities, identities);
    assert_eq!(envelope.header["msg_type"], envelope.msg_type.as_str());
    let Err(bad) = envelope.request else {
        return;
    };
    let Some(reply) = ErrorReply::new(&envelope.msg_type, &bad) else {
        return;
    };
    let reply = Encoder::new(signer.clone())
        .encode(identities, &envelope.header, &reply)
        .unwrap();
    assert!(signer.verify(&reply.signature, reply.signed()));
    let parent: serde_json::Value = serde_json::from_slice(&reply.parent_header).unwrap();
    assert_eq!(parent, envelope.header);
}
