//! Formats values as text within a limit. What is beyond the limit is not even
//! read.

use std::fmt::{self, Debug, Write};

/// The maximum length of a one-line summary, in characters.
pub(crate) const LINE: usize = 80;

/// A text that rejects characters beyond its limit.
pub(crate) struct Bounded {
    text: String,
    pub(crate) left: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        for c in more.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(if c == '\n' { ' ' } else { c });
        }
        Ok(())
    }
}

/// Formats a value with its `Debug`, which must be quick, in at most `limit`
/// characters.
pub(crate) fn debugged(value: &dyn Debug, limit: usize) -> String {
    bounded(limit, |text| write!(text, "{value:?}"))
}

pub(crate) fn bounded(limit: usize, write: impl FnOnce(&mut Bounded) -> fmt::Result) -> String {
    let mut text = Bounded {
        text: String::new(),
        left: limit,
    };
    if write(&mut text).is_err() {
        text.text.push('…');
    }
    text.text
}

/// Formats the first of many values in brackets: on one line, and on as many
/// lines as they need if that shows more.
pub(crate) fn listed(
    values: &mut dyn Iterator<Item = String>,
    count: usize,
    (open, close): (&str, &str),
) -> (String, String) {
    const VALUES: usize = 60;
    const WIDTH: usize = 96;
    let (mut line, mut lines) = (open.to_owned(), open.to_owned());
    // How many values the line shows, its length, and the length of the last
    // line.
    let (mut in_line, mut length, mut column) = (0, 1, 1);
    let mut shown = 0;
    for value in values.take(VALUES) {
        let last = if shown + 1 == count { "" } else { "," };
        let width = value.chars().count() + 2;
        if in_line == shown && length + width < LINE {
            line.push_str(if shown > 0 { " " } else { "" });
            line.push_str(&value);
            line.push_str(last);
            length += width;
            in_line += 1;
        }
        if shown > 0 && column + width > WIDTH {
            lines.push_str("\n ");
            column = 1;
        } else if shown > 0 {
            lines.push(' ');
        }
        lines.push_str(&value);
        lines.push_str(last);
        column += width;
        shown += 1;
    }
    line.push_str(if in_line < count { " …" } else { "" });
    lines.push_str(if shown < count { " …" } else { "" });
    line.push_str(close);
    lines.push_str(close);
    if line == lines {
        lines.clear();
    }
    (line, lines)
}

/// Returns the beginning of a text on one line, unquoted.
pub(crate) fn brief_line(text: &str) -> String {
    bounded(LINE, |line| line.write_str(text))
}
