//! Brings rows that belong together into one partition.
//!
//! Each partition is cut into pieces, one for each partition of the result. The
//! piece of a row depends on its key in Polars' row encoding. These bytes are
//! equal for equal keys, and for a sort they are ordered like the keys. Rows
//! keep their order within a piece, and pieces are stacked in the order of the
//! partitions from which they come.

use super::chunk::{self, FrameChunk, FrameParts};
use super::engine::collect;
use super::exact::read_all;
use super::partitions::Partitions;
use super::step::{NamedStep, SortBy, Step};
use crate::error::{Error, Result};
use crate::graph::{
    Arguments, Block, BlockInput, EncodedOperation, Grid, Layer, Operation, TaskFamily, TaskRef,
    Value,
};
use polars::prelude::{
    BinaryChunked, Column, DataFrame as Frame, DataType, Expr, IdxCa, IdxSize, IntoColumn,
    IntoLazy, NewChunkedArray, PlSmallStr, Schema,
};
use polars_core::chunked_array::ops::row_encode::{_get_rows_encoded_ca, encode_rows_unordered};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// The rule that assigns rows to partitions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Target {
    /// By the hash of these values.
    Hash(#[serde(deserialize_with = "read_all")] Vec<Expr>),
    /// By order: the rows of each partition come before those of the next one.
    Order(SortBy),
}

/// Shuffles the frame into `into` partitions of rows that belong together.
pub(super) fn shuffle(plan: &Partitions, target: Target, into: u32) -> Result<Partitions> {
    let grid = Grid::new([plan.npartitions()]);
    let mut inputs = vec![plan.same(0)];
    let mut dependencies = vec![plan.layer.clone()];
    if let Target::Order(by) = &target {
        let bounds = bounds(plan, by, into);
        inputs.push(bounds.first(1));
        dependencies.push(bounds.layer);
    }
    let scatter = Layer::blockwise(Scatter { target, into }, grid, inputs, dependencies);
    let family = GatherAll {
        pieces: plan.npartitions(),
        gather: Gather,
    };
    Ok(Partitions {
        layer: Layer::family(&Gather, family, Grid::new([into]), vec![scatter]),
        schema: plan.schema.clone(),
        partitionwise: false,
        nbytes: plan.nbytes,
    })
}

/// Computes the keys between the partitions of a sorted frame, from samples.
fn bounds(plan: &Partitions, by: &SortBy, into: u32) -> Partitions {
    let schema = Arc::new(Schema::from_iter([(KEY, DataType::Binary)]));
    let samples = plan.each(Sample(by.clone()), schema.clone());
    let concat = NamedStep {
        name: "sort-samples".to_owned(),
        step: Step::Concat,
    };
    samples.tree(concat, schema.clone(), Bounds(into), schema)
}

const KEY: PlSmallStr = PlSmallStr::from_static("key");

/// The number of sampled rows per partition.
const SAMPLES: usize = 256;

/// Extracts the keys of sampled rows.
#[derive(Serialize, Deserialize)]
struct Sample(SortBy);

impl Operation for Sample {
    fn name(&self) -> &str {
        "sort-sample"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(&self.0)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let frame = chunk::concat(inputs)?;
        let rows = frame.height();
        let count = rows.min(SAMPLES);
        let chosen: Vec<IdxSize> = (0..count)
            .map(|at| (rows * at / count) as IdxSize)
            .collect();
        let frame = frame
            .select(&self.0.columns)?
            .take(&IdxCa::from_vec(PlSmallStr::EMPTY, chosen))?;
        let mut keys: Vec<Vec<u8>> = Vec::with_capacity(count);
        for_each_key(&frame, &self.0, |key| keys.push(key.to_vec()))?;
        key_frame(&keys)
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "frame/sort-sample")
    }
}

/// Computes the keys at which the sorted partitions begin, except for the
/// first.
#[derive(Serialize, Deserialize)]
struct Bounds(u32);

impl Operation for Bounds {
    fn name(&self) -> &str {
        "sort-bounds"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(&self.0)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let mut keys = read_keys(&chunk::concat(inputs)?)?;
        keys.sort_unstable();
        let into = self.0 as usize;
        let mut bounds: Vec<Vec<u8>> = (1..into)
            .filter_map(|at| keys.get(keys.len() * at / into).cloned())
            .collect();
        bounds.dedup();
        key_frame(&bounds)
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "frame/sort-bounds")
    }
}

fn key_frame(keys: &[Vec<u8>]) -> Result<Value> {
    let keys = BinaryChunked::from_slice(KEY, keys).into_column();
    Ok(Value::new(FrameChunk(Frame::new_infer_height(vec![keys])?)))
}

fn read_keys(frame: &Frame) -> Result<Vec<Vec<u8>>> {
    let keys = frame.column(&KEY)?.binary()?;
    Ok(keys.iter().flatten().map(<[u8]>::to_vec).collect())
}

fn for_each_key(frame: &Frame, by: &SortBy, mut each: impl FnMut(&[u8])) -> Result<()> {
    let columns: Vec<Column> = by
        .columns
        .iter()
        .map(|name| frame.column(name).cloned())
        .collect::<Result<_, _>>()?;
    let nulls_last = vec![false; columns.len()];
    let keys = _get_rows_encoded_ca(KEY, &columns, &by.descending, &nulls_last, false)?;
    for key in keys.downcast_iter().flat_map(|keys| keys.values_iter()) {
        each(key);
    }
    Ok(())
}

/// Cuts a partition into pieces.
#[derive(Serialize, Deserialize)]
struct Scatter {
    target: Target,
    into: u32,
}

impl Operation for Scatter {
    fn name(&self) -> &str {
        match self.target {
            Target::Hash(_) => "shuffle-split",
            Target::Order(_) => "sort-split",
        }
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(&(&self.target, self.into))
    }

    fn run(&self, _: &Block<'_>, mut inputs: Vec<Value>) -> Result<Value> {
        let into = self.into as usize;
        let mut rows: Vec<Vec<IdxSize>> = vec![Vec::new(); into];
        let mut row: IdxSize = 0;
        let frame = match &self.target {
            Target::Hash(keys) => {
                let frame = chunk::concat(inputs)?;
                let keys = collect(frame.clone().lazy().select(keys))?;
                let keys = encode_rows_unordered(keys.columns())?;
                for key in keys.downcast_iter().flat_map(|keys| keys.values_iter()) {
                    rows[(xxh3_64(key) % into as u64) as usize].push(row);
                    row += 1;
                }
                frame
            }
            Target::Order(by) => {
                let bounds = inputs.pop().map(chunk::frame).transpose()?;
                let bounds = read_keys(&bounds.unwrap_or_default())?;
                let frame = chunk::concat(inputs)?;
                for_each_key(&frame, by, |key| {
                    rows[bounds.partition_point(|bound| &**bound <= key)].push(row);
                    row += 1;
                })?;
                frame
            }
        };
        let pieces = rows
            .into_iter()
            .map(|rows| Ok(frame.take(&IdxCa::from_vec(PlSmallStr::EMPTY, rows))?))
            .collect::<Result<_>>()?;
        Ok(Value::new(FrameParts::new(pieces)))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "frame/scatter")
    }
}

/// Stacks the pieces for one partition.
#[derive(Serialize, Deserialize)]
struct Gather;

impl Operation for Gather {
    fn name(&self) -> &str {
        "shuffle"
    }

    fn arguments(&self) -> Arguments {
        Arguments::none()
    }

    fn run(&self, block: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let at = block.index.first().copied().unwrap_or_default() as usize;
        let pieces = inputs
            .iter()
            .map(|value| {
                let parts = value.downcast_ref::<FrameParts>();
                let piece = parts.and_then(|parts| parts.pieces().get(at));
                piece.cloned().ok_or_else(|| Error::Type {
                    subject: "a shuffle's input".to_owned(),
                    found: value.summary().to_string(),
                    expected: format!("more than {at} pieces of a frame"),
                })
            })
            .collect::<Result<_>>()?;
        Ok(chunk::value(chunk::stack(pieces)?))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "frame/gather")
    }
}

struct GatherAll {
    pieces: u32,
    gather: Gather,
}

impl TaskFamily for GatherAll {
    fn operation(&self, _: &[u32]) -> &dyn Operation {
        &self.gather
    }

    fn inputs(&self, _: &[u32], inputs: &mut Vec<TaskRef>) {
        inputs.extend((0..self.pieces).map(|linear| TaskRef {
            dependency: 0,
            linear,
        }));
    }
}

/// Pairs the partitions at the same position, for a layer that depends on two
/// frames.
pub(super) fn both(left: &Partitions, right: &Partitions) -> Vec<BlockInput> {
    vec![left.same(0), right.same(1)]
}
