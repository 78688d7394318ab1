//! Colours that are easy to distinguish, with white text on them, on white and
//! black pages.

use std::collections::BTreeMap;

const COLOURS: [&str; 12] = [
    "#2f6fb3", "#b5541c", "#2c7d50", "#7a50b0", "#c0392f", "#14768a", "#ad3a78", "#716c14",
    "#4c59c6", "#8a5a3c", "#586a80", "#4a7a22",
];

/// The colour of plots' first series and of bars.
pub(crate) const ACCENT: &str = COLOURS[0];

/// The colour of finished work.
pub(crate) const DONE: &str = "#2c7d50";

/// The colour of failed work.
pub(crate) const FAILED: &str = "#c0392f";

/// Returns the colour of a series by its number.
pub(super) fn series(number: usize) -> &'static str {
    COLOURS[number % COLOURS.len()]
}

/// Assigns a colour to each name. The same name has the same colour in every
/// picture, unless another name of the picture already has that colour.
pub(crate) fn assign<'a>(
    names: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<String, &'static str> {
    let mut colours = BTreeMap::new();
    let mut taken = [false; COLOURS.len()];
    for name in names {
        if colours.contains_key(name) {
            continue;
        }
        if taken.iter().all(|taken| *taken) {
            taken.fill(false);
        }
        let wanted = xxhash_rust::xxh3::xxh3_64(name.as_bytes()) as usize;
        let slot = (0..COLOURS.len())
            .map(|step| (wanted + step) % COLOURS.len())
            .find(|slot| !taken[*slot])
            .unwrap_or(wanted % COLOURS.len());
        taken[slot] = true;
        colours.insert(name.to_owned(), COLOURS[slot]);
    }
    colours
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, as WCAG 2.2 defines it.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn white_text_is_legible_on_every_colour_and_every_colour_on_both_themes() {
        for colour in COLOURS {
            let on_white = contrast(colour, "#ffffff");
            assert!(on_white >= 4.5, "{colour}: {on_white:.2} with white");
            let on_dark = contrast(colour, "#111111");
            assert!(on_dark >= 3.0, "{colour}: {on_dark:.2} with #111");
        }
    }

    #[test]
    fn a_picture_has_no_colour_twice_while_there_are_others() {
        let names: Vec<String> = (0..12)
            .map(|number| format!("operation {number}"))
            .collect();
        let colours = assign(names.iter().map(String::as_str));
        let different: std::collections::BTreeSet<_> = colours.values().collect();
        assert_eq!(different.len(), 12);
        assert_eq!(assign(["mean"]), assign(["mean", "mean"]));
    }
}
