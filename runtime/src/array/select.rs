//! Selects elements by their values: where a mask is true, where elements are not zero, and
//! each distinct element. Their number is known only when they are computed.

use super::chunk::{Chunk, with_array};
use super::chunks::{Chunks, Cut};
use super::dtype::{DType, Element};
use super::elementwise::inputs_of;
use super::raw::RawArray;
use super::reduce;
use super::typed::{Array, raise};
use crate::compute::Collection;
use crate::error::{Error, Result};
use crate::graph::{
    Alias, Arguments, AxisMap, Block, BlockInput, EncodedOperation, Fingerprint, Grid, Layer,
    Operation, Value,
};
use ndarray::{ArcArray, Array2, Axis, Dimension, IxDyn};
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::sync::Arc;

/// Selects the elements of a chunk where a mask is true. The mask covers the chunk's first
/// axes, which become one.
#[derive(Serialize, Deserialize)]
struct Get;

impl Operation for Get {
    fn name(&self) -> &str {
        "get"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        fn chosen<T: Element>(array: ArcArray<T, IxDyn>, mask: &ArcArray<bool, IxDyn>) -> Chunk {
            let places = mask.iter().enumerate().filter(|(_, is_chosen)| **is_chosen);
            let places: Vec<usize> = places.map(|(at, _)| at).collect();
            let shape = array.shape();
            let rest = shape[mask.ndim()..].iter().copied();
            let shape: Vec<usize> = std::iter::once(mask.len()).chain(rest).collect();
            let rows = array.to_shape(IxDyn(&shape));
            let rows = rows.expect("invariant: the mask's axes are the first ones");
            T::wrap(rows.select(Axis(0), &places).into_shared())
        }
        let [chunk, mask] = inputs_of(inputs)?;
        let mask = bool::unwrap(mask)?;
        Ok(Value::new(
            with_array!(chunk, array => chosen(array, &mask)),
        ))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/get")
    }
}

/// Finds the positions of a chunk's elements that are not zero, one row for each. The chunk is
/// cut only along the first axis.
#[derive(Serialize, Deserialize)]
struct ArgWhere {
    chunks: Chunks,
}

impl Operation for ArgWhere {
    fn name(&self) -> &str {
        "argwhere"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, block: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        fn places<T: Element>(array: &ArcArray<T, IxDyn>, first: usize) -> Vec<i64> {
            let mut places = Vec::new();
            for (index, element) in array.indexed_iter() {
                if *element != T::default() {
                    let index = index.slice();
                    places.push((first + index[0]) as i64);
                    places.extend(index[1..].iter().map(|&at| at as i64));
                }
            }
            places
        }
        let [chunk] = inputs_of(inputs)?;
        let first = self.chunks.bounds(0)[block.index[0] as usize];
        let places = with_array!(&chunk, array => places(array, first));
        let ndim = chunk.shape().len();
        let rows = Array2::from_shape_vec((places.len() / ndim, ndim), places);
        let rows = rows.expect("invariant: a place has a number for each axis");
        Ok(Value::new(i64::wrap(rows.into_dyn().into_shared())))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/argwhere")
    }
}

impl RawArray {
    /// Returns an array like this one with other cuts along the first `count` axes: the given ones
    /// along the first axis, and one chunk along the others.
    fn cut_along_first(&self, first: Cut, count: usize) -> Result<Self> {
        let shape = self.shape_of(1..count)?;
        let whole = shape.into_iter().map(|length| Cut::of(&[length]));
        let rest = self.chunks().cuts()[count..].iter().cloned();
        let cuts = std::iter::once(first).chain(whole).chain(rest);
        Ok(self.regrid(Chunks::from_cuts(cuts)))
    }

    fn get(&self, mask: &Self) -> Result<Self> {
        let count = mask.ndim();
        let (chunks, of_mask) = (self.chunks(), mask.chunks());
        let fits = (1..=self.ndim()).contains(&count)
            && (0..count).all(|axis| chunks.cut(axis).to_length() == of_mask.cut(axis).to_length());
        if !fits {
            return Err(Error::Shape(format!(
                "a mask of shape {} does not fit an array of shape {}: expected the lengths of the array's first axes{}",
                of_mask.shape_text(),
                chunks.shape_text(),
                match chunks.are_known() && of_mask.are_known() {
                    true => "",
                    false =>
                        "; compute unknown lengths first with `.compute_chunk_sizes()?`, or use the same mask",
                }
            )));
        }
        let first = super::chunks::common_cut(&[chunks.cut(0), of_mask.cut(0)]);
        let array = self.cut_along_first(first.clone(), count)?;
        let mask = mask.cut_along_first(first.clone(), count)?;
        let inner: usize = array.shape_of(1..count)?.iter().product();
        let at_most: Vec<usize> = first.at_most().iter().map(|size| size * inner).collect();
        let mut follows = Fingerprint::new();
        follows.text("get").layer(mask.layer().id());
        let chosen = Cut::unknown(super::chunks::bounds(&at_most), follows.finish());
        let rest = array.chunks().cuts()[count..].iter().cloned();
        let chunks = Chunks::from_cuts(std::iter::once(chosen).chain(rest));
        let inputs = [(0, array.ndim()), (1, count)].map(|(dependency, ndim)| BlockInput {
            dependency,
            axes: (0..ndim)
                .map(|axis| match axis {
                    0 => AxisMap::Output(0),
                    _ if axis < count => AxisMap::Fixed(0),
                    _ => AxisMap::Output((axis + 1 - count) as u8),
                })
                .collect(),
        });
        let dependencies = vec![array.layer().clone(), mask.layer().clone()];
        let layer = Layer::blockwise(Get, chunks.grid(), inputs.into(), dependencies);
        Ok(Self::new(layer, chunks, self.dtype()))
    }

    fn argwhere(&self) -> Result<Self> {
        let shape = self.shape_of(0..self.ndim())?;
        let ndim = shape.len();
        if ndim == 0 {
            return Err(Error::Shape(
                "argwhere of an array without axes: expected at least one axis".to_owned(),
            ));
        }
        let first = self.chunks().cut(0).clone();
        let array = self.cut_along_first(first.clone(), ndim)?;
        let inner: usize = shape[1..].iter().product();
        let at_most: Vec<usize> = first.at_most().iter().map(|size| size * inner).collect();
        let mut follows = Fingerprint::new();
        follows.text("argwhere").layer(array.layer().id());
        let found = Cut::unknown(super::chunks::bounds(&at_most), follows.finish());
        let chunks = Chunks::from_cuts([found, Cut::of(&[ndim])]);
        let input = BlockInput {
            dependency: 0,
            axes: (0..ndim)
                .map(|axis| match axis {
                    0 => AxisMap::Output(0),
                    _ => AxisMap::Fixed(0),
                })
                .collect(),
        };
        let operation = ArgWhere {
            chunks: array.chunks().clone(),
        };
        let dependencies = vec![array.layer().clone()];
        let layer = Layer::blockwise(operation, chunks.grid(), vec![input], dependencies);
        Ok(Self::new(layer, chunks, DType::I64))
    }

    fn unique(&self) -> Self {
        let axes: Vec<usize> = (0..self.ndim()).collect();
        let layer = reduce::unique(self.layer(), self.chunks(), &axes);
        let mut follows = Fingerprint::new();
        follows.text("unique").layer(layer.id());
        let at_most: usize = self.chunks().largest().iter().product();
        let at_most = super::chunks::bounds(&[at_most * self.chunks().count()]);
        let chunks = Chunks::from_cuts([Cut::unknown(at_most, follows.finish())]);
        let input = BlockInput {
            dependency: 0,
            axes: std::iter::empty().collect(),
        };
        let layer = Layer::blockwise(Alias, Grid::new([1]), vec![input], vec![layer]);
        Self::new(layer, chunks, self.dtype())
    }

    /// Returns the lengths of some axes.
    fn shape_of(&self, axes: std::ops::Range<usize>) -> Result<Vec<usize>> {
        let axes: Vec<usize> = axes.collect();
        self.chunks().known_along(&axes)?;
        let lengths = self.chunks().lengths();
        Ok(axes.iter().filter_map(|&axis| lengths[axis]).collect())
    }
}

/// The shapes of an array's chunks, row-major, as a collection.
#[derive(Clone)]
struct ChunkShapes(RawArray);

/// Replaces a chunk by its shape.
#[derive(Serialize, Deserialize)]
struct ShapeOf;

impl Operation for ShapeOf {
    fn name(&self) -> &str {
        "chunk-shape"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [chunk] = inputs_of(inputs)?;
        let shape: Vec<u64> = chunk.shape().iter().map(|&length| length as u64).collect();
        let shape = ndarray::Array1::from_vec(shape).into_dyn();
        Ok(Value::new(u64::wrap(shape.into_shared())))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/chunk-shape")
    }
}

impl Collection for ChunkShapes {
    type Output = Vec<Vec<usize>>;

    fn layer(&self) -> Result<Arc<Layer>> {
        let array = &self.0;
        let input = BlockInput::same(0, array.ndim());
        let grid = array.chunks().grid();
        Ok(Layer::blockwise(
            ShapeOf,
            grid,
            vec![input],
            vec![array.layer().clone()],
        ))
    }

    fn with_layer(&self, _: Arc<Layer>) -> Self {
        self.clone()
    }

    fn assemble(&self, values: Vec<Value>) -> Result<Self::Output> {
        let shapes = values.into_iter().map(|value| {
            let shape = u64::unwrap(Chunk::of(value)?)?;
            Ok(shape.iter().map(|&length| length as usize).collect())
        });
        shapes.collect()
    }
}

impl<T: Element> Array<T> {
    /// Selects the elements where a mask is true, in row-major order: NumPy's `x[mask]`.
    ///
    /// A mask with fewer axes covers the first ones: (m, n) with a mask of (m,) → (?, n). The
    /// number of elements is known only when they are computed. The shape contains a `?`, and
    /// operations that need the sizes fail with a message. See
    /// [`compute_chunk_sizes`](Self::compute_chunk_sizes).
    ///
    /// **Panics** if the shapes don't fit.
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// let x = Array::<i64>::arange(10, 4);
    /// let large = x.get(&x.gt(6));
    /// assert_eq!(large.compute()?.as_slice(), Some(&[7, 8, 9][..]));
    /// assert_eq!(large.sum().compute()?, 24);
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[doc(alias("getitem", "compress", "extract", "boolean_mask", "filter"))]
    #[track_caller]
    pub fn get(&self, mask: impl Borrow<Array<bool>>) -> Self {
        Self::from_raw(raise(self.raw().get(mask.borrow().raw())))
    }

    /// Finds the positions of the elements that are not zero, or are true, one row for each:
    /// (m, n) → (?, 2).
    ///
    /// **Panics** if there is no axis, or the shape is not known.
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// let x = Array::<f64>::eye(3, 2);
    /// let places = x.argwhere().compute()?;
    /// assert_eq!(places.as_slice(), Some(&[0, 0, 1, 1, 2, 2][..]));
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[track_caller]
    pub fn argwhere(&self) -> Array<i64> {
        Array::from_raw(raise(self.raw().argwhere()))
    }

    /// Finds the positions of the elements that are not zero, or are true, as one array for each
    /// axis: (m, n) → two of (?,).
    ///
    /// **Panics** if there is no axis, or the shape is not known.
    #[doc(alias("flatnonzero", "where"))]
    #[track_caller]
    pub fn nonzero(&self) -> Vec<Array<i64>> {
        let places = self.argwhere();
        (0..self.ndim())
            .map(|axis| places.index_axis(Axis(1), axis))
            .collect()
    }

    /// Returns the distinct elements in ascending order, with NaN last: (m, n) → (?,).
    ///
    /// All of them are in one chunk, in memory.
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// let x = Array::from_ndarray(vec![3, 1, 3, 2, 1], 2);
    /// assert_eq!(x.unique().compute()?.as_slice(), Some(&[1, 2, 3][..]));
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[doc(alias("distinct", "drop_duplicates"))]
    pub fn unique(&self) -> Self {
        Self::from_raw(self.raw().unique())
    }

    /// Computes the sizes of chunks that depend on the data ([`get`](Self::get),
    /// [`argwhere`](Self::argwhere), [`unique`](Self::unique)), and returns the array with them.
    ///
    /// This computes the chunks. If the array is used often, `persist` it first.
    ///
    /// # Errors
    /// The same as for [`compute`](Collection::compute).
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// let x = Array::<i64>::arange(10, 4);
    /// let even = x.get(&(x.clone() % 2).eq(0)).compute_chunk_sizes()?;
    /// assert_eq!((even.shape(), even.chunks().sizes(0)), (vec![5], vec![2, 2, 1]));
    /// # Ok::<(), swath::Error>(())
    /// ```
    pub fn compute_chunk_sizes(&self) -> Result<Self> {
        let raw = self.raw();
        if raw.chunks().are_known() {
            return Ok(self.clone());
        }
        let shapes = ChunkShapes(raw.clone()).compute()?;
        let chunks = raw.chunks().found(shapes.iter().map(|shape| &shape[..]));
        let known = RawArray::new(raw.layer().clone(), chunks, raw.dtype());
        Ok(Self::from_raw(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_told_as_far_as_they_are_known() {
        let x = Array::<i64>::arange(10, 4);
        let some = x.get(x.gt(3));
        assert_eq!(some.chunks().to_string(), "((?, ?, ?),)");
        assert_eq!(some.chunks().shape_text(), "(?,)");
        assert_eq!(some.chunks().largest(), [4]);
    }
}
