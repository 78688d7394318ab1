//! From layers to values.
//!
//! [`plan::Plan`] numbers the tasks that are needed (culling is not visiting
//! the others) in the order in which they should run; the crate
//! `swath-scheduler` finds that order, and is the pure core that both runners
//! drive: [`sync`] on the calling thread, [`pool`] on the threads that Polars
//! and ndarray use too. [`task`] runs one task. [`memory`] decides what goes to
//! disk, [`spill`] puts it there; [`saved`] writes what is to outlive the process. [`kept`] holds what outlives a run. What
//! happens is told as [`event::Event`]s. The scheduler names no collection.

mod cache;
pub mod event;
mod kept;
mod memory;
pub mod persist;
pub mod plan;
pub mod pool;
mod saved;
mod size;
mod spill;
mod sync;
mod task;
pub mod underway;

#[cfg(test)]
pub(crate) mod tests;

pub use crate::cancel::{CancelToken, checkpoint, interrupt};
pub use cache::set_cache_limit;
pub use event::{Event, Listener, Observer, observe};
pub(crate) use memory::limit_that_was_set;
pub use memory::{MemoryUse, memory, memory_limit, set_memory_limit};
pub use persist::Persisted;
pub use plan::{Plan, TaskId};
pub(crate) use saved::Keeper;
pub use size::ByteSize;
pub use spill::set_spill_folder;

use crate::error::{Error, Result};
use crate::graph::{Layer, Layers, Value};
use crate::optimize;
use crate::panics::catch;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use swath_scheduler::Unfinished;
use task::Context;
use underway::WaitedFor;

/// Who runs the tasks, and who listens.
#[derive(Clone)]
pub struct Options {
    /// The number of tasks that run at a time; `None`, or more than the pool
    /// has threads: as many as it has.
    pub threads: Option<usize>,
    /// Run on the calling thread, one task after the other.
    pub synchronous: bool,
    /// How often a task that fails is run again before the failure counts.
    pub retries: u32,
    /// The bytes that values may have in memory during the run; `None`, or more
    /// than [`memory_limit`]: as many as that.
    pub memory_limit: Option<u64>,
    /// Pass every operation, input and value through its encoding, one task a
    /// step: what another process would get. For tests; by default as the
    /// environment variable `SWATH_ENCODED` says, `1` or nothing.
    pub encoded: bool,
    /// Told everything that happens.
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

/// How a run ended: with the values of the outputs, or with what was there.
type Outcome = swath_scheduler::Outcome<Value, Error>;

/// Computes every chunk of the given layers, each layer's row-major.
///
/// # Errors
/// The first failure, with the task's key; [`crate::Error::Interrupted`].
pub fn run(outputs: &[Arc<Layer>], options: &Options) -> Result<Vec<Vec<Value>>> {
    let token = CancelToken::register();
    let waited_for = WaitedFor::begin(outputs);
    let plan = prepare(outputs, options, None, &token)?;
    let mut values = run_plan_unless(&plan, options, &token, &waited_for)?.into_iter();
    Ok(outputs
        .iter()
        .map(|layer| values.by_ref().take(layer.grid().len()).collect())
        .collect())
}

/// Runs a plan: the values of its outputs, in order.
///
/// # Errors
/// As [`run`].
pub fn run_plan(plan: &Arc<Plan>, options: &Options) -> Result<Vec<Value>> {
    let unseen = WaitedFor::default();
    run_plan_unless(plan, options, &CancelToken::register(), &unseen)
}

fn run_plan_unless(
    plan: &Arc<Plan>,
    options: &Options,
    token: &CancelToken,
    waited_for: &WaitedFor,
) -> Result<Vec<Value>> {
    plan.wait_for_sources()?;
    let context = Context::new(plan.clone(), token, options);
    let outcome = if options.synchronous {
        sync::run(&Arc::new(context))
    } else {
        let run = pool::Run::start(context, options.threads());
        waited_for.runs(&run, plan);
        let outcome = run.outcome();
        waited_for.ended(&outcome);
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

/// Drops values that nobody needs any more: many of them in the background, so
/// that whoever has cancelled can go on.
fn dispose(values: Vec<Option<Value>>) {
    const FEW: usize = 10_000;
    if values.len() > FEW {
        std::thread::spawn(move || drop(values));
    }
}

/// Optimises and plans; takes what was persisted, or what was `before` a number.
fn prepare(
    outputs: &[Arc<Layer>],
    options: &Options,
    before: Option<u64>,
    token: &CancelToken,
) -> Result<Arc<Plan>> {
    /// Planning fewer chunks takes no time that anybody notices.
    const SMALL: usize = 50_000;
    /// How often it is looked whether the computation was cancelled.
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
    // On another thread, so that whoever cancels need not wait for it.
    let (sender, receiver) = mpsc::channel();
    let planned_for = token.clone();
    std::thread::spawn(move || {
        let planned = catch(|| plan(layers, &planned_for)).and_then(|plan| plan);
        // Nobody waits for it any more: cancelled.
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

/// What the optimiser does with the layers of some collections, and what that
/// saves.
///
/// # Errors
/// As planning: a graph that is too large.
pub fn explain(outputs: &[Arc<Layer>]) -> Result<optimize::Explanation> {
    let before = Layers::new(outputs);
    let mut layers = before.clone();
    let kept = kept::take_kept(&mut layers, None);
    optimize::explain(&before, &kept, layers)
}
