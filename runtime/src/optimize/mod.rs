//! Rewrites layers before they are planned.
//!
//! There is one list of rules. Each rule turns layers into layers that compute
//! the same values under the same keys. Culling of tasks is not a rule: a plan
//! visits only needed tasks ([`crate::schedule::Plan::new`]).

mod check;
mod explain;
mod fuse_blockwise;
mod fuse_linear;
mod inline_literals;
mod remove_aliases;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use explain::explain;
pub use explain::{Explanation, RuleReport};

use crate::error::Result;
use crate::graph::Layers;

/// A rule that rewrites layers; their identities, grids and values stay the
/// same.
struct Rule {
    name: &'static str,
    /// Its purpose, for explanations.
    why: &'static str,
    apply: fn(&mut Layers, &mut Notes),
    /// Whether it merges several tasks into one.
    fuses: bool,
}

const RULES: &[Rule] = &[
    // First, so that the other rules see the tasks behind aliases.
    Rule {
        name: "remove_aliases",
        why: "an alias only gives a value a second key and needs no task",
        apply: remove_aliases::remove_aliases,
        fuses: false,
    },
    // Before fusion: a task whose inputs are one other task and literals is
    // part of a chain only after the literals have become arguments.
    Rule {
        name: "inline_literals",
        why: "a literal value becomes an argument and needs no task",
        apply: inline_literals::inline_literals,
        fuses: false,
    },
    // Chunkwise steps become one task per chunk, so that no intermediate chunk
    // is held and each one is still in the cache when the next step reads it.
    Rule {
        name: "fuse_blockwise",
        why: "chunkwise steps become one task per chunk, and no chunk between them is held",
        apply: fuse_blockwise::fuse_blockwise,
        fuses: true,
    },
    // After blockwise fusion, for tasks without a grid: chains of calls.
    Rule {
        name: "fuse_linear",
        why: "a chain of tasks, each used only by the next one, becomes one task",
        apply: fuse_linear::fuse_linear,
        fuses: true,
    },
];

/// The rules to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// All rules.
    All,
    /// Only rules that do not merge tasks.
    OneTaskAStep,
}

/// The notes of a rule on its changes, if they are wanted.
#[derive(Default)]
struct Notes(Option<Vec<String>>);

impl Notes {
    fn add(&mut self, note: impl FnOnce() -> String) {
        if let Some(notes) = &mut self.0 {
            notes.push(note());
        }
    }
}

/// Applies the rules, and checks that the result can be planned.
///
/// # Errors
/// [`crate::Error::Rule`] if a rule has produced invalid layers.
pub fn optimize(layers: &mut Layers, rules: Rules) -> Result<()> {
    for rule in RULES {
        if rules == Rules::All || !rule.fuses {
            (rule.apply)(layers, &mut Notes::default());
        }
    }
    check::check(layers)
}
