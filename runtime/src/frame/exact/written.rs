//! Writes expressions for error messages, as the user wrote them.

use super::comparison::Number;
use super::function::{Exact, What};
use polars::prelude::{AggExpr, Expr, Operator};

/// Writes an operation: `"price" * 100`.
pub(super) fn operation(left: &Expr, op: Operator, right: &Expr) -> String {
    let side = |side: &Expr| match is_operation(side) {
        true => format!("({})", written(side)),
        false => written(side),
    };
    let sign = match op {
        // Polars writes `rust_div`.
        Operator::RustDivide => "/".to_owned(),
        op => op.to_string(),
    };
    format!("{} {sign} {}", side(left), side(right))
}

fn is_operation(expression: &Expr) -> bool {
    match expression {
        Expr::BinaryExpr { .. } => true,
        Expr::Cast { expr, .. } => is_operation(expr),
        Expr::AnonymousFunction { function, .. } => Exact::find(function).is_some_and(|exact| {
            matches!(exact.what, What::Arithmetic(_)) && exact.text.contains(' ')
        }),
        _ => false,
    }
}

/// Writes `"price"`, `"price".sum()`; other expressions as Polars writes them.
pub(super) fn written(expression: &Expr) -> String {
    match expression {
        Expr::Column(name) => format!("\"{name}\""),
        Expr::BinaryExpr { left, op, right } => operation(left, *op, right),
        Expr::Agg(AggExpr::Sum(input)) => format!("{}.sum()", written(input)),
        // A widened column is still the user's column.
        Expr::Cast { expr, .. } | Expr::Alias(expr, _) | Expr::KeepName(expr) => written(expr),
        Expr::Filter { input, .. } => written(input),
        Expr::AnonymousFunction {
            function, input, ..
        } => match (Exact::find(function), &input[..]) {
            (
                Some(Exact {
                    what: What::Arithmetic(_),
                    text,
                    ..
                }),
                _,
            ) => text,
            (
                Some(Exact {
                    what: What::Proven, ..
                }),
                [value, ..],
            ) => written(value),
            (
                Some(Exact {
                    what: What::Comparison(op),
                    ..
                }),
                [left, right],
            ) => operation(left, op, right),
            _ => as_polars(expression),
        },
        expression => match Number::of(expression) {
            Some(Number::Int(number)) => number.to_string(),
            Some(Number::Float(number)) => format!("{number:?}"),
            None => as_polars(expression),
        },
    }
}

/// Writes an expression as Polars does, except for the columns.
fn as_polars(expression: &Expr) -> String {
    let mut text = expression.to_string();
    for part in expression {
        if let Expr::Column(name) = part {
            text = text.replace(&format!("col(\"{name}\")"), &format!("\"{name}\""));
        }
    }
    text
}
