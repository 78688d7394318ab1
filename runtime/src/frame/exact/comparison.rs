//! Exact comparisons.
//!
//! When a 64-bit integer is compared with a float, or `u64` with `i64`, Polars converts both sides
//! to floats, where 2⁵³ and 2⁵³ + 1 are the same number.

use super::function::{Exact, What, typed};
use crate::frame::engine::dtype;
use polars::prelude::{
    AggExpr, AnyValue, BooleanFunction, ClosedInterval, DataType, Expr, FunctionExpr, LiteralValue,
    Operator, Schema, Series,
};
use polars_plan::dsl::SpecialEq;
use polars_plan::plans::DynLiteralValue;
use std::sync::Arc;

pub(super) fn is_comparison(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::EqValidity
            | Operator::NotEq
            | Operator::NotEqValidity
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
    )
}

/// Returns an exact comparison where Polars would convert 64-bit integers to floats, and `None`
/// where it would not.
pub(super) fn compared(left: &Expr, op: Operator, right: &Expr, schema: &Schema) -> Option<Expr> {
    let (number, other) = match (Number::of(left), Number::of(right)) {
        (Some(_), Some(_)) => return None,
        (number, other) => (number, other),
    };
    let with_literal = match (number, other) {
        (None, Some(number)) => with_number(left, op, number, schema).map(|found| (left, found)),
        (Some(number), None) => {
            with_number(right, mirrored(op), number, schema).map(|found| (right, found))
        }
        _ => None,
    };
    if let Some((integer, (op, number))) = with_literal {
        return Some(Expr::BinaryExpr {
            left: Arc::new(integer.clone()),
            op,
            right: Arc::new(number),
        });
    }
    // An integer literal stays an integer, for comparisons with floats that cannot represent it.
    let side = |number: Option<Number>, of: &Expr| match number {
        Some(Number::Int(number)) => typed(number, &DataType::UInt64),
        _ => of.clone(),
    };
    let meets = |column: &Expr, number: Number| {
        let of = dtype(column, schema)?;
        let exact = match number {
            Number::Int(_) if of.is_float() => exactly(number, &of).is_none(),
            // The remaining cases are NaN, and operators that treat null as a value.
            _ => is_64_bits(&of),
        };
        exact.then_some(())
    };
    match (number, other) {
        (None, Some(number)) => meets(left, number)?,
        (Some(number), None) => meets(right, number)?,
        _ => {
            let (a, b) = (dtype(left, schema)?, dtype(right, schema)?);
            let with_float = |a: &DataType, b: &DataType| is_64_bits(a) && b.is_float();
            let with_sign = |a: &DataType, b: &DataType| {
                *a == DataType::UInt64 && b.is_signed_integer() && *b != DataType::Int128
            };
            let floats = |a, b| with_float(a, b) || with_sign(a, b);
            if !floats(&a, &b) && !floats(&b, &a) {
                return None;
            }
        }
    }
    let exact = Exact {
        what: What::Comparison(op),
        of: DataType::Boolean,
        text: String::new(),
    };
    Some(exact.call(vec![side(number, left), side(other, right)]))
}

fn is_64_bits(of: &DataType) -> bool {
    matches!(of, DataType::Int64 | DataType::UInt64)
}

/// Returns `is_between` with exact comparisons, if these are needed.
pub(super) fn between(input: &[Expr], closed: ClosedInterval, schema: &Schema) -> Option<Expr> {
    let [x, lower, upper] = input else {
        return None;
    };
    let (above, below) = match closed {
        ClosedInterval::Both => (Operator::GtEq, Operator::LtEq),
        ClosedInterval::Left => (Operator::GtEq, Operator::Lt),
        ClosedInterval::Right => (Operator::Gt, Operator::LtEq),
        ClosedInterval::None => (Operator::Gt, Operator::Lt),
    };
    let exact = |op, end| compared(x, op, end, schema);
    let as_is = |op, end: &Expr| Expr::BinaryExpr {
        left: Arc::new(x.clone()),
        op,
        right: Arc::new(end.clone()),
    };
    let (above, below) = match (exact(above, lower), exact(below, upper)) {
        (None, None) => return None,
        (a, b) => (
            a.unwrap_or_else(|| as_is(above, lower)),
            b.unwrap_or_else(|| as_is(below, upper)),
        ),
    };
    Some(above.and(below))
}

/// Returns `is_in` for literal values, if Polars would convert to floats. It keeps only the values
/// that the column's type holds.
pub(super) fn one_of(input: &[Expr], nulls_equal: bool, schema: &Schema) -> Option<Expr> {
    let [x, list] = input else {
        return None;
    };
    let values = match list {
        Expr::Agg(AggExpr::Implode { input, .. }) => &**input,
        list => list,
    };
    let Expr::Literal(LiteralValue::Series(values)) = values else {
        return None;
    };
    let of = dtype(x, schema)?;
    let found = values.dtype();
    let meets = if is_64_bits(&of) {
        found.is_float() || (found.is_integer() && *found != of)
    } else {
        of.is_float() && found.is_integer()
    };
    if !meets {
        return None;
    }
    let kept: Vec<AnyValue<'_>> = values
        .iter()
        .filter_map(|value| match value {
            AnyValue::Null => Some(AnyValue::Null),
            value => exactly(Number::of_value(&value)?, &of),
        })
        .collect();
    let kept = Series::from_any_values_and_dtype(values.name().clone(), &kept, &of, true).ok()?;
    let kept = Expr::Literal(LiteralValue::Series(SpecialEq::new(kept))).implode(true);
    Some(Expr::Function {
        input: vec![x.clone(), kept],
        function: FunctionExpr::Boolean(BooleanFunction::IsIn { nulls_equal }),
    })
}

/// The number in a literal.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    pub(super) fn of(expression: &Expr) -> Option<Self> {
        match expression {
            Expr::Literal(LiteralValue::Dyn(DynLiteralValue::Float(number))) => {
                Some(Self::Float(*number))
            }
            Expr::Literal(LiteralValue::Dyn(DynLiteralValue::Int(number))) => {
                Some(Self::Int(*number))
            }
            Expr::Literal(LiteralValue::Scalar(scalar)) => Self::of_value(scalar.value()),
            _ => None,
        }
    }

    fn of_value(value: &AnyValue<'_>) -> Option<Self> {
        match value.dtype() {
            of if of.is_float() => value.extract().map(Self::Float),
            of if of.is_integer() => value.extract().map(Self::Int),
            _ => None,
        }
    }
}

/// Returns the number as a value of a type, if the type holds it exactly.
fn exactly(number: Number, of: &DataType) -> Option<AnyValue<'static>> {
    let int = match number {
        Number::Int(number) => Some(number),
        Number::Float(number) => {
            // No other type holds numbers beyond 128 bits.
            (number.floor() == number && number.abs() < 2f64.powi(100)).then_some(number as i128)
        }
    };
    Some(match (of, number) {
        (DataType::Int64, _) => AnyValue::Int64(int?.try_into().ok()?),
        (DataType::UInt64, _) => AnyValue::UInt64(int?.try_into().ok()?),
        (DataType::Float64, Number::Float(number)) => AnyValue::Float64(number),
        (DataType::Float64, Number::Int(number)) if number as f64 as i128 == number => {
            AnyValue::Float64(number as f64)
        }
        (DataType::Float32, Number::Int(number)) if number as f32 as i128 == number => {
            AnyValue::Float32(number as f32)
        }
        _ => return None,
    })
}

pub(super) fn mirrored(op: Operator) -> Operator {
    match op {
        Operator::Lt => Operator::Gt,
        Operator::LtEq => Operator::GtEq,
        Operator::Gt => Operator::Lt,
        Operator::GtEq => Operator::LtEq,
        op => op,
    }
}

/// Returns an operator and an integer of the same type that are equivalent to `integer op number`.
fn with_number(
    integer: &Expr,
    op: Operator,
    number: Number,
    schema: &Schema,
) -> Option<(Operator, Expr)> {
    // Floats hold integers of up to 32 bits exactly.
    let of = dtype(integer, schema)?;
    let (least, greatest) = match of {
        DataType::Int64 => (i128::from(i64::MIN), i128::from(i64::MAX)),
        DataType::UInt64 => (0, i128::from(u64::MAX)),
        _ => return None,
    };
    let (below, above) = match number {
        Number::Int(number) => (number, number),
        // NaN is left to Polars, where it is greater than every number.
        Number::Float(number) if number.is_nan() => return None,
        // The cast saturates, so numbers beyond `i128` stay beyond 64 bits.
        Number::Float(number) => (number.floor() as i128, number.ceil() as i128),
    };
    let (op, number) = match op {
        Operator::Gt | Operator::LtEq => (op, below),
        Operator::GtEq | Operator::Lt => (op, above),
        _ if below == above => (op, below),
        // No integer is equal to 2.5.
        _ => (op, greatest + 1),
    };
    // Outside the type's range, the result is true or false for all values that are not null.
    let (op, number) = match (op, number) {
        (op, number) if (least..=greatest).contains(&number) => (op, number),
        (Operator::Gt | Operator::GtEq, number) if number < least => (Operator::GtEq, least),
        (Operator::Lt | Operator::LtEq, number) if number > greatest => (Operator::GtEq, least),
        (Operator::NotEq, _) => (Operator::GtEq, least),
        (Operator::EqValidity | Operator::NotEqValidity, _) => return None,
        _ => (Operator::Lt, least),
    };
    Some((op, typed(number, &of)))
}
