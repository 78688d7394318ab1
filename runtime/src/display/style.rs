//! The style of everything that is shown as HTML.
//!
//! One class, `swath`, holds all of it: nothing outside is touched, and there
//! is no id. Colours are greys that let the page through, so they are right on
//! white and on black; texts have the page's colour. The selectors are more
//! specific than JupyterLab's own for tables, which would win otherwise.

use maud::{Markup, PreEscaped, html};

const STYLE: &str = "\
.swath{font-family:var(--jp-ui-font-family,system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif);\
font-size:13px;line-height:1.4;max-width:100%;overflow-x:auto;padding:2px 0}\
.swath .swath-table{border-collapse:collapse;border:none;margin:0;width:auto;table-layout:auto;font-size:13px;color:inherit;\
font-variant-numeric:tabular-nums}\
.swath .swath-table th,.swath .swath-table td{padding:4px 10px;border:none;text-align:left;vertical-align:middle;\
white-space:nowrap;line-height:1.4;max-width:none;color:inherit}\
.swath .swath-table thead th{font-weight:600;vertical-align:bottom;border-bottom:1px solid rgba(128,128,128,.55)}\
.swath .swath-table thead tr,.swath .swath-table tbody tr,.swath .swath-table tbody tr:nth-child(odd){background:none}\
.swath .swath-table tbody tr:nth-child(even){background:rgba(128,128,128,.09)}\
.swath .swath-table tbody tr:hover{background:rgba(100,140,200,.22)}\
.swath .swath-table th.swath-right,.swath .swath-table td.swath-right{text-align:right}\
.swath .swath-table td.swath-gap,.swath .swath-table th.swath-gap{text-align:center;opacity:.6}\
.swath .swath-table td.swath-text{white-space:pre}\
.swath .swath-table .swath-null{opacity:.5;font-style:italic}\
.swath .swath-table .swath-dtype{display:block;font-weight:400;font-size:11px;opacity:.65}\
.swath .swath-note{margin:5px 0 0;font-size:12px;opacity:.7}\
.swath .swath-head{margin:0 0 4px;font-size:13px}\
.swath .swath-head b{font-weight:600}\
.swath .swath-side{display:flex;flex-wrap:wrap;align-items:center;gap:12px 32px}\
.swath .swath-plain tbody th{font-weight:600}\
.swath .swath-bar{position:relative;height:8px;min-width:120px;border-radius:4px;background:rgba(128,128,128,.25);overflow:hidden}\
.swath .swath-bar span{position:absolute;left:0;top:0;bottom:0;border-radius:4px}\
.swath .swath-table td.swath-wide{width:220px;min-width:220px}\
.swath .swath-table td.swath-wrap{white-space:normal;min-width:180px}\
";

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
        for rule in STYLE.split_inclusive('}') {
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
