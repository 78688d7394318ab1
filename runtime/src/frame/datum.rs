//! One value of a frame, of any column type.

use super::scalar::{ScalarValue, wrong_kind};
use crate::error::{Error, Result};
use polars::prelude::{AnyValue, DataType};
use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

/// One value of a frame, with the type of its column: a number, a text, a date, or null.
///
/// The type of a column is known when a cell runs, not when it is compiled. A float in its place
/// would round integers beyond 2⁵³. So sums, minima and maxima are returned as a `Datum`, which
/// keeps the value that Polars found, and displays it like a value of that type: `3`, `3.0`, `"a"`.
///
/// A `Datum` supports arithmetic. With a float the result is a float, as between numbers in Python.
/// With an integer or another datum the result is a datum. It is exact between integers (a result
/// beyond `i128` panics), except for `/`, which returns floats as in pandas and Polars. Null
/// results in null, or NaN. Comparisons with numbers, texts and booleans are exact.
///
/// To get a Rust type of your choice, use [`to`](Self::to), or
/// [`FrameScalar::cast`](super::FrameScalar::cast) before computing.
///
/// ```
/// use swath::prelude::*;
///
/// let ids = DataFrame::from_polars(df!("id" => [2i64, 9_007_199_254_740_995])?, 2).column("id");
/// let last = ids.max().compute()?;
/// assert_eq!(last.to_string(), "9007199254740995");
/// assert_eq!(last.to::<i64>()? + 1, 9_007_199_254_740_996);
/// assert!(last > 2 && ids.min().compute()? + 0.5 == 2.5);
/// assert_eq!(ids.max().cast::<u64>().compute()?, 9_007_199_254_740_995);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Datum(AnyValue<'static>);

impl Datum {
    /// Converts the value: `total.to::<f64>()?`, or `total.to::<Option<i64>>()?` if it may be null.
    ///
    /// Every number converts to a float, the nearest one; null converts to NaN. Only an integer
    /// that fits converts to an integer type.
    ///
    /// # Errors
    /// Returns [`Error::Type`] for a value of another kind.
    pub fn to<T: ScalarValue>(&self) -> Result<T> {
        T::from_any(&self.0).ok_or_else(|| wrong_kind("the value", &self.0, T::NAME))
    }

    /// Returns the value as Polars' type.
    pub fn any_value(&self) -> &AnyValue<'static> {
        &self.0
    }

    /// Returns the value's type in Polars.
    pub fn dtype(&self) -> DataType {
        self.0.dtype()
    }

    /// Returns whether the value is null.
    pub fn is_null(&self) -> bool {
        matches!(self.0, AnyValue::Null)
    }

    /// Returns the number, for arithmetic. Panics if the value is not a number.
    #[track_caller]
    fn number(&self) -> Number {
        match Number::of(&self.0) {
            Some(number) => number,
            None => wrong_kind("the value", &self.0, "a number").raise(),
        }
    }
}

impl ScalarValue for Datum {
    const NAME: &'static str = "any value";

    fn from_any(value: &AnyValue<'_>) -> Option<Self> {
        Some(Self(value.clone().into_static()))
    }
}

/// The kinds of numbers that a datum may hold.
#[derive(Clone, Copy)]
enum Number {
    Nothing,
    Int(i128),
    Float(f64),
}

impl Number {
    fn of(value: &AnyValue<'_>) -> Option<Self> {
        Some(match *value {
            AnyValue::Null => Self::Nothing,
            AnyValue::Float64(value) => Self::Float(value),
            AnyValue::Float32(value) => Self::Float(value.into()),
            ref value => Self::Int(super::scalar::integer(value)?),
        })
    }

    fn float(self) -> f64 {
        match self {
            Self::Nothing => f64::NAN,
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    fn datum(self) -> Datum {
        Datum(match self {
            Self::Nothing => AnyValue::Null,
            Self::Float(value) => AnyValue::Float64(value),
            Self::Int(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => AnyValue::Int64(value),
                (_, Ok(value)) => AnyValue::UInt64(value),
                _ => AnyValue::Int128(value),
            },
        })
    }
}

/// Compares an integer and a float exactly.
fn int_to_float(int: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // Saturates outside the range of all integer columns.
    let whole = float.floor() as i128;
    Some(int.cmp(&whole).then(if float > float.floor() {
        Ordering::Less
    } else {
        Ordering::Equal
    }))
}

fn compare(a: Number, b: Number) -> Option<Ordering> {
    match (a, b) {
        (Number::Nothing, _) | (_, Number::Nothing) => None,
        (Number::Int(a), Number::Int(b)) => Some(a.cmp(&b)),
        (Number::Float(a), Number::Float(b)) => a.partial_cmp(&b),
        (Number::Int(a), Number::Float(b)) => int_to_float(a, b),
        (Number::Float(a), Number::Int(b)) => int_to_float(b, a).map(Ordering::reverse),
    }
}

/// Compares two values, as [`Number`]s if both are numbers.
fn compare_values(a: &AnyValue<'_>, b: &AnyValue<'_>) -> Option<Ordering> {
    match (Number::of(a), Number::of(b)) {
        (Some(a), Some(b)) => compare(a, b),
        // Polars compares values of the same type, and panics for others.
        _ if a.dtype() == b.dtype() => a.partial_cmp(b),
        _ => None,
    }
}

impl PartialEq for Datum {
    fn eq(&self, other: &Self) -> bool {
        (self.is_null() && other.is_null())
            || compare_values(&self.0, &other.0) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Datum {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        compare_values(&self.0, &other.0)
    }
}

macro_rules! comparisons {
    ($($native:ty: $value:ident => $any:expr;)*) => {$(
        impl PartialEq<$native> for Datum {
            fn eq(&self, $value: &$native) -> bool {
                compare_values(&self.0, &$any) == Some(Ordering::Equal)
            }
        }

        impl PartialEq<Datum> for $native {
            fn eq(&self, datum: &Datum) -> bool {
                datum == self
            }
        }

        impl PartialOrd<$native> for Datum {
            fn partial_cmp(&self, $value: &$native) -> Option<Ordering> {
                compare_values(&self.0, &$any)
            }
        }

        impl PartialOrd<Datum> for $native {
            fn partial_cmp(&self, datum: &Datum) -> Option<Ordering> {
                datum.partial_cmp(self).map(Ordering::reverse)
            }
        }
    )*};
}
comparisons! {
    f64: value => AnyValue::Float64(*value);
    i64: value => AnyValue::Int64(*value);
    i32: value => AnyValue::Int32(*value);
    u64: value => AnyValue::UInt64(*value);
    u32: value => AnyValue::UInt32(*value);
    usize: value => AnyValue::UInt64(*value as u64);
    bool: value => AnyValue::Boolean(*value);
    str: value => AnyValue::String(value);
    &str: value => AnyValue::String(value);
    String: value => AnyValue::String(value);
}

macro_rules! conversions {
    ($($native:ty)*) => {$(
        impl TryFrom<Datum> for $native {
            type Error = Error;

            fn try_from(datum: Datum) -> Result<Self> {
                datum.to()
            }
        }
    )*};
}
conversions!(f64 f32 i64 i32 i16 i8 u64 u32 u16 u8 usize bool String);

/// Arithmetic between integers.
type Exact = fn(i128, i128) -> Option<i128>;

/// Applies an operator to two numbers. `exact` is for integers, if their result is not a float.
#[track_caller]
fn operate(
    (a, b): (Number, Number),
    sign: &str,
    exact: Option<Exact>,
    floats: fn(f64, f64) -> f64,
) -> Datum {
    match (a, b, exact) {
        (Number::Nothing, ..) | (_, Number::Nothing, _) => Number::Nothing.datum(),
        (Number::Int(a), Number::Int(b), Some(exact)) => match exact(a, b) {
            Some(result) => Number::Int(result).datum(),
            None => Error::Overflow(format!(
                "{a} {sign} {b} is not a 128-bit integer: use other numbers, or floats"
            ))
            .raise(),
        },
        (a, b, _) => Number::Float(floats(a.float(), b.float())).datum(),
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $sign:literal $exact:expr;)*) => {$(
        operators!(@data $trait $method $sign $exact, Datum, Datum);
        operators!(@data $trait $method $sign $exact, Datum, &Datum);
        operators!(@data $trait $method $sign $exact, &Datum, Datum);
        operators!(@data $trait $method $sign $exact, &Datum, &Datum);
        // Only one integer type and one float type, so that the type of a number without a suffix
        // is unambiguous.
        operators!(@native $trait $method $sign $exact, Datum);
        operators!(@native $trait $method $sign $exact, &Datum);
    )*};
    (@data $trait:ident $method:ident $sign:literal $exact:expr, $left:ty, $right:ty) => {
        impl $trait<$right> for $left {
            type Output = Datum;

            #[track_caller]
            fn $method(self, other: $right) -> Datum {
                operate((self.number(), other.number()), $sign, $exact, f64::$method)
            }
        }
    };
    (@native $trait:ident $method:ident $sign:literal $exact:expr, $datum:ty) => {
        impl $trait<i64> for $datum {
            type Output = Datum;

            #[track_caller]
            fn $method(self, other: i64) -> Datum {
                let other = Number::Int(other.into());
                operate((self.number(), other), $sign, $exact, f64::$method)
            }
        }

        impl $trait<$datum> for i64 {
            type Output = Datum;

            #[track_caller]
            fn $method(self, datum: $datum) -> Datum {
                let number = Number::Int(self.into());
                operate((number, datum.number()), $sign, $exact, f64::$method)
            }
        }

        impl $trait<f64> for $datum {
            type Output = f64;

            #[track_caller]
            fn $method(self, other: f64) -> f64 {
                self.number().float().$method(other)
            }
        }

        impl $trait<$datum> for f64 {
            type Output = f64;

            #[track_caller]
            fn $method(self, datum: $datum) -> f64 {
                self.$method(datum.number().float())
            }
        }
    };
}
operators! {
    Add add "+" Some(i128::checked_add);
    Sub sub "-" Some(i128::checked_sub);
    Mul mul "*" Some(i128::checked_mul);
    Div div "/" None;
    Rem rem "%" Some(i128::checked_rem);
}

impl Neg for Datum {
    type Output = Self;

    #[track_caller]
    fn neg(self) -> Self {
        0 - self
    }
}

impl fmt::Display for Datum {
    /// Formats a number as Rust does, and a text without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            AnyValue::String(text) => f.pad(text),
            AnyValue::StringOwned(text) => f.pad(text),
            _ => fmt::Debug::fmt(self, f),
        }
    }
}

impl fmt::Debug for Datum {
    /// Formats like values of the Rust type: `3`, `3.0`, `"a"`, `true`; and `null`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            AnyValue::Null => f.pad("null"),
            AnyValue::Float64(value) => fmt::Debug::fmt(value, f),
            AnyValue::Float32(value) => fmt::Debug::fmt(value, f),
            AnyValue::Boolean(value) => fmt::Debug::fmt(value, f),
            AnyValue::String(text) => fmt::Debug::fmt(text, f),
            AnyValue::StringOwned(text) => fmt::Debug::fmt(text.as_str(), f),
            value => match super::scalar::integer(value) {
                Some(value) => fmt::Debug::fmt(&value, f),
                None => f.pad(&value.to_string()),
            },
        }
    }
}
