//! What the kernel and its analyzer process say to each other: a JSON object
//! a line. Offsets are bytes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::view::SessionView;

/// How long the kernel waits for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// The kernel asks.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ask {
    /// Comes back in the answer.
    pub(super) id: u64,
    pub(super) question: Question,
    pub(super) view: SessionView,
    /// The user's source text.
    pub(super) code: String,
    /// Where in it.
    pub(super) position: usize,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Question {
    /// What can stand here?
    Complete,
    /// What ends here?
    Inspect,
}

/// The analyzer says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    /// It has loaded what it needs.
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
    /// That there is none.
    pub(super) fn nothing(ask: &Ask) -> Self {
        match ask.question {
            Question::Complete => Self::Completions(Completions::none(ask.position)),
            Question::Inspect => Self::Inspection(None),
        }
    }
}

/// What can replace `start..end`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Completions {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) matches: Vec<Match>,
}

impl Completions {
    /// None, at byte `position`.
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
    /// What is inserted.
    pub(super) text: String,
    /// What kind of thing it is, in JupyterLab's words.
    pub(super) kind: String,
    /// What is shown, where that says more.
    pub(super) signature: String,
}

/// What is known about something.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Inspection {
    pub(super) plain: String,
    pub(super) html: String,
}
