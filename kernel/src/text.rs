//! Formatting and parsing of text for users: sizes, shortened and escaped text.

/// Formats bytes in the binary unit that gives a short number: `7.63 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = count as f64;
    let mut unit = 0;
    // 1023.99 would be rounded to 1024.
    while value >= 1023.995 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} B"),
        _ => format!("{value:.2} {}", UNITS[unit]),
    }
}

/// Cuts off the end of a text that has more than `limit` characters.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let head: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

/// Escapes text for the content of an HTML element, or for the value of an
/// attribute.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Parses a number of bytes, which may end in k, M or G.
pub(crate) fn parse_nbytes(setting: &str) -> Option<usize> {
    let setting = setting.trim().trim_end_matches(['b', 'B']);
    let (digits, unit) = match setting.char_indices().last()? {
        (at, 'k' | 'K') => (&setting[..at], 1_000),
        (at, 'm' | 'M') => (&setting[..at], 1_000_000),
        (at, 'g' | 'G') => (&setting[..at], 1_000_000_000),
        _ => (setting, 1),
    };
    digits.trim().parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_cuts() {
        for (count, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (8_000_000, "7.63 MiB"),
            ((1 << 30) - 1, "1.00 GiB"),
            (u64::MAX, "16.00 EiB"),
        ] {
            assert_eq!(bytes(count), text);
        }
        assert_eq!(shorten("größer", 6), "größer");
        assert_eq!(shorten("größer!", 6), "größe…");
        assert_eq!(escape("<a b=\"&\">"), "&lt;a b=&quot;&amp;&quot;&gt;");
    }

    #[test]
    fn sizes() {
        for (setting, expected) in [
            ("123", Some(123)),
            ("8M", Some(8_000_000)),
            ("2 kB", Some(2_000)),
            ("1g", Some(1_000_000_000)),
            ("", None),
            ("many", None),
            ("-1", None),
        ] {
            assert_eq!(parse_nbytes(setting), expected, "{setting}");
        }
    }
}
