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

    /// The greatest integer of the type, if it is one of integers.
    pub(super) fn greatest(self) -> Option<u64> {
        Some(match self {
            Self::I64 => i64::MAX as u64,
            Self::I32 => i32::MAX as u64,
            Self::U64 => u64::MAX,
            Self::U32 => u32::MAX.into(),
            Self::U8 => u8::MAX.into(),
            Self::F64 | Self::F32 | Self::Bool => return None,
        })
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
    /// itself for floating point. What is beyond a wide integer fails the task.
    type Sum: Element;

    /// The array as a chunk.
    fn wrap(array: ArcArray<Self, IxDyn>) -> Chunk;

    /// The chunk as an array of this type.
    ///
    /// # Errors
    /// [`Error::Type`] for a chunk of another type.
    fn unwrap(chunk: Chunk) -> Result<ArcArray<Self, IxDyn>>;

    /// The chunk as an array in memory, row-major: without a copy where it is, and
    /// nobody else holds it.
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

/// What the kernels need of an element.
pub(super) trait Kernel: Element + Plain {
    const SMALLEST: Self;
    const LARGEST: Self;
    /// What stands for the least element that is not NaN where there is none yet: NaN,
    /// or what no element is above.
    const NO_LEAST: Self;
    /// As above, for the greatest one.
    const NO_GREATEST: Self;
    fn to_f64(self) -> f64;
    fn from_index(index: usize) -> Self;
    fn is_nan(self) -> bool;
}

/// An integer, or one of a mask: what is added up and multiplied exactly.
pub(super) trait Integer: Kernel {
    /// Whether the type is of 32 bits at most.
    const IS_SMALL: bool;
    /// The element in 64 bits. Only of small types nothing is lost.
    fn to_i64(self) -> i64;
    fn to_wide(self) -> i128;
    /// The element that a wide integer is, if there is one.
    fn from_wide(wide: i128) -> Option<Self>;
}

/// Arithmetic of numbers. On integers it is exact: what the type does not hold
/// fails the task, and so does dividing by zero.
pub(super) trait Arithmetic: Kernel {
    const ONE: Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn rem(self, other: Self) -> Self;
    /// The quotient, rounded down.
    fn floor_divide(self, other: Self) -> Self;
    fn powi(self, exponent: i32) -> Self;
}

/// What floating point numbers have beside it.
pub(super) trait FloatKernel: Arithmetic {
    fn logaddexp(self, other: Self) -> Self;
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
                let array = Self::unwrap(chunk)?.into_owned();
                Ok(match array.is_standard_layout() {
                    true => array,
                    false => array.as_standard_layout().into_owned(),
                })
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
            const NO_LEAST: Self = Self::NAN;
            const NO_GREATEST: Self = Self::NAN;
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
            fn floor_divide(self, other: Self) -> Self {
                // Of the rest, and not of the quotient: that may have been rounded up
                // to an integer.
                let rest = self % other;
                if other == 0.0 {
                    return self / other;
                }
                let is_below = rest != 0.0 && (rest < 0.0) != (other < 0.0);
                let quotient = (self - rest) / other - if is_below { 1.0 } else { 0.0 };
                match quotient == 0.0 {
                    true => Self::copysign(0.0, self / other),
                    false => quotient.round(),
                }
            }
            fn powi(self, exponent: i32) -> Self { self.powi(exponent) }
        }

        impl FloatKernel for $type {
            fn logaddexp(self, other: Self) -> Self {
                if self == other {
                    // Infinities of one sign, too: their difference is NaN.
                    return self + std::$type::consts::LN_2;
                }
                let difference = self - other;
                if difference > 0.0 {
                    self + (-difference).exp().ln_1p()
                } else if difference <= 0.0 {
                    other + difference.exp().ln_1p()
                } else {
                    difference
                }
            }
        }
    )*};
}
floats!(f64 f32);

macro_rules! integers {
    ($($type:ident $is_small:literal)*) => {$(
        impl Number for $type {}

        impl Kernel for $type {
            const SMALLEST: Self = Self::MIN;
            const LARGEST: Self = Self::MAX;
            const NO_LEAST: Self = Self::MAX;
            const NO_GREATEST: Self = Self::MIN;
            fn to_f64(self) -> f64 { self as f64 }
            fn from_index(index: usize) -> Self { index as Self }
            fn is_nan(self) -> bool { false }
        }

        impl Integer for $type {
            const IS_SMALL: bool = $is_small;
            fn to_i64(self) -> i64 { self as i64 }
            fn to_wide(self) -> i128 { self.into() }
            fn from_wide(wide: i128) -> Option<Self> { wide.try_into().ok() }
        }

        impl Arithmetic for $type {
            const ONE: Self = 1;
            fn add(self, other: Self) -> Self {
                self.checked_add(other).unwrap_or_else(|| overflow(self, "+", other))
            }
            fn sub(self, other: Self) -> Self {
                self.checked_sub(other).unwrap_or_else(|| overflow(self, "-", other))
            }
            fn mul(self, other: Self) -> Self {
                self.checked_mul(other).unwrap_or_else(|| overflow(self, "*", other))
            }
            fn div(self, other: Self) -> Self {
                if other == 0 { divided_by_zero() }
                self.checked_div(other).unwrap_or_else(|| overflow(self, "/", other))
            }
            fn rem(self, other: Self) -> Self {
                if other == 0 { divided_by_zero() }
                // The least number by -1: the quotient is too large, what remains is 0.
                self.wrapping_rem(other)
            }
            fn floor_divide(self, other: Self) -> Self {
                // It fails where the type does not hold the quotient.
                self.div(other);
                num_integer::Integer::div_floor(&self, &other)
            }
            fn powi(self, exponent: i32) -> Self {
                // No task has a negative one: `powi` has refused it.
                self.checked_pow(exponent as u32)
                    .unwrap_or_else(|| overflow(self, "to the power of", exponent))
            }
        }
    )*};
}
integers!(i64 false i32 true u64 false u32 true u8 true);

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

/// The end of a task whose result is beyond its type.
#[cold]
pub(super) fn overflow<T: Element>(a: T, sign: &str, b: impl fmt::Display) -> T {
    beyond(&format!("{a} {sign} {b}"), T::DTYPE).raise()
}

/// The error about a result that its type does not hold.
pub(super) fn beyond(what: &str, dtype: DType) -> Error {
    let wider = match dtype {
        DType::I64 | DType::U64 => "floats: cast with `.astype::<f64>()` before".to_owned(),
        _ => "a wider type: cast with `.astype::<i64>()` before".to_owned(),
    };
    Error::Overflow(format!(
        "{what} is beyond what {dtype} holds: compute with {wider}"
    ))
}

impl Kernel for bool {
    const SMALLEST: Self = false;
    const LARGEST: Self = true;
    const NO_LEAST: Self = true;
    const NO_GREATEST: Self = false;
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

impl Integer for bool {
    const IS_SMALL: bool = true;
    fn to_i64(self) -> i64 {
        self.into()
    }
    fn to_wide(self) -> i128 {
        self.into()
    }
    fn from_wide(wide: i128) -> Option<Self> {
        match wide {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}
