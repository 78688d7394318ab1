//! The pure core of Swath's scheduler.
//!
//! It knows tasks by numbers and what depends on what, and nothing of what a
//! task does: no operation, no value's type, no thread of a pool. So it is
//! compiled and tested by itself in seconds.
//!
//! [`Topology`] is the graph, [`simulate()`] what an order of its tasks holds in
//! memory.
#![forbid(unsafe_code)]

mod simulate;
mod topology;

pub use simulate::simulate;
pub use topology::{Adjacency, TaskId, Topology};
