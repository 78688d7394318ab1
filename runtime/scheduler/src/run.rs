//! A run on several threads.
//!
//! A run has up to `limit` *workers*. A worker runs ready tasks one after the
//! other and ends when no task is ready. A worker that makes more tasks ready
//! than it can run itself starts workers for them. So a run holds no thread that
//! it has no use for.
//!
//! Workers wait in one [queue](crate::Queue) for all runs. A worker whose turn
//! is over goes to the end of the queue, so that a large run in the background
//! does not hold up a small one.
//!
//! Why nothing is lost and nothing waits forever:
//! - A worker is in the queue or on a thread's stack. A worker that ends has
//!   seen, under the run's lock, that no task is ready. Tasks become ready under
//!   the same lock, by a worker that continues.
//! - While a task waits for its own parallel loop, its thread executes other
//!   jobs of the pool, including nudges. A nudge never serves the queue on top
//!   of a task: the task would be held up by unrelated tasks for as long as they
//!   come. The nudge is owed instead, and is repeated when the next task ends or
//!   when the thread has nothing else to do ([`settle`](crate::settle)).
//! - A task that starts a computation itself is on a thread of the pool, and the
//!   inner run may need this very thread. So the thread works on the inner run,
//!   and on no other, until that run has ended ([`Run::help`]). What is on top
//!   of a task on a thread's stack is therefore always something that the task
//!   waits for.
//! - A run that has all values or has failed notifies its waiting threads.
//!
//! Time-outs are needed for three things, and for nothing else. (In all other
//! cases [`Run::outcome`] does not depend on them, as the model in `tests/loom`
//! shows.)
//! - A run is not notified when it is cancelled: threads that wait for it check.
//! - If tasks are short, a worker takes several at once, and other workers are
//!   started only for the rest. A thread that waits for the run checks whether
//!   ready tasks wait without a worker.
//! - A task that continues after its run was abandoned keeps a thread from later
//!   runs. A thread that waits for one of these checks whether the run needs a
//!   [substitute](crate::Stuck).

mod tasks;
mod worker;

pub use tasks::Tasks;

use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::threads::enqueue;
use crate::{State, Threads, Ticket, settle};
use std::sync::Arc;
use std::time::Duration;

/// How often a thread that waits for a run checks it.
const LOOK: Duration = Duration::from_millis(5);

/// How often a thread that helps a run looks for work.
const IDLE: Duration = Duration::from_micros(200);

/// A run of tasks in a pool.
pub struct Run<P: Threads> {
    tasks: P::Tasks,
    threads: P,
    /// The most workers at a time.
    limit: usize,
    shared: Mutex<Shared<ValueOf<P>, ErrorOf<P>>>,
    ended: Condvar,
}

type ValueOf<P> = <<P as Threads>::Tasks as Tasks>::Value;
type ErrorOf<P> = <<P as Threads>::Tasks as Tasks>::Error;
type Locked<'a, P> = MutexGuard<'a, Shared<ValueOf<P>, ErrorOf<P>>>;

/// The state that the workers of a run share.
struct Shared<V, E> {
    state: State<V>,
    /// Which worker numbers are in use.
    workers: Vec<bool>,
    /// How many workers are in a task.
    in_task: usize,
    /// The bytes of the largest value so far.
    largest: usize,
    /// The bytes of all values so far.
    nbytes: u64,
    /// How many tasks a worker takes at once. It is larger for short tasks, so
    /// that workers do not wait for each other at every task.
    batch: usize,
    /// Whether the run was abandoned: workers in a task then count as stuck.
    given_up: bool,
    /// The first failure, in a run that continues after failures.
    failure: Option<E>,
    /// Set once, when the run has ended.
    outcome: Option<Result<(), E>>,
}

/// The progress of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The number of tasks that have ended or cannot run any more.
    pub ended: usize,
    /// The bytes of all computed values.
    pub nbytes: u64,
}

/// How a run ended: with the values of its outputs, or with the values held at
/// that point.
pub type Outcome<V, E> = Result<Vec<V>, Unfinished<V, E>>;

/// The reason why a run does not have all values.
#[derive(Debug)]
pub struct Unfinished<V, E> {
    /// The first failure.
    pub failure: E,
    /// The values that were held, by task.
    pub held: Vec<Option<V>>,
}

impl<P: Threads> Run<P> {
    /// Creates a run, which begins when it is started. `reports_released` makes
    /// transitions report released values.
    pub fn new(tasks: P::Tasks, threads: P, limit: usize, reports_released: bool) -> Arc<Self> {
        let graph = tasks.topology();
        let limit = limit.max(1);
        let shared = Shared {
            state: State::new(graph, reports_released),
            workers: vec![false; limit.min(graph.len())],
            in_task: 0,
            largest: 0,
            nbytes: 0,
            batch: 1,
            given_up: false,
            failure: None,
            outcome: graph.is_empty().then_some(Ok(())),
        };
        Arc::new(Self {
            limit,
            shared: Mutex::new(shared),
            ended: Condvar::new(),
            tasks,
            threads,
        })
    }

    /// Starts the run. It continues by itself.
    pub fn start(self: &Arc<Self>) {
        let mut shared = self.shared.lock();
        let ready = shared.state.ready_len();
        self.start_workers(&mut shared, ready);
    }

    /// Returns the tasks.
    pub fn tasks(&self) -> &P::Tasks {
        &self.tasks
    }

    /// Calls `call` with the locked state.
    pub fn with_state<T>(&self, call: impl FnOnce(&mut State<ValueOf<P>>) -> T) -> T {
        call(&mut self.shared.lock().state)
    }

    /// Returns the progress of the run.
    pub fn progress(&self) -> Progress {
        let shared = self.shared.lock();
        Progress {
            ended: self.tasks.topology().len() - shared.state.unfinished(),
            nbytes: shared.nbytes,
        }
    }

    /// Waits for the end of the run, and returns the values of the outputs.
    /// Works on the run if it may need this thread.
    ///
    /// # Errors
    /// The first failure. Tasks that are still running are not waited for.
    pub fn outcome(self: &Arc<Self>) -> Outcome<ValueOf<P>, ErrorOf<P>> {
        if self.threads.is_own() {
            self.help();
        } else {
            self.wait();
        }
        let mut shared = self.shared.lock();
        // No outcome means cancelled. Workers that are in a task notice it at
        // the task's end.
        let outcome = shared
            .outcome
            .get_or_insert_with(|| Err(P::Tasks::cancelled()));
        let result = match outcome.clone() {
            Ok(()) => Ok(shared.state.take_outputs(self.tasks.topology())),
            Err(failure) => {
                // Computations inside other tasks end as well.
                self.tasks.cancel();
                self.threads.stuck().add(shared.in_task);
                shared.given_up = true;
                let held = shared.state.abandon();
                Err(Unfinished { failure, held })
            }
        };
        drop(shared);
        // Queued workers would only keep the run alive.
        while self.take_queued().is_some() {}
        result
    }

    /// Waits on a thread that the run does not need.
    fn wait(self: &Arc<Self>) {
        let mut shared = self.shared.lock();
        while !self.has_ended(&shared) {
            if self.ended.wait_for(&mut shared, LOOK).timed_out() {
                self.look(&mut shared);
            }
        }
    }

    /// Checks whether the run needs more workers or threads than it has.
    fn look(self: &Arc<Self>, shared: &mut Locked<'_, P>) {
        let stuck = self.threads.stuck();
        if stuck.add_substitute() {
            if let Some(worker) = self.take_queued() {
                let run = self.clone();
                self.threads.spawn_substitute(move || {
                    run.work(worker, None);
                    run.threads.stuck().remove_substitute();
                });
            } else {
                stuck.remove_substitute();
            }
        }
        // Tasks that seemed short may have become long.
        let ready = shared.state.ready_len();
        self.start_workers(shared, ready);
    }

    /// Works on the run until it has ended.
    pub fn help(self: &Arc<Self>) {
        loop {
            let mut shared = self.shared.lock();
            if self.has_ended(&shared) {
                return;
            }
            if self.next(&shared, true).is_some()
                && let Some(worker) = shared.take_worker().or_else(|| self.take_queued())
            {
                drop(shared);
                self.work(worker, None);
                continue;
            }
            // The remaining tasks run on other threads. Help these threads, if
            // they have jobs to share.
            drop(shared);
            if !self.threads.lend_a_hand() {
                // Nudges that were owed in the meantime may be meant for
                // sleeping threads.
                settle(&self.threads);
                let mut shared = self.shared.lock();
                if !self.has_ended(&shared) {
                    self.ended.wait_for(&mut shared, IDLE);
                }
            }
        }
    }

    fn has_ended(&self, shared: &Locked<'_, P>) -> bool {
        shared.outcome.is_some() || self.tasks.is_cancelled()
    }

    /// Starts workers for a number of ready tasks, up to the limit.
    fn start_workers(self: &Arc<Self>, shared: &mut Locked<'_, P>, tasks: usize) {
        for _ in 0..tasks.min(self.limit) {
            let Some(worker) = shared.take_worker() else {
                return;
            };
            let run = self.clone();
            enqueue(&self.threads, Ticket { run, worker });
        }
    }

    /// Removes one of the run's own workers from the queue.
    fn take_queued(self: &Arc<Self>) -> Option<usize> {
        let queue = self.threads.queue();
        let ticket = queue.take(|ticket| Arc::ptr_eq(&ticket.run, self))?;
        Some(ticket.worker)
    }

    fn end(&self, shared: &mut Locked<'_, P>, outcome: Result<(), ErrorOf<P>>) {
        shared.outcome.get_or_insert(outcome);
        self.ended.notify_all();
    }

    /// Lets the current or else the next wait for the run time out. Only in the
    /// model.
    #[cfg(loom)]
    pub fn time_out(&self) {
        let _locked = self.shared.lock();
        self.ended.time_out();
    }
}

impl<V, E> Shared<V, E> {
    fn take_worker(&mut self) -> Option<usize> {
        let free = self.workers.iter().position(|taken| !taken)?;
        self.workers[free] = true;
        Some(free)
    }
}
