//! Syntax queries that both execution and completion use.

mod depth;
mod pattern;

pub(crate) use depth::is_deeper_than;
pub(crate) use pattern::variables;
