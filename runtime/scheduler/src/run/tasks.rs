//! What a run runs.

use crate::{TaskId, Topology, Transition};

/// The tasks of one run.
pub trait Tasks: Send + Sync + 'static {
    /// What a task computes.
    type Value: Clone + Send + 'static;
    /// Why a task has none.
    type Error: Clone + Send + 'static;

    /// Which task takes whose values.
    fn topology(&self) -> &Topology;

    /// Runs a task; a panic in it is its error. Called inside of
    /// [`enter`](Self::enter).
    ///
    /// # Errors
    /// The task's.
    fn run(
        &self,
        task: TaskId,
        inputs: Vec<Self::Value>,
        worker: usize,
    ) -> Result<Self::Value, Self::Error>;

    /// Marks this thread as being inside a task, until what it returns is
    /// dropped.
    fn enter(&self) -> impl Sized;

    /// Calls; a panic is an error.
    ///
    /// # Errors
    /// A panic.
    fn catch<T>(call: impl FnOnce() -> T) -> Result<T, Self::Error>;

    /// Whether the run has to end. Once it does, it does for ever.
    fn is_cancelled(&self) -> bool;

    /// Tells what the tasks themselves compute to end.
    fn cancel(&self);

    /// Why a run has ended that was cancelled.
    fn cancelled() -> Self::Error;

    /// Whether the run goes on with what does not depend on a task that failed
    /// in this way.
    fn goes_on_after(&self, error: &Self::Error) -> bool;

    /// Whether a task that takes nothing may start beside others that run, where
    /// no value so far has more bytes than `largest`. One alone always may.
    fn admits(&self, largest: usize) -> bool;

    /// Told what the end of some tasks led to, with the run's lock held.
    fn tell(&self, transition: &Transition);

    /// Called between tasks, without a lock: may take its time to make room.
    ///
    /// # Errors
    /// One that ends the run.
    fn relieve(&self) -> Result<(), Self::Error>;

    /// The bytes of a value.
    fn nbytes(value: &Self::Value) -> usize;
}
