//! Runs a session's cells, one after the other: compiles each in as many
//! attempts as necessary ([`super::attempt`]), and runs it.
//!
//! Commands are in [`super::commands`], errors in [`super::failures`], the
//! state of variables in [`super::variables`].

use super::attempt::{Attempt, Compiled, Errors};
use super::channel::Ended;
use super::compiler::{Compiler, Failed, OptLevel};
use super::crates::Crates;
use super::diagnostics::{Diagnostic, cell_error};
use super::evaluator::EvaluatorShared;
use super::failures::{broken, interrupted, start_error};
use super::generated::Generated;
use super::instances;
use super::item::ItemKind;
use super::items::Items;
use super::listing;
use super::neighbours::add_hints;
use super::places::{Pieces, Text};
use super::plan::CellPlan;
use super::process::RuntimeProcess;
use super::scaffold::{Executor, Load, Scaffold};
use super::source::{ParsedCell, with_escaped_gen};
use super::syntax::names_in;
use super::toolchain::Toolchain;
use super::types::{PublicNames, short};
use super::variables::{KeptLambda, VariableState, is_held};
use super::{Cell, CellError, EventKind, Stage};
use crate::syntax::is_deeper_than;
use crate::view::{SessionView, Variable as ViewVariable};
use ra_ap_parser::LexedStr;
use ra_ap_syntax::Edition;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use swath_channel::ToRuntime;

/// How often a cell is compiled again after a line was left out or a type's
/// name corrected.
const ATTEMPTS: usize = 24;
/// How many levels a cell may be nested: the parser needs about a kilobyte of the
/// thread's stack for each.
pub(super) const DEEPEST: usize = 5_000;

/// The runtime's prelude replaces std's, which it contains. So whatever a cell
/// imports, even by a glob, takes precedence over it, as in any crate. The
/// compiler officially supports this for std only; but it is always the
/// compiler that built the runtime, so the feature cannot change.
const PRELUDE_FEATURE: &str = "#![feature(prelude_import)]\n";
pub(super) const PRELUDE: &str = "#[prelude_import] use swath::prelude::*;\n";

/// The state of the evaluator's thread.
pub(super) struct CellRunner {
    pub(super) shared: Arc<EvaluatorShared>,
    pub(super) compiler: Compiler,
    pub(super) crates: Crates,
    pub(super) process: RuntimeProcess,
    pub(super) items: Items,
    pub(super) variables: BTreeMap<String, VariableState>,
    /// Closures that are kept as their text.
    pub(super) lambdas: BTreeMap<String, KeptLambda>,
    pub(super) next_order: u64,
    /// Lost variables, and the reasons.
    pub(super) lost: BTreeMap<String, String>,
    pub(super) names: PublicNames,
    /// The folder in which the runtime process keeps persisted collections, if
    /// recovery is on.
    pub(super) recovery: Option<PathBuf>,
    /// The variables set by `:env`.
    pub(super) environment: BTreeMap<String, String>,
    /// The level set by `:opt`; if `None`, it is chosen for each cell.
    pub(super) opt_level: Option<OptLevel>,
    /// `:timing`.
    pub(super) tells_time: bool,
    /// The compiler's last errors, for `:explain`.
    pub(super) last_errors: Vec<Value>,
    /// The number of the last library.
    unit: u32,
    /// The origins of the libraries' code.
    pub(super) units: BTreeMap<u32, Pieces>,
}

impl CellRunner {
    pub(super) fn start(shared: Arc<EvaluatorShared>) -> Result<Self, CellError> {
        let environment = BTreeMap::new();
        // Start it first: it loads its libraries while we look for the
        // compiler.
        let process = RuntimeProcess::start(&shared, &environment).map_err(|error| {
            start_error(
                "cannot start the runtime process",
                &format!("{}: {error}", shared.workplace.runtime_program().display()),
            )
        })?;
        let toolchain = Toolchain::find().map_err(|missing| {
            start_error(&missing.found, &format!("To fix it: {}", missing.mend))
        })?;
        let compiler = Compiler::new(toolchain, &shared.workplace);
        let mut runner = Self {
            crates: Crates::new(
                &shared.workplace,
                compiler.program(),
                compiler.rustc_has_lld(),
                compiler.crates(),
            ),
            compiler,
            process,
            items: Items::new(),
            variables: BTreeMap::new(),
            lambdas: BTreeMap::new(),
            next_order: 0,
            lost: BTreeMap::new(),
            names: PublicNames::default(),
            recovery: None,
            environment,
            opt_level: None,
            tells_time: false,
            last_errors: Vec::new(),
            unit: 0,
            units: BTreeMap::new(),
            shared,
        };
        if super::recovery::is_on_from_start()
            && let Err(error) = runner.set_recovery(true)
        {
            // Cells still run.
            tracing::warn!("cannot turn recovery on: {error}");
        }
        Ok(runner)
    }

    pub(super) fn run(&mut self, cell: &Cell) -> Result<(), CellError> {
        let started = Instant::now();
        if is_deeper_than(DEEPEST, &LexedStr::new(Edition::Edition2024, &cell.code)) {
            return Err(broken(&format!(
                "the cell's brackets or operators are nested more than {DEEPEST} levels deep: it was not run, and every variable is kept"
            )));
        }
        let escaped = Cell {
            code: with_escaped_gen(&cell.code).into_owned(),
            ..cell.clone()
        };
        let cell = &escaped;
        let knows = |name: &str| self.knows(name);
        let mut source = ParsedCell::parse_in(&cell.code, &knows);
        let completed = Cell {
            code: format!("{};", cell.code.trim_end()),
            ..cell.clone()
        };
        // A `let` in the last line of a cell needs no semicolon.
        let again = source
            .has_syntax_errors
            .then(|| ParsedCell::parse_in(&completed.code, &knows));
        self.shared.channel.attribute(cell.id);
        self.look_after_process(&source)?;
        self.begin(cell)?;
        if self.shared.interrupted.lock().is_some() {
            return Err(interrupted("the cell was not run"));
        }
        let mut cell = cell;
        if let Some(again) = again.filter(|again| !again.has_syntax_errors) {
            (source, cell) = (again, &completed);
        }
        self.commands(cell, &source)?;
        self.stage(Stage::Compiling);
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
            channel.emit(EventKind::Stdout(took.into_bytes()));
        }
        result
    }

    /// Returns whether the session has a variable or a function of a name.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.variables.contains_key(name)
            || self.lambdas.contains_key(name)
            || self.items.is_function(name)
    }

    /// Reports the stage of the cell.
    pub(super) fn stage(&self, stage: Stage) {
        self.shared.channel.emit(EventKind::Stage(stage));
    }

    /// Begins a cell: from now on, the output of the runtime process belongs to
    /// it.
    pub(super) fn begin(&self, cell: &Cell) -> Result<(), CellError> {
        self.shared
            .channel
            .begin(cell.id, cell.allow_stdin)
            .map_err(|error| broken(&format!("the runtime process does not answer: {error}")))
    }

    /// Compiles code that our parser does not understand unchanged, to get the
    /// compiler's own message.
    fn compile_verbatim(
        &mut self,
        cell: &Cell,
        code: &Text,
        source: &ParsedCell,
    ) -> Result<(), CellError> {
        // Try without a function first: with an unmatched delimiter, the
        // function would end inside the cell.
        for is_alone in [true, false] {
            let mut generated = Generated::default();
            generated.verbatim(code, &source.commands, is_alone);
            let errors = match self.compile(&mut generated, OptLevel::None) {
                Ok(_) => continue,
                Err(Failed::Errors(errors)) => errors,
                Err(failed) => return Err(self.not_compiled(failed)),
            };
            let mut diagnostics: Vec<_> = errors
                .iter()
                .map(|error| Diagnostic::of_verbatim(error, &generated, cell.number))
                .collect();
            // Syntax errors have no code. Other errors may only be caused by
            // putting the unchanged cell into a function.
            if diagnostics.iter().any(|one| one.code.is_none()) {
                diagnostics.retain(|one| one.code.is_none());
            }
            if is_alone && !diagnostics.iter().any(Diagnostic::is_about_delimiters) {
                continue;
            }
            self.last_errors = errors;
            add_hints(&mut diagnostics, &cell.code, &|_| false, &|name| {
                self.type_of(name)
            });
            return Err(cell_error(&diagnostics, &cell.code, cell.number));
        }
        Err(broken(
            "Swath cannot parse the cell, although the compiler can",
        ))
    }

    /// Adds crates that a cell names by `extern crate`, as evcxr does.
    fn add_extern_crates(&mut self, cell: &Cell, source: &ParsedCell) -> Result<(), CellError> {
        for item in &source.items {
            let ItemKind::ExternCrate { name } = &item.kind else {
                continue;
            };
            let is_known = ["std", "core", "alloc", "proc_macro", "swath", "self"]
                .contains(&name.as_str())
                || self.crates.has(name);
            if !is_known {
                self.add_dependency(&format!("{name} = \"*\""), cell)?;
            }
        }
        Ok(())
    }

    fn run_code(&mut self, cell: &Cell, code: &Text, source: &ParsedCell) -> Result<(), CellError> {
        let mut change = self.items.change(cell.number, &code.code, source);
        let forget: Vec<String> = self
            .variables
            .iter()
            .filter(|(_, state)| {
                !names_in(&state.variable.type_name).is_disjoint(&change.redefined)
            })
            .map(|(name, _)| name.clone())
            .chain(self.replaced_by_items(source))
            .collect();
        let opt_level = self.opt_level_for(source, &change.after);
        let mut used = self.with_types(&source.names);
        for lambda in self.lambdas_used(source) {
            used.extend(self.with_types(&lambda.names));
        }
        // The generated code calls it, for a value that is shown.
        used.insert("evcxr_display".to_owned());
        let mut attempt = Attempt::new(change.after.needed(&used, code));
        for _ in 0..ATTEMPTS {
            let mut items = change.after.clone();
            let unit = self.unit + 1;
            let function = format!("swath_cell_{unit}");
            let mut generated = Generated::default();
            generated.raw(PRELUDE_FEATURE);
            items.write(&mut generated, &attempt.needed, unit);
            if opt_level.shares_instances() {
                generated.raw(&format!("extern crate {} as _;\n", instances::ALL));
                if instances::joins(&cell.code) || instances::joins(&generated.text) {
                    generated.raw(&format!("extern crate {} as _;\n", instances::JOINS));
                }
            }
            generated.raw(PRELUDE);
            let returns_unnameable = |name: &str| change.after.returns_unnameable(name);
            let cell_and_items = (source, &returns_unnameable as &dyn Fn(&str) -> bool);
            let plan = self.write_cell(
                &mut generated,
                &function,
                code,
                cell_and_items,
                &forget,
                &attempt,
            );
            let errors = match self.compile(&mut generated, opt_level) {
                Ok(_) if self.has_lost_process() => {
                    // The process ended during compilation: the cell uses the
                    // variables that exist now.
                    self.look_after_process(source)?;
                    self.begin(cell)?;
                    change.after.restart_all_statics();
                    continue;
                }
                Ok(library) => {
                    self.units.insert(unit, generated.into_pieces());
                    // Keep the items even if the cell ends the process.
                    self.items = items;
                    let ended = self.load(&library, &function)?;
                    if self.take_other_copy(&ended) {
                        continue;
                    }
                    self.learn_names(&source.names);
                    self.drop_forgotten(&forget, source);
                    self.note_restarted(&change.restarted);
                    self.names.extend(self.shared.channel.take_public_paths());
                    for binding in source.bindings() {
                        self.lost.remove(&binding.name);
                    }
                    let mut notes = Vec::new();
                    self.take_over(&ended, cell, source, &mut notes);
                    let has_failed = ended.failure.is_some();
                    let compiled = Compiled {
                        number: cell.number,
                        code: &cell.code,
                        source,
                        plan: &plan,
                    };
                    self.take_rest(cell, code, &compiled, &attempt, has_failed, &mut notes);
                    self.note_bound_by_macros(source, cell.number);
                    if !notes.is_empty() {
                        self.show(listing::notes(&notes), false);
                    }
                    return match ended.failure {
                        None => Ok(()),
                        Some(failure) => Err(self.failure(failure)),
                    };
                }
                Err(Failed::Errors(json)) => {
                    let diagnostics = json
                        .iter()
                        .map(|error| Diagnostic::new(error, &generated, cell.number))
                        .collect();
                    let errors = Errors { diagnostics, json };
                    let cell_and_plan = Compiled {
                        number: cell.number,
                        code: &cell.code,
                        source,
                        plan: &plan,
                    };
                    attempt.after(errors, &cell_and_plan, &change, self)
                }
                Err(failed) => return Err(self.not_compiled(failed)),
            };
            if let Some(errors) = errors {
                self.last_errors = errors.json;
                let error = self.compile_error(errors.diagnostics, cell);
                self.note_unset(source, cell.number);
                return Err(error);
            }
        }
        Err(broken(
            "the variables that the cell uses cannot be passed to it: set them again",
        ))
    }

    /// Writes the function that runs a cell's statements; returns its plan.
    fn write_cell(
        &self,
        generated: &mut Generated,
        function: &str,
        code: &Text,
        (source, returns_unnameable): (&ParsedCell, &dyn Fn(&str) -> bool),
        forget: &[String],
        attempt: &Attempt,
    ) -> CellPlan {
        let mut loaded = self.loaded(source, forget);
        for name in &attempt.taken {
            if let Some(loaded) = loaded.get_mut(&**name) {
                loaded.how = Load::Take;
            }
        }
        let mut lambdas = self.lambdas_used(source);
        let replaced: BTreeSet<&String> = source.value_items().collect();
        lambdas.retain(|one| {
            let name = &one.lambda.name;
            !attempt.hidden.contains(name) && !replaced.contains(name)
        });
        let earlier = loaded.iter().map(|(name, one)| (*name, one.mutable));
        let texts = lambdas.iter().map(|one| &*one.lambda.name);
        let plan = CellPlan::new(
            source,
            &earlier.collect(),
            &texts.collect(),
            returns_unnameable,
            attempt.split,
        );
        let bindings = source.bindings();
        let scaffold = Scaffold {
            function,
            lambdas: lambdas.iter().map(|one| &one.lambda).collect(),
            in_lambdas: lambdas
                .iter()
                .map(|one| {
                    let name = &*one.lambda.name;
                    let copies = attempt.copies_in_lambdas.get(name);
                    let mut patches = copies.cloned().unwrap_or_default();
                    if attempt.types_parameters {
                        patches.extend(self.parameters(&one.lambda, source));
                    }
                    (name, patches)
                })
                .collect(),
            loaded,
            forget,
            stale: bindings
                .iter()
                .map(|binding| &*binding.name)
                .filter(|name| self.variables.contains_key(*name))
                .collect(),
            plan,
            without: &attempt.without,
            borrowing: attempt.borrowing.keys().map(|name| &**name).collect(),
            dropped: &attempt.dropped,
            calls: &attempt.calls,
            plain: &attempt.plain,
            skipped: &attempt.skipped,
            insertions: &attempt.insertions,
            awaits: attempt.awaits,
            executor: match self.crates.own("tokio") {
                None => Executor::Session,
                Some(version) if version.major == 0 && version.minor < 3 => Executor::Old,
                Some(_) => Executor::Own,
            },
            shows: attempt.shows,
        };
        generated.function(code, source, &scaffold);
        scaffold.plan
    }

    /// Compiles code as the next library.
    fn compile(
        &mut self,
        generated: &mut Generated,
        opt_level: OptLevel,
    ) -> Result<PathBuf, Failed> {
        self.unit += 1;
        let (linked, head) = self.crates.linked(&generated.text);
        if !head.is_empty() {
            generated.raw(&head);
        }
        self.compiler
            .compile(self.unit, &generated.text, opt_level, &linked)
    }

    /// Chooses the optimisation of a cell: code that may run many times is
    /// worth optimising, a call of code that is compiled already is not.
    fn opt_level_for(&self, source: &ParsedCell, items: &Items) -> OptLevel {
        let by_cell = || {
            let names = self.with_types(&source.statement_names);
            let calls_closure = !self.lambdas_used(source).is_empty();
            if source.repeats || calls_closure || items.repeat(&names) {
                OptLevel::Repeated
            } else {
                OptLevel::None
            }
        };
        self.opt_level.unwrap_or_else(by_cell)
    }

    /// Runs a cell's library in the runtime process.
    ///
    /// # Errors
    /// The process ended.
    fn load(&mut self, library: &Path, function: &str) -> Result<Ended, CellError> {
        self.stage(Stage::Running);
        let run = ToRuntime::Run {
            library: library.to_string_lossy().into_owned(),
            function: function.to_owned(),
        };
        self.shared
            .channel
            .send(&run)
            .ok()
            .and_then(|()| {
                let process = &self.process;
                self.shared.channel.wait_ended(|| process.is_running())
            })
            .inspect(|_| {
                // It is mapped into memory; ten thousand such files would fill
                // the disk.
                if let Err(error) = fs::remove_file(library) {
                    tracing::warn!("cannot remove {}: {error}", library.display());
                }
            })
            .ok_or_else(|| self.died())
    }

    fn note_restarted(&self, statics: &[String]) {
        for name in statics {
            let note = format!(
                "note: a type in the static `{name}` was redefined, so the static is initialised again\n"
            );
            let channel = &self.shared.channel;
            channel.emit(EventKind::Stderr(note.into_bytes()));
        }
    }

    pub(super) fn view(&self) -> SessionView {
        SessionView {
            items: std::iter::once(PRELUDE.to_owned())
                .chain(self.items.texts())
                .collect(),
            variables: self
                .variables
                .iter()
                .filter(|(name, _)| !is_held(name))
                .map(|(name, state)| ViewVariable {
                    name: name.clone(),
                    type_name: state.source.clone().unwrap_or_default(),
                    mutable: state.mutable,
                    short_type: short(&state.variable.type_name),
                    description: state.description.clone(),
                })
                .collect(),
            deps: self.crates.requests(),
            folder: None,
        }
    }
}
