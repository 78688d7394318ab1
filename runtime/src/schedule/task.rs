//! Runs one task.

use super::event::{Event, Listener, emit, observers};
use super::memory::Pressure;
use super::plan::{Plan, TaskId};
use super::{Options, cache, spill};
use crate::cancel::CancelToken;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::graph::{Block, Operation, Summary, Value, again};
use crate::panics::catch;
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Instant;

/// The state that the tasks of a run share.
pub(super) struct RunContext {
    /// The session's, in which the tasks run.
    pub(super) context: Context,
    pub(super) plan: Arc<Plan>,
    pub(super) token: CancelToken,
    pub(super) listeners: Vec<Arc<dyn Listener>>,
    pub(super) pressure: Pressure,
    /// Whether the run continues with tasks that do not depend on a failed one.
    pub(super) keep_going: bool,
    /// Whether values are offered to the cache.
    is_cached: bool,
    retries: u32,
    encoded: bool,
}

/// How many inputs the error of a task lists.
const INPUTS_TOLD: usize = 8;

impl RunContext {
    pub(super) fn new(plan: Arc<Plan>, token: &CancelToken, options: &Options) -> Self {
        let mut listeners = options.listeners.clone();
        listeners.extend(observers(&plan));
        Self {
            context: Context::current(),
            plan,
            token: token.clone(),
            listeners,
            pressure: Pressure::new(options.memory_limit, options.threads()),
            keep_going: false,
            is_cached: cache::is_on(),
            retries: options.retries,
            encoded: options.encoded,
        }
    }

    /// Returns whether the run continues after a task has failed with this
    /// error.
    pub(super) fn goes_on_after(&self, error: &Error) -> bool {
        self.keep_going && !matches!(error, Error::Interrupted)
    }

    pub(super) fn emit_begin(&self) {
        self.emit(|| Event::Submitted {
            plan: self.plan.clone(),
        });
        if self.has_listeners() {
            let roots = self.plan.tasks();
            for task in roots.filter(|&task| self.plan.inputs(task).is_empty()) {
                self.emit(|| Event::Ready { task });
            }
        }
    }

    pub(super) fn emit_end(&self, failure: Option<&Error>) {
        self.emit(|| match failure {
            None => Event::Completed,
            Some(Error::Interrupted) => Event::Cancelled,
            Some(_) => Event::Ended,
        });
    }

    /// Returns whether there are listeners.
    pub(super) fn has_listeners(&self) -> bool {
        !self.listeners.is_empty()
    }

    pub(super) fn emit(&self, event: impl FnOnce() -> Event) {
        emit(&self.listeners, event);
    }

    /// Runs one task. A panic in the task becomes its error, and its error
    /// names the task and its inputs. Must be called inside
    /// [`cancel::enter`](crate::cancel::enter).
    pub(super) fn run(&self, task: TaskId, inputs: Vec<Value>, worker: usize) -> Result<Value> {
        let plan = &*self.plan;
        let (node, linear) = (
            plan.layers().node(plan.layer_number(task)),
            plan.linear(task),
        );
        if let Some(source) = node.source(linear) {
            return source.value(linear);
        }
        self.emit(|| Event::Started { task, worker });
        let begin = (self.is_cached || self.has_listeners()).then(Instant::now);
        let operation = node
            .operation(linear)
            .expect("invariant: only layers of values have no operation");
        let index = node.layer.grid().index(linear);
        let block = Block {
            layer: &node.layer,
            linear,
            index: &index,
        };
        // Summarised before the inputs are moved.
        let given: SmallVec<[Summary; 4]> = inputs
            .iter()
            .take(INPUTS_TOLD)
            .map(Value::summary)
            .collect();
        let result = catch(|| {
            let inputs = self.load(inputs)?;
            self.attempt(operation, &block, inputs)
        });
        let error = match result.unwrap_or_else(Err) {
            Ok(value) => {
                if let Some(begin) = begin {
                    let (nbytes, elapsed) = (value.nbytes(), begin.elapsed());
                    if self.is_cached {
                        cache::offer(&node.layer, linear, &value, elapsed);
                    }
                    self.emit(|| Event::Finished {
                        task,
                        worker,
                        nbytes,
                        elapsed,
                    });
                }
                return Ok(value);
            }
            Err(error) => error.of_task(
                || plan.key(task).to_string(),
                operation.name(),
                || describe_inputs(plan, task, &given),
            ),
        };
        self.emit(|| Event::Failed {
            task,
            message: error.to_string(),
        });
        Err(error)
    }

    /// Reads spilled inputs back from disk.
    fn load(&self, mut inputs: Vec<Value>) -> Result<Vec<Value>> {
        for input in &mut inputs {
            if let Some(loaded) = spill::load(input)? {
                *input = loaded;
                let nbytes = input.nbytes();
                self.emit(|| Event::Unspilled { nbytes });
            }
        }
        Ok(inputs)
    }

    /// Runs an operation, and retries it if it fails and retries are requested.
    fn attempt(
        &self,
        operation: &dyn Operation,
        block: &Block<'_>,
        mut inputs: Vec<Value>,
    ) -> Result<Value> {
        let decoded;
        let operation = if self.encoded {
            inputs = inputs
                .into_iter()
                .map(through_encoding)
                .collect::<Result<_>>()?;
            decoded = match operation.encode() {
                Ok(encoded) => Some(encoded.decode()?),
                // User code cannot be encoded and stays in this process.
                Err(_) => None,
            };
            decoded.as_deref().unwrap_or(operation)
        } else {
            operation
        };
        let value = again(self.retries.max(operation.retries()), inputs, |inputs| {
            operation.run(block, inputs)
        })?;
        if self.encoded {
            through_encoding(value)
        } else {
            Ok(value)
        }
    }
}

/// Encodes and decodes a value, as a transfer to another process would. Values
/// without an encoding stay as they are.
fn through_encoding(value: Value) -> Result<Value> {
    match value.codec() {
        Some(_) => value.encode()?.decode(),
        None => Ok(value),
    }
}

/// Describes the inputs for an error: the key and summary of each.
fn describe_inputs(plan: &Plan, task: TaskId, given: &[Summary]) -> Vec<String> {
    let inputs = plan.inputs(task);
    let mut told: Vec<String> = inputs
        .iter()
        .zip(given)
        .map(|(&input, summary)| format!("{}: {summary}", plan.key(input)))
        .collect();
    if inputs.len() > told.len() {
        told.push(format!("and {} more", inputs.len() - told.len()));
    }
    told
}
