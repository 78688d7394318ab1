//! What a notebook's session holds in the runtime process: variables, the
//! channel to the kernel, the cell that runs.

pub mod output;
pub mod panics;
