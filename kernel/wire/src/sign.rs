//! Signatures: HMAC-SHA256 over the four JSON frames.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// An HMAC-SHA256.
pub(super) type Digest = [u8; 32];

/// The result of checking a signature.
pub(super) enum Verdict {
    /// Messages are not signed.
    Unsigned,
    /// The signature is correct.
    Right(Digest),
    /// The signature is wrong.
    Wrong,
}

/// Signs and verifies with the connection's key.
#[derive(Clone)]
pub struct Signer {
    /// The MAC with the key and no data; `None` if the key is empty and nothing
    /// is signed.
    keyed: Option<Hmac<Sha256>>,
}

impl Signer {
    /// Returns a signer for `key`; an empty key turns signing off.
    pub fn new(key: &[u8]) -> Self {
        let keyed = (!key.is_empty())
            .then(|| Hmac::new_from_slice(key).expect("invariant: HMAC takes a key of any length"));
        Self { keyed }
    }

    /// Returns the hexadecimal signature of `frames`; empty if nothing is
    /// signed.
    pub fn sign(&self, frames: [&[u8]; 4]) -> String {
        let Some(mac) = self.fed(frames) else {
            return String::new();
        };
        let mut signature = String::with_capacity(64);
        for byte in mac.finalize().into_bytes() {
            write!(signature, "{byte:02x}").expect("invariant: a String takes any text");
        }
        signature
    }

    /// Returns whether `signature` is that of `frames`, comparing in constant
    /// time.
    pub fn verify(&self, signature: &[u8], frames: [&[u8]; 4]) -> bool {
        !matches!(self.check(signature, frames), Verdict::Wrong)
    }

    /// Checks `signature` against `frames`.
    pub(super) fn check(&self, signature: &[u8], frames: [&[u8]; 4]) -> Verdict {
        if self.keyed.is_none() {
            return Verdict::Unsigned;
        }
        // Check the format first: a malformed signature needs no hashing.
        from_hex(signature)
            .filter(|digest| {
                self.fed(frames)
                    .is_some_and(|mac| mac.verify_slice(digest).is_ok())
            })
            .map_or(Verdict::Wrong, Verdict::Right)
    }

    fn fed(&self, frames: [&[u8]; 4]) -> Option<Hmac<Sha256>> {
        let mut mac = self.keyed.clone()?;
        for frame in frames {
            mac.update(frame);
        }
        Some(mac)
    }
}

fn from_hex(text: &[u8]) -> Option<Digest> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let mut digest = Digest::default();
    if text.len() != 2 * digest.len() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMES: [&[u8]; 4] = [b"{\"a\":1}", b"{}", b"{}", b"{\"code\":\"1\"}"];

    #[test]
    fn known_signature() {
        // echo -n '{"a":1}{}{}{"code":"1"}' | openssl dgst -sha256 -hmac secret
        let signature = Signer::new(b"secret").sign(FRAMES);
        assert_eq!(signature.len(), 64);
        assert!(Signer::new(b"secret").verify(signature.as_bytes(), FRAMES));
        assert!(!Signer::new(b"other").verify(signature.as_bytes(), FRAMES));
    }

    #[test]
    fn a_changed_frame_or_signature_is_rejected() {
        let signer = Signer::new(b"secret");
        let signature = signer.sign(FRAMES);
        let mut changed = FRAMES;
        changed[3] = b"{\"code\":\"2\"}";
        assert!(!signer.verify(signature.as_bytes(), changed));
        for wrong in ["", "00", "zz", &signature[..62], &signature[..63]] {
            assert!(!signer.verify(wrong.as_bytes(), FRAMES), "{wrong:?}");
        }
    }

    #[test]
    fn an_empty_key_signs_nothing_and_accepts_anything() {
        let signer = Signer::new(b"");
        assert_eq!(signer.sign(FRAMES), "");
        assert!(signer.verify(b"whatever", FRAMES));
        assert!(matches!(signer.check(b"", FRAMES), Verdict::Unsigned));
    }
}
