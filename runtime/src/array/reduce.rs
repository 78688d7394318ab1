//! Reductions: what a chunk contributes, how contributions are combined in a
//! tree, and what is made of the last one.
//!
//! Variances are combined from (count, mean, sum of squared deviations) as
//! Chan, Golub and LeVeque (1979) do, which loses no digits where the mean is
//! large; sums within a chunk are pairwise, as NumPy's. Integers are added up and
//! multiplied exactly, however they are cut: see [`wide_sum`].

use super::chunk::{Chunk, for_each_run, with_array};
use super::dtype::{Arithmetic, DType, Element, Integer, Kernel, beyond};
use super::elementwise::{BinaryOp, binary, inputs_of, maximum, minimum};
use crate::error::Result;
use crate::graph::{
    Arguments, AxisMap, Block, BlockInput, EncodedOperation, Grid, Layer, Operation, Sizes,
    TaskFamily, TaskRef, Value,
};
use ndarray::{ArcArray, ArrayD, Axis, IxDyn, RemoveAxis, Zip, stack};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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

/// How many contributions are combined at a time.
const FAN_IN: f64 = 8.0;

/// What an array, or each lane of it, is reduced to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Reduction {
    Sum,
    Prod,
    Min,
    Max,
    Any,
    All,
    /// Of this many elements.
    Mean {
        count: usize,
    },
    /// Of this many elements, `ddof` less in the divisor.
    Var {
        count: usize,
        ddof: f64,
    },
    /// As `Var`.
    Std {
        count: usize,
        ddof: f64,
    },
    /// Of partial products.
    Dot,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Stage {
    /// A chunk's contribution.
    Chunk,
    /// Of several contributions, one.
    Combine,
    /// Of the last contributions, the result.
    Aggregate,
    /// The result at once, of a single chunk.
    Whole,
}

impl Reduction {
    /// The result's type for elements of a type.
    pub(super) fn result(self, dtype: DType) -> DType {
        match self {
            Self::Sum | Self::Prod => match dtype {
                DType::F64 | DType::F32 => dtype,
                DType::I64 | DType::I32 | DType::Bool => DType::I64,
                DType::U64 | DType::U32 | DType::U8 => DType::U64,
            },
            Self::Min | Self::Max | Self::Any | Self::All | Self::Dot => dtype,
            Self::Mean { .. } | Self::Var { .. } | Self::Std { .. } => DType::F64,
        }
    }

    fn name(self, stage: Stage) -> &'static str {
        macro_rules! names {
            ($name:literal) => {
                match stage {
                    Stage::Chunk => concat!($name, "-chunk"),
                    Stage::Combine => concat!($name, "-combine"),
                    Stage::Aggregate => concat!($name, "-aggregate"),
                    Stage::Whole => $name,
                }
            };
        }
        match self {
            Self::Sum => names!("sum"),
            Self::Prod => names!("prod"),
            Self::Min => names!("min"),
            Self::Max => names!("max"),
            Self::Any => names!("any"),
            Self::All => names!("all"),
            Self::Mean { .. } => names!("mean"),
            Self::Var { .. } => names!("var"),
            Self::Std { .. } => names!("std"),
            Self::Dot => names!("dot"),
        }
    }

    /// A chunk's contribution; `axis`: that of each lane along it.
    fn contribution(self, chunk: &Chunk, axis: Option<usize>) -> Result<Chunk> {
        Ok(match self {
            Self::Sum => by_kind!(chunk, array =>
                wrap(fold(array, axis, Default::default(), Arithmetic::add, Arithmetic::add)),
                wide(Self::Sum.result(chunk.dtype()), &wide_sum(array, axis))),
            Self::Prod => by_kind!(chunk, array =>
                wrap(fold(array, axis, Arithmetic::ONE, Arithmetic::mul, Arithmetic::mul)),
                wide(Self::Sum.result(chunk.dtype()), &wide_product(array, axis))),
            Self::Min | Self::All => with_array!(chunk, array => least(array, axis)),
            Self::Max | Self::Any => with_array!(chunk, array => greatest(array, axis)),
            Self::Mean { .. } => by_kind!(chunk, array =>
                wrap(float_sum(array, axis)),
                wide(Self::Sum.result(chunk.dtype()), &wide_sum(array, axis))),
            Self::Var { .. } | Self::Std { .. } => {
                with_array!(chunk, array => moments(array, axis))
            }
            Self::Dot => unreachable!("invariant: partial products are made by `Dot`"),
        })
    }

    /// One contribution of several.
    fn combine(self, mut contributions: Vec<Chunk>) -> Result<Chunk> {
        let op = match self {
            Self::Sum | Self::Mean { .. } if is_wide(&contributions[0]) => {
                return merge_wide(contributions, |a, b| a + b);
            }
            Self::Prod if is_wide(&contributions[0]) => {
                return merge_wide(contributions, wide_mul);
            }
            Self::Sum | Self::Mean { .. } | Self::Dot => BinaryOp::Add,
            Self::Prod => BinaryOp::Mul,
            Self::Min | Self::All => BinaryOp::Minimum,
            Self::Max | Self::Any => BinaryOp::Maximum,
            Self::Var { .. } | Self::Std { .. } => {
                let first: ArcArray<f64, IxDyn> = Element::unwrap(contributions.remove(0))?;
                let mut all = first.into_owned();
                for contribution in contributions {
                    merge_moments(&mut all, &Element::unwrap(contribution)?);
                }
                return Ok(f64::wrap(all.into_shared()));
            }
        };
        let first = contributions.remove(0);
        contributions
            .into_iter()
            .try_fold(first, |all, contribution| binary(op, all, contribution))
    }

    /// What the last contribution says.
    fn finish(self, contribution: Chunk) -> Result<Chunk> {
        let (count, ddof, root) = match self {
            Self::Sum | Self::Prod if is_wide(&contribution) => return self.narrow(contribution),
            Self::Mean { count } if is_wide(&contribution) => {
                let mean = from_wide(contribution)?.mapv(|sum| quotient(sum, count));
                return Ok(wrap(mean));
            }
            Self::Mean { count } => {
                let sum: ArcArray<f64, IxDyn> = Element::unwrap(contribution)?;
                return Ok(f64::wrap((sum.into_owned() / count as f64).into_shared()));
            }
            Self::Var { count, ddof } => (count, ddof, false),
            Self::Std { count, ddof } => (count, ddof, true),
            _ => return Ok(contribution),
        };
        let moments: ArcArray<f64, IxDyn> = Element::unwrap(contribution)?;
        let divisor = (count as f64 - ddof).max(0.0);
        let result = moments.index_axis(Axis(0), DEVIATIONS).mapv(|deviations| {
            let variance = deviations / divisor;
            if root { variance.sqrt() } else { variance }
        });
        Ok(f64::wrap(result.into_shared()))
    }

    /// Wide integers as those of 64 bits.
    fn narrow(self, contribution: Chunk) -> Result<Chunk> {
        fn to<T: Integer>(wide: ArrayD<i128>, what: &str) -> Result<Chunk> {
            let shape = wide.raw_dim();
            let elements = wide.into_iter().map(|wide| {
                T::from_wide(wide).ok_or_else(|| {
                    let number = match wide.unsigned_abs() < BEYOND.unsigned_abs() {
                        true => format!(" ({wide})"),
                        false => String::new(),
                    };
                    beyond(&format!("the {what} of elements{number}"), T::DTYPE)
                })
            });
            let elements = elements.collect::<Result<Vec<T>>>()?;
            Ok(wrap(
                ArrayD::from_shape_vec(shape, elements)
                    .expect("invariant: as many elements as there were"),
            ))
        }
        let what = if self == Self::Prod { "product" } else { "sum" };
        match contribution.dtype() {
            DType::U64 => to::<u64>(from_wide(contribution)?, what),
            _ => to::<i64>(from_wide(contribution)?, what),
        }
    }
}

/// The contribution of each chunk, or the result at once.
#[derive(Serialize, Deserialize)]
struct OfChunk {
    reduction: Reduction,
    axis: Option<usize>,
    stage: Stage,
}

impl Operation for OfChunk {
    fn name(&self) -> &str {
        self.reduction.name(self.stage)
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [chunk] = inputs_of(inputs)?;
        let contribution = self.reduction.contribution(&chunk, self.axis)?;
        Ok(Value::new(match self.stage {
            Stage::Whole => self.reduction.finish(contribution)?,
            _ => contribution,
        }))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/reduce-chunk")
    }
}

/// The combination of contributions.
#[derive(Clone, Serialize, Deserialize)]
struct Combine {
    reduction: Reduction,
    stage: Stage,
    /// For each axis of the contributions, whose they are.
    spans: Vec<Span>,
    from: Grid,
}

/// Which contributions are taken along an axis.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Span {
    /// This many, from a multiple of it, along the same axis.
    Group { output: usize, size: u32 },
    /// All of them; the axis goes.
    All,
}

impl Operation for Combine {
    fn name(&self) -> &str {
        match (self.reduction, self.stage) {
            // What is added up are products.
            (Reduction::Dot, stage) => Reduction::Sum.name(match stage {
                Stage::Combine => Stage::Combine,
                _ => Stage::Whole,
            }),
            (reduction, stage) => reduction.name(stage),
        }
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let contribution = self.reduction.combine(Chunk::all_of(inputs)?)?;
        Ok(Value::new(match self.stage {
            Stage::Aggregate => self.reduction.finish(contribution)?,
            _ => contribution,
        }))
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

/// The bytes of the contributions to chunks of so many elements at most.
pub(super) fn contribution(reduction: Reduction, elements: usize) -> Sizes {
    const NUMBER: usize = 8;
    let numbers = match reduction {
        Reduction::Var { .. } | Reduction::Std { .. } => 3,
        // Two of integers: see `wide`.
        Reduction::Sum | Reduction::Prod | Reduction::Mean { .. } => 2,
        _ => 1,
    };
    Sizes::Each((numbers * NUMBER * elements) as u64)
}

/// The layer that reduces each lane of a layer's array along an axis, or all of
/// it, to chunks of at most `largest` elements.
pub(super) fn reduce(
    layer: &Arc<Layer>,
    reduction: Reduction,
    axis: Option<usize>,
    largest: usize,
) -> Arc<Layer> {
    let grid = layer.grid();
    let ndim = grid.counts().len();
    let axes: Vec<usize> = axis.map_or_else(|| (0..ndim).collect(), |axis| vec![axis]);
    if axes.iter().all(|&axis| grid.counts()[axis] == 1) {
        let operation = OfChunk {
            reduction,
            axis,
            stage: Stage::Whole,
        };
        let input = BlockInput {
            dependency: 0,
            axes: places(&axes, ndim),
        };
        return Layer::blockwise(
            operation,
            without(grid, &axes),
            vec![input],
            vec![layer.clone()],
        );
    }
    let operation = OfChunk {
        reduction,
        axis,
        stage: Stage::Chunk,
    };
    let contributions = Layer::blockwise(
        operation,
        grid.clone(),
        vec![BlockInput::same(0, ndim)],
        vec![layer.clone()],
    )
    .sized(contribution(reduction, largest));
    combine(contributions, reduction, &axes)
}

/// Combines a layer's contributions along `axes`, which go, in a tree.
pub(super) fn combine(mut layer: Arc<Layer>, reduction: Reduction, axes: &[usize]) -> Arc<Layer> {
    let ndim = layer.grid().counts().len();
    let several = axes
        .iter()
        .filter(|&&axis| layer.grid().counts()[axis] > 1)
        .count()
        .max(1);
    let fan_in = FAN_IN.powf(1.0 / several as f64).round().max(2.0) as u32;
    while axes
        .iter()
        .any(|&axis| layer.grid().counts()[axis] > fan_in)
    {
        let from = layer.grid().clone();
        let size = |axis| if axes.contains(&axis) { fan_in } else { 1 };
        let operation = Combine {
            reduction,
            stage: Stage::Combine,
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
        let sizes = layer.sizes().clone();
        layer = Layer::family(&operation, operation.clone(), grid, vec![layer]).sized(sizes);
    }
    let mut output = 0..;
    let operation = Combine {
        reduction,
        stage: Stage::Aggregate,
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

type Elements<T> = ArcArray<T, IxDyn>;

fn wrap<T: Element>(array: ArrayD<T>) -> Chunk {
    T::wrap(array.into_shared())
}

// Integers are added up and multiplied in 128 bits, so that neither the order nor
// the cut into chunks decides whether a sum overflows: only what comes out at the
// end has to fit. As a chunk, a wide integer is two numbers of 64 bits, along a
// new first axis: the upper bits and the lower 32. The chunk's type tells the
// result's.

/// Beyond every integer of 64 bits: products stop here.
const BEYOND: i128 = 1 << 66;

fn wide_sum<T: Integer>(array: &Elements<T>, axis: Option<usize>) -> ArrayD<i128> {
    if T::IS_SMALL && array.len() <= 1 << 31 {
        // Fits: 2³¹ elements of 32 bits.
        let step = |sum, v: T| sum + v.to_i64();
        return fold(array, axis, 0i64, step, |a, b| a + b).mapv(i128::from);
    }
    let step = |sum, v: T| sum + v.to_wide();
    fold(array, axis, 0i128, step, |a, b| a + b)
}

fn wide_product<T: Integer>(array: &Elements<T>, axis: Option<usize>) -> ArrayD<i128> {
    let step = |product, v: T| wide_mul(product, v.to_wide());
    fold(array, axis, 1i128, step, wide_mul)
}

/// A product of integers that stops at [`BEYOND`]: only a factor of zero brings
/// it back from there.
fn wide_mul(a: i128, b: i128) -> i128 {
    a.saturating_mul(b).clamp(-BEYOND, BEYOND)
}

/// Wide integers as a chunk, of which `dtype` is to come out.
fn wide(dtype: DType, integers: &ArrayD<i128>) -> Chunk {
    fn pairs<P: Element>(integers: &ArrayD<i128>, half: impl Fn(i128) -> P) -> Chunk {
        let upper = integers.mapv(|wide| half(wide >> 32));
        let lower = integers.mapv(|wide| half(wide & 0xffff_ffff));
        let pairs = stack(Axis(0), &[upper.view(), lower.view()]);
        wrap(pairs.expect("invariant: both have one shape"))
    }
    match dtype {
        DType::U64 => pairs(integers, |half| half as u64),
        _ => pairs(integers, |half| half as i64),
    }
}

/// Whether a contribution to a sum is of integers.
fn is_wide(contribution: &Chunk) -> bool {
    matches!(contribution, Chunk::I64(_) | Chunk::U64(_))
}

fn from_wide(contribution: Chunk) -> Result<ArrayD<i128>> {
    fn wide<P: Element>(pairs: &Elements<P>, half: impl Fn(P) -> i128) -> ArrayD<i128> {
        let (upper, lower) = (pairs.index_axis(Axis(0), 0), pairs.index_axis(Axis(0), 1));
        Zip::from(&upper)
            .and(&lower)
            .map_collect(|&upper, &lower| (half(upper) << 32) + half(lower))
    }
    match contribution {
        Chunk::U64(pairs) => Ok(wide(&pairs, i128::from)),
        other => Ok(wide(&i64::unwrap(other)?, i128::from)),
    }
}

fn merge_wide(contributions: Vec<Chunk>, merge: fn(i128, i128) -> i128) -> Result<Chunk> {
    let dtype = contributions[0].dtype();
    let mut contributions = contributions.into_iter().map(from_wide);
    let mut all = contributions
        .next()
        .expect("invariant: a task combines at least one contribution")?;
    for contribution in contributions {
        all.zip_mut_with(&contribution?, |all, one| *all = merge(*all, *one));
    }
    Ok(wide(dtype, &all))
}

/// The float next to a quotient of integers.
fn quotient(sum: i128, count: usize) -> f64 {
    let divisor = count as i128;
    if divisor == 0 {
        return f64::NAN;
    }
    // Whole and rest apart: the rest would be lost beside a large sum.
    let (whole, rest) = (sum / divisor, sum % divisor);
    whole as f64 + rest as f64 / count as f64
}

fn least<T: Kernel>(array: &Elements<T>, axis: Option<usize>) -> Chunk {
    wrap(fold(array, axis, T::LARGEST, minimum, minimum))
}

fn greatest<T: Kernel>(array: &Elements<T>, axis: Option<usize>) -> Chunk {
    wrap(fold(array, axis, T::SMALLEST, maximum, maximum))
}

fn float_sum<T: Kernel>(array: &Elements<T>, axis: Option<usize>) -> ArrayD<f64> {
    fold(array, axis, 0.0, |sum, v: T| sum + v.to_f64(), |a, b| a + b)
}

/// Where [`moments`] has the sums of squared deviations.
const DEVIATIONS: usize = 2;

/// Count, mean and sum of squared deviations, along a new first axis.
fn moments<T: Kernel>(array: &Elements<T>, axis: Option<usize>) -> Chunk {
    let count = axis.map_or(array.len(), |axis| array.shape()[axis]);
    let mean = float_sum(array, axis) / count.max(1) as f64;
    let mut deviations = ArrayD::zeros(mean.raw_dim());
    match axis {
        None => {
            let mean = mean.sum();
            let squared = fold(
                array,
                None,
                0.0,
                |sum, v: T| sum + (v.to_f64() - mean) * (v.to_f64() - mean),
                |a, b| a + b,
            );
            deviations.assign(&squared);
        }
        Some(axis) => {
            for part in array.axis_iter(Axis(axis)) {
                Zip::from(&mut deviations)
                    .and(&mean)
                    .and(&part)
                    .for_each(|sum, mean, v| *sum += (v.to_f64() - mean) * (v.to_f64() - mean));
            }
        }
    }
    let count = ArrayD::from_elem(mean.raw_dim(), count as f64);
    let stacked = stack(Axis(0), &[count.view(), mean.view(), deviations.view()]);
    wrap(stacked.expect("invariant: the three have one shape"))
}

/// Chan, Golub and LeVeque (1979), formula 2.1.
fn merge_moments(all: &mut ArrayD<f64>, other: &Elements<f64>) {
    let (mut counts, rest) = all.view_mut().split_at(Axis(0), 1);
    let (mut means, mut deviations) = rest.split_at(Axis(0), 1);
    let (other_counts, rest) = other.view().split_at(Axis(0), 1);
    let (other_means, other_deviations) = rest.split_at(Axis(0), 1);
    Zip::from(&mut counts)
        .and(&mut means)
        .and(&mut deviations)
        .and(&other_counts)
        .and(&other_means)
        .and(&other_deviations)
        .for_each(|count, mean, deviation, n, m, d| {
            let total = *count + n;
            if total > 0.0 {
                let delta = m - *mean;
                *mean += delta * n / total;
                *deviation += d + delta * delta * *count * n / total;
                *count = total;
            }
        });
}

/// Folds all elements, or those of each lane along an axis.
fn fold<T: Copy, A: Copy>(
    array: &Elements<T>,
    axis: Option<usize>,
    identity: A,
    step: impl Fn(A, T) -> A,
    merge: impl Fn(A, A) -> A,
) -> ArrayD<A> {
    let Some(axis) = axis else {
        let mut all = identity;
        for_each_run(array.view(), |run| {
            all = merge(all, pairwise(run, identity, &step, &merge));
        });
        return ArrayD::from_elem(IxDyn(&[]), all);
    };
    let contiguous = array.strides()[axis] == 1;
    let axis = Axis(axis);
    let mut result = ArrayD::from_elem(array.raw_dim().remove_axis(axis), identity);
    if contiguous {
        Zip::from(&mut result)
            .and(array.lanes(axis))
            .for_each(|result, lane| {
                *result = match lane.to_slice() {
                    Some(run) => pairwise(run, identity, &step, &merge),
                    None => lane.iter().fold(identity, |all, &v| step(all, v)),
                };
            });
    } else {
        // Row upon row: in the order of memory.
        for part in array.axis_iter(axis) {
            Zip::from(&mut result)
                .and(&part)
                .for_each(|result, &v| *result = step(*result, v));
        }
    }
    result
}

/// Folds a run by halves, so that rounding errors grow with the logarithm of
/// its length; eight elements at a time, so that processors can.
fn pairwise<T: Copy, A: Copy>(
    run: &[T],
    identity: A,
    step: &impl Fn(A, T) -> A,
    merge: &impl Fn(A, A) -> A,
) -> A {
    const LANES: usize = 8;
    if run.len() > 256 {
        let (left, right) = run.split_at((run.len() / 2).next_multiple_of(LANES));
        return merge(
            pairwise(left, identity, step, merge),
            pairwise(right, identity, step, merge),
        );
    }
    let mut lanes = [identity; LANES];
    let (eights, rest) = run.as_chunks::<LANES>();
    for eight in eights {
        for (lane, &v) in lanes.iter_mut().zip(eight) {
            *lane = step(*lane, v);
        }
    }
    for (lane, &v) in lanes.iter_mut().zip(rest) {
        *lane = step(*lane, v);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    merge(
        merge(merge(a, b), merge(c, d)),
        merge(merge(e, f), merge(g, h)),
    )
}
