//! Values as bytes: what spilling, remote workers and tests use.
//!
//! A value writes itself into any writer and tells by its [`Codec`] how it is
//! read again. Arrays and frames know their encoding themselves; what delayed
//! functions return is any Rust type, whose encoding [`registry`] knows by the
//! type: common ones from the start ([`common`]), others by [`encodable`].
//! [`elements`] and [`ipc`] are the bulk of all of them: numbers, and Polars frames.

pub(crate) mod elements;
pub(crate) mod ipc;

mod common;
mod format;
mod messages;
mod registry;

#[cfg(test)]
mod tests;

pub(crate) use common::{TypeVisitor, each_type};
pub(crate) use registry::codec_of;
pub use registry::encodable;
pub(super) use registry::{encode_any, nbytes_of};

use super::Value;
use crate::error::{Error, Result};
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

/// How an encoded value is read.
#[derive(Clone, Copy)]
pub struct Codec {
    /// The encoding's name: `array`, `frame`, a type's name.
    pub tag: &'static str,
    /// Reads a value whose encoding is exactly so many bytes.
    ///
    /// # Errors
    /// [`Error::Decode`] for other bytes, [`Error::Transfer`] where reading fails.
    pub decode: fn(from: &mut dyn Read, nbytes: u64) -> Result<Value>,
}

impl PartialEq for Codec {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag
    }
}

impl Eq for Codec {}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Codec").field(&self.tag).finish()
    }
}

/// An encoded value in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// How the content is read.
    pub codec: Codec,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Encoded {
    /// The value.
    ///
    /// # Errors
    /// [`Error::Decode`] for bytes that are not what was encoded.
    pub fn decode(&self) -> Result<Value> {
        (self.codec.decode)(&mut &self.bytes[..], self.bytes.len() as u64)
    }
}

/// Why an encoding could not be written.
pub(crate) fn unwritten(cause: io::Error) -> Error {
    Error::Transfer {
        action: "write",
        cause: Arc::new(cause),
    }
}

/// Why an encoding could not be read: `what` is `an array`.
pub(crate) fn unread(what: &str, cause: io::Error) -> Error {
    if cause.kind() == io::ErrorKind::UnexpectedEof {
        return Error::Decode(format!("{what}: the bytes end too early"));
    }
    Error::Transfer {
        action: "read",
        cause: Arc::new(cause),
    }
}

/// Keeps what a writer failed with, where what writes into it does not.
pub(crate) struct Noting<'a> {
    to: &'a mut dyn Write,
    failure: Option<io::Error>,
}

impl<'a> Noting<'a> {
    pub(crate) fn new(to: &'a mut dyn Write) -> Self {
        Self { to, failure: None }
    }

    /// What the writer failed with, or else what `other` says.
    pub(crate) fn failure(self, other: impl FnOnce() -> Error) -> Error {
        self.failure.map_or_else(other, unwritten)
    }

    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(cause) = &result
            && cause.kind() != io::ErrorKind::Interrupted
            && self.failure.is_none()
        {
            self.failure = Some(copy(cause));
        }
        result
    }
}

/// The same error again: with the system's number, where it has one.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

impl Write for Noting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.to.write(bytes);
        self.note(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.to.flush();
        self.note(result)
    }
}
