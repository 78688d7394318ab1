//! What the scheduler tells of a run.

use super::plan::{Plan, TaskId};
use std::sync::Arc;
use std::time::Duration;

/// Something that happened in a run.
#[derive(Clone, Debug)]
pub enum Event {
    /// A plan was handed over.
    Submitted {
        /// Its tasks and their keys.
        plan: Arc<Plan>,
    },
    /// All inputs of a task are there.
    Ready {
        /// The task.
        task: TaskId,
    },
    /// A worker took a task up.
    Started {
        /// The task.
        task: TaskId,
        /// Which worker, counted from 0.
        worker: usize,
    },
    /// A task's value is there.
    Finished {
        /// The task.
        task: TaskId,
        /// Which worker computed it.
        worker: usize,
        /// The value's bytes in memory.
        nbytes: usize,
        /// How long the task took.
        elapsed: Duration,
    },
    /// A task failed; the run ends.
    Failed {
        /// The task.
        task: TaskId,
        /// The error's text.
        message: String,
    },
    /// A value was dropped after its last use.
    Released {
        /// The task whose value it was.
        task: TaskId,
    },
    /// The run was cancelled.
    Cancelled,
    /// The run has its values.
    Completed,
}

/// Somebody who is told what happens. Called from the workers: has to be quick.
pub trait Listener: Send + Sync + 'static {
    /// Told of one event.
    fn event(&self, event: &Event);
}

pub(super) fn tell(listeners: &[Arc<dyn Listener>], event: impl FnOnce() -> Event) {
    if !listeners.is_empty() {
        let event = event();
        for listener in listeners {
            listener.event(&event);
        }
    }
}
