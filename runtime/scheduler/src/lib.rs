//! The pure core of Swath's scheduler.
//!
//! It knows tasks by numbers and what depends on what, and nothing of what a
//! task does: no operation, no value's type, no thread of its own. So it is
//! compiled and tested by itself in seconds.
//!
//! [`Topology`] is the graph, [`order()`] the sequence in which its tasks should
//! run, [`simulate()`] what a sequence holds in memory, [`State`] what a run has
//! done and may do next. [`Run`] is a run on several [`Threads`]: what wakes
//! whom, with a proof that nobody waits for ever. The proof is checked by loom,
//! which tries every order of events on small graphs: `tests/run loom`.
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
