//! Functions that Polars lacks: arithmetic that detects overflows of its type, and comparisons that
//! do not convert integers to floats.
//!
//! Each is a function of columns, row by row. It is data, as Polars' own functions are, so that
//! operations with it have an identity and can be encoded. For Polars, an encoded function is
//! bytes, which [`read_one`] and [`read_all`] turn into functions again.

use super::MARK;
use polars::error::{PolarsError, PolarsResult, polars_bail};
use polars::prelude::{
    AnyValue, BooleanChunked, ChunkFillNullValue, ChunkedArray, Column, DataType, Expr, Field,
    Int128Chunked, IntoColumn, IntoSeries, LiteralValue, NewChunkedArray, Operator, PlSmallStr,
    PolarsIntegerType, PolarsNumericType, Scalar, Schema, Series,
};
use polars_core::chunked_array::cast::CastOptions;
use polars_core::chunked_array::ops::arity::broadcast_binary_elementwise_values as each_pair;
use polars_plan::dsl::{AnonymousColumnsUdf, ColumnsUdf, LazySerde, OpaqueColumnUdf, SpecialEq};
use polars_plan::prelude::FunctionOptions;
use serde::{Deserialize, Deserializer, Serialize};
use std::cmp::Ordering;
use std::sync::Arc;

/// A function of columns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Exact {
    pub(super) what: What,
    /// The type of the result.
    pub(super) of: DataType,
    /// For errors. For arithmetic, the expression as it was written; otherwise the whole text.
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum What {
    /// `+`, `-` or `*` of two integers. A result that the type does not hold is an error.
    Arithmetic(Operator),
    /// A comparison of an integer with a float, or of `u64` with `i64`.
    Comparison(Operator),
    /// The first input, or an error where the second one is false.
    Proven,
}

/// The prefix of the bytes that encode such a function.
const TAG: &[u8] = b"swath/exact:";

impl Exact {
    /// Calls the function with these inputs. For arithmetic and proofs, further inputs are
    /// conditions: rows where one of them is not true cause no error.
    pub(super) fn call(self, input: Vec<Expr>) -> Expr {
        let name = match self.what {
            What::Arithmetic(operator) | What::Comparison(operator) => format!("exact{operator}"),
            What::Proven => "proven".to_owned(),
        };
        let function: Arc<dyn AnonymousColumnsUdf> = Arc::new(self);
        Expr::AnonymousFunction {
            input,
            function: LazySerde::Deserialized(SpecialEq::new(function)),
            options: FunctionOptions::elementwise(),
            fmt_str: Box::new(name.into()),
        }
    }

    /// Returns the function, if it is one of these.
    pub(in super::super) fn find(function: &OpaqueColumnUdf) -> Option<Self> {
        let mut bytes = Vec::new();
        match function {
            LazySerde::Deserialized(function) => function.try_serialize(&mut bytes).ok()?,
            LazySerde::Bytes(found) => bytes.extend_from_slice(found),
            LazySerde::Named { .. } => return None,
        }
        postcard::from_bytes(bytes.strip_prefix(TAG)?).ok()
    }

    fn compute(&self, columns: &[Column]) -> PolarsResult<Series> {
        let [left, right, conditions @ ..] = columns else {
            polars_bail!(ComputeError: "expected two columns, found {}", columns.len());
        };
        let height = columns.iter().map(Column::len).find(|height| *height != 1);
        let height = height.unwrap_or(1);
        let (a, b) = (values(left), values(right));
        let result = match self.what {
            What::Arithmetic(operator) => match self.fast(operator, &a, &b)? {
                Some(result) => result,
                None => self.in_128_bits(operator, &a, &b, conditions, height)?,
            },
            What::Comparison(operator) => compared(operator, &a, &b)?.into_series(),
            What::Proven => {
                let right = b.bool()?;
                if !right.all() {
                    let needed = needed(conditions, height)?;
                    let right = extended(&b, height);
                    let mut rows = right.bool()?.iter().zip(needed);
                    if rows.any(|(right, needed)| needed && right == Some(false)) {
                        return Err(overflow(&self.text));
                    }
                }
                a
            }
        };
        Ok(extended(&result, height))
    }

    /// Computes in the type itself. Returns `None` if a result seems to overflow (perhaps only in a
    /// null), or if an input does.
    fn fast(&self, operator: Operator, a: &Series, b: &Series) -> PolarsResult<Option<Series>> {
        let (Ok(a), Ok(b)) = (a.strict_cast(&self.of), b.strict_cast(&self.of)) else {
            return Ok(None);
        };
        if self.of == DataType::Float64 {
            let result = match operator {
                Operator::Plus => &a + &b,
                Operator::Minus => &a - &b,
                _ => &a * &b,
            }?;
            // No rounding below 2⁵³.
            let small = |side: &Series| {
                let [least, greatest] = [side.min::<f64>()?, side.max::<f64>()?];
                let limit = 2f64.powi(53);
                PolarsResult::Ok(
                    least.is_none_or(|v| v > -limit) && greatest.is_none_or(|v| v < limit),
                )
            };
            let exact = small(&a)? && small(&b)? && small(&result)?;
            return Ok(exact.then_some(result));
        }
        macro_rules! of_type {
            ($($dtype:ident $get:ident),*) => {
                match self.of {
                    $(DataType::$dtype => wrapped(operator, a.$get()?, b.$get()?),)*
                    _ => None,
                }
            };
        }
        Ok(of_type!(
            Int8 i8, Int16 i16, Int32 i32, Int64 i64, UInt8 u8, UInt16 u16, UInt32 u32, UInt64 u64
        ))
    }

    /// Computes the same for all 64-bit integers, slowly.
    fn in_128_bits(
        &self,
        operator: Operator,
        a: &Series,
        b: &Series,
        conditions: &[Column],
        height: usize,
    ) -> PolarsResult<Series> {
        let name = a.name().clone();
        let wide = |side: &Series| extended(side, height).strict_cast(&DataType::Int128);
        let (a, b) = (wide(a)?, wide(b)?);
        let rows = a.i128()?.iter().zip(b.i128()?.iter());
        let values = rows.zip(needed(conditions, height)?).map(|(row, needed)| {
            let (Some(a), Some(b)) = row else {
                return Ok(None);
            };
            let value = match operator {
                Operator::Plus => a.checked_add(b),
                Operator::Minus => a.checked_sub(b),
                _ => a.checked_mul(b),
            };
            match value {
                Some(value) if holds(&self.of, value) => Ok(Some(value)),
                _ if needed => Err(self.beyond(operator, a, b, value)),
                _ => Ok(None),
            }
        });
        let values = values.collect::<PolarsResult<Vec<Option<i128>>>>()?;
        Int128Chunked::from_iter_options(name, values.into_iter())
            .into_series()
            .strict_cast(&self.of)
    }

    fn beyond(&self, operator: Operator, a: i128, b: i128, value: Option<i128>) -> PolarsError {
        let all_in = |of: &DataType| {
            value.is_some_and(|value| [a, b, value].into_iter().all(|number| holds(of, number)))
        };
        let wider = match value {
            // A cast of `u64` would turn values beyond the type into null, in any row.
            _ if self.of != DataType::UInt64 && all_in(&DataType::Int64) => "Int64",
            Some(_) => "Int128",
            None => "Float64",
        };
        let (text, of) = (&self.text, &self.of);
        overflow(&if of.is_float() {
            format!(
                "{text} is {}, which {of} cannot represent exactly, and Polars converts u64 and signed integers to floats: cast first, .cast(DataType::{wider})",
                value.unwrap_or(a)
            )
        } else {
            format!(
                "{text} is beyond what {of} holds, {a} {operator} {b}: cast first, .cast(DataType::{wider})"
            )
        })
    }
}

/// Returns the error about an overflow, which [`super::overflow`] recognises.
fn overflow(text: &str) -> PolarsError {
    PolarsError::ComputeError(format!("{MARK}{text}{MARK}").into())
}

impl ColumnsUdf for Exact {
    fn call_udf(&self, columns: &mut [Column]) -> PolarsResult<Column> {
        Ok(self.compute(columns)?.into_column())
    }
}

impl AnonymousColumnsUdf for Exact {
    fn as_column_udf(self: Arc<Self>) -> Arc<dyn ColumnsUdf> {
        self
    }

    fn deep_clone(self: Arc<Self>) -> Arc<dyn AnonymousColumnsUdf> {
        self
    }

    fn try_serialize(&self, to: &mut Vec<u8>) -> PolarsResult<()> {
        to.extend_from_slice(TAG);
        let bytes = postcard::to_stdvec(self);
        to.extend(bytes.map_err(|error| PolarsError::ComputeError(error.to_string().into()))?);
        Ok(())
    }

    fn get_field(&self, _: &Schema, fields: &[Field]) -> PolarsResult<Field> {
        let name = fields
            .first()
            .map_or(PlSmallStr::EMPTY, |f| f.name().clone());
        Ok(Field::new(name, self.of.clone()))
    }
}

/// Decodes an expression.
pub(in super::super) fn read_one<'de, D: Deserializer<'de>>(from: D) -> Result<Expr, D::Error> {
    Expr::deserialize(from).map(restored)
}

/// Decodes several expressions.
pub(in super::super) fn read_all<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<Expr>, D::Error> {
    let expressions = Vec::deserialize(from)?;
    Ok(expressions.into_iter().map(restored).collect())
}

fn restored(expression: Expr) -> Expr {
    expression.map_expr(|part| match part {
        Expr::AnonymousFunction {
            input,
            function,
            options,
            fmt_str,
        } => match (&function, Exact::find(&function)) {
            (LazySerde::Bytes(_), Some(exact)) => exact.call(input),
            _ => Expr::AnonymousFunction {
                input,
                function,
                options,
                fmt_str,
            },
        },
        part => part,
    })
}

/// Returns the values of a column; a single one if all are the same.
fn values(column: &Column) -> Series {
    match column {
        Column::Scalar(scalar) if !scalar.is_empty() => scalar.as_single_value_series(),
        column => column.as_materialized_series().clone(),
    }
}

fn extended(series: &Series, height: usize) -> Series {
    if series.len() == 1 && height != 1 {
        series.new_from_index(0, height)
    } else {
        series.clone()
    }
}

/// Returns which rows satisfy all conditions.
fn needed(conditions: &[Column], height: usize) -> PolarsResult<Vec<bool>> {
    let mut needed = vec![true; height];
    for condition in conditions {
        let condition = extended(&values(condition), height);
        for (needed, holds) in needed.iter_mut().zip(condition.bool()?.iter()) {
            *needed &= holds == Some(true);
        }
    }
    Ok(needed)
}

/// Returns whether a type holds an integer; for a float type, whether it holds it exactly.
fn holds(of: &DataType, value: i128) -> bool {
    match of {
        DataType::Int8 => i8::try_from(value).is_ok(),
        DataType::Int16 => i16::try_from(value).is_ok(),
        DataType::Int32 => i32::try_from(value).is_ok(),
        DataType::Int64 => i64::try_from(value).is_ok(),
        DataType::UInt8 => u8::try_from(value).is_ok(),
        DataType::UInt16 => u16::try_from(value).is_ok(),
        DataType::UInt32 => u32::try_from(value).is_ok(),
        DataType::UInt64 => u64::try_from(value).is_ok(),
        DataType::Float32 => value as f32 as i128 == value,
        DataType::Float64 => value as f64 as i128 == value,
        _ => true,
    }
}

/// Wrapping arithmetic that reports whether it has wrapped around.
trait Wrapping: Copy {
    fn plus(self, other: Self) -> (Self, bool);
    fn minus(self, other: Self) -> (Self, bool);
    fn times(self, other: Self) -> (Self, bool);
}

// Sums detect the overflow by the signs, so that the compiler vectorises them. It does not
// vectorise `overflowing_add`.
macro_rules! wrapping {
    ($($signed:ident $unsigned:ident),*) => {$(
        impl Wrapping for $signed {
            fn plus(self, other: Self) -> (Self, bool) {
                let sum = self.wrapping_add(other);
                (sum, (self ^ sum) & (other ^ sum) < 0)
            }

            fn minus(self, other: Self) -> (Self, bool) {
                let rest = self.wrapping_sub(other);
                (rest, (self ^ other) & (self ^ rest) < 0)
            }

            fn times(self, other: Self) -> (Self, bool) {
                self.overflowing_mul(other)
            }
        }

        impl Wrapping for $unsigned {
            fn plus(self, other: Self) -> (Self, bool) {
                let sum = self.wrapping_add(other);
                (sum, sum < self)
            }

            fn minus(self, other: Self) -> (Self, bool) {
                (self.wrapping_sub(other), self < other)
            }

            fn times(self, other: Self) -> (Self, bool) {
                self.overflowing_mul(other)
            }
        }
    )*};
}
wrapping!(i8 u8, i16 u16, i32 u32, i64 u64);

fn wrapped<T>(operator: Operator, a: &ChunkedArray<T>, b: &ChunkedArray<T>) -> Option<Series>
where
    T: PolarsIntegerType,
    T::Native: Wrapping,
    ChunkedArray<T>: IntoSeries,
{
    let mut beyond = false;
    let mut note = |(value, wrapped): (T::Native, bool)| {
        beyond |= wrapped;
        value
    };
    let result: ChunkedArray<T> = match operator {
        Operator::Plus => each_pair(a, b, |a: T::Native, b: T::Native| note(a.plus(b))),
        Operator::Minus => each_pair(a, b, |a: T::Native, b: T::Native| note(a.minus(b))),
        _ => each_pair(a, b, |a: T::Native, b: T::Native| note(a.times(b))),
    };
    (!beyond).then(|| result.into_series())
}

/// Compares an integer and a float exactly. NaN is greater than everything, as in Polars.
fn int_to_float<N>(int: N, float: f64) -> Ordering
where
    N: Ord + num_traits::Bounded + num_traits::AsPrimitive<f64>,
    f64: num_traits::AsPrimitive<N>,
{
    use num_traits::AsPrimitive;
    if float.is_nan() {
        return Ordering::Less;
    }
    let whole = float.floor();
    // A float beyond the type saturates to its end.
    int.cmp(&whole.as_()).then_with(|| {
        let end: f64 = N::max_value().as_();
        let start: f64 = N::min_value().as_();
        if whole < start {
            Ordering::Greater
        } else if float > whole || whole >= end {
            Ordering::Less
        } else {
            Ordering::Equal
        }
    })
}

fn compared(operator: Operator, a: &Series, b: &Series) -> PolarsResult<BooleanChunked> {
    let order = |dtype: &DataType| match dtype {
        dtype if dtype.is_float() => 2,
        dtype if dtype.is_unsigned_integer() => 1,
        _ => 0,
    };
    if order(a.dtype()) > order(b.dtype()) {
        return compared(super::comparison::mirrored(operator), b, a);
    }
    let wide = |side: &Series| match order(side.dtype()) {
        2 => side.strict_cast(&DataType::Float64),
        1 => side.strict_cast(&DataType::UInt64),
        _ => side.strict_cast(&DataType::Int64),
    };
    let (a, b) = (wide(a)?, wide(b)?);
    let result = match (a.dtype(), b.dtype()) {
        (DataType::Int64, DataType::Float64) => {
            each_order(operator, a.i64()?, b.f64()?, int_to_float)
        }
        (DataType::UInt64, DataType::Float64) => {
            each_order(operator, a.u64()?, b.f64()?, int_to_float)
        }
        (DataType::Int64, DataType::UInt64) => each_order(operator, a.i64()?, b.u64()?, |a, b| {
            i128::from(a).cmp(&i128::from(b))
        }),
        (a, b) => polars_bail!(ComputeError: "cannot compare {a} with {b} exactly"),
    };
    // For these two operators, null is a value.
    let nulls = || a.is_null() & b.is_null();
    Ok(match operator {
        Operator::EqValidity => result.fill_null_with_values(false)? | nulls(),
        Operator::NotEqValidity => {
            let one = a.is_null() ^ b.is_null();
            result.fill_null_with_values(false)? | one
        }
        _ => result,
    })
}

fn each_order<A: PolarsNumericType, B: PolarsNumericType>(
    operator: Operator,
    a: &ChunkedArray<A>,
    b: &ChunkedArray<B>,
    order: impl Fn(A::Native, B::Native) -> Ordering,
) -> BooleanChunked {
    macro_rules! rows {
        ($is:ident) => {
            each_pair(a, b, |a: A::Native, b: B::Native| order(a, b).$is())
        };
    }
    match operator {
        Operator::Gt => rows!(is_gt),
        Operator::GtEq => rows!(is_ge),
        Operator::Lt => rows!(is_lt),
        Operator::LtEq => rows!(is_le),
        Operator::NotEq | Operator::NotEqValidity => rows!(is_ne),
        _ => rows!(is_eq),
    }
}

/// Returns a literal integer of a type, or of a type that holds it, so that Polars need not choose
/// one.
pub(super) fn typed(number: i128, of: &DataType) -> Expr {
    let wide = Scalar::new(DataType::Int128, AnyValue::Int128(number));
    let to = [of, &DataType::Int64, &DataType::UInt64]
        .into_iter()
        .find(|to| to.is_integer() && holds(to, number));
    let cast = to.and_then(|to| wide.clone().cast_with_options(to, CastOptions::Strict).ok());
    Expr::Literal(LiteralValue::Scalar(cast.unwrap_or(wide)))
}
