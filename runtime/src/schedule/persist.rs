//! Values that are computed in the background and kept.

use super::cancel::CancelToken;
use super::plan::topological;
use super::{Options, pool, prepare, sync};
use crate::error::{Error, Result};
use crate::graph::{Layer, Source, Tasks, Value};
use parking_lot::{Condvar, Mutex};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// A layer's values: being computed, there, or failed. When nobody holds them
/// any more, what is left of the computation is cancelled.
pub struct Persisted {
    name: String,
    background: Arc<Background>,
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

impl Persisted {
    /// Starts computing a layer's chunks in the background. The layer that is
    /// returned has the same name and keys, and the values as they come.
    pub fn start(layer: &Arc<Layer>, options: Options) -> Arc<Layer> {
        let background = Arc::new(Background {
            progress: Mutex::new(Progress::Planned(layer.clone())),
            changed: Condvar::new(),
            token: CancelToken::register(),
        });
        let persisted = Self {
            name: layer.operation_name(0).to_owned(),
            background: background.clone(),
        };
        let layer = layer.clone();
        let (name, grid) = (layer.name().clone(), layer.grid().clone());
        // A thread of its own only waits; the tasks run in the pool.
        std::thread::spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| background.compute(layer, &options)))
                .unwrap_or_else(|payload| Err(crate::session::panics::error_of(payload)));
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
}
