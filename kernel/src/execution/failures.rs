//! What is told of a cell that failed: the compiler's errors, the code's own,
//! and the end of the process.

use super::diagnostics::{Diagnostic, cell_error};
use super::generate::{Role, SHOWN};
use super::run::{Session, State};
use super::types::{Unnameable, short};
use super::{Cell, CellError};
use evcxr::Error;
use std::sync::atomic::Ordering;

impl Session {
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

    /// The error of code that ran.
    pub(super) fn failure(&self, failure: swath_channel::Failure, cell: &Cell) -> CellError {
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
    pub(super) fn other_error(&mut self, error: &Error) -> CellError {
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

    pub(super) fn was_interrupted_while_compiling(
        &self,
        result: &Result<evcxr::EvalOutputs, Error>,
    ) -> bool {
        self.shared.interrupted.lock().is_some()
            && matches!(result, Err(Error::Message(_) | Error::CompilationErrors(_)))
    }
}

pub(super) fn interrupted(what: &str) -> CellError {
    let evalue = format!("interrupted: {what}, every variable is kept");
    CellError {
        ename: "Interrupted".to_owned(),
        traceback: vec![format!("\u{1b}[1;31mInterrupted\u{1b}[0m: {evalue}")],
        evalue,
    }
}

pub(super) fn unnameable(name: &str, why: &Unnameable, type_name: &str) -> String {
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
