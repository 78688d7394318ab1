//! Decodes text from bytes that may be split anywhere.

/// Decodes UTF-8. A sequence that is cut in two is held back until its rest
/// arrives; invalid bytes become U+FFFD.
#[derive(Debug, Default)]
pub(crate) struct Utf8Decoder {
    /// The beginning of a sequence: at most three bytes.
    held: Vec<u8>,
}

impl Utf8Decoder {
    /// Returns the text that `bytes` completes.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> String {
        let joined;
        let mut rest = if self.held.is_empty() {
            bytes
        } else {
            joined = [&self.held[..], bytes].concat();
            &joined[..]
        };
        let mut text = String::with_capacity(rest.len());
        let mut held = Vec::new();
        while !rest.is_empty() {
            let error = match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    break;
                }
                Err(error) => error,
            };
            let (valid, invalid) = rest.split_at(error.valid_up_to());
            text.push_str(&String::from_utf8_lossy(valid));
            match error.error_len() {
                Some(length) => {
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = &invalid[length..];
                }
                None => {
                    held = invalid.to_vec();
                    break;
                }
            }
        }
        self.held = held;
        text
    }

    /// Returns the remaining text when no more bytes follow.
    pub(crate) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode_in_parts(parts: &[&[u8]]) -> String {
        let mut decoder = Utf8Decoder::default();
        let mut text: String = parts.iter().map(|part| decoder.decode(part)).collect();
        text.push_str(&decoder.finish());
        text
    }

    #[test]
    fn a_character_appears_when_its_last_byte_comes() {
        let mut decoder = Utf8Decoder::default();
        assert_eq!(decoder.decode(b"a\xE2"), "a");
        assert_eq!(decoder.decode(b"\x82"), "");
        assert_eq!(decoder.decode(b"\xACb"), "€b");
        assert_eq!(decoder.finish(), "");
    }

    #[test]
    fn what_never_comes_is_replaced() {
        assert_eq!(decode_in_parts(&[b"a\xF0\x9F", b"b"]), "a\u{FFFD}b");
        assert_eq!(decode_in_parts(&[b"\xFF\xE2"]), "\u{FFFD}\u{FFFD}");
    }

    proptest! {
        #[test]
        fn any_cutting_gives_what_one_piece_gives(
            bytes in prop::collection::vec(
                prop_oneof![any::<u8>(), Just(0xE2), Just(0x82), Just(0xAC), Just(0xF0), Just(0x9F)],
                0..64,
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.sort_unstable();
            let mut parts = Vec::new();
            let mut from = 0;
            for cut in cuts {
                parts.push(&bytes[from..cut]);
                from = cut;
            }
            parts.push(&bytes[from..]);
            prop_assert_eq!(decode_in_parts(&parts), String::from_utf8_lossy(&bytes));
        }
    }
}
