//! What the kernel's tests talk to it with: an implementation of ZeroMQ that is
//! not ours.
//!
//! It is a member of the workspace, so that whatever is built, crates below it
//! have the same features: as a dev-dependency of the kernel alone it would have
//! Polars compiled twice.

pub use zeromq::*;
