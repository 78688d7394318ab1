//! The kernel's knowledge of the session's variables, and the source text of
//! their types.
//!
//! The runtime holds the values. After each cell it reports which variables
//! exist, and their types. The next cell's code names those types.

use super::attempt::{Attempt, Compiled, counted_handles};
use super::channel::Ended;
use super::diagnostics::{Diagnostic, MovedByClosure};
use super::failures::unnameable;
use super::flow::{Argument, Initial};
use super::places::Text;
use super::plan::Retention;
use super::run::CellRunner;
use super::scaffold::{Lambda, Load, Loaded};
use super::source::{Binding, ParsedCell};
use super::syntax::names_in;
use super::types::{FUNCTIONS, Unnameable, guesses};
use super::{Cell, EventKind};
use crate::text::shorten;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use swath_channel::{Description, ToRuntime, Variable, is_handle};

/// Returns whether a name in the store stands for a closure's captures.
pub(super) fn is_held(name: &str) -> bool {
    name.ends_with('/')
}

/// A closure that is kept as its text.
#[derive(Debug)]
pub(super) struct KeptLambda {
    pub(super) lambda: Lambda,
    /// The order of definition: closures used by others come first.
    pub(super) order: u64,
    /// The names in it.
    pub(super) names: BTreeSet<String>,
}

/// The kernel's knowledge of a variable.
#[derive(Clone, Debug)]
pub(super) struct VariableState {
    pub(super) variable: Variable,
    /// The runtime's last description of its value.
    pub(super) description: Arc<Description>,
    pub(super) mutable: bool,
    /// The type's source text, if it has one.
    pub(super) source: Result<String, Unnameable>,
    /// Other texts to try if the compiler rejects that one.
    pub(super) candidates: Vec<Candidate>,
    /// The guessed path in the text, and the type's own path that it replaces,
    /// if the text was guessed.
    pub(super) guessed: Option<(String, String)>,
    /// The text to use if the type belongs to the runtime's copy of a crate of
    /// which the user also has a copy.
    pub(super) other_copy: Option<String>,
}

/// A text to try for a type.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    source: String,
    guessed: Option<(String, String)>,
}

impl CellRunner {
    /// Returns the earlier variables that a cell uses.
    pub(super) fn loaded(&self, source: &ParsedCell, forget: &[String]) -> BTreeMap<&str, Loaded> {
        let free = source.free();
        let counted = counted_handles(source);
        self.variables
            .iter()
            .filter(|(name, _)| {
                free.contains(name.trim_start_matches("r#")) && !forget.contains(name)
            })
            .filter_map(|(name, state)| {
                let of_type = state.source.clone().ok()?;
                let type_name = &state.variable.type_name;
                let how = if type_name.starts_with(FUNCTIONS) {
                    Load::Function
                } else if is_handle(type_name, counted) && !source.drops(name) {
                    Load::Copy
                } else {
                    Load::Take
                };
                Some((
                    name.as_str(),
                    Loaded {
                        of_type,
                        mutable: state.mutable,
                        how,
                    },
                ))
            })
            .collect()
    }

    /// Returns the closures of earlier cells that a cell uses, directly or
    /// through others, in the order of their definition.
    pub(super) fn lambdas_used(&self, source: &ParsedCell) -> Vec<&KeptLambda> {
        let mut names: BTreeSet<&str> = source.free();
        let mut used: BTreeMap<u64, &KeptLambda> = BTreeMap::new();
        loop {
            let new: Vec<&KeptLambda> = self
                .lambdas
                .values()
                .filter(|one| names.contains(&*one.lambda.name) && !used.contains_key(&one.order))
                .collect();
            if new.is_empty() {
                return used.into_values().collect();
            }
            for one in new {
                used.insert(one.order, one);
                names.extend(one.names.iter().map(|name| &**name));
            }
        }
    }

    /// Returns the types of a closure's parameters, as far as a cell's first
    /// call of it shows them, by the places where to write them.
    pub(super) fn parameters(
        &self,
        lambda: &Lambda,
        source: &ParsedCell,
    ) -> BTreeMap<usize, String> {
        let calls = source.statements.iter().flat_map(|one| &one.flow.calls);
        let call = calls.clone().find(|(name, _)| *name == lambda.name);
        let Some((_, arguments)) = call else {
            return BTreeMap::new();
        };
        let of_type = |argument: &Argument| match argument {
            Argument::Literal(of_type) => Some((*of_type).to_owned()),
            Argument::Variable(name) => self.variables.get(name)?.source.clone().ok(),
            Argument::Other => None,
        };
        let places = lambda.untyped.iter().zip(arguments);
        places
            .filter_map(|(end, argument)| Some(((*end)?, format!(": {}", of_type(argument)?))))
            .collect()
    }

    /// Returns the names, and those in the types of the variables among them:
    /// methods are called on the variables' types.
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
        state.source = if !state.candidates.is_empty() {
            let candidate = state.candidates.remove(0);
            state.guessed = candidate.guessed;
            Ok(candidate.source)
        } else if let Some(other) = state.other_copy.take() {
            // The user's own copy of the crate has a version without this type.
            state.guessed = None;
            Ok(other)
        } else {
            Err(Unnameable::Private)
        };
        true
    }

    /// If a cell was not run because a variable had another type than it was
    /// compiled for, switches to the type of the other copy of its crate, if
    /// there are two. The type's name does not say which copy it belongs to.
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

    /// Returns whether an earlier variable is a handle, but not one of the
    /// counted ones.
    pub(super) fn has_handle(&self, name: &str, counted: &[&str]) -> bool {
        let state = self.variables.get(name);
        state.is_some_and(|state| is_handle(&state.variable.type_name, counted))
    }

    /// Returns the closure of an earlier cell that moves something when it is called, if
    /// all of its captures are handles.
    pub(super) fn lambda_with_handle(
        &self,
        moved: &MovedByClosure,
        counted: &[&str],
    ) -> Option<String> {
        let lambdas = self.lambdas.values().map(|one| &one.lambda);
        let of_text = |one: &&Lambda| {
            let text = &one.text;
            text.cell == moved.cell
                && text.range.contains(&moved.range.start)
                && text.code.get(moved.range.clone()) == Some(&moved.variable)
        };
        let lambda = lambdas
            .filter(of_text)
            .find(|one| self.has_handle(&Lambda::held_name(&one.name), counted))?;
        Some(lambda.name.clone())
    }

    /// Records guessed names that the compiler has accepted.
    pub(super) fn learn_names(&mut self, used: &BTreeSet<String>) {
        let right = self
            .variables
            .iter_mut()
            .filter(|(name, _)| used.contains(*name))
            .filter_map(|(_, state)| state.guessed.take());
        self.names.extend(right);
    }

    /// Updates the known variables after a cell.
    pub(super) fn take_over(
        &mut self,
        ended: &Ended,
        cell: &Cell,
        source: &ParsedCell,
        notes: &mut Vec<String>,
    ) {
        let before = std::mem::take(&mut self.variables);
        let bindings = source.bindings();
        for variable in &ended.variables {
            let name = &variable.name;
            let bound = bindings.iter().find(|binding| binding.name == *name);
            let is_same = |state: &VariableState| state.variable.type_name == variable.type_name;
            let mut state = match (bound, before.get(name)) {
                // A failed cell may not have reached the statement that sets it
                // again.
                (Some(_), Some(state)) if ended.failure.is_some() && is_same(state) => {
                    state.clone()
                }
                (Some(binding), _) => {
                    let state =
                        self.new_state(variable, binding.mutable, binding.annotated.clone());
                    if let Err(why) = &state.source {
                        notes.push(unnameable(name, why, &variable.type_name));
                    }
                    state
                }
                (None, Some(state)) if is_same(state) => state.clone(),
                (None, _) => self.new_state(variable, false, None),
            };
            state.variable = variable.clone();
            if let Some(description) = state.variable.description.take() {
                state.description = Arc::new(description);
            }
            self.lost.remove(name);
            self.lambdas.remove(name);
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
            self.lost.insert(name.clone(), reason);
        }
    }

    /// Stores closures that are kept as text, adds notes about variables that
    /// are not kept, and records why variables were lost.
    pub(super) fn take_rest(
        &mut self,
        cell: &Cell,
        code: &Text,
        compiled: &Compiled<'_>,
        attempt: &Attempt,
        has_failed: bool,
        notes: &mut Vec<String>,
    ) {
        let (source, plan) = (compiled.source, compiled.plan);
        for (at, statement) in source.statements.iter().enumerate() {
            for binding in statement.bindings() {
                let name = &binding.name;
                match plan.kept.get(name) {
                    Some(Retention::Text(held)) if attempt.is_kept(name, &plan.kept[name]) => {
                        let taken = self.take_lambda(at, binding, held, code, source);
                        notes.extend(taken.err());
                    }
                    Some(kept) if !self.variables.contains_key(name) => {
                        let taken = self.take_gone(name, kept, cell, source, attempt, has_failed);
                        notes.extend(taken);
                    }
                    _ => {}
                }
            }
        }
        let lost: Vec<String> = plan
            .lost_by_failure(source)
            .into_iter()
            .filter(|name| has_failed && !self.variables.contains_key(*name))
            .filter(|name| !attempt.borrowing.contains_key(*name) && !self.lost.contains_key(*name))
            .map(|name| format!("`{name}`"))
            .collect();
        if !lost.is_empty() {
            notes.push(format!(
                "variables that the cell set before it failed are not kept: {}. They belong together with later \
                 statements: a `return`, or a mutable borrow",
                lost.join(", ")
            ));
        }
        for binding in source.bindings() {
            let name = &binding.name;
            let is_known = self.variables.contains_key(name)
                || self.lambdas.contains_key(name)
                || self.lost.contains_key(name)
                || attempt.moved.contains_key(name);
            if !is_known {
                let how = match has_failed {
                    true => "failed before it was set, or before it could be kept",
                    false if source.statements.iter().any(|one| one.flow.returns) => {
                        "returned before its end, and later variables are not kept"
                    }
                    false => "could not keep it, because something borrows from it",
                };
                let reason = format!("`{name}` is not set: cell {} {how}", cell.number);
                self.lost.insert(name.clone(), reason);
            }
        }
        for (name, at) in &attempt.moved {
            if !self.variables.contains_key(name) && !self.lambdas.contains_key(name) {
                let reason = moved(name, cell, *at, source);
                self.lost.insert(name.clone(), reason);
            }
        }
    }

    /// Forgets the closures whose captures were lost with the process; returns
    /// their names.
    pub(super) fn lose_lambdas(&mut self) -> Vec<String> {
        let variables = &self.variables;
        let lost: Vec<String> = self
            .lambdas
            .iter()
            .filter(|(name, one)| {
                !one.lambda.held.is_empty() && !variables.contains_key(&Lambda::held_name(name))
            })
            .map(|(name, _)| name.clone())
            .collect();
        self.lambdas.retain(|name, _| !lost.contains(name));
        lost
    }

    /// Stores a closure that is kept as text.
    ///
    /// # Errors
    /// Why it cannot be kept.
    fn take_lambda(
        &mut self,
        at: usize,
        binding: &Binding,
        held: &[String],
        code: &Text,
        source: &ParsedCell,
    ) -> Result<(), String> {
        let name = &binding.name;
        let Initial::Closure(closure) = &source.statements[at].flow.initial else {
            return Ok(());
        };
        let mut of_type = String::new();
        if !held.is_empty() {
            let Some(state) = self.variables.get(&Lambda::held_name(name)) else {
                // The cell did not reach this statement.
                return Ok(());
            };
            let type_name = &state.variable.type_name;
            let is_shared = type_name.contains("::Rc<") || type_name.contains("::Arc<");
            if type_name.contains("core::cell::") && !is_shared {
                return Err(format!(
                    "`{name}` captures a value with interior mutability (a `Cell`), so it is not kept for later \
                     cells. Put that value into an `Rc`"
                ));
            }
            match &state.source {
                Ok(source) => of_type.clone_from(source),
                Err(why) => return Err(unnameable(name, why, type_name)),
            }
        }
        self.variables.remove(name);
        self.lost.remove(name);
        let order = self.next_order;
        self.next_order += 1;
        let kept = KeptLambda {
            lambda: Lambda {
                name: name.clone(),
                mutable: binding.mutable,
                text: code.part(closure.range.clone()),
                is_move: closure.is_move,
                untyped: closure.untyped.clone(),
                held: held.to_vec(),
                of_type,
            },
            order,
            names: closure.free.clone(),
        };
        self.lambdas.insert(name.clone(), kept);
        Ok(())
    }

    /// Records why a variable of the cell is not kept. Returns a note, unless
    /// the cell itself moved it.
    fn take_gone(
        &mut self,
        name: &str,
        kept: &Retention,
        cell: &Cell,
        source: &ParsedCell,
        attempt: &Attempt,
        has_failed: bool,
    ) -> Option<String> {
        let reason = if let Retention::Not(changed) = kept {
            let changed = changed
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ");
            // If the cell fails, the borrowed variable is lost as well.
            let other = match has_failed {
                true => String::new(),
                false => format!("; {changed} is"),
            };
            format!("`{name}` borrows {changed} mutably, so it is not kept for later cells{other}")
        } else if let Some(from) = attempt.borrowing.get(name) {
            let from = match from {
                Some(from) => format!("borrows from `{from}`"),
                None => "borrows from another variable".to_owned(),
            };
            format!(
                "`{name}` {from}, so it is not kept for later cells. To keep it, make it own its data \
                 (`.clone()`, `.to_owned()`, `move`)"
            )
        } else if let Retention::Text(_) = kept {
            format!(
                "`{name}` captures a value that cannot be cloned, so it is not kept for later cells. \
                 Box it (`let {name}: Box<dyn Fn(…) -> …> = Box::new(move |…| …);`)"
            )
        } else {
            if let Retention::Early(at) = kept {
                let start = source.statements[*at].range.start;
                let reason = moved(name, cell, start, source);
                self.lost.insert(name.to_owned(), reason);
            }
            return None;
        };
        self.lost.insert(name.to_owned(), reason.clone());
        Some(reason)
    }

    /// Queries the runtime for variables that no cell has touched: a collection
    /// may have been persisted by now.
    pub(super) fn look_again(&mut self) {
        let (channel, process) = (&self.shared.channel, &self.process);
        let told = channel.send(&ToRuntime::List).ok();
        let Some(ended) = told.and_then(|()| channel.wait_ended(|| process.is_running())) else {
            // The process has ended; the next cell reports it.
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
    ) -> VariableState {
        let path = variable.type_name.strip_prefix("ctx::");
        let source = if path.is_some_and(|path| self.items.is_function(path)) {
            Err(Unnameable::Function)
        } else {
            self.names.source(&variable.type_name)
        };
        let own: Vec<String> = self
            .crates
            .own_names()
            // `polars_core::series::Series` is named by way of `polars`.
            .filter(|name| {
                let by_way = format!("swath::{name}::");
                names_in(&variable.type_name).contains(*name)
                    || source.as_ref().is_ok_and(|source| source.contains(&by_way))
            })
            .cloned()
            .collect();
        let (source, other_copy) = if own.is_empty() {
            (source, None)
        } else {
            let users = self.names.with_own(&own).source(&variable.type_name);
            let other = source.ok().filter(|other| users.as_ref() != Ok(other));
            (users, other)
        };
        let (source, guessed) = match source {
            // Use the user's annotation, even if nothing else names the type.
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
        VariableState {
            variable: variable.clone(),
            description: Arc::default(),
            mutable,
            source,
            candidates,
            guessed: None,
            other_copy,
        }
    }

    /// Returns the variables that a function, a constant or a static of the cell
    /// replaces: the last definition of a name wins.
    pub(super) fn replaced_by_items(&self, source: &ParsedCell) -> Vec<String> {
        let of_closures = |name: &String| [name.clone(), Lambda::held_name(name)];
        let names = source.value_items().flat_map(of_closures);
        names
            .filter(|name| self.variables.contains_key(name))
            .collect()
    }

    /// Drops variables whose types are redefined, or that an item replaces.
    pub(super) fn drop_forgotten(&mut self, forget: &[String], source: &ParsedCell) {
        let replaced: BTreeSet<&String> = source.value_items().collect();
        self.lambdas.retain(|name, _| !replaced.contains(name));
        for name in forget {
            self.variables.remove(name);
        }
        // What a closure holds is forgotten under a name of its own.
        let closures = self.lose_lambdas();
        let others = forget.iter().filter(|name| !is_held(name));
        for name in others.chain(&closures) {
            if replaced.contains(name) {
                continue;
            }
            let of_what = match closures.contains(name) {
                true => format!("what `{name}` holds"),
                false => format!("`{name}`"),
            };
            let reason = format!(
                "the type of {of_what} was redefined, so `{name}` was dropped: set it again"
            );
            let note = format!("note: {reason}\n");
            self.shared
                .channel
                .emit(EventKind::Stderr(note.into_bytes()));
            self.lost.insert(name.clone(), reason);
        }
    }
}

/// Says where a variable was moved, and how to keep it.
fn moved(name: &str, cell: &Cell, at: usize, source: &ParsedCell) -> String {
    let statement = source
        .statements
        .iter()
        .find(|statement| statement.range.contains(&at));
    // Of a longer statement, only the line.
    let line = statement
        .and_then(|statement| {
            let text = &cell.code[statement.range.clone()];
            let offset = at - statement.range.start;
            let start = text[..offset].rfind('\n').map_or(0, |end| end + 1);
            text[start..].lines().next()
        })
        .map(|line| format!(" by `{}`", shorten(line.trim(), 60)))
        .unwrap_or_default();
    format!(
        "`{name}` was moved in cell {}{line}: write `&{name}` or `{name}.clone()` there to keep it",
        cell.number
    )
}

/// Replaces a path where it is not part of a longer one.
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
