//! Reports work in progress to whatever displays it.
//!
//! This module does not know how work is displayed. A [`JobWatcher`] is notified
//! when something begins that may take long, reads its progress whenever it
//! likes, and is notified when it has ended. A computation that nobody watches
//! pays only for these two calls.

use super::plan::Plan;
use super::{Outcome, pool};
use crate::cancel;
use crate::context::PerContext;
use crate::error::{Error, Result};
use crate::graph::{Layer, Progress};
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use swath_scheduler::Unfinished;

/// Work that may take long.
pub trait Job: Send + Sync + 'static {
    /// Returns the name of the work.
    fn name(&self) -> &str;
    /// Returns its progress.
    fn progress(&self) -> Progress;
    /// Returns the unit of the counts, in the singular.
    fn unit(&self) -> &'static str {
        "task"
    }
    /// Returns whether it runs in the background, with nobody waiting for it.
    fn is_in_background(&self) -> bool {
        false
    }
    /// Returns whether it is already displayed elsewhere.
    fn is_shown(&self) -> bool {
        false
    }
    /// Returns whether the user has asked to see it. Otherwise it is only
    /// displayed if it takes long.
    fn is_asked_for(&self) -> bool {
        false
    }
}

/// A receiver of notifications about work in progress.
pub trait JobWatcher: Send + Sync + 'static {
    /// Called when the work begins.
    fn begun(&self, job: &Arc<dyn Job>);
    /// Called when the work has ended. When this returns, everything has been
    /// reported.
    fn ended(&self, job: &Arc<dyn Job>);
}

static WATCHER: PerContext<OnceLock<Arc<dyn JobWatcher>>> = PerContext::new(OnceLock::new);

/// Sets the watcher. Only the first call has an effect.
pub fn watch(watcher: Arc<dyn JobWatcher>) {
    let _ = WATCHER.get().set(watcher);
}

/// A guard for work that is in progress until the guard is dropped.
pub struct JobGuard {
    job: Arc<dyn Job>,
    watcher: Arc<dyn JobWatcher>,
}

/// Reports that work begins, if there is a watcher. Work inside a task is part
/// of the task and is not reported.
pub fn begin<U: Job>(make: impl FnOnce() -> Arc<U>) -> Option<JobGuard> {
    let watcher = WATCHER.with(|watcher| watcher.get().cloned())?;
    if cancel::inside_task() {
        return None;
    }
    let job: Arc<dyn Job> = make();
    watcher.begun(&job);
    Some(JobGuard { job, watcher })
}

impl Drop for JobGuard {
    fn drop(&mut self) {
        self.watcher.ended(&self.job);
    }
}

/// A computation with a caller that waits for its values.
#[derive(Default)]
pub(super) struct ForegroundJob(Option<(Arc<Computation>, JobGuard)>);

struct Computation {
    name: String,
    begin: Instant,
    stage: Mutex<JobStage>,
}

/// The stage of the computation.
enum JobStage {
    /// The computation is being planned; the number of requested chunks.
    Planning(usize),
    Running(pool::PoolRun, usize),
    Ended(Progress),
}

impl ForegroundJob {
    pub(super) fn begin(outputs: &[Arc<Layer>]) -> Self {
        let mut computation = None;
        let guard = begin(|| {
            let chunks = outputs.iter().map(|layer| layer.grid().len()).sum();
            let made = Arc::new(Computation {
                name: outputs
                    .first()
                    .map(|layer| layer.label())
                    .unwrap_or_default(),
                begin: Instant::now(),
                stage: Mutex::new(JobStage::Planning(chunks)),
            });
            computation = Some(made.clone());
            made
        });
        Self(computation.zip(guard))
    }

    /// Records that the tasks are now running.
    pub(super) fn runs(&self, run: &pool::PoolRun, plan: &Plan) {
        if let Some((computation, _)) = &self.0 {
            *computation.stage.lock() = JobStage::Running(run.clone(), plan.len());
        }
    }

    /// Records the end of the run.
    pub(super) fn ended(&self, outcome: &Outcome) {
        let Some((computation, _)) = &self.0 else {
            return;
        };
        let failure = outcome.as_ref().err();
        let outcome = failure.map_or(Ok(()), |Unfinished { failure, .. }| Err(failure.clone()));
        computation.end(outcome);
    }
}

impl Drop for ForegroundJob {
    fn drop(&mut self) {
        // The computation may have been abandoned before it ran.
        if let Some((computation, _)) = &self.0 {
            computation.end(Err(Error::Interrupted));
        }
    }
}

impl Computation {
    fn end(&self, outcome: Result<()>) {
        let mut progress = self.progress();
        let mut stage = self.stage.lock();
        if !matches!(*stage, JobStage::Ended(_)) {
            progress.outcome = Some(outcome);
            // Do not keep the run's values for observers of its progress.
            *stage = JobStage::Ended(progress);
        }
    }
}

impl Job for Computation {
    fn name(&self) -> &str {
        &self.name
    }

    fn progress(&self) -> Progress {
        let (done, total, nbytes) = match &*self.stage.lock() {
            JobStage::Planning(chunks) => (0, *chunks, 0),
            JobStage::Running(run, total) => {
                let progress = run.progress();
                (progress.ended, *total, progress.nbytes)
            }
            JobStage::Ended(progress) => return progress.clone(),
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
