//! One task of a custom graph as a collection.

use crate::compute::Collection;
use crate::delayed::take;
use crate::error::Result;
use crate::graph::{Layer, Value};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// The value of a task in a custom graph, as a collection.
pub struct TaskOutput<T> {
    key: Arc<str>,
    layer: Arc<Layer>,
    value: PhantomData<fn() -> T>,
}

impl<T> TaskOutput<T> {
    pub(super) fn new(key: Arc<str>, layer: Arc<Layer>) -> Self {
        Self {
            key,
            layer,
            value: PhantomData,
        }
    }

    /// Returns the task's key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl<T> Clone for TaskOutput<T> {
    fn clone(&self) -> Self {
        Self {
            key: self.key.clone(),
            layer: self.layer.clone(),
            value: PhantomData,
        }
    }
}

impl<T> fmt::Debug for TaskOutput<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskOutput(\"{}\")", self.key)
    }
}

impl<T: Clone + Send + Sync + 'static> Collection for TaskOutput<T> {
    type Output = T;

    fn layer(&self) -> Result<Arc<Layer>> {
        Ok(self.layer.clone())
    }

    fn with_layer(&self, layer: Arc<Layer>) -> Self {
        Self {
            layer,
            ..self.clone()
        }
    }

    fn assemble(&self, mut chunks: Vec<Value>) -> Result<T> {
        let value = chunks.pop().expect("invariant: a layer of one task");
        take(value, || format!("the value of \"{}\"", self.key))
    }
}
