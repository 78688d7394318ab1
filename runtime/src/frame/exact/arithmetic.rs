//! Integer arithmetic with results that are either correct or an error.

use super::comparison::Number;
use super::function::{Exact, What, typed};
use super::written::{operation, written};
use crate::frame::engine::dtype;
use polars::prelude::{DataType, Expr, FunctionExpr, LiteralValue, Operator, Schema, lit};
use polars::series::ops::NullBehavior;
use std::sync::Arc;

/// Returns whether the results of an operator may exceed their type.
pub(super) fn is_arithmetic(op: Operator) -> bool {
    use Operator::{Minus, Multiply, Plus};
    matches!(op, Plus | Minus | Multiply) || is_division(op)
}

fn is_division(op: Operator) -> bool {
    use Operator::{FloorDivide, Modulus, RustDivide};
    matches!(op, FloorDivide | Modulus | RustDivide)
}

/// Returns `left op right`, with an error for results that its type does not hold.
pub(super) fn checked(left: Arc<Expr>, op: Operator, right: Arc<Expr>, schema: &Schema) -> Expr {
    let unchanged = Expr::BinaryExpr { left, op, right };
    // Polars itself computes exactly with literals.
    if is_constant(&unchanged) {
        return unchanged;
    }
    let Some(of) = dtype(&unchanged, schema) else {
        return unchanged;
    };
    let Expr::BinaryExpr { left, right, .. } = &unchanged else {
        return unchanged;
    };
    if is_division(op) {
        let is_rest = matches!(op, Operator::Modulus | Operator::FloorDivide);
        return match of {
            of if of.is_signed_integer() => divided(left, op, right, of, schema),
            DataType::Float64 if is_rest && is_mixed([&**left, &**right], schema) => {
                let wide = |side: &Expr| Arc::new(side.clone().cast(DataType::Int128));
                let exact = Expr::BinaryExpr {
                    left: wide(left),
                    op,
                    right: wide(right),
                };
                as_floats(exact, operation(left, op, right))
            }
            _ => unchanged,
        };
    }
    let wraps = is_checked(&of);
    if !wraps && (of != DataType::Float64 || !is_mixed([&**left, &**right], schema)) {
        return unchanged;
    }
    let text = operation(left, op, right);
    let side = |side: &Expr| match Number::of(side) {
        Some(Number::Int(number)) => typed(number, &of),
        _ => side.clone(),
    };
    let input = vec![side(left), side(right)];
    let what = What::Arithmetic(op);
    Exact { what, of, text }.call(input)
}

/// Returns whether a type, of up to 64 bits, can overflow in arithmetic.
fn is_checked(of: &DataType) -> bool {
    of.is_integer() && !matches!(of, DataType::Int128 | DataType::UInt128)
}

/// Returns whether Polars converts integer inputs to floats, as for `u64` with signed integers.
fn is_mixed<'a>(inputs: impl IntoIterator<Item = &'a Expr>, schema: &Schema) -> bool {
    let mut types = inputs.into_iter().map(|input| dtype(input, schema));
    types.all(|of| of.is_some_and(|of| of.is_integer() || of.is_bool() || of.is_null()))
}

/// Returns whether an expression consists of literals only.
fn is_constant(expression: &Expr) -> bool {
    expression.into_iter().all(|part| {
        matches!(
            part,
            Expr::Literal(LiteralValue::Dyn(_) | LiteralValue::Scalar(_))
                | Expr::BinaryExpr { .. }
                | Expr::Cast { .. }
                | Expr::Alias(..)
        )
    })
}

/// Returns a division. It overflows only for the least integer divided by -1.
fn divided(left: &Expr, op: Operator, right: &Expr, of: DataType, schema: &Schema) -> Expr {
    // With a signed other side, Polars turns `u64` values beyond `i64` into null.
    let signed = |side: &Expr| match dtype(side, schema) {
        Some(DataType::UInt64) => side.clone().strict_cast(of.clone()),
        _ => side.clone(),
    };
    let (a, b) = (signed(left), signed(right));
    let quotient = Expr::BinaryExpr {
        left: Arc::new(a.clone()),
        op,
        right: Arc::new(b.clone()),
    };
    match (op, Number::of(right)) {
        (Operator::Modulus, _) => quotient,
        (_, Some(Number::Int(divisor))) if divisor != -1 => quotient,
        (_, Some(_)) => not_least(quotient, a, None, of, operation(left, op, right)),
        (_, None) => not_least(quotient, a, Some(b), of, operation(left, op, right)),
    }
}

/// Returns an expression that overflows where `input` is the least integer, and `by` (if any) is
/// -1.
fn not_least(value: Expr, input: Expr, by: Option<Expr>, of: DataType, text: String) -> Expr {
    let least = match of {
        DataType::Int8 => i8::MIN.into(),
        DataType::Int16 => i16::MIN.into(),
        DataType::Int32 => i32::MIN.into(),
        DataType::Int64 => i64::MIN.into(),
        _ => return value,
    };
    let right = input.neq(typed(least, &of));
    let right = match by {
        Some(by) => right.or(by.neq(lit(-1))),
        None => right,
    };
    let wider = match of {
        DataType::Int64 => DataType::Int128,
        _ => DataType::Int64,
    };
    let text = format!("{text} is beyond what {of} holds: cast first, .cast(DataType::{wider:?})");
    let what = What::Proven;
    Exact { what, of, text }.call(vec![value, right])
}

/// Returns `-x` or `x.abs()`, checked.
pub(super) fn of_sign(input: Vec<Expr>, function: FunctionExpr, schema: &Schema) -> Expr {
    let [x] = &input[..] else {
        return Expr::Function { input, function };
    };
    let text = match function {
        FunctionExpr::Negate => format!("-{}", written(x)),
        _ => format!("{}.abs()", written(x)),
    };
    let (x, of) = (x.clone(), dtype(x, schema));
    let value = Expr::Function { input, function };
    match of {
        Some(of) if of.is_signed_integer() && !is_constant(&value) => {
            not_least(value, x, None, of, text)
        }
        _ => value,
    }
}

/// Returns `x.diff(n)`, checked. Polars computes it in the type of `x`.
pub(super) fn difference(input: Vec<Expr>, nulls: NullBehavior, schema: &Schema) -> Expr {
    let unchanged = Expr::Function {
        input,
        function: FunctionExpr::Diff(nulls),
    };
    let of = dtype(&unchanged, schema);
    match (unchanged, of) {
        (Expr::Function { input, function }, Some(of)) if of.is_integer() && input.len() == 2 => {
            let text = format!("{}.diff()", written(&input[0]));
            let before = input[0].clone().shift(input[1].clone());
            let what = What::Arithmetic(Operator::Minus);
            let all = Exact { what, of, text }.call(vec![input[0].clone(), before]);
            match (nulls, Number::of(&input[1])) {
                (NullBehavior::Ignore, _) => all,
                // Drops the rows without a predecessor or successor.
                (NullBehavior::Drop, Some(Number::Int(n))) if n >= 0 => {
                    all.slice(lit(n as i64), input[0].clone().len())
                }
                (NullBehavior::Drop, Some(Number::Int(n))) => {
                    let left = input[0].clone().len() + lit(n as i64);
                    all.slice(lit(0), left.clip_min(lit(0)))
                }
                (NullBehavior::Drop, _) => Expr::Function { input, function },
            }
        }
        (unchanged, _) => unchanged,
    }
}

/// Rewrites an expression that returns some of its inputs unchanged (`when`, `max_horizontal`,
/// `coalesce`). Where Polars converts `u64` and signed integers to floats, floats must represent
/// them exactly.
pub(super) fn joined(
    part: Expr,
    inputs: impl Fn(&mut Expr) -> Vec<&mut Expr>,
    schema: &Schema,
) -> Expr {
    if dtype(&part, schema) != Some(DataType::Float64) {
        return part;
    }
    let mut exact = part.clone();
    let inputs = inputs(&mut exact);
    if !is_mixed(inputs.iter().map(|input| &**input), schema) {
        return part;
    }
    for input in inputs {
        if dtype(input, schema).is_some_and(|of| of.is_integer()) {
            let text = written(input);
            *input = as_floats(std::mem::take(input), text);
        }
    }
    exact
}

/// Returns integers as floats, or an error for integers that no float represents exactly.
pub(super) fn as_floats(input: Expr, text: String) -> Expr {
    let what = What::Arithmetic(Operator::Plus);
    let of = DataType::Float64;
    Exact { what, of, text }.call(vec![input, typed(0, &DataType::Int64)])
}

/// Restricts the errors of an expression to the rows where a condition is true: in
/// `when(a.gt_eq(b)).then(a - b)`, the other rows do not matter.
pub(super) fn where_needed(expression: Expr, condition: &Expr) -> Expr {
    let within = |part: Arc<Expr>| Arc::new(where_needed(Arc::unwrap_or_clone(part), condition));
    match expression {
        Expr::AnonymousFunction {
            input,
            function,
            options,
            fmt_str,
        } => match Exact::find(&function) {
            Some(exact) => {
                let input = input
                    .into_iter()
                    .map(|input| where_needed(input, condition));
                let mut input: Vec<Expr> = input.collect();
                if !matches!(exact.what, What::Comparison(_)) {
                    input.push(condition.clone());
                }
                exact.call(input)
            }
            None => Expr::AnonymousFunction {
                input,
                function,
                options,
                fmt_str,
            },
        },
        Expr::Function {
            input,
            function: function @ (FunctionExpr::Abs | FunctionExpr::Negate),
        } => Expr::Function {
            input: input
                .into_iter()
                .map(|input| where_needed(input, condition))
                .collect(),
            function,
        },
        Expr::BinaryExpr { left, op, right } => Expr::BinaryExpr {
            left: within(left),
            op,
            right: within(right),
        },
        Expr::Cast {
            expr,
            dtype,
            options,
        } => Expr::Cast {
            expr: within(expr),
            dtype,
            options,
        },
        Expr::Alias(inner, name) => Expr::Alias(within(inner), name),
        Expr::Ternary {
            predicate,
            truthy,
            falsy,
        } => Expr::Ternary {
            predicate: within(predicate),
            truthy: within(truthy),
            falsy: within(falsy),
        },
        other => other,
    }
}
