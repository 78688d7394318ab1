//! Columns' types from what is in them.

use super::Stamp;
use super::cut::read;
use super::lex::{Format, Record};
use crate::error::Result;
use polars::prelude::DataType;
use std::str::FromStr;

/// What a column's values have in common so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Guess {
    /// No values yet.
    #[default]
    Nothing,
    Bool,
    Int,
    Float,
    Text,
}

impl Guess {
    pub(super) fn dtype(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Nothing | Self::Text => DataType::String,
        }
    }

    fn and(self, value: &str) -> Self {
        match (self, Self::of(value)) {
            (Self::Text, _) | (_, Self::Text) => Self::Text,
            (Self::Nothing, guess) => guess,
            (a, b) if a == b => a,
            (Self::Int | Self::Float, Self::Int | Self::Float) => Self::Float,
            _ => Self::Text,
        }
    }

    fn of(value: &str) -> Self {
        let value = value.trim_matches(' ');
        if integer(value).is_some() {
            Self::Int
        } else if is_float(value) {
            Self::Float
        } else if boolean(value).is_some() {
            Self::Bool
        } else {
            Self::Text
        }
    }
}

/// An integer of 64 bits; what is too large for one is no number: it may be
/// the digits of a name.
pub(super) fn integer(text: &str) -> Option<i64> {
    number(text)
}

/// A float, and integers as floats.
pub(super) fn float(text: &str) -> Option<f64> {
    number(text)
}

/// A number with or without spaces around it.
fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse()
        .or_else(|_| text.trim_matches(' ').parse())
        .ok()
}

fn is_float(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    matches!(digits, "inf" | "NaN")
        || (digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && digits.contains(['.', 'e', 'E'])
            && float(text).is_some())
}

/// `true` or `false`, in capitals or not.
pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Looks at the values in some ranges of a file, each of which begins with a
/// record. What is wrong with them is told when they are read.
pub(super) fn infer(
    file: &Stamp,
    format: &Format,
    samples: &[(u64, u64)],
    guesses: &mut [Guess],
) -> Result<()> {
    let mut opened = file.open()?;
    let mut fields = Vec::new();
    for &(start, end) in samples {
        let bytes = read(file, &mut opened, start, end - start)?;
        let mut from = 0;
        loop {
            let next = match format.record(&bytes, from, &mut fields) {
                // The sample may end within the last one.
                Record::Fields { end: next } if next < bytes.len() || end == file.size => next,
                Record::Skipped { end } => {
                    from = end;
                    continue;
                }
                _ => break,
            };
            for (field, guess) in fields.iter().zip(guesses.iter_mut()) {
                if *guess == Guess::Text {
                    continue;
                }
                let value = field.bytes(&bytes, format);
                // Bytes that are no UTF-8 are no number in any encoding.
                let value = std::str::from_utf8(&value).unwrap_or("�");
                if !format.is_null(*field, value) {
                    *guess = guess.and(value);
                }
            }
            from = next;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_follow_from_values() {
        let check = |values: &[&str], expected| {
            let guess = values
                .iter()
                .fold(Guess::Nothing, |guess, value| guess.and(value));
            assert_eq!(guess, expected, "{values:?}");
        };
        check(&[], Guess::Nothing);
        check(&["1", "-2", "+3", " 4"], Guess::Int);
        check(&["1", "2.5"], Guess::Float);
        check(&["1e5", "inf", "-inf", "NaN", ".5", "5."], Guess::Float);
        check(&["true", "FALSE"], Guess::Bool);
        check(&["true", "1"], Guess::Text);
        check(&["1", "x"], Guess::Text);
        check(&["nan"], Guess::Text);
        // Too long for a number of 64 bits: an account number, say.
        check(&["1", "12345678901234567890"], Guess::Text);
    }
}
