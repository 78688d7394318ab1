//! Integer results that are either correct or an error: sums here, [`arithmetic`] and
//! [`comparison`] in the submodules.
//!
//! Polars adds up integers of 32 and 64 bits in their own type and wraps around: three `i32` of
//! 2,000,000,000 add up to 1,705,032,704. Here an expression is rewritten before it is used,
//! wherever it stands (`select`, `agg`, `filter`, windows), in two steps:
//!
//! 1. [`widened`]: sums and products, including running ones, use 64 bits, as in NumPy, pandas and
//!    Dask: `i64` for signed integers and booleans, `u64` for unsigned integers. (Polars: `u32` for
//!    booleans, `i64` for integers of 8 and 16 bits, also unsigned ones, the type itself for
//!    others.)
//! 2. [`guarded`]: a result that 64 bits do not hold is an error that names the column.
//!
//! There are two steps because a sum that is computed by partition is widened first and guarded at
//! the end ([`super::aggregate`]): a sum may exceed 64 bits in one partition and fit as a whole.
//!
//! An overflow of a sum is found as follows. A sum of wrapped integers differs from the true sum by
//! a multiple of 2⁶⁴. Polars computes the same sum in floating point for the mean, without another
//! copy of the column. That sum differs from the true one by less than a hundredth of 2⁶⁴ for any
//! column that fits into memory. So the two are close to each other if and only if nothing has
//! wrapped around. For 32-bit integers, the difference also gives the number of times that their
//! own sum has wrapped around ([`lifted`]), so that they need not be copied to 64 bits.
//!
//! For ten million rows a guarded sum takes 7 ms instead of 3, and by groups 320 ms instead of 160.
//!
//! Arithmetic and comparisons are rewritten in the first step. Where Polars would wrap around or
//! convert integers to floats, our [`function`] replaces the expression. The types decide this, so
//! floats, texts and small integers cost nothing.

mod arithmetic;
mod comparison;
mod function;
mod written;

use super::engine::{dtype, expand};
use crate::error::{Error, Result};
use arithmetic::{as_floats, checked, difference, is_arithmetic, joined, of_sign, where_needed};
use comparison::{between, compared, is_comparison, one_of};
use function::{Exact, What, typed};
pub(super) use function::{read_all, read_one};
use polars::prelude::{
    AggExpr, ArrayFunction, BooleanFunction, DataType, Expr, FunctionExpr, ListFunction, Operator,
    RollingFunction, RollingFunctionBy, Schema, lit,
};
use polars_plan::dsl::{OpaqueColumnUdf, PowFunction};
use std::sync::Arc;
use written::written;

/// Rewrites the expressions to sums of 64 bits, checked arithmetic and exact comparisons, not
/// [`guarded`] yet.
///
/// # Errors
/// Returns an error for a selection of columns that does not exist.
pub(super) fn widened(expressions: &[Expr], schema: &Schema) -> Result<Vec<Expr>> {
    let mut all = Vec::with_capacity(expressions.len());
    for expression in expressions {
        if !expression.into_iter().any(is_of_types) {
            all.push(expression.clone());
            continue;
        }
        // The rewriting depends on the column's type, so each column must be named.
        for expression in expand(std::slice::from_ref(expression), schema, &[])? {
            all.push(expression.map_expr(|part| rewritten(part, schema)));
        }
    }
    Ok(all)
}

/// Rewrites a part of an expression whose own parts are already rewritten.
fn rewritten(part: Expr, schema: &Schema) -> Expr {
    match part {
        Expr::BinaryExpr { left, op, right } if is_comparison(op) => {
            let exact = compared(&left, op, &right, schema);
            exact.unwrap_or(Expr::BinaryExpr { left, op, right })
        }
        Expr::BinaryExpr { left, op, right } if is_arithmetic(op) => {
            checked(left, op, right, schema)
        }
        // `a.gt_eq(b).and((a - b).gt(1))`: where the first part is false, the second is not needed.
        Expr::BinaryExpr { left, op, right }
            if is_and(op) && dtype(&left, schema) == Some(DataType::Boolean) =>
        {
            let condition = (*left).clone().fill_null(lit(true));
            let right = Arc::new(where_needed(Arc::unwrap_or_clone(right), &condition));
            Expr::BinaryExpr { left, op, right }
        }
        Expr::Ternary {
            predicate,
            truthy,
            falsy,
        } => {
            let otherwise = (*predicate).clone().fill_null(lit(false)).not();
            let ternary = Expr::Ternary {
                truthy: Arc::new(where_needed(Arc::unwrap_or_clone(truthy), &predicate)),
                falsy: Arc::new(where_needed(Arc::unwrap_or_clone(falsy), &otherwise)),
                predicate,
            };
            joined(ternary, branches, schema)
        }
        Expr::Function { input, function } => called(input, function, schema),
        part => match sum(&part) {
            Some(_) => wide(part, schema),
            None => part,
        },
    }
}

/// Rewrites a function of Polars.
fn called(input: Vec<Expr>, function: FunctionExpr, schema: &Schema) -> Expr {
    use FunctionExpr::{Abs, Boolean, Coalesce, Diff, FillNull, MaxHorizontal, MeanHorizontal};
    use FunctionExpr::{MinHorizontal, Negate};
    let exact = match function {
        Boolean(BooleanFunction::IsBetween { closed }) => between(&input, closed, schema),
        Boolean(BooleanFunction::IsIn { nulls_equal }) => one_of(&input, nulls_equal, schema),
        Abs | Negate => return of_sign(input, function, schema),
        Diff(nulls) => return difference(input, nulls, schema),
        _ => None,
    };
    if let Some(exact) = exact {
        return exact;
    }
    match function {
        MaxHorizontal | MinHorizontal | Coalesce | FillNull => {
            joined(Expr::Function { input, function }, inputs, schema)
        }
        // Polars adds up in the type of the inputs.
        MeanHorizontal { .. } => {
            let float = |input: Expr| match dtype(&input, schema) {
                Some(of) if of.is_integer() => input.cast(DataType::Float64),
                _ => input,
            };
            let input = input.into_iter().map(float).collect();
            Expr::Function { input, function }
        }
        function => {
            let part = Expr::Function { input, function };
            match sum(&part) {
                Some(_) => wide(part, schema),
                None => part,
            }
        }
    }
}

fn is_and(op: Operator) -> bool {
    matches!(op, Operator::And | Operator::LogicalAnd)
}

fn branches(ternary: &mut Expr) -> Vec<&mut Expr> {
    match ternary {
        Expr::Ternary { truthy, falsy, .. } => vec![Arc::make_mut(truthy), Arc::make_mut(falsy)],
        _ => Vec::new(),
    }
}

fn inputs(function: &mut Expr) -> Vec<&mut Expr> {
    match function {
        Expr::Function { input, .. } => input.iter_mut().collect(),
        _ => Vec::new(),
    }
}

/// Returns whether a function is an [`Exact`] one, and not a user's closure.
pub(super) fn is_exact(function: &OpaqueColumnUdf) -> bool {
    Exact::find(function).is_some()
}

/// Replaces every sum that 64 bits do not hold by an error, in expressions that are already
/// widened.
pub(super) fn guarded(expressions: &[Expr], schema: &Schema) -> Vec<Expr> {
    let guard = |part: Expr| match sum(&part) {
        Some((kind, input)) => match (kind, dtype(&part, schema)) {
            (Sum::All, Some(of)) => guarded_sum(&input[0], &of, schema),
            (_, Some(of @ (DataType::Int64 | DataType::UInt64))) => kind.guard(part, &of, schema),
            // Powers have the type of their base: no wider type is sure to hold the result.
            (Sum::Power, Some(of)) if of.is_integer() => kind.guard(part, &of, schema),
            _ => part,
        },
        None => part,
    };
    expressions
        .iter()
        .map(|expression| expression.clone().map_expr(guard))
        .collect()
}

/// Rewrites the expressions with [`widened`] and [`guarded`].
///
/// # Errors
/// The same as for [`widened`].
pub(super) fn exact(expressions: &[Expr], schema: &Schema) -> Result<Vec<Expr>> {
    Ok(guarded(&widened(expressions, schema)?, schema))
}

/// Returns the sum of widened values of a type, guarded if it can overflow.
fn guarded_sum(input: &Expr, of: &DataType, schema: &Schema) -> Expr {
    let sum = wrapped_sum(input, of, schema);
    match narrow(input, of, schema) {
        // A partition has fewer than 2³² rows.
        Some(_) => sum,
        None if is_wide(of) => proven_sum(sum, sum_in_floats(input, of, schema), input, of),
        None => sum,
    }
}

/// Returns whether sums in this type can overflow.
pub(super) fn is_wide(of: &DataType) -> bool {
    matches!(of, DataType::Int64 | DataType::UInt64)
}

/// Returns the sum of widened values of a type. Beyond 64 bits it wraps around.
pub(super) fn wrapped_sum(input: &Expr, of: &DataType, schema: &Schema) -> Expr {
    match narrow(input, of, schema) {
        Some((input, true)) => lifted(input, of),
        Some((input, false)) => input.clone().sum().cast(of.clone()),
        None => input.clone().sum(),
    }
}

/// Returns the sum of such values as floats, in the way that Polars computes it for the mean. A
/// cast would copy the values.
pub(super) fn sum_in_floats(input: &Expr, of: &DataType, schema: &Schema) -> Expr {
    let narrow = narrow(input, of, schema);
    let input = narrow.map_or(input, |(input, _)| input);
    floats(input)
}

fn floats(input: &Expr) -> Expr {
    let count = input.clone().count().cast(DataType::Float64);
    (input.clone().mean() * count).fill_null(lit(0.0))
}

/// Returns a sum that may have wrapped around, or the error about it. `floats` is the sum as
/// floats; `input` is used in the error.
pub(super) fn proven_sum(sum: Expr, floats: Expr, input: &Expr, of: &DataType) -> Expr {
    let near = near(&sum, floats, of);
    Sum::All.proven(sum, near, input, of)
}

/// Returns the input before it was widened, and whether Polars would add it up in its own 32 bits,
/// if it was widened only for the sum. Such an input need not be copied.
fn narrow<'a>(input: &'a Expr, of: &DataType, schema: &Schema) -> Option<(&'a Expr, bool)> {
    let Expr::Cast { expr, .. } = input else {
        return None;
    };
    let expr: &Expr = expr;
    match (dtype(expr, schema)?, of) {
        (DataType::Int32, DataType::Int64) | (DataType::UInt32, DataType::UInt64) => {
            Some((expr, true))
        }
        (DataType::Boolean | DataType::Int8 | DataType::Int16, DataType::Int64)
        | (DataType::UInt8 | DataType::UInt16, DataType::UInt64) => Some((expr, false)),
        _ => None,
    }
}

/// Returns the sum of 32-bit integers as 64 bits: their wrapped sum, plus the multiple of 2³² by
/// which the sum of floats is larger.
fn lifted(input: &Expr, to: &DataType) -> Expr {
    let wrapped = input.clone().sum();
    let more = floats(input) - wrapped.clone().cast(DataType::Float64);
    let times = (more / lit(2f64.powi(32)) + lit(0.5)).floor();
    wrapped.cast(to.clone()) + times.cast(to.clone()) * typed(1 << 32, to)
}

/// Returns whether the rewriting of a part of an expression depends on types.
fn is_of_types(part: &Expr) -> bool {
    match part {
        Expr::BinaryExpr { op, .. } => is_comparison(*op) || is_arithmetic(*op),
        Expr::Ternary { .. } => true,
        Expr::Function { function, .. } => {
            use FunctionExpr::{Abs, Boolean, Coalesce, Diff, FillNull, MaxHorizontal};
            use FunctionExpr::{MeanHorizontal, MinHorizontal, Negate};
            matches!(
                function,
                Boolean(BooleanFunction::IsBetween { .. } | BooleanFunction::IsIn { .. })
                    | Abs
                    | Negate
                    | Diff(_)
                    | MaxHorizontal
                    | MinHorizontal
                    | Coalesce
                    | FillNull
                    | MeanHorizontal { .. }
            ) || sum(part).is_some()
        }
        part => sum(part).is_some(),
    }
}

/// The kinds of sums and products.
#[derive(Clone, Copy, PartialEq)]
enum Sum {
    All,
    Product,
    Running { reverse: bool },
    RunningProduct { reverse: bool },
    Rolling,
    OfRow,
    OfList,
    Power,
}

/// Returns the kind of sum that a part of an expression is, and its inputs.
fn sum(part: &Expr) -> Option<(Sum, &[Expr])> {
    match part {
        Expr::Agg(AggExpr::Sum(input)) => Some((Sum::All, std::slice::from_ref(&**input))),
        Expr::Function { input, function } => {
            let kind = match *function {
                FunctionExpr::Product => Sum::Product,
                FunctionExpr::CumSum { reverse } => Sum::Running { reverse },
                FunctionExpr::CumProd { reverse } => Sum::RunningProduct { reverse },
                FunctionExpr::RollingExpr {
                    function: RollingFunction::Sum,
                    ..
                }
                | FunctionExpr::RollingExprBy {
                    function_by: RollingFunctionBy::SumBy,
                    ..
                } => Sum::Rolling,
                FunctionExpr::SumHorizontal { .. } => Sum::OfRow,
                FunctionExpr::ListExpr(ListFunction::Sum)
                | FunctionExpr::ArrayExpr(ArrayFunction::Sum) => Sum::OfList,
                FunctionExpr::Pow(PowFunction::Generic) => Sum::Power,
                _ => return None,
            };
            (!input.is_empty()).then_some((kind, input))
        }
        _ => None,
    }
}

/// Returns the same sum in 64 bits.
fn wide(part: Expr, schema: &Schema) -> Expr {
    let kind = sum(&part).map(|(kind, _)| kind);
    match part {
        Expr::Agg(AggExpr::Sum(input)) => match dtype(&input, schema) {
            Some(of) => widened_to(Arc::unwrap_or_clone(input), &of, wide_type(&[&of])).sum(),
            None => Expr::Agg(AggExpr::Sum(input)),
        },
        Expr::Function {
            mut input,
            function,
        } => {
            let added = match kind {
                None | Some(Sum::Power) => 0,
                // The column that defines the windows is not part of the sum.
                Some(Sum::Rolling) => 1,
                // Several columns that are added up row by row need one type.
                Some(_) => input.len(),
            };
            let types = input[..added].iter().map(|input| dtype(input, schema));
            let Some(types) = types.collect::<Option<Vec<DataType>>>() else {
                return Expr::Function { input, function };
            };
            let to = match &types[..] {
                [of] if kind == Some(Sum::OfList) => with_values(of, |of| wide_type(&[of])),
                types => wide_type(&types.iter().collect::<Vec<_>>()),
            };
            // Polars would convert them to floats.
            let mixed = to.is_none() && kind == Some(Sum::OfRow) && types.iter().all(is_integer);
            let to = if mixed { Some(DataType::Int128) } else { to };
            for (input, of) in input.iter_mut().zip(&types) {
                *input = widened_to(std::mem::take(input), of, to.clone());
            }
            let text = mixed.then(|| format!("the sum of a row of {}", written(&input[0])));
            let wide = Expr::Function { input, function };
            match text {
                Some(text) => as_floats(wide, text),
                None => wide,
            }
        }
        part => part,
    }
}

/// Returns the type of lists with other values.
fn with_values(of: &DataType, to: impl Fn(&DataType) -> Option<DataType>) -> Option<DataType> {
    match of {
        DataType::List(of) => Some(DataType::List(Box::new(to(of)?))),
        DataType::Array(of, width) => Some(DataType::Array(Box::new(to(of)?), *width)),
        _ => None,
    }
}

fn is_integer(of: &DataType) -> bool {
    of.is_integer() || of.is_bool()
}

fn widened_to(input: Expr, of: &DataType, to: Option<DataType>) -> Expr {
    match to {
        Some(to) if to != *of => input.cast(to),
        _ => input,
    }
}

/// Returns the type in which values of some types are added up; `None` for their own type.
fn wide_type(types: &[&DataType]) -> Option<DataType> {
    let is_unsigned = |of: &&DataType| {
        matches!(
            of,
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64
        )
    };
    // No integer type of Polars holds both `u64` and signed integers (it uses floats).
    let is_signed = |of: &&DataType| {
        matches!(
            of,
            DataType::Boolean
                | DataType::Int8
                | DataType::Int16
                | DataType::Int32
                | DataType::Int64
                | DataType::UInt8
                | DataType::UInt16
                | DataType::UInt32
        )
    };
    if types.iter().all(is_unsigned) {
        Some(DataType::UInt64)
    } else {
        types.iter().all(is_signed).then_some(DataType::Int64)
    }
}

/// Marks the text of our error within Polars' error.
const MARK: &str = "·overflow·";

impl Sum {
    fn name(self) -> &'static str {
        match self {
            Self::All => "sum",
            Self::Product => "product",
            Self::Running { .. } => "cumulative sum",
            Self::RunningProduct { .. } => "cumulative product",
            Self::Rolling => "rolling sum",
            Self::OfRow => "sum of a row",
            Self::OfList => "sum of a list",
            Self::Power => "power",
        }
    }

    /// Returns the sum, or an error where it differs from the sum of unlimited integers.
    fn guard(self, sum: Expr, of: &DataType, schema: &Schema) -> Expr {
        let Expr::Function { input, function } = &sum else {
            return sum;
        };
        let floats = |(at, input): (usize, &Expr)| match (self, at) {
            (Self::Rolling, 1..) => input.clone(),
            (Self::OfList, _) => {
                let of = dtype(input, schema);
                let of = of.and_then(|of| with_values(&of, |_| Some(DataType::Float64)));
                input.clone().cast(of.unwrap_or(DataType::Float64))
            }
            _ => input.clone().cast(DataType::Float64),
        };
        let in_floats = Expr::Function {
            input: input.iter().enumerate().map(floats).collect(),
            function: function.clone(),
        };
        let near = near(&sum, in_floats, of);
        // With a factor of zero, nothing else matters.
        let zero = || input[0].clone().eq(lit(0));
        let right = match self {
            Self::Product => near.or(zero().any(true)),
            Self::RunningProduct { reverse } => {
                let zeros = zero().fill_null(lit(false)).cast(DataType::Int64);
                near.or(zeros.cum_sum(reverse).gt(lit(0)))
            }
            _ => near,
        };
        let subject = input[0].clone();
        self.proven(sum, right, &subject, of)
    }

    /// Returns the sum, or an error where it is not correct.
    fn proven(self, sum: Expr, right: Expr, input: &Expr, of: &DataType) -> Expr {
        let exact = Exact {
            what: What::Proven,
            of: of.clone(),
            text: format!(
                "the {} of {} is beyond what {of} holds: cast to another type first, .cast(DataType::Float64)",
                self.name(),
                written(input)
            ),
        };
        exact.call(vec![sum, right])
    }
}

/// Returns whether a sum of integers is closer to the sum of floats than a wrapped one can be. A
/// product of floats may be infinite, and the difference NaN.
fn near(sum: &Expr, floats: Expr, of: &DataType) -> Expr {
    let error = if is_wide(of) { 2f64.powi(62) } else { 0.5 };
    (floats - sum.clone().cast(DataType::Float64))
        .abs()
        .lt_eq(lit(error))
}

/// Returns our error if Polars' error contains one.
pub(super) fn overflow(message: &str) -> Option<Error> {
    let text = message.split(MARK).nth(1)?;
    Some(Error::Overflow(text.to_owned()))
}
