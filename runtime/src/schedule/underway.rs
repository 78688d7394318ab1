//! What is under way, for whoever shows it.
//!
//! Nothing here knows how: a [`Watcher`] is told when something begins that may
//! take its time, looks at it when it likes, and is told when it has ended. A
//! computation that nobody looks at costs nothing for it but two calls.

use super::plan::Plan;
use super::{Outcome, pool};
use crate::cancel;
use crate::error::{Error, Result};
use crate::graph::{Layer, Progress};
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use swath_scheduler::Unfinished;

/// Something that takes its time.
pub trait Underway: Send + Sync + 'static {
    /// What it is called.
    fn name(&self) -> &str;
    /// How far it is.
    fn progress(&self) -> Progress;
    /// What is counted, in the singular.
    fn unit(&self) -> &'static str {
        "task"
    }
    /// Whether nobody waits for it.
    fn is_in_background(&self) -> bool {
        false
    }
    /// Whether somebody else shows it already.
    fn is_shown(&self) -> bool {
        false
    }
    /// Whether the user has asked to see it; otherwise it is only seen if it
    /// takes long.
    fn is_asked_for(&self) -> bool {
        false
    }
}

/// Somebody who is told what is under way.
pub trait Watcher: Send + Sync + 'static {
    /// It begins.
    fn begun(&self, underway: &Arc<dyn Underway>);
    /// It has ended. When this returns, what there was to tell has been told.
    fn ended(&self, underway: &Arc<dyn Underway>);
}

static WATCHER: OnceLock<Arc<dyn Watcher>> = OnceLock::new();

/// Has somebody told from now on; the first one counts.
pub fn watch(watcher: Arc<dyn Watcher>) {
    let _ = WATCHER.set(watcher);
}

/// Something that is under way until this is dropped.
pub struct Begun(Arc<dyn Underway>);

/// Tells that something begins, if anybody wants to know. What a task does
/// itself is part of the task.
pub fn begin<U: Underway>(make: impl FnOnce() -> Arc<U>) -> Option<Begun> {
    let watcher = WATCHER.get()?;
    if cancel::inside_task() {
        return None;
    }
    let underway: Arc<dyn Underway> = make();
    watcher.begun(&underway);
    Some(Begun(underway))
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(watcher) = WATCHER.get() {
            watcher.ended(&self.0);
        }
    }
}

/// A computation whose values somebody waits for.
#[derive(Default)]
pub(super) struct WaitedFor(Option<(Arc<Computation>, Begun)>);

struct Computation {
    name: String,
    begin: Instant,
    stage: Mutex<Stage>,
}

/// How far it is.
enum Stage {
    /// So many chunks are wanted.
    Planning(usize),
    Running(pool::Run, usize),
    Ended(Progress),
}

impl WaitedFor {
    pub(super) fn begin(outputs: &[Arc<Layer>]) -> Self {
        let mut computation = None;
        let begun = begin(|| {
            let chunks = outputs.iter().map(|layer| layer.grid().len()).sum();
            let made = Arc::new(Computation {
                name: outputs
                    .first()
                    .map(|layer| layer.label())
                    .unwrap_or_default(),
                begin: Instant::now(),
                stage: Mutex::new(Stage::Planning(chunks)),
            });
            computation = Some(made.clone());
            made
        });
        Self(computation.zip(begun))
    }

    /// Its tasks are run now.
    pub(super) fn runs(&self, run: &pool::Run, plan: &Plan) {
        if let Some((computation, _)) = &self.0 {
            *computation.stage.lock() = Stage::Running(run.clone(), plan.len());
        }
    }

    /// They have been.
    pub(super) fn ended(&self, outcome: &Outcome) {
        let Some((computation, _)) = &self.0 else {
            return;
        };
        let failure = outcome.as_ref().err();
        let outcome = failure.map_or(Ok(()), |Unfinished { failure, .. }| Err(failure.clone()));
        computation.end(outcome);
    }
}

impl Drop for WaitedFor {
    fn drop(&mut self) {
        // It may have been given up before it ran.
        if let Some((computation, _)) = &self.0 {
            computation.end(Err(Error::Interrupted));
        }
    }
}

impl Computation {
    fn end(&self, outcome: Result<()>) {
        let mut progress = self.progress();
        let mut stage = self.stage.lock();
        if !matches!(*stage, Stage::Ended(_)) {
            progress.outcome = Some(outcome);
            // The run's values are not to be kept for who looks at it.
            *stage = Stage::Ended(progress);
        }
    }
}

impl Underway for Computation {
    fn name(&self) -> &str {
        &self.name
    }

    fn progress(&self) -> Progress {
        let (done, total, nbytes) = match &*self.stage.lock() {
            Stage::Planning(chunks) => (0, *chunks, 0),
            Stage::Running(run, total) => {
                let progress = run.progress();
                (progress.ended, *total, progress.nbytes)
            }
            Stage::Ended(progress) => return progress.clone(),
        };
        Progress {
            done,
            total: Some(total),
            nbytes: usize::try_from(nbytes).unwrap_or(usize::MAX),
            elapsed: self.begin.elapsed(),
            outcome: None,
        }
    }
}
