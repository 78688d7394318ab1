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
//! - Where tasks are short a worker takes several at once, and others are
//!   started only for more than that; a thread that waits for the run looks
//!   now and then whether tasks wait that nobody takes.
//! - A task that goes on after its run was cancelled keeps a thread from the
//!   runs after it: one of these that finds no thread gets another instead
//!   (`Run::wait`).

use super::Outcome;
use super::cancel;
use super::event::tell_transition;
use super::memory::{self, Candidate, Holder};
use super::plan::TaskId;
use super::task::Context;
use crate::error::{Error, Result};
use crate::graph::Value;
use crate::session::panics::catch;
use parking_lot::{Condvar, Mutex, MutexGuard};
use polars_core::runtime::THREAD_POOL;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use swath_scheduler::{State, Transition};

/// The number of threads of the pool.
pub fn threads() -> usize {
    THREAD_POOL.current_num_threads()
}

/// How long a worker has a thread to itself while other workers wait.
const TURN: Duration = Duration::from_millis(5);

/// How often a waiting thread looks whether it was interrupted, and whether
/// tasks wait that nobody takes.
pub(super) const LOOK: Duration = Duration::from_millis(5);

/// How often a thread that helps a run looks for something to do.
const IDLE: Duration = Duration::from_micros(200);

/// How many tasks a worker takes at once, at most, where they are short.
const BATCH: usize = 64;
/// A batch that took less than this may be larger.
const SHORT: Duration = Duration::from_micros(30);
/// A batch that took more than this, or whose values have more bytes than
/// this, has to be smaller.
const LONG: Duration = Duration::from_micros(200);
const LARGE: usize = 4 << 20;

/// A run of a plan in the pool.
pub(super) struct Run {
    context: Context,
    /// How many workers there may be at a time.
    limit: usize,
    shared: Mutex<Shared>,
    ended: Condvar,
}

struct Shared {
    state: State<Value>,
    /// Which worker numbers are taken.
    workers: Vec<bool>,
    /// How many of them are in a task.
    in_task: usize,
    /// The bytes of the largest value so far.
    largest: usize,
    /// How many tasks a worker takes at once: more where they are short, so
    /// that workers don't wait for each other at every task.
    batch: usize,
    /// Whether nobody waits for them any more: they count as stuck.
    given_up: bool,
    /// The first failure, in a run that goes on.
    failure: Option<Error>,
    /// Set once, when the run has ended.
    outcome: Option<Result<()>>,
}

/// A worker that waits for a thread.
struct Ticket {
    run: Arc<Run>,
    worker: usize,
}

/// The tasks that a worker has taken, with their inputs.
type Jobs = Vec<(TaskId, Vec<Value>)>;

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
pub(super) fn run(context: Context, limit: usize) -> Outcome {
    Run::start(context, limit).outcome()
}

impl Run {
    /// Starts a run; it goes on by itself.
    pub(super) fn start(context: Context, limit: usize) -> Arc<Self> {
        let graph = context.plan.topology();
        let state = State::new(graph, context.is_heard());
        let is_empty = graph.is_empty();
        context.tell_begin();
        let limit = limit.max(1);
        let run = Arc::new(Self {
            limit,
            shared: Mutex::new(Shared {
                state,
                workers: vec![false; limit.min(graph.len())],
                in_task: 0,
                largest: 0,
                batch: 1,
                given_up: false,
                failure: None,
                outcome: is_empty.then_some(Ok(())),
            }),
            ended: Condvar::new(),
            context,
        });
        memory::register(&run);
        let mut shared = run.shared.lock();
        let ready = shared.state.ready_len();
        run.start_workers(&mut shared, ready);
        drop(shared);
        run
    }

    /// Waits for the end of the run, working on it where the calling thread is
    /// one of the pool. An interrupt ends it at once: tasks that run then are
    /// not waited for.
    pub(super) fn outcome(self: &Arc<Self>) -> Outcome {
        if in_pool() {
            self.help();
        } else {
            self.wait();
        }
        let mut shared = self.shared.lock();
        // None: cancelled. Workers that are in a task see it at its end.
        let outcome = shared.outcome.get_or_insert(Err(Error::Interrupted));
        let failure = outcome.clone().err();
        let values = shared.state.take_outputs(self.context.plan.topology());
        if failure.is_some() {
            // What other tasks compute themselves ends as well.
            self.context.token.cancel();
            STUCK.fetch_add(shared.in_task, Ordering::Relaxed);
            shared.given_up = true;
            let state = shared.state.abandon();
            drop(shared);
            dispose(state);
        } else {
            drop(shared);
        }
        self.context.tell_end(failure.as_ref());
        Outcome { values, failure }
    }

    /// Waits from outside of the pool.
    fn wait(self: &Arc<Self>) {
        let mut shared = self.shared.lock();
        while !self.has_ended(&shared) {
            if !self.ended.wait_for(&mut shared, LOOK).timed_out() {
                continue;
            }
            if SUBSTITUTES.load(Ordering::Relaxed) < STUCK.load(Ordering::Relaxed)
                && let Some(worker) = self.take_queued()
            {
                SUBSTITUTES.fetch_add(1, Ordering::Relaxed);
                let run = self.clone();
                std::thread::spawn(move || {
                    run.work(worker, None);
                    SUBSTITUTES.fetch_sub(1, Ordering::Relaxed);
                });
            }
            // Tasks that seemed short may have become long.
            let ready = shared.state.ready_len();
            self.start_workers(&mut shared, ready);
        }
    }

    /// Works on the run, from a thread of the pool, until it has ended.
    pub(super) fn help(self: &Arc<Self>) {
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
            if !matches!(rayon::yield_now(), Some(rayon::Yield::Executed)) {
                let mut shared = self.shared.lock();
                if !self.has_ended(&shared) {
                    self.ended.wait_for(&mut shared, IDLE);
                }
            }
        }
    }

    fn has_ended(&self, shared: &Shared) -> bool {
        shared.outcome.is_some() || self.context.token.is_cancelled()
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
        let context = &self.context;
        let begin = Instant::now();
        let mut transition = Transition::default();
        let mut jobs = Jobs::new();
        let mut done: Vec<(TaskId, Result<Value>)> = Vec::new();
        let mut shared = self.shared.lock();
        while !self.has_ended(&shared) {
            if let Some(turn) = turn
                && QUEUED.load(Ordering::Relaxed) > 0
                && begin.elapsed() > turn
                && shared.state.ready_len() > 0
            {
                return true;
            }
            self.take_jobs(&mut shared, &mut jobs);
            if jobs.is_empty() {
                break;
            }
            // Only whole batches tell how long one takes.
            let measured = jobs.len() == shared.batch;
            shared.in_task += 1;
            let elapsed = MutexGuard::unlocked(&mut shared, || {
                let begin = measured.then(Instant::now);
                self.run_jobs(worker, &mut jobs, &mut done);
                settle();
                begin.map(|begin| begin.elapsed())
            });
            shared.in_task -= 1;
            if shared.outcome.is_some() {
                if shared.given_up {
                    STUCK.fetch_sub(1, Ordering::Relaxed);
                }
                break;
            }
            if let Some(elapsed) = elapsed {
                shared.fit_batch(elapsed, &done);
            }
            transition.clear();
            for (task, result) in done.drain(..) {
                self.note(&mut shared, task, result, &mut transition);
            }
            tell_transition(&context.listeners, &transition);
            if shared.outcome.is_some() {
                break;
            }
            if shared.state.is_complete() {
                let outcome = shared.failure.take().map_or(Ok(()), Err);
                self.end(&mut shared, outcome);
            } else {
                // This worker takes some of them itself.
                let others = shared.state.ready_len().saturating_sub(shared.batch);
                self.start_workers(&mut shared, others);
                if let Err(error) = MutexGuard::unlocked(&mut shared, || {
                    context.pressure.relieve(&context.listeners)
                }) {
                    self.end(&mut shared, Err(error));
                }
            }
        }
        shared.workers[worker] = false;
        // What the batch still holds is freed without the lock.
        drop(shared);
        false
    }

    /// The task that should start next, as far as one may.
    fn next(&self, shared: &Shared, alone: bool) -> Option<TaskId> {
        let next = shared.state.next()?;
        let plan = &self.context.plan;
        let is_admitted = !plan.inputs(next).is_empty()
            || (alone && shared.in_task == 0)
            || self.context.pressure.admits(plan, shared.largest);
        if is_admitted {
            Some(next)
        } else {
            shared.state.next_with_inputs()
        }
    }

    fn take_jobs(&self, shared: &mut Shared, jobs: &mut Jobs) {
        let share = shared.state.ready_len() / (2 * self.limit);
        let wanted = shared.batch.min(share).max(1);
        while jobs.len() < wanted
            && let Some(task) = self.next(shared, jobs.is_empty())
        {
            let mut inputs = Vec::new();
            let graph = self.context.plan.topology();
            shared.state.start(graph, task, &mut inputs);
            jobs.push((task, inputs));
        }
    }

    fn run_jobs(&self, worker: usize, jobs: &mut Jobs, done: &mut Vec<(TaskId, Result<Value>)>) {
        let _inside = cancel::enter(&self.context.token);
        for (task, inputs) in jobs.drain(..) {
            if self.context.token.is_cancelled() {
                return;
            }
            // A listener may panic; the task is over then, all the same.
            let result = catch(|| self.context.run(task, inputs, worker)).unwrap_or_else(Err);
            let goes_on = result
                .as_ref()
                .err()
                .is_none_or(|error| self.context.goes_on_after(error));
            done.push((task, result));
            if !goes_on {
                return;
            }
        }
    }

    fn note(
        &self,
        shared: &mut Shared,
        task: TaskId,
        result: Result<Value>,
        transition: &mut Transition,
    ) {
        let graph = self.context.plan.topology();
        match result {
            Ok(value) => {
                shared.largest = shared.largest.max(value.nbytes());
                shared.state.finish(graph, task, value, transition);
            }
            Err(error) if self.context.goes_on_after(&error) => {
                shared.state.fail(graph, task, transition);
                shared.failure.get_or_insert(error);
            }
            Err(error) => self.end(shared, Err(error)),
        }
    }

    fn end(&self, shared: &mut Shared, outcome: Result<()>) {
        shared.outcome.get_or_insert(outcome);
        self.ended.notify_all();
    }
}

impl Holder for Run {
    fn candidates(&self, tell: &mut dyn FnMut(Candidate)) {
        memory::results(&self.context.plan, &self.shared.lock().state, tell);
    }

    fn replace(&self, place: u32, spilled: Value) -> bool {
        memory::replace_result(&mut self.shared.lock().state, place, spilled)
    }
}

impl Shared {
    fn take_worker(&mut self) -> Option<usize> {
        let free = self.workers.iter().position(|taken| !taken)?;
        self.workers[free] = true;
        Some(free)
    }

    fn fit_batch(&mut self, elapsed: Duration, done: &[(TaskId, Result<Value>)]) {
        let nbytes: usize = done
            .iter()
            .filter_map(|(_, result)| result.as_ref().ok())
            .map(Value::nbytes)
            .sum();
        if elapsed > LONG || nbytes > LARGE {
            self.batch = (self.batch / 4).max(1);
        } else if elapsed < SHORT {
            self.batch = (2 * self.batch).min(BATCH);
        }
    }
}

/// Drops values that nobody needs any more: many of them in the background, so
/// that whoever has cancelled can go on.
fn dispose(values: Vec<Option<Value>>) {
    const FEW: usize = 10_000;
    if values.len() > FEW {
        std::thread::spawn(move || drop(values));
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
