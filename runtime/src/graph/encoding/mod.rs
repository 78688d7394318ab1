//! Encoding of values, for spilling, remote workers and tests.
//!
//! A value writes itself into any writer, and its [`Codec`] says how to read it
//! back. Arrays and frames know their own encodings. Delayed functions return
//! arbitrary Rust types, whose encodings are in [`registry`] by type: common
//! types are registered from the start ([`common`]), others by [`encodable`].
//! [`elements`] and [`ipc`] encode the bulk of the data: numbers and Polars
//! frames.

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

/// The reader of an encoded value.
#[derive(Clone, Copy)]
pub struct Codec {
    /// The encoding's name: `array`, `frame`, a type's name.
    pub tag: &'static str,
    /// Reads a value whose encoding is exactly `nbytes` long.
    ///
    /// # Errors
    /// [`Error::Decode`] for invalid bytes; [`Error::Transfer`] if reading fails.
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
    /// The codec that reads the content.
    pub codec: Codec,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Encoded {
    /// Decodes the value.
    ///
    /// # Errors
    /// [`Error::Decode`] for bytes that are not a valid encoding.
    pub fn decode(&self) -> Result<Value> {
        (self.codec.decode)(&mut &self.bytes[..], self.bytes.len() as u64)
    }
}

/// Converts the cause into an error that an encoding could not be written.
pub(crate) fn unwritten(cause: io::Error) -> Error {
    Error::Transfer {
        action: "write",
        cause: Arc::new(cause),
    }
}

/// Converts the cause into an error that an encoding could not be read; `what` is
/// `an array`, for example.
pub(crate) fn unread(what: &str, cause: io::Error) -> Error {
    if cause.kind() == io::ErrorKind::UnexpectedEof {
        return Error::Decode(format!("{what}: the bytes end too early"));
    }
    Error::Transfer {
        action: "read",
        cause: Arc::new(cause),
    }
}

/// A writer that keeps the error of the writer below it, for callers that lose
/// that error.
pub(crate) struct Noting<'a> {
    to: &'a mut dyn Write,
    failure: Option<io::Error>,
}

impl<'a> Noting<'a> {
    pub(crate) fn new(to: &'a mut dyn Write) -> Self {
        Self { to, failure: None }
    }

    /// Returns the writer's error if there was one, or else `other()`.
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

/// Copies an I/O error, with the operating system's error number if it has one.
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
