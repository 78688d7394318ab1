//! The pure core of Swath's scheduler.
//!
//! It knows tasks by numbers and what depends on what, and nothing of what a
//! task does: no operation, no value's type, no thread of a pool. So it is
//! compiled and tested by itself in seconds.
//!
//! [`Topology`] is the graph, [`order()`] the sequence in which its tasks should
//! run, [`simulate()`] what a sequence holds in memory, [`State`] a run.
#![forbid(unsafe_code)]

mod order;
mod simulate;
mod state;
mod topology;

pub use order::{order, order_unless};
pub use simulate::{peak, simulate};
pub use state::{State, Transition};
pub use topology::{Adjacency, TaskId, Topology};
