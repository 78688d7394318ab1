//! The synchronous runner, and how a single task is run.

use super::cancel::CancelToken;
use super::event::{Event, Listener, tell};
use super::plan::{Plan, TaskId};
use super::state::State;
use crate::error::{Error, Result};
use crate::graph::{Block, Tasks, Value};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// Runs a plan on the calling thread.
///
/// # Errors
/// The first failure; [`Error::Interrupted`].
pub fn run(
    plan: &Arc<Plan>,
    token: &CancelToken,
    listeners: &[Arc<dyn Listener>],
) -> Result<Vec<Value>> {
    let mut state = State::new(plan.clone());
    tell(listeners, || Event::Submitted { plan: plan.clone() });
    let mut released = Vec::new();
    while let Some((task, inputs)) = state.start(&mut released) {
        if token.is_cancelled() {
            tell(listeners, || Event::Cancelled);
            return Err(Error::Interrupted);
        }
        tell_released(listeners, &mut released);
        let value = run_task(plan, task, inputs, 0, listeners)?;
        for ready in state.finish(task, value).ready {
            tell(listeners, || Event::Ready { task: ready });
        }
    }
    tell(listeners, || Event::Completed);
    Ok(state.outputs())
}

pub(super) fn tell_released(listeners: &[Arc<dyn Listener>], released: &mut Vec<TaskId>) {
    for task in released.drain(..) {
        tell(listeners, || Event::Released { task });
    }
}

/// Runs one task: a panic in it is its error, and its error has its key.
pub(super) fn run_task(
    plan: &Plan,
    task: TaskId,
    inputs: Vec<Value>,
    worker: usize,
    listeners: &[Arc<dyn Listener>],
) -> Result<Value> {
    let (layer, linear) = (plan.layer(task), plan.linear(task));
    if let Tasks::Values(source) = layer.tasks() {
        return source.value(linear);
    }
    tell(listeners, || Event::Started { task, worker });
    let begin = (!listeners.is_empty()).then(Instant::now);
    let operation = layer
        .operation(linear)
        .expect("invariant: only layers of values have no operation");
    let index = layer.grid().index(linear);
    let block = Block {
        layer: layer.name(),
        index: &index,
    };
    let result = catch_unwind(AssertUnwindSafe(|| operation.run(&block, inputs)))
        .unwrap_or_else(|payload| Err(crate::session::panics::error_of(payload)));
    match result {
        Ok(value) => {
            if let Some(begin) = begin {
                let nbytes = value.nbytes();
                tell(listeners, || Event::Finished {
                    task,
                    worker,
                    nbytes,
                    elapsed: begin.elapsed(),
                });
            }
            Ok(value)
        }
        // A computation inside a task was interrupted, or a task inside a task failed.
        Err(error @ (Error::Interrupted | Error::Task { .. })) => Err(error),
        Err(error) => {
            let inputs = plan
                .inputs(task)
                .iter()
                .map(|input| plan.key(*input).to_string())
                .collect();
            let error = Error::Task {
                key: plan.key(task).to_string(),
                operation: operation.name().to_owned(),
                inputs,
                cause: Arc::new(error),
            };
            tell(listeners, || Event::Failed {
                task,
                message: error.to_string(),
            });
            Err(error)
        }
    }
}
