//! Reductions: the contribution of a chunk, the merging of contributions in a tree, and
//! the result from the last one.
//!
//! A reduction is a row of the table in [`methods`], and a small type that implements
//! [`Reduce`]. The frame around it is the same for all: any set of axes, the axes that
//! are kept, and the number of contributions that are merged at a time.

use super::axes::SPLIT_EVERY;
use super::chunk::Chunk;
use super::chunks::Chunks;
use super::dtype::DType;
use super::elementwise::inputs_of;
use crate::error::{Error, Result};
use crate::graph::{
    Arguments, AxisMap, Block, BlockInput, EncodedOperation, Grid, Layer, Operation, Sizes,
    TaskFamily, TaskRef, Value,
};
use ndarray::{ArcArray, IxDyn};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

mod distinct;
mod extremes;
mod fold;
mod methods;
mod moments;
mod partials;
mod sums;
mod wide;

pub(super) use methods::Reduction;
pub use methods::Sums;
pub(super) use partials::Partials;

/// Runs code on the array of a chunk: one version for floats, another one for integers
/// and masks.
macro_rules! by_kind {
    ($chunk:expr, $array:ident => $floats:expr, $integers:expr) => {
        match $chunk {
            Chunk::F64($array) => $floats,
            Chunk::F32($array) => $floats,
            Chunk::I64($array) => $integers,
            Chunk::I32($array) => $integers,
            Chunk::U64($array) => $integers,
            Chunk::U32($array) => $integers,
            Chunk::U8($array) => $integers,
            Chunk::Bool($array) => $integers,
        }
    };
}
use by_kind;

/// The rule of a reduction.
trait Reduce {
    /// Returns the result's type for elements of a type.
    fn result(&self, dtype: DType) -> DType;

    /// Returns the maximum number of values that are kept for each lane, or `None` if it
    /// depends on the elements.
    fn states(&self) -> Option<usize> {
        Some(1)
    }

    /// Returns whether the result is undefined for no elements.
    fn needs_elements(&self) -> bool {
        false
    }

    /// Returns whether the result depends on the elements' positions in the whole array.
    fn needs_places(&self) -> bool {
        false
    }

    /// Returns the contribution of a chunk.
    fn contribute(&self, of: &Contribution<'_>) -> Result<Vec<Chunk>>;

    /// Merges two contributions. `all` contains the earlier elements.
    fn merge(&self, all: Partials, other: Partials) -> Result<Vec<Chunk>>;

    /// Returns the result from the merged contributions.
    fn finish(&self, last: Partials) -> Result<Chunk> {
        Ok(last.into_only())
    }
}

/// A chunk that is being reduced.
struct Contribution<'a> {
    chunk: &'a Chunk,
    /// The axes along which it is reduced.
    axes: &'a [usize],
    /// The whole array's chunks and the position of this one, if positions matter.
    /// Otherwise the chunk covers the axes completely.
    places: Option<(&'a Chunks, &'a [u32])>,
}

impl Contribution<'_> {
    /// See [`fold::lanes`].
    fn lanes<T: super::Element>(
        &self,
        array: &ArcArray<T, IxDyn>,
    ) -> (ArcArray<T, IxDyn>, Option<usize>) {
        fold::lanes(array, self.axes)
    }

    /// Returns the number of elements in each lane.
    fn count(&self) -> u64 {
        let shape = self.chunk.shape();
        self.axes.iter().map(|&axis| shape[axis] as u64).product()
    }

    /// Returns the position where the chunk begins along an axis.
    fn origin(&self, axis: usize) -> usize {
        self.places.map_or(0, |(chunks, index)| {
            chunks.bounds(axis)[index[axis] as usize]
        })
    }

    /// Converts a row-major position in the chunk into one in the whole array.
    fn place(&self, mut at: usize) -> usize {
        let Some((chunks, _)) = self.places else {
            return at;
        };
        let (mut place, mut stride) = (0, 1);
        let lengths = chunks.shape();
        for (axis, &length) in self.chunk.shape().iter().enumerate().rev() {
            place += (self.origin(axis) + at % length) * stride;
            at /= length;
            stride *= lengths[axis];
        }
        place
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum ReduceStage {
    /// A chunk's contribution.
    Chunk,
    /// Combines several contributions into one.
    Combine,
    /// Computes the result from the last contributions.
    Aggregate,
    /// Computes the result directly, from a single chunk.
    Whole,
}

/// Computes the contribution of each chunk, or the result directly.
#[derive(Serialize, Deserialize)]
struct Contribute {
    reduction: Reduction,
    axes: Vec<usize>,
    stage: ReduceStage,
    /// The array's chunks, if the elements' positions matter.
    places: Option<Chunks>,
}

impl Operation for Contribute {
    fn name(&self) -> &str {
        self.reduction.name(self.stage)
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, block: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [chunk] = inputs_of(inputs)?;
        let of = Contribution {
            chunk: &chunk,
            axes: &self.axes,
            places: self.places.as_ref().map(|chunks| (chunks, block.index)),
        };
        let partials = Partials {
            count: of.count(),
            states: self.reduction.rule().contribute(&of)?,
        };
        Ok(match self.stage {
            ReduceStage::Whole => Value::new(self.reduction.finish(partials)?),
            _ => Value::new(partials),
        })
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/reduce-chunk")
    }
}

/// Combines contributions.
#[derive(Clone, Serialize, Deserialize)]
struct Combine {
    reduction: Reduction,
    stage: ReduceStage,
    /// For each axis of the contributions, those that belong to a task.
    spans: Vec<Span>,
    from: Grid,
}

/// The contributions that belong to a task, along an axis.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Span {
    /// `size` contributions, starting at a multiple of `size`, along an output axis.
    Group { output: usize, size: u32 },
    /// All of them. The axis is removed.
    All,
}

impl Operation for Combine {
    fn name(&self) -> &str {
        self.reduction.name(self.stage)
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let rule = self.reduction.rule();
        let mut contributions = inputs.into_iter().map(Partials::of);
        let first = contributions.next();
        let mut all = first.expect("invariant: a task combines at least one contribution")?;
        for other in contributions {
            let other = other?;
            let count = all.count + other.count;
            let states = rule.merge(all, other)?;
            all = Partials { count, states };
        }
        Ok(match self.stage {
            ReduceStage::Aggregate => Value::new(self.reduction.finish(all)?),
            _ => Value::new(all),
        })
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/reduce-combine")
    }
}

impl TaskFamily for Combine {
    fn operation(&self, _: &[u32]) -> &dyn Operation {
        self
    }

    fn inputs(&self, index: &[u32], inputs: &mut Vec<TaskRef>) {
        let counts = self.from.counts();
        let ranges: Vec<_> = self
            .spans
            .iter()
            .zip(counts)
            .map(|(span, &count)| match *span {
                Span::Group { output, size } => {
                    let first = index[output] * size;
                    first as usize..(first + size).min(count) as usize
                }
                Span::All => 0..count as usize,
            })
            .collect();
        inputs.extend(
            super::rearrange::product(&ranges)
                .iter()
                .map(|place| TaskRef {
                    dependency: 0,
                    linear: self.from.linear(place),
                }),
        );
    }
}

impl Reduction {
    /// Returns the result's type for elements of a type.
    pub(super) fn result(self, dtype: DType) -> DType {
        self.rule().result(dtype)
    }

    /// Returns whether the result is undefined for no elements.
    pub(super) fn needs_elements(self) -> bool {
        self.rule().needs_elements()
    }

    /// Returns whether the result depends on the elements' positions in the whole array.
    pub(super) fn needs_places(self) -> bool {
        self.rule().needs_places()
    }

    /// Returns the error about a reduction of no elements.
    pub(super) fn of_nothing(self, shape: &str) -> Error {
        Error::Shape(format!(
            "{} of an array of shape {shape}: there is no element, expected at least one",
            self.name(ReduceStage::Whole)
        ))
    }

    /// Returns the error about positions along several axes, but not all.
    pub(super) fn of_some_axes(self, axes: usize, shape: &str) -> Error {
        Error::Shape(format!(
            "{} along {axes} axes of an array of shape {shape}: expected one axis, or all axes",
            self.name(ReduceStage::Whole)
        ))
    }

    fn finish(self, last: Partials) -> Result<Chunk> {
        let rule = self.rule();
        if rule.needs_elements() && last.count == 0 && !last.states[0].is_empty() {
            return Err(self.of_nothing("(0,)"));
        }
        rule.finish(last)
    }

    /// Returns the size, in bytes, of contributions to chunks of at most `elements` elements.
    fn sizes(self, elements: usize) -> Sizes {
        const NUMBER: usize = 8;
        match self.rule().states() {
            Some(states) => Sizes::Each((states * NUMBER * elements) as u64),
            None => Sizes::Unknown,
        }
    }
}

/// Returns the layer that reduces a layer's array along some axes to chunks of at most
/// `largest` elements. `chunks` are the array's chunks.
pub(super) fn reduce(
    layer: &Arc<Layer>,
    chunks: &Chunks,
    reduction: Reduction,
    axes: &[usize],
    fan_in: usize,
) -> Arc<Layer> {
    let grid = layer.grid();
    let ndim = grid.counts().len();
    if axes.iter().all(|&axis| grid.counts()[axis] == 1) {
        let operation = Contribute {
            reduction,
            axes: axes.to_vec(),
            stage: ReduceStage::Whole,
            places: None,
        };
        let input = BlockInput {
            dependency: 0,
            axes: places(axes, ndim),
        };
        let grid = without(grid, axes);
        return Layer::blockwise(operation, grid, vec![input], vec![layer.clone()]);
    }
    let operation = Contribute {
        reduction,
        axes: axes.to_vec(),
        stage: ReduceStage::Chunk,
        places: reduction.needs_places().then(|| chunks.clone()),
    };
    let contributions = Layer::blockwise(
        operation,
        grid.clone(),
        vec![BlockInput::same(0, ndim)],
        vec![layer.clone()],
    );
    let largest: usize = chunks.without(axes).largest().iter().product();
    combine(contributions, largest, reduction, axes, fan_in)
}

/// Combines a layer's contributions in a tree along `axes`, which are removed. Each
/// contribution has at most `largest` lanes.
pub(super) fn combine(
    contributions: Arc<Layer>,
    largest: usize,
    reduction: Reduction,
    axes: &[usize],
    fan_in: usize,
) -> Arc<Layer> {
    let sizes = reduction.sizes(largest);
    let mut layer = contributions.sized(sizes.clone());
    let ndim = layer.grid().counts().len();
    let several = axes
        .iter()
        .filter(|&&axis| layer.grid().counts()[axis] > 1)
        .count()
        .max(1);
    let fan_in = (fan_in as f64).powf(1.0 / several as f64).round().max(2.0) as u32;
    while axes
        .iter()
        .any(|&axis| layer.grid().counts()[axis] > fan_in)
    {
        let from = layer.grid().clone();
        let size = |axis| if axes.contains(&axis) { fan_in } else { 1 };
        let operation = Combine {
            reduction,
            stage: ReduceStage::Combine,
            spans: (0..ndim)
                .map(|axis| Span::Group {
                    output: axis,
                    size: size(axis),
                })
                .collect(),
            from: from.clone(),
        };
        let counts = from.counts().iter().enumerate();
        let grid = Grid::new(counts.map(|(axis, count)| count.div_ceil(size(axis))));
        layer =
            Layer::family(&operation, operation.clone(), grid, vec![layer]).sized(sizes.clone());
    }
    let mut output = 0..;
    let operation = Combine {
        reduction,
        stage: ReduceStage::Aggregate,
        spans: (0..ndim)
            .map(|axis| {
                if axes.contains(&axis) {
                    Span::All
                } else {
                    Span::Group {
                        output: output.next().unwrap_or_default(),
                        size: 1,
                    }
                }
            })
            .collect(),
        from: layer.grid().clone(),
    };
    let grid = without(layer.grid(), axes);
    Layer::family(&operation, operation.clone(), grid, vec![layer])
}

/// Returns the position of a layer's chunk after removing `axes`, which have one chunk each.
fn places(axes: &[usize], ndim: usize) -> smallvec::SmallVec<[AxisMap; 4]> {
    let mut output = 0..;
    (0..ndim)
        .map(|axis| {
            if axes.contains(&axis) {
                AxisMap::Fixed(0)
            } else {
                AxisMap::Output(output.next().unwrap_or_default())
            }
        })
        .collect()
}

fn without(grid: &Grid, axes: &[usize]) -> Grid {
    let counts = grid.counts().iter().enumerate();
    Grid::new(
        counts
            .filter(|(axis, _)| !axes.contains(axis))
            .map(|(_, &count)| count),
    )
}

/// Returns the layer of one task that computes the distinct elements of a layer's array.
pub(super) fn unique(layer: &Arc<Layer>, chunks: &Chunks, axes: &[usize]) -> Arc<Layer> {
    reduce(layer, chunks, Reduction::Unique, axes, SPLIT_EVERY)
}
