//! A chunk: what the tasks of an array compute and pass to each other.

use super::chunks::tuple;
use super::dtype::{DType, Element, Kernel};
use crate::error::{Error, Result};
use crate::graph::{ChunkValue, Encoded, Fingerprint, Value};
use ndarray::{ArcArray, ArrayViewD, Axis, IxDyn};

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

/// As `with_array`, for numbers; `else` is for masks.
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

/// Runs the same code with `T` standing for the element type.
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
    /// The element type.
    pub fn dtype(&self) -> DType {
        fn of<T: Element>(_: &ArcArray<T, IxDyn>) -> DType {
            T::DTYPE
        }
        with_array!(self, array => of(array))
    }

    /// The elements along each axis.
    pub fn shape(&self) -> &[usize] {
        with_array!(self, array => array.shape())
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        with_array!(self, array => array.len())
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The chunk that a task was given.
    ///
    /// # Errors
    /// [`Error::Type`] for a value that is no array.
    pub fn of(value: Value) -> Result<Self> {
        value.into_inner().map_err(|value: Value| Error::Type {
            subject: "the input".to_owned(),
            found: value.summary(),
            expected: "an array".to_owned(),
        })
    }

    /// The chunks that a task was given.
    ///
    /// # Errors
    /// [`Error::Type`] for a value that is no array.
    pub fn all_of(values: Vec<Value>) -> Result<Vec<Self>> {
        values.into_iter().map(Self::of).collect()
    }

    /// Reads what [`ChunkValue::encode`] has written.
    ///
    /// # Errors
    /// [`Error::Encode`], saying what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let wrong = |what: &str| Error::Encode(format!("an array from these bytes: {what}"));
        let (&[code, ndim], mut rest) = bytes
            .split_first_chunk()
            .ok_or_else(|| wrong("they end before the type"))?;
        let dtype = *DType::ALL
            .get(usize::from(code))
            .ok_or_else(|| wrong(&format!("there is no type {code}")))?;
        let mut shape = Vec::with_capacity(ndim.into());
        for _ in 0..ndim {
            let (length, tail) = rest
                .split_first_chunk()
                .ok_or_else(|| wrong("they end within the shape"))?;
            shape.push(u64::from_le_bytes(*length) as usize);
            rest = tail;
        }
        let expected = shape
            .iter()
            .try_fold(dtype.nbytes(), |size, &length| size.checked_mul(length))
            .ok_or_else(|| wrong("the shape is too large"))?;
        if rest.len() != expected {
            return Err(wrong(&format!(
                "found {} bytes for {dtype} {}, expected {expected}",
                rest.len(),
                tuple(&shape),
            )));
        }
        with_type!(dtype, T => {
            let elements: Option<Vec<T>> =
                rest.chunks_exact(dtype.nbytes()).map(T::read_le).collect();
            let elements = elements.ok_or_else(|| wrong("a truth value that is neither 0 nor 1"))?;
            let array = ArcArray::from_shape_vec(IxDyn(&shape), elements)
                .map_err(|error| wrong(&error.to_string()))?;
            Ok(T::wrap(array))
        })
    }

    /// A hash of type, shape and elements.
    pub(super) fn digest(&self) -> u128 {
        let mut fingerprint = Fingerprint::new();
        fingerprint.text(self.dtype().name());
        fingerprint.text(&tuple(self.shape()));
        with_array!(self, array => row_major_bytes(array.view(), |bytes| {
            fingerprint.bytes(bytes);
        }));
        fingerprint.finish()
    }
}

impl ChunkValue for Chunk {
    fn nbytes(&self) -> usize {
        self.len() * self.dtype().nbytes()
    }

    fn summary(&self) -> String {
        format!("array {} {}", self.dtype(), tuple(self.shape()))
    }

    /// The type's number and the number of axes (a byte each), the elements
    /// along each axis (8 bytes each), the elements row-major; all little-endian.
    fn encode(&self) -> Result<Encoded> {
        let ndim = u8::try_from(self.shape().len())
            .map_err(|_| Error::Encode("an array of more than 255 axes".to_owned()))?;
        let mut bytes = Vec::with_capacity(2 + 8 * usize::from(ndim) + self.nbytes());
        bytes.extend([self.dtype() as u8, ndim]);
        for &length in self.shape() {
            bytes.extend((length as u64).to_le_bytes());
        }
        with_array!(self, array => row_major_bytes(array.view(), |part| bytes.extend_from_slice(part)));
        Ok(Encoded { tag: TAG, bytes })
    }
}

/// Hands over the elements' little-endian bytes in row-major order, in parts of
/// the same size whatever the memory layout.
fn row_major_bytes<T: Kernel>(array: ArrayViewD<'_, T>, mut part: impl FnMut(&[u8])) {
    const ELEMENTS: usize = 4096;
    let mut bytes = [0; ELEMENTS * 8];
    let size = T::DTYPE.nbytes();
    let mut write = |elements: &[T]| {
        let bytes = &mut bytes[..elements.len() * size];
        T::write_le(elements, bytes);
        part(bytes);
    };
    if let Some(elements) = array.as_slice() {
        elements.chunks(ELEMENTS).for_each(write);
        return;
    }
    let mut elements = Vec::with_capacity(ELEMENTS);
    for &element in array.iter() {
        elements.push(element);
        if elements.len() == ELEMENTS {
            write(&elements);
            elements.clear();
        }
    }
    if !elements.is_empty() {
        write(&elements);
    }
}

/// Hands over all elements in runs that are contiguous in memory, in any order.
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
