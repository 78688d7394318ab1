//! Hints for users of pandas, NumPy, Dask and Polars in Python: what to write
//! here instead.
//!
//! Such a user writes `df.groupby("a")`, and gets the compiler's error and one
//! additional line. The line is looked up in a [`table`] by the subject of the
//! error: its kind, the type, the word. This module interprets errors; it knows
//! nothing about the session. If no row matches exactly, it adds nothing: a
//! user's own type may have methods of the same names.

mod subject;
mod table;

use super::diagnostics::Diagnostic;
use std::ops::Range;
use subject::Subject;
use table::{Row, TABLE, What};

/// Adds hints to the errors that have one, each hint once.
///
/// `is_own` returns whether the session's cells have defined a name; `type_of`
/// returns the type of a session variable.
pub(super) fn add_hints(
    diagnostics: &mut [Diagnostic],
    cell: &str,
    is_own: &dyn Fn(&str) -> bool,
    type_of: &dyn Fn(&str) -> Option<String>,
) {
    let mut told: Vec<String> = Vec::new();
    for diagnostic in diagnostics {
        let Some(mut known) = diagnostic.known(cell) else {
            continue;
        };
        let owner_type = known.owner().and_then(type_of).unwrap_or_default();
        known.owner_type = &owner_type;
        if let Some(hint) = hint(&known, is_own) {
            diagnostic.drop_guesses();
            if !told.contains(&hint) {
                diagnostic.add_help(hint.clone());
                told.push(hint);
            }
        }
    }
}

/// The known facts about an error.
#[derive(Clone, Debug)]
pub(super) struct Known<'a> {
    pub(super) code: Option<&'a str>,
    pub(super) message: &'a str,
    /// The texts of the labels, then those of the notes.
    pub(super) labels: Vec<&'a str>,
    /// The file that defines the incorrectly called function, if it is not the
    /// user's.
    pub(super) callee: Option<&'a str>,
    /// The type, as the session writes it, of the session variable that is
    /// indexed or whose method is called at the error. The parser knows no
    /// types.
    pub(super) owner_type: &'a str,
    /// The place of the error in the cell.
    pub(super) range: Range<usize>,
    pub(super) cell: &'a str,
}

/// Returns the hint for an error, if there is one.
pub(super) fn hint(known: &Known<'_>, is_own: &dyn Fn(&str) -> bool) -> Option<String> {
    let is_own = |name: &str| is_own(name) || defines(known.cell, name);
    known
        .subjects()
        .iter()
        .filter(|subject| subject.what != What::Name || !is_own(subject.of))
        .find_map(|subject| {
            let row = row(subject, &is_own)?;
            Some(row.hint.replace("{word}", subject.shown))
        })
}

/// Returns the row for the subject of an error.
fn row(subject: &Subject<'_>, is_own: &dyn Fn(&str) -> bool) -> Option<&'static Row> {
    let row = subject.words.iter().find_map(|word| {
        TABLE.iter().find(|row| {
            row.what == subject.what
                && row.words.contains(&word.as_str())
                && row.of.fits(subject.of, is_own)
        })
    });
    // A name that is a method in Python is not a column.
    let is_method = subject.what == What::Field
        && TABLE.iter().any(|row| {
            row.what == What::Method
                && row.words.contains(&subject.shown)
                && row.of.fits(subject.of, is_own)
        });
    // A row without a text prevents a more general one from giving wrong
    // advice.
    let says_nothing = |row: &Row| row.hint.is_empty() || is_method && row.words == ["*"];
    row.filter(|row| !says_nothing(row))
}

/// Returns whether a cell defines an item of this name.
fn defines(cell: &str, name: &str) -> bool {
    const ITEMS: [&str; 5] = ["struct", "enum", "union", "trait", "type"];
    let mut words = cell.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let mut before = "";
    words.any(|word| {
        let is_it = word == name && ITEMS.contains(&before);
        if !word.is_empty() {
            before = word;
        }
        is_it
    })
}

#[cfg(test)]
mod tests;
