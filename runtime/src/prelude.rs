//! What is in scope in every cell.

pub use crate::compute::{Collection, compute};
pub use crate::error::{Error, Result as SwathResult};
