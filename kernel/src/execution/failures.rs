//! The errors of failed cells: the compiler's, and those of the running code.
//! [`super::recovery`] reports the end of the process.

use super::compiler::{Compiler, Failed};
use super::diagnostics::{Diagnostic, cell_error};
use super::generated::Role;
use super::neighbours::add_hints;
use super::places::{Origin, byte_offset, line_and_column};
use super::run::CellRunner;
use super::source::ParsedCell;
use super::types::{Unnameable, short};
use super::variables::VariableState;
use super::{Cell, CellError};
use crate::bundled::BUNDLED_CRATES;

impl CellRunner {
    pub(super) fn compile_error(&self, mut diagnostics: Vec<Diagnostic>, cell: &Cell) -> CellError {
        if diagnostics.iter().any(Diagnostic::is_about_cell) {
            diagnostics.retain(Diagnostic::is_about_cell);
        }
        for diagnostic in &mut diagnostics {
            if let Some(Role::Store(name)) = diagnostic.role.clone() {
                *diagnostic = explain_store(&name, diagnostic, &cell.code);
            }
        }
        for diagnostic in &mut diagnostics {
            if let Some(name) = diagnostic.take_two_versions() {
                diagnostic.add_help(self.two_versions(&name));
            }
            let Some(subject) = diagnostic.subject(&cell.code).map(str::to_owned) else {
                continue;
            };
            if diagnostic.code.as_deref() != Some("E0425") {
                // The prelude may have another item of that name.
                if let Some(reason) = self.gone_before(diagnostic, &cell.code) {
                    diagnostic.add_help(reason);
                }
                continue;
            }
            if let Some(reason) = self.lost.get(&subject) {
                diagnostic.add_help(reason.clone());
            } else if let Some(VariableState {
                source: Err(why),
                variable,
                ..
            }) = self.variables.get(&subject)
            {
                diagnostic.add_help(unnameable(&subject, why, &variable.type_name));
            }
        }
        let is_own = |name: &str| self.lost.contains_key(name) || self.items.defines(name);
        let type_of = |name: &str| self.type_of(name);
        add_hints(&mut diagnostics, &cell.code, &is_own, &type_of);
        cell_error(&diagnostics, &cell.code, cell.number)
    }

    /// Records the variables that a cell would have set if it had compiled.
    pub(super) fn note_unset(&mut self, source: &ParsedCell, cell: u32) {
        for binding in source.bindings() {
            let name = &binding.name;
            if !self.variables.contains_key(name) && !self.lambdas.contains_key(name) {
                let reason = format!(
                    "`{name}` is not set: cell {cell}, which sets it, did not compile. Correct that cell and run it again"
                );
                self.lost.entry(name.clone()).or_insert(reason);
            }
        }
    }

    /// Records the names that macros of a cell may have bound.
    pub(super) fn note_bound_by_macros(&mut self, source: &ParsedCell, cell: u32) {
        let macros = source.statements.iter().filter(|one| one.flow.may_bind);
        for name in macros.flat_map(|one| &one.names) {
            if !self.knows(name) && !self.items.defines(name) {
                let reason = format!(
                    "variables that a macro binds are not kept for later cells: if the macro in cell {cell} bound \
                     `{name}`, write `let {name} = …;` in place of it"
                );
                self.lost.entry(name.clone()).or_insert(reason);
            }
        }
    }

    /// Returns the type of a variable, as cells write it.
    pub(super) fn type_of(&self, name: &str) -> Option<String> {
        self.variables.get(name)?.source.clone().ok()
    }

    /// Returns why a variable was lost, if its name now resolves to something else,
    /// or to a function that lacks the requested field or method.
    fn gone_before(&self, diagnostic: &Diagnostic, code: &str) -> Option<String> {
        if diagnostic.code.as_deref() == Some("E0423") {
            return self.lost.get(diagnostic.subject(code)?).cloned();
        }
        // A field or method of anything but a function may belong to a closure's
        // own variable.
        if !diagnostic.is_about_function() {
            return None;
        }
        let before = code.get(..diagnostic.starts_at()?)?.strip_suffix('.')?;
        let start = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_'));
        self.lost
            .get(&before[start.map_or(0, |at| at + 1)..])
            .cloned()
    }

    /// Returns the advice for when a crate of the user's meets the runtime's copy
    /// of it.
    fn two_versions(&self, name: &str) -> String {
        let own = match self.crates.request(name) {
            Some(request) => format!("the one of `:dep {request}`"),
            None => "a dependency of a `:dep`".to_owned(),
        };
        let runtimes = self.crates.runtimes(name).unwrap_or_default();
        let mend = if BUNDLED_CRATES.contains(&name) {
            format!(
                "write `swath::{name}` for values that you pass to Swath's functions, or remove the `:dep`: \
                 `{name}` is then the runtime's"
            )
        } else {
            format!(
                "`:dep {name} = \"{runtimes}\"` is the nearest version, but still a separate copy: convert the value"
            )
        };
        format!(
            "two crates `{name}` meet here, {own} and the runtime's own {runtimes}, and their types are \
             different: {mend}"
        )
    }

    /// Returns the error of code that failed while running.
    pub(super) fn failure(&self, mut failure: swath_channel::Failure) -> CellError {
        if let Some((start, end)) = place_in(&failure.message) {
            let place = failure.message[start..end].to_owned();
            let shown = match self.origin(&place) {
                Some(origin) => {
                    // The line is shown below, as it is for a panic outside of tasks.
                    failure.location.get_or_insert(place);
                    let (line, column) = line_and_column(&origin.code, origin.offset);
                    format!("cell {}:{line}:{column}", origin.cell)
                }
                None => short_place(&place),
            };
            failure.message.replace_range(start..end, &shown);
        }
        let origin = failure
            .location
            .as_deref()
            .and_then(|location| self.origin(location));
        let mut traceback = vec![format!(
            "\u{1b}[1m{}\u{1b}[0m: {}",
            failure.kind, failure.message
        )];
        if let Some(origin) = origin {
            let (line, column) = line_and_column(&origin.code, origin.offset);
            traceback.push(format!("  --> cell {}:{line}:{column}", origin.cell));
            let text = origin.code.lines().nth(line - 1).unwrap_or_default();
            traceback.push(format!("{line:4} | {text}"));
        } else if let Some(location) = failure
            .location
            .filter(|location| !location.starts_with("cell_"))
        {
            traceback.push(format!("  at {}", short_place(&location)));
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

    /// Returns the origin of a place in compiled code: `cell_7.rs:12:5`.
    fn origin(&self, location: &str) -> Option<Origin> {
        let mut parts = location.rsplitn(3, ':');
        let column: usize = parts.next()?.parse().ok()?;
        let line: usize = parts.next()?.parse().ok()?;
        let unit = Compiler::unit_of(parts.next()?)?;
        let pieces = self.units.get(&unit)?;
        let text = self.compiler.source(unit)?;
        let offset = byte_offset(&text, line, column);
        pieces.origin(offset).or_else(|| {
            // The parenthesis around the last expression.
            let next = pieces.next(offset)?;
            let between = text.get(offset..next)?;
            between
                .trim()
                .trim_start_matches('(')
                .is_empty()
                .then(|| pieces.origin(next))?
        })
    }

    /// Returns the error for when the compiler itself failed.
    pub(super) fn not_compiled(&self, failed: Failed) -> CellError {
        match failed {
            Failed::Stopped if self.shared.interrupted.lock().is_some() => {
                interrupted("the cell was not run")
            }
            Failed::Stopped => broken(
                "the compiler was killed, perhaps because memory ran out: the cell was not run",
            ),
            Failed::Broken(message) => broken(&message),
            Failed::Errors(errors) => broken(
                errors
                    .first()
                    .and_then(|error| error["rendered"].as_str())
                    .unwrap_or("the compiler failed without a message"),
            ),
        }
    }
}

/// Finds the place of a panic in the message of a task's error: `… (at cell_7.rs:12:5)`.
fn place_in(message: &str) -> Option<(usize, usize)> {
    const BEFORE: &str = " (at ";
    let start = message.find(BEFORE)? + BEFORE.len();
    let end = start + message[start..].find(')')?;
    let mut parts = message[start..end].rsplit(':');
    let mut is_number = || parts.next().is_some_and(|part| part.parse::<u32>().is_ok());
    (is_number() && is_number()).then_some((start, end))
}

/// Shortens a place in other people's code to the file within its crate.
fn short_place(location: &str) -> String {
    let place = |marker: &str| Some(location.split_once(marker)?.1);
    if let Some(rest) = place("/rustlib/src/rust/library/") {
        return format!("{rest}, in Rust's standard library");
    }
    let in_registry = place("/registry/src/").and_then(|rest| rest.split_once('/'));
    in_registry.map_or(location, |(_, rest)| rest).to_owned()
}

/// Returns an error of the kernel itself.
pub(super) fn broken(message: &str) -> CellError {
    CellError {
        ename: "Error".to_owned(),
        evalue: message.lines().next().unwrap_or_default().to_owned(),
        traceback: message.lines().map(str::to_owned).collect(),
    }
}

/// Returns the error of a kernel that cannot run any cell.
pub(super) fn start_error(evalue: &str, more: &str) -> CellError {
    CellError {
        ename: "StartError".to_owned(),
        evalue: evalue.to_owned(),
        traceback: [
            &format!("\u{1b}[1mStartError\u{1b}[0m: {evalue}"),
            more,
            "`swath doctor` lists everything that is missing.",
        ]
        .into_iter()
        .flat_map(str::lines)
        .map(str::to_owned)
        .collect(),
    }
}

pub(super) fn interrupted(what: &str) -> CellError {
    let evalue = format!("interrupted: {what}, every variable is kept");
    CellError {
        ename: "Interrupted".to_owned(),
        traceback: vec![format!("\u{1b}[1mInterrupted\u{1b}[0m: {evalue}")],
        evalue,
    }
}

pub(super) fn unnameable(name: &str, why: &Unnameable, type_name: &str) -> String {
    match why {
        Unnameable::Closure if type_name.contains("::iter::") => format!(
            "`{name}` is an iterator that contains a closure, whose type has no name, so it is not kept for later cells. \
             Collect it (`.collect::<Vec<_>>()`) or box it (`let {name}: Box<dyn Iterator<Item = …>> = Box::new(…);`)"
        ),
        Unnameable::Closure => format!(
            "`{name}` is or contains a closure or a future, whose type has no name, so it is not kept for later cells. \
             Box it: `let {name}: Box<dyn Fn(…) -> …> = Box::new(…);`, or for a future \
             `let {name}: std::pin::Pin<Box<dyn Future<Output = …>>> = Box::pin(…);`"
        ),
        Unnameable::Function => format!(
            "`{name}` has a function's own type, which has no name, so it is not kept for later cells. \
             Write its type as a pointer: `let {name}: fn(…) -> … = …;`"
        ),
        Unnameable::Local => format!(
            "the type of `{name}`, {}, is defined inside the cell's own code, in a block or by a macro, so `{name}` \
             is not kept for later cells. Define the type at the top level of a cell",
            short(type_name)
        ),
        Unnameable::Private => format!(
            "the type of `{name}`, {}, has no known public name, so it is not kept for later cells. \
             Write the type: `let {name}: … = …;`",
            short(type_name)
        ),
    }
}

/// Explains an error of the line that stores a new variable.
fn explain_store(name: &str, diagnostic: &Diagnostic, code: &str) -> Diagnostic {
    let (message, help) = match diagnostic.code.as_deref() {
        Some("E0597" | "E0505" | "E0521" | "E0716" | "E0310") => (
            format!(
                "the variable `{name}` borrows from another variable, so it cannot be kept for later cells"
            ),
            format!(
                "store an owned value (`.clone()`, `.to_owned()`), or put the code in braces `{{ … }}` to use `{name}` in this cell only"
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
