//! Text for renderers: its width, shortened and escaped text, and numbers and
//! sizes in readable form.

use std::time::Duration;
use unicode_width::UnicodeWidthChar;

/// Returns the width of a character in a proportional sans-serif font, in
/// thousandths of the font size. DejaVu Sans is the widest of the usual fonts,
/// so text that fits by this table also fits in Helvetica, Arial and Segoe.
fn advance(c: char) -> u32 {
    match c {
        'i' | 'j' | 'l' => 278,
        ' ' | '.' | ',' | '·' | '|' => 318,
        ':' | ';' | '\'' => 337,
        'f' => 352,
        '-' => 361,
        '(' | ')' | '[' | ']' | 't' => 392,
        'I' | 'J' => 295,
        'r' | '!' => 411,
        's' | 'z' | 'c' | '_' => 550,
        'k' | 'v' | 'x' | 'y' => 592,
        'w' | '×' | '+' | '=' | '<' | '>' | '~' | 'C' | 'D' | 'G' | 'H' | 'N' | 'O' | 'Q' | 'U' => {
            838
        }
        'm' | 'W' | 'M' | '…' | '@' | '%' => 1000,
        'A'..='Z' => 700,
        c if c.is_ascii() => 640,
        c if c.width() == Some(2) => 1000,
        _ => 700,
    }
}

/// Returns the width of a text in pixels.
pub(crate) fn width(text: &str, font_size: f64) -> f64 {
    text.chars().map(|c| f64::from(advance(c))).sum::<f64>() * font_size / 1000.0
}

/// Cuts the middle out of a text that has more than `limit` characters.
pub(crate) fn shorten_middle(text: &str, limit: usize) -> String {
    let count = text.chars().count();
    if count <= limit {
        return text.to_owned();
    }
    let kept = limit.saturating_sub(1);
    let head: String = text.chars().take(kept.div_ceil(2)).collect();
    let tail: String = text.chars().skip(count - kept / 2).collect();
    format!("{head}…{tail}")
}

/// Cuts the middle out of a text that is wider than `limit` pixels.
pub(crate) fn fit(text: &str, font_size: f64, limit: f64) -> String {
    let mut count = text.chars().count();
    let mut fitting = text.to_owned();
    while width(&fitting, font_size) > limit && count > 1 {
        count -= 1;
        fitting = shorten_middle(text, count);
    }
    fitting
}

/// Cuts the end off a text that has more than `limit` characters.
pub(super) fn shorten_end(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let head: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

/// Escapes text for the content of an element or the value of an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML cannot represent the other control characters.
            c if c.is_control() && c != '\n' && c != '\t' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Puts a text on one line, with symbols for line breaks and tabs.
pub(super) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '↵',
            '\t' => '⇥',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Formats `10000` as `10,000`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a count: `1 task`, `10,000 tasks`.
pub(crate) fn counted(number: usize, one: &str) -> String {
    format!(
        "{} {one}{}",
        grouped(number),
        if number == 1 { "" } else { "s" }
    )
}

/// Formats bytes in the binary unit that gives a short number: `7.63 MiB`.
pub(crate) fn bytes(count: usize) -> String {
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

/// Formats a duration: `0.8 s`, `12 s`, `3 min 05 s`, `2 h 04 min`.
pub(crate) fn duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    match seconds {
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        _ if seconds < 59.5 => format!("{seconds:.0} s"),
        _ if seconds < 3599.5 => {
            let whole = seconds.round() as u64;
            format!("{} min {:02} s", whole / 60, whole % 60)
        }
        _ => {
            let minutes = (seconds / 60.0).round() as u64;
            format!("{} h {:02} min", minutes / 60, minutes % 60)
        }
    }
}

/// Formats a tuple: `(15, 15)`, `(4,)`, `()`.
pub(crate) fn tuple<T: std::fmt::Display>(items: &[T]) -> String {
    match items {
        [one] => format!("({one},)"),
        items => {
            let items: Vec<String> = items.iter().map(ToString::to_string).collect();
            format!("({})", items.join(", "))
        }
    }
}

/// Formats a coordinate: at most two decimals, no trailing zeros.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// Returns the text of an HTML fragment, without its tags.
pub(super) fn strip_tags(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                if !text.ends_with(char::is_whitespace) && !text.is_empty() {
                    text.push(' ');
                }
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
        .trim()
        .to_owned()
}

/// Formats like [`bytes`], for numbers that may exceed this machine's memory.
pub(crate) fn sized(nbytes: u64) -> String {
    bytes(usize::try_from(nbytes).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(10_000), "10,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(8_000_000), "7.63 MiB");
        assert_eq!(bytes((1 << 30) - 1), "1.00 GiB");
        assert_eq!(duration(Duration::from_millis(830)), "0.8 s");
        assert_eq!(duration(Duration::from_millis(59_700)), "1 min 00 s");
        assert_eq!(duration(Duration::from_secs(7440)), "2 h 04 min");
        assert_eq!(tuple(&[15]), "(15,)");
        assert_eq!(tuple::<usize>(&[]), "()");
        assert_eq!(number(-0.01), "0");
    }

    #[test]
    fn tags_are_stripped() {
        assert_eq!(strip_tags("<b>1 &lt; 2</b><br/>yes"), "1 < 2 yes");
    }

    proptest! {
        #[test]
        fn shortened_texts_keep_the_limit(text in ".{0,40}", limit in 1usize..30) {
            prop_assert!(shorten_middle(&text, limit).chars().count() <= limit);
            prop_assert!(shorten_end(&text, limit).chars().count() <= limit);
        }

        #[test]
        fn escaped_texts_hold_no_markup(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"']));
            prop_assert!(!escaped.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }
    }
}
