//! What is known of the session's variables, and how their types are written.
//!
//! The runtime holds the values; it tells after each cell which there are, and
//! of which types. The next cell's code names those types.

use super::dependencies;
use super::diagnostics::Diagnostic;
use super::failures::unnameable;
use super::generate::Loaded;
use super::io::Ended;
use super::run::Session;
use super::source::Source;
use super::syntax::names_in;
use super::types::{Unnameable, guesses};
use super::{Cell, EventKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use swath_channel::{Description, ToRuntime, Variable};

/// What is known of a variable.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) variable: Variable,
    /// What the runtime told of its value last.
    pub(super) description: Arc<Description>,
    pub(super) mutable: bool,
    /// The type's source text, where it has one.
    pub(super) source: Result<String, Unnameable>,
    /// Other texts to try when the compiler does not take that one.
    pub(super) candidates: Vec<Candidate>,
    /// The path that the text has in place of the type's own, where that was
    /// guessed.
    pub(super) guessed: Option<(String, String)>,
    /// What the text is if the type is of the runtime's copy of a crate that
    /// the user has a copy of as well.
    pub(super) other_copy: Option<String>,
}

/// A text to try for a type.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    source: String,
    guessed: Option<(String, String)>,
}

impl Session {
    /// The earlier variables that a cell uses.
    pub(super) fn loaded(&self, source: &Source, forget: &[String]) -> BTreeMap<&str, Loaded> {
        self.variables
            .iter()
            .filter(|(name, _)| {
                source.names.contains(name.trim_start_matches("r#")) && !forget.contains(name)
            })
            .filter_map(|(name, state)| {
                let of_type = state.source.clone().ok()?;
                Some((
                    name.as_str(),
                    Loaded {
                        of_type,
                        mutable: state.mutable,
                    },
                ))
            })
            .collect()
    }

    /// Names, and those in the types of the variables among them: methods are
    /// called on what the variables are.
    pub(super) fn with_types(&self, names: &BTreeSet<String>) -> BTreeSet<String> {
        let types = self
            .variables
            .iter()
            .filter(|(name, _)| names.contains(*name))
            .flat_map(|(_, state)| names_in(&state.variable.type_name));
        names.iter().cloned().chain(types).collect()
    }

    /// Finds another text for the type of a variable.
    pub(super) fn rename_type(&mut self, name: &str, diagnostic: &Diagnostic) -> bool {
        let suggested = diagnostic
            .replacements
            .iter()
            .find(|(from, to)| from.contains("::") && to.contains("::"));
        if let Some((from, to)) = suggested.cloned() {
            self.names.extend([(from.clone(), to.clone())]);
            for state in self.variables.values_mut() {
                if let Ok(source) = &mut state.source {
                    *source = replace_path(source, &from, &to);
                }
            }
            return true;
        }
        let Some(state) = self.variables.get_mut(name) else {
            return false;
        };
        if state.source.is_err() {
            return false;
        }
        state.source = if state.candidates.is_empty() {
            Err(Unnameable::Private)
        } else {
            let candidate = state.candidates.remove(0);
            state.guessed = candidate.guessed;
            Ok(candidate.source)
        };
        true
    }

    /// Where a cell was not run because a variable was of another type than it
    /// was compiled for: takes the type for one of the other copy of a crate, if
    /// there are two. A type's name does not tell which it is of.
    pub(super) fn take_other_copy(&mut self, ended: &Ended) -> bool {
        let name = ended
            .failure
            .as_ref()
            .and_then(|failure| failure.variable.as_ref());
        let Some(state) = name.and_then(|name| self.variables.get_mut(name)) else {
            return false;
        };
        match state.other_copy.take() {
            Some(source) => {
                state.source = Ok(source);
                true
            }
            None => false,
        }
    }

    /// Takes guesses that the compiler took for granted.
    pub(super) fn learn_names(&mut self, used: &BTreeSet<String>) {
        let right = self
            .variables
            .iter_mut()
            .filter(|(name, _)| used.contains(*name))
            .filter_map(|(_, state)| state.guessed.take());
        self.names.extend(right);
    }

    /// Takes over which variables there are after a cell.
    pub(super) fn take_over(&mut self, ended: &Ended, cell: &Cell, source: &Source) {
        let before = std::mem::take(&mut self.variables);
        let bindings = source.bindings();
        for variable in &ended.variables {
            let name = &variable.name;
            let bound = bindings.iter().find(|binding| binding.name == *name);
            let mut state = match (bound, before.get(name)) {
                // Set anew only if its type or the outcome says so: a cell that
                // failed kept the old one.
                (Some(binding), _) if ended.failure.is_none() || !before.contains_key(name) => {
                    let state =
                        self.new_state(variable, binding.mutable, binding.annotated.clone());
                    if let Err(why) = &state.source {
                        let note =
                            format!("note: {}\n", unnameable(name, why, &variable.type_name));
                        self.shared
                            .channel
                            .tell(EventKind::Stderr(note.into_bytes()));
                    }
                    state
                }
                (_, Some(state)) => state.clone(),
                (_, None) => self.new_state(variable, false, None),
            };
            state.variable = variable.clone();
            if let Some(description) = state.variable.description.take() {
                state.description = Arc::new(description);
            }
            self.gone.remove(name);
            self.variables.insert(name.clone(), state);
        }
        for name in before
            .keys()
            .filter(|name| !self.variables.contains_key(*name))
        {
            let reason = format!(
                "`{name}` was moved in cell {}: use `&{name}` or `{name}.clone()` there to keep it",
                cell.number
            );
            self.gone.entry(name.clone()).or_insert(reason);
        }
    }

    /// Asks what is new of variables that nobody touched: what was persisted may
    /// be there by now.
    pub(super) fn look_again(&mut self) {
        let (channel, process) = (&self.shared.channel, &self.process);
        let told = channel.send(&ToRuntime::List).ok();
        let Some(ended) = told.and_then(|()| channel.wait_ended(|| process.is_running())) else {
            // The process is gone, which the next cell tells.
            return;
        };
        for variable in ended.variables {
            let state = self.variables.get_mut(&variable.name);
            if let (Some(state), Some(description)) = (state, variable.description) {
                state.description = Arc::new(description);
            }
        }
    }

    pub(super) fn new_state(
        &self,
        variable: &Variable,
        mutable: bool,
        annotated: Option<String>,
    ) -> State {
        let path = variable.type_name.strip_prefix("ctx::");
        let source = if path.is_some_and(|path| self.items.is_function(path)) {
            Err(Unnameable::Function)
        } else {
            self.names.source(&variable.type_name)
        };
        let own: Vec<String> = self
            .dependencies
            .iter()
            .map(|argument| dependencies::name(argument).to_owned())
            .filter(|name| names_in(&variable.type_name).contains(name))
            .collect();
        let (source, other_copy) = if own.is_empty() {
            (source, None)
        } else {
            let users = self.names.with_own(&own).source(&variable.type_name);
            let other = source.ok().filter(|other| users.as_ref() != Ok(other));
            (users, other)
        };
        let (source, guessed) = match source {
            // What the user wrote names it, even where nothing else does.
            Err(why) => (annotated.clone().ok_or(why), Vec::new()),
            Ok(source) => {
                let root: String = variable
                    .type_name
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || "_:".contains(*c))
                    .collect();
                let guessed = guesses(&root)
                    .into_iter()
                    .map(|guess| Candidate {
                        source: replace_path(&source, &root, &guess),
                        guessed: Some((root.clone(), guess)),
                    })
                    .collect();
                (Ok(source), guessed)
            }
        };
        let written = annotated.map(|source| Candidate {
            source,
            guessed: None,
        });
        let candidates = written.into_iter().chain(guessed).collect();
        State {
            variable: variable.clone(),
            description: Arc::default(),
            mutable,
            source,
            candidates,
            guessed: None,
            other_copy,
        }
    }

    /// Drops variables whose type is defined anew.
    pub(super) fn drop_redefined(&mut self, forget: &[String]) {
        for name in forget {
            self.variables.remove(name);
            let reason = format!(
                "the type of `{name}` was defined anew, so `{name}` was dropped: set it again"
            );
            let note = format!("note: {reason}\n");
            self.shared
                .channel
                .tell(EventKind::Stderr(note.into_bytes()));
            self.gone.insert(name.clone(), reason);
        }
    }
}

/// Replaces a path where it stands as a whole.
fn replace_path(source: &str, from: &str, to: &str) -> String {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find(is_path) {
        result += &rest[..start];
        rest = &rest[start..];
        let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
        result += if &rest[..end] == from {
            to
        } else {
            &rest[..end]
        };
        rest = &rest[end..];
    }
    result + rest
}
