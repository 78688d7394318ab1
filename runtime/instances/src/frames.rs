//! Polars' frames, expressions and columns.

use polars::prelude::*;
use swath::session::cell;

/// A frame from arrays, and what is asked of it.
pub fn from_arrays() -> PolarsResult<DataFrame> {
    let frame = df!("a" => [1, 2, 3], "b" => ["x", "y", "x"])?;
    frame
        .lazy()
        .group_by([col("b")])
        .agg([col("a").sum()])
        .collect()
}

/// A frame is shown.
pub fn shown(frame: &DataFrame) {
    let shown = swath::show_value!(frame);
    let _ = cell::show(shown);
}
