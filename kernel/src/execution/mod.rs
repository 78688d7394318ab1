//! The execution of cells: turns source text into events.
//!
//! The evaluator owns the compiler, the runtime process and the channel to it.
//! The session sees only the items in this file: it passes in a [`Cell`] and
//! receives [`Event`]s, in the order in which they happened. Nothing here
//! depends on ZeroMQ or Jupyter's message types.

mod attempt;
mod channel;
mod commands;
mod compiler;
mod crates;
mod death;
mod diagnostics;
mod evaluate;
mod evaluator;
mod failures;
mod flow;
mod folder;
mod generate;
mod generated;
mod instances;
mod item;
mod items;
mod listing;
mod metadata;
mod neighbours;
mod places;
mod plan;
mod process;
mod recovery;
mod run;
mod scaffold;
mod source;
mod syntax;
mod toolchain;
mod types;
mod variables;
mod workplace;

pub(crate) use crates::wrap_rustc;
pub(crate) use evaluate::Evaluate;
pub(crate) use evaluator::Evaluator;
pub(crate) use toolchain::{NoToolchain, Toolchain};
pub(crate) use workplace::Workplace;

pub(crate) use swath_channel::{Comm, CommAction};

use crate::display::{Display, MimeBundle};

/// A cell as the session passes it in.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// The cell's source text.
    pub(crate) code: String,
    /// The execution count that the user sees (`In [3]`); error messages name it.
    pub(crate) number: u32,
    /// Identifies the request in every [`Event`]; unique in a session.
    pub(crate) id: u64,
    /// Whether the front end can answer an [`EventKind::Input`].
    pub(crate) allow_stdin: bool,
}

/// Something that happened on behalf of a cell, possibly after it ended (for
/// example a progress bar of background work).
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// [`Cell::id`] of the cell that caused it.
    pub(crate) cell: u64,
    /// What happened.
    pub(crate) kind: EventKind,
}

/// The kinds of events.
#[derive(Clone, Debug)]
pub(crate) enum EventKind {
    /// Bytes that the cell wrote to standard output: not necessarily UTF-8, and
    /// split at any byte.
    Stdout(Vec<u8>),
    /// Bytes that the cell wrote to standard error.
    Stderr(Vec<u8>),
    /// A display, or an update of an earlier one.
    Display(Display),
    /// The cell clears its output; with `wait`, only when the next output
    /// arrives.
    Clear {
        /// Whether to wait for the next output.
        wait: bool,
    },
    /// The value of the cell's last expression.
    Result(MimeBundle),
    /// The cell waits for a line of input: answer with `Evaluator::reply_input`.
    Input {
        /// Shown before the field.
        prompt: String,
        /// Whether the typed text must not be shown.
        password: bool,
    },
    /// The cell has reached another stage.
    Stage(Stage),
    /// A comm message from the runtime process.
    Comm(Comm),
    /// Reports whether the runtime process accepts comms to a target.
    CommTarget {
        /// Its name.
        name: String,
        /// Whether it accepts them.
        exists: bool,
    },
    /// The runtime process has ended, which closes all comms.
    CommsGone,
    /// The cell has ended; only background updates follow.
    Finished(Outcome),
}

/// The stages of running a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its crates are being fetched and compiled.
    Crates,
    /// It is being compiled.
    Compiling,
    /// It is running.
    Running,
}

/// How a cell ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It ran to its end.
    Ok,
    /// It failed.
    Error(CellError),
}

/// An error as the front end shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CellError {
    /// Its kind: `CompileError`, `Panic`, `Interrupted`, or the error's type.
    pub(crate) ename: String,
    /// One line.
    pub(crate) evalue: String,
    /// The whole text, one entry per line. It may contain ANSI colours.
    pub(crate) traceback: Vec<String>,
}
