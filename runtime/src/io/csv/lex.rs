//! Taking bytes apart into records and fields.
//!
//! RFC 4180, and what people's files need beyond: line ends are `\n` or `\r\n`; a field
//! is quoted if it begins with the quote character; in it, two of them stand for
//! one; what follows the closing one up to the separator is text (as in
//! Python's csv and pandas). Lines of nothing are no records, unless there is
//! one column only, where they are a missing value.

use super::Encoding;
use memchr::memchr;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::string::FromUtf8Error;

/// What separates fields and records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Format {
    pub(super) separator: u8,
    pub(super) quote: Option<u8>,
    pub(super) comment: Option<Vec<u8>>,
    pub(super) nulls: Vec<String>,
    pub(super) encoding: Encoding,
}

/// A field's place in the bytes, quotes and all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) quoted: bool,
}

/// What is found at a place where a record may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A record, and where the next one begins.
    Fields { end: usize },
    /// A comment.
    Skipped { end: usize },
    /// A quoted field that does not end, and where it begins.
    Unterminated { quote: usize },
    /// Nothing more.
    End,
}

impl Record {
    /// Where the next record begins.
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

    /// The field's content.
    pub(super) fn bytes<'a>(&self, bytes: &'a [u8], format: &Format) -> Cow<'a, [u8]> {
        let raw = &bytes[self.start..self.end];
        let (true, Some(quote)) = (self.quoted, format.quote) else {
            return Cow::Borrowed(raw);
        };
        let inner = &raw[1..];
        match memchr(quote, inner) {
            // The usual case: nothing but the closing one.
            Some(close) if close + 1 == inner.len() => Cow::Borrowed(&inner[..close]),
            _ => Cow::Owned(unquoted(inner, quote)),
        }
    }

    /// The field's content, in decoded text.
    pub(super) fn text<'a>(&self, text: &'a str, format: &Format) -> Cow<'a, str> {
        if !self.quoted {
            return Cow::Borrowed(&text[self.start..self.end]);
        }
        match self.bytes(text.as_bytes(), format) {
            Cow::Borrowed(bytes) => {
                let start = self.start + 1;
                Cow::Borrowed(&text[start..start + bytes.len()])
            }
            // Only ASCII bytes were left out.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }
}

/// What stands behind an opening quote, without quotes.
fn unquoted(inner: &[u8], quote: u8) -> Vec<u8> {
    let mut content = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr(quote, rest) {
        content.extend_from_slice(&rest[..at]);
        if rest.get(at + 1) == Some(&quote) {
            content.push(quote);
            rest = &rest[at + 2..];
        } else {
            // What follows the closing quote is text.
            rest = &rest[at + 1..];
            break;
        }
    }
    content.extend_from_slice(rest);
    content
}

impl Format {
    /// The record that begins at `from`: its fields' places.
    pub(super) fn record(&self, bytes: &[u8], from: usize, fields: &mut Vec<Field>) -> Record {
        fields.clear();
        if from >= bytes.len() {
            return Record::End;
        }
        if let Some(comment) = &self.comment
            && bytes[from..].starts_with(comment)
        {
            let end = memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |at| from + at + 1);
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
            // Fields are short: a plain loop is faster than a vectorised search.
            let found = bytes[at..]
                .iter()
                .position(|&byte| byte == self.separator || byte == b'\n');
            let end = found.map_or(bytes.len(), |found| at + found);
            let is_last = found.is_none() || bytes[end] == b'\n';
            let mut field = Field { start, end, quoted };
            if is_last && end > at && bytes[end - 1] == b'\r' {
                field.end -= 1;
            }
            fields.push(field);
            if is_last {
                return Record::Fields {
                    end: (end + 1).min(bytes.len()),
                };
            }
            start = end + 1;
        }
    }

    /// Where the quote is that closes the one at `open`.
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

    /// Bytes as text.
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

    /// Whether a field stands for a missing value. A quoted nothing is an empty text.
    pub(super) fn is_null(&self, field: Field, text: &str) -> bool {
        field.is_missing() || self.nulls.iter().any(|null| null == text)
    }
}
