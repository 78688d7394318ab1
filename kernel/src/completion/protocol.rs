//! The protocol between the kernel and its analyzer process: one JSON object
//! per line. Offsets are in bytes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::view::SessionView;

/// How long the kernel waits for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// A question from the kernel.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ask {
    /// Is repeated in the answer.
    pub(super) id: u64,
    pub(super) question: Question,
    pub(super) view: SessionView,
    /// The user's source text.
    pub(super) code: String,
    /// The position in it.
    pub(super) position: usize,
}

/// The kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Question {
    /// Which completions are possible here?
    Complete,
    /// What is the name that ends here?
    Inspect,
}

/// A message from the analyzer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    /// It has loaded everything.
    Ready,
    /// It cannot work.
    Failed(String),
    /// The answer to [`Ask::id`].
    Answer { id: u64, answer: Answer },
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Completions(Completions),
    Inspection(Option<Inspection>),
}

impl Answer {
    /// Returns the empty answer to `ask`.
    pub(super) fn nothing(ask: &Ask) -> Self {
        match ask.question {
            Question::Complete => Self::Completions(Completions::none(ask.position)),
            Question::Inspect => Self::Inspection(None),
        }
    }
}

/// The texts that can replace `start..end`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Completions {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) matches: Vec<Match>,
}

impl Completions {
    /// Returns no completions, at byte `position`.
    pub(super) fn none(position: usize) -> Self {
        Self {
            start: position,
            end: position,
            matches: Vec::new(),
        }
    }
}

/// One completion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Match {
    /// The text to insert.
    pub(super) text: String,
    /// JupyterLab's name for its kind.
    pub(super) kind: String,
    /// More details to show, or empty.
    pub(super) signature: String,
}

/// A description of a name.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Inspection {
    pub(super) plain: String,
    pub(super) html: String,
}
