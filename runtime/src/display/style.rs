//! The style of all HTML output.
//!
//! (The kernel uses the same file for its own output.)
//!
//! All rules are within one class, `swath`: nothing outside is affected, and
//! there are no ids. Colours are translucent greys, so they look right on white
//! and on black; text has the page's colour. The selectors are more specific
//! than JupyterLab's own selectors for tables, which would win otherwise.

use maud::{Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// Wraps content in the class, with its style.
pub(crate) fn page(content: &Markup) -> String {
    html! {
        div.swath {
            style { (PreEscaped(STYLE)) }
            (content)
        }
    }
    .into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_reaches_nothing_but_ours() {
        for rule in STYLE.lines() {
            let selectors = rule.split('{').next().unwrap();
            for selector in selectors.split(',') {
                assert!(
                    selector == ".swath" || selector.starts_with(".swath .swath-"),
                    "{selector}"
                );
            }
        }
    }
}
