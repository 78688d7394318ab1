//! The chunks that frame tasks pass to each other.

use crate::error::{Error, Result};
use crate::graph::encoding::{ipc, unread, unwritten};
use crate::graph::{ChunkValue, Codec, Summary, Value};
use polars::prelude::{Column, DataFrame as Frame};
use polars::series::IsSorted;
use std::io::{Read, Write};

/// One partition: an eager Polars frame. Columns are shared, so cloning is cheap.
#[derive(Clone, Debug)]
pub struct FrameChunk(pub Frame);

impl FrameChunk {
    /// The tag of the encoding: an Arrow IPC stream.
    pub const TAG: &'static str = "frame";

    /// The codec that reads partitions.
    pub(super) const CODEC: Codec = Codec {
        tag: Self::TAG,
        decode: |from, nbytes| Self::decode(from, nbytes).map(Value::new),
    };

    /// Reads an encoded partition of exactly `nbytes` bytes.
    ///
    /// # Errors
    /// Returns [`Error::Decode`] if the bytes are not a partition, and
    /// [`Error::Transfer`] if they cannot be read.
    pub fn decode(from: &mut dyn Read, nbytes: u64) -> Result<Self> {
        ipc::read(from, nbytes).map(Self)
    }
}

impl ChunkValue for FrameChunk {
    fn nbytes(&self) -> usize {
        self.0.estimated_size()
    }

    fn summary(&self) -> Summary {
        Summary::frame(self.0.height(), self.0.width())
    }

    fn codec(&self) -> Option<Codec> {
        Some(Self::CODEC)
    }

    fn encode(&self, to: &mut dyn Write) -> Result<()> {
        ipc::write(&self.0, to)
    }
}

/// A partition cut into pieces, one for each partition that the shuffle creates.
#[derive(Clone, Debug)]
pub struct FrameParts {
    pieces: Vec<Frame>,
    /// The number of rows of all pieces.
    rows: usize,
}

impl FrameParts {
    /// The tag of the encoding: the number of pieces (4 bytes), then an Arrow IPC
    /// stream for each piece.
    pub const TAG: &'static str = "frame-parts";

    /// Wraps pieces.
    pub fn new(pieces: Vec<Frame>) -> Self {
        let rows = pieces.iter().map(Frame::height).sum();
        Self { pieces, rows }
    }

    /// Returns the pieces.
    pub fn pieces(&self) -> &[Frame] {
        &self.pieces
    }

    /// Reads encoded pieces of exactly `nbytes` bytes.
    ///
    /// # Errors
    /// Returns [`Error::Decode`] if the bytes are not pieces, and
    /// [`Error::Transfer`] if they cannot be read.
    pub fn decode(from: &mut dyn Read, nbytes: u64) -> Result<Self> {
        let mut count = [0; 4];
        from.read_exact(&mut count)
            .map_err(|cause| unread("pieces of a frame", cause))?;
        let count = u32::from_le_bytes(count) as usize;
        ipc::read_some(from, nbytes.saturating_sub(4), count).map(Self::new)
    }
}

impl ChunkValue for FrameParts {
    fn nbytes(&self) -> usize {
        self.pieces.iter().map(Frame::estimated_size).sum()
    }

    fn summary(&self) -> Summary {
        Summary::pieces(self.pieces.len(), self.rows)
    }

    fn codec(&self) -> Option<Codec> {
        Some(Codec {
            tag: Self::TAG,
            decode: |from, nbytes| Self::decode(from, nbytes).map(Value::new),
        })
    }

    fn encode(&self, to: &mut dyn Write) -> Result<()> {
        let count = u32::try_from(self.pieces.len())
            .map_err(|_| Error::Encode(self.summary().to_string()))?;
        to.write_all(&count.to_le_bytes()).map_err(unwritten)?;
        self.pieces
            .iter()
            .try_for_each(|piece| ipc::write(piece, to))
    }
}

/// Returns the partition that a value holds.
pub(crate) fn frame(value: Value) -> Result<Frame> {
    match value.into_inner::<FrameChunk>() {
        Ok(chunk) => Ok(chunk.0),
        Err(value) => Err(Error::Type {
            subject: "a partition".to_owned(),
            found: value.summary().to_string(),
            expected: "a frame".to_owned(),
        }),
    }
}

/// Stacks the partitions that some values hold, one below the other.
pub(crate) fn concat(values: Vec<Value>) -> Result<Frame> {
    let frames = values.into_iter().map(frame).collect::<Result<Vec<_>>>()?;
    stack(frames)
}

/// Stacks frames with the same columns, one below the other.
pub(crate) fn stack(frames: Vec<Frame>) -> Result<Frame> {
    let mut frames = frames.into_iter();
    let Some(mut whole) = frames.next() else {
        return Ok(Frame::empty());
    };
    let mut is_stacked = false;
    for frame in frames {
        if frame.height() == 0 {
            continue;
        }
        if whole.height() == 0 {
            whole = frame;
        } else {
            whole.vstack_mut(&frame)?;
            is_stacked = true;
        }
    }
    if is_stacked {
        forget_order(whole)
    } else {
        Ok(whole)
    }
}

/// Clears the flag with which Polars marks floating-point columns as sorted.
/// Polars considers null followed by NaN as sorted, and then finds no largest
/// value.
fn forget_order(frame: Frame) -> Result<Frame> {
    let is_noted =
        |column: &Column| column.dtype().is_float() && column.is_sorted_flag() != IsSorted::Not;
    if !frame.columns().iter().any(is_noted) {
        return Ok(frame);
    }
    let columns = frame.apply_columns(|column| {
        let mut column = column.clone();
        if is_noted(&column) {
            column.set_sorted_flag(IsSorted::Not);
        }
        column
    });
    Ok(Frame::new(frame.height(), columns)?)
}

/// Wraps a task's result.
pub(crate) fn value(frame: Frame) -> Value {
    Value::new(FrameChunk(frame))
}
