//! The thread pool, as runs see it.

use crate::{Queue, Run, Stuck, Tasks};
use std::sync::Arc;
use std::time::Duration;

/// How long a worker keeps a thread while other workers wait.
const TURN: Duration = Duration::from_millis(5);

/// A thread pool, which other code uses too.
pub trait Threads: Clone + Send + Sync + 'static {
    /// The tasks that its workers run.
    type Tasks: Tasks;

    /// Returns the queue of workers that wait for a thread.
    fn queue(&self) -> &Queue<Ticket<Self>>;

    /// Returns the counter of threads that the pool has lost for a while.
    fn stuck(&self) -> &Stuck;

    /// Runs a job on a thread of the pool soon. A thread that waits for its own
    /// parallel loop may run it in the meantime, also inside a task.
    fn spawn(&self, job: impl FnOnce() + Send + 'static);

    /// Runs a job on a thread that does not belong to the pool.
    fn spawn_substitute(&self, job: impl FnOnce() + Send + 'static);

    /// Returns whether this thread belongs to the pool or is a substitute. A
    /// run may need such a thread, so the thread has to work on a run that it
    /// waits for.
    fn is_own(&self) -> bool;

    /// Returns whether this thread is inside a task ([`Tasks::enter`]).
    fn is_inside_task(&self) -> bool;

    /// Runs a waiting job, if this is a thread of the pool. Returns whether
    /// there was one.
    fn lend_a_hand(&self) -> bool;
}

/// A worker that waits for a thread.
pub struct Ticket<P: Threads> {
    pub(crate) run: Arc<Run<P>>,
    pub(crate) worker: usize,
}

/// Queues a worker for a turn on a thread.
pub(crate) fn enqueue<P: Threads>(threads: &P, ticket: Ticket<P>) {
    threads.queue().push(ticket);
    nudge(threads);
}

/// Makes a thread of the pool serve the queue.
fn nudge<P: Threads>(threads: &P) {
    let serving = threads.clone();
    threads.spawn(move || serve(&serving));
}

fn serve<P: Threads>(threads: &P) {
    let queue = threads.queue();
    if threads.is_inside_task() {
        queue.owe();
        return;
    }
    while let Some(ticket) = queue.pop() {
        if ticket.run.work(ticket.worker, Some(TURN)) {
            queue.push(ticket);
        }
    }
}

/// Repeats nudges that reached threads inside a task. A thread that has been
/// inside a task calls this afterwards.
#[inline]
pub fn settle<P: Threads>(threads: &P) {
    for _ in 0..threads.queue().settle() {
        nudge(threads);
    }
}
