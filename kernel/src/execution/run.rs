//! A session's cells, one after the other: compiled, mended where a generated
//! line does not compile, run, and what became of the variables noted.
//!
//! Commands are in [`super::commands`], errors in [`super::failures`].

use super::cargo::Cargo;
use super::compiler::{Compiler, Failed, OptLevel};
use super::dependencies;
use super::diagnostics::{Diagnostic, cell_error};
use super::evaluator::Shared;
use super::failures::{broken, interrupted, start_error, unnameable};
use super::generate::{Frame, Generated, Loaded, Pieces, Role};
use super::io::Ended;
use super::items::{Items, Needed, Text};
use super::process::RuntimeProcess;
use super::source::{ItemKind, Source, names_in};
use super::toolchain::Toolchain;
use super::types::{PublicNames, Unnameable, guesses};
use super::workplace::INSTANCES;
use super::{Cell, CellError, EventKind};
use crate::completion::{SessionView, Variable as ViewVariable};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use swath_channel::{ToRuntime, Variable};

/// How often a cell is compiled anew after a line was left out or a type's
/// name corrected.
const ATTEMPTS: usize = 12;

/// What the evaluator's thread holds.
pub(super) struct Session {
    pub(super) shared: Arc<Shared>,
    pub(super) compiler: Compiler,
    pub(super) cargo: Cargo,
    pub(super) process: RuntimeProcess,
    pub(super) items: Items,
    pub(super) variables: BTreeMap<String, State>,
    /// Variables that are gone, and what became of them.
    pub(super) gone: BTreeMap<String, String>,
    pub(super) names: PublicNames,
    /// `:dep` arguments.
    pub(super) dependencies: Vec<String>,
    /// Crates of the runtime whose names are spoken for: bound to the
    /// runtime's copy, or to another one by `:dep`.
    pub(super) bound: BTreeSet<&'static str>,
    /// What `:env` has set.
    pub(super) environment: BTreeMap<String, String>,
    /// What `:opt` asks for; by cell where it asks for nothing.
    pub(super) opt_level: Option<OptLevel>,
    /// `:timing`.
    pub(super) tells_time: bool,
    /// The compiler's last errors, for `:explain`.
    pub(super) last_errors: Vec<Value>,
    /// The number of the last library.
    unit: u32,
    /// Where the libraries' code comes from.
    pub(super) units: BTreeMap<u32, Pieces>,
}

/// What is known of a variable.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) variable: Variable,
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
    pub(super) fn start(shared: Arc<Shared>) -> Result<Self, CellError> {
        let environment = BTreeMap::new();
        // It loads its libraries while the compiler is looked for.
        let process = RuntimeProcess::start(&shared.workplace, &environment).map_err(|error| {
            start_error(
                "the runtime process cannot be started",
                &format!("{}: {error}", shared.workplace.runtime_program().display()),
            )
        })?;
        let toolchain = Toolchain::find()
            .map_err(|missing| start_error(&missing.found, &format!("Mend: {}", missing.mend)))?;
        let compiler = Compiler::new(toolchain, &shared.workplace);
        Ok(Self {
            cargo: Cargo::new(&shared.workplace.cells()),
            compiler,
            process,
            items: Items::new(),
            variables: BTreeMap::new(),
            gone: BTreeMap::new(),
            names: PublicNames::default(),
            dependencies: Vec::new(),
            bound: BTreeSet::new(),
            environment,
            opt_level: None,
            tells_time: false,
            last_errors: Vec::new(),
            unit: 0,
            units: BTreeMap::new(),
            shared,
        })
    }

    pub(super) fn run(&mut self, cell: &Cell) -> Result<(), CellError> {
        let started = Instant::now();
        if !self.process.is_running() {
            // Something in the background ended it after the last cell.
            return Err(self.died());
        }
        self.begin(cell)?;
        if self.shared.interrupted.lock().is_some() {
            return Err(interrupted("the cell was not run"));
        }
        let mut source = Source::parse(&cell.code);
        let completed = Cell {
            code: format!("{};", cell.code.trim_end()),
            ..cell.clone()
        };
        let mut cell = cell;
        if source.has_syntax_errors {
            // A last `let` needs no semicolon, as the last line of a cell.
            let again = Source::parse(&completed.code);
            if !again.has_syntax_errors {
                (source, cell) = (again, &completed);
            }
        }
        self.commands(cell, &source)?;
        let code = Text::whole(cell.number, &Arc::from(cell.code.as_str()));
        let result = if source.has_syntax_errors {
            self.compile_verbatim(cell, &code, &source)
        } else if source.is_empty() {
            Ok(())
        } else {
            source.take_item_calls(|name| self.items.makes_items(name));
            self.add_extern_crates(cell, &source)?;
            self.run_code(cell, &code, &source)
        };
        if self.tells_time {
            let took = format!("Took {} ms\n", started.elapsed().as_millis());
            let channel = &self.shared.channel;
            channel.tell(EventKind::Stdout(took.into_bytes()));
        }
        result
    }

    /// From now on, what the runtime process shows belongs to this cell.
    pub(super) fn begin(&self, cell: &Cell) -> Result<(), CellError> {
        self.shared
            .channel
            .begin(cell.id, cell.allow_stdin)
            .map_err(|error| broken(&format!("the runtime process does not answer: {error}")))
    }

    /// Compiles code that the parser does not understand as it is, for the
    /// compiler's own message.
    fn compile_verbatim(
        &mut self,
        cell: &Cell,
        code: &Text,
        source: &Source,
    ) -> Result<(), CellError> {
        // Around a delimiter that is missing, a function would end the cell.
        for is_alone in [true, false] {
            let mut generated = Generated::default();
            generated.verbatim(code, &source.commands, is_alone);
            let errors = match self.compile(&generated, OptLevel::None) {
                Ok(_) => continue,
                Err(Failed::Errors(errors)) => errors,
                Err(failed) => return Err(self.not_compiled(failed)),
            };
            let diagnostics: Vec<_> = errors
                .iter()
                .map(|error| Diagnostic::of_verbatim(error, &generated, cell.number))
                .collect();
            if is_alone && !diagnostics.iter().any(Diagnostic::is_about_delimiters) {
                continue;
            }
            self.last_errors = errors;
            return Err(cell_error(&diagnostics, &cell.code, cell.number));
        }
        Err(broken(
            "the cell cannot be taken apart, though the compiler understands it",
        ))
    }

    /// Adds crates that a cell names by `extern crate`, as evcxr does.
    fn add_extern_crates(&mut self, cell: &Cell, source: &Source) -> Result<(), CellError> {
        for item in &source.items {
            let ItemKind::ExternCrate { name } = &item.kind else {
                continue;
            };
            let is_known = ["std", "core", "alloc", "proc_macro", "swath", "self"]
                .contains(&name.as_str())
                || self.has_own(name);
            if !is_known {
                self.add_dependency(&format!("{name} = \"*\""), cell)?;
            }
        }
        Ok(())
    }

    fn run_code(&mut self, cell: &Cell, code: &Text, source: &Source) -> Result<(), CellError> {
        let mut change = self.items.change(cell.number, &code.code, source);
        let binds: Vec<&'static str> = dependencies::HELD
            .iter()
            .copied()
            .filter(|name| {
                source.names.contains(*name)
                    && !self.bound.contains(name)
                    && !self.variables.contains_key(*name)
            })
            .collect();
        for name in &binds {
            change.after.bring(name, &format!("swath::{name}"));
        }
        let forget: Vec<String> = self
            .variables
            .iter()
            .filter(|(_, state)| {
                !names_in(&state.variable.type_name).is_disjoint(&change.redefined)
            })
            .map(|(name, _)| name.clone())
            .collect();
        let opt_level = self.opt_level_for(source, &change.after);
        let used = self.with_types(&source.names);
        let mut needed = change.after.needed(&used, code);
        // What the compiler said of the cell before it saw all items.
        let mut first_errors: Option<(Vec<Diagnostic>, Vec<Value>)> = None;
        let mut without: Vec<Role> = Vec::new();
        let mut own_display = false;
        // What is wrong because variables are kept, while it is found out what
        // is wrong beside that.
        let mut borrows: Option<(Vec<Diagnostic>, Vec<Value>)> = None;
        for _ in 0..ATTEMPTS {
            let mut items = change.after.clone();
            let unit = self.unit + 1;
            let function = format!("swath_cell_{unit}");
            let frame = Frame {
                function: &function,
                loaded: self.loaded(source, &forget),
                forget: &forget,
                without: &without,
                own_tokio: self.has_own("tokio"),
                own_display,
            };
            let mut generated = Generated::default();
            items.write(&mut generated, &needed, unit);
            if opt_level.shares_instances() {
                generated.raw(&format!("extern crate {INSTANCES} as _;\n"));
            }
            generated.function(code, source, &frame);
            let errors = match self.compile(&generated, opt_level) {
                Ok(_) if borrows.is_some() => {
                    let (diagnostics, errors) = borrows.unwrap_or_default();
                    self.last_errors = errors;
                    return Err(self.compile_error(diagnostics, cell));
                }
                Ok(library) => {
                    self.units.insert(unit, generated.into_pieces());
                    let ended = self.load(&library, &function)?;
                    if let Some(name) = mistaken(&ended)
                        && self.take_other_copy(&name)
                    {
                        continue;
                    }
                    self.items = items;
                    self.learn_names(&source.names);
                    self.bound.extend(binds);
                    self.note_forgotten(&forget);
                    self.note_restarted(&change.restarted);
                    return self.finish(ended, cell, source);
                }
                Err(Failed::Errors(errors)) => errors,
                Err(failed) => return Err(self.not_compiled(failed)),
            };
            let diagnostics: Vec<_> = errors
                .iter()
                .map(|error| Diagnostic::new(error, &generated, cell.number))
                .collect();
            // Two traits in scope have an `evcxr_display`: ours, and one that the
            // cell uses on purpose.
            let ambiguous =
                |one: &Diagnostic| one.code.as_deref() == Some("E0034") && !one.is_about_cell();
            if !own_display && diagnostics.iter().any(ambiguous) {
                own_display = true;
                continue;
            }
            if !diagnostics.iter().any(Diagnostic::is_about_cell)
                && self.mend(&diagnostics, &mut without)
            {
                continue;
            }
            // A variable that borrows makes errors of what would be right
            // otherwise, and hides what would be wrong all the same.
            let borrowing: Vec<Role> = diagnostics
                .iter()
                .filter_map(Diagnostic::borrowing_variable)
                .map(|name| Role::Store(name.to_owned()))
                .collect();
            if borrows.is_none() && !borrowing.is_empty() && diagnostics.len() > borrowing.len() {
                without.extend(borrowing);
                borrows = Some((diagnostics, errors));
                continue;
            }
            // Perhaps something is used by a name that a macro makes.
            let misses_something = diagnostics.iter().any(Diagnostic::misses_something);
            if first_errors.is_none() && misses_something && change.after.is_part(&needed) {
                first_errors = Some((diagnostics, errors));
                needed = Needed::All;
                continue;
            }
            let (diagnostics, errors) = first_errors.unwrap_or((diagnostics, errors));
            self.last_errors = errors;
            return Err(self.compile_error(diagnostics, cell));
        }
        Err(broken(
            "the variables that the cell uses cannot be passed to it: set them anew",
        ))
    }

    /// Compiles code under the next number.
    fn compile(
        &mut self,
        generated: &Generated,
        opt_level: OptLevel,
    ) -> Result<std::path::PathBuf, Failed> {
        self.unit += 1;
        self.compiler
            .compile(self.unit, &generated.text, opt_level, self.cargo.crates())
    }

    /// How much a cell is to be optimised: what may run many times is worth it,
    /// a call of what is compiled already is not.
    fn opt_level_for(&self, source: &Source, items: &Items) -> OptLevel {
        let by_cell = || {
            let names = self.with_types(&source.statement_names);
            if source.repeats || items.repeat(&names) {
                OptLevel::Repeated
            } else {
                OptLevel::None
            }
        };
        self.opt_level.unwrap_or_else(by_cell)
    }

    /// Names, and those in the types of the variables among them: methods are
    /// called on what the variables are.
    fn with_types(&self, names: &BTreeSet<String>) -> BTreeSet<String> {
        let types = self
            .variables
            .iter()
            .filter(|(name, _)| names.contains(*name))
            .flat_map(|(_, state)| names_in(&state.variable.type_name));
        names.iter().cloned().chain(types).collect()
    }

    /// Has the runtime process run a cell's library; `None` never comes back.
    fn load(&mut self, library: &Path, function: &str) -> Result<Ended, CellError> {
        let run = ToRuntime::Run {
            library: library.to_string_lossy().into_owned(),
            function: function.to_owned(),
        };
        self.shared
            .channel
            .send(&run)
            .ok()
            .and_then(|()| self.shared.channel.wait_ended())
            .ok_or_else(|| self.died())
    }

    /// The earlier variables that a cell uses.
    fn loaded(&self, source: &Source, forget: &[String]) -> BTreeMap<&str, Loaded> {
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

    /// Deals with errors in generated lines: leaves lines out, corrects the
    /// names of types. Tells whether there is something to try.
    fn mend(&mut self, diagnostics: &[Diagnostic], without: &mut Vec<Role>) -> bool {
        let mut mended = false;
        let mut renamed: Vec<&str> = Vec::new();
        for diagnostic in diagnostics {
            match &diagnostic.role {
                // A type stands on several lines: one correction at a time.
                Some(Role::Load(name)) if !renamed.contains(&name.as_str()) => {
                    mended |= self.rename_type(name, diagnostic);
                    renamed.push(name);
                }
                Some(role @ (Role::Keep(_) | Role::KeepNew(_) | Role::Store(_)))
                    // Moved, or moved on some path, or never set.
                    if matches!(diagnostic.code.as_deref(), Some("E0382" | "E0381" | "E0505")) && !without.contains(role) =>
                {
                    without.push(role.clone());
                    mended = true;
                }
                _ => {}
            }
        }
        mended
    }

    /// Finds another text for the type of a variable.
    fn rename_type(&mut self, name: &str, diagnostic: &Diagnostic) -> bool {
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

    /// Takes a variable's type for one of the other copy of a crate, where there
    /// are two: its name does not tell which it is.
    fn take_other_copy(&mut self, name: &str) -> bool {
        let Some(state) = self.variables.get_mut(name) else {
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
    fn learn_names(&mut self, used: &BTreeSet<String>) {
        let right = self
            .variables
            .iter_mut()
            .filter(|(name, _)| used.contains(*name))
            .filter_map(|(_, state)| state.guessed.take());
        self.names.extend(right);
    }

    /// Takes over what the runtime says of the cell's end.
    fn finish(&mut self, ended: Ended, cell: &Cell, source: &Source) -> Result<(), CellError> {
        self.names.extend(self.shared.channel.take_public_paths());
        self.take_over(&ended, cell, source);
        match ended.failure {
            None => Ok(()),
            Some(failure) => Err(self.failure(failure)),
        }
    }

    fn take_over(&mut self, ended: &Ended, cell: &Cell, source: &Source) {
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

    fn new_state(&self, variable: &Variable, mutable: bool, annotated: Option<String>) -> State {
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
            mutable,
            source,
            candidates,
            guessed: None,
            other_copy,
        }
    }

    fn note_forgotten(&mut self, forget: &[String]) {
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

    fn note_restarted(&self, statics: &[String]) {
        for name in statics {
            let note = format!(
                "note: a type in the static `{name}` was defined anew, so it begins anew\n"
            );
            let channel = &self.shared.channel;
            channel.tell(EventKind::Stderr(note.into_bytes()));
        }
    }

    pub(super) fn view(&self) -> SessionView {
        SessionView {
            items: self.items.texts(),
            variables: self
                .variables
                .iter()
                .map(|(name, state)| ViewVariable {
                    name: name.clone(),
                    type_name: state.source.clone().unwrap_or_default(),
                    mutable: state.mutable,
                    summary: state.variable.summary.clone(),
                    nbytes: state.variable.nbytes,
                })
                .collect(),
            deps: self.dependencies.clone(),
        }
    }
}

/// The variable that was of another type than the cell was compiled for.
fn mistaken(ended: &Ended) -> Option<String> {
    ended.failure.as_ref()?.variable.clone()
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
