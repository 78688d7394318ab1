//! The synchronous runner, and how a single task is run.

use super::cancel::{self, CancelToken};
use super::event::{Event, Listener, tell};
use super::plan::{Plan, TaskId};
use super::state::{State, Transition};
use crate::error::{Error, Result};
use crate::graph::{Block, Tasks, Value};
use crate::session::panics::catch;
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
    for task in state.roots() {
        tell(listeners, || Event::Ready { task });
    }
    let result = run_all(&mut state, token, listeners);
    super::pool::settle();
    match result {
        Ok(()) => tell(listeners, || Event::Completed),
        Err(Error::Interrupted) => tell(listeners, || Event::Cancelled),
        Err(_) => {}
    }
    result.map(|()| state.take_outputs())
}

fn run_all(state: &mut State, token: &CancelToken, listeners: &[Arc<dyn Listener>]) -> Result<()> {
    let plan = state.plan().clone();
    let mut transition = Transition::default();
    while !state.is_complete() {
        if token.is_cancelled() {
            return Err(Error::Interrupted);
        }
        let (task, inputs) = state
            .start()
            .expect("invariant: a task is ready until all have ended");
        let value = run_task(&plan, task, inputs, 0, token, listeners)?;
        state.finish(task, value, &mut transition);
        tell_transition(listeners, &transition);
    }
    Ok(())
}

pub(super) fn tell_transition(listeners: &[Arc<dyn Listener>], transition: &Transition) {
    for &task in &transition.released {
        tell(listeners, || Event::Released { task });
    }
    for &task in &transition.ready {
        tell(listeners, || Event::Ready { task });
    }
}

/// How many inputs the error of a task names.
const INPUTS_NAMED: usize = 8;

/// Runs one task: a panic in it is its error, and its error has its key.
pub(super) fn run_task(
    plan: &Plan,
    task: TaskId,
    inputs: Vec<Value>,
    worker: usize,
    token: &CancelToken,
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
    let inside = cancel::enter(token);
    let result = catch(|| operation.run(&block, inputs)).unwrap_or_else(Err);
    drop(inside);
    let error = match result {
        Ok(value) => {
            if let Some(begin) = begin {
                let (nbytes, elapsed) = (value.nbytes(), begin.elapsed());
                tell(listeners, || Event::Finished {
                    task,
                    worker,
                    nbytes,
                    elapsed,
                });
            }
            return Ok(value);
        }
        // The latter: a task of a computation inside of this one, with its key.
        Err(error @ (Error::Interrupted | Error::Task { .. })) => error,
        Err(error) => Error::Task {
            key: plan.key(task).to_string(),
            operation: operation.name().to_owned(),
            inputs: input_names(plan, task),
            cause: Arc::new(error),
        },
    };
    tell(listeners, || Event::Failed {
        task,
        message: error.to_string(),
    });
    Err(error)
}

fn input_names(plan: &Plan, task: TaskId) -> Vec<String> {
    let inputs = plan.inputs(task);
    let mut names: Vec<String> = inputs
        .iter()
        .take(INPUTS_NAMED)
        .map(|input| plan.key(*input).to_string())
        .collect();
    if inputs.len() > INPUTS_NAMED {
        names.push(format!("and {} more", inputs.len() - INPUTS_NAMED));
    }
    names
}
