//! The `swath` binary.

mod execution;

fn main() {}
