//! The style of everything that is shown as HTML.
//!
//! (The kernel takes the same file for what it shows itself.)
//!
//! One class, `swath`, holds all of it: nothing outside is touched, and there
//! is no id. Colours are greys that let the page through, so they are right on
//! white and on black; texts have the page's colour. The selectors are more
//! specific than JupyterLab's own for tables, which would win otherwise.

use maud::{Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// Content in the one class, with its style.
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
