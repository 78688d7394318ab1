//! Values that are computed in the background and kept.

use super::cancel::CancelToken;
use super::event::{Event, Listener};
use super::plan::topological;
use super::{Options, pool, prepare, sync};
use crate::error::{Error, Result};
use crate::graph::{Layer, Source, SourceProgress, Tasks, Value};
use crate::session::panics::catch;
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// A layer's values: being computed, there, or failed. When nobody holds them
/// any more, what is left of the computation is cancelled.
pub struct Persisted {
    name: String,
    background: Arc<Background>,
    counter: Arc<Counter>,
}

struct Background {
    progress: Mutex<Progress>,
    changed: Condvar,
    token: CancelToken,
}

/// How far the computation is.
enum Progress {
    /// It waits for other persisted values, or is being planned.
    Planned(Arc<Layer>),
    /// In the pool.
    Running(Arc<pool::Run>),
    Ended(Result<Vec<Value>>),
}

/// Counts what a run tells.
struct Counter {
    begin: Instant,
    end: OnceLock<Instant>,
    total: AtomicUsize,
    done: AtomicUsize,
    nbytes: AtomicUsize,
}

impl Listener for Counter {
    fn event(&self, event: &Event) {
        match event {
            Event::Submitted { plan } => {
                let computed = plan
                    .tasks()
                    .filter(|&task| !matches!(plan.layer(task).tasks(), Tasks::Values(_)))
                    .count();
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
    /// Starts computing a layer's chunks in the background. The layer that is
    /// returned has the same name and keys, and the values as they come.
    pub fn start(layer: &Arc<Layer>, mut options: Options) -> Arc<Layer> {
        let counter = Arc::new(Counter {
            begin: Instant::now(),
            end: OnceLock::new(),
            // Until the plan is there: a task a chunk.
            total: AtomicUsize::new(layer.grid().len()),
            done: AtomicUsize::new(0),
            nbytes: AtomicUsize::new(0),
        });
        options.listeners.push(counter.clone());
        let background = Arc::new(Background {
            progress: Mutex::new(Progress::Planned(layer.clone())),
            changed: Condvar::new(),
            token: CancelToken::register(),
        });
        let persisted = Self {
            name: if layer.grid().is_empty() {
                layer.name().to_string()
            } else {
                layer.operation_name(0).to_owned()
            },
            background: background.clone(),
            counter: counter.clone(),
        };
        let layer = layer.clone();
        let (name, grid) = (layer.name().clone(), layer.grid().clone());
        // A thread of its own only waits; the tasks run in the pool.
        std::thread::spawn(move || {
            let outcome = catch(|| background.compute(layer, &options)).unwrap_or_else(Err);
            let _ = counter.end.set(Instant::now());
            background.advance(Progress::Ended(outcome));
        });
        Layer::values(name, grid, Arc::new(persisted))
    }
}

impl Drop for Persisted {
    fn drop(&mut self) {
        self.background.token.cancel();
    }
}

impl Background {
    fn compute(&self, layer: Arc<Layer>, options: &Options) -> Result<Vec<Value>> {
        let plan = prepare(&[layer])?;
        plan.wait_for_sources()?;
        if options.synchronous {
            return sync::run(&plan, &self.token, &options.listeners);
        }
        let run = pool::Run::start(&plan, options.threads, &self.token, &options.listeners);
        self.advance(Progress::Running(run.clone()));
        run.values()
    }

    fn advance(&self, progress: Progress) {
        let before = std::mem::replace(&mut *self.progress.lock(), progress);
        self.changed.notify_all();
        drop(before);
    }

    /// Waits on a thread of the pool: the computation may need this thread, so
    /// it works on what it waits for.
    fn help(&self) {
        let waits_for = match &*self.progress.lock() {
            Progress::Planned(layer) => Ok(layer.clone()),
            Progress::Running(run) => Err(run.clone()),
            Progress::Ended(_) => return,
        };
        match waits_for {
            Ok(layer) => {
                for layer in topological(&[layer]) {
                    if let Tasks::Values(source) = layer.tasks() {
                        // A failure comes back as that of the computation.
                        let _ = source.wait();
                    }
                }
            }
            Err(run) => run.help(),
        }
    }
}

impl Source for Persisted {
    fn name(&self) -> &str {
        &self.name
    }

    fn value(&self, linear: u32) -> Result<Value> {
        self.wait()?;
        match &*self.background.progress.lock() {
            Progress::Ended(Ok(values)) => Ok(values[linear as usize].clone()),
            Progress::Ended(Err(error)) => Err(error.clone()),
            _ => unreachable!("invariant: waiting ends with an outcome"),
        }
    }

    fn wait(&self) -> Result<()> {
        let background = &self.background;
        loop {
            if let Progress::Ended(outcome) = &*background.progress.lock() {
                return match outcome {
                    Err(Error::Interrupted) => Err(Error::Argument(
                        "the collection's persist was interrupted: persist it again".to_owned(),
                    )),
                    Err(error) => Err(error.clone()),
                    Ok(_) => Ok(()),
                };
            }
            super::checkpoint()?;
            let look = if pool::in_pool() {
                background.help();
                Duration::from_micros(200)
            } else {
                Duration::from_millis(20)
            };
            let mut progress = background.progress.lock();
            if !matches!(*progress, Progress::Ended(_)) {
                background.changed.wait_for(&mut progress, look);
            }
        }
    }

    fn progress(&self) -> Option<SourceProgress> {
        let counter = &self.counter;
        let outcome = match &*self.background.progress.lock() {
            Progress::Ended(outcome) => Some(outcome.as_ref().map(|_| ()).map_err(Clone::clone)),
            _ => None,
        };
        let end = counter.end.get().copied().unwrap_or_else(Instant::now);
        Some(SourceProgress {
            done: counter.done.load(Ordering::Relaxed),
            total: counter.total.load(Ordering::Relaxed),
            nbytes: counter.nbytes.load(Ordering::Relaxed),
            elapsed: end.saturating_duration_since(counter.begin),
            outcome,
        })
    }
}
