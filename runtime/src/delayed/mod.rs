//! Delayed function calls and custom task graphs.
//!
//! [`delayed()`] turns a function into one whose calls are tasks. Calling it immediately
//! returns a [`Delayed`] value, which is computed on demand and can be an argument of other
//! calls. In a [`TaskGraph`], tasks have your own keys and refer to each other by them.
//!
//! Start at `call` for the operation of such a task, at [`argument`] for its arguments, and
//! at `pure` for the equality of calls. This module does not depend on a scheduler: a
//! delayed value is a layer of one task.

pub mod argument;
mod call;
mod custom;
mod function;
mod keys;
mod pure;
mod recover;
mod view;

pub use argument::Argument;
pub use call::Callable;
pub use custom::{TaskGraph, TaskOutput};
pub use function::{Function, delayed, try_delayed};
pub use keys::{Asked, IntoKeys, Key, Keys, KeysOf, key, keys};

use crate::compute::Collection;
use crate::error::{Error, Result};
use crate::graph::{Data, Grid, Layer, LayerId, Opaque, Value};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A value that a task will compute.
///
/// ```
/// use swath::prelude::*;
///
/// fn load(name: String) -> Vec<f64> {
///     vec![name.len() as f64, 2.0]
/// }
/// let load = delayed(load);
/// let total = delayed(|parts: Vec<Vec<f64>>| parts.concat().iter().sum::<f64>());
/// let parts = vec![load.call("a.csv"), load.call("bb.csv")];
/// assert_eq!(total.call(parts).compute()?, 15.0);
/// # Ok::<(), swath::Error>(())
/// ```
#[doc(alias = "Future")]
pub struct Delayed<T> {
    layer: Arc<Layer>,
    value: PhantomData<fn() -> T>,
}

impl<T> Delayed<T> {
    fn of(layer: Arc<Layer>) -> Self {
        Self {
            layer,
            value: PhantomData,
        }
    }

    /// Returns the task's key, unless it is one of a custom graph: `load-8d1f…`.
    pub fn key(&self) -> &str {
        self.layer.name()
    }
}

impl<T: Clone + Send + Sync + 'static> Delayed<T> {
    /// Creates a delayed value from an available value, so that many calls can share it.
    pub fn value(value: T) -> Self {
        let values = Data::new("value", vec![Value::opaque(value)]);
        Self::of(Layer::values(LayerId::unique(), Grid::single(), values))
    }

    /// Calls a function on the value, once it is available.
    pub fn map<R: Send + Sync + 'static>(
        &self,
        function: impl Fn(T) -> R + Send + Sync + 'static,
    ) -> Delayed<R> {
        delayed(function).call(self)
    }
}

impl<T> Clone for Delayed<T> {
    fn clone(&self) -> Self {
        Self::of(self.layer.clone())
    }
}

impl<T> fmt::Debug for Delayed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delayed(\"{}\")", self.key())
    }
}

impl<T: Clone + Send + Sync + 'static> Collection for Delayed<T> {
    type Output = T;

    fn layer(&self) -> Result<Arc<Layer>> {
        Ok(self.layer.clone())
    }

    fn with_layer(&self, layer: Arc<Layer>) -> Self {
        Self::of(layer)
    }

    fn assemble(&self, mut chunks: Vec<Value>) -> Result<T> {
        let value = chunks.pop().expect("invariant: a layer of one task");
        take(value, || format!("the value of \"{}\"", self.key()))
    }
}

/// Returns the Rust value of a task. It is moved out if nothing else holds it.
fn take<T: Clone + Send + Sync + 'static>(
    value: Value,
    subject: impl FnOnce() -> String,
) -> Result<T> {
    match value.into_inner::<Opaque<T>>() {
        Ok(Opaque(value)) => Ok(value),
        Err(value) => Err(type_error(
            subject(),
            value.summary().to_string(),
            std::any::type_name::<T>(),
        )),
    }
}

fn type_error(subject: String, found: String, expected: &str) -> Error {
    Error::Type {
        subject,
        found,
        expected: crate::graph::short_type_name(expected),
    }
}

#[cfg(test)]
mod tests;
