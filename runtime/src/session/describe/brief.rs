//! Formats values as text within a limit. What is beyond the limit is not even
//! read.
//!
//! This does not use `Debug`: the `Debug` of a text first reads all of it, and
//! that of a user's type is user code.

use super::LINE;
use crate::array::{Array, Element};
use crate::delayed::Delayed;
use crate::error::Error;
use polars::prelude::{DataType, Expr};
use std::collections::VecDeque;
use std::fmt::{self, Debug, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant, SystemTime};

/// A value that can be written until the limit is reached.
pub(super) trait Brief {
    /// Writes the value.
    ///
    /// # Errors
    /// [`fmt::Error`] if the limit is reached.
    fn write(&self, to: &mut Bounded) -> fmt::Result;
}

/// A text that rejects characters beyond its limit.
pub(super) struct Bounded {
    text: String,
    left: usize,
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

/// Formats a value on one line of at most `limit` characters.
pub(super) fn brief(value: &dyn Brief, limit: usize) -> String {
    bounded(limit, |text| value.write(text))
}

/// Does the same with the value's `Debug`, which must be quick.
pub(super) fn debugged(value: &dyn Debug, limit: usize) -> String {
    bounded(limit, |text| write!(text, "{value:?}"))
}

fn bounded(limit: usize, write: impl FnOnce(&mut Bounded) -> fmt::Result) -> String {
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
pub(super) fn listed(
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
pub(super) fn brief_line(text: &str) -> String {
    bounded(LINE, |line| line.write_str(text))
}

/// Cuts a text after its last complete line within `limit` bytes, or within its
/// first line.
pub(super) fn cut(text: &mut String, limit: usize) {
    if text.len() <= limit {
        return;
    }
    text.truncate(text.floor_char_boundary(limit));
    if let Some(end) = text.rfind('\n') {
        text.truncate(end + 1);
    }
    text.push('…');
}

macro_rules! by_debug {
    ($($type:ty)*) => {$(
        impl Brief for $type {
            fn write(&self, to: &mut Bounded) -> fmt::Result {
                write!(to, "{self:?}")
            }
        }
    )*};
}
by_debug!(
    () bool char i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64
    Duration Instant SystemTime PathBuf Error Expr DataType crate::frame::DataFrame
);

impl<T: Element> Brief for Array<T> {
    fn write(&self, to: &mut Bounded) -> fmt::Result {
        write!(to, "{self:?}")
    }
}

impl<T> Brief for Delayed<T> {
    fn write(&self, to: &mut Bounded) -> fmt::Result {
        write!(to, "{self:?}")
    }
}

/// Writes a string literal with as much of the text as fits.
fn write_text(text: &str, to: &mut Bounded) -> fmt::Result {
    let end = text.char_indices().nth(to.left);
    let seen = end.map_or(text, |(at, _)| &text[..at]);
    write!(to, "{seen:?}")
}

macro_rules! texts {
    ($($type:ty)*) => {$(
        impl Brief for $type {
            fn write(&self, to: &mut Bounded) -> fmt::Result {
                write_text(self, to)
            }
        }
    )*};
}
texts!(String &'static str Box<str> Arc<str> Rc<str>);

fn write_list(values: &mut dyn Iterator<Item = &dyn Brief>, to: &mut Bounded) -> fmt::Result {
    to.write_char('[')?;
    for (at, value) in values.enumerate() {
        if at > 0 {
            to.write_str(", ")?;
        }
        value.write(to)?;
    }
    to.write_char(']')
}

macro_rules! lists {
    ($($type:ty)*) => {$(
        impl<T: Brief> Brief for $type {
            fn write(&self, to: &mut Bounded) -> fmt::Result {
                write_list(&mut self.iter().map(|value| value as &dyn Brief), to)
            }
        }
    )*};
}
lists!(Vec<T> VecDeque<T> Box<[T]> Arc<[T]>);

impl<T: Brief, const N: usize> Brief for [T; N] {
    fn write(&self, to: &mut Bounded) -> fmt::Result {
        write_list(&mut self.iter().map(|value| value as &dyn Brief), to)
    }
}

/// `Some(…)`, `(…, …)`.
fn write_call(name: &str, values: &[&dyn Brief], to: &mut Bounded) -> fmt::Result {
    write!(to, "{name}(")?;
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            to.write_str(", ")?;
        }
        value.write(to)?;
    }
    to.write_char(')')
}

impl<T: Brief> Brief for Option<T> {
    fn write(&self, to: &mut Bounded) -> fmt::Result {
        match self {
            Some(value) => write_call("Some", &[value], to),
            None => to.write_str("None"),
        }
    }
}

impl<T: Brief, E: Brief> Brief for Result<T, E> {
    fn write(&self, to: &mut Bounded) -> fmt::Result {
        match self {
            Ok(value) => write_call("Ok", &[value], to),
            Err(error) => write_call("Err", &[error], to),
        }
    }
}

impl<A: Brief, B: Brief> Brief for (A, B) {
    fn write(&self, to: &mut Bounded) -> fmt::Result {
        write_call("", &[&self.0, &self.1], to)
    }
}

impl<A: Brief, B: Brief, C: Brief> Brief for (A, B, C) {
    fn write(&self, to: &mut Bounded) -> fmt::Result {
        write_call("", &[&self.0, &self.1, &self.2], to)
    }
}

impl<T: Brief> Brief for Range<T> {
    fn write(&self, to: &mut Bounded) -> fmt::Result {
        self.start.write(to)?;
        to.write_str("..")?;
        self.end.write(to)
    }
}

macro_rules! locks {
    ($($type:ident $lock:ident;)*) => {$(
        impl<T: Brief> Brief for $type<T> {
            /// Does not wait for the lock.
            fn write(&self, to: &mut Bounded) -> fmt::Result {
                match self.$lock() {
                    Ok(value) => write_call(stringify!($type), &[&*value], to),
                    Err(_) => to.write_str(concat!(stringify!($type), "(in use)")),
                }
            }
        }
    )*};
}
locks! {
    Mutex try_lock;
    RwLock try_read;
}

macro_rules! pointers {
    ($($type:ident)*) => {$(
        impl<T: Brief> Brief for $type<T> {
            fn write(&self, to: &mut Bounded) -> fmt::Result {
                (**self).write(to)
            }
        }
    )*};
}
pointers!(Box Arc Rc);
