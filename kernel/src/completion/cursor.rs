//! Positions in source text: code points, bytes, identifiers.

use std::ops::Range;

/// Returns the byte offset of code point `position`, or the length of the text
/// if that is beyond its end.
pub(super) fn byte_offset(code: &str, position: usize) -> usize {
    code.char_indices()
        .nth(position)
        .map_or(code.len(), |(at, _)| at)
}

/// Returns the number of code points before byte `offset`.
pub(super) fn code_points(code: &str, offset: usize) -> usize {
    code.char_indices()
        .take_while(|&(at, _)| at < offset)
        .count()
}

/// Returns the range of the identifier that contains byte `offset` or ends
/// there.
pub(super) fn identifier_at(code: &str, offset: usize) -> Option<Range<usize>> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let start = code[..offset]
        .char_indices()
        .rev()
        .take_while(|&(_, character)| is_part(character))
        .last()
        .map_or(offset, |(at, _)| at);
    let end = code[offset..]
        .char_indices()
        .find(|&(_, character)| !is_part(character))
        .map_or(code.len(), |(at, _)| offset + at);
    (start < end).then_some(start..end)
}

/// Returns the start and text of the line that contains byte `offset`.
pub(super) fn line_at(code: &str, offset: usize) -> (usize, &str) {
    let start = code[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = code[offset..]
        .find('\n')
        .map_or(code.len(), |at| offset + at);
    (start, &code[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_code_points() {
        // 1, 2, 3 and 4 bytes, and a grapheme of two code points.
        let code = "aé€🦀e\u{301}.";
        for (position, offset) in [(0, 0), (1, 1), (2, 3), (3, 6), (4, 10), (5, 11), (6, 13)] {
            assert_eq!(byte_offset(code, position), offset);
            assert_eq!(code_points(code, offset), position);
        }
        assert_eq!(byte_offset(code, 99), code.len());
    }

    #[test]
    fn identifiers() {
        let code = "let größe = x_1.len();";
        let at = |needle: &str, inside: usize| {
            let offset = code.find(needle).unwrap() + inside;
            identifier_at(code, offset).map(|range| &code[range])
        };
        assert_eq!(at("größe", 0), Some("größe"));
        assert_eq!(at("größe", 2), Some("größe"));
        assert_eq!(at("x_1", 3), Some("x_1"));
        assert_eq!(at("len", 3), Some("len"));
        assert_eq!(at(" =", 1), None);
        assert_eq!(identifier_at("", 0), None);
    }
}
