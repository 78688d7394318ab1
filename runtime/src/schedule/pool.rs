//! The threaded runner: [`swath_scheduler::Run`] in the thread pool of Polars.
//!
//! ndarray's parallel loops also run in that pool, so a task that is parallel
//! itself shares the threads instead of adding more. `swath_scheduler::Run`
//! documents how workers, queue and waiting threads interact. This module
//! connects it with the rest of Swath.

use super::Outcome;
use super::event::emit_transition;
use super::memory::{self, Candidate, Holder};
use super::plan::TaskId;
use super::task::RunContext;
use crate::cancel;
use crate::error::{Error, Result};
use crate::graph::Value;
use crate::panics::catch;
use polars_core::runtime::THREAD_POOL;
use std::cell::Cell;
use std::sync::Arc;
use swath_scheduler::{Queue, Stuck, Tasks, Threads, Ticket, Topology, Transition};

/// Returns the number of threads of the pool.
pub fn threads() -> usize {
    THREAD_POOL.current_num_threads()
}

/// A run of a plan in the pool. Clones refer to the same run.
#[derive(Clone)]
pub(super) struct PoolRun(Arc<swath_scheduler::Run<Pool>>);

impl PoolRun {
    /// Starts a run of a plan on at most `limit` threads of the pool. It
    /// continues by itself.
    pub(super) fn start(context: RunContext, limit: usize) -> Self {
        context.emit_begin();
        let has_listeners = context.has_listeners();
        let run = swath_scheduler::Run::new(context, Pool, limit, has_listeners);
        memory::register(&run);
        run.start();
        Self(run)
    }

    /// Waits for the end of the run, and helps to run it if the calling thread
    /// belongs to the pool. An interrupt ends the wait at once; tasks that are
    /// still running are not waited for.
    pub(super) fn outcome(&self) -> Outcome {
        let outcome = self.0.outcome();
        let failure = outcome.as_ref().err().map(|unfinished| &unfinished.failure);
        self.0.tasks().emit_end(failure);
        outcome
    }

    /// Returns the progress of the run.
    pub(super) fn progress(&self) -> swath_scheduler::Progress {
        self.0.progress()
    }

    /// Works on the run, from a thread of the pool, until it has ended.
    pub(super) fn help(&self) {
        self.0.help();
    }
}

impl Holder for swath_scheduler::Run<Pool> {
    fn candidates(&self, tell: &mut dyn FnMut(Candidate)) {
        self.with_state(|state| memory::results(&self.tasks().plan, state, tell));
    }

    fn replace(&self, place: u32, spilled: Value) -> bool {
        self.with_state(|state| memory::replace_result(state, place, spilled))
    }
}

/// The thread pool of Polars.
#[derive(Clone, Copy)]
pub(super) struct Pool;

thread_local! {
    /// Whether this thread is a substitute for a thread of the pool.
    static IS_SUBSTITUTE: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether a run may need this thread: a thread of the pool, or a
/// substitute.
pub(super) fn in_pool() -> bool {
    THREAD_POOL.current_thread_index().is_some() || IS_SUBSTITUTE.get()
}

/// Repeats nudges that reached this thread inside a task.
pub(super) fn settle() {
    swath_scheduler::settle(&Pool);
}

impl Threads for Pool {
    type Tasks = RunContext;

    #[inline]
    fn queue(&self) -> &Queue<Ticket<Self>> {
        static QUEUE: Queue<Ticket<Pool>> = Queue::new();
        &QUEUE
    }

    fn stuck(&self) -> &Stuck {
        static STUCK: Stuck = Stuck::new();
        &STUCK
    }

    fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        THREAD_POOL.spawn(job);
    }

    fn spawn_substitute(&self, job: impl FnOnce() + Send + 'static) {
        std::thread::spawn(|| {
            IS_SUBSTITUTE.set(true);
            job();
        });
    }

    fn is_own(&self) -> bool {
        in_pool()
    }

    fn is_inside_task(&self) -> bool {
        cancel::inside_task()
    }

    fn lend_a_hand(&self) -> bool {
        matches!(rayon::yield_now(), Some(rayon::Yield::Executed))
    }
}

impl Tasks for RunContext {
    type Value = Value;
    type Error = Error;

    #[inline]
    fn topology(&self) -> &Topology {
        self.plan.topology()
    }

    fn run(&self, task: TaskId, inputs: Vec<Value>, worker: usize) -> Result<Value> {
        // A listener may panic; the task has still ended then.
        catch(|| self.run(task, inputs, worker)).unwrap_or_else(Err)
    }

    fn enter(&self) -> impl Sized {
        (self.context.enter(), cancel::enter(&self.token))
    }

    fn catch<T>(call: impl FnOnce() -> T) -> Result<T> {
        catch(call)
    }

    fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    fn cancel(&self) {
        self.token.cancel();
    }

    fn cancelled() -> Error {
        Error::Interrupted
    }

    fn goes_on_after(&self, error: &Error) -> bool {
        Self::goes_on_after(self, error)
    }

    fn admits(&self, largest: usize) -> bool {
        self.pressure.admits(&self.plan, largest)
    }

    fn emit(&self, transition: &Transition) {
        emit_transition(&self.listeners, transition);
    }

    fn relieve(&self) -> Result<()> {
        if !self.pressure.is_high() {
            return Ok(());
        }
        self.context.run(|| self.pressure.relieve(&self.listeners))
    }

    fn nbytes(value: &Value) -> usize {
        value.nbytes()
    }
}
