//! Describes collections for lists of variables, without computing them.

use super::Collection;
use crate::display::brief::{LINE, brief_line, debugged};
use crate::display::text::counted;
use crate::error::Error;
use crate::graph::{Layer, Tasks};
use std::any::Any;
use std::fmt::Debug;
use swath_channel::Description;

/// The maximum length of a preview, in bytes.
pub(crate) const PREVIEW: usize = 2000;
/// The maximum number of columns that the description of a frame has.
pub(crate) const COLUMNS: usize = 2000;

/// A type whose values can be described.
pub(crate) trait Describe: Any {
    /// Describes a value. This takes microseconds and computes nothing.
    fn describe(&self) -> Description;

    /// Returns whether the description may change a moment later although nobody
    /// touches the value, because it is being computed.
    fn is_changing(&self) -> bool {
        false
    }
}

/// The state of a layer's values.
struct State {
    text: String,
    nbytes: Option<u64>,
}

fn state(layer: &Layer) -> State {
    let Tasks::Values(source) = layer.tasks() else {
        let text = "not computed".to_owned();
        return State { text, nbytes: None };
    };
    let held = || source.nbytes().map(|nbytes| nbytes as u64);
    match source.progress() {
        None => State {
            text: "in memory".to_owned(),
            nbytes: held(),
        },
        Some(progress) => match progress.outcome {
            None => State {
                text: format!(
                    "being computed: {} of {}",
                    progress.done,
                    counted(progress.total.unwrap_or(progress.done), "task")
                ),
                nbytes: None,
            },
            Some(Ok(())) => State {
                text: "persisted".to_owned(),
                nbytes: held(),
            },
            Some(Err(error)) => State {
                text: format!("failed: {}", brief_line(&error.to_string())),
                nbytes: held(),
            },
        },
    }
}

pub(crate) fn is_running(layer: &Layer) -> bool {
    match layer.tasks() {
        Tasks::Values(source) => source
            .progress()
            .is_some_and(|progress| progress.outcome.is_none()),
        _ => false,
    }
}

pub(crate) fn is_running_in(collection: &impl Collection) -> bool {
    collection.layer().is_ok_and(|layer| is_running(&layer))
}

/// Describes a collection that cannot be computed.
pub(crate) fn broken(error: &Error) -> Description {
    Description {
        state: "cannot be computed".to_owned(),
        summary: brief_line(&error.to_string()),
        preview: error.to_string(),
        ..Description::default()
    }
}

pub(crate) fn of_layer(layer: &Layer, summary: String) -> Description {
    let State { text, nbytes } = state(layer);
    Description {
        state: text,
        nbytes,
        summary,
        ..Description::default()
    }
}

/// Describes a value whose `Debug` is quick.
pub(crate) fn by_debug(value: &dyn Debug) -> Description {
    let summary = debugged(value, LINE);
    Description {
        preview: match summary.ends_with('…') {
            true => debugged(value, PREVIEW),
            false => String::new(),
        },
        summary,
        ..Description::default()
    }
}
