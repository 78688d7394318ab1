//! The tasks of a run.

use crate::{TaskId, Topology, Transition};

/// The tasks of one run.
pub trait Tasks: Send + Sync + 'static {
    /// The value that a task computes.
    type Value: Clone + Send + 'static;
    /// The error of a task that has no value.
    type Error: Clone + Send + 'static;

    /// Returns the dependency graph.
    fn topology(&self) -> &Topology;

    /// Runs a task; a panic in it becomes its error. Called inside
    /// [`enter`](Self::enter).
    ///
    /// # Errors
    /// The task's error.
    fn run(
        &self,
        task: TaskId,
        inputs: Vec<Self::Value>,
        worker: usize,
    ) -> Result<Self::Value, Self::Error>;

    /// Marks this thread as inside a task until the returned guard is dropped.
    fn enter(&self) -> impl Sized;

    /// Calls `call`; a panic becomes an error.
    ///
    /// # Errors
    /// The error of a panic.
    fn catch<T>(call: impl FnOnce() -> T) -> Result<T, Self::Error>;

    /// Returns whether the run must end. Once it returns true, it always does.
    fn is_cancelled(&self) -> bool;

    /// Cancels computations that the tasks have started themselves.
    fn cancel(&self);

    /// Returns the error of a cancelled run.
    fn cancelled() -> Self::Error;

    /// Returns whether the run continues, after this error, with tasks that do
    /// not depend on the failed one.
    fn goes_on_after(&self, error: &Self::Error) -> bool;

    /// Returns whether a task without inputs may start beside other running
    /// tasks, if no value so far is larger than `largest` bytes. A task alone
    /// always may.
    fn admits(&self, largest: usize) -> bool;

    /// Reports the consequences of tasks' ends. Called with the run's lock held.
    fn emit(&self, transition: &Transition);

    /// Frees memory if necessary. Called between tasks, without a lock, so it
    /// may take long.
    ///
    /// # Errors
    /// An error that ends the run.
    fn relieve(&self) -> Result<(), Self::Error>;

    /// Returns the bytes of a value.
    fn nbytes(value: &Self::Value) -> usize;
}
