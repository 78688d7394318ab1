//! Reductions: what a chunk contributes, how contributions are merged in a tree,
//! and what is made of the last one.
//!
//! A reduction is a row of the table in [`methods`], and a small type that is
//! [`Reduce`]. The frame around it is the same for all: any set of axes, axes that
//! are kept, how many contributions are merged at a time.

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

/// Runs code on the array of a chunk: one for floats, another one for integers
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

/// What some elements are reduced to.
trait Reduce {
    /// The result's type for elements of a type.
    fn result(&self, dtype: DType) -> DType;

    /// How many numbers are kept of each lane, at most; none where that follows from
    /// the elements.
    fn states(&self) -> Option<usize> {
        Some(1)
    }

    /// Whether there is no result of no elements.
    fn needs_elements(&self) -> bool {
        false
    }

    /// Whether it matters where in the whole array an element stands.
    fn needs_places(&self) -> bool {
        false
    }

    /// What is kept of a chunk.
    fn contribute(&self, of: &Contribution<'_>) -> Result<Vec<Chunk>>;

    /// What is kept of the elements of two contributions. `all` are the earlier ones.
    fn merge(&self, all: Partials, other: Partials) -> Result<Vec<Chunk>>;

    /// What comes of everything.
    fn finish(&self, last: Partials) -> Result<Chunk> {
        Ok(last.into_only())
    }
}

/// A chunk that is reduced.
struct Contribution<'a> {
    chunk: &'a Chunk,
    /// The axes that it is reduced along.
    axes: &'a [usize],
    /// The whole array's chunks and the place of this one, where they matter: if
    /// not, the chunk is all there is along the axes.
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

    /// How many elements each lane has here.
    fn count(&self) -> u64 {
        let shape = self.chunk.shape();
        self.axes.iter().map(|&axis| shape[axis] as u64).product()
    }

    /// Where the chunk begins along an axis.
    fn origin(&self, axis: usize) -> usize {
        self.places.map_or(0, |(chunks, index)| {
            chunks.bounds(axis)[index[axis] as usize]
        })
    }

    /// The row-major place in the whole array of the chunk's element at such a place.
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
    /// Of several contributions, one.
    Combine,
    /// Of the last contributions, the result.
    Aggregate,
    /// The result at once, of a single chunk.
    Whole,
}

/// The contribution of each chunk, or the result at once.
#[derive(Serialize, Deserialize)]
struct Contribute {
    reduction: Reduction,
    axes: Vec<usize>,
    stage: ReduceStage,
    /// The array's chunks, where it matters where the elements stand.
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

/// The combination of contributions.
#[derive(Clone, Serialize, Deserialize)]
struct Combine {
    reduction: Reduction,
    stage: ReduceStage,
    /// For each axis of the contributions, which of them belong to a task.
    spans: Vec<Span>,
    from: Grid,
}

/// Which contributions belong to a task, along an axis.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Span {
    /// This many, from a multiple of it, along the same axis.
    Group { output: usize, size: u32 },
    /// All of them; the axis goes.
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
    /// The result's type for elements of a type.
    pub(super) fn result(self, dtype: DType) -> DType {
        self.rule().result(dtype)
    }

    /// Whether there is no result of no elements.
    pub(super) fn needs_elements(self) -> bool {
        self.rule().needs_elements()
    }

    /// Whether it matters where in the whole array an element stands.
    pub(super) fn needs_places(self) -> bool {
        self.rule().needs_places()
    }

    /// The error about a reduction of no elements.
    pub(super) fn of_nothing(self, shape: &str) -> Error {
        Error::Shape(format!(
            "{} of an array of shape {shape}: there is no element, expected at least one",
            self.name(ReduceStage::Whole)
        ))
    }

    /// The error about places along some of the axes.
    pub(super) fn of_some_axes(self, axes: usize, shape: &str) -> Error {
        Error::Shape(format!(
            "{} along {axes} axes of an array of shape {shape}: a place has one axis, or all of them",
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

    /// The bytes of the contributions to chunks of so many elements at most.
    fn sizes(self, elements: usize) -> Sizes {
        const NUMBER: usize = 8;
        match self.rule().states() {
            Some(states) => Sizes::Each((states * NUMBER * elements) as u64),
            None => Sizes::Unknown,
        }
    }
}

/// The layer that reduces a layer's array along some axes to chunks of at most
/// `largest` elements. `chunks` are the array's.
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

/// Combines a layer's contributions along `axes`, which go, in a tree. Each is of
/// `largest` lanes at most.
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

/// Where a layer's chunk is found once `axes`, of one chunk each, are gone.
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

/// The layer of one task, the elements of a layer's array each once.
pub(super) fn unique(layer: &Arc<Layer>, chunks: &Chunks, axes: &[usize]) -> Arc<Layer> {
    reduce(layer, chunks, Reduction::Unique, axes, SPLIT_EVERY)
}
