//! A run on several threads.
//!
//! A run has up to `limit` *workers*. A worker takes ready tasks one after the
//! other and ends when none is ready; whoever makes more tasks ready than it
//! can take itself starts workers for them. So a run holds no thread that it
//! has no use for.
//!
//! Workers wait in one [queue](crate::Queue) for all runs; a worker whose turn
//! is over goes to its end, so that a large run in the background does not hold
//! up a small one.
//!
//! Why nothing is lost and nobody waits for ever:
//! - A worker is in the queue or on a thread's stack. One that ends has seen,
//!   under the run's lock, that no task is ready; tasks become ready under the
//!   same lock, by a worker that goes on.
//! - While a task waits for a parallel loop of its own, its thread takes other
//!   jobs of the pool, nudges too. A nudge never serves the queue on top of a
//!   task: the task would be held up by tasks that have nothing to do with
//!   it, for as long as they come. It is owed instead, and made up for when
//!   the next task ends, or the thread has nothing else to do
//!   ([`settle`](crate::settle)).
//! - A task that computes something itself is on a thread of the pool, and the
//!   inner run may need this very thread: so it works on the inner run, and on
//!   no other, until that has ended ([`Run::help`]). What is on top of a task
//!   on a thread's stack is therefore always something that the task waits for.
//! - A run that has all values or has failed notifies who waits for it.
//!
//! Time-outs are needed for three things, and for nothing else
//! ([`Run::outcome`] waits no longer than that without them, as the model in
//! `tests/loom.rs` shows):
//! - A run is not told that it is cancelled: who waits for it looks.
//! - Where tasks are short a worker takes several at once, and others are
//!   started only for more than that; who waits for the run looks whether
//!   tasks wait that nobody takes.
//! - A task that goes on after its run was given up keeps a thread from the
//!   runs after it: who waits for one of these looks whether it needs a
//!   [substitute](crate::Stuck).

mod tasks;
mod worker;

pub use tasks::Tasks;

use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::threads::enqueue;
use crate::{State, Threads, Ticket, settle};
use std::sync::Arc;
use std::time::Duration;

/// How often a thread looks that waits for a run.
const LOOK: Duration = Duration::from_millis(5);

/// How often a thread that helps a run looks for something to do.
const IDLE: Duration = Duration::from_micros(200);

/// A run of tasks in a pool.
pub struct Run<P: Threads> {
    tasks: P::Tasks,
    threads: P,
    /// How many workers there may be at a time.
    limit: usize,
    shared: Mutex<Shared<ValueOf<P>, ErrorOf<P>>>,
    ended: Condvar,
}

type ValueOf<P> = <<P as Threads>::Tasks as Tasks>::Value;
type ErrorOf<P> = <<P as Threads>::Tasks as Tasks>::Error;
type Locked<'a, P> = MutexGuard<'a, Shared<ValueOf<P>, ErrorOf<P>>>;

/// What the workers of a run share.
struct Shared<V, E> {
    state: State<V>,
    /// Which worker numbers are taken.
    workers: Vec<bool>,
    /// How many of them are in a task.
    in_task: usize,
    /// The bytes of the largest value so far.
    largest: usize,
    /// The bytes of all values so far.
    nbytes: u64,
    /// How many tasks a worker takes at once: more where they are short, so
    /// that workers don't wait for each other at every task.
    batch: usize,
    /// Whether nobody waits for them any more: they count as stuck.
    given_up: bool,
    /// The first failure, in a run that goes on.
    failure: Option<E>,
    /// Set once, when the run has ended.
    outcome: Option<Result<(), E>>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many tasks have ended, or can't run any more.
    pub ended: usize,
    /// The bytes of all values that were computed.
    pub nbytes: u64,
}

/// How a run ended: with the values of its outputs, or with what was there.
pub type Outcome<V, E> = Result<Vec<V>, Unfinished<V, E>>;

/// Why a run has not got all values.
#[derive(Debug)]
pub struct Unfinished<V, E> {
    /// The first failure.
    pub failure: E,
    /// The values that were held, by task.
    pub held: Vec<Option<V>>,
}

impl<P: Threads> Run<P> {
    /// A run that does not begin before it is started. `tell_released`: whether
    /// transitions say what is released.
    pub fn new(tasks: P::Tasks, threads: P, limit: usize, tell_released: bool) -> Arc<Self> {
        let graph = tasks.topology();
        let limit = limit.max(1);
        let shared = Shared {
            state: State::new(graph, tell_released),
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

    /// Starts the run; it goes on by itself.
    pub fn start(self: &Arc<Self>) {
        let mut shared = self.shared.lock();
        let ready = shared.state.ready_len();
        self.start_workers(&mut shared, ready);
    }

    /// What is run.
    pub fn tasks(&self) -> &P::Tasks {
        &self.tasks
    }

    /// Calls with the state, which stays as it is meanwhile.
    pub fn with_state<T>(&self, call: impl FnOnce(&mut State<ValueOf<P>>) -> T) -> T {
        call(&mut self.shared.lock().state)
    }

    /// How far the run is.
    pub fn progress(&self) -> Progress {
        let shared = self.shared.lock();
        Progress {
            ended: self.tasks.topology().len() - shared.state.unfinished(),
            nbytes: shared.nbytes,
        }
    }

    /// Waits for the end of the run, working on it where the run may need this
    /// thread: the values of the outputs.
    ///
    /// # Errors
    /// The first failure. Tasks that run then are not waited for.
    pub fn outcome(self: &Arc<Self>) -> Outcome<ValueOf<P>, ErrorOf<P>> {
        if self.threads.is_own() {
            self.help();
        } else {
            self.wait();
        }
        let mut shared = self.shared.lock();
        // None: cancelled. Workers that are in a task see it at its end.
        let outcome = shared
            .outcome
            .get_or_insert_with(|| Err(P::Tasks::cancelled()));
        let result = match outcome.clone() {
            Ok(()) => Ok(shared.state.take_outputs(self.tasks.topology())),
            Err(failure) => {
                // What other tasks compute themselves ends as well.
                self.tasks.cancel();
                self.threads.stuck().add(shared.in_task);
                shared.given_up = true;
                let held = shared.state.abandon();
                Err(Unfinished { failure, held })
            }
        };
        drop(shared);
        // Workers that have not come yet would only keep the run alive.
        while self.take_queued().is_some() {}
        result
    }

    /// Waits on a thread that the run can't need.
    fn wait(self: &Arc<Self>) {
        let mut shared = self.shared.lock();
        while !self.has_ended(&shared) {
            if self.ended.wait_for(&mut shared, LOOK).timed_out() {
                self.look(&mut shared);
            }
        }
    }

    /// Looks whether the run needs more workers or threads than it has.
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
            // The tasks that are left run on other threads: help these, if
            // they have something to share.
            drop(shared);
            if !self.threads.lend_a_hand() {
                // Nudges that came meanwhile may be for threads that sleep.
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

    /// Starts workers for so many ready tasks, up to the limit.
    fn start_workers(self: &Arc<Self>, shared: &mut Locked<'_, P>, tasks: usize) {
        for _ in 0..tasks.min(self.limit) {
            let Some(worker) = shared.take_worker() else {
                return;
            };
            let run = self.clone();
            enqueue(&self.threads, Ticket { run, worker });
        }
    }

    /// Takes one of the run's own workers out of the queue.
    fn take_queued(self: &Arc<Self>) -> Option<usize> {
        let queue = self.threads.queue();
        let ticket = queue.take(|ticket| Arc::ptr_eq(&ticket.run, self))?;
        Some(ticket.worker)
    }

    fn end(&self, shared: &mut Locked<'_, P>, outcome: Result<(), ErrorOf<P>>) {
        shared.outcome.get_or_insert(outcome);
        self.ended.notify_all();
    }

    /// In the model: ends a wait for the run by its time-out, one of now or else
    /// the next.
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
