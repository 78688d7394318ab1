//! The threaded runner.
//!
//! It uses the thread pool of Polars, in which ndarray's parallel loops run as
//! well: a task that is parallel itself shares the threads instead of adding
//! more. A run has a number of *workers*: jobs in the pool that take ready
//! tasks one after the other, and end when none is ready; whoever makes tasks
//! ready starts workers for them. So a run holds no thread that it has no use
//! for, and several runs share the pool.
//!
//! A task may compute something itself. Its thread then works on the inner
//! run too, instead of blocking a thread that the inner run may need: with one
//! thread it does all of it.

use super::cancel::CancelToken;
use super::event::{Event, Listener, tell};
use super::plan::{Plan, TaskId};
use super::state::State;
use super::sync::{run_task, tell_released};
use crate::error::{Error, Result};
use crate::graph::Value;
use parking_lot::{Condvar, Mutex};
use polars_core::runtime::THREAD_POOL;
use std::sync::Arc;
use std::time::Duration;

/// The number of threads of the pool.
pub fn threads() -> usize {
    THREAD_POOL.current_num_threads()
}

struct Run {
    plan: Arc<Plan>,
    token: CancelToken,
    listeners: Vec<Arc<dyn Listener>>,
    /// How many workers there may be at a time.
    limit: usize,
    shared: Mutex<Shared>,
    ended: Condvar,
}

struct Shared {
    state: State,
    /// Which worker numbers are taken.
    workers: Vec<bool>,
    active: usize,
    outcome: Option<Result<()>>,
}

/// Runs a plan on at most `limit` threads of the pool.
///
/// # Errors
/// The first failure; [`Error::Interrupted`].
pub fn run(
    plan: &Arc<Plan>,
    limit: Option<usize>,
    token: &CancelToken,
    listeners: &[Arc<dyn Listener>],
) -> Result<Vec<Value>> {
    let limit = limit.unwrap_or_else(threads).max(1);
    tell(listeners, || Event::Submitted { plan: plan.clone() });
    let run = Arc::new(Run {
        plan: plan.clone(),
        token: token.clone(),
        listeners: listeners.to_vec(),
        limit,
        shared: Mutex::new(Shared {
            state: State::new(plan.clone()),
            workers: vec![false; limit],
            active: 0,
            outcome: plan.is_empty().then_some(Ok(())),
        }),
        ended: Condvar::new(),
    });
    run.start_workers(&mut run.shared.lock());
    if THREAD_POOL.current_thread_index().is_some() {
        run.help();
    } else {
        run.wait();
    }
    let mut shared = run.shared.lock();
    match shared.outcome.take() {
        Some(Ok(())) => {
            tell(listeners, || Event::Completed);
            Ok(shared.state.outputs())
        }
        Some(Err(error)) => Err(error),
        None => {
            // Workers that are in a task see this at its end.
            shared.outcome = Some(Err(Error::Interrupted));
            tell(listeners, || Event::Cancelled);
            Err(Error::Interrupted)
        }
    }
}

impl Run {
    /// Waits for the end, or for the interrupt: tasks that still run then are
    /// not waited for.
    fn wait(&self) {
        let mut shared = self.shared.lock();
        while shared.outcome.is_none() && !self.token.is_cancelled() {
            self.ended.wait_for(&mut shared, Duration::from_millis(20));
        }
    }

    /// Works on the run from a thread of the pool until it has ended.
    fn help(self: &Arc<Self>) {
        loop {
            let worker = {
                let mut shared = self.shared.lock();
                if shared.outcome.is_some() || self.token.is_cancelled() {
                    return;
                }
                // Beyond the limit if all workers are taken: they may be jobs
                // that wait behind this very thread.
                shared.take_worker(self.limit + 1)
            };
            match worker {
                Some(worker) => self.work(worker),
                None => std::thread::sleep(Duration::from_micros(50)),
            }
            match rayon::yield_now() {
                Some(rayon::Yield::Executed) => {}
                _ => std::thread::yield_now(),
            }
        }
    }

    /// Starts a worker for every ready task, up to the limit.
    fn start_workers(self: &Arc<Self>, shared: &mut Shared) {
        let wanted = shared
            .state
            .ready_len()
            .min(self.limit.saturating_sub(shared.active));
        for _ in 0..wanted {
            let Some(worker) = shared.take_worker(self.limit) else {
                return;
            };
            let run = self.clone();
            THREAD_POOL.spawn(move || run.work(worker));
        }
    }

    /// Takes ready tasks until there is none.
    fn work(self: &Arc<Self>, worker: usize) {
        let mut released: Vec<TaskId> = Vec::new();
        let mut shared = self.shared.lock();
        loop {
            if shared.outcome.is_some() || self.token.is_cancelled() {
                break;
            }
            let Some((task, inputs)) = shared.state.start(&mut released) else {
                break;
            };
            drop(shared);
            tell_released(&self.listeners, &mut released);
            let result = run_task(&self.plan, task, inputs, worker, &self.listeners);
            shared = self.shared.lock();
            match result {
                Ok(value) => {
                    let transition = shared.state.finish(task, value);
                    for task in transition.ready {
                        tell(&self.listeners, || Event::Ready { task });
                    }
                    if shared.state.is_complete() {
                        shared.end(Ok(()));
                    } else if shared.state.ready_len() > 1 {
                        self.start_workers(&mut shared);
                    }
                }
                Err(error) => shared.end(Err(error)),
            }
        }
        shared.active -= 1;
        shared.workers[worker] = false;
        if shared.outcome.is_some() || self.token.is_cancelled() {
            self.ended.notify_all();
        }
    }
}

impl Shared {
    fn take_worker(&mut self, limit: usize) -> Option<usize> {
        if self.active >= limit {
            return None;
        }
        let free = self
            .workers
            .iter()
            .position(|taken| !taken)
            .unwrap_or_else(|| {
                self.workers.push(false);
                self.workers.len() - 1
            });
        self.workers[free] = true;
        self.active += 1;
        Some(free)
    }

    fn end(&mut self, outcome: Result<()>) {
        self.outcome.get_or_insert(outcome);
    }
}
