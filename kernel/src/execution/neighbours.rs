//! The words of pandas, NumPy, Dask and Polars in Python, and what to write here.
//!
//! Who comes from there writes `df.groupby("a")`, and gets the compiler's error
//! and one line more. Which line is a [`table`] by what the error is about: the
//! kind of error, the type, the word. This module reads errors; it knows nothing
//! of the session. Where no row fits exactly it says nothing: a type of the
//! user's own has words of its own.

mod subject;
mod table;

use super::diagnostics::Diagnostic;
use std::ops::Range;
use subject::Subject;
use table::{Row, TABLE, What};

/// Adds a line to the errors for which there is one, each line once.
///
/// `is_own` tells the names that the session's cells have defined, `type_of` the
/// types of its variables.
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

/// What is known of an error.
#[derive(Clone, Debug)]
pub(super) struct Known<'a> {
    pub(super) code: Option<&'a str>,
    pub(super) message: &'a str,
    /// What the labels say, then what the notes say.
    pub(super) labels: Vec<&'a str>,
    /// The file that defines what is called wrongly, if it is not the user's.
    pub(super) callee: Option<&'a str>,
    /// The type of the session's variable that is indexed where it is, or whose
    /// method is called, as the session writes it: the parser knows none.
    pub(super) owner_type: &'a str,
    /// Where it is in the cell.
    pub(super) range: Range<usize>,
    pub(super) cell: &'a str,
}

/// The line for an error, if there is one.
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

/// The row for what an error is about.
fn row(subject: &Subject<'_>, is_own: &dyn Fn(&str) -> bool) -> Option<&'static Row> {
    let row = subject.words.iter().find_map(|word| {
        TABLE.iter().find(|row| {
            row.what == subject.what
                && row.words.contains(&word.as_str())
                && row.of.fits(subject.of, is_own)
        })
    });
    // The name of a neighbour's method is not that of a column.
    let is_method = subject.what == What::Field
        && TABLE.iter().any(|row| {
            row.what == What::Method
                && row.words.contains(&subject.shown)
                && row.of.fits(subject.of, is_own)
        });
    // A row without a text keeps a general one from saying something wrong.
    let says_nothing = |row: &Row| row.hint.is_empty() || is_method && row.words == ["*"];
    row.filter(|row| !says_nothing(row))
}

/// Whether a cell defines an item of this name.
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
