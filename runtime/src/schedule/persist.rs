//! Persisted values, which are computed in the background and kept.

use super::event::{Event, Listener};
use super::jobs::{self, Job};
use super::kept::{self, ValueStore};
use super::task::RunContext;
use super::{Options, Plan, checkpoints, pool, prepare, sync};
use crate::abort::abortable;
use crate::cancel::CancelToken;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::graph::{self, Grid, Layer, LayerId, Value, ValueSource};
use crate::panics::catch;
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use swath_scheduler::Unfinished;

/// A layer's values: being computed, available, or failed. When the last holder
/// drops them, the rest of the computation is cancelled.
///
/// A failed task does not end the computation. Tasks that do not depend on it
/// are computed and kept, and computing the collection again runs only the rest.
pub struct Persisted {
    name: String,
    /// Increases with the time of persisting.
    number: u64,
    grid: Grid,
    background: Arc<Background>,
    counter: Arc<Counter>,
}

struct Background {
    progress: Mutex<Progress>,
    changed: Condvar,
    token: CancelToken,
}

/// The stage of the computation.
enum Progress {
    /// The computation is being planned.
    Planning,
    /// The computation waits for other persisted values that the plan uses.
    Waiting(Arc<Plan>),
    /// The tasks run in the pool.
    Running(pool::PoolRun),
    /// All values are available.
    Done(Arc<ValueStore>),
    /// Some values are available, or none.
    Failed {
        error: Error,
        kept: Arc<ValueStore>,
        /// The layer that computes the missing values.
        layer: Arc<Layer>,
    },
}

/// Counts the events of a run.
struct Counter {
    begin: Instant,
    end: OnceLock<Instant>,
    total: AtomicUsize,
    done: AtomicUsize,
    nbytes: AtomicUsize,
    /// Whether these counts are displayed.
    is_shown: AtomicBool,
}

impl Listener for Counter {
    fn event(&self, event: &Event) {
        match event {
            Event::Submitted { plan } => {
                let computed = plan.tasks().filter(|&task| plan.is_computed(task)).count();
                self.total.store(computed, Ordering::Relaxed);
            }
            Event::Finished { nbytes, .. } => {
                self.nbytes.fetch_add(*nbytes, Ordering::Relaxed);
                self.done.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

impl Persisted {
    /// Starts computing a layer's chunks in the background. The returned layer
    /// has the same name and keys, and its values as they become available.
    pub fn start(layer: &Arc<Layer>, mut options: Options) -> Arc<Layer> {
        let counter = Arc::new(Counter {
            begin: Instant::now(),
            end: OnceLock::new(),
            // One task per chunk, until the plan is known.
            total: AtomicUsize::new(layer.grid().len()),
            done: AtomicUsize::new(0),
            nbytes: AtomicUsize::new(0),
            is_shown: AtomicBool::new(false),
        });
        options.listeners.push(counter.clone());
        let background = Arc::new(Background {
            progress: Mutex::new(Progress::Planning),
            changed: Condvar::new(),
            token: CancelToken::register(),
        });
        let persisted = kept::register(layer.id(), |number| Self {
            name: layer.label(),
            number,
            grid: layer.grid().clone(),
            background: background.clone(),
            counter: counter.clone(),
        });
        let number = persisted.number;
        let shown = jobs::begin(|| {
            Arc::new(BackgroundJob {
                name: persisted.name.clone(),
                background: background.clone(),
                counter: counter.clone(),
            })
        });
        let layer = layer.clone();
        let (id, grid) = (layer.id(), layer.grid().clone());
        // This thread only waits; the tasks run in the pool.
        let context = Context::current();
        std::thread::spawn(move || {
            let _entered = context.enter();
            let chunks = layer.grid().len();
            let compute = || catch(|| background.compute(&layer, number, &options));
            let (values, failure) = abortable(compute)
                .and_then(|there| there)
                .and_then(|there| there)
                .unwrap_or_else(|error| (vec![None; chunks], Some(error)));
            let _ = counter.end.set(Instant::now());
            let kept = ValueStore::new(values);
            background.advance(match failure {
                None => Progress::Done(kept),
                Some(error) => Progress::Failed { error, kept, layer },
            });
            checkpoints::wake();
            drop(shown);
        });
        Layer::values(id, grid, persisted)
    }

    /// Creates a layer of available values, which another process has computed.
    pub(super) fn there(
        id: LayerId,
        grid: Grid,
        operation: String,
        kept: Arc<ValueStore>,
    ) -> Arc<Layer> {
        let now = Instant::now();
        let tasks = AtomicUsize::new(grid.len());
        let counter = Arc::new(Counter {
            begin: now,
            end: now.into(),
            done: AtomicUsize::new(grid.len()),
            total: tasks,
            nbytes: AtomicUsize::new(0),
            is_shown: AtomicBool::new(false),
        });
        let persisted = kept::register(id, |number| Self {
            name: operation,
            number,
            grid: grid.clone(),
            background: Arc::new(Background {
                progress: Mutex::new(Progress::Done(kept)),
                changed: Condvar::new(),
                token: CancelToken::register(),
            }),
            counter,
        });
        Layer::values(id, grid, persisted)
    }

    /// Returns the values and their grid once all values are available.
    pub(super) fn kept(&self) -> Option<(Arc<ValueStore>, Grid)> {
        match &*self.background.progress.lock() {
            Progress::Done(kept) => Some((kept.clone(), self.grid.clone())),
            _ => None,
        }
    }

    /// Returns the operation's name.
    pub(super) fn operation(&self) -> &str {
        &self.name
    }

    /// Returns its number in the order of persisting.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Returns whether the computation has ended with values missing.
    pub(super) fn has_failed(&self) -> bool {
        matches!(*self.background.progress.lock(), Progress::Failed { .. })
    }
}

impl Drop for Persisted {
    fn drop(&mut self) {
        self.background.token.cancel();
    }
}

impl Background {
    /// Computes the values of the layer's chunks. Returns those that are
    /// available, and the first failure.
    fn compute(
        &self,
        layer: &Arc<Layer>,
        number: u64,
        options: &Options,
    ) -> Result<(Vec<Option<Value>>, Option<Error>)> {
        let plan = prepare(
            std::slice::from_ref(layer),
            options,
            Some(number),
            &self.token,
        )?;
        self.advance(Progress::Waiting(plan.clone()));
        plan.wait_for_sources()?;
        let mut context = RunContext::new(plan.clone(), &self.token, options);
        context.keep_going = true;
        let outcome = if options.synchronous {
            sync::run(&Arc::new(context))
        } else {
            let run = pool::PoolRun::start(context, options.threads());
            self.advance(Progress::Running(run.clone()));
            run.outcome()
        };
        Ok(match outcome {
            Ok(values) => (values.into_iter().map(Some).collect(), None),
            Err(Unfinished { failure, held }) => {
                let outputs = plan.outputs().iter();
                let values = outputs.map(|output| held[output.at()].clone()).collect();
                (values, Some(failure))
            }
        })
    }

    fn advance(&self, progress: Progress) {
        let before = std::mem::replace(&mut *self.progress.lock(), progress);
        self.changed.notify_all();
        drop(before);
    }

    /// Waits on a thread of the pool. The computation may need this thread, so
    /// the thread helps to run it.
    fn help(&self) {
        let waits_for = match &*self.progress.lock() {
            Progress::Waiting(plan) => Ok(plan.clone()),
            Progress::Running(run) => Err(run.clone()),
            Progress::Planning | Progress::Done(_) | Progress::Failed { .. } => return,
        };
        match waits_for {
            Ok(plan) => {
                // A failure is also reported as that of the computation.
                let _ = plan.wait_for_sources();
            }
            Err(run) => run.help(),
        }
    }
}

impl ValueSource for Persisted {
    fn name(&self) -> &str {
        &self.name
    }

    fn value(&self, linear: u32) -> Result<Value> {
        let (kept, error) = match &*self.background.progress.lock() {
            Progress::Done(kept) => (Some(kept.clone()), None),
            Progress::Failed { kept, error, .. } => (Some(kept.clone()), Some(error.clone())),
            _ => (None, None),
        };
        let Some(kept) = kept else {
            self.wait()?;
            return self.value(linear);
        };
        kept.value(linear)?
            .ok_or_else(|| error.unwrap_or(Error::Interrupted))
    }

    fn has(&self, linear: u32) -> bool {
        match &*self.background.progress.lock() {
            Progress::Failed { kept, .. } => kept.has(linear),
            _ => true,
        }
    }

    fn recompute(&self) -> Option<Arc<Layer>> {
        match &*self.background.progress.lock() {
            Progress::Failed { layer, .. } => Some(layer.clone()),
            _ => None,
        }
    }

    fn wait(&self) -> Result<()> {
        let background = &self.background;
        loop {
            match &*background.progress.lock() {
                Progress::Done(_) => return Ok(()),
                Progress::Failed {
                    error: Error::Interrupted,
                    ..
                } => {
                    return Err(Error::Argument(
                        "the collection's persist was interrupted: compute or persist it again; \
                         the values that were computed are kept"
                            .to_owned(),
                    ));
                }
                Progress::Failed { error, .. } => return Err(error.clone()),
                _ => {}
            }
            super::checkpoint()?;
            let look = if pool::in_pool() {
                background.help();
                Duration::from_micros(200)
            } else {
                Duration::from_millis(20)
            };
            let mut progress = background.progress.lock();
            if !matches!(*progress, Progress::Done(_) | Progress::Failed { .. }) {
                background.changed.wait_for(&mut progress, look);
            }
        }
    }

    fn progress(&self) -> Option<graph::Progress> {
        Some(self.counter.progress(&self.background))
    }

    fn nbytes(&self) -> Option<usize> {
        let kept = match &*self.background.progress.lock() {
            Progress::Done(kept) | Progress::Failed { kept, .. } => kept.clone(),
            _ => return None,
        };
        Some(kept.nbytes())
    }

    fn is_shown(&self) {
        self.counter.is_shown.store(true, Ordering::Relaxed);
    }
}

impl Counter {
    fn progress(&self, background: &Background) -> graph::Progress {
        let outcome = match &*background.progress.lock() {
            Progress::Done(_) => Some(Ok(())),
            Progress::Failed { error, .. } => Some(Err(error.clone())),
            _ => None,
        };
        let end = self.end.get().copied().unwrap_or_else(Instant::now);
        graph::Progress {
            done: self.done.load(Ordering::Relaxed),
            total: Some(self.total.load(Ordering::Relaxed)),
            nbytes: self.nbytes.load(Ordering::Relaxed),
            elapsed: end.saturating_duration_since(self.begin),
            outcome,
        }
    }
}

/// The computation, as shown to watchers. It is separate from [`Persisted`],
/// because dropping that cancels the computation.
struct BackgroundJob {
    name: String,
    background: Arc<Background>,
    counter: Arc<Counter>,
}

impl Job for BackgroundJob {
    fn name(&self) -> &str {
        &self.name
    }

    fn progress(&self) -> graph::Progress {
        self.counter.progress(&self.background)
    }

    fn is_in_background(&self) -> bool {
        true
    }

    fn is_shown(&self) -> bool {
        self.counter.is_shown.load(Ordering::Relaxed)
    }
}
