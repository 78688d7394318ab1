//! A session's cells, one after the other: compiled, mended where a generated
//! line does not compile, run, and what became of the variables noted.
//!
//! Commands are in [`super::commands`], errors in [`super::failures`].

use super::dependencies;
use super::diagnostics::{Diagnostic, cell_error};
use super::evaluator::Shared;
use super::failures::{interrupted, unnameable};
use super::generate::{Frame, Generated, Loaded, Role};
use super::io::Ended;
use super::items::{Change, Items};
use super::source::Source;
use super::types::{PublicNames, Unnameable, guesses};
use super::{Cell, CellError, EventKind};
use crate::completion::{SessionView, Variable as ViewVariable};
use evcxr::{CommandContext, Error, EvalContext};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use swath_channel::Variable;

/// How often a cell is compiled anew after a line was left out or a type's
/// name corrected.
const ATTEMPTS: usize = 12;

/// What every cell has in scope.
const PRELUDE: &str = "use swath::prelude::*;\nuse swath::session::print::macros::{eprint, eprintln, print, println};\n";

/// What the evaluator's thread holds.
pub(super) struct Session {
    pub(super) shared: Arc<Shared>,
    pub(super) context: CommandContext,
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
}

/// What is known of a variable.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) variable: Variable,
    pub(super) mutable: bool,
    /// The type's source text, where it has one.
    pub(super) source: Result<String, Unnameable>,
    /// Other texts to try when the compiler does not take that one.
    pub(super) candidates: Vec<String>,
}

impl Session {
    pub(super) fn start(shared: Arc<Shared>) -> Result<Self, CellError> {
        let context = start_context(&shared).map_err(|message| CellError {
            ename: "StartError".to_owned(),
            evalue: "the compiler or the runtime process cannot be started".to_owned(),
            traceback: message
                .lines()
                .map(str::to_owned)
                .chain([String::from("`swath doctor` tells what is missing.")])
                .collect(),
        })?;
        let mut names = PublicNames::default();
        names.extend(shared.channel.public_paths());
        let mut session = Self {
            shared,
            context,
            items: Items::default(),
            variables: BTreeMap::new(),
            gone: BTreeMap::new(),
            names,
            dependencies: Vec::new(),
            bound: BTreeSet::new(),
        };
        session.import_prelude()?;
        Ok(session)
    }

    pub(super) fn import_prelude(&mut self) -> Result<(), CellError> {
        self.context
            .execute(PRELUDE)
            .map(drop)
            .map_err(|error| CellError {
                ename: "StartError".to_owned(),
                evalue: "the runtime's library does not fit the compiler".to_owned(),
                traceback: vec![
                    error.to_string(),
                    "`swath doctor` tells what is missing.".to_owned(),
                ],
            })
    }

    pub(super) fn run(&mut self, cell: &Cell) -> Result<(), CellError> {
        self.shared
            .channel
            .begin(cell.id, cell.allow_stdin)
            .map_err(|error| CellError {
                ename: "RuntimeDied".to_owned(),
                evalue: format!("the runtime process does not answer: {error}"),
                traceback: vec![format!("the runtime process does not answer: {error}")],
            })?;
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
        if source.has_syntax_errors {
            return self.run_verbatim(cell, &source);
        }
        if source.items.is_empty() && source.statements.is_empty() && source.attributes.is_empty() {
            return Ok(());
        }
        self.run_code(cell, &source)
    }

    /// Compiles code that the parser does not understand as it is, for the
    /// compiler's own message.
    fn run_verbatim(&mut self, cell: &Cell, source: &Source) -> Result<(), CellError> {
        let mut code = cell.code.clone();
        for range in &source.commands {
            code.replace_range(range.clone(), &" ".repeat(range.len()));
        }
        match self.context.execute(&code) {
            Ok(outputs) => {
                self.show(outputs.content_by_mime_type, true);
                Ok(())
            }
            Err(Error::CompilationErrors(errors)) => {
                let diagnostics: Vec<_> = errors
                    .iter()
                    .map(|error| Diagnostic::verbatim(error, &cell.code))
                    .collect();
                Err(cell_error(&diagnostics, &cell.code, cell.number))
            }
            Err(error) => Err(self.other_error(&error)),
        }
    }

    fn run_code(&mut self, cell: &Cell, source: &Source) -> Result<(), CellError> {
        let mut change = self.items.change(&cell.code, source);
        let binds: Vec<&'static str> = dependencies::HELD
            .iter()
            .copied()
            .filter(|name| {
                source.names.contains(*name)
                    && !self.bound.contains(name)
                    && !self.variables.contains_key(*name)
            })
            .collect();
        change
            .prefix
            .extend(binds.iter().map(|name| format!("use swath::{name};\n")));
        let forget: Vec<String> = self
            .variables
            .iter()
            .filter(|(_, state)| {
                !super::source::names_in(&state.variable.type_name).is_disjoint(&change.redefined)
            })
            .map(|(name, _)| name.clone())
            .collect();
        let mut without: Vec<Role> = Vec::new();
        let mut own_display = false;
        for _ in 0..ATTEMPTS {
            let generated = self.generate(cell, source, &change, &forget, &without, own_display);
            let result = self.context.execute(&generated.text);
            if self.was_interrupted_while_compiling(&result) {
                return Err(interrupted("the cell was not run"));
            }
            let errors = match result {
                Ok(outputs) => {
                    self.show(outputs.content_by_mime_type, true);
                    self.items = change.after;
                    self.bound.extend(binds);
                    self.note_forgotten(&forget);
                    return self.finish(cell, source);
                }
                Err(Error::CompilationErrors(errors)) => errors,
                Err(error) => {
                    if matches!(error, Error::SubprocessTerminated(_)) {
                        self.items = change.after;
                    }
                    return Err(self.other_error(&error));
                }
            };
            let diagnostics: Vec<_> = errors
                .iter()
                .map(|error| Diagnostic::new(error, &generated, &cell.code))
                .collect();
            // Two traits in scope have an `evcxr_display`: ours, and one that the
            // cell uses on purpose.
            let ambiguous =
                |one: &Diagnostic| one.code.as_deref() == Some("E0034") && !one.is_about_cell();
            if !own_display && diagnostics.iter().any(ambiguous) {
                own_display = true;
                continue;
            }
            if diagnostics.iter().any(Diagnostic::is_about_cell)
                || !self.mend(&diagnostics, &mut without)
            {
                return Err(self.compile_error(diagnostics, cell));
            }
        }
        Err(CellError {
            ename: "CompileError".to_owned(),
            evalue: "the variables that the cell uses cannot be passed to it".to_owned(),
            traceback: vec![
                "the variables that the cell uses cannot be passed to it: set them anew".to_owned(),
            ],
        })
    }

    fn generate(
        &self,
        cell: &Cell,
        source: &Source,
        change: &Change,
        forget: &[String],
        without: &[Role],
        own_display: bool,
    ) -> Generated {
        let loaded = self
            .variables
            .iter()
            .filter(|(name, _)| source.names.contains(*name) && !forget.contains(name))
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
            .collect();
        let frame = Frame {
            loaded,
            forget,
            without,
            own_tokio: self.has_own("tokio"),
            own_display,
            items: &change.prefix,
            item_heads: &change.heads,
        };
        Generated::new(&cell.code, source, &frame)
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
                Some(role @ (Role::Keep(_) | Role::Store(_)))
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
            Ok(state.candidates.remove(0))
        };
        true
    }

    /// Takes over what the runtime says of the cell's end.
    fn finish(&mut self, cell: &Cell, source: &Source) -> Result<(), CellError> {
        if source.statements.is_empty() {
            return Ok(());
        }
        let Some(ended) = self.shared.channel.wait_ended(Duration::from_secs(10)) else {
            return Err(CellError {
                ename: "RuntimeDied".to_owned(),
                evalue: "the runtime process did not tell how the cell ended".to_owned(),
                traceback: vec!["the runtime process did not tell how the cell ended".to_owned()],
            });
        };
        self.take_over(&ended, cell, source);
        match ended.failure {
            None => Ok(()),
            Some(failure) => Err(self.failure(failure, cell)),
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
        let mut candidates: Vec<String> = annotated.into_iter().collect();
        let (source, rest) = match source {
            // What the user wrote names it, even where nothing else does.
            Err(why) if candidates.is_empty() => (Err(why), Vec::new()),
            Err(_) => (Ok(candidates.remove(0)), Vec::new()),
            Ok(source) => {
                let root: String = variable
                    .type_name
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || "_:".contains(*c))
                    .collect();
                let guessed = guesses(&root)
                    .into_iter()
                    .map(|guess| replace_path(&source, &root, &guess))
                    .collect();
                (Ok(source), guessed)
            }
        };
        candidates.extend(rest);
        State {
            variable: variable.clone(),
            mutable,
            source,
            candidates,
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

/// Starts evcxr, its runtime process and the compiler's first crate.
fn start_context(shared: &Shared) -> Result<CommandContext, String> {
    let mut command = Command::new(shared.workplace.runtime_program());
    command.env(
        swath_channel::DIRECTORY_VARIABLE,
        shared.workplace.channel(),
    );
    let (mut context, outputs) =
        EvalContext::with_subprocess_command(command).map_err(|error| error.to_string())?;
    // Nothing of a cell comes this way; what does is said while starting.
    std::thread::spawn(move || {
        for line in outputs.stderr {
            tracing::warn!("runtime process: {line}");
        }
    });
    let mut state = context.state();
    for (key, value) in shared.workplace.build_variables() {
        state.set_build_env(&key, &value);
    }
    // A cell is mostly calls into what is compiled already.
    state
        .set_opt_level("0")
        .map_err(|error| error.to_string())?;
    // Panics are caught by the cell's own code.
    state.set_preserve_vars_on_panic(false);
    context
        .eval_with_state("", state)
        .map_err(|error| error.to_string())?;
    Ok(CommandContext::with_eval_context(context))
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
