//! Parquet files: each row group is a partition.

use super::paths::{IntoPaths, Stamp, find};
use crate::error::{Error, Result};
use crate::frame::{DataFrame, FrameChunk, Partitions};
use crate::graph::{Arguments, Block, EncodedOperation, Grid, Layer, Operation, Value};
use crate::panics::catch;
use polars::prelude::{ArrowSchema, Field, ParquetReader, PolarsError, Schema, SerReader};
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;

/// Reads Parquet files with the same columns into one frame.
///
/// Accepts a path, a pattern (`"data/*.parquet"`) or a list of paths. Each row group is
/// a partition, and is read when the frame is computed.
///
/// # Errors
/// Returns [`Error::Io`] for a file that is missing or not a Parquet file, and
/// [`Error::Type`] for a column whose type frames do not support, or if a file's columns
/// differ from those of the first file.
#[doc(alias = "scan_parquet")]
pub fn read_parquet(paths: impl IntoPaths) -> Result<DataFrame> {
    load(find(paths.into_paths())?)
}

fn load(files: Vec<Stamp>) -> Result<DataFrame> {
    let mut parts = Vec::new();
    let mut first: Option<Schema> = None;
    for (file, stamp) in files.iter().enumerate() {
        let mut reader = ParquetReader::new(stamp.open()?);
        let schema = reader.schema().map_err(|error| unread(stamp, error))?;
        let schema = columns(stamp, &schema)?;
        match &first {
            Some(first) if *first != schema => {
                return Err(Error::Type {
                    subject: stamp.path.display().to_string(),
                    found: format!("a file with {schema:?}"),
                    expected: format!("{first:?} as in {}", files[0].path.display()),
                });
            }
            _ => first = Some(schema),
        }
        let mut start = 0;
        let metadata = reader
            .get_metadata()
            .map_err(|error| unread(stamp, error))?;
        for group in &metadata.row_groups {
            let rows = group.num_rows();
            parts.push(Part { file, start, rows });
            start += rows;
        }
        if start == 0 {
            parts.push(Part {
                file,
                start,
                rows: 0,
            });
        }
    }
    let nbytes: u64 = files.iter().map(|file| file.size).sum();
    let grid = Grid::new([parts.len() as u32]);
    let layer = Layer::blockwise(ReadParquet { files, parts }, grid, vec![], vec![]);
    Ok(DataFrame::from_plan(Ok(Partitions {
        layer,
        schema: Arc::new(first.unwrap_or_default()),
        partitionwise: true,
        // The file is compressed. In memory the rows are larger.
        nbytes: Some(nbytes.saturating_mul(10)),
    })))
}

/// Returns a file's columns.
fn columns(stamp: &Stamp, schema: &ArrowSchema) -> Result<Schema> {
    schema
        .iter_values()
        .map(|field| {
            // For a type that it does not know, Polars panics.
            catch(|| Field::from(field)).map_err(|_| Error::Type {
                subject: format!("column \"{}\" of {}", field.name, stamp.path.display()),
                found: format!("of the Arrow type {:?}", field.dtype),
                expected: "a type that frames support: leave the column out, or cast it when the file is written".to_owned(),
            })
        })
        .collect()
}

fn unread(stamp: &Stamp, error: PolarsError) -> Error {
    stamp.error("read", io::Error::other(error))
}

#[derive(Serialize, Deserialize)]
struct ReadParquet {
    files: Vec<Stamp>,
    parts: Vec<Part>,
}

#[derive(Serialize, Deserialize)]
struct Part {
    file: usize,
    start: usize,
    rows: usize,
}

impl Operation for ReadParquet {
    fn name(&self) -> &str {
        "read-parquet"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, block: &Block<'_>, _: Vec<Value>) -> Result<Value> {
        let part = &self.parts[block.index[0] as usize];
        let stamp = &self.files[part.file];
        let frame = ParquetReader::new(stamp.reopen()?)
            .with_slice(Some((part.start, part.rows)))
            .finish()
            .map_err(|error| unread(stamp, error))?;
        Ok(Value::new(FrameChunk(frame)))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "io/read-parquet")
    }
}
