//! The element types of arrays, and the table that assigns to each its name, its
//! chunk and its arithmetic.

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

    /// Returns the Rust type's name: `f64`.
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

    /// Returns the greatest integer of the type, if it is an integer type.
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

    /// Returns the size of an element, in bytes.
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

    /// The type of a sum of such elements, as in NumPy: a wide integer for integers
    /// (`i64` for signed ones and masks, `u64` for unsigned ones), and the type itself
    /// for floating point. A sum that does not fit in a wide integer fails the task.
    type Sum: Element;

    /// Converts an array into a chunk.
    fn wrap(array: ArcArray<Self, IxDyn>) -> Chunk;

    /// Converts a chunk into an array of this type.
    ///
    /// # Errors
    /// Returns [`Error::Type`] for a chunk of another type.
    fn unwrap(chunk: Chunk) -> Result<ArcArray<Self, IxDyn>>;

    /// Converts a chunk into an array in memory, row-major. If it is row-major already and
    /// not shared, it is not copied.
    ///
    /// # Errors
    /// Returns [`Error::Type`] for a chunk of another type.
    fn owned(chunk: Chunk) -> Result<ArrayD<Self>>;

    /// Converts the element into an argument of an operation.
    fn literal(self) -> Literal;

    /// Returns the element in a literal.
    ///
    /// # Errors
    /// Returns [`Error::Type`] for a literal of another type.
    fn from_literal(literal: Literal) -> Result<Self>;
}

/// An element type with addition and multiplication: all but `bool`.
pub trait Number: Element {}

/// A number with a sign: `f64`, `f32`, `i64`, `i32`.
pub trait Signed: Number {}

/// A floating point number: `f64`, `f32`.
pub trait Float: Signed {}

/// The requirements of the kernels on an element type.
pub(super) trait Kernel: Element + Plain {
    const SMALLEST: Self;
    const LARGEST: Self;
    /// The initial value of the search for the smallest element that is not NaN: NaN, or
    /// the largest element.
    const NO_LEAST: Self;
    /// The same for the greatest element.
    const NO_GREATEST: Self;
    fn to_f64(self) -> f64;
    fn from_index(index: usize) -> Self;
    fn is_nan(self) -> bool;
}

/// An integer, or an element of a mask, whose sums and products are exact.
pub(super) trait Integer: Kernel {
    /// Whether the type has at most 32 bits.
    const IS_SMALL: bool;
    /// Converts the element to 64 bits, without loss for small types only.
    fn to_i64(self) -> i64;
    fn to_wide(self) -> i128;
    /// Returns the element that is equal to a wide integer, if there is one.
    fn from_wide(wide: i128) -> Option<Self>;
}

/// The arithmetic of numbers. On integers it is exact: results that the type does not
/// hold, and divisions by zero, fail the task.
pub(super) trait Arithmetic: Kernel {
    const ONE: Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn rem(self, other: Self) -> Self;
    /// Returns the quotient, rounded down.
    fn floor_divide(self, other: Self) -> Self;
    fn powi(self, exponent: i32) -> Self;
}

/// The additional operations on floating point numbers.
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

            // Not a default method, so that it is compiled once, here, and not in each cell.
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
        /// Returns the element's type.
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
                // Based on the remainder, not on the quotient, which may have been rounded
                // up to an integer.
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
                    // This includes infinities of one sign, whose difference is NaN.
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
                // For the least number and -1 the quotient is too large, but the remainder is 0.
                self.wrapping_rem(other)
            }
            fn floor_divide(self, other: Self) -> Self {
                // Fails if the type does not hold the quotient.
                self.div(other);
                num_integer::Integer::div_floor(&self, &other)
            }
            fn powi(self, exponent: i32) -> Self {
                // The exponent is not negative: the method `powi` has rejected that.
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

/// Fails the task, because the type does not hold the result.
#[cold]
pub(super) fn overflow<T: Element>(a: T, sign: &str, b: impl fmt::Display) -> T {
    beyond(&format!("{a} {sign} {b}"), T::DTYPE).raise()
}

/// Returns the error about a result that its type does not hold.
pub(super) fn beyond(what: &str, dtype: DType) -> Error {
    let wider = match dtype {
        DType::I64 | DType::U64 => "floats first with `.astype::<f64>()`".to_owned(),
        _ => "a wider type first with `.astype::<i64>()`".to_owned(),
    };
    Error::Overflow(format!(
        "{what} is beyond what {dtype} holds: cast to {wider}"
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
