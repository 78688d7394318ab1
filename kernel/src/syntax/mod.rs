//! What execution and completion both ask of Rust's text.

mod depth;
mod pattern;

pub(crate) use depth::is_deeper_than;
pub(crate) use pattern::variables;
