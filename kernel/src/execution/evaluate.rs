//! The interface between a session and its evaluator.

use super::{Cell, Comm};
use crate::view::SessionView;

/// Runs cells, one at a time, and reports as [`Event`](super::Event)s. No
/// method blocks, except `shutdown`.
pub(crate) trait Evaluate: Send + Sync {
    /// Starts a cell. The session starts the next one only after this one has
    /// ended.
    fn execute(&self, cell: Cell);
    /// Answers the running cell's request for a line of input.
    fn reply_input(&self, line: String);
    /// Asks the running cell and background work to stop; does nothing if
    /// nothing runs.
    fn interrupt(&self);
    /// Passes on a client's comm message.
    fn comm(&self, comm: Comm);
    /// Ends every child process. May block for a moment.
    fn shutdown(&self);
    /// Returns what cells have defined so far.
    fn view(&self) -> SessionView;
}
