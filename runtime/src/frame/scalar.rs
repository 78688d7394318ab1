//! A single value of a frame, not computed yet.

use super::chunk;
use super::dataframe::DataFrame;
use super::groupby::aggregate;
use super::partitions::Partitions;
use crate::compute::Collection;
use crate::error::{Error, Result};
use crate::graph::{Layer, Value};
use polars::prelude::{AnyValue, DataType, Expr};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A single value of a frame, not computed yet: a series' mean, a frame's length.
///
/// Its type follows from the operation. A mean is an `f64`, a length a `usize`. A sum, a minimum
/// and a maximum have their column's type and are returned as a [`Datum`](super::Datum), which is
/// exact. [`cast`](Self::cast) requests a Rust type. Without a value (the mean of no numbers, the
/// maximum of no values), the result is NaN for floats, `null` for a `Datum`, `None` for an
/// `Option`, and an error for all other types.
///
/// ```
/// use swath::prelude::*;
///
/// let ages = DataFrame::from_polars(df!("age" => [24, 53, 23])?, 2).column("age");
/// assert_eq!(ages.max().compute()?, 53);
/// assert_eq!(ages.sum().compute()? / 3.0, ages.mean().compute()?);
/// assert_eq!(ages.max().cast::<u8>().compute()?, 53u8);
/// assert_eq!(ages.filter(lit(false)).max().cast::<Option<i64>>().compute()?, None);
/// # Ok::<(), swath::Error>(())
/// ```
pub struct FrameScalar<T> {
    plan: Result<Partitions>,
    label: Arc<str>,
    value: PhantomData<fn() -> T>,
}

/// A type to which a value of a frame can be converted.
pub trait ScalarValue: Sized {
    /// The name in error messages.
    const NAME: &'static str;

    /// Converts the value. Returns `None` if it has another kind.
    fn from_any(value: &AnyValue<'_>) -> Option<Self>;
}

macro_rules! numbers {
    ($($native:ty),*) => {$(
        impl ScalarValue for $native {
            const NAME: &'static str = stringify!($native);

            fn from_any(value: &AnyValue<'_>) -> Option<Self> {
                integer(value)?.try_into().ok()
            }
        }
    )*};
}
numbers!(i64, i32, i16, i8, u64, u32, u16, u8, usize);

impl ScalarValue for f64 {
    const NAME: &'static str = "f64";

    fn from_any(value: &AnyValue<'_>) -> Option<Self> {
        match value {
            AnyValue::Null => Some(Self::NAN),
            AnyValue::Boolean(_) => None,
            AnyValue::Float64(value) => Some(*value),
            AnyValue::Float32(value) => Some(Self::from(*value)),
            value => integer(value).map(|value| value as Self),
        }
    }
}

impl ScalarValue for f32 {
    const NAME: &'static str = "f32";

    fn from_any(value: &AnyValue<'_>) -> Option<Self> {
        f64::from_any(value).map(|value| value as Self)
    }
}

impl ScalarValue for bool {
    const NAME: &'static str = "bool";

    fn from_any(value: &AnyValue<'_>) -> Option<Self> {
        match value {
            AnyValue::Boolean(value) => Some(*value),
            _ => None,
        }
    }
}

impl ScalarValue for String {
    const NAME: &'static str = "String";

    fn from_any(value: &AnyValue<'_>) -> Option<Self> {
        value.get_str().map(ToOwned::to_owned)
    }
}

impl<T: ScalarValue> ScalarValue for Option<T> {
    const NAME: &'static str = T::NAME;

    fn from_any(value: &AnyValue<'_>) -> Option<Self> {
        match value {
            AnyValue::Null => Some(None),
            value => T::from_any(value).map(Some),
        }
    }
}

pub(super) fn integer(value: &AnyValue<'_>) -> Option<i128> {
    Some(match *value {
        AnyValue::Int8(value) => value.into(),
        AnyValue::Int16(value) => value.into(),
        AnyValue::Int32(value) => value.into(),
        AnyValue::Int64(value) => value.into(),
        AnyValue::Int128(value) => value,
        AnyValue::UInt8(value) => value.into(),
        AnyValue::UInt16(value) => value.into(),
        AnyValue::UInt32(value) => value.into(),
        AnyValue::UInt64(value) => value.into(),
        _ => return None,
    })
}

/// Returns the error about a value that cannot be converted to the requested type.
pub(super) fn wrong_kind(subject: &str, value: &AnyValue<'_>, name: &str) -> Error {
    Error::Type {
        subject: subject.to_owned(),
        found: match value {
            AnyValue::Null => "null: there is no value".to_owned(),
            value => format!("{value} of type {}", value.dtype()),
        },
        expected: name.to_owned(),
    }
}

impl<T> Clone for FrameScalar<T> {
    fn clone(&self) -> Self {
        Self {
            plan: self.plan.clone(),
            label: self.label.clone(),
            value: PhantomData,
        }
    }
}

impl<T: ScalarValue> FrameScalar<T> {
    pub(super) fn of(frame: &DataFrame, operation: &str, subject: &str, expression: Expr) -> Self {
        let plan = frame
            .plan()
            .and_then(|plan| aggregate(plan, &[], &[expression], operation));
        Self {
            plan,
            label: format!("{operation} of {subject}").into(),
            value: PhantomData,
        }
    }

    /// Wraps a plan that computes one value.
    pub(super) fn of_plan(plan: Partitions, label: &str) -> Self {
        Self {
            plan: Ok(plan),
            label: label.into(),
            value: PhantomData,
        }
    }

    /// Returns the same value as another type: `ages.max().cast::<i64>()`,
    /// `names.min().cast::<String>()`.
    #[doc(alias = "astype")]
    pub fn cast<U: ScalarValue>(&self) -> FrameScalar<U> {
        FrameScalar {
            plan: self.plan.clone(),
            label: self.label.clone(),
            value: PhantomData,
        }
    }
}

impl<T> FrameScalar<T> {
    pub(super) fn plan(&self) -> Result<&Partitions> {
        self.plan.as_ref().map_err(Clone::clone)
    }

    /// Returns a description of the value: `mean of rating`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the value's type in Polars.
    ///
    /// # Errors
    /// Returns the error that was found when the frame was described.
    pub fn dtype(&self) -> Result<DataType> {
        let plan = self.plan.as_ref().map_err(Clone::clone)?;
        Ok(plan
            .schema
            .get_at_index(0)
            .map_or(DataType::Null, |(_, dtype)| dtype.clone()))
    }
}

impl<T: ScalarValue> Collection for FrameScalar<T> {
    type Output = T;

    fn layer(&self) -> Result<Arc<Layer>> {
        let plan = self.plan.as_ref().map_err(Clone::clone)?;
        Ok(plan.layer.clone())
    }

    fn with_layer(&self, layer: Arc<Layer>) -> Self {
        let plan = self.plan.clone().map(|plan| Partitions { layer, ..plan });
        Self {
            plan,
            label: self.label.clone(),
            value: PhantomData,
        }
    }

    fn assemble(&self, chunks: Vec<Value>) -> Result<T> {
        let value = single(chunks)?;
        T::from_any(&value)
            .ok_or_else(|| wrong_kind(&format!("the {}", self.label), &value, T::NAME))
    }
}

fn single(chunks: Vec<Value>) -> Result<AnyValue<'static>> {
    let frame = chunk::concat(chunks)?;
    let column = frame.columns().first();
    let value = column.and_then(|column| column.get(0).ok());
    Ok(value.unwrap_or(AnyValue::Null).into_static())
}

impl<T> fmt::Display for FrameScalar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.dtype() {
            Ok(dtype) => write!(f, "Scalar({}, dtype {dtype}), not computed yet", self.label),
            Err(error) => write!(f, "Scalar({}) that cannot be computed: {error}", self.label),
        }
    }
}

impl<T> fmt::Debug for FrameScalar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
