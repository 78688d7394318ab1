//! Explains what each rule does to the layers of a computation.

use super::{Notes, RULES, check};
use crate::cancel::CancelToken;
use crate::error::Result;
use crate::graph::Layers;
use crate::graph::needed::Needed;
use std::fmt;
use std::sync::Arc;

/// The optimiser's changes, rule by rule.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The steps, in order.
    pub rules: Vec<RuleReport>,
}

/// The changes of one rule.
#[derive(Clone, Debug)]
pub struct RuleReport {
    /// The rule's name.
    pub name: &'static str,
    /// The rule's purpose.
    pub why: &'static str,
    /// The number of layers before and after.
    pub layers: (usize, usize),
    /// The number of tasks before and after.
    pub tasks: (usize, usize),
    /// The individual changes, one line each.
    pub notes: Vec<String>,
}

/// Applies the rules one after the other and counts layers and tasks. The kept
/// values are already in `layers`; `kept` has their names.
pub(crate) fn explain(
    before: &Layers,
    kept: &[Arc<str>],
    mut layers: Layers,
) -> Result<Explanation> {
    let tasks = |layers: &Layers| -> Result<usize> {
        Ok(Needed::new(layers, &CancelToken::default())?.count as usize)
    };
    let all = |layers: &Layers| {
        let chunks = layers.nodes().iter().map(|node| node.layer.grid().len());
        chunks.sum::<usize>()
    };
    let asked = tasks(before)?;
    let mut left = tasks(&layers)?;
    let mut rules = vec![
        RuleReport {
            name: "cull",
            why: "only the tasks that are needed are planned",
            layers: (before.len(), before.len()),
            tasks: (all(before), asked),
            notes: Vec::new(),
        },
        RuleReport {
            name: "take_kept",
            why: "persisted and cached values are not computed again",
            layers: (before.len(), layers.len()),
            tasks: (asked, left),
            notes: kept.iter().map(ToString::to_string).collect(),
        },
    ];
    for rule in RULES {
        let (layers_before, tasks_before) = (layers.len(), left);
        let mut notes = Notes(Some(Vec::new()));
        (rule.apply)(&mut layers, &mut notes);
        left = tasks(&layers)?;
        rules.push(RuleReport {
            name: rule.name,
            why: rule.why,
            layers: (layers_before, layers.len()),
            tasks: (tasks_before, left),
            notes: notes.0.unwrap_or_default(),
        });
    }
    check::check(&layers)?;
    Ok(Explanation { rules })
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NOTES: usize = 5;
        for rule in &self.rules {
            let (from, to) = rule.tasks;
            if from == to && rule.layers.0 == rule.layers.1 && rule.notes.is_empty() {
                writeln!(f, "{:<16} nothing to do", rule.name)?;
                continue;
            }
            writeln!(
                f,
                "{:<16} {from} → {to} tasks, {} → {} layers: {}",
                rule.name, rule.layers.0, rule.layers.1, rule.why
            )?;
            for note in rule.notes.iter().take(NOTES) {
                writeln!(f, "{:<18} {note}", "")?;
            }
            if rule.notes.len() > NOTES {
                writeln!(f, "{:<18} and {} more", "", rule.notes.len() - NOTES)?;
            }
        }
        Ok(())
    }
}

/// Joins the names of steps; if there are many, only the first and the last
/// ones.
pub(super) fn joined(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    if names.len() <= 2 * SHOWN {
        names.join("-")
    } else {
        let last = names.len() - SHOWN;
        format!("{}-…-{}", names[..SHOWN].join("-"), names[last..].join("-"))
    }
}
