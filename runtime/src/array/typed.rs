//! [`Array`] and [`Scalar`]: thin typed shells over [`RawArray`].

use super::chunks::{ChunkSpec, Chunks};
use super::create::{Distribution, Generate, Random, Rule, generated, random};
use super::dtype::{DType, Element, Float, Number};
use super::elementwise::{BinaryOp, ChunkFunction, MapChunks, UnaryOp, on_arrays, on_elements};
use super::raw::{Operand, RawArray};
use super::reduce::Sums;
use crate::compute::Collection;
use crate::error::{Error, Result};
use crate::graph::{Layer, Value};
use ndarray::{ArcArray, ArrayBase, ArrayD, Axis, Data, Dimension, IntoDimension, IxDyn};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

/// An n-dimensional array in chunks, which are computed on demand.
///
/// Operators work element by element and broadcast like NumPy's. Arrays of one shape in
/// different chunks are first cut into common chunks. Shapes that don't fit **panic** with
/// [`Error::Shape`].
///
/// Integer arithmetic is exact. If the type does not hold a result, the task fails with
/// [`Error::Overflow`], where NumPy wraps around. To avoid this, cast to a wider type first, or
/// use `map` with functions such as Rust's `wrapping_add`. An integer division by zero fails the
/// task with [`Error::Argument`].
///
/// Numbers without a suffix are `f64` and `i32`, as everywhere in Rust.
///
/// ```
/// use swath::prelude::*;
///
/// let x = Array::<f64>::ones((15, 15), (5, 5));
/// let y = (x.dot(x.t() + 1.0) - x.mean_axis(Axis(0))).std();
/// assert_eq!(y.compute()?, 0.0);
/// # Ok::<(), swath::Error>(())
/// ```
#[doc(alias = "ndarray")]
pub struct Array<T> {
    sums: Sums<T>,
}

/// One element, computed on demand: the result of reducing a whole [`Array`]. In arithmetic
/// it counts as an array without axes.
pub struct Scalar<T> {
    raw: RawArray,
    element: PhantomData<fn() -> T>,
}

/// Raises an error, at the caller's position.
#[track_caller]
pub(super) fn raise<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => error.raise(),
    }
}

/// An array in memory: ndarray's arrays and views of any dimension, owned or
/// borrowed, and vectors.
pub trait IntoNdarray {
    /// The element type.
    type Element: Element;

    /// Returns the elements, without a copy if they are owned.
    fn into_shared_dyn(self) -> ArcArray<Self::Element, IxDyn>;
}

impl<T: Element, S: Data<Elem = T>, D: Dimension> IntoNdarray for ArrayBase<S, D> {
    type Element = T;

    fn into_shared_dyn(self) -> ArcArray<T, IxDyn> {
        self.into_owned().into_dyn().into_shared()
    }
}

impl<T: Element, S: Data<Elem = T>, D: Dimension> IntoNdarray for &ArrayBase<S, D> {
    type Element = T;

    fn into_shared_dyn(self) -> ArcArray<T, IxDyn> {
        self.to_owned().into_dyn().into_shared()
    }
}

impl<T: Element> IntoNdarray for Vec<T> {
    type Element = T;

    fn into_shared_dyn(self) -> ArcArray<T, IxDyn> {
        ndarray::Array1::from_vec(self).into_dyn().into_shared()
    }
}

/// Returns a random ndarray array in memory, uniform from 0 to 1, excluding 1.
///
/// The elements are those of [`Array::random`] with the same shape and seed.
#[doc(alias = "rand")]
pub fn random_array<S: IntoDimension>(shape: S, seed: u64) -> ndarray::Array<f64, S::Dim> {
    let shape = shape.into_dimension();
    let elements = random_elements(shape.slice(), seed);
    elements
        .into_dimensionality()
        .expect("invariant: the elements were drawn for this shape")
}

fn random_elements(shape: &[usize], seed: u64) -> ArrayD<f64> {
    let ranges: Vec<_> = shape.iter().map(|&length| 0..length).collect();
    raise(f64::unwrap(random(
        &Distribution::Uniform,
        seed,
        shape,
        &ranges,
    )))
    .into_owned()
}

/// The types of the other side of an operation, owned or borrowed. For an array, it is an
/// element, an array or a scalar; for a scalar, an element or a scalar.
macro_rules! others {
    ($($(#[$doc:meta])* $name:ident: $($type:ty),*;)*) => {$(
        $(#[$doc])*
        pub struct $name<T> {
            operand: Operand,
            element: PhantomData<fn() -> T>,
        }

        impl<T> $name<T> {
            fn new(operand: Operand) -> Self {
                Self {
                    operand,
                    element: PhantomData,
                }
            }
        }

        impl<T: Element> From<T> for $name<T> {
            fn from(element: T) -> Self {
                Self::new(Operand::Literal(element.literal()))
            }
        }

        $(
            impl<T> From<$type> for $name<T> {
                fn from(array: $type) -> Self {
                    Self::new(Operand::Array(array.raw.clone()))
                }
            }
        )*
    )*};
}
others! {
    /// The other side of an operation on an array: an element, an array or a
    /// scalar, owned or borrowed.
    Other: Array<T>, &Array<T>, Scalar<T>, &Scalar<T>;
    /// The other side of an operation on a scalar: an element or a scalar, owned or
    /// borrowed.
    ScalarOther: Scalar<T>, &Scalar<T>;
}

impl<T> Array<T> {
    pub(super) fn from_raw(raw: RawArray) -> Self {
        Self {
            sums: Sums {
                raw,
                element: PhantomData,
            },
        }
    }

    pub(super) fn sums(&self) -> &Sums<T> {
        &self.sums
    }
}

impl<T> Scalar<T> {
    pub(super) fn from_raw(raw: RawArray) -> Self {
        Self {
            raw,
            element: PhantomData,
        }
    }
}

/// The methods that arrays and scalars have in common.
macro_rules! shell {
    ($name:ident $other:ident) => {
        impl<T> $name<T> {
            /// Returns the array without its Rust type.
            pub fn raw(&self) -> &RawArray {
                &self.raw
            }

            /// Returns the element type.
            pub fn dtype(&self) -> DType {
                self.raw.dtype()
            }

            #[track_caller]
            pub(super) fn with<U>(&self, op: BinaryOp, other: $other<T>) -> $name<U> {
                $name::from_raw(raise(self.raw.binary(op, &other.operand)))
            }

            /// Returns the size of the computed elements, in bytes.
            ///
            /// **Panics** if it is not known.
            #[track_caller]
            pub fn nbytes(&self) -> usize {
                self.raw.nbytes()
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self::from_raw(self.raw.clone())
            }
        }

        impl<T: Element> $name<T> {
            /// Applies a function to every element.
            #[doc(alias("vectorize", "applymap"))]
            pub fn map<U: Element>(
                &self,
                function: impl Fn(T) -> U + Send + Sync + 'static,
            ) -> $name<U> {
                $name::from_raw(mapped(&self.raw, "map", on_elements(function), U::DTYPE))
            }

            /// Limits each element to the range from `least` to `greatest`. NaN stays NaN.
            ///
            /// **Panics** if the shapes don't fit.
            #[doc(alias = "clamp")]
            #[track_caller]
            pub fn clip(
                &self,
                least: impl Into<$other<T>>,
                greatest: impl Into<$other<T>>,
            ) -> Self {
                self.maximum(least).minimum(greatest)
            }

            /// Converts the elements into another type, like Rust's `as`.
            ///
            /// An integer that is too large keeps its lower bits. A float loses its
            /// fraction, and is limited to the range of the integer type. For `bool`, the
            /// result is whether the element is not zero.
            #[doc(alias = "cast")]
            pub fn astype<U: Element>(&self) -> $name<U> {
                $name::from_raw(self.raw.cast(U::DTYPE))
            }
        }

        impl<T: Number> $name<T> {
            /// Raises each element to a power. **Panics** for a negative power of integers.
            #[doc(alias("power", "pow", "square"))]
            #[track_caller]
            pub fn powi(&self, exponent: i32) -> Self {
                if exponent < 0 && !matches!(self.dtype(), DType::F64 | DType::F32) {
                    Error::Argument(format!(
                        "powi({exponent}) of integers: expected an exponent of at least 0, or a cast with `.astype::<f64>()`"
                    ))
                    .raise();
                }
                Self::from_raw(self.raw.unary(UnaryOp::Powi(exponent)))
            }
        }

        impl<T: Float> $name<T> {
            /// Raises each element to a power.
            #[doc(alias("power", "pow", "float_power"))]
            pub fn powf(&self, exponent: f64) -> Self {
                Self::from_raw(self.raw.unary(UnaryOp::Powf(exponent)))
            }
        }
    };
}
shell!(Array Other);
shell!(Scalar ScalarOther);

fn mapped(raw: &RawArray, name: &'static str, function: ChunkFunction, dtype: DType) -> RawArray {
    raw.map_chunks(MapChunks { name, function }, dtype)
}

impl<T: Element> Array<T> {
    /// Cuts an array in memory into chunks, which share its elements.
    ///
    /// **Panics** if the chunks don't fit the shape.
    #[doc(alias("from_array", "asarray", "array"))]
    #[track_caller]
    pub fn from_ndarray(
        array: impl IntoNdarray<Element = T>,
        chunks: impl Into<ChunkSpec>,
    ) -> Self {
        let data = T::wrap(array.into_shared_dyn());
        Self::from_raw(raise(RawArray::from_chunk(data, &chunks.into())))
    }

    /// Creates an array in which every element is the same.
    ///
    /// **Panics** if the chunks don't fit the shape.
    #[track_caller]
    pub fn full(shape: impl IntoDimension, element: T, chunks: impl Into<ChunkSpec>) -> Self {
        Self::filled("full", shape, element.literal(), chunks)
    }

    #[track_caller]
    fn filled(
        name: &'static str,
        shape: impl IntoDimension,
        literal: super::dtype::Literal,
        chunks: impl Into<ChunkSpec>,
    ) -> Self {
        let shape = shape.into_dimension();
        Self::from_raw(raise(RawArray::full(
            name,
            literal,
            shape.slice(),
            &chunks.into(),
        )))
    }

    /// Creates an array of zeros, or of `false`: `Array::<f64>::zeros([1000, 1000], (100, 1000))`.
    ///
    /// **Panics** if the chunks don't fit the shape.
    #[doc(alias = "empty")]
    #[track_caller]
    pub fn zeros(shape: impl IntoDimension, chunks: impl Into<ChunkSpec>) -> Self {
        Self::filled("zeros", shape, T::default().literal(), chunks)
    }

    /// Returns the length of each axis.
    ///
    /// **Panics** if a length is not known: see
    /// [`compute_chunk_sizes`](Self::compute_chunk_sizes).
    #[track_caller]
    pub fn shape(&self) -> Vec<usize> {
        self.raw.shape()
    }

    /// Returns the number of axes.
    pub fn ndim(&self) -> usize {
        self.raw.ndim()
    }

    /// Returns the number of elements.
    ///
    /// **Panics** if it is not known.
    #[doc(alias = "size")]
    #[track_caller]
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Returns whether the array has no elements.
    ///
    /// **Panics** if that is not known.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Returns the chunks' sizes.
    #[doc(alias("chunksize", "numblocks"))]
    pub fn chunks(&self) -> &Chunks {
        self.raw.chunks()
    }

    /// Returns the number of chunks.
    pub fn npartitions(&self) -> usize {
        self.raw.chunks().count()
    }

    /// Reverses the order of the axes: (m, n) → (n, m).
    #[doc(alias = "T")]
    pub fn t(&self) -> Self {
        let axes: Vec<usize> = (0..self.ndim()).rev().collect();
        self.transpose(axes)
    }

    /// Reorders the axes. The first axis of `x.transpose([2, 0, 1])` is the third one of `x`.
    ///
    /// **Panics** unless each axis is named once.
    #[doc(alias = "permute_dims")]
    #[track_caller]
    pub fn transpose(&self, axes: impl AsRef<[usize]>) -> Self {
        Self::from_raw(raise(self.raw.transpose(axes.as_ref())))
    }

    /// Cuts the array into other chunks.
    ///
    /// **Panics** if the chunks don't fit the shape.
    #[track_caller]
    pub fn rechunk(&self, chunks: impl Into<ChunkSpec>) -> Self {
        Self::from_raw(raise(self.raw.rechunk(&chunks.into())))
    }

    /// Selects a range of elements along an axis: `x.slice_axis(Axis(0), 2..7)`.
    ///
    /// **Panics** if the axis or the range is out of bounds.
    #[doc(alias("slice", "getitem"))]
    #[track_caller]
    pub fn slice_axis(&self, axis: Axis, range: Range<usize>) -> Self {
        Self::from_raw(raise(self.raw.slice_axis(axis.index(), &range)))
    }

    /// Selects one position along an axis, and removes the axis: (m, n), Axis(0) → (n,).
    ///
    /// **Panics** if the axis or the position is out of bounds.
    #[doc(alias("take", "getitem"))]
    #[track_caller]
    pub fn index_axis(&self, axis: Axis, at: usize) -> Self {
        Self::from_raw(raise(self.raw.index_axis(axis.index(), at)))
    }

    /// Inserts an axis of length 1: (m, n), Axis(1) → (m, 1, n).
    ///
    /// **Panics** if the axis is greater than the number of axes.
    #[doc(alias("expand_dims", "newaxis"))]
    #[track_caller]
    pub fn insert_axis(&self, axis: Axis) -> Self {
        Self::from_raw(raise(self.raw.insert_axis(axis.index())))
    }

    /// Converts an array without axes into a scalar.
    ///
    /// **Panics** if the array has an axis.
    #[doc(alias = "item")]
    #[track_caller]
    pub fn into_scalar(self) -> Scalar<T> {
        if self.ndim() != 0 {
            Error::Shape(format!(
                "cannot convert an array of shape {} into a scalar: expected no axes",
                self.chunks().shape_text()
            ))
            .raise();
        }
        Scalar::from_raw(self.sums.raw)
    }

    /// Applies a function to every chunk. The function must keep the chunk's shape.
    pub fn map_blocks<U: Element>(
        &self,
        function: impl Fn(ArrayD<T>) -> ArrayD<U> + Send + Sync + 'static,
    ) -> Array<U> {
        Array::from_raw(mapped(
            &self.raw,
            "map_blocks",
            on_arrays(function),
            U::DTYPE,
        ))
    }
}

impl<T: Number> Array<T> {
    /// Creates an array of ones: `Array::<f64>::ones([1000, 1000], (100, 1000))`.
    ///
    /// **Panics** if the chunks don't fit the shape.
    #[track_caller]
    pub fn ones(shape: impl IntoDimension, chunks: impl Into<ChunkSpec>) -> Self {
        Self::filled("ones", shape, RawArray::literal_of(1, T::DTYPE), chunks)
    }

    /// Creates the array 0, 1, …, `length` − 1.
    ///
    /// **Panics** if the chunks don't fit, or the type does not hold the last number.
    #[track_caller]
    pub fn arange(length: usize, chunks: impl Into<ChunkSpec>) -> Self {
        let last = length.saturating_sub(1) as u64;
        if T::DTYPE.greatest().is_some_and(|greatest| last > greatest) {
            super::dtype::beyond(&format!("arange({length}): {last}"), T::DTYPE).raise();
        }
        Self::from_raw(by_rule(Rule::Arange, &[length], T::DTYPE, &chunks.into()))
    }

    /// Creates a square matrix with ones on the diagonal and zeros elsewhere.
    ///
    /// **Panics** if the chunks don't fit.
    #[doc(alias = "identity")]
    #[track_caller]
    pub fn eye(length: usize, chunks: impl Into<ChunkSpec>) -> Self {
        Self::from_raw(by_rule(
            Rule::Eye,
            &[length, length],
            T::DTYPE,
            &chunks.into(),
        ))
    }

    /// Computes the matrix product: (m, k) · (k, n) → (m, n), (m, k) · (k,) → (m,),
    /// (k,) · (k, n) → (n,), (k,) · (k,) → ().
    ///
    /// **Panics** if the shapes don't fit.
    #[doc(alias("matmul", "vdot"))]
    #[track_caller]
    pub fn dot(&self, other: impl std::borrow::Borrow<Self>) -> Self {
        Self::from_raw(raise(self.raw.dot(&other.borrow().raw)))
    }
}

#[track_caller]
fn by_rule(rule: Rule, shape: &[usize], dtype: DType, chunks: &ChunkSpec) -> RawArray {
    let chunks = raise(chunks.resolve(shape, dtype));
    let operation = Generate {
        rule,
        dtype,
        chunks: chunks.clone(),
    };
    generated(operation, chunks, dtype)
}

#[track_caller]
fn at_random(
    distribution: Distribution,
    seed: u64,
    shape: &[usize],
    chunks: &ChunkSpec,
) -> RawArray {
    let dtype = distribution.dtype();
    let chunks = raise(chunks.resolve(shape, dtype));
    let operation = Random {
        distribution,
        seed,
        chunks: chunks.clone(),
    };
    generated(operation, chunks, dtype)
}

impl Array<f64> {
    /// Creates an array of `length` equally spaced numbers from `start` to `stop`, inclusive.
    ///
    /// **Panics** if the chunks don't fit.
    #[track_caller]
    pub fn linspace(start: f64, stop: f64, length: usize, chunks: impl Into<ChunkSpec>) -> Self {
        let step = (stop - start) / length.saturating_sub(1).max(1) as f64;
        let rule = Rule::Linspace { start, step };
        Self::from_raw(by_rule(rule, &[length], DType::F64, &chunks.into()))
    }

    /// Creates an array of random numbers, uniform from 0 to 1, excluding 1.
    ///
    /// The elements depend only on shape and seed, not on the chunks. As elsewhere, `chunks`
    /// is the size of a chunk along each axis, one number for all axes, or
    /// [`ChunkSpec::auto`].
    ///
    /// **Panics** if the chunks don't fit the shape.
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// let x = Array::<f64>::random([1000, 200], (100, 200), 7);
    /// assert_eq!((x.shape(), x.npartitions()), (vec![1000, 200], 10));
    /// assert!((x.mean().compute()? - 0.5).abs() < 0.01);
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[doc(alias("rand", "random_sample", "uniform"))]
    #[track_caller]
    pub fn random(shape: impl IntoDimension, chunks: impl Into<ChunkSpec>, seed: u64) -> Self {
        let shape = shape.into_dimension();
        Self::from_raw(at_random(
            Distribution::Uniform,
            seed,
            shape.slice(),
            &chunks.into(),
        ))
    }

    /// Creates an array of normally distributed random numbers with mean 0 and standard
    /// deviation 1.
    ///
    /// The elements depend only on shape and seed, not on the chunks.
    ///
    /// **Panics** if the chunks don't fit the shape.
    #[doc(alias("standard_normal", "randn", "normal"))]
    #[track_caller]
    pub fn random_normal(
        shape: impl IntoDimension,
        chunks: impl Into<ChunkSpec>,
        seed: u64,
    ) -> Self {
        let shape = shape.into_dimension();
        Self::from_raw(at_random(
            Distribution::Normal,
            seed,
            shape.slice(),
            &chunks.into(),
        ))
    }
}

impl Array<i64> {
    /// Creates an array of random integers from a range.
    ///
    /// The elements depend only on shape and seed, not on the chunks.
    ///
    /// **Panics** if the range is empty or the chunks don't fit the shape.
    #[doc(alias("randint", "integers"))]
    #[track_caller]
    pub fn random_integers(
        range: Range<i64>,
        shape: impl IntoDimension,
        chunks: impl Into<ChunkSpec>,
        seed: u64,
    ) -> Self {
        if range.is_empty() {
            Error::Argument(format!(
                "random integers from {}..{}: the range is empty, expected at least one number",
                range.start, range.end
            ))
            .raise();
        }
        let shape = shape.into_dimension();
        let distribution = Distribution::Integers(range);
        Self::from_raw(at_random(distribution, seed, shape.slice(), &chunks.into()))
    }
}

impl Array<bool> {
    /// Chooses elements: from `then` where the mask is true, from `other` elsewhere (NumPy's
    /// `where`).
    ///
    /// **Panics** if the shapes don't fit.
    #[doc(alias = "where")]
    #[track_caller]
    pub fn select<T: Element>(
        &self,
        then: impl Into<Other<T>>,
        other: impl Into<Other<T>>,
    ) -> Array<T> {
        let (then, other) = (then.into(), other.into());
        Array::from_raw(raise(self.raw.select(&then.operand, &other.operand)))
    }
}

/// Joins arrays along an existing axis: (m, n) and (k, n), Axis(0) → (m + k, n).
///
/// **Panics** if the shapes don't fit or there are no arrays.
#[doc(alias = "concat")]
#[track_caller]
pub fn concatenate<T: Element>(axis: Axis, arrays: &[Array<T>]) -> Array<T> {
    let raw: Vec<&RawArray> = arrays.iter().map(|array| &array.raw).collect();
    Array::from_raw(raise(RawArray::concatenate(axis.index(), &raw)))
}

/// Joins arrays of one shape along a new axis: two of (m, n), Axis(0) → (2, m, n).
///
/// **Panics** if the shapes differ or there are no arrays.
#[track_caller]
pub fn stack<T: Element>(axis: Axis, arrays: &[Array<T>]) -> Array<T> {
    let raw: Vec<&RawArray> = arrays.iter().map(|array| &array.raw).collect();
    Array::from_raw(raise(RawArray::stack(axis.index(), &raw)))
}

impl<T: Element> Collection for Array<T> {
    type Output = ArrayD<T>;

    fn layer(&self) -> Result<Arc<Layer>> {
        Ok(self.raw.layer().clone())
    }

    fn with_layer(&self, layer: Arc<Layer>) -> Self {
        Self::from_raw(self.raw.with_layer(layer))
    }

    fn assemble(&self, chunks: Vec<Value>) -> Result<ArrayD<T>> {
        T::owned(self.raw.assemble(chunks)?)
    }
}

impl<T: Element> Collection for Scalar<T> {
    type Output = T;

    fn layer(&self) -> Result<Arc<Layer>> {
        Ok(self.raw.layer().clone())
    }

    fn with_layer(&self, layer: Arc<Layer>) -> Self {
        Self::from_raw(self.raw.with_layer(layer))
    }

    fn assemble(&self, chunks: Vec<Value>) -> Result<T> {
        Ok(T::owned(self.raw.assemble(chunks)?)?[IxDyn(&[])])
    }
}

impl<T: Element> Scalar<T> {
    /// Converts the scalar into an array without axes.
    pub fn into_array(self) -> Array<T> {
        Array::from_raw(self.raw)
    }
}

impl<T: Element> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Array<{}> \"{}\" of shape {} in chunks {}",
            self.dtype(),
            self.raw.layer().name(),
            self.chunks().shape_text(),
            self.chunks(),
        )
    }
}

impl<T: Element> fmt::Debug for Scalar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Scalar<{}> \"{}\"",
            self.dtype(),
            self.raw.layer().name()
        )
    }
}
