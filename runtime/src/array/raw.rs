//! Arrays without a Rust element type. All that operators and methods do is implemented
//! here and compiled once.

use super::axes::Axes;
use super::chunk::Chunk;
use super::chunks::{ChunkSpec, Chunks, Cut, Length, common_cut, tuple};
use super::contract::Dot;
use super::create::{FromArray, Full, generated};
use super::dtype::{DType, Literal};
use super::elementwise::{Binary, BinaryOp, BinaryScalar, Cast, MapChunks, Select, Unary, UnaryOp};
use super::rearrange::{Concatenate, InsertAxis, Pick, SliceRechunk, Transpose, gather, product};
use super::reduce::{self, Reduction};
use crate::error::{Error, Result};
use crate::graph::{AxisMap, BlockInput, Grid, Layer, Operation, Value};
use std::ops::Range;
use std::sync::Arc;

/// A chunked array of some element type.
#[derive(Clone)]
pub struct RawArray {
    layer: Arc<Layer>,
    chunks: Chunks,
    dtype: DType,
}

impl RawArray {
    pub(super) fn new(layer: Arc<Layer>, chunks: Chunks, dtype: DType) -> Self {
        debug_assert_eq!(layer.grid(), &chunks.grid());
        Self {
            layer: layer.sized(chunks.nbytes(dtype)),
            chunks,
            dtype,
        }
    }

    /// Returns the layer that computes the chunks.
    pub fn layer(&self) -> &Arc<Layer> {
        &self.layer
    }

    /// Returns the chunks' sizes.
    pub fn chunks(&self) -> &Chunks {
        &self.chunks
    }

    /// Returns the element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Returns the length of each axis.
    ///
    /// **Panics** if a length is not known: see [`Chunks`].
    #[track_caller]
    pub fn shape(&self) -> Vec<usize> {
        self.chunks.shape()
    }

    /// Returns the number of axes.
    pub fn ndim(&self) -> usize {
        self.chunks.ndim()
    }

    /// Returns the number of elements.
    ///
    /// **Panics** if it is not known.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Returns whether the array has no elements.
    ///
    /// **Panics** if that is not known.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the size of the computed elements, in bytes.
    ///
    /// **Panics** if it is not known.
    #[track_caller]
    pub fn nbytes(&self) -> usize {
        self.len() * self.dtype.nbytes()
    }

    pub(super) fn with_layer(&self, layer: Arc<Layer>) -> Self {
        Self::new(layer, self.chunks.clone(), self.dtype)
    }

    /// Assembles the computed chunks.
    pub(super) fn assemble(&self, values: Vec<Value>) -> Result<Chunk> {
        let grid = self.chunks.grid();
        let ranges: Vec<_> = grid
            .counts()
            .iter()
            .map(|&count| 0..count as usize)
            .collect();
        let values = Chunk::all_of(values)?;
        let chunks = match self.chunks.are_known() {
            true => self.chunks.clone(),
            false => self.chunks.found(values.iter().map(Chunk::shape)),
        };
        let whole = chunks.shape().into_iter().map(|length| Some(0..length));
        let whole: Vec<_> = whole.collect();
        gather(self.dtype, &chunks, &whole, &product(&ranges), values)
    }

    // Creation.

    pub(super) fn full(
        name: &'static str,
        literal: Literal,
        shape: &[usize],
        chunks: &ChunkSpec,
    ) -> Result<Self> {
        let dtype = literal.dtype();
        let chunks = chunks.resolve(shape, dtype)?;
        let operation = Full {
            name: name.into(),
            literal,
            chunks: chunks.clone(),
        };
        Ok(generated(operation, chunks, dtype))
    }

    /// Returns a small number as an element of a type.
    pub(super) fn literal_of(number: u8, dtype: DType) -> Literal {
        match dtype {
            DType::F64 => Literal::F64(number.into()),
            DType::F32 => Literal::F32(number.into()),
            DType::I64 => Literal::I64(number.into()),
            DType::I32 => Literal::I32(number.into()),
            DType::U64 => Literal::U64(number.into()),
            DType::U32 => Literal::U32(number.into()),
            DType::U8 => Literal::U8(number),
            DType::Bool => Literal::Bool(number != 0),
        }
    }

    /// Returns an array of one element without axes.
    fn literal(literal: Literal) -> Self {
        let chunks = Chunks::whole(&[]);
        let operation = Full {
            name: "full".into(),
            literal,
            chunks: chunks.clone(),
        };
        generated(operation, chunks, literal.dtype())
    }

    pub(super) fn from_chunk(data: Chunk, chunks: &ChunkSpec) -> Result<Self> {
        let dtype = data.dtype();
        let chunks = chunks.resolve(data.shape(), dtype)?;
        Ok(generated(
            FromArray::new(data, chunks.clone()),
            chunks,
            dtype,
        ))
    }

    // Elementwise operations.

    fn chunkwise(&self, operation: impl Operation, dtype: DType) -> Self {
        let layer = Layer::blockwise(
            operation,
            self.chunks.grid(),
            vec![BlockInput::same(0, self.ndim())],
            vec![self.layer.clone()],
        );
        Self::new(layer, self.chunks.clone(), dtype)
    }

    pub(super) fn unary(&self, op: UnaryOp) -> Self {
        self.chunkwise(Unary(op), op.result(self.dtype))
    }

    pub(super) fn cast(&self, to: DType) -> Self {
        if to == self.dtype {
            return self.clone();
        }
        self.chunkwise(Cast { to }, to)
    }

    pub(super) fn map_chunks(&self, operation: MapChunks, dtype: DType) -> Self {
        self.chunkwise(operation, dtype)
    }

    pub(super) fn binary(&self, op: BinaryOp, other: &Operand) -> Result<Self> {
        match other {
            Operand::Literal(literal) => Ok(self.with_literal(op, *literal, false)),
            Operand::Array(other) => {
                Self::elementwise(Binary(op), op.verb(), &[self, other], op.result(self.dtype))
            }
        }
    }

    pub(super) fn with_literal(&self, op: BinaryOp, literal: Literal, literal_first: bool) -> Self {
        let operation = BinaryScalar {
            op,
            literal,
            literal_first,
        };
        self.chunkwise(operation, op.result(self.dtype))
    }

    pub(super) fn select(&self, then: &Operand, other: &Operand) -> Result<Self> {
        let (then, other) = (then.array(), other.array());
        Self::elementwise(Select, "select from", &[self, &then, &other], then.dtype)
    }

    /// Broadcasts the arrays to one shape, cuts them into the same chunks, and applies
    /// the operation to each chunk.
    fn elementwise(
        operation: impl Operation,
        verb: &str,
        arrays: &[&Self],
        dtype: DType,
    ) -> Result<Self> {
        let shapes: Vec<Vec<Length>> = arrays.iter().map(|array| array.lengths()).collect();
        let shape = broadcast(&shapes).map_err(|axis| shape_mismatch(verb, &shapes, axis))?;
        let lead = |array: &Self| shape.len() - array.ndim();
        let repeats = |array: &Self, axis: usize| {
            let length = array.chunks.cut(axis - lead(array)).to_length();
            shape[axis] != Length::ONE && length == Length::ONE
        };
        let cuts: Vec<Cut> = (0..shape.len())
            .map(|axis| {
                let cuts: Vec<_> = arrays
                    .iter()
                    .filter(|array| axis >= lead(array) && !repeats(array, axis))
                    .map(|array| array.chunks.cut(axis - lead(array)))
                    .collect();
                common_cut(&cuts)
            })
            .collect();
        let mut inputs = Vec::with_capacity(arrays.len());
        let mut dependencies = Vec::with_capacity(arrays.len());
        for (dependency, array) in arrays.iter().enumerate() {
            let axes = lead(array)..shape.len();
            let target = axes.clone().map(|axis| match repeats(array, axis) {
                true => Cut::of(&[1]),
                false => cuts[axis].clone(),
            });
            dependencies.push(array.regrid(Chunks::from_cuts(target)).layer);
            inputs.push(BlockInput {
                dependency,
                axes: axes
                    .map(|axis| match repeats(array, axis) {
                        true => AxisMap::Fixed(0),
                        false => AxisMap::Output(axis as u8),
                    })
                    .collect(),
            });
        }
        let chunks = Chunks::from_cuts(cuts);
        let layer = Layer::blockwise(operation, chunks.grid(), inputs, dependencies);
        Ok(Self::new(layer, chunks, dtype))
    }

    // Reductions and products.

    pub(super) fn reduce(&self, reduction: Reduction, axes: &Axes) -> Result<Self> {
        let along = self.axes(axes)?;
        let lengths = self.chunks.lengths();
        if reduction.needs_elements() && along.iter().any(|&axis| lengths[axis] == Some(0)) {
            return Err(reduction.of_nothing(&self.chunks.shape_text()));
        }
        if reduction.needs_places() {
            if along.len() != 1 && along.len() != self.ndim() {
                return Err(reduction.of_some_axes(along.len(), &self.chunks.shape_text()));
            }
            self.chunks.known_along(&along)?;
        }
        let layer = reduce::reduce(&self.layer, &self.chunks, reduction, &along, axes.fan_in());
        let chunks = self.chunks.without(&along);
        let reduced = Self::new(layer, chunks, reduction.result(self.dtype));
        if !axes.keeps() {
            return Ok(reduced);
        }
        along
            .iter()
            .try_fold(reduced, |kept, &axis| kept.insert_axis(axis))
    }

    pub(super) fn dot(&self, other: &Self) -> Result<Self> {
        self.chunks.all_known()?;
        other.chunks.all_known()?;
        let (left, right) = (self.shape(), other.shape());
        let (rows, columns) = (left.len() == 2, right.len() == 2);
        let wrong = |what: String| {
            Error::Shape(format!(
                "cannot multiply matrices of shapes {} and {}: {what}",
                tuple(&left),
                tuple(&right)
            ))
        };
        for shape in [&left, &right] {
            if !(1..=2).contains(&shape.len()) {
                return Err(wrong(format!(
                    "found {} axes, expected 1 or 2",
                    shape.len()
                )));
            }
        }
        let along = left.len() - 1;
        if left[along] != right[0] {
            return Err(wrong(format!(
                "axis {along} of the left one is {}, expected {}",
                left[along], right[0]
            )));
        }
        let inner = common_cut(&[self.chunks.cut(along), other.chunks.cut(0)]);
        let mut left = self.chunks.cuts().to_vec();
        let mut right = other.chunks.cuts().to_vec();
        left[along] = inner.clone();
        right[0] = inner.clone();
        // The product's axes, then the contracted axis.
        let outer: Vec<_> = left[..along].iter().chain(&right[1..]).cloned().collect();
        let chunks = Chunks::from_cuts(outer);
        let dependencies = vec![
            self.regrid(Chunks::from_cuts(left)).layer,
            other.regrid(Chunks::from_cuts(right)).layer,
        ];
        let contracted = chunks.ndim();
        let several = inner.count() > 1;
        let k = if several {
            AxisMap::Output(contracted as u8)
        } else {
            AxisMap::Fixed(0)
        };
        let row = rows.then_some(AxisMap::Output(0));
        let column = columns.then_some(AxisMap::Output(u8::from(rows)));
        let inputs = vec![
            BlockInput {
                dependency: 0,
                axes: row.into_iter().chain([k]).collect(),
            },
            BlockInput {
                dependency: 1,
                axes: [k].into_iter().chain(column).collect(),
            },
        ];
        let counts = chunks.grid();
        let mut counts = counts.counts().to_vec();
        if several {
            counts.push(inner.count() as u32);
        }
        let operation = Dot {
            is_partial: several,
        };
        let mut layer = Layer::blockwise(operation, Grid::new(counts), inputs, dependencies);
        if several {
            let largest: usize = chunks.largest().iter().product();
            let fan_in = Axes::all().fan_in();
            layer = reduce::combine(layer, largest, Reduction::Dot, &[contracted], fan_in);
        }
        Ok(Self::new(layer, chunks, self.dtype))
    }

    // Operations that move elements.

    pub(super) fn transpose(&self, axes: &[usize]) -> Result<Self> {
        let mut sorted = axes.to_vec();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..self.ndim()) {
            return Err(Error::Shape(format!(
                "cannot transpose an array of shape {} to axes {}: expected each of its {} axes once",
                self.chunks.shape_text(),
                tuple(axes),
                self.ndim(),
            )));
        }
        if axes.is_sorted() {
            return Ok(self.clone());
        }
        let cuts = axes.iter().map(|&axis| self.chunks.cut(axis).clone());
        let chunks = Chunks::from_cuts(cuts);
        let places = (0..self.ndim()).map(|axis| {
            let output = axes.iter().position(|&from| from == axis);
            AxisMap::Output(output.unwrap_or_default() as u8)
        });
        let input = BlockInput {
            dependency: 0,
            axes: places.collect(),
        };
        let operation = Transpose {
            axes: axes.to_vec(),
        };
        let layer = Layer::blockwise(
            operation,
            chunks.grid(),
            vec![input],
            vec![self.layer.clone()],
        );
        Ok(Self::new(layer, chunks, self.dtype))
    }

    pub(super) fn rechunk(&self, spec: &ChunkSpec) -> Result<Self> {
        self.chunks.all_known()?;
        Ok(self.regrid(spec.resolve(&self.shape(), self.dtype)?))
    }

    /// Returns the same elements in other chunks.
    pub(super) fn regrid(&self, to: Chunks) -> Self {
        if to == self.chunks {
            return self.clone();
        }
        self.part("rechunk", to, vec![0; self.ndim()])
    }

    /// Returns a part of the array.
    fn part(&self, name: &'static str, to: Chunks, origin: Vec<usize>) -> Self {
        let operation = SliceRechunk {
            name: name.into(),
            dtype: self.dtype,
            from: self.chunks.clone(),
            to,
            origin,
        };
        let chunks = operation.to.clone();
        let layer = Layer::family(
            &operation,
            operation.clone(),
            chunks.grid(),
            vec![self.layer.clone()],
        );
        Self::new(layer, chunks, self.dtype)
    }

    pub(super) fn slice_axis(&self, axis: usize, range: &Range<usize>) -> Result<Self> {
        let length = self.length(axis)?;
        if range.start > range.end || range.end > length {
            return Err(Error::Shape(format!(
                "cannot take {}..{} along axis {axis} of an array of shape {}: expected a range within 0..{length}",
                range.start,
                range.end,
                self.chunks.shape_text(),
            )));
        }
        if *range == (0..length) {
            return Ok(self.clone());
        }
        let mut to = self.chunks.cuts().to_vec();
        let places = self.chunks.overlapping(axis, range);
        let ends = &self.chunks.bounds(axis)[places.start + 1..=places.end.max(places.start)];
        let bounds = std::iter::once(0)
            .chain(ends.iter().map(|&end| end.min(range.end) - range.start))
            .collect::<Arc<[usize]>>();
        to[axis] = bounds.into();
        if places.is_empty() {
            // No chunk would determine the lengths of the other axes.
            self.chunks.all_known()?;
            to[axis] = Cut::of(&[0]);
        }
        let mut origin = vec![0; self.ndim()];
        origin[axis] = range.start;
        Ok(self.part("slice", Chunks::from_cuts(to), origin))
    }

    pub(super) fn index_axis(&self, axis: usize, at: usize) -> Result<Self> {
        let length = self.length(axis)?;
        if at >= length {
            return Err(Error::Shape(format!(
                "no element {at} along axis {axis} of an array of shape {}: expected less than {length}",
                self.chunks.shape_text(),
            )));
        }
        let chunk = self.chunks.overlapping(axis, &(at..at + 1)).start;
        let places = (0..self.ndim()).map(|from| match from {
            _ if from == axis => AxisMap::Fixed(chunk as u32),
            _ => AxisMap::Output((from - usize::from(from > axis)) as u8),
        });
        let input = BlockInput {
            dependency: 0,
            axes: places.collect(),
        };
        let operation = Pick {
            axis,
            at: at - self.chunks.bounds(axis)[chunk],
        };
        let chunks = self.chunks.without(&[axis]);
        let layer = Layer::blockwise(
            operation,
            chunks.grid(),
            vec![input],
            vec![self.layer.clone()],
        );
        Ok(Self::new(layer, chunks, self.dtype))
    }

    pub(super) fn insert_axis(&self, axis: usize) -> Result<Self> {
        if axis > self.ndim() {
            return Err(Error::Shape(format!(
                "cannot insert axis {axis} into an array of shape {}: expected at most {}",
                self.chunks.shape_text(),
                self.ndim(),
            )));
        }
        let mut cuts = self.chunks.cuts().to_vec();
        cuts.insert(axis, Cut::of(&[1]));
        let chunks = Chunks::from_cuts(cuts);
        let places =
            (0..self.ndim()).map(|at| AxisMap::Output((at + usize::from(at >= axis)) as u8));
        let input = BlockInput {
            dependency: 0,
            axes: places.collect(),
        };
        let layer = Layer::blockwise(
            InsertAxis { axis },
            chunks.grid(),
            vec![input],
            vec![self.layer.clone()],
        );
        Ok(Self::new(layer, chunks, self.dtype))
    }

    pub(super) fn concatenate(axis: usize, arrays: &[&Self]) -> Result<Self> {
        let Some(first) = arrays.first() else {
            return Err(Error::Shape(
                "cannot concatenate no arrays: expected at least one".to_owned(),
            ));
        };
        first.axis(axis)?;
        let shapes: Vec<Vec<Length>> = arrays.iter().map(|array| array.lengths()).collect();
        for (array, shape) in arrays.iter().zip(&shapes) {
            let fits = shape.len() == shapes[0].len()
                && (0..shape.len()).all(|at| at == axis || shape[at] == shapes[0][at]);
            if !fits {
                return Err(Error::Shape(format!(
                    "cannot concatenate shapes {} and {} along axis {axis}: expected the same length along every other axis",
                    first.chunks.shape_text(),
                    array.chunks.shape_text(),
                )));
            }
        }
        let mut cuts: Vec<Cut> = (0..first.ndim())
            .map(|at| {
                let cuts: Vec<_> = arrays.iter().map(|array| array.chunks.cut(at)).collect();
                if at == axis {
                    cuts[0].clone()
                } else {
                    common_cut(&cuts)
                }
            })
            .collect();
        let arrays: Vec<Self> = arrays
            .iter()
            .map(|array| {
                let mut to = cuts.clone();
                to[axis] = array.chunks.cut(axis).clone();
                array.regrid(Chunks::from_cuts(to))
            })
            .collect();
        let along: Vec<&Cut> = arrays.iter().map(|array| array.chunks.cut(axis)).collect();
        cuts[axis] = Cut::chained(&along);
        let chunks = Chunks::from_cuts(cuts);
        let grids = || arrays.iter().map(|array| array.chunks.grid()).collect();
        let layer = Layer::family(
            &Concatenate {
                axis,
                grids: grids(),
            },
            Concatenate {
                axis,
                grids: grids(),
            },
            chunks.grid(),
            arrays.iter().map(|array| array.layer.clone()).collect(),
        );
        Ok(Self::new(layer, chunks, first.dtype))
    }

    pub(super) fn stack(axis: usize, arrays: &[&Self]) -> Result<Self> {
        let arrays: Vec<Self> = arrays
            .iter()
            .map(|array| array.insert_axis(axis))
            .collect::<Result<_>>()?;
        for array in &arrays {
            if array.lengths() != arrays[0].lengths() {
                let shape = |array: &Self| array.chunks.without(&[axis]).shape_text();
                return Err(Error::Shape(format!(
                    "cannot stack shapes {} and {}: expected the same shape",
                    shape(&arrays[0]),
                    shape(array),
                )));
            }
        }
        Self::concatenate(axis, &arrays.iter().collect::<Vec<_>>())
    }

    /// Returns the numbers of the given axes.
    pub(super) fn axes(&self, axes: &Axes) -> Result<Vec<usize>> {
        axes.resolve(self.ndim(), &self.chunks.shape_text())
    }

    /// Returns the length of an axis.
    pub(super) fn length(&self, axis: usize) -> Result<usize> {
        let axis = self.axis(axis)?;
        self.chunks.known_along(&[axis])?;
        Ok(self.chunks.lengths()[axis].unwrap_or_default())
    }

    /// Returns the length of each axis, for comparisons with other arrays.
    fn lengths(&self) -> Vec<Length> {
        self.chunks.cuts().iter().map(Cut::to_length).collect()
    }

    fn axis(&self, axis: usize) -> Result<usize> {
        if axis < self.ndim() {
            return Ok(axis);
        }
        Err(Error::Shape(format!(
            "axis {axis} is out of range for an array of shape {}",
            self.chunks.shape_text(),
        )))
    }
}

/// The other operand of an operator.
pub(super) enum Operand {
    Literal(Literal),
    Array(RawArray),
}

impl Operand {
    fn array(&self) -> RawArray {
        match self {
            Self::Literal(literal) => RawArray::literal(*literal),
            Self::Array(array) => array.clone(),
        }
    }
}

/// Returns the shape that several shapes broadcast to, or an axis on which they conflict.
fn broadcast(shapes: &[Vec<Length>]) -> Result<Vec<Length>, usize> {
    let ndim = shapes.iter().map(Vec::len).max().unwrap_or(0);
    let mut result = vec![Length::ONE; ndim];
    for shape in shapes {
        let lead = ndim - shape.len();
        for (at, &length) in shape.iter().enumerate().rev() {
            let axis = at + lead;
            match (result[axis], length) {
                (Length::ONE, length) => result[axis] = length,
                (_, Length::ONE) => {}
                (known, length) if known == length => {}
                _ => return Err(axis),
            }
        }
    }
    Ok(result)
}

fn shape_mismatch(verb: &str, shapes: &[Vec<Length>], axis: usize) -> Error {
    let ndim = shapes.iter().map(Vec::len).max().unwrap_or(0);
    let texts: Vec<String> = shapes.iter().map(|shape| tuple(shape)).collect();
    let (last, others) = texts
        .split_last()
        .map_or(("", &[][..]), |(last, others)| (&**last, others));
    // The lengths along this axis. Two of them differ.
    let mut lengths = shapes
        .iter()
        .filter_map(|shape| shape.get((axis + shape.len()).checked_sub(ndim)?).copied())
        .filter(|&length| length != Length::ONE);
    let found = lengths.next().unwrap_or(Length::ONE);
    let expected = lengths
        .find(|&length| length != found)
        .unwrap_or(Length::ONE);
    let others = others.join(", ");
    Error::Shape(match (found, expected) {
        (Length::Known(found), Length::Known(expected)) => format!(
            "cannot {verb} shapes {others} and {last}: axis {axis} is {found}, expected {expected}"
        ),
        _ => format!(
            "cannot {verb} shapes {others} and {last}: the sizes of the chunks along axis {axis} depend on other data and are not known yet: compute them first with `.compute_chunk_sizes()?`"
        ),
    })
}
