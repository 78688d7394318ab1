//! What is told of a variable's value: shape, bytes, the first of it.
//!
//! A table from types to what describes them: [`plain`] has Rust's own,
//! [`collections`] ours, Polars' and ndarray's. To describe a value takes
//! microseconds and never computes anything; a text has a limit while it is
//! written, so a long value costs what is shown of it. What is generic here is a
//! few lines over what is not: there are a thousand types.

mod collections;
mod plain;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt::{self, Debug, Write as _};
use std::sync::LazyLock;
use swath_channel::Description;

/// The characters of a one-line summary.
const LINE: usize = 80;
/// The bytes of a preview.
const PREVIEW: usize = 2000;
/// The columns of a frame that are told.
const COLUMNS: usize = 2000;

/// A type whose values can be described.
trait Describe: Any {
    /// What is told of a value.
    fn describe(&self) -> Description;

    /// Whether that may be something else a moment later, though nobody has
    /// touched the value: it is being computed.
    fn is_changing(&self) -> bool {
        false
    }
}

/// What the table holds of a type.
#[derive(Clone, Copy)]
struct Known {
    describe: fn(&dyn Any) -> Description,
    is_changing: fn(&dyn Any) -> bool,
}

/// The types that are known.
#[derive(Default)]
struct Table(HashMap<TypeId, Known>);

impl Table {
    /// A type whose values stay as they are.
    fn add<T: Describe>(&mut self) {
        self.insert::<T>(|_| false);
    }

    /// A type whose values may be computed in the background.
    fn add_changing<T: Describe>(&mut self) {
        self.insert::<T>(|value| value.downcast_ref::<T>().is_some_and(T::is_changing));
    }

    fn insert<T: Describe>(&mut self, is_changing: fn(&dyn Any) -> bool) {
        let known = Known {
            describe: |value| {
                let value = value.downcast_ref::<T>();
                value.map_or_else(Description::default, T::describe)
            },
            is_changing,
        };
        self.0.insert(TypeId::of::<T>(), known);
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    plain::add_to(&mut table);
    collections::add_to(&mut table);
    table
});

/// What is told of a value, and whether it may be something else soon. Of a type
/// that is not known, that is its own size.
pub(super) fn describe(value: &dyn Any) -> (Description, bool) {
    let Some(known) = TABLE.0.get(&value.type_id()) else {
        let nbytes = Some(size_of_val(value) as u64);
        let description = Description {
            nbytes,
            ..Description::default()
        };
        return (description, false);
    };
    let mut description = (known.describe)(value);
    cut(&mut description.preview, PREVIEW);
    description.columns.truncate(COLUMNS);
    (description, (known.is_changing)(value))
}

/// Cuts a text after its last whole line of so many bytes, or within its first.
fn cut(text: &mut String, limit: usize) {
    if text.len() <= limit {
        return;
    }
    text.truncate(text.floor_char_boundary(limit));
    if let Some(end) = text.rfind('\n') {
        text.truncate(end + 1);
    }
    text.push('…');
}

/// A value as `Debug` writes it, on one line of at most so many characters. What
/// is beyond is never written.
fn brief(value: &dyn Debug, limit: usize) -> String {
    let mut text = Bounded {
        text: String::new(),
        left: limit,
    };
    if write!(text, "{value:?}").is_err() {
        text.text.push('…');
    }
    text.text
}

/// A text that refuses what is too much.
struct Bounded {
    text: String,
    left: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        for c in more.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(if c == '\n' { ' ' } else { c });
        }
        Ok(())
    }
}

/// The first values of many, in brackets: on one line, and on as many as they take.
fn listed(
    values: &mut dyn Iterator<Item = String>,
    count: usize,
    (open, close): (&str, &str),
) -> (String, String) {
    const VALUES: usize = 60;
    const WIDTH: usize = 96;
    let (mut line, mut lines) = (open.to_owned(), open.to_owned());
    let (mut in_line, mut column) = (0, 1);
    let mut shown = 0;
    for value in values.take(VALUES) {
        let last = if shown + 1 == count { "" } else { "," };
        let width = value.chars().count();
        if in_line == shown && line.chars().count() + width + 2 < LINE {
            line.push_str(if shown > 0 { " " } else { "" });
            line.push_str(&value);
            line.push_str(last);
            in_line += 1;
        }
        if shown > 0 && column + width + 2 > WIDTH {
            lines.push_str("\n ");
            column = 1;
        } else if shown > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(&value);
        lines.push_str(last);
        column += width + 1;
        shown += 1;
    }
    line.push_str(if in_line < count { " …" } else { "" });
    lines.push_str(if shown < count { " …" } else { "" });
    line.push_str(close);
    lines.push_str(close);
    // What the line tells already is told once.
    if line == lines {
        lines.clear();
    }
    (line, lines)
}

#[cfg(test)]
mod tests;
