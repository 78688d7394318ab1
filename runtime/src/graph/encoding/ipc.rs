//! Encodes frames as uncompressed Arrow IPC streams: the bytes that Polars holds,
//! unchanged.
//!
//! The stream describes its own content (columns, types, batches of rows), so
//! other programs can read it too. The metadata of the schema adds what Arrow
//! does not store: the number of rows, which a frame without columns also has,
//! and which columns are sorted.
//!
//! Polars assembles a batch in memory before writing it. Batches are therefore
//! about [`BATCH`] bytes long, and a large frame comes back in as many chunks.

use super::Noting;
use super::messages::Messages;
use crate::error::{Error, Result};
use crate::panics;
use polars::prelude::{
    Column, CompatLevel, DataFrame, IdxSize, IntoColumn, PolarsError, Schema, SchemaExt, Series,
};
use polars::series::IsSorted;
use polars_arrow::array::{
    Array, ArrayRef, BinaryViewArray, FixedSizeListArray, ListArray, StructArray, Utf8ViewArray,
};
use polars_arrow::datatypes::{ArrowDataType, Metadata};
use polars_arrow::io::ipc::read::{StreamReader, StreamState, read_stream_metadata};
use polars_arrow::io::ipc::write::{StreamWriter, WriteOptions};
use polars_arrow::offset::OffsetsBuffer;
use polars_arrow::record_batch::RecordBatch;
use std::io::{Read, Write};
use std::sync::Arc;

/// The approximate number of bytes of a frame that are written at a time.
const BATCH: usize = 16 << 20;

/// A batch that has more chunks than this is rechunked.
const CHUNKS: usize = 4;

const ROWS: &str = "swath.rows";
const SORTED: &str = "swath.sorted";

/// Writes a frame.
pub(crate) fn write(frame: &DataFrame, to: &mut dyn Write) -> Result<()> {
    let mut to = Noting::new(to);
    match write_stream(frame, &mut to) {
        Ok(()) => Ok(()),
        Err(PolarsError::IO { error, .. }) => Err(to.failure(|| Error::Transfer {
            action: "write",
            cause: error,
        })),
        Err(error) => Err(to.failure(|| error.into())),
    }
}

fn write_stream(frame: &DataFrame, to: &mut dyn Write) -> Result<(), PolarsError> {
    let schema = frame.schema().to_arrow(CompatLevel::newest());
    let mut writer = StreamWriter::new(to, WriteOptions { compression: None });
    writer.set_custom_schema_metadata(Arc::new(metadata(frame)));
    writer.start(&schema, None)?;
    let height = frame.height();
    if frame.width() > 0 && height > 0 {
        let batches = frame.estimated_size().div_ceil(BATCH).max(1);
        let rows = height.div_ceil(batches);
        for start in (0..height).step_by(rows) {
            let mut part = frame.slice(start as i64, rows);
            if part.should_rechunk() || part.first_col_n_chunks() > CHUNKS {
                part.rechunk_mut();
            }
            for batch in part.iter_chunks(CompatLevel::newest(), false) {
                writer.write(&compact(batch)?, None)?;
            }
        }
    }
    writer.finish()
}

fn metadata(frame: &DataFrame) -> Metadata {
    let sorted: String = frame
        .columns()
        .iter()
        .map(|column| match column.is_sorted_flag() {
            IsSorted::Ascending => 'a',
            IsSorted::Descending => 'd',
            IsSorted::Not => '-',
        })
        .collect();
    Metadata::from([
        (ROWS.into(), frame.height().to_string().into()),
        (SORTED.into(), sorted.into()),
    ])
}

/// Reads a frame whose encoding is exactly `nbytes` long.
pub(crate) fn read(from: &mut dyn Read, nbytes: u64) -> Result<DataFrame> {
    read_some(from, nbytes, 1).map(|mut frames| frames.remove(0))
}

/// Reads `count` frames that were written one after the other and together occupy
/// exactly `nbytes` bytes.
pub(crate) fn read_some(from: &mut dyn Read, nbytes: u64, count: usize) -> Result<Vec<DataFrame>> {
    let mut messages = Messages::new(from, nbytes);
    let mut frames = Vec::new();
    for _ in 0..count {
        // Polars relies on conditions that corrupt bytes may violate.
        let frame = panics::catch(|| read_stream(&mut messages));
        let wrong = |error: &dyn std::fmt::Display| Error::Decode(format!("a frame: {error}"));
        frames.push(match frame {
            Ok(Ok(frame)) => frame,
            Ok(Err(error)) => return Err(messages.failure().unwrap_or_else(|| wrong(&error))),
            Err(error) => return Err(messages.failure().unwrap_or_else(|| wrong(&error))),
        });
        messages.restart();
    }
    match messages.rest() {
        0 => Ok(frames),
        rest => Err(Error::Decode(format!("a frame: {rest} bytes too many"))),
    }
}

fn read_stream(messages: &mut Messages<'_>) -> Result<DataFrame, PolarsError> {
    let wrong = |what: &'static str| PolarsError::ComputeError(what.into());
    let mut metadata = read_stream_metadata(messages)?;
    let custom = metadata.custom_schema_metadata.take().unwrap_or_default();
    let height: usize = custom
        .get(ROWS)
        .and_then(|rows| rows.parse().ok())
        .filter(|&rows: &usize| IdxSize::try_from(rows).is_ok())
        .ok_or_else(|| wrong("the number of rows is missing"))?;
    let schema = metadata.schema.clone();
    let mut chunks: Vec<Vec<ArrayRef>> = vec![Vec::new(); schema.len()];
    for batch in StreamReader::new(messages, metadata, None) {
        match batch? {
            StreamState::Some(batch) => {
                for (chunks, array) in chunks.iter_mut().zip(batch.into_arrays()) {
                    chunks.push(array);
                }
            }
            StreamState::Waiting => return Err(wrong("the bytes end too early")),
        }
    }
    let sorted = custom.get(SORTED).map_or("", |sorted| sorted.as_str());
    let mut sorted = sorted.chars();
    let empty = Schema::from_arrow_schema(&schema);
    let columns = schema
        .iter_values()
        .zip(chunks)
        .zip(empty.iter())
        .map(|((field, chunks), (name, dtype))| {
            let mut column = if chunks.is_empty() {
                Column::new_empty(name.clone(), dtype)
            } else {
                Series::try_from((field, chunks))?.into_column()
            };
            match sorted.next() {
                Some('a') => column.set_sorted_flag(IsSorted::Ascending),
                Some('d') => column.set_sorted_flag(IsSorted::Descending),
                _ => {}
            }
            Ok(column)
        })
        .collect::<Result<Vec<Column>, PolarsError>>()?;
    DataFrame::new(height, columns)
}

/// Compacts texts within lists and structs, which removes the buffers they
/// share with others. Polars compacts top-level texts itself.
fn compact(batch: RecordBatch) -> Result<RecordBatch, PolarsError> {
    if !batch
        .arrays()
        .iter()
        .any(|array| has_inner_views(array.dtype()))
    {
        return Ok(batch);
    }
    let (height, schema) = (batch.len(), Arc::new(batch.schema().clone()));
    let arrays = batch
        .into_arrays()
        .into_iter()
        .map(|array| match has_inner_views(array.dtype()) {
            true => compacted(&*array),
            false => Ok(array),
        })
        .collect::<Result<_, _>>()?;
    RecordBatch::try_new(height, schema, arrays)
}

fn has_inner_views(dtype: &ArrowDataType) -> bool {
    let has_views = |dtype: &ArrowDataType| {
        matches!(dtype, ArrowDataType::Utf8View | ArrowDataType::BinaryView)
            || has_inner_views(dtype)
    };
    match dtype {
        ArrowDataType::LargeList(field) | ArrowDataType::FixedSizeList(field, _) => {
            has_views(field.dtype())
        }
        ArrowDataType::Struct(fields) => fields.iter().any(|field| has_views(field.dtype())),
        _ => false,
    }
}

fn compacted(array: &dyn Array) -> Result<ArrayRef, PolarsError> {
    let dtype = array.dtype().clone();
    let validity = array.validity().cloned();
    let any = array.as_any();
    if let Some(list) = any.downcast_ref::<ListArray<i64>>() {
        let offsets = list.offsets();
        let first = *offsets.first();
        let values = list
            .values()
            .sliced(first as usize, offsets.range() as usize);
        let offsets: Vec<i64> = offsets.iter().map(|offset| offset - first).collect();
        let offsets = OffsetsBuffer::try_from(offsets)?;
        return Ok(ListArray::try_new(dtype, offsets, compacted(&*values)?, validity)?.boxed());
    }
    if let Some(list) = any.downcast_ref::<FixedSizeListArray>() {
        let values = compacted(&**list.values())?;
        return Ok(FixedSizeListArray::try_new(dtype, list.len(), values, validity)?.boxed());
    }
    if let Some(fields) = any.downcast_ref::<StructArray>() {
        let values = fields
            .values()
            .iter()
            .map(|values| compacted(&**values))
            .collect::<Result<_, _>>()?;
        return Ok(StructArray::try_new(dtype, fields.len(), values, validity)?.boxed());
    }
    if let Some(texts) = any.downcast_ref::<Utf8ViewArray>() {
        return Ok(texts.clone().gc().boxed());
    }
    if let Some(bytes) = any.downcast_ref::<BinaryViewArray>() {
        return Ok(bytes.clone().gc().boxed());
    }
    Ok(array.to_boxed())
}
