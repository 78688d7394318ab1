//! The evaluator: a thread that compiles cells and has them run.
//!
//! evcxr compiles a cell and has the runtime process load it. The cell that
//! evcxr sees is not the user's text but what [`generate`](super::generate)
//! makes of it: items as they are, statements in one block that takes
//! variables from the runtime's own store. So evcxr finds no variable to ask
//! rust-analyzer about, and needs none of its own code for storing them.

use super::dependencies;
use super::diagnostics::{Diagnostic, cell_error};
use super::generate::{Frame, Generated, Loaded, Role, SHOWN};
use super::io::{Channel, Ended, bundle};
use super::items::{Change, Items};
use super::source::Source;
use super::types::{PublicNames, Unnameable, guesses, short};
use super::workplace::Workplace;
use super::{Cell, CellError, Display, Event, EventKind, Outcome};
use crate::completion::{SessionView, Variable as ViewVariable};
use crate::session::Evaluate;
use evcxr::{CommandContext, CompilationError, Error, EvalContext};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use swath_channel::{ToRuntime, Variable};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How often a cell is compiled anew after a line was left out or a type's
/// name corrected.
const ATTEMPTS: usize = 12;

/// A second interrupt ends the process if the first was this long ago.
const PATIENCE: Duration = Duration::from_secs(1);

/// What every cell has in scope.
const PRELUDE: &str = "use swath::prelude::*;\nuse swath::session::print::macros::{eprint, eprintln, print, println};\n";

/// A handle to the evaluator. Nothing here blocks.
pub(crate) struct Evaluator {
    cells: mpsc::Sender<Cell>,
    shared: Arc<Shared>,
}

struct Shared {
    channel: Channel,
    workplace: Workplace,
    view: Mutex<SessionView>,
    running: AtomicBool,
    /// When the running cell was first interrupted.
    interrupted: Mutex<Option<Instant>>,
    killed: AtomicBool,
}

impl Evaluate for Evaluator {
    fn execute(&self, cell: Cell) {
        // From here on it can be interrupted, even while it waits for the start.
        *self.shared.interrupted.lock() = None;
        self.shared.running.store(true, Ordering::Release);
        // The thread lives as long as the handle.
        let _ = self.cells.send(cell);
    }

    fn reply_input(&self, line: String) {
        let text = Some(line);
        self.shared.channel.send_now(&ToRuntime::Input { text });
    }

    /// A computation stops at its next task and keeps all variables. Code that
    /// reaches no such point is ended by a second interrupt, with the process.
    fn interrupt(&self) {
        if !self.shared.running.load(Ordering::Acquire) {
            return;
        }
        let first = *self
            .shared
            .interrupted
            .lock()
            .get_or_insert_with(Instant::now);
        self.shared.workplace.stop_compiler();
        self.shared.channel.send_now(&ToRuntime::Interrupt);
        if first.elapsed() > PATIENCE {
            self.shared.killed.store(true, Ordering::Release);
            self.kill_runtime();
        }
    }

    fn shutdown(&self) {
        self.shared.workplace.stop_compiler();
        self.kill_runtime();
        self.shared.workplace.remove();
    }

    fn view(&self) -> SessionView {
        self.shared.view.lock().clone()
    }
}

impl Evaluator {
    /// Starts an evaluator. Cells can be handed over at once; the first waits
    /// until the compiler and the runtime process are ready.
    ///
    /// # Errors
    /// A channel that cannot be opened.
    pub(crate) fn start(workplace: Workplace) -> std::io::Result<(Self, UnboundedReceiver<Event>)> {
        let (events, receiver) = unbounded_channel();
        let channel = Channel::open(&workplace.channel(), events.clone())?;
        let shared = Arc::new(Shared {
            channel,
            workplace,
            view: Mutex::default(),
            running: AtomicBool::new(false),
            interrupted: Mutex::new(None),
            killed: AtomicBool::new(false),
        });
        let told = Arc::downgrade(&shared);
        super::compiling::watch(move |line| {
            if let Some(shared) = told.upgrade() {
                shared
                    .channel
                    .tell_unless_muted(EventKind::Stderr(format!("{line}\n").into_bytes()));
            }
        })?;
        let (cells, queue) = mpsc::channel();
        let worker = shared.clone();
        std::thread::Builder::new()
            .name("evaluator".to_owned())
            .spawn(move || serve(&worker, &queue, &events))?;
        Ok((Self { cells, shared }, receiver))
    }

    fn kill_runtime(&self) {
        if let Some(pid) = self.shared.channel.pid() {
            // SAFETY: kill has no memory effects; the process is our child's
            // and is forgotten when its end of the channel closes.
            unsafe { libc::kill(pid as libc::pid_t, libc::SIGKILL) };
        }
    }
}

/// The evaluator's thread.
fn serve(shared: &Arc<Shared>, queue: &mpsc::Receiver<Cell>, events: &UnboundedSender<Event>) {
    let mut session = Session::start(shared.clone());
    while let Ok(cell) = queue.recv() {
        let outcome = match &mut session {
            Ok(session) => session.run(&cell),
            Err(error) => Err(error.clone()),
        };
        shared.running.store(false, Ordering::Release);
        let outcome = outcome.map_or_else(Outcome::Error, |()| Outcome::Ok);
        if let Ok(session) = &session {
            *shared.view.lock() = session.view();
        } else {
            // What was missing may be there now.
            session = Session::start(shared.clone());
        }
        let _ = events.send(Event {
            cell: cell.id,
            kind: EventKind::Finished(outcome),
        });
    }
}

/// What the evaluator's thread holds.
struct Session {
    shared: Arc<Shared>,
    context: CommandContext,
    items: Items,
    variables: BTreeMap<String, State>,
    /// Variables that are gone, and what became of them.
    gone: BTreeMap<String, String>,
    names: PublicNames,
    /// `:dep` arguments.
    dependencies: Vec<String>,
    /// Crates of the runtime whose names are spoken for: bound to the
    /// runtime's copy, or to another one by `:dep`.
    bound: BTreeSet<&'static str>,
}

/// What is known of a variable.
#[derive(Clone, Debug)]
struct State {
    variable: Variable,
    mutable: bool,
    /// The type's source text, where it has one.
    source: Result<String, Unnameable>,
    /// Other texts to try when the compiler does not take that one.
    candidates: Vec<String>,
}

impl Session {
    fn start(shared: Arc<Shared>) -> Result<Self, CellError> {
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

    fn import_prelude(&mut self) -> Result<(), CellError> {
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

    fn run(&mut self, cell: &Cell) -> Result<(), CellError> {
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
        let source = Source::parse(&cell.code);
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
        for _ in 0..ATTEMPTS {
            let generated = self.generate(cell, source, &change, &forget, &without);
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

    fn compile_error(&self, mut diagnostics: Vec<Diagnostic>, cell: &Cell) -> CellError {
        if diagnostics.iter().any(Diagnostic::is_about_cell) {
            diagnostics.retain(Diagnostic::is_about_cell);
        }
        for diagnostic in &mut diagnostics {
            if let Some(Role::Store(name)) = diagnostic.role.clone() {
                *diagnostic = explain_store(&name, diagnostic, &cell.code);
            }
        }
        for diagnostic in &mut diagnostics {
            if let Some(name) = diagnostic.borrowing_variable() {
                let help = format!(
                    "`{name}` would be kept for later cells, so it cannot borrow from another variable: store an owned \
                     value (`.clone()`, `.to_owned()`), or put the code into braces `{{ … }}`"
                );
                diagnostic.add_help(help);
            }
            let Some(subject) = diagnostic.subject(&cell.code).map(str::to_owned) else {
                continue;
            };
            if diagnostic.code.as_deref() != Some("E0425") {
                continue;
            }
            if let Some(reason) = self.gone.get(&subject) {
                diagnostic.add_help(reason.clone());
            } else if let Some(State {
                source: Err(why),
                variable,
                ..
            }) = self.variables.get(&subject)
            {
                diagnostic.add_help(unnameable(&subject, why, &variable.type_name));
            }
        }
        cell_error(&diagnostics, &cell.code, cell.number)
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

    /// The error of code that ran.
    fn failure(&self, failure: swath_channel::Failure, cell: &Cell) -> CellError {
        let place = failure
            .location
            .as_deref()
            .and_then(|location| self.place(location, cell));
        let mut traceback = vec![format!(
            "\u{1b}[1;31m{}\u{1b}[0m: {}",
            failure.kind, failure.message
        )];
        if let Some((line, column)) = place {
            traceback.push(format!("  --> cell {}:{line}:{column}", cell.number));
            let text = cell.code.lines().nth(line - 1).unwrap_or_default();
            traceback.push(format!("{line:4} | {text}"));
        } else if let Some(location) = failure
            .location
            .filter(|location| !location.starts_with("src/"))
        {
            traceback.push(format!("  at {location}"));
        }
        let traceback = traceback
            .iter()
            .flat_map(|entry| entry.lines().map(str::to_owned))
            .collect();
        CellError {
            ename: failure.kind,
            evalue: failure.message,
            traceback,
        }
    }

    /// The line and column in the cell of a place in the code that was compiled.
    fn place(&self, location: &str, cell: &Cell) -> Option<(usize, usize)> {
        let mut parts = location.strip_prefix("src/lib.rs:")?.split(':');
        let line: usize = parts.next()?.parse().ok()?;
        let column: usize = parts.next()?.parse().ok()?;
        let compiled = self.context.last_source().ok()?;
        let mut lines = compiled.lines().skip(line - 1);
        let (mut text, mut column) = (lines.next()?, column);
        if text.ends_with(SHOWN) {
            // The parenthesis around the last expression.
            (text, column) = (lines.next()?, 1);
        }
        let place = cell
            .code
            .lines()
            .position(|candidate| candidate.trim_end() == text.trim_end());
        if let Some(number) = place {
            return Some((number + 1, column));
        }
        // An item's first line has generated text in front of it.
        let mut candidates = cell.code.lines().enumerate();
        let (number, found) = candidates.find(|(_, candidate)| {
            !candidate.trim().is_empty() && text.ends_with(candidate.trim_end())
        })?;
        let before = text.chars().count() - found.trim_end().chars().count();
        Some((number + 1, column.saturating_sub(before).max(1)))
    }

    /// Errors of evcxr that are not the compiler's.
    fn other_error(&mut self, error: &Error) -> CellError {
        if let Error::SubprocessTerminated(message) = error {
            return self.died(message);
        }
        let message = error.to_string();
        CellError {
            ename: "Error".to_owned(),
            evalue: first_line(&message),
            traceback: message.lines().map(str::to_owned).collect(),
        }
    }

    /// The runtime process has ended: says why, and what is lost.
    fn died(&mut self, message: &str) -> CellError {
        let stderr = self.shared.channel.stderr_tail();
        let lost: Vec<String> = std::mem::take(&mut self.variables).into_keys().collect();
        for name in &lost {
            self.gone.insert(
                name.clone(),
                format!("`{name}` was lost when the runtime process ended: set it again"),
            );
        }
        let killed = self.shared.killed.swap(false, Ordering::AcqRel);
        let (ename, what) = if killed {
            ("Interrupted", "interrupted: the cell reached no point where it could stop, so its process was ended".to_owned())
        } else if stderr.contains("has overflowed its stack") {
            (
                "StackOverflow",
                "stack overflow: the cell used up its stack, which ended its process".to_owned(),
            )
        } else {
            (
                "RuntimeDied",
                format!("the cell ended its process ({})", how_it_ended(message)),
            )
        };
        let lost = match &lost[..] {
            [] => "No variable was lost".to_owned(),
            names => format!("Lost variables: {}", names.join(", ")),
        };
        let kept = "functions, types, `use` and `:dep` are still there";
        CellError {
            ename: ename.to_owned(),
            evalue: what.clone(),
            traceback: vec![
                format!("\u{1b}[1;31m{ename}\u{1b}[0m: {what}."),
                format!("{lost}; {kept}."),
            ],
        }
    }

    fn was_interrupted_while_compiling(&self, result: &Result<evcxr::EvalOutputs, Error>) -> bool {
        self.shared.interrupted.lock().is_some()
            && matches!(result, Err(Error::Message(_) | Error::CompilationErrors(_)))
    }

    /// Runs the commands in front of a cell.
    fn commands(&mut self, cell: &Cell, source: &Source) -> Result<(), CellError> {
        let lines: Vec<&str> = source
            .commands
            .iter()
            .map(|range| cell.code[range.clone()].trim())
            .collect();
        let is_all = source.statements.is_empty() && !source.has_syntax_errors;
        let mut for_evcxr: Vec<&str> = Vec::new();
        for line in lines {
            let (command, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            if !matches!(command, ":dep") {
                self.evcxr_commands(&mut for_evcxr, cell, is_all)?;
            }
            match command {
                ":vars" => {
                    let (text, html) = self.variables_table();
                    self.show(
                        [
                            ("text/plain".to_owned(), text),
                            ("text/html".to_owned(), html),
                        ],
                        is_all,
                    );
                }
                ":t" | ":type" if self.variables.contains_key(argument.trim()) => {
                    let state = &self.variables[argument.trim()];
                    let text = format!("{}: {}", argument.trim(), short(&state.variable.type_name));
                    self.show([("text/plain".to_owned(), text)], is_all);
                }
                ":dep" => match dependencies::bound(argument) {
                    Some(bound) => {
                        self.bind(bound.name)?;
                        let note = format!(
                            "{} {}: the runtime's own, bound at once\n",
                            bound.name, bound.version
                        );
                        self.shared
                            .channel
                            .tell(EventKind::Stdout(note.into_bytes()));
                    }
                    None => {
                        let name = argument.split('=').next().unwrap_or_default().trim();
                        self.bound
                            .extend(dependencies::HELD.iter().find(|held| **held == name));
                        self.dependencies.push(argument.to_owned());
                        for_evcxr.push(line);
                    }
                },
                ":clear" | ":restart" => {
                    self.context
                        .execute(line)
                        .map_err(|error| self.other_error(&error))?;
                    self.items = Items::default();
                    self.bound.clear();
                    self.dependencies.clear();
                    self.variables.clear();
                    self.gone.clear();
                    self.import_prelude()?;
                    self.shared
                        .channel
                        .begin(cell.id, cell.allow_stdin)
                        .map_err(|error| self.other_error(&error.to_string().into()))?;
                }
                _ => {
                    for_evcxr.push(line);
                    self.evcxr_commands(&mut for_evcxr, cell, is_all)?;
                }
            }
        }
        self.evcxr_commands(&mut for_evcxr, cell, is_all)
    }

    /// Whether a crate was added by `:dep`.
    fn has_own(&self, name: &str) -> bool {
        self.dependencies.iter().any(|argument| {
            argument
                .split('=')
                .next()
                .is_some_and(|added| added.trim() == name)
        })
    }

    /// Binds a name to the runtime's copy of a crate.
    fn bind(&mut self, name: &'static str) -> Result<(), CellError> {
        if self.bound.insert(name) {
            let import = format!("use swath::{name};");
            self.context
                .execute(&import)
                .map_err(|error| self.other_error(&error))?;
        }
        Ok(())
    }

    fn evcxr_commands(
        &mut self,
        lines: &mut Vec<&str>,
        cell: &Cell,
        is_all: bool,
    ) -> Result<(), CellError> {
        if lines.is_empty() {
            return Ok(());
        }
        let text = std::mem::take(lines).join("\n");
        let result = self.context.execute(&text);
        if self.was_interrupted_while_compiling(&result) {
            return Err(interrupted("the crate was not added"));
        }
        match result {
            Ok(outputs) => {
                self.show(outputs.content_by_mime_type, is_all);
                Ok(())
            }
            Err(Error::CompilationErrors(errors)) => {
                let message = errors
                    .iter()
                    .map(CompilationError::message)
                    .collect::<Vec<_>>()
                    .join("\n");
                let first = text.lines().next().unwrap_or_default();
                let diagnostic = Diagnostic::at_name(message, String::new(), &cell.code, first);
                Err(cell_error(&[diagnostic], &cell.code, cell.number))
            }
            Err(error) => Err(self.other_error(&error)),
        }
    }

    fn show(&self, content: impl IntoIterator<Item = (String, String)>, as_result: bool) {
        let data: Vec<_> = content.into_iter().collect();
        if data.is_empty() {
            return;
        }
        let bundle = bundle(data);
        self.shared.channel.tell(if as_result {
            EventKind::Result(bundle)
        } else {
            EventKind::Display(Display {
                bundle,
                id: None,
                update: false,
            })
        });
    }

    fn variables_table(&self) -> (String, String) {
        let rows: Vec<[String; 4]> = self
            .variables
            .iter()
            .map(|(name, state)| {
                let nbytes = state
                    .variable
                    .nbytes
                    .map(|nbytes| nbytes.to_string())
                    .unwrap_or_default();
                [
                    name.clone(),
                    short(&state.variable.type_name),
                    state.variable.summary.clone(),
                    nbytes,
                ]
            })
            .collect();
        let heads = ["Variable", "Type", "Value", "Bytes"];
        let width = |column: usize| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .chain([heads[column].len()])
                .max()
                .unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2), width(3)];
        let text_row = |row: [&str; 4]| -> String {
            let cells: Vec<String> = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            cells.join("  ").trim_end().to_owned()
        };
        let mut text = text_row(heads);
        let mut html = String::from("<table><thead><tr>");
        html.extend(
            heads
                .iter()
                .map(|head| format!("<th style=\"text-align:left\">{head}</th>")),
        );
        html += "</tr></thead><tbody>";
        for row in &rows {
            text.push('\n');
            text += &text_row([&row[0], &row[1], &row[2], &row[3]]);
            html += "<tr>";
            html.extend(
                row.iter()
                    .map(|cell| format!("<td style=\"text-align:left\">{}</td>", escape(cell))),
            );
            html += "</tr>";
        }
        html += "</tbody></table>";
        (text, html)
    }

    fn view(&self) -> SessionView {
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

fn interrupted(what: &str) -> CellError {
    let evalue = format!("interrupted: {what}, every variable is kept");
    CellError {
        ename: "Interrupted".to_owned(),
        traceback: vec![format!("\u{1b}[1;31mInterrupted\u{1b}[0m: {evalue}")],
        evalue,
    }
}

fn unnameable(name: &str, why: &Unnameable, type_name: &str) -> String {
    match why {
        Unnameable::Closure => format!(
            "`{name}` holds a closure, whose type has no name, so it is not kept for later cells. \
             Box it (`let {name}: Box<dyn Fn(…) -> …> = Box::new(…);`) or collect an iterator (`.collect::<Vec<_>>()`)"
        ),
        Unnameable::Function => format!(
            "`{name}` has a function's own type, which has no name, so it is not kept for later cells. \
             Write its type as a pointer: `let {name}: fn(…) -> … = …;`"
        ),
        Unnameable::Private => format!(
            "the type of `{name}`, {}, has no public name that could be found, so it is not kept for later cells. \
             Write the type: `let {name}: … = …;`",
            short(type_name)
        ),
    }
}

/// An error of the line that stores a new variable.
fn explain_store(name: &str, diagnostic: &Diagnostic, code: &str) -> Diagnostic {
    let (message, help) = match diagnostic.code.as_deref() {
        Some("E0597" | "E0505" | "E0521" | "E0716" | "E0310") => (
            format!(
                "the variable `{name}` borrows from another one, so it cannot be kept for later cells"
            ),
            format!(
                "store an owned value (`.clone()`, `.to_owned()`), or put the code into braces `{{ … }}` to use `{name}` in this cell only"
            ),
        ),
        Some("E0282" | "E0283") => (
            format!("the type of the variable `{name}` is not known"),
            format!("write it: `let {name}: … = …;`"),
        ),
        _ => (
            format!(
                "the variable `{name}` cannot be kept for later cells: {}",
                diagnostic.message
            ),
            String::new(),
        ),
    };
    Diagnostic::at_name(message, help, code, name)
}

/// evcxr's words for a process's end: `Subprocess terminated with status: signal: 6 (SIGABRT)`.
fn how_it_ended(message: &str) -> String {
    let status = message
        .split_once("status:")
        .map_or(message, |(_, status)| status);
    first_line(status.trim())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
