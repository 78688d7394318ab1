//! Partitioned data frames on Polars.
//!
//! A [`DataFrame`] is a layer of partitions, each an eager Polars frame, and
//! their schema. Its methods accept Polars' expressions and describe further
//! layers, whose operations are data ([`step`]). Polars determines, without running
//! anything, which columns an expression needs and creates, and whether it can be
//! computed by partition ([`engine`]). All other expressions are computed on the
//! whole frame, or on whole groups after a shuffle. So every partitioning gives
//! the same result as a single partition.
//!
//! This module depends on the graph, not on a scheduler. [`crate::io`] reads the
//! files.

mod aggregate;
mod chunk;
mod dataframe;
pub mod datum;
mod engine;
mod exact;
mod expr;
mod groupby;
mod join;
mod partitions;
mod recover;
mod scalar;
mod series;
mod shuffle;
mod sort;
mod step;
pub(crate) mod view;

#[cfg(test)]
mod tests;

pub use chunk::{FrameChunk, FrameParts};
pub use dataframe::DataFrame;
pub use datum::Datum;
pub use expr::{ExprExt, IntoExpr, IntoExprs, IntoNames, ListItem};
pub use groupby::GroupedFrame;
pub use join::JoinType;
pub use scalar::{FrameScalar, ScalarValue};
pub use series::Series;
pub use sort::{IntoOrders, Order};

pub(crate) use partitions::Partitions;

/// An eager frame, which is Polars' own type.
pub type Frame = polars::frame::DataFrame;

/// Returns the number of threads that compute partitions.
pub(crate) fn threads() -> usize {
    polars_core::runtime::THREAD_POOL.current_num_threads()
}
