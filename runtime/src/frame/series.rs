//! A column of a partitioned frame.

use super::dataframe::{DataFrame, partitions};
use super::datum::Datum;
use super::groupby::aggregate;
use super::scalar::{FrameScalar, ScalarValue, wrong_kind};
use super::sort::Order;
use crate::compute::Collection;
use crate::error::{Error, Result};
use crate::graph::{Layer, Value};
use polars::prelude::{AnyValue, DataType, Expr, Series as Column, col, len};
use std::fmt;
use std::sync::Arc;

/// A column of a [`DataFrame`], in partitions, not computed yet.
///
/// ```
/// use swath::frame::DataFrame;
/// use swath::polars::df;
/// use swath::Collection;
/// let ages = DataFrame::from_polars(df!("age" => [24, 53, 23])?, 2).column("age");
/// assert_eq!(ages.mean().compute()?, 100.0 / 3.0);
/// assert_eq!(ages.max().compute()?, 53);
/// assert_eq!(ages.sum().cast::<i64>().compute()?, 100);
/// assert_eq!(ages.to_vec::<i64>()?, [24, 53, 23]);
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone)]
pub struct Series {
    name: Arc<str>,
    frame: DataFrame,
}

impl Series {
    pub(super) fn new(name: &str, frame: DataFrame) -> Self {
        Self {
            name: name.into(),
            frame,
        }
    }

    /// Returns the column's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the type of the values.
    ///
    /// # Errors
    /// Returns the error that was found when the series was described.
    pub fn dtype(&self) -> Result<DataType> {
        let schema = self.frame.schema()?;
        Ok(schema.get(&self.name).cloned().unwrap_or(DataType::Null))
    }

    /// Returns the number of partitions.
    ///
    /// # Errors
    /// Returns the error that was found when the series was described.
    pub fn npartitions(&self) -> Result<usize> {
        self.frame.npartitions()
    }

    /// Returns a frame with only this column.
    pub fn to_frame(&self) -> DataFrame {
        self.frame.clone()
    }

    fn column(&self) -> Expr {
        col(&*self.name)
    }

    fn scalar<T: ScalarValue>(&self, operation: &str, expression: Expr) -> FrameScalar<T> {
        FrameScalar::of(&self.frame, operation, &self.name, expression)
    }

    fn number(&self, operation: &str, expression: Expr) -> FrameScalar<f64> {
        self.scalar(operation, expression)
    }

    /// Computes the mean of the values that are not null.
    pub fn mean(&self) -> FrameScalar<f64> {
        self.number("mean", self.column().mean())
    }

    /// Computes the sum of the values that are not null; 0 if there are none.
    ///
    /// Integers and booleans are added up exactly in 64 bits (`i64`; `u64` if they are unsigned). A
    /// sum beyond 64 bits is [`Error::Overflow`] when it is computed. For such sums, add up floats:
    /// `select(col("x").cast(DataType::Float64))`.
    pub fn sum(&self) -> FrameScalar<Datum> {
        self.scalar("sum", self.column().sum())
    }

    /// Computes the minimum: a number, a text, a date.
    pub fn min(&self) -> FrameScalar<Datum> {
        self.scalar("min", self.column().min())
    }

    /// Computes the maximum: a number, a text, a date.
    pub fn max(&self) -> FrameScalar<Datum> {
        self.scalar("max", self.column().max())
    }

    /// Computes the standard deviation with Bessel's correction (ddof 1, as in pandas and Polars).
    pub fn std(&self) -> FrameScalar<f64> {
        self.number("std", self.column().std(1))
    }

    /// Computes the variance with Bessel's correction (ddof 1, as in pandas and Polars).
    pub fn var(&self) -> FrameScalar<f64> {
        self.number("var", self.column().var(1))
    }

    /// Computes the median. One task sees the whole column.
    pub fn median(&self) -> FrameScalar<f64> {
        self.number("median", self.column().median())
    }

    /// Counts the values that are not null.
    pub fn count(&self) -> FrameScalar<usize> {
        self.scalar("count", self.column().count())
    }

    /// Counts the values, including nulls.
    #[allow(
        clippy::len_without_is_empty,
        reason = "a length that is not computed yet cannot be compared with zero"
    )]
    pub fn len(&self) -> FrameScalar<usize> {
        self.scalar("len", len())
    }

    /// Counts the distinct values; null is one of them.
    #[doc(alias = "nunique")]
    pub fn n_unique(&self) -> FrameScalar<usize> {
        // Counts the distinct values after each partition has dropped its duplicates.
        FrameScalar::of(&self.frame.unique(), "n-unique", &self.name, len())
    }

    /// Returns the distinct values, in the order of their first occurrence.
    #[doc(alias("drop_duplicates", "distinct"))]
    #[must_use]
    pub fn unique(&self) -> Self {
        Self::new(&self.name, self.frame.unique())
    }

    /// Sorts the values; nulls come first.
    #[doc(alias = "sort_values")]
    #[must_use]
    pub fn sort(&self, order: Order) -> Self {
        Self::new(&self.name, self.frame.sort(&*self.name, order))
    }

    /// Returns the values for which an expression of this column is true:
    /// `ages.filter(col("age").gt(lit(30)))`. To select by other columns, filter the frame.
    #[must_use]
    pub fn filter(&self, predicate: Expr) -> Self {
        Self::new(&self.name, self.frame.filter(predicate))
    }

    /// Counts how often each value occurs. Returns a frame of the values and their `count`, the
    /// most frequent first.
    pub fn value_counts(&self) -> DataFrame {
        let counted = self.frame.plan().and_then(|plan| {
            if &*self.name == "count" {
                return Err(Error::Argument(
                    "value_counts needs the name \"count\", which this column already has: rename it first"
                        .to_owned(),
                ));
            }
            let counts = [len().alias("count")];
            aggregate(plan, &[self.column()], &counts, "value-counts")
        });
        DataFrame::from_plan(counted).sort(
            ["count", &*self.name],
            [Order::Descending, Order::Ascending],
        )
    }

    /// Returns the first `n` values. See [`DataFrame::head`].
    ///
    /// # Errors
    /// The same as for [`DataFrame::head`].
    #[doc(alias = "limit")]
    pub fn head(&self, n: usize) -> Result<Column> {
        self.only(self.frame.head(n)?)
    }

    /// Returns the last `n` values.
    ///
    /// # Errors
    /// The same as for [`DataFrame::head`].
    pub fn tail(&self, n: usize) -> Result<Column> {
        self.only(self.frame.tail(n)?)
    }

    /// Returns the values as a `Vec`: `ids.to_vec::<i64>()?`, or as a `Vec` of `Option`s if there
    /// are nulls. Integers that are read as floats become the nearest float; integers and
    /// [`Datum`]s are exact.
    ///
    /// # Errors
    /// Returns the errors of [`compute`](Collection::compute), and [`Error::Type`] for a value that
    /// is not a `T`.
    #[doc(alias("to_list", "tolist", "to_numpy", "values"))]
    pub fn to_vec<T: ScalarValue>(&self) -> Result<Vec<T>> {
        let values = self.compute()?;
        values
            .iter()
            .map(|value| T::from_any(&value).ok_or_else(|| self.type_error(&value, T::NAME)))
            .collect()
    }

    fn type_error(&self, value: &AnyValue<'_>, name: &str) -> Error {
        wrong_kind(&format!("a value of \"{}\"", self.name), value, name)
    }

    fn only(&self, frame: super::Frame) -> Result<Column> {
        Ok(frame.column(&self.name)?.as_materialized_series().clone())
    }
}

impl Collection for Series {
    type Output = Column;

    fn layer(&self) -> Result<Arc<Layer>> {
        self.frame.layer()
    }

    fn with_layer(&self, layer: Arc<Layer>) -> Self {
        Self {
            name: self.name.clone(),
            frame: self.frame.with_layer(layer),
        }
    }

    fn assemble(&self, chunks: Vec<Value>) -> Result<Column> {
        self.only(self.frame.assemble(chunks)?)
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.frame.plan() {
            Ok(plan) => write!(
                f,
                "Series \"{}\" of {}: {}",
                self.name,
                partitions(plan.npartitions()),
                plan.schema.get(&self.name).unwrap_or(&DataType::Null)
            ),
            Err(error) => write!(
                f,
                "Series \"{}\" that cannot be computed: {error}",
                self.name
            ),
        }
    }
}
