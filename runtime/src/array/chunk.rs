//! Chunks, which the tasks of an array compute and pass to each other.

use super::chunks::tuple;
use super::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::graph::encoding::{elements, unread, unwritten};
use crate::graph::{ChunkValue, Codec, Fingerprint, Summary, Value};
use ndarray::{ArcArray, ArrayViewD, Axis, IxDyn};
use std::io::{Read, Write};

/// An n-dimensional array of any element type. Cloning shares the elements.
#[derive(Clone, Debug)]
pub enum Chunk {
    /// See [`DType::F64`].
    F64(ArcArray<f64, IxDyn>),
    /// See [`DType::F32`].
    F32(ArcArray<f32, IxDyn>),
    /// See [`DType::I64`].
    I64(ArcArray<i64, IxDyn>),
    /// See [`DType::I32`].
    I32(ArcArray<i32, IxDyn>),
    /// See [`DType::U64`].
    U64(ArcArray<u64, IxDyn>),
    /// See [`DType::U32`].
    U32(ArcArray<u32, IxDyn>),
    /// See [`DType::U8`].
    U8(ArcArray<u8, IxDyn>),
    /// See [`DType::Bool`].
    Bool(ArcArray<bool, IxDyn>),
}

/// Runs the same code on the array of a chunk, whatever its type.
macro_rules! with_array {
    ($chunk:expr, $array:ident => $body:expr) => {
        match $chunk {
            $crate::array::chunk::Chunk::F64($array) => $body,
            $crate::array::chunk::Chunk::F32($array) => $body,
            $crate::array::chunk::Chunk::I64($array) => $body,
            $crate::array::chunk::Chunk::I32($array) => $body,
            $crate::array::chunk::Chunk::U64($array) => $body,
            $crate::array::chunk::Chunk::U32($array) => $body,
            $crate::array::chunk::Chunk::U8($array) => $body,
            $crate::array::chunk::Chunk::Bool($array) => $body,
        }
    };
}

/// Like `with_array`, for numbers. `else` is for masks.
macro_rules! with_numbers {
    ($chunk:expr, $array:ident => $body:expr, else $mask:ident => $other:expr) => {
        match $chunk {
            $crate::array::chunk::Chunk::F64($array) => $body,
            $crate::array::chunk::Chunk::F32($array) => $body,
            $crate::array::chunk::Chunk::I64($array) => $body,
            $crate::array::chunk::Chunk::I32($array) => $body,
            $crate::array::chunk::Chunk::U64($array) => $body,
            $crate::array::chunk::Chunk::U32($array) => $body,
            $crate::array::chunk::Chunk::U8($array) => $body,
            $crate::array::chunk::Chunk::Bool($mask) => $other,
        }
    };
}

/// Runs the same code with `T` as the element type.
macro_rules! with_type {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            $crate::array::dtype::DType::F64 => {
                type $T = f64;
                $body
            }
            $crate::array::dtype::DType::F32 => {
                type $T = f32;
                $body
            }
            $crate::array::dtype::DType::I64 => {
                type $T = i64;
                $body
            }
            $crate::array::dtype::DType::I32 => {
                type $T = i32;
                $body
            }
            $crate::array::dtype::DType::U64 => {
                type $T = u64;
                $body
            }
            $crate::array::dtype::DType::U32 => {
                type $T = u32;
                $body
            }
            $crate::array::dtype::DType::U8 => {
                type $T = u8;
                $body
            }
            $crate::array::dtype::DType::Bool => {
                type $T = bool;
                $body
            }
        }
    };
}

pub(super) use {with_array, with_numbers, with_type};

/// The tag of encoded arrays.
const TAG: &str = "array";

impl Chunk {
    /// The codec of chunks.
    pub(super) const CODEC: Codec = Codec {
        tag: TAG,
        decode: |from, nbytes| Self::decode(from, nbytes).map(Value::new),
    };

    /// Returns the element type.
    pub fn dtype(&self) -> DType {
        fn of<T: Element>(_: &ArcArray<T, IxDyn>) -> DType {
            T::DTYPE
        }
        with_array!(self, array => of(array))
    }

    /// Returns the length of each axis.
    pub fn shape(&self) -> &[usize] {
        with_array!(self, array => array.shape())
    }

    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        with_array!(self, array => array.len())
    }

    /// Returns whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the chunk that is a task's input.
    ///
    /// # Errors
    /// Returns [`Error::Type`] for a value that is not an array.
    pub fn of(value: Value) -> Result<Self> {
        value.into_inner().map_err(|value: Value| Error::Type {
            subject: "the input".to_owned(),
            found: value.summary().to_string(),
            expected: "an array".to_owned(),
        })
    }

    /// Returns the chunks that are a task's inputs.
    ///
    /// # Errors
    /// Returns [`Error::Type`] for a value that is not an array.
    pub fn all_of(values: Vec<Value>) -> Result<Vec<Self>> {
        values.into_iter().map(Self::of).collect()
    }

    /// Reads the output of [`ChunkValue::encode`], which has exactly `nbytes` bytes.
    ///
    /// # Errors
    /// Returns [`Error::Decode`] with what is wrong with the bytes, and [`Error::Transfer`]
    /// if they cannot be read.
    pub fn decode(from: &mut dyn Read, nbytes: u64) -> Result<Self> {
        let mut code = [0];
        from.read_exact(&mut code)
            .map_err(|cause| unread("an array", cause))?;
        let dtype = *DType::ALL
            .get(usize::from(code[0]))
            .ok_or_else(|| Error::Decode(format!("an array: unknown element type {}", code[0])))?;
        let nbytes = nbytes.saturating_sub(1);
        let (shape, count) = elements::read_shape(from, nbytes, dtype.nbytes())?;
        with_type!(dtype, T => {
            let elements: Vec<T> = elements::read("an array", from, count)?;
            let array = ArcArray::from_shape_vec(IxDyn(&shape), elements)
                .map_err(|error| Error::Decode(format!("an array: {error}")))?;
            Ok(T::wrap(array))
        })
    }

    /// Computes a hash of type, shape and elements.
    pub(super) fn digest(&self) -> u128 {
        let mut fingerprint = Fingerprint::new();
        fingerprint.text(self.dtype().name());
        fingerprint.text(&tuple(self.shape()));
        // Row-major, not in memory order, so that equal arrays have equal hashes.
        let write = |to: &mut dyn Write| with_array!(self, array => elements::write_array(array.view(), to));
        fingerprint
            .written(write)
            .expect("invariant: hashing does not fail")
            .finish()
    }
}

impl ChunkValue for Chunk {
    fn nbytes(&self) -> usize {
        self.len() * self.dtype().nbytes()
    }

    fn summary(&self) -> Summary {
        Summary::array(self.dtype().name(), self.shape())
    }

    fn codec(&self) -> Option<Codec> {
        Some(Self::CODEC)
    }

    /// Encodes the type's number and the number of axes (one byte each), the length of
    /// each axis (8 bytes each), and the elements row-major; all little-endian.
    fn encode(&self, to: &mut dyn Write) -> Result<()> {
        to.write_all(&[self.dtype() as u8]).map_err(unwritten)?;
        elements::write_shape(self.shape(), to)?;
        with_array!(self, array => elements::write_array(array.view(), to)).map_err(unwritten)
    }
}

/// Passes all elements to `run`, in runs that are contiguous in memory, in any order.
pub(super) fn for_each_run<T: Copy>(array: ArrayViewD<'_, T>, mut run: impl FnMut(&[T])) {
    if array.is_empty() {
        return;
    }
    if let Some(elements) = array.as_slice_memory_order() {
        run(elements);
        return;
    }
    // Slices of a larger array: contiguous along one axis.
    let axis = (0..array.ndim())
        .rev()
        .find(|&axis| array.strides()[axis] == 1 && array.shape()[axis] > 1)
        .unwrap_or(array.ndim() - 1);
    for lane in array.lanes(Axis(axis)) {
        match lane.to_slice() {
            Some(elements) => run(elements),
            None => run(&lane.to_vec()),
        }
    }
}
