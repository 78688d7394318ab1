//! The pool of threads, as far as runs know it.

use crate::{Queue, Run, Stuck, Tasks};
use std::sync::Arc;
use std::time::Duration;

/// How long a worker has a thread to itself while other workers wait.
const TURN: Duration = Duration::from_millis(5);

/// A pool of threads, which others use too.
pub trait Threads: Clone + Send + Sync + 'static {
    /// What its workers run.
    type Tasks: Tasks;

    /// The queue of workers that wait for a thread.
    fn queue(&self) -> &Queue<Ticket<Self>>;

    /// Which threads it has lost for a while.
    fn stuck(&self) -> &Stuck;

    /// Has a thread of the pool do something soon. A thread that waits for a
    /// parallel loop of its own may do it meanwhile, also inside of a task.
    fn spawn(&self, job: impl FnOnce() + Send + 'static);

    /// Has a thread that is not of the pool do something.
    fn spawn_substitute(&self, job: impl FnOnce() + Send + 'static);

    /// Whether this thread is one of the pool, or a substitute: a run may need
    /// it, so it has to work on a run that it waits for.
    fn is_own(&self) -> bool;

    /// Whether this thread is inside a task ([`Tasks::enter`]).
    fn is_inside_task(&self) -> bool;

    /// Does something that waits for a thread, if this is one of the pool:
    /// whether there was anything.
    fn lend_a_hand(&self) -> bool;
}

/// A worker that waits for a thread.
pub struct Ticket<P: Threads> {
    pub(crate) run: Arc<Run<P>>,
    pub(crate) worker: usize,
}

/// Has a worker's turn come.
pub(crate) fn enqueue<P: Threads>(threads: &P, ticket: Ticket<P>) {
    threads.queue().push(ticket);
    nudge(threads);
}

/// Has a thread of the pool serve the queue.
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

/// Makes up for nudges that came to threads inside a task. Who has been inside
/// of one calls this afterwards.
#[inline]
pub fn settle<P: Threads>(threads: &P) {
    for _ in 0..threads.queue().settle() {
        nudge(threads);
    }
}
