//! Runs Polars on one partition, and asks it about a query without running anything.
//!
//! Tasks run on the threads of Polars' own pool. The physical plan is made without the
//! streaming engine. That engine has as many threads again, and would block a thread of
//! the pool until they finish; Polars chooses it automatically for a `group_by` of a
//! thousand rows. The rest of Polars' in-memory engine only forks and joins in the pool
//! that the task belongs to, so a task never waits for a thread that it occupies
//! itself, even with one thread.

use super::exact::{is_exact, overflow};
use crate::error::{Error, Result};
use polars::error::PolarsError;
use polars::lazy::dsl::Selector;
use polars::prelude::{
    BooleanFunction, DataFrame as Frame, DataType, Expr, FunctionExpr, IntoLazy, LazyFrame,
    ListFunction, PlSmallStr, PolarsResult, Schema, SchemaRef,
};
use polars_expr::prelude::ExecutionState;
use polars_mem_engine::create_physical_plan;
use polars_plan::plans::{IR, is_elementwise_rec, is_length_preserving_ae};
use std::sync::Arc;

/// Runs a query on the threads of the pool.
pub(crate) fn collect(query: LazyFrame) -> Result<Frame> {
    let mut plan = query.to_alp_optimized().map_err(innermost)?;
    let mut executor =
        create_physical_plan(plan.lp_top, &mut plan.lp_arena, &mut plan.expr_arena, None)
            .map_err(innermost)?;
    executor
        .execute(&mut ExecutionState::new())
        .map_err(|error| {
            let error = innermost(error);
            overflow(&error.to_string()).unwrap_or_else(|| error.into())
        })
}

/// Returns a frame without rows.
pub(crate) fn empty(schema: &Schema) -> LazyFrame {
    Frame::empty_with_schema(schema).lazy()
}

/// Returns the schema of a query's result after checking names and types. Nothing runs.
///
/// `context` (` in filter`), `expressions` and `schema` are used in the error.
pub(crate) fn resolve(
    mut query: LazyFrame,
    context: &str,
    expressions: &[&[Expr]],
    schema: &Schema,
) -> Result<SchemaRef> {
    query
        .collect_schema()
        .and_then(|schema| query.to_alp_optimized().map(|_| schema))
        .map_err(|error| named(error, context, expressions, schema))
}

/// Returns whether the expressions compute each row of their result from that row of
/// the frame alone, so that each partition can be computed by itself.
///
/// Expressions that Polars cannot resolve are reported by [`resolve`], not here.
pub(crate) fn is_row_by_row(schema: &Schema, expressions: &[Expr]) -> bool {
    let Ok(plan) = empty(schema).select(expressions).to_alp() else {
        return false;
    };
    match plan.lp_arena.get(plan.lp_top) {
        IR::Select { expr, .. } => {
            expr.iter()
                .all(|expr| is_elementwise_rec(expr.node(), &plan.expr_arena))
                // Literals alone make one row per frame, not one per partition.
                && expr
                    .iter()
                    .any(|expr| is_length_preserving_ae(expr.node(), &plan.expr_arena))
        }
        IR::SimpleProjection { .. } => true,
        _ => false,
    }
}

/// Replaces selections of columns in the expressions by column names: `all().mean()` →
/// `a.mean()`, `b.mean()`. Columns in `without` are only selected by name.
pub(crate) fn expand(
    expressions: &[Expr],
    schema: &Schema,
    without: &[String],
) -> Result<Vec<Expr>> {
    let without = without.iter().map(|name| name.as_str().into()).collect();
    let select = |selector: &Selector| selector.into_columns(schema, &without);
    let mut expanded = Vec::with_capacity(expressions.len());
    for expression in expressions {
        // `sum_horizontal([all()])` is one sum, of all columns.
        let of_rows = expression.clone().try_map_expr(|part| match part {
            Expr::Function { input, function } if is_of_rows(&function) => {
                let mut inputs = Vec::with_capacity(input.len());
                for input in &input {
                    inputs.extend(one_by_one(input, select)?);
                }
                Ok(Expr::Function {
                    input: inputs,
                    function,
                })
            }
            part => Ok(part),
        });
        let found = of_rows.and_then(|expression| one_by_one(&expression, select));
        expanded.extend(found.map_err(|error| named(error, "", &[expressions], schema))?);
    }
    Ok(expanded)
}

/// Returns the expression once for each column that it selects. Several selections of
/// equal length are paired; for different lengths Polars reports the error.
fn one_by_one<C: IntoIterator<Item = PlSmallStr>>(
    expression: &Expr,
    select: impl Fn(&Selector) -> PolarsResult<C>,
) -> PolarsResult<Vec<Expr>> {
    let mut selected: Vec<(&Selector, Vec<PlSmallStr>)> = Vec::new();
    for part in expression {
        if let Expr::Selector(selector) = part
            && selected.iter().all(|(known, _)| *known != selector)
        {
            selected.push((selector, select(selector)?.into_iter().collect()));
        }
    }
    let lengths = selected.iter().map(|(_, names)| names.len());
    let count = lengths.clone().find(|length| *length != 1).unwrap_or(1);
    if lengths
        .into_iter()
        .any(|length| length != 1 && length != count)
    {
        return Ok(vec![expression.clone()]);
    }
    let column = |selector: &Selector, at: usize| {
        let (_, names) = selected.iter().find(|(known, _)| *known == selector)?;
        Some(Expr::Column(names[at.min(names.len() - 1)].clone()))
    };
    let of = |at| {
        expression.clone().map_expr(|part| match &part {
            Expr::Selector(selector) => column(selector, at).unwrap_or(part),
            _ => part,
        })
    };
    Ok((0..count).map(of).collect())
}

/// Returns whether a function takes all columns of a selection at once.
fn is_of_rows(function: &FunctionExpr) -> bool {
    use FunctionExpr::{
        Boolean, Coalesce, FoldHorizontal, ListExpr, MaxHorizontal, MeanHorizontal, MinHorizontal,
        ReduceHorizontal, SumHorizontal,
    };
    matches!(
        function,
        Boolean(BooleanFunction::AnyHorizontal | BooleanFunction::AllHorizontal)
            | Coalesce
            | FoldHorizontal { .. }
            | ListExpr(ListFunction::Concat)
            | MaxHorizontal
            | MeanHorizontal { .. }
            | MinHorizontal
            | ReduceHorizontal { .. }
            | SumHorizontal { .. }
    )
}

/// Returns the type of an expression's values.
pub(crate) fn dtype(expression: &Expr, schema: &Schema) -> Option<DataType> {
    let schema = empty(schema)
        .select([expression.clone()])
        .collect_schema()
        .ok()?;
    schema.get_at_index(0).map(|(_, dtype)| dtype.clone())
}

/// Turns Polars' error about names into the error that lists the columns.
pub(crate) fn named(
    error: PolarsError,
    context: &str,
    expressions: &[&[Expr]],
    schema: &Schema,
) -> Error {
    let error = innermost(error);
    let message = match &error {
        PolarsError::ColumnNotFound(message) | PolarsError::SchemaFieldNotFound(message) => message,
        _ => return error.into(),
    };
    let unknown = expressions
        .iter()
        .flat_map(|expressions| expressions.iter())
        .flat_map(mentioned)
        .find(|name| schema.get(name).is_none());
    let name = unknown.unwrap_or_else(|| {
        let quoted = message.split(['"', '\'']).nth(1);
        quoted.unwrap_or(message).to_owned()
    });
    let is_operand = |expression: &Expr| is_operand(expression, &name);
    Error::Column {
        may_be_text: expressions.iter().copied().flatten().any(is_operand),
        context: context.to_owned(),
        available: names(schema),
        name,
    }
}

/// Returns whether a column's name stands where the user may have meant a text: on the
/// right of an operator, or after a function's first argument.
fn is_operand(expression: &Expr, name: &str) -> bool {
    let is_it = |part: &Expr| matches!(part, Expr::Column(column) if column == name);
    expression.into_iter().any(|part| match part {
        Expr::BinaryExpr { right, .. } => is_it(right),
        Expr::Function { input, function } if !is_of_rows(function) => {
            input.iter().skip(1).any(is_it)
        }
        Expr::Ternary { truthy, falsy, .. } => is_it(truthy) || is_it(falsy),
        _ => false,
    })
}

/// Returns the error about a column that a frame does not have.
pub(crate) fn no_column(name: &str, context: &str, schema: &Schema) -> Error {
    Error::Column {
        name: name.to_owned(),
        context: context.to_owned(),
        available: names(schema),
        may_be_text: false,
    }
}

/// Returns the names of a schema.
pub(crate) fn names(schema: &Schema) -> Vec<String> {
    schema.iter_names().map(ToString::to_string).collect()
}

/// Returns a schema with some columns of another one, in the order of `columns`.
pub(crate) fn project(schema: &Schema, columns: &[String], context: &str) -> Result<SchemaRef> {
    let fields = columns
        .iter()
        .map(|name| match schema.get(name) {
            Some(dtype) => Ok((name.as_str().into(), dtype.clone())),
            None => Err(no_column(name, context, schema)),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Schema::from_iter(fields)))
}

fn mentioned(expression: &Expr) -> Vec<String> {
    let mut names = Vec::new();
    for part in expression {
        match part {
            Expr::Column(name) => names.push(name.to_string()),
            Expr::Selector(Selector::ByName { names: several, .. }) => {
                names.extend(several.iter().map(ToString::to_string));
            }
            _ => {}
        }
    }
    names
}

/// Returns whether an expression calls a user's function.
pub(crate) fn has_function(expression: &Expr) -> bool {
    expression
        .into_iter()
        .any(|part| matches!(part, Expr::AnonymousFunction { function, .. } if !is_exact(function)))
}

/// Removes the query plans that Polars wraps around an error.
pub(crate) fn innermost(mut error: PolarsError) -> PolarsError {
    loop {
        error = match error {
            PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => *error,
            error => {
                return error.wrap_msg(|message| {
                    let plan = message.find("\n\nResolved plan until failure");
                    message[..plan.unwrap_or(message.len())].to_owned()
                });
            }
        };
    }
}
