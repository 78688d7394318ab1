//! The threaded runner.
//!
//! It uses the thread pool of Polars, in which ndarray's parallel loops run as
//! well: a task that is parallel itself shares the threads instead of adding
//! more. A run has up to `limit` *workers*. A worker takes ready tasks one
//! after the other and ends when none is ready; whoever makes more tasks ready
//! than it can take itself starts workers for them. So a run holds no thread
//! that it has no use for.
//!
//! Workers wait in one queue for all runs. A job in the pool, a *nudge*, makes
//! a thread serve the queue; a worker whose turn is over goes to its end, so
//! that a large run in the background does not hold up a small one.
//!
//! Why nothing is lost and nobody waits for ever:
//! - A worker is in the queue or on a thread's stack. One that ends has seen,
//!   under the run's lock, that no task is ready; tasks become ready under the
//!   same lock, by a worker that goes on.
//! - While a task waits for a parallel loop of its own, its thread takes other
//!   jobs of the pool, nudges too. A nudge never serves the queue on top of a
//!   task: the task would be held up by tasks that have nothing to do with
//!   it, for as long as they come. It is *owed* instead, and made up for when
//!   the next task ends (`settle`).
//! - A task that computes something itself is on a thread of the pool, and the
//!   inner run may need this very thread: so it works on the inner run, and on
//!   no other, until that has ended (`Run::help`). What is on top of a task
//!   on a thread's stack is therefore always something that the task waits for.
//! - A task that goes on after its run was cancelled keeps a thread from the
//!   runs after it: one of these that finds no thread gets another instead
//!   (`Run::wait`).

use super::cancel::{self, CancelToken};
use super::event::{Event, Listener, tell};
use super::plan::Plan;
use super::state::{State, Transition};
use super::sync::{run_task, tell_transition};
use crate::error::{Error, Result};
use crate::graph::Value;
use crate::session::panics::catch;
use parking_lot::{Condvar, Mutex, MutexGuard};
use polars_core::runtime::THREAD_POOL;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The number of threads of the pool.
pub fn threads() -> usize {
    THREAD_POOL.current_num_threads()
}

/// How long a worker has a thread to itself while other workers wait.
const TURN: Duration = Duration::from_millis(5);

/// How often a waiting thread looks whether it was interrupted.
const LOOK: Duration = Duration::from_millis(20);

/// How often a thread that helps a run looks for something to do.
const IDLE: Duration = Duration::from_micros(200);

/// A run of a plan in the pool.
pub(super) struct Run {
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
    /// How many of them are in a task.
    in_task: usize,
    /// Whether nobody waits for them any more: they count as stuck.
    given_up: bool,
    /// Set once, when the run has ended.
    outcome: Option<Result<()>>,
}

/// A worker that waits for a thread.
struct Ticket {
    run: Arc<Run>,
    worker: usize,
}

static QUEUE: Mutex<VecDeque<Ticket>> = Mutex::new(VecDeque::new());
/// The queue's length, for a look without the lock.
static QUEUED: AtomicUsize = AtomicUsize::new(0);
/// Whether a nudge came to a thread that was inside a task.
static OWED: AtomicBool = AtomicBool::new(false);
/// How many threads are in a task of a run that was given up.
static STUCK: AtomicUsize = AtomicUsize::new(0);
/// How many threads work in their place.
static SUBSTITUTES: AtomicUsize = AtomicUsize::new(0);

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
    Run::start(plan, limit, token, listeners).values()
}

impl Run {
    /// Starts a run; it goes on by itself.
    pub(super) fn start(
        plan: &Arc<Plan>,
        limit: Option<usize>,
        token: &CancelToken,
        listeners: &[Arc<dyn Listener>],
    ) -> Arc<Self> {
        let limit = limit.unwrap_or_else(threads).max(1);
        let state = State::new(plan.clone());
        tell(listeners, || Event::Submitted { plan: plan.clone() });
        for task in state.roots() {
            tell(listeners, || Event::Ready { task });
        }
        let run = Arc::new(Self {
            plan: plan.clone(),
            token: token.clone(),
            listeners: listeners.to_vec(),
            limit,
            shared: Mutex::new(Shared {
                state,
                workers: vec![false; limit.min(plan.len())],
                in_task: 0,
                given_up: false,
                outcome: plan.is_empty().then_some(Ok(())),
            }),
            ended: Condvar::new(),
        });
        let mut shared = run.shared.lock();
        let ready = shared.state.ready_len();
        run.start_workers(&mut shared, ready);
        drop(shared);
        run
    }

    /// Waits for the end of the run, working on it where the calling thread is
    /// one of the pool.
    ///
    /// # Errors
    /// The first failure; [`Error::Interrupted`], at once: tasks that run then
    /// are not waited for.
    pub(super) fn values(self: &Arc<Self>) -> Result<Vec<Value>> {
        if in_pool() {
            self.help();
        } else {
            self.wait();
        }
        let mut shared = self.shared.lock();
        // None: cancelled. Workers that are in a task see it at its end.
        let outcome = shared.outcome.get_or_insert(Err(Error::Interrupted));
        match outcome.clone() {
            Ok(()) => {
                let values = shared.state.take_outputs();
                drop(shared);
                tell(&self.listeners, || Event::Completed);
                Ok(values)
            }
            Err(error) => {
                // What other tasks compute themselves ends as well.
                self.token.cancel();
                STUCK.fetch_add(shared.in_task, Ordering::Relaxed);
                shared.given_up = true;
                let state = shared.state.abandon();
                drop(shared);
                drop(state);
                if matches!(error, Error::Interrupted) {
                    tell(&self.listeners, || Event::Cancelled);
                }
                Err(error)
            }
        }
    }

    /// Waits from outside of the pool.
    fn wait(self: &Arc<Self>) {
        let mut shared = self.shared.lock();
        while !self.has_ended(&shared) {
            let looked = self.ended.wait_for(&mut shared, LOOK);
            if looked.timed_out()
                && SUBSTITUTES.load(Ordering::Relaxed) < STUCK.load(Ordering::Relaxed)
                && let Some(worker) = self.take_queued()
            {
                SUBSTITUTES.fetch_add(1, Ordering::Relaxed);
                let run = self.clone();
                std::thread::spawn(move || {
                    run.work(worker, None);
                    SUBSTITUTES.fetch_sub(1, Ordering::Relaxed);
                });
            }
        }
    }

    /// Works on the run, from a thread of the pool, until it has ended.
    pub(super) fn help(self: &Arc<Self>) {
        loop {
            let mut shared = self.shared.lock();
            if self.has_ended(&shared) {
                return;
            }
            if shared.state.ready_len() > 0
                && let Some(worker) = shared.take_worker().or_else(|| self.take_queued())
            {
                drop(shared);
                self.work(worker, None);
                continue;
            }
            // The tasks that are left run on other threads: help these, if
            // they have something to share.
            drop(shared);
            if !matches!(rayon::yield_now(), Some(rayon::Yield::Executed)) {
                let mut shared = self.shared.lock();
                if !self.has_ended(&shared) {
                    self.ended.wait_for(&mut shared, IDLE);
                }
            }
        }
    }

    fn has_ended(&self, shared: &Shared) -> bool {
        shared.outcome.is_some() || self.token.is_cancelled()
    }

    /// Starts workers for so many ready tasks, up to the limit.
    fn start_workers(self: &Arc<Self>, shared: &mut Shared, tasks: usize) {
        for _ in 0..tasks.min(self.limit) {
            let Some(worker) = shared.take_worker() else {
                return;
            };
            enqueue(Ticket {
                run: self.clone(),
                worker,
            });
            nudge();
        }
    }

    /// Takes one of the run's own workers out of the queue.
    fn take_queued(self: &Arc<Self>) -> Option<usize> {
        let mut queue = QUEUE.lock();
        let at = queue
            .iter()
            .position(|ticket| Arc::ptr_eq(&ticket.run, self))?;
        QUEUED.fetch_sub(1, Ordering::Relaxed);
        queue.remove(at).map(|ticket| ticket.worker)
    }

    /// Takes ready tasks until there is none, or until the turn is over and
    /// another worker waits. Returns whether the worker wants another turn.
    fn work(self: &Arc<Self>, worker: usize, turn: Option<Duration>) -> bool {
        // A panic that comes from outside of a task (a listener, a value's
        // drop) would end the process if the pool saw it.
        catch(|| self.work_turn(worker, turn)).unwrap_or_else(|error| {
            let mut shared = self.shared.lock();
            shared.workers[worker] = false;
            self.end(&mut shared, Err(error));
            false
        })
    }

    fn work_turn(self: &Arc<Self>, worker: usize, turn: Option<Duration>) -> bool {
        let begin = Instant::now();
        let mut transition = Transition::default();
        let mut shared = self.shared.lock();
        while !self.has_ended(&shared) {
            if let Some(turn) = turn
                && QUEUED.load(Ordering::Relaxed) > 0
                && begin.elapsed() > turn
                && shared.state.ready_len() > 0
            {
                return true;
            }
            let Some((task, inputs)) = shared.state.start() else {
                break;
            };
            shared.in_task += 1;
            let result = MutexGuard::unlocked(&mut shared, || {
                // A listener may panic; the task is over then, all the same.
                let result = catch(|| {
                    run_task(
                        &self.plan,
                        task,
                        inputs,
                        worker,
                        &self.token,
                        &self.listeners,
                    )
                })
                .unwrap_or_else(Err);
                settle();
                result
            });
            shared.in_task -= 1;
            if shared.outcome.is_some() {
                if shared.given_up {
                    STUCK.fetch_sub(1, Ordering::Relaxed);
                }
                break;
            }
            match result {
                Ok(value) => {
                    shared.state.finish(task, value, &mut transition);
                    tell_transition(&self.listeners, &transition);
                    if shared.state.is_complete() {
                        self.end(&mut shared, Ok(()));
                    } else if !transition.ready.is_empty() {
                        // This worker takes one of them itself.
                        let others = shared.state.ready_len() - 1;
                        self.start_workers(&mut shared, others);
                    }
                }
                Err(error) => self.end(&mut shared, Err(error)),
            }
        }
        shared.workers[worker] = false;
        false
    }

    fn end(&self, shared: &mut Shared, outcome: Result<()>) {
        shared.outcome.get_or_insert(outcome);
        self.ended.notify_all();
    }
}

impl Shared {
    fn take_worker(&mut self) -> Option<usize> {
        let free = self.workers.iter().position(|taken| !taken)?;
        self.workers[free] = true;
        Some(free)
    }
}

/// Whether this thread is one of the pool.
pub(super) fn in_pool() -> bool {
    THREAD_POOL.current_thread_index().is_some()
}

fn enqueue(ticket: Ticket) {
    let mut queue = QUEUE.lock();
    queue.push_back(ticket);
    QUEUED.fetch_add(1, Ordering::Relaxed);
}

fn dequeue() -> Option<Ticket> {
    let ticket = QUEUE.lock().pop_front()?;
    QUEUED.fetch_sub(1, Ordering::Relaxed);
    Some(ticket)
}

/// Has a thread of the pool serve the queue.
fn nudge() {
    THREAD_POOL.spawn(|| {
        if cancel::inside_task() {
            OWED.store(true, Ordering::Release);
            return;
        }
        while let Some(ticket) = dequeue() {
            if ticket.run.work(ticket.worker, Some(TURN)) {
                enqueue(ticket);
            }
        }
    });
}

/// Makes up for a nudge that came to a thread inside a task.
pub(super) fn settle() {
    if OWED.load(Ordering::Relaxed)
        && QUEUED.load(Ordering::Relaxed) > 0
        && OWED.swap(false, Ordering::AcqRel)
    {
        nudge();
    }
}
