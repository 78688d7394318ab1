//! Parses the output of crates written for evcxr: rich content between two marker
//! lines, and requests for a line of input.
//!
//! ```text
//! EVCXR_BEGIN_CONTENT text/html
//! <b>hello</b>
//! EVCXR_END_CONTENT
//! EVCXR_INPUT_REQUEST:What is your name?
//! EVCXR_INPUT_REQUEST_PASSWORD:Password:
//! ```

use serde_json::Value;

use crate::display::{Display, MimeBundle};

const BEGIN: &[u8] = b"EVCXR_BEGIN_CONTENT ";
const END: &[u8] = b"EVCXR_END_CONTENT";
const INPUT: &[u8] = b"EVCXR_INPUT_REQUEST";
const PASSWORD: &[u8] = b"_PASSWORD";

/// A block that has not ended after this many bytes counts as text.
const MAX_BLOCK: usize = 64 << 20;

/// A part of a cell's stdout.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// Plain output.
    Text(Vec<u8>),
    /// Rich content.
    Display(Display),
    /// The cell waits for a line.
    Input {
        /// Shown before the field.
        prompt: String,
        /// Whether the typed text must not be shown.
        password: bool,
    },
}

/// Finds the markers in stdout, however its bytes are split.
#[derive(Debug, Default)]
pub(crate) struct StdoutParser {
    /// Undecided bytes: the possible beginning of a marker, or a block without its
    /// end.
    buffer: Vec<u8>,
    /// A block that may be followed by another representation of the same value.
    display: Option<Block>,
}

/// One or several representations of a value.
#[derive(Debug)]
struct Block {
    bundle: MimeBundle,
}

/// The marker at the start of the buffer.
enum Marker<'a> {
    /// A complete block, and its length.
    Block {
        mime: &'a [u8],
        content: &'a [u8],
        end: usize,
    },
    /// A complete request, and its length.
    Input {
        prompt: &'a [u8],
        password: bool,
        end: usize,
    },
    /// A marker that needs more bytes.
    Unfinished,
    /// No marker.
    None,
}

impl StdoutParser {
    /// Parses the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let before = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        if self.buffer.starts_with(BEGIN) && self.buffer.len() < MAX_BLOCK {
            // Inside a block: do not search all of a large image again with each
            // write.
            let recent = &self.buffer[before.saturating_sub(END.len())..];
            if find(recent, END).is_none() && !recent.contains(&b'\n') {
                return Vec::new();
            }
        }
        let buffer = std::mem::take(&mut self.buffer);
        let mut pieces = Vec::new();
        let mut rest = &buffer[..];
        while !rest.is_empty() {
            let text = text_before_marker(rest);
            if text > 0 {
                self.push_text(&rest[..text], &mut pieces);
                rest = &rest[text..];
                continue;
            }
            match marker(rest) {
                Marker::Block { mime, content, end } => {
                    self.push_block(mime, content, &mut pieces);
                    rest = &rest[end..];
                }
                Marker::Input {
                    prompt,
                    password,
                    end,
                } => {
                    pieces.extend(self.display.take().map(Block::into_piece));
                    pieces.push(Piece::Input {
                        prompt: String::from_utf8_lossy(prompt).into_owned(),
                        password,
                    });
                    rest = &rest[end..];
                }
                Marker::Unfinished => break,
                // `text_before_marker` stops only at one of the others.
                Marker::None => {
                    self.push_text(&rest[..1], &mut pieces);
                    rest = &rest[1..];
                }
            }
        }
        if rest.len() > MAX_BLOCK {
            self.push_text(rest, &mut pieces);
            rest = &[];
        }
        self.buffer = rest.to_vec();
        pieces
    }

    /// Returns whether some output is held back.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.buffer.is_empty() || self.display.is_some()
    }

    /// Stops waiting: returns the held-back output unchanged, except for a block
    /// that has begun, whose rest will still arrive.
    pub(crate) fn release(&mut self) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = self
            .display
            .take()
            .map(Block::into_piece)
            .into_iter()
            .collect();
        if !self.buffer.starts_with(BEGIN) && !self.buffer.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut self.buffer)));
        }
        pieces
    }

    /// Ends stdout.
    pub(crate) fn finish(&mut self) -> Vec<Piece> {
        let mut pieces = self.release();
        if !self.buffer.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut self.buffer)));
        }
        pieces
    }

    fn push_text(&mut self, text: &[u8], pieces: &mut Vec<Piece>) {
        pieces.extend(self.display.take().map(Block::into_piece));
        match pieces.last_mut() {
            Some(Piece::Text(last)) => last.extend_from_slice(text),
            _ => pieces.push(Piece::Text(text.to_vec())),
        }
    }

    fn push_block(&mut self, mime: &[u8], content: &[u8], pieces: &mut Vec<Piece>) {
        let mime = String::from_utf8_lossy(mime).trim().to_owned();
        let content = String::from_utf8_lossy(content);
        match &mut self.display {
            Some(block) if block.accepts(&mime) => block.insert(mime, &content),
            waiting => {
                pieces.extend(waiting.take().map(Block::into_piece));
                let mut block = Block {
                    bundle: MimeBundle::default(),
                };
                block.insert(mime, &content);
                self.display = Some(block);
            }
        }
    }
}

impl Block {
    /// Returns whether content of type `mime` that follows directly shows the same
    /// value. It does if exactly one of the two is plain text. Two rich contents
    /// are two displays.
    fn accepts(&self, mime: &str) -> bool {
        const PLAIN: &str = "text/plain";
        let data = &self.bundle.data;
        !data.contains_key(mime) && (mime == PLAIN || (data.len() == 1 && data.contains_key(PLAIN)))
    }

    fn insert(&mut self, mime: String, content: &str) {
        let is_json = mime == "application/json" || mime.ends_with("+json");
        let value = if is_json {
            serde_json::from_str(content).unwrap_or_else(|_| Value::from(content))
        } else {
            Value::from(content)
        };
        self.bundle.data.insert(mime, value);
    }

    fn into_piece(self) -> Piece {
        Piece::Display(Display {
            bundle: self.bundle,
            id: None,
            update: false,
        })
    }
}

/// Returns the length of the text before the first marker, whether that is complete
/// or cut off by the end of `bytes`.
fn text_before_marker(bytes: &[u8]) -> usize {
    (0..bytes.len())
        .find(|&at| bytes[at] == b'E' && !matches!(marker(&bytes[at..]), Marker::None))
        .unwrap_or(bytes.len())
}

/// Returns the marker at the start of `bytes`.
fn marker(bytes: &[u8]) -> Marker<'_> {
    if let Some(after) = bytes.strip_prefix(BEGIN) {
        let Some(line_end) = find(after, b"\n") else {
            return Marker::Unfinished;
        };
        let body = &after[line_end + 1..];
        let Some((content_end, body_end)) = end_of_block(body) else {
            return Marker::Unfinished;
        };
        return Marker::Block {
            mime: trim_return(&after[..line_end]),
            content: &body[..content_end],
            end: BEGIN.len() + line_end + 1 + body_end,
        };
    }
    if let Some(after) = bytes.strip_prefix(INPUT) {
        let password = after.starts_with(PASSWORD);
        let after_keyword = if password {
            &after[PASSWORD.len()..]
        } else {
            after
        };
        let Some(prompt) = after_keyword.strip_prefix(b":") else {
            let cut_short = after_keyword.is_empty() || PASSWORD.starts_with(after_keyword);
            return if cut_short {
                Marker::Unfinished
            } else {
                Marker::None
            };
        };
        let Some(line_end) = find(prompt, b"\n") else {
            return Marker::Unfinished;
        };
        return Marker::Input {
            prompt: trim_return(&prompt[..line_end]),
            password,
            end: bytes.len() - prompt.len() + line_end + 1,
        };
    }
    if BEGIN.starts_with(bytes) || INPUT.starts_with(bytes) {
        return Marker::Unfinished;
    }
    Marker::None
}

/// Returns where the content of a block ends, and where the block ends. The end
/// marker is on a line of its own.
fn end_of_block(body: &[u8]) -> Option<(usize, usize)> {
    let mut line_start = 0;
    while let Some(length) = find(&body[line_start..], b"\n") {
        let line_end = line_start + length;
        if trim_return(&body[line_start..line_end]) == END {
            // Without the line break before the marker.
            return Some((line_start.saturating_sub(1), line_end + 1));
        }
        line_start = line_end + 1;
    }
    None
}

fn trim_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Formats pieces, joining neighbouring plain text: `text`, `[mime=content,
    /// …]`, `<prompt>`, `<*prompt>` for a password.
    fn show(pieces: Vec<Piece>) -> String {
        let mut bytes = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => bytes.extend(text),
                Piece::Display(display) => {
                    let mut contents: Vec<String> = display
                        .bundle
                        .data
                        .iter()
                        .map(|(mime, content)| format!("{mime}={content}"))
                        .collect();
                    contents.sort();
                    bytes.extend(format!("[{}]", contents.join(", ")).into_bytes());
                }
                Piece::Input { prompt, password } => {
                    let mark = if password { "*" } else { "" };
                    bytes.extend(format!("<{mark}{prompt}>").into_bytes());
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn check(input: &str, expect: &str) {
        for size in 1..=input.len().max(1) {
            let mut parser = StdoutParser::default();
            let mut pieces: Vec<Piece> = input
                .as_bytes()
                .chunks(size)
                .flat_map(|part| parser.push(part))
                .collect();
            pieces.extend(parser.finish());
            assert_eq!(show(pieces), expect, "cut every {size} bytes");
        }
    }

    #[test]
    fn plain_text_passes() {
        check("", "");
        check("one\ntwo", "one\ntwo");
        check(
            "EVCXR\nE EVCXR_END_CONTENT\n",
            "EVCXR\nE EVCXR_END_CONTENT\n",
        );
        check("EVCXR_INPUT_REQUESTS:x\n", "EVCXR_INPUT_REQUESTS:x\n");
    }

    #[test]
    fn a_block_becomes_a_display() {
        check(
            "a\nEVCXR_BEGIN_CONTENT text/html\n<b>\n</b>\nEVCXR_END_CONTENT\nb",
            "a\n[text/html=\"<b>\\n</b>\"]b",
        );
        check(
            "pEVCXR_BEGIN_CONTENT image/png\r\niVBOR\r\nEVCXR_END_CONTENT\r\n",
            "p[image/png=\"iVBOR\\r\"]",
        );
        check(
            "EVCXR_BEGIN_CONTENT application/json\n{\"a\":1}\nEVCXR_END_CONTENT\n",
            "[application/json={\"a\":1}]",
        );
        check("EVCXR_BEGIN_CONTENT a/b\nEVCXR_END_CONTENT\n", "[a/b=\"\"]");
    }

    #[test]
    fn plain_text_beside_rich_content_is_one_display_and_two_plots_are_two() {
        let block = |mime: &str| format!("EVCXR_BEGIN_CONTENT {mime}\nx\nEVCXR_END_CONTENT\n");
        check(
            &(block("text/html") + &block("text/plain")),
            "[text/html=\"x\", text/plain=\"x\"]",
        );
        check(
            &(block("text/plain") + &block("image/png")),
            "[image/png=\"x\", text/plain=\"x\"]",
        );
        check(
            &(block("image/png") + &block("image/png")),
            "[image/png=\"x\"][image/png=\"x\"]",
        );
        check(
            &(block("text/html") + "\n" + &block("text/plain")),
            "[text/html=\"x\"]\n[text/plain=\"x\"]",
        );
    }

    #[test]
    fn requests_for_input() {
        check("EVCXR_INPUT_REQUEST:Name: \nrest", "<Name: >rest");
        check("EVCXR_INPUT_REQUEST_PASSWORD:Key:\n", "<*Key:>");
        check("x EVCXR_INPUT_REQUEST:\n", "x <>");
    }

    #[test]
    fn what_never_ends_is_text() {
        check(
            "EVCXR_BEGIN_CONTENT text/html\n<b>",
            "EVCXR_BEGIN_CONTENT text/html\n<b>",
        );
        check("E", "E");
    }

    #[test]
    fn a_partial_line_that_looks_like_a_marker_can_be_released() {
        let mut parser = StdoutParser::default();
        assert_eq!(show(parser.push(b"loading E")), "loading ");
        assert!(parser.is_waiting());
        assert_eq!(show(parser.release()), "E");
        assert!(!parser.is_waiting());
    }

    proptest! {
        #[test]
        fn any_cutting_gives_what_one_piece_gives(
            parts in prop::collection::vec(
                prop_oneof![
                    Just("EVCXR_BEGIN_CONTENT text/html\n".to_owned()),
                    Just("EVCXR_BEGIN_CONTENT text/plain\n".to_owned()),
                    Just("EVCXR_END_CONTENT\n".to_owned()),
                    Just("EVCXR_INPUT_REQUEST".to_owned()),
                    Just("_PASSWORD:".to_owned()),
                    Just("\n".to_owned()),
                    "[EV:é\n]{0,6}",
                ],
                0..10,
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let input = parts.concat().into_bytes();
            let run = |cuts: &[usize]| {
                let mut parser = StdoutParser::default();
                let mut pieces = Vec::new();
                let mut from = 0;
                for &cut in cuts {
                    pieces.extend(parser.push(&input[from..cut]));
                    from = cut;
                }
                pieces.extend(parser.push(&input[from..]));
                pieces.extend(parser.finish());
                show(pieces)
            };
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
            cuts.sort_unstable();
            prop_assert_eq!(run(&cuts), run(&[]));
        }
    }
}
