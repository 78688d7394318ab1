//! The partitioned data frame.

use super::chunk;
use super::engine::{empty, names, no_column, project, resolve};
use super::exact::exact;
use super::expr::{IntoExprs, IntoNames};
use super::groupby::GroupedFrame;
use super::partitions::{Partitions, listed, same_columns};
use super::scalar::FrameScalar;
use super::series::Series;
use super::sort::{IntoOrders, Order};
use super::step::{Step, described};
use crate::compute::Collection;
use crate::error::{Error, Result};
use crate::graph::{
    Arguments, Block, ChunkValue, Data, Fingerprint, Grid, Layer, Operation, Value,
};
use polars::prelude::{
    DataFrame as Frame, DataType, Expr, IpcWriter, Schema, SchemaRef, SerWriter, col, len,
};
use std::fmt;
use std::sync::Arc;

/// A data frame in partitions. It describes a computation that has not run yet.
///
/// Methods describe another frame and run nothing. They accept Polars' expressions, with Polars'
/// semantics. Rows keep their order unless a method says otherwise. Names and types are checked as
/// soon as they are described. The error is returned by the call that finally uses the frame:
/// [`compute`](Collection::compute), [`persist`](Collection::persist), [`head`](Self::head),
/// [`schema`](Self::schema), or its display.
///
/// Integer results differ from Polars' where Polars would silently return a wrong number:
///
/// - Sums and products, including running ones, have 64 bits as in NumPy, pandas and Dask: `i64`
///   for signed integers and booleans, `u64` for unsigned integers. (Polars uses `u32` for
///   booleans, `i64` for signed and unsigned integers of 8 and 16 bits, and the column's own type
///   for others: there, three `i32` of 2,000,000,000 add up to 1,705,032,704.) A result beyond 64
///   bits is [`Error::Overflow`].
/// - `+`, `-`, `*`, `-x`, `abs`, `diff` and `pow` of integers, and divisions by -1, fail if the
///   result does not fit their type. Cast first: `col("a").cast(DataType::Int64) * lit(1_000_000)`.
///   The numbers of `df!` are `i32`. Sums of unsigned integers are `u64`, which has no negative
///   numbers. In `when(…).then(…)` and after `.and(…)`, only the rows for which the condition holds
///   are checked.
/// - Comparisons of `i64` and `u64` with each other and with floats are exact, in columns and in
///   literals, also in `is_between` and `is_in_values`. Polars converts both sides to floats.
/// - Where Polars converts `u64` and signed integers to floats because they meet (`+`, `when`,
///   `max_horizontal`, `coalesce`), a value that no float represents exactly is an error.
///
/// Means, variances and quantiles are `f64`, which rounds integers beyond 2⁵³.
///
/// ```
/// use swath::frame::DataFrame;
/// use swath::polars::{df, prelude::{col, lit}};
/// use swath::{Collection, Error};
/// let users = DataFrame::from_polars(
///     df!("age" => [24, 53, 23, 30], "sex" => ["M", "F", "M", "F"])?,
///     2,
/// );
/// let means = users.filter(col("age").gt(lit(23))).group_by("sex").mean().compute()?;
/// assert_eq!(means, df!("sex" => ["F", "M"], "age" => [41.5, 24.0])?);
/// let wrong = users.filter(col("agee").gt(lit(23))).head(5);
/// assert!(matches!(wrong, Err(Error::Column { name, .. }) if name == "agee"));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct DataFrame {
    pub(super) plan: Result<Partitions>,
}

impl DataFrame {
    /// Creates a frame from an eager one, cut into `npartitions` pieces of nearly equal height.
    #[doc(alias = "from_pandas")]
    pub fn from_polars(frame: Frame, npartitions: usize) -> Self {
        Self {
            plan: from_polars(frame, npartitions.max(1)),
        }
    }

    /// Creates a frame from existing partitions.
    ///
    /// # Errors
    /// Returns [`Error::Argument`] if there are no partitions, and [`Error::Type`] if their columns
    /// differ.
    pub fn from_partitions(partitions: Vec<Frame>) -> Result<Self> {
        let Some(first) = partitions.first() else {
            return Err(Error::Argument(
                "cannot make a frame of no partitions: pass at least one".to_owned(),
            ));
        };
        let schema = first.schema().clone();
        for (at, partition) in partitions.iter().enumerate() {
            check_columns(partition.schema(), &schema, || format!("partition {at}"))?;
        }
        Ok(Self {
            plan: from_frames(partitions, schema),
        })
    }

    pub(crate) fn from_plan(plan: Result<Partitions>) -> Self {
        Self { plan }
    }

    /// Returns the plan.
    pub(super) fn plan(&self) -> Result<&Partitions> {
        self.plan.as_ref().map_err(Clone::clone)
    }

    fn then(&self, next: impl FnOnce(&Partitions) -> Result<Partitions>) -> Self {
        Self {
            plan: self.plan().and_then(next),
        }
    }

    /// Returns the names and types of the columns.
    ///
    /// # Errors
    /// Returns the error that was found when the frame was described.
    #[doc(alias = "dtypes")]
    pub fn schema(&self) -> Result<Arc<Schema>> {
        Ok(self.plan()?.schema.clone())
    }

    /// Returns the names of the columns.
    ///
    /// # Errors
    /// Returns the error that was found when the frame was described.
    pub fn columns(&self) -> Result<Vec<String>> {
        Ok(names(&self.plan()?.schema))
    }

    /// Returns the number of partitions.
    ///
    /// # Errors
    /// Returns the error that was found when the frame was described.
    pub fn npartitions(&self) -> Result<usize> {
        Ok(self.plan()?.npartitions() as usize)
    }

    /// Returns a column.
    #[doc(alias("getitem", "get_column"))]
    pub fn column(&self, name: &str) -> Series {
        let frame = self.then(|plan| {
            let columns = [name.to_owned()];
            let schema = project(&plan.schema, &columns, "")?;
            Ok(plan.each(Step::Project(columns.into()), schema))
        });
        Series::new(name, frame)
    }

    /// Returns the rows for which an expression is true.
    ///
    /// An expression that needs more than one row (`col("x").gt(col("x").mean())`) is computed on
    /// the whole frame, in one partition.
    #[doc(alias("query", "loc", "where"))]
    #[must_use]
    pub fn filter(&self, predicate: Expr) -> Self {
        self.then(|plan| {
            let exact = exact(std::slice::from_ref(&predicate), &plan.schema)?;
            // Keeps the predicate as the user wrote it, because errors show it.
            let Ok([exact]) = <[Expr; 1]>::try_from(exact) else {
                return plan.by_row(Step::Filter(predicate.clone()), " in filter", &[predicate]);
            };
            let predicates = std::slice::from_ref(&exact);
            match super::engine::dtype(&predicate, &plan.schema) {
                Some(dtype) if dtype != DataType::Boolean => Err(Error::Type {
                    subject: format!("the filter `{predicate}`"),
                    found: format!("of type {dtype}"),
                    expected: "Boolean".to_owned(),
                }),
                _ => plan.by_row(Step::Filter(exact.clone()), " in filter", predicates),
            }
        })
    }

    /// Returns a new frame whose columns are expressions: `["a", "b"]`, `[col("a") + col("b")]`.
    ///
    /// An expression that needs more than one row (a cumulative sum, an aggregation) is computed on
    /// the whole frame, in one partition.
    #[must_use]
    pub fn select(&self, columns: impl IntoExprs) -> Self {
        self.select_exprs(columns.into_exprs())
    }

    // Generic methods are thin shells around methods with concrete types: only the shells are
    // compiled again in each cell.
    fn select_exprs(&self, columns: Vec<Expr>) -> Self {
        self.then(|plan| {
            let columns = exact(&columns, &plan.schema)?;
            let step = Step::Select(columns.clone());
            let mut selected = plan.by_row(step, " in select", &columns)?;
            if !columns
                .iter()
                .all(|column| matches!(column, Expr::Column(_)))
            {
                selected.nbytes = None;
            }
            Ok(selected)
        })
    }

    /// Returns the frame with additional columns. An expression with the name of an existing column
    /// replaces that column.
    #[doc(alias = "assign")]
    #[must_use]
    pub fn with_columns(&self, columns: impl IntoExprs) -> Self {
        self.with_columns_exprs(columns.into_exprs())
    }

    fn with_columns_exprs(&self, columns: Vec<Expr>) -> Self {
        self.then(|plan| {
            let mut columns = exact(&columns, &plan.schema)?;
            let added = resolve(
                empty(&plan.schema).select(&columns),
                " in with_columns",
                &[&columns],
                &plan.schema,
            )?;
            let step = Step::WithColumns(columns.clone());
            // The frame's own columns determine the number of rows, so literals may stand alone.
            columns.extend(
                names(&plan.schema)
                    .into_iter()
                    .filter(|name| !added.contains(name))
                    .map(col),
            );
            let mut wider = plan.by_row(step, " in with_columns", &columns)?;
            wider.nbytes = None;
            Ok(wider)
        })
    }

    /// Returns the frame with one more column: `frame.with_column("half", col("age") / lit(2))`.
    #[doc(alias = "assign")]
    #[must_use]
    pub fn with_column(&self, name: &str, values: Expr) -> Self {
        self.with_columns(values.alias(name))
    }

    /// Returns the frame without some columns.
    #[must_use]
    pub fn drop(&self, columns: impl IntoNames) -> Self {
        self.drop_names(columns.into_names())
    }

    fn drop_names(&self, dropped: Vec<String>) -> Self {
        self.then(|plan| {
            project(&plan.schema, &dropped, " in drop")?;
            let mut kept = names(&plan.schema);
            kept.retain(|name| !dropped.contains(name));
            let schema = project(&plan.schema, &kept, "")?;
            Ok(plan.each(Step::Project(kept), schema))
        })
    }

    /// Returns the frame with renamed columns: `rename(["a"], ["b"])`.
    #[must_use]
    pub fn rename(&self, from: impl IntoNames, to: impl IntoNames) -> Self {
        self.rename_names(from.into_names(), to.into_names())
    }

    fn rename_names(&self, from: Vec<String>, to: Vec<String>) -> Self {
        self.then(|plan| {
            if from.len() != to.len() {
                return Err(Error::Argument(format!(
                    "cannot rename {} columns to {} names: pass one new name for each column",
                    from.len(),
                    to.len()
                )));
            }
            project(&plan.schema, &from, " in rename")?;
            let query = empty(&plan.schema).rename(&from, &to, true);
            let schema = resolve(query, " in rename", &[], &plan.schema)?;
            Ok(plan.each(Step::Rename(from, to), schema))
        })
    }

    /// Returns the first `n` rows, as an eager frame.
    ///
    /// Computes as few partitions as possible: the first one, and more only while rows are missing.
    ///
    /// # Errors
    /// Returns the error that was found when the frame was described, or the error of a failed
    /// task.
    #[doc(alias = "limit")]
    pub fn head(&self, n: usize) -> Result<Frame> {
        self.some_rows(n, Step::Head(n), |_, from, to| (from, to))
    }

    /// Returns the last `n` rows, as an eager frame. Computes as few partitions as possible.
    ///
    /// # Errors
    /// The same as for [`head`](Self::head).
    pub fn tail(&self, n: usize) -> Result<Frame> {
        let rows = self.some_rows(n, Step::Tail(n), |all, from, to| (all - to, all - from))?;
        Ok(rows.tail(Some(n)))
    }

    /// Searches for `n` rows in more and more partitions. `range` maps a range in the order of the
    /// search to a range of partitions.
    fn some_rows(
        &self,
        n: usize,
        step: Step,
        range: impl Fn(u32, u32, u32) -> (u32, u32),
    ) -> Result<Frame> {
        let plan = self.plan()?;
        let all = plan.npartitions();
        let backwards = matches!(step, Step::Tail(_));
        let step: Arc<dyn Operation> = Arc::new(step);
        let mut found = Frame::empty_with_schema(&plan.schema);
        let (mut searched, mut width) = (0, 1);
        if !plan.partitionwise {
            // One partition costs as much as all of them.
            width = all;
        }
        while searched < all && found.height() < n {
            let next = all.min(searched + width);
            let (from, to) = range(all, searched, next);
            let part = plan.listed(
                step.clone(),
                (from..to).map(|at| vec![at]).collect(),
                plan.schema.clone(),
            );
            let part = Self { plan: Ok(part) }.compute()?;
            found = if backwards {
                chunk::stack(vec![part, found])?
            } else {
                chunk::stack(vec![found, part])?
            };
            (searched, width) = (next, width * 4);
        }
        if !backwards {
            found = found.head(Some(n));
        }
        found.rechunk_mut();
        Ok(found)
    }

    /// Returns the number of rows.
    #[doc(alias("shape", "height"))]
    #[allow(
        clippy::len_without_is_empty,
        reason = "a length that is not computed yet cannot be compared with zero"
    )]
    pub fn len(&self) -> FrameScalar<usize> {
        FrameScalar::of(self, "len", "rows", len())
    }

    /// Sorts the rows by one or several columns: `sort("age", Descending)`,
    /// `sort(["a", "b"], [Ascending, Descending])`.
    ///
    /// Equal rows keep their order. Nulls come first and NaN is the greatest number, as in Polars.
    /// The number of partitions stays the same, and the rows of each partition come before those of
    /// the next one.
    #[doc(alias("sort_values", "order_by"))]
    #[must_use]
    pub fn sort(&self, by: impl IntoNames, order: impl IntoOrders) -> Self {
        self.sort_names(by.into_names(), order.into_orders())
    }

    fn sort_names(&self, by: Vec<String>, order: Vec<Order>) -> Self {
        self.then(|plan| super::sort::sort(plan, by, &order))
    }

    /// Returns the rows without duplicates: of equal rows, the first one is kept.
    #[doc(alias = "distinct")]
    #[must_use]
    pub fn unique(&self) -> Self {
        self.then(|plan| super::sort::unique(plan, names(&plan.schema)))
    }

    /// Returns the first row for each combination of values in some columns.
    #[doc(alias = "drop_duplicates")]
    #[must_use]
    pub fn unique_by(&self, columns: impl IntoNames) -> Self {
        self.unique_names(columns.into_names())
    }

    fn unique_names(&self, columns: Vec<String>) -> Self {
        self.then(|plan| super::sort::unique(plan, columns))
    }

    /// Does the same as [`unique`](Self::unique), under the name that pandas uses.
    #[must_use]
    pub fn drop_duplicates(&self) -> Self {
        self.unique()
    }

    /// Groups the rows that are equal in some columns or expressions.
    #[doc(alias = "groupby")]
    pub fn group_by(&self, keys: impl IntoExprs) -> GroupedFrame {
        GroupedFrame::new(self.clone(), keys.into_exprs())
    }

    /// Aggregates all rows into a frame of one row:
    /// `agg([col("age").mean(), col("age").max().alias("oldest")])`. See [`GroupedFrame::agg`].
    #[doc(alias = "aggregate")]
    #[must_use]
    pub fn agg(&self, aggregations: impl IntoExprs) -> Self {
        self.agg_exprs(&aggregations.into_exprs())
    }

    fn agg_exprs(&self, aggregations: &[Expr]) -> Self {
        self.then(|plan| super::groupby::aggregate(plan, &[], aggregations, "agg"))
    }

    /// Joins the rows of two frames that are equal in some columns.
    ///
    /// A column of the right frame whose name also exists in the left frame gets the suffix
    /// `_right`. Null matches nothing.
    ///
    /// A right frame with one partition, or of at most 64 MiB, is gathered into one partition and
    /// joined with each partition of the left frame; the rows then have the left frame's order.
    /// Otherwise, and for right and full joins, both frames are shuffled by the hash of the
    /// columns, which also determines the order.
    #[doc(alias = "merge")]
    #[must_use]
    pub fn join(&self, right: &Self, on: impl IntoNames, how: super::JoinType) -> Self {
        self.join_names(right, on.into_names(), how)
    }

    fn join_names(&self, right: &Self, on: Vec<String>, how: super::JoinType) -> Self {
        self.then(|left| super::join::join(left, right.plan()?, on, how))
    }

    /// Stacks frames with the same columns, one below the other, with all their partitions.
    #[doc(alias("append", "vstack", "union"))]
    #[must_use]
    pub fn concat<'a>(frames: impl IntoIterator<Item = &'a Self>) -> Self {
        let frames: Vec<&Self> = frames.into_iter().collect();
        Self {
            plan: concat(&frames),
        }
    }

    /// Computes statistics of the numeric columns: count, null_count, mean, std, min, the
    /// quartiles, max, as floats. One task sees the whole columns, because quartiles do not
    /// decompose.
    #[must_use]
    pub fn describe(&self) -> Self {
        self.then(|plan| {
            let numeric: Vec<String> = plan
                .schema
                .iter()
                .filter(|(_, dtype)| dtype.is_numeric())
                .map(|(name, _)| name.to_string())
                .collect();
            if numeric.is_empty() {
                return Err(Error::Argument(format!(
                    "nothing to describe: none of the columns {:?} is numeric",
                    names(&plan.schema)
                )));
            }
            let schema = project(&plan.schema, &numeric, "")?;
            let columns = plan.each(Step::Project(numeric), schema.clone());
            Ok(columns.whole(Step::Describe, Arc::new(described(&schema))))
        })
    }

    /// Applies a function to each partition.
    ///
    /// The result must have the same columns. If the function returns other columns, use
    /// [`map_partitions_to`](Self::map_partitions_to). The function only ever sees partitions,
    /// never made-up data.
    #[doc(alias = "map_batches")]
    #[must_use]
    pub fn map_partitions(
        &self,
        function: impl Fn(Frame) -> Result<Frame> + Send + Sync + 'static,
    ) -> Self {
        let schema = self.schema().unwrap_or_default();
        self.map_boxed(Box::new(function), schema)
    }

    /// Applies a function to each partition that returns a frame with the given columns.
    #[must_use]
    pub fn map_partitions_to(
        &self,
        schema: Schema,
        function: impl Fn(Frame) -> Result<Frame> + Send + Sync + 'static,
    ) -> Self {
        self.map_boxed(Box::new(function), Arc::new(schema))
    }

    fn map_boxed(&self, function: Function, schema: SchemaRef) -> Self {
        self.then(|plan| {
            let operation = MapPartitions {
                function,
                schema: schema.clone(),
            };
            let mut mapped = plan.each(operation, schema);
            mapped.nbytes = None;
            Ok(mapped)
        })
    }

    /// Returns the same rows in `npartitions` partitions. Neighbouring partitions are merged, or
    /// each partition is cut into pieces of nearly equal height.
    #[must_use]
    pub fn repartition(&self, npartitions: usize) -> Self {
        self.then(|plan| {
            let (from, to) = (plan.npartitions(), npartitions.max(1) as u32);
            let schema = plan.schema.clone();
            let cut = |count: u32, of: u32, at: u32| {
                (u64::from(count) * u64::from(at) / u64::from(of)) as u32
            };
            if to == from {
                Ok(plan.clone())
            } else if to == 1 {
                Ok(plan.whole(Step::Concat, schema))
            } else if to < from {
                let groups = (0..to)
                    .map(|at| (cut(from, to, at)..cut(from, to, at + 1)).collect())
                    .collect();
                Ok(plan.listed(Arc::new(Step::Concat), groups, schema))
            } else {
                let mut tasks: Vec<(Arc<dyn Operation>, Vec<u32>)> = Vec::new();
                for partition in 0..from {
                    let pieces = cut(to, from, partition + 1) - cut(to, from, partition);
                    tasks.extend((0..pieces).map(|at| {
                        let step = Step::Piece {
                            at: at as usize,
                            of: pieces as usize,
                        };
                        (Arc::new(step) as Arc<dyn Operation>, vec![partition])
                    }));
                }
                Ok(plan.listed_each(tasks, schema))
            }
        })
    }
}

impl Collection for DataFrame {
    type Output = Frame;

    fn layer(&self) -> Result<Arc<Layer>> {
        Ok(self.plan()?.layer.clone())
    }

    fn with_layer(&self, layer: Arc<Layer>) -> Self {
        self.then(|plan| {
            Ok(Partitions {
                layer,
                partitionwise: true,
                ..plan.clone()
            })
        })
    }

    fn assemble(&self, chunks: Vec<Value>) -> Result<Frame> {
        let mut frame = chunk::concat(chunks)?;
        // Users read columns as slices, so each column must be contiguous.
        frame.rechunk_mut_par();
        Ok(frame)
    }
}

impl From<Frame> for DataFrame {
    /// Creates one partition per 10,000 rows, at least one and at most one per thread.
    fn from(frame: Frame) -> Self {
        const ROWS: usize = 10_000;
        let partitions = (frame.height() / ROWS).clamp(1, super::threads());
        Self::from_polars(frame, partitions)
    }
}

impl fmt::Debug for DataFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.plan {
            Ok(plan) => write!(
                f,
                "DataFrame of {}: {}",
                partitions(plan.npartitions()),
                Columns(&plan.schema)
            ),
            Err(error) => write!(f, "DataFrame that cannot be computed: {error}"),
        }
    }
}

pub(super) fn partitions(count: u32) -> String {
    match count {
        1 => "1 partition".to_owned(),
        count => format!("{count} partitions"),
    }
}

struct Columns<'a>(&'a Schema);

impl fmt::Display for Columns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, dtype)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {dtype}")?;
        }
        Ok(())
    }
}

type Function = Box<dyn Fn(Frame) -> Result<Frame> + Send + Sync>;

/// Applies a user's function to each partition. It is code, not data.
struct MapPartitions {
    function: Function,
    schema: SchemaRef,
}

impl Operation for MapPartitions {
    fn name(&self) -> &str {
        "map-partitions"
    }

    fn arguments(&self) -> Arguments {
        Arguments::Unique
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let mapped = (self.function)(chunk::concat(inputs)?)?;
        check_columns(mapped.schema(), &self.schema, || {
            "the result of the function of map_partitions".to_owned()
        })
        .map_err(|error| match error {
            Error::Type {
                subject,
                found,
                expected,
            } => Error::Type {
                subject,
                found,
                expected: format!(
                    "{expected} (to return other columns, use map_partitions_to(schema, function))"
                ),
            },
            error => error,
        })?;
        Ok(chunk::value(mapped))
    }
}

fn check_columns(
    found: &Schema,
    expected: &Schema,
    subject: impl FnOnce() -> String,
) -> Result<()> {
    if same_columns(found, expected) {
        return Ok(());
    }
    Err(Error::Type {
        subject: subject(),
        found: format!("a frame with the columns {}", Columns(found)),
        expected: Columns(expected).to_string(),
    })
}

fn concat(frames: &[&DataFrame]) -> Result<Partitions> {
    let plans = frames
        .iter()
        .map(|frame| frame.plan())
        .collect::<Result<Vec<_>>>()?;
    let Some(first) = plans.first() else {
        return Err(Error::Argument(
            "cannot concat no frames: pass at least one".to_owned(),
        ));
    };
    let step: Arc<dyn Operation> = Arc::new(Step::Concat);
    let mut tasks = Vec::new();
    for (number, plan) in plans.iter().enumerate() {
        check_columns(&plan.schema, &first.schema, || {
            format!("frame {number} of concat")
        })?;
        tasks.extend((0..plan.npartitions()).map(|at| (step.clone(), vec![(number as u32, at)])));
    }
    Ok(listed(tasks, &plans, first.schema.clone()))
}

fn from_polars(frame: Frame, npartitions: usize) -> Result<Partitions> {
    let rows = frame.height();
    let schema = frame.schema().clone();
    let partitions = (0..npartitions)
        .map(|at| {
            let (start, end) = (rows * at / npartitions, rows * (at + 1) / npartitions);
            frame.slice(start as i64, end - start)
        })
        .collect();
    from_frames(partitions, schema)
}

fn from_frames(partitions: Vec<Frame>, schema: SchemaRef) -> Result<Partitions> {
    let mut fingerprint = Fingerprint::new();
    let mut values = Vec::with_capacity(partitions.len());
    let mut nbytes = 0;
    for partition in partitions {
        digest(&partition, &mut fingerprint)?;
        let chunk = chunk::FrameChunk(partition);
        nbytes += chunk.nbytes() as u64;
        values.push(Value::new(chunk));
    }
    Ok(Partitions {
        layer: Layer::values(
            fingerprint.layer_id(),
            Grid::new([values.len() as u32]),
            Data::new("from-polars", values),
        ),
        schema,
        partitionwise: true,
        nbytes: Some(nbytes),
    })
}

/// Adds the content of a frame to a fingerprint.
fn digest(frame: &Frame, fingerprint: &mut Fingerprint) -> Result<()> {
    let mut frame = frame.clone();
    frame.rechunk_mut();
    fingerprint.written(|to| IpcWriter::new(to).with_parallel(false).finish(&mut frame))?;
    Ok(())
}

/// Checks that the frame has these columns.
pub(super) fn check_names(schema: &Schema, columns: &[String], context: &str) -> Result<()> {
    match columns.iter().find(|name| schema.get(name).is_none()) {
        Some(name) => Err(no_column(name, context, schema)),
        None => Ok(()),
    }
}
