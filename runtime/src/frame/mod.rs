//! Partitioned data frames on Polars.
//!
//! A [`DataFrame`] is a layer of partitions, each an eager Polars frame, and
//! their schema. Its methods take Polars' expressions and describe further
//! layers, whose operations are data ([`step`]): which columns an expression
//! needs and makes is asked of Polars without running anything ([`engine`]);
//! whether it can be computed by partition, as well. What cannot is computed
//! on the whole frame, or on whole groups after a shuffle: any partitioning
//! gives what one partition gives.
//!
//! This module knows the graph and no scheduler; files are read by [`crate::io`].

mod aggregate;
mod chunk;
mod dataframe;
pub mod datum;
mod engine;
mod exact;
mod expr;
mod groupby;
mod join;
mod plan;
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

pub(crate) use plan::Plan;

/// An eager frame: Polars' own.
pub type Frame = polars::frame::DataFrame;

/// The number of threads that partitions are computed on.
pub(crate) fn threads() -> usize {
    polars_core::runtime::THREAD_POOL.current_num_threads()
}
