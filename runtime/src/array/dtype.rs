//! The element types of arrays, and the table that connects each to its name,
//! its chunk and its arithmetic.

use super::chunk::Chunk;
use crate::error::{Error, Result};
use crate::graph::encoding::elements::Plain;
use ndarray::{ArcArray, ArrayD, IxDyn};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The type of an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DType {
    /// 64-bit floating point.
    F64,
    /// 32-bit floating point.
    F32,
    /// 64-bit signed integer.
    I64,
    /// 32-bit signed integer.
    I32,
    /// 64-bit unsigned integer.
    U64,
    /// 32-bit unsigned integer.
    U32,
    /// 8-bit unsigned integer.
    U8,
    /// `true` or `false`: a mask.
    Bool,
}

impl DType {
    pub(super) const ALL: [Self; 8] = [
        Self::F64,
        Self::F32,
        Self::I64,
        Self::I32,
        Self::U64,
        Self::U32,
        Self::U8,
        Self::Bool,
    ];

    /// The Rust type's name: `f64`.
    pub fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::I64 => "i64",
            Self::I32 => "i32",
            Self::U64 => "u64",
            Self::U32 => "u32",
            Self::U8 => "u8",
            Self::Bool => "bool",
        }
    }

    /// Bytes an element.
    pub fn nbytes(self) -> usize {
        match self {
            Self::F64 | Self::I64 | Self::U64 => 8,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::U8 | Self::Bool => 1,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One element, of any type: a scalar argument of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Literal {
    /// See [`DType::F64`].
    F64(f64),
    /// See [`DType::F32`].
    F32(f32),
    /// See [`DType::I64`].
    I64(i64),
    /// See [`DType::I32`].
    I32(i32),
    /// See [`DType::U64`].
    U64(u64),
    /// See [`DType::U32`].
    U32(u32),
    /// See [`DType::U8`].
    U8(u8),
    /// See [`DType::Bool`].
    Bool(bool),
}

mod sealed {
    pub trait Sealed {}
}

/// A type that arrays can hold: `f64`, `f32`, `i64`, `i32`, `u64`, `u32`, `u8`, `bool`.
pub trait Element:
    sealed::Sealed + Copy + Default + PartialOrd + fmt::Debug + fmt::Display + Send + Sync + 'static
{
    /// The type as a value.
    const DTYPE: DType;

    /// What a sum of such elements is, as in NumPy: a wide integer for integers
    /// (`i64` for signed ones and masks, `u64` for unsigned ones), the type
    /// itself for floating point.
    type Sum: Element;

    /// The array as a chunk.
    fn wrap(array: ArcArray<Self, IxDyn>) -> Chunk;

    /// The chunk as an array of this type.
    ///
    /// # Errors
    /// [`Error::Type`] for a chunk of another type.
    fn unwrap(chunk: Chunk) -> Result<ArcArray<Self, IxDyn>>;

    /// The chunk as an array in memory, without a copy where nobody else holds it.
    ///
    /// # Errors
    /// [`Error::Type`] for a chunk of another type.
    fn owned(chunk: Chunk) -> Result<ArrayD<Self>>;

    /// The element as an argument of an operation.
    fn literal(self) -> Literal;

    /// The element that a literal holds.
    ///
    /// # Errors
    /// [`Error::Type`] for a literal of another type.
    fn from_literal(literal: Literal) -> Result<Self>;
}

/// An element that can be added and multiplied: all but `bool`.
pub trait Number: Element {}

/// A number with a sign: `f64`, `f32`, `i64`, `i32`.
pub trait Signed: Number {}

/// A floating point number: `f64`, `f32`.
pub trait Float: Signed {}

/// What the kernels need of an element. Arithmetic on integers wraps around, as
/// in NumPy; dividing an integer by zero fails the task.
pub(super) trait Kernel: Element + Plain {
    const SMALLEST: Self;
    const LARGEST: Self;
    /// The element as a summand.
    fn to_sum(self) -> Self::Sum;
    /// The factor that changes nothing.
    const UNIT: Self::Sum;
    fn add_sums(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    fn mul_sums(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    fn to_f64(self) -> f64;
    fn from_index(index: usize) -> Self;
    fn is_nan(self) -> bool;
}

/// Arithmetic of numbers.
pub(super) trait Arithmetic: Kernel {
    const ONE: Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn rem(self, other: Self) -> Self;
    fn powi(self, exponent: i32) -> Self;
}

macro_rules! elements {
    ($($type:ident $variant:ident $sum:ty;)*) => {$(
        impl sealed::Sealed for $type {}

        impl Element for $type {
            const DTYPE: DType = DType::$variant;
            type Sum = $sum;

            fn wrap(array: ArcArray<Self, IxDyn>) -> Chunk {
                Chunk::$variant(array)
            }

            fn unwrap(chunk: Chunk) -> Result<ArcArray<Self, IxDyn>> {
                match chunk {
                    Chunk::$variant(array) => Ok(array),
                    other => Err(mismatch("the chunk", other.dtype(), DType::$variant)),
                }
            }

            // Not a default: compiled here, once, and not in each cell.
            fn owned(chunk: Chunk) -> Result<ArrayD<Self>> {
                Ok(Self::unwrap(chunk)?.into_owned())
            }

            fn literal(self) -> Literal {
                Literal::$variant(self)
            }

            fn from_literal(literal: Literal) -> Result<Self> {
                match literal {
                    Literal::$variant(value) => Ok(value),
                    other => Err(mismatch("the scalar", other.dtype(), DType::$variant)),
                }
            }
        }
    )*

    impl Literal {
        /// The element's type.
        pub fn dtype(self) -> DType {
            match self {
                $(Self::$variant(_) => DType::$variant,)*
            }
        }
    }};
}
elements! {
    f64 F64 f64;
    f32 F32 f32;
    i64 I64 i64;
    i32 I32 i64;
    u64 U64 u64;
    u32 U32 u64;
    u8 U8 u64;
    bool Bool i64;
}

fn mismatch(subject: &str, found: DType, expected: DType) -> Error {
    Error::Type {
        subject: subject.to_owned(),
        found: format!("of {found}"),
        expected: expected.name().to_owned(),
    }
}

macro_rules! floats {
    ($($type:ident)*) => {$(
        impl Number for $type {}
        impl Signed for $type {}
        impl Float for $type {}

        impl Kernel for $type {
            const SMALLEST: Self = Self::NEG_INFINITY;
            const LARGEST: Self = Self::INFINITY;
            fn to_sum(self) -> Self { self }
            const UNIT: Self = 1.0;
            fn add_sums(a: Self, b: Self) -> Self { a + b }
            fn mul_sums(a: Self, b: Self) -> Self { a * b }
            fn to_f64(self) -> f64 { f64::from(self) }
            fn from_index(index: usize) -> Self { index as Self }
            fn is_nan(self) -> bool { self.is_nan() }
        }

        impl Arithmetic for $type {
            const ONE: Self = 1.0;
            fn add(self, other: Self) -> Self { self + other }
            fn sub(self, other: Self) -> Self { self - other }
            fn mul(self, other: Self) -> Self { self * other }
            fn div(self, other: Self) -> Self { self / other }
            fn rem(self, other: Self) -> Self { self % other }
            fn powi(self, exponent: i32) -> Self { self.powi(exponent) }
        }
    )*};
}
floats!(f64 f32);

macro_rules! integers {
    ($($type:ident)*) => {$(
        impl Number for $type {}

        impl Kernel for $type {
            const SMALLEST: Self = Self::MIN;
            const LARGEST: Self = Self::MAX;
            fn to_sum(self) -> Self::Sum { self.into() }
            const UNIT: Self::Sum = 1;
            fn add_sums(a: Self::Sum, b: Self::Sum) -> Self::Sum { a.wrapping_add(b) }
            fn mul_sums(a: Self::Sum, b: Self::Sum) -> Self::Sum { a.wrapping_mul(b) }
            fn to_f64(self) -> f64 { self as f64 }
            fn from_index(index: usize) -> Self { index as Self }
            fn is_nan(self) -> bool { false }
        }

        impl Arithmetic for $type {
            const ONE: Self = 1;
            fn add(self, other: Self) -> Self { self.wrapping_add(other) }
            fn sub(self, other: Self) -> Self { self.wrapping_sub(other) }
            fn mul(self, other: Self) -> Self { self.wrapping_mul(other) }
            fn div(self, other: Self) -> Self {
                if other == 0 { divided_by_zero() }
                self.wrapping_div(other)
            }
            fn rem(self, other: Self) -> Self {
                if other == 0 { divided_by_zero() }
                self.wrapping_rem(other)
            }
            fn powi(self, exponent: i32) -> Self { self.wrapping_pow(exponent as u32) }
        }
    )*};
}
integers!(i64 i32 u64 u32 u8);

impl Signed for i64 {}
impl Signed for i32 {}

#[cold]
fn divided_by_zero() -> ! {
    Error::Argument(
        "an integer is divided by zero: cast to f64 with `.astype::<f64>()` for inf and NaN"
            .to_owned(),
    )
    .raise()
}

impl Kernel for bool {
    const SMALLEST: Self = false;
    const LARGEST: Self = true;
    fn to_sum(self) -> i64 {
        self.into()
    }
    const UNIT: i64 = 1;
    fn add_sums(a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }
    fn mul_sums(a: i64, b: i64) -> i64 {
        a.wrapping_mul(b)
    }
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self))
    }
    fn from_index(index: usize) -> Self {
        index != 0
    }
    fn is_nan(self) -> bool {
        false
    }
}
