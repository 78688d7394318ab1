//! A pool with few threads, and graphs with few tasks.
#![expect(
    clippy::unwrap_used,
    reason = "the locks of a model are never poisoned"
)]

use loom::sync::atomic::AtomicBool;
use loom::sync::{Condvar, Mutex};
use loom::thread::{self, JoinHandle};
use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool as Flag, AtomicUsize, Ordering};
use swath_scheduler::{
    Adjacency, Queue, Run, Stuck, TaskId, Tasks, Threads, Ticket, Topology, Transition,
};

loom::thread_local! {
    static IS_OWN: Cell<bool> = Cell::new(false);
    static IS_POOLS: Cell<bool> = Cell::new(false);
    static IS_INSIDE: Cell<bool> = Cell::new(false);
}

/// A pool. Clones refer to the same pool.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    queue: Queue<Ticket<Pool>>,
    stuck: Stuck,
    jobs: Mutex<Jobs>,
    changed: Condvar,
    substitutes: AtomicUsize,
    /// The threads, which are joined when the pool is closed.
    threads: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Box<dyn FnOnce() + Send>>,
    is_closed: bool,
}

impl Pool {
    pub(crate) fn new(threads: usize) -> Self {
        let pool = Self(Arc::new(Shared {
            queue: Queue::new(),
            stuck: Stuck::new(),
            jobs: Mutex::default(),
            changed: Condvar::new(),
            substitutes: AtomicUsize::new(0),
            threads: std::sync::Mutex::default(),
        }));
        for _ in 0..threads {
            let serving = pool.clone();
            pool.add_thread(move || {
                IS_OWN.with(|own| own.set(true));
                IS_POOLS.with(|pools| pools.set(true));
                while let Some(job) = serving.wait_for_job() {
                    job();
                }
            });
        }
        pool
    }

    fn add_thread(&self, body: impl FnOnce() + 'static) {
        let thread = thread::spawn(body);
        self.0.threads.lock().unwrap().push(thread);
    }

    /// Returns how many substitutes there have been.
    pub(crate) fn substitutes(&self) -> usize {
        self.0.substitutes.load(Ordering::Relaxed)
    }

    fn wait_for_job(&self) -> Option<Box<dyn FnOnce() + Send>> {
        let mut jobs = self.0.jobs.lock().unwrap();
        loop {
            if let Some(job) = jobs.waiting.pop_front() {
                return Some(job);
            }
            if jobs.is_closed {
                return None;
            }
            jobs = self.0.changed.wait(jobs).unwrap();
        }
    }

    /// Creates a run that has not begun.
    pub(crate) fn prepare(&self, graph: Graph, limit: usize) -> Arc<Run<Self>> {
        Run::new(graph, self.clone(), limit, false)
    }

    /// Creates and starts a run.
    pub(crate) fn run(&self, graph: Graph, limit: usize) -> Arc<Run<Self>> {
        let run = self.prepare(graph, limit);
        run.start();
        run
    }

    /// Waits until every thread is idle, so that no worker is left in a task or
    /// in the queue.
    pub(crate) fn close(self) {
        self.0.jobs.lock().unwrap().is_closed = true;
        self.0.changed.notify_all();
        loop {
            let thread = self.0.threads.lock().unwrap().pop();
            let Some(thread) = thread else { break };
            thread.join().unwrap();
        }
        assert!(self.0.queue.is_empty(), "a worker was left in the queue");
    }
}

impl Threads for Pool {
    type Tasks = Graph;

    fn queue(&self) -> &Queue<Ticket<Self>> {
        &self.0.queue
    }

    fn stuck(&self) -> &Stuck {
        &self.0.stuck
    }

    fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        self.0.jobs.lock().unwrap().waiting.push_back(Box::new(job));
        self.0.changed.notify_one();
    }

    fn spawn_substitute(&self, job: impl FnOnce() + Send + 'static) {
        self.0.substitutes.fetch_add(1, Ordering::Relaxed);
        self.add_thread(|| {
            IS_OWN.with(|own| own.set(true));
            job();
        });
    }

    fn is_own(&self) -> bool {
        IS_OWN.with(Cell::get)
    }

    fn is_inside_task(&self) -> bool {
        IS_INSIDE.with(Cell::get)
    }

    fn lend_a_hand(&self) -> bool {
        if !IS_POOLS.with(Cell::get) {
            return false;
        }
        let job = self.0.jobs.lock().unwrap().waiting.pop_front();
        job.map(|job| job()).is_some()
    }
}

/// The reason why a task has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Task(TaskId),
    Cancelled,
    Panic,
}

/// A number that counts as alive until it is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) number: u64,
    _live: Live,
}

/// Counts what is alive of a graph: its values and the graph itself.
#[derive(Clone, Debug)]
pub(crate) struct Live(Arc<()>);

impl Live {
    #[track_caller]
    pub(crate) fn assert_none(&self) {
        self.assert_left(0);
    }

    /// Checks how many runs and values are left.
    #[track_caller]
    pub(crate) fn assert_left(&self, left: usize) {
        assert_eq!(Arc::strong_count(&self.0) - 1, left, "runs and values left");
    }
}

type Body = dyn Fn(TaskId) -> Result<u64, Failure> + Send + Sync;

/// A graph whose tasks add a number to the sum of their inputs.
pub(crate) struct Graph {
    topology: Topology,
    body: Box<Body>,
    pub(crate) live: Live,
    /// Which tasks have run.
    ran: Vec<Flag>,
    keeps_going: bool,
    /// `None` if nothing is cancelled: reading it would be one more event.
    cancelled: Option<Arc<AtomicBool>>,
    /// Whether the run was abandoned.
    given_up: Flag,
}

impl Graph {
    /// Creates a graph of one task.
    pub(crate) fn one(body: impl Fn() -> Result<u64, Failure> + Send + Sync + 'static) -> Self {
        Self::new(&[&[]], &[0], move |_| body())
    }

    /// Creates tasks with these inputs that add one to their sum.
    pub(crate) fn sums(inputs: &[&[u32]], outputs: &[u32]) -> Self {
        Self::new(inputs, outputs, |_| Ok(1))
    }

    /// Creates tasks with these inputs that add the result of `body` to their
    /// sum.
    pub(crate) fn new(
        inputs: &[&[u32]],
        outputs: &[u32],
        body: impl Fn(TaskId) -> Result<u64, Failure> + Send + Sync + 'static,
    ) -> Self {
        let ids = |ids: &[u32]| ids.iter().copied().map(TaskId).collect::<Vec<_>>();
        let lists = inputs.iter().map(|inputs| ids(inputs));
        Self {
            topology: Topology::new(Adjacency::from_iter(lists), ids(outputs), Vec::new()),
            body: Box::new(body),
            live: Live(Arc::new(())),
            ran: inputs.iter().map(|_| Flag::new(false)).collect(),
            keeps_going: false,
            cancelled: None,
            given_up: Flag::new(false),
        }
    }

    /// Lets the run continue after a task has failed.
    pub(crate) fn keeping_going(mut self) -> Self {
        self.keeps_going = true;
        self
    }

    /// Makes the run cancellable from outside.
    pub(crate) fn cancellable(self) -> Self {
        self.cancelled_by(&Arc::new(AtomicBool::new(false)))
    }

    /// Cancels the run when this flag is set, and sets the flag when the run
    /// ends early.
    pub(crate) fn cancelled_by(mut self, cancelled: &Arc<AtomicBool>) -> Self {
        self.cancelled = Some(cancelled.clone());
        self
    }
}

impl Tasks for Graph {
    type Value = Value;
    type Error = Failure;

    fn topology(&self) -> &Topology {
        &self.topology
    }

    fn run(&self, task: TaskId, inputs: Vec<Value>, _worker: usize) -> Result<Value, Failure> {
        let has_run = self.ran[task.at()].swap(true, Ordering::Relaxed);
        assert!(!has_run, "{task:?} runs twice");
        let sum: u64 = inputs.iter().map(|input| input.number).sum();
        (self.body)(task).map(|number| Value {
            number: sum + number,
            _live: self.live.clone(),
        })
    }

    fn enter(&self) -> impl Sized {
        struct Inside(bool);
        impl Drop for Inside {
            fn drop(&mut self) {
                IS_INSIDE.with(|inside| inside.set(self.0));
            }
        }
        Inside(IS_INSIDE.with(|inside| inside.replace(true)))
    }

    fn catch<T>(call: impl FnOnce() -> T) -> Result<T, Failure> {
        // Other panics are failures of the test.
        catch_unwind(AssertUnwindSafe(call)).map_err(|payload| match payload.downcast() {
            Ok(failure) => *failure,
            Err(payload) => resume_unwind(payload),
        })
    }

    fn is_cancelled(&self) -> bool {
        let from_outside = self.cancelled.as_ref();
        from_outside.is_some_and(|cancelled| cancelled.load(Ordering::Acquire))
            || self.given_up.load(Ordering::Relaxed)
    }

    fn cancel(&self) {
        match &self.cancelled {
            Some(cancelled) => cancelled.store(true, Ordering::Release),
            None => self.given_up.store(true, Ordering::Relaxed),
        }
    }

    fn cancelled() -> Failure {
        Failure::Cancelled
    }

    fn goes_on_after(&self, failure: &Failure) -> bool {
        self.keeps_going && matches!(failure, Failure::Task(_))
    }

    fn admits(&self, _largest: usize) -> bool {
        true
    }

    fn emit(&self, _transition: &Transition) {}

    fn relieve(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn nbytes(_value: &Value) -> usize {
        8
    }
}

/// An event that tasks wait for.
#[derive(Clone)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Arc::new((Mutex::new(false), Condvar::new())))
    }

    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn pass(&self) {
        let mut is_open = self.0.0.lock().unwrap();
        while !*is_open {
            is_open = self.0.1.wait(is_open).unwrap();
        }
    }
}
