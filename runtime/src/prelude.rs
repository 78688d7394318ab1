//! The names that are in scope in every cell.
//!
//! The kernel binds the runtime's own dependencies (`polars`, `ndarray`, …) where a
//! cell names them, so that a `:dep` can replace them.

// This replaces std's own prelude, so that every name that a cell brings into scope
// itself, even by a glob, has precedence over these names.
pub use std::prelude::rust_2024::*;

// All collections.
pub use crate::collections::*;
pub use crate::compute::{Collection, compute};
pub use crate::error::{Error, Result as SwathResult};

// Arrays.
pub use crate::array::{Axes, ChunkSpec, DType, concatenate, random_array, stack};
pub use ndarray::Axis;

// Frames. DataFrame, Series and JoinType are Swath's types here. Polars' types of
// the same names are in `polars::prelude`.
pub use crate::frame::Order::{Ascending, Descending};
pub use crate::frame::{Datum, ExprExt, Frame, JoinType, Order};
pub use crate::io::{Encoding, read_csv, read_parquet};
pub use polars::df;
pub use polars::prelude::{DataType, Expr, all, col, cols, len, lit, when};

// Functions and graphs.
pub use crate::cluster::{Client, ClusterInfo, LocalCluster};
pub use crate::delayed::{Function, delayed, key, keys, try_delayed};

// Values of the user's own types.
pub use crate::graph::encodable;

// Displays, progress and profiles.
pub use crate::diagnostics::progress::progress;
pub use crate::diagnostics::{Profile, Profiler, ProgressIterator, show_progress};
pub use crate::display::{
    DisplayHandle, Html, Latex, Markdown, Plot, Png, Show, Svg, clear_output, display,
    display_handle, plot,
};
pub use crate::visualize::{GraphStyle, Rankdir, Visualize};
pub use crate::{progress, show};

// The session.
pub use crate::cancel::sleep;
pub use crate::schedule::checkpoint;
pub use crate::schedule::{memory, memory_limit, set_cache_limit, set_memory_limit};
pub use crate::session::cell::{input, password};

// Other programs, and widgets in the page.
pub use crate::session::comm::{Comm, CommMessage, comm_target, remove_comm_target};
pub use serde_json::json;
