//! Aggregates by partition: computes partial results of each partition, combines them,
//! and derives the final result.
//!
//! A *slot* is a column of partial results. `mean` has two, a sum and a count.
//! Expressions of aggregations (`a.sum() / b.sum()`) are computed from their slots at
//! the end. The three slots of the variance are combined as in Chan, Golub and LeVeque
//! ("Updating formulae and a pairwise algorithm for computing sample variances", 1979),
//! without a sum of squares, which would cancel.

use super::engine::{dtype, is_row_by_row};
use super::exact::{is_exact, is_wide, proven_sum, sum_in_floats, wrapped_sum};
use super::step::where_or_null;
use polars::prelude::{AggExpr, DataType, Expr, LiteralValue, Schema, col, len, lit};
use std::sync::Arc;

/// Aggregations that decompose.
pub(super) struct Decomposed {
    /// Computes slots from a partition's rows.
    pub(super) partial: Vec<Expr>,
    /// Combines slots into the same slots.
    pub(super) combine: Vec<Expr>,
    /// Computes the aggregations from slots.
    pub(super) last: Vec<Expr>,
}

/// Decomposes aggregations. Returns `None` if one of them does not decompose (a median,
/// a function of the user's).
pub(super) fn decompose(aggregations: &[Expr], schema: &Schema) -> Option<Decomposed> {
    let mut slots = Slots {
        schema,
        partial: Vec::new(),
        combine: Vec::new(),
    };
    let last = aggregations
        .iter()
        .map(|aggregation| slots.aggregation(aggregation))
        .collect::<Option<_>>()?;
    Some(Decomposed {
        partial: slots.partial,
        combine: slots.combine,
        last,
    })
}

struct Slots<'a> {
    schema: &'a Schema,
    partial: Vec<Expr>,
    combine: Vec<Expr>,
}

fn slot(number: usize) -> Expr {
    col(format!("·{number}"))
}

impl Slots<'_> {
    /// Adds a slot, or reuses an equal one that another aggregation added.
    fn add(&mut self, partial: Expr, combine: impl FnOnce(Expr) -> Expr) -> Expr {
        let known = self
            .partial
            .iter()
            .position(|known| matches!(known, Expr::Alias(known, _) if **known == partial));
        let number = known.unwrap_or(self.partial.len());
        if known.is_none() {
            let name = format!("·{number}");
            self.combine
                .push(combine(slot(number)).alias(name.as_str()));
            self.partial.push(partial.alias(name.as_str()));
        }
        slot(number)
    }

    fn aggregation(&mut self, expression: &Expr) -> Option<Expr> {
        Some(match expression {
            // The caller names the results.
            Expr::Alias(inner, _) | Expr::KeepName(inner) => self.aggregation(inner)?,
            Expr::RenameAlias { expr, .. } => self.aggregation(expr)?,
            Expr::Literal(LiteralValue::Dyn(_) | LiteralValue::Scalar(_)) => expression.clone(),
            Expr::BinaryExpr { left, op, right } => Expr::BinaryExpr {
                left: Arc::new(self.aggregation(left)?),
                op: *op,
                right: Arc::new(self.aggregation(right)?),
            },
            Expr::Cast {
                expr,
                dtype,
                options,
            } => Expr::Cast {
                expr: Arc::new(self.aggregation(expr)?),
                dtype: dtype.clone(),
                options: *options,
            },
            Expr::Ternary {
                predicate,
                truthy,
                falsy,
            } => Expr::Ternary {
                predicate: Arc::new(self.aggregation(predicate)?),
                truthy: Arc::new(self.aggregation(truthy)?),
                falsy: Arc::new(self.aggregation(falsy)?),
            },
            // The final expressions are checked as a whole later for whether they work
            // on each value by itself.
            Expr::Function { input, function } => Expr::Function {
                input: input
                    .iter()
                    .map(|input| self.aggregation(input))
                    .collect::<Option<_>>()?,
                function: function.clone(),
            },
            Expr::AnonymousFunction {
                input,
                function,
                options,
                fmt_str,
            } if is_exact(function) => Expr::AnonymousFunction {
                input: input
                    .iter()
                    .map(|input| self.aggregation(input))
                    .collect::<Option<_>>()?,
                function: function.clone(),
                options: *options,
                fmt_str: fmt_str.clone(),
            },
            Expr::Len => self.rows(),
            Expr::Agg(aggregation) => self.simple(aggregation)?,
            _ => return None,
        })
    }

    fn rows(&mut self) -> Expr {
        self.add(len().cast(DataType::Int64), Expr::sum)
    }

    fn simple(&mut self, aggregation: &AggExpr) -> Option<Expr> {
        match aggregation {
            AggExpr::Count {
                input,
                include_nulls: true,
            } => {
                let input = self.input(input)?;
                Some(self.add(input.len().cast(DataType::Int64), Expr::sum))
            }
            AggExpr::Count { input, .. } => {
                let input = self.input(input)?;
                Some(self.count(&input))
            }
            AggExpr::Sum(input) => {
                let input = self.number(input)?;
                Some(self.sum(input))
            }
            AggExpr::Mean(input) => {
                let input = self.number(input)?;
                let count = self.count(&input);
                let sum = self.sum(input.cast(DataType::Float64));
                Some(where_or_null(count.clone().gt(lit(0)), sum / count))
            }
            AggExpr::Var(input, ddof) => self.variance(input, *ddof),
            AggExpr::Std(input, ddof) => Some(self.variance(input, *ddof)?.sqrt()),
            AggExpr::Min {
                input,
                propagate_nans,
            } => {
                let propagate_nans = *propagate_nans;
                let min = |input: Expr| {
                    Expr::Agg(AggExpr::Min {
                        input: Arc::new(input),
                        propagate_nans,
                    })
                };
                Some(self.add(min(self.input(input)?), min))
            }
            AggExpr::Max {
                input,
                propagate_nans,
            } => {
                let propagate_nans = *propagate_nans;
                let max = |input: Expr| {
                    Expr::Agg(AggExpr::Max {
                        input: Arc::new(input),
                        propagate_nans,
                    })
                };
                Some(self.add(max(self.input(input)?), max))
            }
            AggExpr::First(input) => Some(self.end(input, Expr::first)?),
            AggExpr::Last(input) => Some(self.end(input, Expr::last)?),
            AggExpr::FirstNonNull(input) => {
                let partial = self.input(input)?.first_non_null();
                Some(self.add(partial, Expr::first_non_null))
            }
            AggExpr::LastNonNull(input) => {
                let partial = self.input(input)?.last_non_null();
                Some(self.add(partial, Expr::last_non_null))
            }
            _ => None,
        }
    }

    /// Returns the input if it is computed from each row by itself. A filter may come
    /// first.
    fn input(&self, input: &Expr) -> Option<Expr> {
        let parts = match input {
            Expr::Filter { input, by } => vec![(**input).clone(), (**by).clone()],
            input => vec![input.clone()],
        };
        parts
            .iter()
            .all(|part| is_row_by_row(self.schema, std::slice::from_ref(part)))
            .then(|| input.clone())
    }

    fn number(&self, input: &Expr) -> Option<Expr> {
        let input = self.input(input)?;
        match dtype(&input, self.schema)? {
            DataType::Boolean => Some(input.cast(DataType::Int64)),
            dtype if dtype.is_primitive_numeric() => Some(input),
            _ => None,
        }
    }

    fn count(&mut self, input: &Expr) -> Expr {
        self.add(input.clone().count().cast(DataType::Int64), Expr::sum)
    }

    /// Adds up, and for integers adds up as floats as well. Only the final sum must fit,
    /// so the partitioning makes no difference.
    fn sum(&mut self, input: Expr) -> Expr {
        let schema = self.schema;
        match dtype(&input, schema) {
            Some(of) if is_wide(&of) => {
                let sum = self.add(wrapped_sum(&input, &of, schema), Expr::sum);
                let floats = self.add(sum_in_floats(&input, &of, schema), Expr::sum);
                proven_sum(sum, floats, &input, &of)
            }
            _ => self.add(input.sum(), Expr::sum),
        }
    }

    /// Returns the first or last value, ignoring partitions without rows.
    fn end(&mut self, input: &Expr, end: fn(Expr) -> Expr) -> Option<Expr> {
        let input = self.input(input)?;
        let rows = match &input {
            Expr::Filter { .. } => self.add(input.clone().len().cast(DataType::Int64), Expr::sum),
            _ => self.rows(),
        };
        Some(self.add(end(input), |slot| end(slot.filter(rows.gt(lit(0))))))
    }

    fn variance(&mut self, input: &Expr, ddof: u8) -> Option<Expr> {
        let input = self.number(input)?.cast(DataType::Float64);
        let count = self.count(&input);
        let mean = self.add(input.clone().mean().fill_null(lit(0.0)), |mean| {
            // Without values: 0, as in the partitions.
            let of_all = (mean * count.clone()).sum() / count.clone().sum();
            where_or_none(count.clone().sum().gt(lit(0)), of_all)
        });
        // The sum of squared distances from the mean.
        let partial =
            input.clone().var(0).fill_null(lit(0.0)) * input.count().cast(DataType::Float64);
        let squares = self.add(partial, |squares| {
            let of_all = where_or_none(
                count.clone().sum().gt(lit(0)),
                (mean.clone() * count.clone()).sum() / count.clone().sum(),
            );
            let distance = mean.clone() - of_all;
            squares.sum() + (count.clone() * distance.clone() * distance).sum()
        });
        let freedom = count.clone() - lit(i64::from(ddof));
        Some(where_or_null(freedom.clone().gt(lit(0)), squares / freedom))
    }
}

fn where_or_none(condition: Expr, value: Expr) -> Expr {
    polars::prelude::when(condition)
        .then(value)
        .otherwise(lit(0.0))
}
