//! One-line summaries of values.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;

/// Kind, dtype and shape of a value: `array f64 (100, 50)`, `frame 10 × 3`,
/// `Vec<f64>`.
///
/// A summary is made for every input of every task, so that a failed task can
/// report its inputs. The text is formatted only when it is displayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Array {
        dtype: Cow<'static, str>,
        shape: SmallVec<[usize; 4]>,
    },
    Frame {
        rows: usize,
        columns: usize,
    },
    Pieces {
        count: usize,
        rows: usize,
    },
    /// A Rust type's full name.
    Type(Cow<'static, str>),
}

impl Summary {
    /// Describes an array.
    #[inline]
    pub fn array(dtype: &'static str, shape: &[usize]) -> Self {
        Self(Kind::Array {
            dtype: Cow::Borrowed(dtype),
            shape: SmallVec::from_slice(shape),
        })
    }

    /// Describes a frame.
    #[inline]
    pub fn frame(rows: usize, columns: usize) -> Self {
        Self(Kind::Frame { rows, columns })
    }

    /// Describes a frame in pieces; `rows` is their total number of rows.
    #[inline]
    pub fn pieces(count: usize, rows: usize) -> Self {
        Self(Kind::Pieces { count, rows })
    }

    /// Describes a value of a Rust type; `name` is its [`std::any::type_name`].
    #[inline]
    pub const fn of_type(name: &'static str) -> Self {
        Self(Kind::Type(Cow::Borrowed(name)))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Array { dtype, shape } => {
                write!(f, "array {dtype} (")?;
                for (axis, length) in shape.iter().enumerate() {
                    let comma = if axis == 0 { "" } else { ", " };
                    write!(f, "{comma}{length}")?;
                }
                // A tuple of one element has a trailing comma, as in Python and
                // Rust.
                f.write_str(if shape.len() == 1 { ",)" } else { ")" })
            }
            Kind::Frame { rows, columns } => write!(f, "frame {rows} × {columns}"),
            Kind::Pieces { count, rows } => write!(f, "{count} pieces of a frame of {rows} rows"),
            Kind::Type(name) => f.write_str(&short_type_name(name)),
        }
    }
}

/// Returns a type's name without paths: `alloc::vec::Vec<f64>` → `Vec<f64>`.
pub fn short_type_name(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let mut start = 0;
    let mut rest = name.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if c == ':' && rest.peek().is_some_and(|&(_, next)| next == ':') {
            rest.next();
            short.truncate(short.len() - (at - start));
            start = at + 2;
        } else {
            if !(c.is_alphanumeric() || c == '_') {
                start = at + c.len_utf8();
            }
            short.push(c);
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_lose_their_paths() {
        let check = |name: &str, short: &str| assert_eq!(short_type_name(name), short);
        check("alloc::vec::Vec<f64>", "Vec<f64>");
        check(
            "core::option::Option<alloc::string::String>",
            "Option<String>",
        );
        check(
            "(i32, std::collections::hash::map::HashMap<u8, a::B>)",
            "(i32, HashMap<u8, B>)",
        );
        check("&[u8]", "&[u8]");
    }

    #[test]
    fn summaries_read_well() {
        let check = |summary: Summary, text: &str| assert_eq!(summary.to_string(), text);
        check(Summary::array("f64", &[]), "array f64 ()");
        check(Summary::array("bool", &[3]), "array bool (3,)");
        check(Summary::array("f64", &[100, 50]), "array f64 (100, 50)");
        check(
            Summary::array("u8", &[1, 2, 3, 4, 5]),
            "array u8 (1, 2, 3, 4, 5)",
        );
        check(Summary::frame(10, 3), "frame 10 × 3");
        check(Summary::pieces(4, 9), "4 pieces of a frame of 9 rows");
        check(
            Summary::of_type(std::any::type_name::<Vec<f64>>()),
            "Vec<f64>",
        );
    }
}
