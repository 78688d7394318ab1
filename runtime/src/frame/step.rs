//! Operations from frames to a frame: the nodes of a frame's graph.

use super::chunk;
use super::engine::{collect, names};
use super::exact::{read_all, read_one};
use super::join::JoinType;
use crate::error::{Error, Result};
use crate::graph::{Arguments, Block, EncodedOperation, Operation, Value};
use polars::prelude::{
    DataFrame as Frame, DataType, Expr, IntoLazy, LazyFrame, PlSmallStr, Schema,
    SortMultipleOptions, UniqueKeepStrategy, col, lit, when,
};
use serde::{Deserialize, Serialize};

/// The operation of a task on its inputs, which are stacked one below the
/// other. As data, it can be displayed, hashed and sent to other processes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Only stacks the inputs.
    Concat,
    /// Keeps the rows for which the expression is true.
    Filter(#[serde(deserialize_with = "read_one")] Expr),
    /// Computes the expressions.
    Select(#[serde(deserialize_with = "read_all")] Vec<Expr>),
    /// Adds or replaces columns.
    WithColumns(#[serde(deserialize_with = "read_all")] Vec<Expr>),
    /// Keeps some columns.
    Project(Vec<String>),
    /// Renames columns.
    Rename(Vec<String>, Vec<String>),
    /// Keeps the first rows.
    Head(usize),
    /// Keeps the last rows.
    Tail(usize),
    /// Cuts the frame into `of` pieces of nearly equal height, and keeps piece
    /// `at`.
    Piece { at: usize, of: usize },
    /// Sorts the rows; equal rows keep their order.
    Sort(SortBy),
    /// Keeps the first of the rows that are equal in some columns.
    Unique(Vec<String>),
    /// Computes one row for each group, in the order of the groups.
    GroupBy(GroupBy),
    /// Joins matching rows. The first input is the left frame, the second one
    /// the right frame.
    Join(JoinOn),
    /// Computes statistics of the columns.
    Describe,
}

/// The columns by which rows are sorted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SortBy {
    pub(crate) columns: Vec<String>,
    pub(crate) descending: Vec<bool>,
}

/// The keys of groups, and the aggregations to compute for each group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct GroupBy {
    /// If empty, the whole frame is one group.
    #[serde(deserialize_with = "read_all")]
    pub(crate) keys: Vec<Expr>,
    #[serde(deserialize_with = "read_all")]
    pub(crate) aggregations: Vec<Expr>,
    /// Expressions to compute from the result.
    #[serde(deserialize_with = "read_all")]
    pub(crate) then: Vec<Expr>,
    /// The columns by which the result is sorted, if any.
    pub(crate) sorted: Vec<String>,
}

/// The columns that must match.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JoinOn {
    pub(crate) columns: Vec<String>,
    pub(crate) how: JoinType,
}

/// A step with the name that views show.
#[derive(Serialize, Deserialize)]
pub(crate) struct NamedStep {
    pub(crate) name: String,
    pub(crate) step: Step,
}

impl Operation for NamedStep {
    fn name(&self) -> &str {
        &self.name
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(&self.step)
    }

    fn run(&self, block: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        self.step.run(block, inputs)
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "frame/named-step")
    }
}

impl Operation for Step {
    fn name(&self) -> &str {
        match self {
            Self::Concat => "concat",
            Self::Filter(_) => "filter",
            Self::Select(_) | Self::Project(_) => "select",
            Self::WithColumns(_) => "with-columns",
            Self::Rename(..) => "rename",
            Self::Head(_) => "head",
            Self::Tail(_) => "tail",
            Self::Piece { .. } => "repartition",
            Self::Sort(_) => "sort",
            Self::Unique(_) => "unique",
            Self::GroupBy(_) => "groupby",
            Self::Join(_) => "join",
            Self::Describe => "describe",
        }
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, mut inputs: Vec<Value>) -> Result<Value> {
        if let Self::Join(on) = self {
            let right = inputs.pop().map(chunk::frame).transpose()?;
            let left = chunk::concat(inputs)?;
            return Ok(chunk::value(on.join(left, right.unwrap_or_default())?));
        }
        Ok(chunk::value(self.apply(chunk::concat(inputs)?)?))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "frame/step")
    }
}

impl Step {
    fn apply(&self, frame: Frame) -> Result<Frame> {
        match self {
            Self::Concat => Ok(frame),
            Self::Filter(predicate) => collect(frame.lazy().filter(predicate.clone())),
            Self::Select(expressions) => collect(frame.lazy().select(expressions)),
            Self::WithColumns(expressions) => collect(frame.lazy().with_columns(expressions)),
            Self::Project(columns) => Ok(frame.select(columns)?),
            Self::Rename(from, to) => collect(frame.lazy().rename(from, to, true)),
            Self::Head(n) => Ok(frame.head(Some(*n))),
            Self::Tail(n) => Ok(frame.tail(Some(*n))),
            Self::Piece { at, of } => {
                let rows = frame.height();
                let (start, end) = (rows * at / of, rows * (at + 1) / of);
                Ok(frame.slice(start as i64, end - start))
            }
            Self::Sort(by) => Ok(frame.sort(&by.columns, by.options())?),
            Self::Unique(columns) => {
                Ok(frame.unique_stable(Some(columns), UniqueKeepStrategy::First, None)?)
            }
            Self::GroupBy(groups) => groups.apply(frame),
            Self::Describe => describe(frame),
            Self::Join(_) => Err(Error::Argument("a join needs two frames".to_owned())),
        }
    }

    /// Returns the query from which the step's schema is derived.
    pub(crate) fn query(&self, frame: LazyFrame) -> LazyFrame {
        match self {
            Self::Filter(predicate) => frame.filter(predicate.clone()),
            Self::Select(expressions) => frame.select(expressions),
            Self::WithColumns(expressions) => frame.with_columns(expressions),
            Self::GroupBy(groups) => groups.query(frame),
            _ => frame,
        }
    }
}

impl SortBy {
    pub(crate) fn options(&self) -> SortMultipleOptions {
        SortMultipleOptions::default()
            .with_order_descending_multi(self.descending.iter().copied())
            .with_maintain_order(true)
    }
}

impl GroupBy {
    fn query(&self, frame: LazyFrame) -> LazyFrame {
        let aggregated = if self.keys.is_empty() {
            frame.select(&self.aggregations)
        } else {
            frame.group_by(&self.keys).agg(&self.aggregations)
        };
        if self.then.is_empty() {
            aggregated
        } else {
            aggregated.select(&self.then)
        }
    }

    fn apply(&self, frame: Frame) -> Result<Frame> {
        let result = collect(self.query(frame.lazy()))?;
        if self.sorted.is_empty() {
            return Ok(result);
        }
        Ok(result.sort(&self.sorted, SortMultipleOptions::default())?)
    }
}

impl JoinOn {
    fn join(&self, left: Frame, right: Frame) -> Result<Frame> {
        collect(self.query(left.lazy(), right.lazy()))
    }

    pub(crate) fn query(&self, left: LazyFrame, right: LazyFrame) -> LazyFrame {
        let on: Vec<Expr> = self.columns.iter().map(|name| col(name.as_str())).collect();
        left.join(right, &on, &on, self.how.args())
    }
}

const STATISTICS: [&str; 9] = [
    "count",
    "null_count",
    "mean",
    "std",
    "min",
    "25%",
    "50%",
    "75%",
    "max",
];

fn describe(frame: Frame) -> Result<Frame> {
    use polars::prelude::{QuantileMethod, UnionArgs, concat as rows};
    let columns = names(frame.schema());
    let queries: Vec<LazyFrame> = STATISTICS
        .iter()
        .map(|&statistic| {
            let mut expressions = vec![lit(statistic).alias("statistic")];
            expressions.extend(columns.iter().map(|name| {
                let column = col(name.as_str());
                let quantile = |q: f64| column.clone().quantile(lit(q), QuantileMethod::Linear);
                match statistic {
                    "count" => column.count(),
                    "null_count" => column.null_count(),
                    "mean" => column.mean(),
                    "std" => column.std(1),
                    "min" => column.min(),
                    "25%" => quantile(0.25),
                    "50%" => quantile(0.5),
                    "75%" => quantile(0.75),
                    _ => column.max(),
                }
                .cast(DataType::Float64)
            }));
            frame.clone().lazy().select(&expressions)
        })
        .collect();
    collect(rows(queries, UnionArgs::default())?)
}

/// Returns the schema of the result of [`Step::Describe`].
pub(crate) fn described(schema: &Schema) -> Schema {
    std::iter::once((PlSmallStr::from("statistic"), DataType::String))
        .chain(
            schema
                .iter_names()
                .map(|name| (name.clone(), DataType::Float64)),
        )
        .collect()
}

/// Returns `value` where the condition holds, and null elsewhere.
pub(crate) fn where_or_null(condition: Expr, value: Expr) -> Expr {
    when(condition)
        .then(value)
        .otherwise(lit(polars::prelude::NULL))
}
