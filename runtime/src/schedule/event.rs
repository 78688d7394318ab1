//! The events of a run.

use super::plan::{Plan, TaskId};
use crate::context::PerContext;
use parking_lot::RwLock;
use std::sync::{Arc, Weak};
use std::time::Duration;
use swath_scheduler::Transition;

/// Something that happened in a run.
///
/// A run begins with `Submitted` and ends with `Completed`, `Ended` (a task has
/// failed) or `Cancelled`; tasks that are still running then report their end
/// afterwards. Each task is ready, started, and finished or failed once, in
/// this order. A task that depends on a failed one is lost instead. Tasks that
/// are values ([`crate::graph::Tasks::Values`]) are not run: they are never
/// started.
#[derive(Clone, Debug)]
pub enum Event {
    /// A plan was submitted.
    Submitted {
        /// The plan, with its tasks and their keys.
        plan: Arc<Plan>,
    },
    /// All inputs of a task are available.
    Ready {
        /// The task.
        task: TaskId,
    },
    /// A worker started a task.
    Started {
        /// The task.
        task: TaskId,
        /// The worker's number, counted from 0.
        worker: usize,
    },
    /// A task has computed its value.
    Finished {
        /// The task.
        task: TaskId,
        /// The number of the worker that computed it.
        worker: usize,
        /// The value's bytes in memory.
        nbytes: usize,
        /// How long the task took.
        elapsed: Duration,
    },
    /// A task failed or was interrupted.
    Failed {
        /// The task.
        task: TaskId,
        /// The error's text.
        message: String,
    },
    /// A task will not run because one of its dependencies has failed.
    Lost {
        /// The task.
        task: TaskId,
    },
    /// The last task that uses a value has ended.
    Released {
        /// The task whose value it was.
        task: TaskId,
    },
    /// A value was moved to disk: one of this run, or one that is kept.
    Spilled {
        /// The bytes of memory that this freed.
        nbytes: usize,
    },
    /// A value was read back from disk for a task of this run.
    Unspilled {
        /// The value's bytes in memory.
        nbytes: usize,
    },
    /// The run was cancelled.
    Cancelled,
    /// The run has computed all its values.
    Completed,
    /// The run is over, and some task has failed.
    Ended,
}

/// A receiver of events. The workers call it, so it must be quick.
pub trait Listener: Send + Sync + 'static {
    /// Receives one event.
    fn event(&self, event: &Event);
}

/// A provider of listeners for all runs.
pub trait Observer: Send + Sync + 'static {
    /// Returns the listener for a run.
    fn listener(self: Arc<Self>, plan: &Arc<Plan>) -> Arc<dyn Listener>;
}

static OBSERVERS: PerContext<RwLock<Vec<Weak<dyn Observer>>>> = PerContext::new(RwLock::default);

/// Registers an observer for every run that begins while the observer lives.
pub fn observe(observer: &Arc<impl Observer>) {
    let observer: Arc<dyn Observer> = observer.clone();
    let observers = OBSERVERS.get();
    let mut observers = observers.write();
    observers.retain(|observer| observer.strong_count() > 0);
    observers.push(Arc::downgrade(&observer));
}

/// Returns the observers' listeners for a plan.
pub(super) fn observers(plan: &Arc<Plan>) -> Vec<Arc<dyn Listener>> {
    let observers = OBSERVERS.get();
    let observers = observers.read();
    let there = observers.iter().filter_map(Weak::upgrade);
    there.map(|observer| observer.listener(plan)).collect()
}

pub(super) fn emit(listeners: &[Arc<dyn Listener>], event: impl FnOnce() -> Event) {
    if !listeners.is_empty() {
        let event = event();
        for listener in listeners {
            listener.event(&event);
        }
    }
}

pub(super) fn emit_transition(listeners: &[Arc<dyn Listener>], transition: &Transition) {
    for &task in &transition.released {
        emit(listeners, || Event::Released { task });
    }
    for &task in &transition.ready {
        emit(listeners, || Event::Ready { task });
    }
    for &task in &transition.lost {
        emit(listeners, || Event::Lost { task });
    }
}
