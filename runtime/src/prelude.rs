//! What is in scope in every cell.

pub use crate::compute::{Collection, compute};
pub use crate::error::{Error, Result as SwathResult};

// Frames. Names that Polars has as well (DataFrame, Series, JoinType) are
// Swath's here and Polars' in `polars::prelude`.
pub use crate::frame::Order::{Ascending, Descending};
pub use crate::frame::{DataFrame, ExprExt, Frame, FrameScalar, JoinType, Order, Series};
pub use crate::io::{Encoding, read_csv, read_parquet};
pub use polars;
pub use polars::df;
pub use polars::prelude::{DataType, Expr, all, col, cols, len, lit, when};
