//! Plans and runs computations: from layers to values.
//!
//! [`plan::Plan`] numbers the needed tasks in the order in which they should
//! run. It never visits other tasks, which is how they are culled. The crate
//! `swath-scheduler` finds that order. It is also the pure core that both
//! runners drive: [`sync`] on the calling thread, and [`pool`] on the threads
//! that Polars and ndarray use too. [`task`] runs one task. [`mod@memory`] decides
//! which values go to disk, and [`spill`] writes them. [`checkpoints`] writes values
//! that outlive the process. [`kept`] holds values that outlive a run. Events
//! are reported as [`event::Event`]s. The scheduler depends on no collection.

mod cache;
mod checkpoints;
pub mod event;
pub mod jobs;
mod kept;
mod memory;
pub mod persist;
pub mod plan;
pub mod pool;
mod size;
mod spill;
mod sync;
mod task;
mod view;

#[cfg(test)]
pub(crate) mod tests;

pub use crate::cancel::{CancelToken, checkpoint, interrupt};
pub use cache::set_cache_limit;
pub(crate) use checkpoints::CheckpointWriter;
pub use event::{Event, Listener, Observer, observe};
pub(crate) use memory::limit_that_was_set;
pub use memory::{MemoryUse, memory, memory_limit, set_memory_limit};
pub use persist::Persisted;
pub use plan::{Plan, TaskId};
pub use size::ByteSize;
pub use spill::set_spill_folder;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::graph::{Layer, Layers, Value};
use crate::optimize;
use crate::panics::catch;
use jobs::ForegroundJob;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use swath_scheduler::Unfinished;
use task::RunContext;

/// How tasks are run, and who receives the events.
#[derive(Clone)]
pub struct Options {
    /// The number of tasks that run at a time. `None`, or more than the pool
    /// has threads, means as many as the pool has threads.
    pub threads: Option<usize>,
    /// Run on the calling thread, one task after the other.
    pub synchronous: bool,
    /// How often a failed task is retried before the failure is reported.
    pub retries: u32,
    /// The bytes that values may occupy in memory during the run. `None`, or
    /// more than [`memory_limit`], means [`memory_limit`].
    pub memory_limit: Option<u64>,
    /// Pass every operation, input and value through its encoding, without
    /// fusing tasks, as if another process ran them. For tests. The default is
    /// on if the environment variable `SWATH_ENCODED` is `1`.
    pub encoded: bool,
    /// The listeners that receive all events.
    pub listeners: Vec<Arc<dyn Listener>>,
}

impl Default for Options {
    fn default() -> Self {
        static ENCODED: LazyLock<bool> =
            LazyLock::new(|| std::env::var_os("SWATH_ENCODED").is_some_and(|value| value == "1"));
        Self {
            threads: None,
            synchronous: false,
            retries: 0,
            memory_limit: None,
            encoded: *ENCODED,
            listeners: Vec::new(),
        }
    }
}

impl Options {
    fn threads(&self) -> usize {
        if self.synchronous {
            1
        } else {
            self.threads.unwrap_or(usize::MAX).clamp(1, pool::threads())
        }
    }
}

/// How a run ended: with the values of the outputs, or with the values held at
/// that point.
type Outcome = swath_scheduler::Outcome<Value, Error>;

/// Computes every chunk of the given layers. The chunks of each layer are in
/// row-major order.
///
/// # Errors
/// The first failure, with the task's key; [`crate::Error::Interrupted`].
pub fn run(outputs: &[Arc<Layer>], options: &Options) -> Result<Vec<Vec<Value>>> {
    let token = CancelToken::register();
    let job = ForegroundJob::begin(outputs);
    let plan = prepare(outputs, options, None, &token)?;
    let mut values = run_plan_unless(&plan, options, &token, &job)?.into_iter();
    Ok(outputs
        .iter()
        .map(|layer| values.by_ref().take(layer.grid().len()).collect())
        .collect())
}

/// Runs a plan and returns the values of its outputs, in order.
///
/// # Errors
/// Those of [`run`].
pub fn run_plan(plan: &Arc<Plan>, options: &Options) -> Result<Vec<Value>> {
    let unseen = ForegroundJob::default();
    run_plan_unless(plan, options, &CancelToken::register(), &unseen)
}

fn run_plan_unless(
    plan: &Arc<Plan>,
    options: &Options,
    token: &CancelToken,
    job: &ForegroundJob,
) -> Result<Vec<Value>> {
    plan.wait_for_sources()?;
    let context = RunContext::new(plan.clone(), token, options);
    let outcome = if options.synchronous {
        sync::run(&Arc::new(context))
    } else {
        let run = pool::PoolRun::start(context, options.threads());
        job.runs(&run, plan);
        let outcome = run.outcome();
        job.ended(&outcome);
        outcome
    };
    match outcome {
        Ok(values) => values
            .into_iter()
            .map(|value| Ok(spill::load(&value)?.unwrap_or(value)))
            .collect(),
        Err(Unfinished { failure, held }) => {
            dispose(held);
            Err(failure)
        }
    }
}

/// Drops values that are no longer needed. Many values are dropped in the
/// background, so that the canceller does not have to wait.
fn dispose(values: Vec<Option<Value>>) {
    const FEW: usize = 10_000;
    if values.len() > FEW {
        std::thread::spawn(move || drop(values));
    }
}

/// Optimises and plans. Uses persisted values: all of them, or those with a
/// number below `before`.
fn prepare(
    outputs: &[Arc<Layer>],
    options: &Options,
    before: Option<u64>,
    token: &CancelToken,
) -> Result<Arc<Plan>> {
    /// Planning fewer chunks takes no noticeable time.
    const SMALL: usize = 50_000;
    /// How often the cancel token is checked.
    const LOOK: Duration = Duration::from_millis(5);
    let stop = || token.is_cancelled();
    let mut layers = Layers::new_unless(outputs, &stop).ok_or(Error::Interrupted)?;
    kept::take_kept(&mut layers, before);
    let rules = if options.encoded {
        optimize::Rules::OneTaskAStep
    } else {
        optimize::Rules::All
    };
    let plan = move |mut layers: Layers, token: &CancelToken| {
        optimize::optimize(&mut layers, rules)?;
        Ok(Arc::new(Plan::new_unless(layers, token)?))
    };
    if layers.chunks() <= SMALL || pool::in_pool() {
        return plan(layers, token);
    }
    // On another thread, so that a cancelled call returns without waiting for
    // the planning.
    let (sender, receiver) = mpsc::channel();
    let planned_for = token.clone();
    let context = Context::current();
    std::thread::spawn(move || {
        let _entered = context.enter();
        let planned = catch(|| plan(layers, &planned_for)).and_then(|plan| plan);
        // Sending fails if the call was cancelled and no longer waits.
        let _ = sender.send(planned);
    });
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(planned) => return planned,
            Err(RecvTimeoutError::Timeout) if !token.is_cancelled() => {}
            Err(_) => return Err(Error::Interrupted),
        }
    }
}

/// Explains what the optimiser does with the layers of some collections, and
/// what that saves.
///
/// # Errors
/// [`Error::Argument`] for a graph that is too large to plan.
pub fn explain(outputs: &[Arc<Layer>]) -> Result<optimize::Explanation> {
    let before = Layers::new(outputs);
    let mut layers = before.clone();
    let kept = kept::take_kept(&mut layers, None);
    optimize::explain(&before, &kept, layers)
}
