//! Instances of Polars' joins of in-memory frames, as in `swath-instances`.
//!
//! They are in a library of their own because it is seven times as large as all
//! the others together, and each cell that uses a library's instances reads the
//! list of them. Only cells that join read this one.

use polars::prelude::*;
use swath::session::cell::Failure;

/// Joins frames eagerly: the method's body is generic over the names.
pub fn joined_at_once(left: &DataFrame, right: &DataFrame) -> Result<[DataFrame; 6], Failure> {
    let how = || JoinArgs::new(JoinType::Inner);
    Ok([
        left.join(right, ["a"], ["b"], how(), None)?,
        left.join(right, ["a", "b"], ["a", "b"], how(), None)?,
        left.join(right, vec!["a"], vec!["b"], how(), None)?,
        left.inner_join(right, ["a"], ["b"])?,
        left.left_join(right, ["a"], ["b"])?,
        left.full_join(right, ["a"], ["b"])?,
    ])
}
