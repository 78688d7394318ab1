//! Values that are computed in the background and kept.

use super::cancel::CancelToken;
use super::{Options, run_cancellable};
use crate::error::{Error, Result};
use crate::graph::{Layer, Source, Value};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::time::Duration;

/// A layer's values: being computed, there, or failed.
pub struct Persisted {
    name: String,
    state: Mutex<Option<Result<Vec<Value>>>>,
    changed: Condvar,
    token: CancelToken,
}

impl Persisted {
    /// Starts computing a layer's chunks in the background. The layer that is
    /// returned has the same name and keys, and the values as they come.
    pub fn start(layer: &Arc<Layer>, options: Options) -> Arc<Layer> {
        let persisted = Arc::new(Self {
            name: layer.operation_name(0).to_owned(),
            state: Mutex::new(None),
            changed: Condvar::new(),
            token: CancelToken::register(),
        });
        let result = Layer::values(
            layer.name().clone(),
            layer.grid().clone(),
            persisted.clone(),
        );
        let layer = layer.clone();
        // A thread of its own only waits; the tasks run in the pool.
        std::thread::spawn(move || {
            let outcome = run_cancellable(&[layer], &options, &persisted.token)
                .map(|mut values| values.pop().expect("invariant: one layer was asked for"));
            *persisted.state.lock() = Some(outcome);
            persisted.changed.notify_all();
        });
        result
    }
}

impl Source for Persisted {
    fn name(&self) -> &str {
        &self.name
    }

    fn value(&self, linear: u32) -> Result<Value> {
        self.wait()?;
        match &*self.state.lock() {
            Some(Ok(values)) => Ok(values[linear as usize].clone()),
            Some(Err(error)) => Err(error.clone()),
            None => unreachable!("invariant: waiting ends with an outcome"),
        }
    }

    fn wait(&self) -> Result<()> {
        let mut state = self.state.lock();
        while state.is_none() {
            super::checkpoint()?;
            self.changed.wait_for(&mut state, Duration::from_millis(20));
        }
        match &*state {
            Some(Err(Error::Interrupted)) => Err(Error::Argument(
                "the collection's persist was interrupted: persist it again".to_owned(),
            )),
            Some(Err(error)) => Err(error.clone()),
            _ => Ok(()),
        }
    }
}
