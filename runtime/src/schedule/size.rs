//! Sizes in bytes, as users write them.

use crate::error::{Error, Result};

/// A size in bytes: a number, or a text such as `"4 GiB"` or `"500 MB"`.
#[derive(Clone, Debug)]
pub enum ByteSize {
    /// A number of bytes.
    Bytes(u64),
    /// A text with a unit.
    Text(String),
}

impl From<&str> for ByteSize {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for ByteSize {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

macro_rules! sizes {
    ($($integer:ty),*) => {$(
        impl From<$integer> for ByteSize {
            fn from(bytes: $integer) -> Self {
                Self::Bytes(u64::try_from(bytes).unwrap_or(0))
            }
        }
    )*};
}
sizes!(u64, usize, i32, i64, u32);

impl ByteSize {
    /// Returns the number of bytes.
    ///
    /// # Errors
    /// [`Error::Argument`] for a text that is not a size, and for a size of 0.
    pub fn bytes(&self) -> Result<u64> {
        let bytes = match self {
            Self::Bytes(bytes) => *bytes,
            Self::Text(text) => parse(text).ok_or_else(|| {
                Error::Argument(format!(
                    "\"{text}\" is not a size: write a number and a unit, as in \"4 GiB\" or \"500 MB\""
                ))
            })?,
        };
        if bytes == 0 {
            return Err(Error::Argument(
                "a size of 0 bytes: expected a positive number".to_owned(),
            ));
        }
        Ok(bytes)
    }
}

fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit_at = text
        .find(|c: char| !(c.is_ascii_digit() || ".,_".contains(c)))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let number: f64 = number.replace([',', '_'], "").parse().ok()?;
    let factor: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => (1u64 << 10) as f64,
        "mib" => (1u64 << 20) as f64,
        "gib" => (1u64 << 30) as f64,
        "tib" => (1u64 << 40) as f64,
        _ => return None,
    };
    Some((number * factor) as u64)
}
