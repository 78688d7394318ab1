//! Cells: from source text to events.
//!
//! The evaluator owns the compiler, the runtime process and the channel to it.
//! The session sees only what is in this file: it hands over a [`Cell`] and
//! receives [`Event`]s, in the order in which they happened. Nothing here
//! knows ZeroMQ or Jupyter's message types.

mod attempt;
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
mod frame;
mod generate;
mod generated;
mod instances;
mod io;
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

/// A cell as the session hands it over.
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

/// Something that happened on behalf of a cell, possibly after it ended (a
/// progress bar of work in the background).
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// [`Cell::id`] of the cell that caused it.
    pub(crate) cell: u64,
    /// What happened.
    pub(crate) kind: EventKind,
}

/// What can happen.
#[derive(Clone, Debug)]
pub(crate) enum EventKind {
    /// Bytes that the cell wrote to standard output: any bytes, cut anywhere.
    Stdout(Vec<u8>),
    /// Bytes that the cell wrote to standard error.
    Stderr(Vec<u8>),
    /// A display, or an update of an earlier one.
    Display(Display),
    /// Clear what the cell has shown; `wait`: only when the next output comes.
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
    /// The cell has got to another stage.
    Stage(Stage),
    /// Something on a comm, from the runtime process.
    Comm(Comm),
    /// Whether the runtime process takes comms to a target.
    CommTarget {
        /// Its name.
        name: String,
        /// Whether it does.
        exists: bool,
    },
    /// The runtime process has ended, and with it the other end of all comms.
    CommsGone,
    /// The cell has ended; nothing but background updates follows.
    Finished(Outcome),
}

/// What is done for a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Crates are fetched and compiled for it.
    Crates,
    /// It is compiled.
    Compiling,
    /// It runs.
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

/// One clear error, as the front end shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CellError {
    /// Its kind: `CompileError`, `Panic`, `Interrupted`, or the error's type.
    pub(crate) ename: String,
    /// One line.
    pub(crate) evalue: String,
    /// The whole text, which may hold ANSI colours, a line an entry.
    pub(crate) traceback: Vec<String>,
}
