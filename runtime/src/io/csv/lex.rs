//! Splits bytes into records and fields.
//!
//! The format is RFC 4180, with extensions for files that occur in practice:
//!
//! - Lines end with `\n`, `\r\n` or `\r` (as on old Macs), also mixed in one file, as
//!   in Python's csv and pandas.
//! - A field is quoted if it begins with the quote character. Inside, two quote
//!   characters mean one. Characters between the closing quote and the separator are
//!   text (as in Python's csv and pandas).
//! - Empty lines are not records, unless there is only one column, where they are a
//!   missing value.

use super::Encoding;
use memchr::{memchr, memchr2, memchr2_iter};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::string::FromUtf8Error;

/// The characters that separate fields and records, and the meaning of fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Format {
    pub(super) separator: u8,
    pub(super) quote: Option<u8>,
    pub(super) comment: Option<Vec<u8>>,
    pub(super) nulls: Vec<String>,
    pub(super) encoding: Encoding,
}

/// A field's position in the bytes, including its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) quoted: bool,
}

/// The result of reading at a position where a record may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A record, and the position of the next one.
    Fields { end: usize },
    /// A comment.
    Skipped { end: usize },
    /// A quoted field without an end, and the position where it begins.
    Unterminated { quote: usize },
    /// The end of the bytes.
    End,
}

impl Record {
    /// Returns the position where the next record begins.
    pub(super) fn end(self) -> Option<usize> {
        match self {
            Self::Fields { end } | Self::Skipped { end } => Some(end),
            _ => None,
        }
    }
}

impl Field {
    pub(super) fn is_missing(self) -> bool {
        self.start == self.end
    }

    /// Returns the field's content.
    pub(super) fn bytes<'a>(&self, bytes: &'a [u8], format: &Format) -> Cow<'a, [u8]> {
        let raw = &bytes[self.start..self.end];
        let (true, Some(quote)) = (self.quoted, format.quote) else {
            return Cow::Borrowed(raw);
        };
        let inner = &raw[1..];
        match memchr(quote, inner) {
            // The usual case: there is only the closing quote.
            Some(close) if close + 1 == inner.len() => Cow::Borrowed(&inner[..close]),
            _ => Cow::Owned(unquoted(inner, quote)),
        }
    }

    /// Returns the field's content, from decoded text.
    pub(super) fn text<'a>(&self, text: &'a str, format: &Format) -> Cow<'a, str> {
        if !self.quoted {
            return Cow::Borrowed(&text[self.start..self.end]);
        }
        match self.bytes(text.as_bytes(), format) {
            Cow::Borrowed(bytes) => {
                let start = self.start + 1;
                Cow::Borrowed(&text[start..start + bytes.len()])
            }
            // Only ASCII bytes were removed.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }
}

/// Returns the content after an opening quote, without quotes.
fn unquoted(inner: &[u8], quote: u8) -> Vec<u8> {
    let mut content = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr(quote, rest) {
        content.extend_from_slice(&rest[..at]);
        if rest.get(at + 1) == Some(&quote) {
            content.push(quote);
            rest = &rest[at + 2..];
        } else {
            // Bytes after the closing quote are text.
            rest = &rest[at + 1..];
            break;
        }
    }
    content.extend_from_slice(rest);
    content
}

/// Returns whether a line ends with this byte, or with this byte and the next one.
pub(super) fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// Returns the position after a line end at `end`, at most the end of the bytes.
fn behind(bytes: &[u8], end: usize) -> usize {
    let of_two = bytes[end.min(bytes.len())..].starts_with(b"\r\n");
    (end + if of_two { 2 } else { 1 }).min(bytes.len())
}

/// Returns the end of the line that contains `from`, and the beginning of the next one. A
/// line end in the last byte may continue in the bytes that follow.
pub(super) fn line_end(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let end = from + memchr2(b'\n', b'\r', &bytes[from..])?;
    Some((end, behind(bytes, end)))
}

/// Counts line ends in bytes that arrive in pieces.
#[derive(Default)]
pub(super) struct Lines {
    ended: usize,
    /// Whether the last byte may be the first of a line end of two bytes.
    open: bool,
}

impl Lines {
    pub(super) fn take(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        let mut behind = if self.open { Some(0) } else { None };
        for at in memchr2_iter(b'\n', b'\r', bytes) {
            if bytes[at] == b'\r' {
                self.ended += 1;
                behind = Some(at + 1);
            } else if behind != Some(at) {
                self.ended += 1;
            }
        }
        self.open = *last == b'\r';
    }

    /// Returns the number of lines that have ended.
    pub(super) fn ended(&self) -> usize {
        self.ended
    }
}

impl Format {
    /// Reads the record that begins at `from` and stores the positions of its fields.
    pub(super) fn record(&self, bytes: &[u8], from: usize, fields: &mut Vec<Field>) -> Record {
        fields.clear();
        if from >= bytes.len() {
            return Record::End;
        }
        if let Some(comment) = &self.comment
            && bytes[from..].starts_with(comment)
        {
            let end = line_end(bytes, from).map_or(bytes.len(), |(_, next)| next);
            return Record::Skipped { end };
        }
        let mut start = from;
        loop {
            let mut at = start;
            let quoted = self.quote.is_some() && bytes.get(start).copied() == self.quote;
            if quoted {
                match self.closing(bytes, start) {
                    Some(close) => at = close + 1,
                    None => return Record::Unterminated { quote: start },
                }
            }
            // Fields are short, so a plain loop is faster than a vectorised search.
            let found = bytes[at..]
                .iter()
                .position(|&byte| byte == self.separator || is_line_end(byte));
            let end = found.map_or(bytes.len(), |found| at + found);
            fields.push(Field { start, end, quoted });
            if found.is_none() || is_line_end(bytes[end]) {
                return Record::Fields {
                    end: behind(bytes, end),
                };
            }
            start = end + 1;
        }
    }

    /// Returns the position of the quote that closes the one at `open`.
    fn closing(&self, bytes: &[u8], open: usize) -> Option<usize> {
        let quote = self.quote?;
        let mut at = open + 1;
        loop {
            let close = at + memchr(quote, bytes.get(at..)?)?;
            if bytes.get(close + 1) != Some(&quote) {
                return Some(close);
            }
            at = close + 2;
        }
    }

    /// Decodes bytes into text.
    pub(super) fn decode(&self, bytes: Vec<u8>) -> Result<String, FromUtf8Error> {
        match self.encoding {
            Encoding::Utf8 => String::from_utf8(bytes),
            Encoding::Utf8Lossy => Ok(String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())),
            Encoding::Latin1 => Ok(if bytes.is_ascii() {
                String::from_utf8(bytes)?
            } else {
                bytes.into_iter().map(char::from).collect()
            }),
        }
    }

    /// Returns whether a field means a missing value. An empty quoted field is an empty text.
    pub(super) fn is_null(&self, field: Field, text: &str) -> bool {
        field.is_missing() || self.nulls.iter().any(|null| null == text)
    }
}
