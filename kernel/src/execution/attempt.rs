//! Attempts to compile a cell: what is left out, or added, after the compiler
//! has said what it thinks of the one before.

use super::diagnostics::Diagnostic;
use super::generate::Role;
use super::items::{Change, Needed};
use super::run::Session;
use serde_json::Value;

/// The compiler's errors: told in terms of the cell, and as they came.
#[derive(Debug)]
pub(super) struct Errors {
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) json: Vec<Value>,
}

/// How the next attempt is made.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) needed: Needed,
    /// Generated lines that are left out.
    pub(super) without: Vec<Role>,
    /// The last expression's type shows itself by a trait's `evcxr_display`.
    pub(super) own_display: bool,
    /// What was wrong before the cell got all items.
    with_less: Option<Errors>,
    /// What is wrong because variables are kept, while it is found out what is
    /// wrong beside that.
    borrowing: Option<Errors>,
}

impl Attempt {
    /// The first attempt.
    pub(super) fn new(needed: Needed) -> Self {
        Self {
            needed,
            without: Vec::new(),
            own_display: false,
            with_less: None,
            borrowing: None,
        }
    }

    /// Errors of the cell although the compiler took the last attempt: it left
    /// out what the errors are about.
    pub(super) fn errors_left(&mut self) -> Option<Errors> {
        self.borrowing.take()
    }

    /// Changes the attempt after its errors; the errors to tell, if there is
    /// nothing left to try.
    pub(super) fn after(
        &mut self,
        errors: Errors,
        change: &Change,
        session: &mut Session,
    ) -> Option<Errors> {
        let diagnostics = &errors.diagnostics;
        // Two traits in scope have an `evcxr_display`: ours, and one that the
        // cell uses on purpose.
        let is_ambiguous =
            |one: &Diagnostic| one.code.as_deref() == Some("E0034") && !one.is_about_cell();
        if !self.own_display && diagnostics.iter().any(is_ambiguous) {
            self.own_display = true;
            return None;
        }
        if !diagnostics.iter().any(Diagnostic::is_about_cell) && self.mend(diagnostics, session) {
            return None;
        }
        // A variable that borrows makes errors of what would be right
        // otherwise, and hides what would be wrong all the same.
        let borrowing: Vec<Role> = diagnostics
            .iter()
            .filter_map(Diagnostic::borrowing_variable)
            .map(|name| Role::Store(name.to_owned()))
            .collect();
        if self.borrowing.is_none() && !borrowing.is_empty() && diagnostics.len() > borrowing.len()
        {
            self.without.extend(borrowing);
            self.borrowing = Some(errors);
            return None;
        }
        // Perhaps something is used by a name that a macro makes.
        let misses_something = diagnostics.iter().any(Diagnostic::misses_something);
        if self.with_less.is_none() && misses_something && change.after.is_part(&self.needed) {
            self.with_less = Some(errors);
            self.needed = Needed::All;
            return None;
        }
        Some(self.with_less.take().unwrap_or(errors))
    }

    /// Deals with errors in generated lines: leaves lines out, corrects the
    /// names of types. Tells whether there is something to try.
    fn mend(&mut self, diagnostics: &[Diagnostic], session: &mut Session) -> bool {
        let mut mended = false;
        let mut renamed: Vec<&str> = Vec::new();
        for diagnostic in diagnostics {
            match &diagnostic.role {
                // A type stands on several lines: one correction at a time.
                Some(Role::Load(name)) if !renamed.contains(&name.as_str()) => {
                    mended |= session.rename_type(name, diagnostic);
                    renamed.push(name);
                }
                Some(role @ (Role::Keep(_) | Role::KeepNew(_) | Role::Store(_)))
                    // Moved, or moved on some path, or never set.
                    if matches!(diagnostic.code.as_deref(), Some("E0382" | "E0381" | "E0505")) && !self.without.contains(role) =>
                {
                    self.without.push(role.clone());
                    mended = true;
                }
                _ => {}
            }
        }
        mended
    }
}
