//! Formats values as text within a limit. What is beyond the limit is not even
//! read.
//!
//! This does not use `Debug`: the `Debug` of a text first reads all of it, and
//! that of a user's type is user code.

use crate::display::brief::{Bounded, bounded};
use crate::error::Error;
use polars::prelude::{DataType, Expr};
use std::collections::VecDeque;
use std::fmt::{self, Write};
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

/// Formats a value on one line of at most `limit` characters.
pub(super) fn brief(value: &dyn Brief, limit: usize) -> String {
    bounded(limit, |text| value.write(text))
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
    Duration Instant SystemTime PathBuf Error Expr DataType
);

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

/// Writes `Some(…)` or `(…, …)`.
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
