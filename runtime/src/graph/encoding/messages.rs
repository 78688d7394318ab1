//! The messages of an Arrow IPC stream, checked before Polars reads them.
//!
//! Polars allocates the memory that a message announces before it knows whether
//! the bytes exist, so a wrong length would end the process. This reader therefore
//! first compares the lengths in a message with the rest of the encoding. Polars
//! also requires a seekable reader, but it only ever seeks forward, over padding.
//! This reader emulates that, so a spill file or a socket need not be seekable.
//!
//! See "Encapsulated message format" in Arrow's columnar format.

use super::unread;
use crate::error::{Error, Result};
use polars_arrow_format::ipc::planus::{self, ReadAsRoot};
use polars_arrow_format::ipc::{MessageHeaderRef, MessageRef};
use std::io::{self, Read, Seek, SeekFrom};

/// Reads streams, message by message.
pub(super) struct Messages<'a> {
    from: io::Take<&'a mut dyn Read>,
    /// The current message's length prefix and metadata.
    header: Vec<u8>,
    /// How much of `header` has been read.
    read: usize,
    /// How much of the current message's body is still to be read.
    body: u64,
    /// How many bytes have been read in total.
    position: u64,
    /// Whether the stream's last message was read.
    ended: bool,
    failure: Option<Error>,
}

const CONTINUATION: [u8; 4] = [0xff; 4];

impl<'a> Messages<'a> {
    /// Creates a reader of the messages in the next `nbytes` bytes.
    pub(super) fn new(from: &'a mut dyn Read, nbytes: u64) -> Self {
        Self {
            from: from.take(nbytes),
            header: Vec::new(),
            read: 0,
            body: 0,
            position: 0,
            ended: false,
            failure: None,
        }
    }

    /// Returns the error that made reading fail, unless it came from Polars.
    pub(super) fn failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// Starts the next stream.
    pub(super) fn restart(&mut self) {
        self.ended = false;
    }

    /// Returns how many bytes are left.
    pub(super) fn rest(&self) -> u64 {
        self.from.limit()
    }

    fn next(&mut self) -> Result<()> {
        let mut start = [0; 8];
        self.fill(&mut start)?;
        let length = i32::from_le_bytes([start[4], start[5], start[6], start[7]]);
        let length = u64::try_from(length).ok();
        let length = length.filter(|&length| start[..4] == CONTINUATION && length <= self.rest());
        let Some(length) = length else {
            return Err(wrong("expected the start of a message"));
        };
        self.header.clear();
        self.header.extend(start);
        self.header.resize(8 + length as usize, 0);
        let mut header = std::mem::take(&mut self.header);
        self.fill(&mut header[8..])?;
        self.header = header;
        self.read = 0;
        self.ended = length == 0;
        if !self.ended {
            self.body = checked(&self.header[8..], self.rest())?;
        }
        Ok(())
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        let filled = self.from.read_exact(bytes);
        filled.map_err(|cause| unread("a frame", cause))
    }

    /// Stores the error and reports the end of the data: Polars panics on some
    /// errors.
    fn fail<T: Default>(&mut self, error: Error) -> io::Result<T> {
        self.failure.get_or_insert(error);
        Ok(T::default())
    }
}

fn wrong(what: &str) -> Error {
    Error::Decode(format!("a frame: {what}"))
}

/// Returns the length of a message's body if the lengths in the message fit into
/// `rest` bytes.
fn checked(message: &[u8], rest: u64) -> Result<u64> {
    let body = checked_lengths(message, rest);
    let body = body.map_err(|error| wrong(&format!("invalid message: {error}")))?;
    body.ok_or_else(|| wrong("a message announces more bytes than there are"))
}

fn checked_lengths(message: &[u8], rest: u64) -> planus::Result<Option<u64>> {
    let message = MessageRef::read_as_root(message)?;
    let Ok(body) = u64::try_from(message.body_length()?) else {
        return Ok(None);
    };
    let batch = match message.header()? {
        Some(MessageHeaderRef::RecordBatch(batch)) => Some(batch),
        Some(MessageHeaderRef::DictionaryBatch(batch)) => batch.data()?,
        _ => None,
    };
    if body > rest {
        return Ok(None);
    }
    let Some(batch) = batch else {
        return Ok(Some(body));
    };
    let mut fits = batch.length()? >= 0 && batch.compression()?.is_none();
    let mut buffers = 0i64;
    for buffer in batch.buffers()?.into_iter().flatten() {
        let (Ok(offset), Ok(length)) = (
            u64::try_from(buffer.offset()),
            u64::try_from(buffer.length()),
        ) else {
            return Ok(None);
        };
        buffers += 1;
        fits &= offset.checked_add(length).is_some_and(|end| end <= body);
    }
    for node in batch.nodes()?.into_iter().flatten() {
        fits &= node.length() >= 0 && (0..=node.length()).contains(&node.null_count());
    }
    for count in batch.variadic_buffer_counts()?.into_iter().flatten() {
        fits &= (0..=buffers).contains(&count);
    }
    Ok(fits.then_some(body))
}

impl Read for Messages<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.failure.is_some() || bytes.is_empty() {
            return Ok(0);
        }
        if self.read == self.header.len() && self.body == 0 {
            if self.ended {
                return Ok(0);
            }
            if let Err(error) = self.next() {
                return self.fail(error);
            }
        }
        let count = if self.read < self.header.len() {
            let count = (&self.header[self.read..]).read(bytes)?;
            self.read += count;
            count
        } else {
            let most = usize::try_from(self.body)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            let count = match self.from.read(&mut bytes[..most]) {
                Ok(0) => return self.fail(wrong("the bytes end too early")),
                Ok(count) => count,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => return Err(cause),
                Err(cause) => return self.fail(unread("a frame", cause)),
            };
            self.body -= count as u64;
            count
        };
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Messages<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let forward = match to {
            SeekFrom::Start(to) => to.checked_sub(self.position),
            SeekFrom::Current(by) => u64::try_from(by).ok(),
            SeekFrom::End(_) => None,
        };
        let Some(forward) = forward else {
            let error = wrong("its buffers are not in order");
            self.failure.get_or_insert(error);
            return Err(io::ErrorKind::NotSeekable.into());
        };
        io::copy(&mut self.by_ref().take(forward), &mut io::sink())?;
        Ok(self.position)
    }
}
