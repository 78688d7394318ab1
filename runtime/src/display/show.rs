//! Formats plain Rust values with `Debug`: short values on one line, others on
//! several lines.

use super::{Bundle, Show};
use crate::error::Result;
use std::fmt::Debug;

/// Longer values are written on several lines.
const LINE: usize = 100;

/// Formats a value with `Debug`.
pub(super) fn pretty(value: &dyn Debug) -> String {
    let line = format!("{value:?}");
    if line.chars().count() <= LINE && !line.contains('\n') {
        return line;
    }
    let lines = format!("{value:#?}");
    // A list of many short values is easier to read as running text.
    if (is_list_of_short_values(&lines) || lines.lines().count() > 60) && !line.contains('\n') {
        return filled(&line);
    }
    lines
}

/// Returns whether each element takes one short line.
fn is_list_of_short_values(lines: &str) -> bool {
    const SHORT: usize = 20;
    let elements = lines.lines().count().saturating_sub(2);
    lines.starts_with('[')
        && lines.lines().skip(1).take(elements).all(|line| {
            let element = line.trim_start();
            line.len() - element.len() == 4 && element.chars().count() <= SHORT
        })
}

/// Breaks a long line after commas.
fn filled(line: &str) -> String {
    let mut text = String::with_capacity(line.len() + line.len() / LINE);
    let mut length = 0;
    for part in line.split_inclusive(", ") {
        let columns = part.chars().count();
        if length > 0 && length + columns > LINE {
            text.truncate(text.trim_end_matches(' ').len());
            text.push_str("\n ");
            length = 1;
        }
        text.push_str(part);
        length += columns;
    }
    text
}

macro_rules! show_by_debug {
    ($($type:ty),*) => {$(
        impl Show for $type {
            fn show(&self) -> Result<Bundle> {
                Ok(Bundle::text(pretty(self)))
            }
        }
    )*};
}
show_by_debug!(
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64, bool, char, String
);

impl Show for str {
    fn show(&self) -> Result<Bundle> {
        Ok(Bundle::text(pretty(&self)))
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn show(&self) -> Result<Bundle> {
        (**self).show()
    }
}

impl<T: Show + ?Sized> Show for &mut T {
    fn show(&self) -> Result<Bundle> {
        (**self).show()
    }
}

impl<T: Debug> Show for [T] {
    fn show(&self) -> Result<Bundle> {
        Ok(Bundle::text(pretty(&self)))
    }
}

impl<T: Debug, const N: usize> Show for [T; N] {
    fn show(&self) -> Result<Bundle> {
        Ok(Bundle::text(pretty(self)))
    }
}

impl<T: Debug> Show for Vec<T> {
    fn show(&self) -> Result<Bundle> {
        Ok(Bundle::text(pretty(self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_the_lines_that_they_need() {
        assert_eq!(pretty(&vec![1, 2]), "[1, 2]");
        assert_eq!(pretty(&"text"), "\"text\"");
        let names = vec!["a name that is long enough"; 5];
        assert_eq!(pretty(&names).lines().count(), 7);
        assert_eq!(pretty(&(0..40).collect::<Vec<_>>()).lines().count(), 2);
        let numbers: Vec<u32> = (0..200).collect();
        let text = pretty(&numbers);
        assert!(text.lines().count() < 12);
        assert!(text.lines().all(|line| line.chars().count() <= LINE + 2));
        assert_eq!(text.replace("\n ", " "), format!("{numbers:?}"));
    }
}
