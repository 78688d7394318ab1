//! Swath: chunked arrays, partitioned data frames, delayed values and custom
//! task graphs, computed in parallel on a threaded scheduler.
//!
//! Data flows one way: a collection describes a [`graph`], [`optimize`] rewrites it,
//! [`schedule`] plans, orders and runs it, and [`display`] shows the results.
//! The scheduler names no collection, and renderers know only plain data.

mod abort;
pub mod array;
pub mod cancel;
pub mod cluster;
pub mod compute;
pub mod context;
pub mod delayed;
pub mod diagnostics;
pub mod display;
pub mod error;
pub mod frame;
pub mod graph;
pub mod io;
mod machine;
pub mod optimize;
mod panics;
pub mod prelude;
pub mod schedule;
pub mod session;
pub mod shown;
pub mod visualize;

/// The collections. Every cell has their names in scope.
pub mod collections {
    pub use crate::array::{Array, Scalar};
    pub use crate::delayed::{Delayed, TaskGraph, TaskOutput};
    pub use crate::frame::{DataFrame, FrameScalar, Series};
}

pub use collections::*;
pub use compute::{Collection, compute};
pub use display::plot;
pub use error::{Error, Result};
pub use frame::JoinType;
pub use schedule::{
    MemoryUse, memory, memory_limit, set_cache_limit, set_memory_limit, set_spill_folder,
};

// The runtime's dependencies, so that a cell can use the same types.
pub use {ndarray, plotters, polars, rand, rayon, serde_json, tokio};
