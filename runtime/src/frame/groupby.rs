//! Groups and aggregates rows.

use super::aggregate::{Decomposed, decompose};
use super::dataframe::DataFrame;
use super::engine::{empty, expand, is_row_by_row, names, resolve};
use super::exact::{exact, guarded, widened};
use super::expr::IntoExprs;
use super::partitions::Partitions;
use super::shuffle::{Target, shuffle};
use super::step::{GroupBy, NamedStep, Step};
use crate::error::{Error, Result};
use polars::prelude::{AggExpr, DataType, Expr, Schema, col, len};
use std::fmt;

/// The rows of a frame in groups, to be aggregated.
///
/// Results have one row for each group, in the order of the keys. A null is a key like
/// any other and comes first. Sums, counts, means, minima, maxima, first and last
/// values, variances and expressions of these are computed by partition and then
/// combined. Everything else (a median, `n_unique`, a function of yours) is computed on
/// whole groups, which are first brought into one partition by the hash of their keys.
#[doc(alias("GroupBy", "DataFrameGroupBy"))]
#[derive(Clone)]
pub struct GroupedFrame {
    frame: DataFrame,
    keys: Vec<Expr>,
}

impl GroupedFrame {
    pub(super) fn new(frame: DataFrame, keys: Vec<Expr>) -> Self {
        Self { frame, keys }
    }

    /// Returns the frame that is grouped.
    pub(crate) fn frame(&self) -> &DataFrame {
        &self.frame
    }

    /// Aggregates each group: `agg([col("age").mean().alias("mean_age"), len()])`.
    #[doc(alias = "aggregate")]
    pub fn agg(&self, aggregations: impl IntoExprs) -> DataFrame {
        self.aggregated(aggregations.into_exprs(), "agg")
    }

    fn aggregated(&self, aggregations: Vec<Expr>, name: &str) -> DataFrame {
        let name = format!("groupby-{name}");
        let plan = self.frame.plan().and_then(|plan| {
            if self.keys.is_empty() {
                return Err(Error::Argument(
                    "cannot group by no columns: pass at least one".to_owned(),
                ));
            }
            aggregate(plan, &self.keys, &aggregations, &name)
        });
        DataFrame::from_plan(plan)
    }

    /// Aggregates every column whose type `which` accepts, except the keys.
    fn each(&self, name: &str, which: fn(&DataType) -> bool, of: fn(Expr) -> Expr) -> DataFrame {
        let aggregations = self.frame.plan().and_then(|plan| {
            let keys = self.key_names(plan)?;
            Ok(plan
                .schema
                .iter()
                .filter(|(column, dtype)| {
                    !keys.iter().any(|key| key == column.as_str()) && which(dtype)
                })
                .map(|(column, _)| of(col(column.clone())))
                .collect())
        });
        match aggregations {
            Ok(aggregations) => self.aggregated(aggregations, name),
            Err(error) => DataFrame::from_plan(Err(error)),
        }
    }

    fn key_names(&self, plan: &Partitions) -> Result<Vec<String>> {
        let query = empty(&plan.schema).select(&self.keys);
        let schema = resolve(query, " in group_by", &[&self.keys], &plan.schema)?;
        Ok(names(&schema))
    }

    /// Computes the means of the numeric columns.
    pub fn mean(&self) -> DataFrame {
        self.each("mean", is_number, Expr::mean)
    }

    /// Computes the sums of the numeric columns.
    pub fn sum(&self) -> DataFrame {
        self.each("sum", is_number, Expr::sum)
    }

    /// Computes the minima of all columns.
    pub fn min(&self) -> DataFrame {
        self.each("min", is_any, Expr::min)
    }

    /// Computes the maxima of all columns.
    pub fn max(&self) -> DataFrame {
        self.each("max", is_any, Expr::max)
    }

    /// Computes the standard deviations (ddof 1) of the numeric columns.
    pub fn std(&self) -> DataFrame {
        self.each("std", is_number, |column| column.std(1))
    }

    /// Computes the variances (ddof 1) of the numeric columns.
    pub fn var(&self) -> DataFrame {
        self.each("var", is_number, |column| column.var(1))
    }

    /// Computes the medians of the numeric columns.
    pub fn median(&self) -> DataFrame {
        self.each("median", is_number, Expr::median)
    }

    /// Counts the values of each column that are not null.
    pub fn count(&self) -> DataFrame {
        self.each("count", is_any, Expr::count)
    }

    /// Returns the first value of each column.
    pub fn first(&self) -> DataFrame {
        self.each("first", is_any, Expr::first)
    }

    /// Returns the last value of each column.
    pub fn last(&self) -> DataFrame {
        self.each("last", is_any, Expr::last)
    }

    /// Counts the distinct values of each column.
    #[doc(alias = "nunique")]
    pub fn n_unique(&self) -> DataFrame {
        self.each("n-unique", is_any, Expr::n_unique)
    }

    /// Counts the rows of each group, in a column `len`.
    #[allow(
        clippy::len_without_is_empty,
        reason = "the lengths of groups, not a length"
    )]
    pub fn len(&self) -> DataFrame {
        self.aggregated(vec![len()], "len")
    }

    /// Counts the rows of each group, in a column `size`, the name that pandas uses.
    pub fn size(&self) -> DataFrame {
        self.aggregated(vec![len().alias("size")], "size")
    }
}

impl fmt::Debug for GroupedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} grouped by {:?}", self.frame, self.keys)
    }
}

fn is_number(dtype: &DataType) -> bool {
    dtype.is_numeric()
}

fn is_any(_: &DataType) -> bool {
    true
}

/// Aggregates the groups of rows with equal keys. Without keys, all rows form one
/// group.
pub(super) fn aggregate(
    plan: &Partitions,
    keys: &[Expr],
    aggregations: &[Expr],
    name: &str,
) -> Result<Partitions> {
    let schema = &plan.schema;
    let context = if keys.is_empty() { "" } else { " in group_by" };
    let keys = exact(&expand(keys, schema, &[])?, schema)?;
    let key_schema = resolve(empty(schema).select(&keys), context, &[&keys], schema)?;
    let key_names = names(&key_schema);
    let aggregations = widened(&expand(aggregations, schema, &key_names)?, schema)?;
    let guarded = guarded(&aggregations, schema);
    if aggregations.is_empty() {
        return Err(Error::Argument(format!(
            "nothing to aggregate for {name}: the columns are {:?}",
            names(schema)
        )));
    }
    let whole = GroupBy {
        keys: keys.clone(),
        aggregations: guarded.clone(),
        then: Vec::new(),
        sorted: key_names.clone(),
    };
    let result = resolve(
        Step::GroupBy(whole.clone()).query(empty(schema)),
        " in agg",
        &[&keys, &guarded],
        schema,
    )?;
    let name = self_named(name, &aggregations);
    let named = |suffix: &str, groups: GroupBy| NamedStep {
        name: format!("{name}{suffix}"),
        step: Step::GroupBy(groups),
    };

    let by_partition = is_row_by_row_or_none(schema, &keys)
        .then(|| decompose(&aggregations, schema))
        .flatten();
    if let Some(decomposed) = by_partition {
        let results: Vec<(String, DataType)> = result
            .iter()
            .skip(keys.len())
            .map(|(name, dtype)| (name.to_string(), dtype.clone()))
            .collect();
        if let Some(plan) = in_a_tree(plan, &whole, decomposed, &results, &named)? {
            return Ok(Partitions {
                schema: result,
                ..plan
            });
        }
    }
    if keys.is_empty() || plan.npartitions() == 1 || !is_row_by_row(schema, &keys) {
        return Ok(plan.whole(named("", whole), result));
    }
    let target = Target::Hash(keys);
    let gathered = shuffle(plan, target, plan.npartitions())?;
    let groups = gathered.each(
        named(
            "-groups",
            GroupBy {
                sorted: Vec::new(),
                ..whole
            },
        ),
        result.clone(),
    );
    let sorted = NamedStep {
        name: name.clone(),
        step: Step::Sort(super::step::SortBy {
            descending: vec![false; key_names.len()],
            columns: key_names,
        }),
    };
    Ok(groups.whole(sorted, result))
}

/// Computes partial results of each partition, and combines a few at a time.
fn in_a_tree(
    plan: &Partitions,
    whole: &GroupBy,
    decomposed: Decomposed,
    results: &[(String, DataType)],
    named: &dyn Fn(&str, GroupBy) -> NamedStep,
) -> Result<Option<Partitions>> {
    let keys: Vec<Expr> = whole.sorted.iter().map(|name| col(name.as_str())).collect();
    let partial = GroupBy {
        aggregations: decomposed.partial,
        sorted: Vec::new(),
        ..whole.clone()
    };
    let combine = GroupBy {
        keys: keys.clone(),
        aggregations: decomposed.combine,
        then: Vec::new(),
        sorted: Vec::new(),
    };
    let slots = resolve(
        Step::GroupBy(partial.clone()).query(empty(&plan.schema)),
        "",
        &[],
        &plan.schema,
    )?;
    let mut then = keys;
    for (last, (name, dtype)) in decomposed.last.into_iter().zip(results) {
        then.push(last.strict_cast(dtype.clone()).alias(name.as_str()));
    }
    // Functions of aggregations that depend on more than one group do not decompose
    // after all.
    let combined = resolve(
        Step::GroupBy(combine.clone()).query(empty(&slots)),
        "",
        &[],
        &slots,
    )?;
    if !is_row_by_row(&combined, &then) {
        return Ok(None);
    }
    let last = GroupBy {
        then,
        sorted: whole.sorted.clone(),
        ..combine.clone()
    };
    let parts = plan.each(named("-chunk", partial), slots.clone());
    Ok(Some(parts.tree(
        named("-combine", combine),
        slots.clone(),
        named("", last),
        slots,
    )))
}

fn is_row_by_row_or_none(schema: &Schema, keys: &[Expr]) -> bool {
    keys.is_empty() || is_row_by_row(schema, keys)
}

/// Returns `groupby-mean` for an `agg` of means only.
fn self_named(name: &str, aggregations: &[Expr]) -> String {
    let Some(prefix) = name.strip_suffix("agg") else {
        return name.to_owned();
    };
    let mut kinds = aggregations.iter().map(kind);
    match kinds.next().flatten() {
        Some(first) if kinds.all(|kind| kind == Some(first)) => format!("{prefix}{first}"),
        _ => name.to_owned(),
    }
}

fn kind(aggregation: &Expr) -> Option<&'static str> {
    Some(match aggregation {
        Expr::Alias(inner, _) => kind(inner)?,
        Expr::Len => "len",
        Expr::Agg(aggregation) => match aggregation {
            AggExpr::Min { .. } => "min",
            AggExpr::Max { .. } => "max",
            AggExpr::Median(_) => "median",
            AggExpr::NUnique(_) => "n-unique",
            AggExpr::First(_) => "first",
            AggExpr::Last(_) => "last",
            AggExpr::Mean(_) => "mean",
            AggExpr::Count { .. } => "count",
            AggExpr::Sum(_) => "sum",
            AggExpr::Std(..) => "std",
            AggExpr::Var(..) => "var",
            _ => return None,
        },
        _ => return None,
    })
}
