//! The chunks that frame tasks pass to each other.

use crate::error::{Error, Result};
use crate::graph::{ChunkValue, Encoded, Value};
use polars::prelude::{Column, DataFrame as Frame, IpcReader, IpcWriter, SerReader, SerWriter};
use polars::series::IsSorted;
use std::io::Cursor;

/// One partition: an eager Polars frame. Columns are shared, so that a clone
/// costs nothing.
#[derive(Clone, Debug)]
pub struct FrameChunk(pub Frame);

impl FrameChunk {
    /// The tag of the encoding: an Arrow IPC file.
    pub const TAG: &'static str = "frame";

    /// Reads an encoded partition.
    ///
    /// # Errors
    /// [`Error::Polars`] where the bytes are no Arrow IPC file.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Ok(Self(IpcReader::new(Cursor::new(bytes)).finish()?))
    }
}

impl ChunkValue for FrameChunk {
    fn nbytes(&self) -> usize {
        self.0.estimated_size()
    }

    fn summary(&self) -> String {
        format!("frame {} × {}", self.0.height(), self.0.width())
    }

    fn encode(&self) -> Result<Encoded> {
        Ok(Encoded {
            tag: Self::TAG,
            bytes: ipc(&self.0)?,
        })
    }
}

/// A partition cut into pieces, one for each partition that a shuffle makes.
#[derive(Clone, Debug)]
pub struct FrameParts(pub Vec<Frame>);

impl FrameParts {
    /// The tag of the encoding: a list of Arrow IPC files.
    pub const TAG: &'static str = "frame-parts";

    /// Reads encoded pieces.
    ///
    /// # Errors
    /// [`Error::Encode`], [`Error::Polars`] where the bytes are something else.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let parts: Vec<Vec<u8>> =
            postcard::from_bytes(bytes).map_err(|error| Error::Encode(error.to_string()))?;
        let parts = parts
            .iter()
            .map(|part| FrameChunk::decode(part).map(|chunk| chunk.0))
            .collect::<Result<_>>()?;
        Ok(Self(parts))
    }
}

impl ChunkValue for FrameParts {
    fn nbytes(&self) -> usize {
        self.0.iter().map(Frame::estimated_size).sum()
    }

    fn summary(&self) -> String {
        let rows: usize = self.0.iter().map(Frame::height).sum();
        format!("{} pieces of a frame of {rows} rows", self.0.len())
    }

    fn encode(&self) -> Result<Encoded> {
        let parts = self.0.iter().map(ipc).collect::<Result<Vec<_>>>()?;
        Ok(Encoded {
            tag: Self::TAG,
            bytes: postcard::to_stdvec(&parts).map_err(|error| Error::Encode(error.to_string()))?,
        })
    }
}

fn ipc(frame: &Frame) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // The writer takes frames of one chunk a column in one batch.
    let mut frame = frame.clone();
    frame.rechunk_mut();
    IpcWriter::new(&mut bytes).finish(&mut frame)?;
    Ok(bytes)
}

/// The partition in a value.
pub(crate) fn frame(value: Value) -> Result<Frame> {
    match value.into_inner::<FrameChunk>() {
        Ok(chunk) => Ok(chunk.0),
        Err(value) => Err(Error::Type {
            subject: "a partition".to_owned(),
            found: value.summary(),
            expected: "a frame".to_owned(),
        }),
    }
}

/// The partitions in some values, one below the other.
pub(crate) fn concat(values: Vec<Value>) -> Result<Frame> {
    let frames = values.into_iter().map(frame).collect::<Result<Vec<_>>>()?;
    stack(frames)
}

/// Frames of the same columns, one below the other.
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

/// Takes away what Polars noted of the order of floating-point columns: of null
/// and NaN below each other it thinks that they are in order, and then finds no
/// largest value.
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

/// A task's result.
pub(crate) fn value(frame: Frame) -> Value {
    Value::new(FrameChunk(frame))
}
