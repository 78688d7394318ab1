//! The operations of every collection: compute, persist, explain.

pub(crate) mod describe;
pub(crate) mod recover;

use crate::context::PerContext;
use crate::error::Result;
use crate::graph::{Layer, Value};
use crate::optimize::Explanation;
use crate::schedule::{self, Options, Persisted};
use parking_lot::RwLock;
use std::sync::Arc;

/// A collection: a layer that computes its chunks, and how to combine them into a result.
pub trait Collection: Clone {
    /// The type of the result of [`compute`](Collection::compute).
    type Output;

    /// Returns the layer that computes the chunks.
    ///
    /// # Errors
    /// Returns the error in the collection's description, for collections that report
    /// it only now (frames).
    fn layer(&self) -> Result<Arc<Layer>>;

    /// Returns the same collection on another layer with the same keys.
    #[must_use]
    fn with_layer(&self, layer: Arc<Layer>) -> Self;

    /// Combines the chunks, given in the layer's row-major order, into the result.
    ///
    /// # Errors
    /// Returns an error if the chunks do not fit together.
    fn assemble(&self, chunks: Vec<Value>) -> Result<Self::Output>;

    /// Computes the collection. The result of an array is an ndarray, that of a frame is a
    /// Polars frame, and that of a scalar is a number.
    ///
    /// It runs on all threads, or on the cluster of the current
    /// [`Client`](crate::cluster::Client), and blocks until the end. Persisted chunks are
    /// not computed again.
    ///
    /// # Errors
    /// Returns the first task's failure, with its key, or [`crate::Error::Interrupted`].
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// let x = Array::<f64>::ones([4, 3], (2, 3));
    /// assert_eq!(x.sum_axis(Axis(0)).compute()?.into_raw_vec_and_offset().0, [4.0, 4.0, 4.0]);
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[doc(alias = "collect")]
    fn compute(&self) -> Result<Self::Output> {
        self.compute_with(&default_options())
    }

    /// Computes the collection with the given scheduler options.
    ///
    /// # Errors
    /// The same as for [`compute`](Collection::compute).
    #[doc(alias = "get")]
    fn compute_with(&self, options: &Options) -> Result<Self::Output> {
        let mut values = schedule::run(&[self.layer()?], options)?;
        self.assemble(values.pop().unwrap_or_default())
    }

    /// Starts computing the chunks in the background and keeps them.
    ///
    /// Returns immediately, with a collection that is based on these chunks. Computations
    /// of it, or of anything derived from it, use the chunks instead of computing them
    /// again. The chunks are kept as long as that collection or anything derived from it
    /// exists. [`progress`](crate::diagnostics::progress()) shows the progress.
    ///
    /// # Errors
    /// Returns the error in the collection's description.
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// let x = Array::<f64>::ones([1000, 100], (100, 100)).persist()?;
    /// assert_eq!(x.sum().compute()?, 100_000.0);
    /// assert_eq!(x.max().compute()?, 1.0);
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[doc(alias = "cache")]
    fn persist(&self) -> Result<Self> {
        Ok(self.with_layer(Persisted::start(&self.layer()?, default_options())))
    }

    /// Describes what the optimiser does with the tasks that compute the collection.
    ///
    /// # Errors
    /// Returns the error in the collection's description.
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// let x = Array::<f64>::ones([100, 100], (10, 10));
    /// let explanation = ((x + 1.0) * 2.0).explain()?;
    /// let fused = explanation.rules.iter().find(|rule| rule.name == "fuse_blockwise");
    /// assert_eq!(fused.map(|rule| rule.tasks), Some((300, 100)));
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[doc(alias = "optimize")]
    fn explain(&self) -> Result<Explanation> {
        schedule::explain(&[self.layer()?])
    }
}

static DEFAULT: PerContext<RwLock<Option<Options>>> = PerContext::new(RwLock::default);

/// Returns the options that [`Collection::compute`] uses.
pub fn default_options() -> Options {
    DEFAULT.get().read().clone().unwrap_or_default()
}

/// Sets the options that [`Collection::compute`] uses.
pub fn set_default_options(options: Options) {
    *DEFAULT.get().write() = Some(options);
}

/// Several collections that are computed together. Tasks that they share are
/// computed once.
pub trait Together {
    /// The results, one for each collection.
    type Output;

    /// Computes the collections.
    ///
    /// # Errors
    /// The same as for [`Collection::compute`].
    fn compute_together(&self) -> Result<Self::Output>;
}

macro_rules! together {
    ($($name:ident $at:tt),*) => {
        impl<$($name: Collection),*> Together for ($(&$name,)*) {
            type Output = ($($name::Output,)*);

            fn compute_together(&self) -> Result<Self::Output> {
                let mut values = schedule::run(&[$(self.$at.layer()?),*], &default_options())?.into_iter();
                Ok(($(self.$at.assemble(values.next().unwrap_or_default())?,)*))
            }
        }
    };
}
together!(A 0);
together!(A 0, B 1);
together!(A 0, B 1, C 2);
together!(A 0, B 1, C 2, D 3);
together!(A 0, B 1, C 2, D 3, E 4);
together!(A 0, B 1, C 2, D 3, E 4, F 5);

/// Computes several collections together. Tasks that they share are computed once.
///
/// # Errors
/// The same as for [`Collection::compute`].
///
/// ```
/// use swath::prelude::*;
///
/// let x = Array::<f64>::ones([100, 100], 10);
/// let (mean, std) = compute((&x.mean(), &x.std()))?;
/// assert_eq!((mean, std), (1.0, 0.0));
/// # Ok::<(), swath::Error>(())
/// ```
#[doc(alias = "collect_all")]
pub fn compute<T: Together>(collections: T) -> Result<T::Output> {
    collections.compute_together()
}
