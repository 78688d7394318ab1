//! Rewriting layers before they are planned.
//!
//! One list of rules, each from layers to layers that compute the same under
//! the same keys. Culling of tasks is not among them: a plan visits only what
//! is needed ([`crate::schedule::Plan::new`]).

mod check;
mod explain;
mod fuse_blockwise;
mod fuse_linear;
mod inline_literals;
mod remove_aliases;
#[cfg(test)]
mod tests;

pub(crate) use explain::explain;
pub use explain::{Explanation, RuleReport};

use crate::error::Result;
use crate::graph::Layers;

/// A rewriting of layers, which keep identity, grid and values.
struct Rule {
    name: &'static str,
    /// What it is good for.
    why: &'static str,
    apply: fn(&mut Layers, &mut Notes),
    /// Whether it makes one task of several.
    fuses: bool,
}

const RULES: &[Rule] = &[
    // First, so that what stands behind an alias is found by the others.
    Rule {
        name: "remove_aliases",
        why: "a second key for a value is no task",
        apply: remove_aliases::remove_aliases,
        fuses: false,
    },
    // Before fusion: a task that takes one other task and literals is part of a
    // chain only when the literals are arguments.
    Rule {
        name: "inline_literals",
        why: "a value that stands in the graph is an argument, and no task",
        apply: inline_literals::inline_literals,
        fuses: false,
    },
    // Chunkwise steps become one task a chunk, so that no intermediate chunk is
    // held and each is in the cache when the next step takes it.
    Rule {
        name: "fuse_blockwise",
        why: "chunkwise steps are one task a chunk: no chunk between them is held",
        apply: fuse_blockwise::fuse_blockwise,
        fuses: true,
    },
    // After it, for what has no grid: chains of calls.
    Rule {
        name: "fuse_linear",
        why: "a chain of tasks, each taken by the next only, is one task",
        apply: fuse_linear::fuse_linear,
        fuses: true,
    },
];

/// Which rules are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// All.
    All,
    /// None that makes one task of several.
    OneTaskAStep,
}

/// What a rule says of what it did, if somebody wants to know.
#[derive(Default)]
struct Notes(Option<Vec<String>>);

impl Notes {
    fn add(&mut self, note: impl FnOnce() -> String) {
        if let Some(notes) = &mut self.0 {
            notes.push(note());
        }
    }
}

/// Applies the rules, and checks that what they leave can be planned.
///
/// # Errors
/// [`crate::Error::Rule`] where a rule has broken something.
pub fn optimize(layers: &mut Layers, rules: Rules) -> Result<()> {
    for rule in RULES {
        if rules == Rules::All || !rule.fuses {
            (rule.apply)(layers, &mut Notes::default());
        }
    }
    check::check(layers)
}
