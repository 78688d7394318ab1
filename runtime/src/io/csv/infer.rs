//! Infers columns' types from their values.

use super::Stamp;
use super::cut::read;
use super::lex::{Format, Record};
use crate::error::Result;
use chrono::{Datelike, NaiveDate};
use polars::prelude::{DataType, TimeUnit};
use std::str::FromStr;

/// The type that fits all values of a column so far.
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

/// Parses an integer of 64 bits. A larger integer does not count as a number, because
/// its digits may be a name.
pub(super) fn integer(text: &str) -> Option<i64> {
    number(text)
}

/// Parses a float or an integer as a float.
pub(super) fn float(text: &str) -> Option<f64> {
    number(text)
}

/// Parses a number with or without spaces around it.
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

/// Parses a date of ISO 8601, `2024-01-31`, into days since 1970. In other formats the
/// order of day and month is ambiguous.
pub(super) fn date(text: &str) -> Option<i32> {
    const EPOCH: i32 = 719_163;
    let [year, month, day] = parts(text.trim_matches(' '), '-', [4, 2, 2])?;
    let date = NaiveDate::from_ymd_opt(year as i32, month, day)?;
    Some(date.num_days_from_ce() - EPOCH)
}

/// Parses a time of ISO 8601, `2024-01-31T12:30:05.25`, into units of time since 1970.
/// A space may replace the `T`, and the seconds or the time may be missing. The only
/// accepted time zone is `Z`.
pub(super) fn datetime(text: &str, unit: TimeUnit) -> Option<i64> {
    let text = text.trim_matches(' ');
    let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let time = time.strip_suffix('Z').unwrap_or(time);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = match time.len() {
        5 => {
            let [hour, minute] = parts(time, ':', [2, 2])?;
            [hour, minute, 0]
        }
        _ => parts(time, ':', [2, 2, 2])?,
    };
    if fraction.is_empty() || fraction.len() > 9 || (time.len() == 5 && fraction != "0") {
        return None;
    }
    let nanos: i64 = digits(fraction)?.into();
    let nanos = nanos * 10i64.pow(9 - fraction.len() as u32);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(date(day)?) * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    let per_second: i64 = match unit {
        TimeUnit::Nanoseconds => 1_000_000_000,
        TimeUnit::Microseconds => 1_000_000,
        TimeUnit::Milliseconds => 1_000,
    };
    seconds
        .checked_mul(per_second)?
        .checked_add(nanos / (1_000_000_000 / per_second))
}

/// Parses numbers with the given numbers of digits.
fn parts<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[u32; N]> {
    let mut found = [0; N];
    let mut parts = text.split(separator);
    for (found, length) in found.iter_mut().zip(lengths) {
        let part = parts.next().filter(|part| part.len() == length)?;
        *found = digits(part)?;
    }
    parts.next().is_none().then_some(found)
}

fn digits(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Parses `true` or `false`, in upper or lower case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Infers types from the values in some ranges of a file, each of which begins with a
/// record. Errors in them are reported when they are read.
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
                // The sample may end within the last record.
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
                // Bytes that are not UTF-8 are not a number in any encoding.
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
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_those_of_iso_8601() {
        let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        let days = (day - epoch).num_days();
        assert_eq!(date("2024-02-29").map(i64::from), Some(days));
        assert_eq!(date("1969-12-31"), Some(-1));
        for wrong in [
            "2023-02-29",
            "29-02-2024",
            "02/29/2024",
            "2024-2-29",
            "2024-02-29x",
            "+024-02-29",
            "",
        ] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
        let at = |hour: i64, minute: i64, milliseconds: i64| {
            Some(((days * 24 + hour) * 60 + minute) * 60_000 + milliseconds)
        };
        for (text, expected) in [
            ("2024-02-29", at(0, 0, 0)),
            ("2024-02-29 12:30", at(12, 30, 0)),
            ("2024-02-29T12:30:05", at(12, 30, 5_000)),
            ("2024-02-29T12:30:05.25Z", at(12, 30, 5_250)),
            ("1969-12-31T23:59:59.999", Some(-1)),
            ("2024-02-29T24:00", None),
            ("2024-02-29T12:30:05+02:00", None),
            ("2024-02-29T12:30.5", None),
            ("2024-02-29T", None),
            ("12:30", None),
        ] {
            assert_eq!(datetime(text, TimeUnit::Milliseconds), expected, "{text}");
            let micros = datetime(text, TimeUnit::Microseconds);
            assert_eq!(micros, expected.map(|at| at * 1000), "{text}");
        }
        assert_eq!(
            datetime("1970-01-01T00:00:00.000000001", TimeUnit::Nanoseconds),
            Some(1)
        );
        assert_eq!(datetime("9999-01-01", TimeUnit::Nanoseconds), None);
    }

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
        // Too long for a number of 64 bits, for example an account number.
        check(&["1", "12345678901234567890"], Guess::Text);
    }
}
