//! Instances of Polars' joins of frames in memory, as in `swath-instances`.
//!
//! They are a library of their own: it is seven times as large as all the others
//! together, and each cell that takes a library's instances into account reads the
//! list of them. Only cells that join do so with this one.

use polars::prelude::*;
use swath::session::cell::Failure;

/// Frames are joined at once: the body of the method is generic in the names.
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
