//! From layers to values.
//!
//! [`plan::Plan`] numbers the tasks that are needed (culling is not visiting
//! the others), [`order`] gives each a priority, [`state::State`] is the pure
//! core that both runners drive: [`sync`] on the calling thread, [`pool`] on
//! the threads that Polars and ndarray use too. What happens is told as
//! [`event::Event`]s. The scheduler names no collection.

pub mod cancel;
pub mod event;
pub mod order;
pub mod persist;
pub mod plan;
pub mod pool;
pub mod state;
pub mod sync;

#[cfg(test)]
mod tests;

pub use cancel::{CancelToken, checkpoint, interrupt};
pub use event::{Event, Listener};
pub use persist::Persisted;
pub use plan::{Plan, TaskId};

use crate::error::Result;
use crate::graph::{Layer, Value};
use std::sync::Arc;

/// Who runs the tasks, and who listens.
#[derive(Clone, Default)]
pub struct Options {
    /// The number of tasks that run at a time; `None`, or more than the pool
    /// has threads: as many as it has.
    pub threads: Option<usize>,
    /// Run on the calling thread, one task after the other.
    pub synchronous: bool,
    /// Told everything that happens.
    pub listeners: Vec<Arc<dyn Listener>>,
}

/// Computes every chunk of the given layers, each layer's row-major.
///
/// # Errors
/// The first failure, with the task's key; [`crate::Error::Interrupted`].
pub fn run(outputs: &[Arc<Layer>], options: &Options) -> Result<Vec<Vec<Value>>> {
    let token = CancelToken::register();
    let plan = prepare(outputs)?;
    plan.wait_for_sources()?;
    let mut values = if options.synchronous {
        sync::run(&plan, &token, &options.listeners)?
    } else {
        pool::run(&plan, options.threads, &token, &options.listeners)?
    }
    .into_iter();
    Ok(outputs
        .iter()
        .map(|layer| values.by_ref().take(layer.grid().len()).collect())
        .collect())
}

/// Optimises and plans.
fn prepare(outputs: &[Arc<Layer>]) -> Result<Arc<Plan>> {
    let optimized = crate::optimize::optimize(outputs);
    Ok(Arc::new(Plan::new(&optimized)?))
}
