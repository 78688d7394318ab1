//! What a session needs of an evaluator.

use super::{Cell, Comm};
use crate::view::SessionView;

/// Runs cells, one at a time; what happens arrives as
/// [`Event`](super::Event)s. No method blocks, but for `shutdown`.
pub(crate) trait Evaluate: Send + Sync {
    /// Starts a cell. The session waits for its end before it starts another.
    fn execute(&self, cell: Cell);
    /// Answers the running cell's request for a line of input.
    fn reply_input(&self, line: String);
    /// Asks the running cell to stop, and what goes on in the background; does
    /// nothing where nothing does.
    fn interrupt(&self);
    /// Passes on what a client did with a comm.
    fn comm(&self, comm: Comm);
    /// Ends every child process. May block for a moment.
    fn shutdown(&self);
    /// What cells have defined so far.
    fn view(&self) -> SessionView;
}
