//! The ZeroMQ client of the kernel's tests, an implementation that is not ours.
//!
//! It is a member of the workspace so that, whatever is built, the crates below
//! it have the same features. As a dev-dependency of the kernel alone it would
//! cause Polars to be compiled twice.

pub use zeromq::*;
