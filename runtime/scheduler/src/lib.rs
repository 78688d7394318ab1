//! The pure core of Swath's scheduler.
//!
//! The scheduler knows tasks only by their numbers and dependencies. It does not
//! know what a task does: it has no operations, no value types and no threads of
//! its own. It is therefore compiled and tested by itself in seconds.
//!
//! [`Topology`] is the graph. [`order()`] computes the sequence in which its
//! tasks should run, and [`simulate()`] the memory that a sequence holds.
//! [`State`] records what a run has done and may do next. [`Run`] is a run on
//! several [`Threads`]: it defines what wakes what, with a proof that nothing
//! waits forever. loom checks the proof by trying every order of events on small
//! graphs: `tests/run loom`.
#![forbid(unsafe_code)]

mod order;
mod queue;
mod run;
mod simulate;
mod state;
mod stuck;
mod sync;
mod threads;
mod topology;

pub use order::{order, order_unless};
pub use queue::Queue;
pub use run::{Outcome, Progress, Run, Tasks, Unfinished};
pub use simulate::{peak, simulate};
pub use state::{State, Transition};
pub use stuck::Stuck;
#[cfg(loom)]
pub use sync::set_elapsed;
pub use threads::{Threads, Ticket, settle};
pub use topology::{Adjacency, TaskId, Topology};
