//! The output of `:vars`: the session's variables as a table.

use super::types::short;
use super::variables::{VariableState, is_held};
use crate::text::{bytes, escape, shorten};
use std::collections::BTreeMap;

const HEADS: [&str; 5] = ["Name", "Type", "Shape", "Bytes", "Value"];
/// Which columns are right-aligned, because they hold numbers.
const RIGHT: [bool; 5] = [false, false, false, true, false];
/// The maximum length of each column; longer texts are cut.
const LIMITS: [usize; 5] = [40, 60, 40, 20, 80];

/// The style of the runtime's tables: everything displayed has the same style.
const STYLE: &str = include_str!("../../../runtime/src/display/style.css");

/// Returns the table, as text and as HTML.
pub(super) fn of<'a>(
    variables: &BTreeMap<String, VariableState>,
    lambdas: impl Iterator<Item = &'a str>,
) -> [(String, String); 2] {
    let closure = |name: &str| [name, "closure", "", "", "kept as text"].map(str::to_owned);
    let mut rows: Vec<[String; 5]> = variables
        .iter()
        .filter(|(name, _)| !is_held(name))
        .map(row)
        .chain(lambdas.map(closure))
        .collect();
    rows.sort();
    [
        ("text/plain".to_owned(), text(&rows)),
        ("text/html".to_owned(), html(&rows)),
    ]
}

/// Returns notes about a cell, as text and as HTML. Text in backticks is code.
pub(super) fn notes(notes: &[String]) -> [(String, String); 2] {
    let text: Vec<String> = notes.iter().map(|note| format!("note: {note}")).collect();
    let paragraphs: String = text
        .iter()
        .map(|note| {
            let parts = note.split('`').enumerate().map(|(at, part)| match at % 2 {
                0 => escape(part),
                _ => format!("<code>{}</code>", escape(part)),
            });
            format!("<p class=\"swath-note\">{}</p>", parts.collect::<String>())
        })
        .collect();
    let html = format!("<div class=\"swath\"><style>{STYLE}</style>{paragraphs}</div>");
    [
        ("text/plain".to_owned(), text.join("\n")),
        ("text/html".to_owned(), html),
    ]
}

fn row((name, state): (&String, &VariableState)) -> [String; 5] {
    let told = &state.description;
    let value = [&told.state, &told.summary]
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| text.replace('\n', " "))
        .collect::<Vec<_>>()
        .join(": ");
    [
        name.clone(),
        short(&state.variable.type_name),
        told.shape.clone(),
        told.nbytes.map(bytes).unwrap_or_default(),
        value,
    ]
}

fn text(rows: &[[String; 5]]) -> String {
    let heads = HEADS.map(str::to_owned);
    let cut: Vec<[String; 5]> = std::iter::once(&heads)
        .chain(rows)
        .map(|row| std::array::from_fn(|at| shorten(&row[at], LIMITS[at])))
        .collect();
    let widths: [usize; 5] = std::array::from_fn(|at| {
        let cells = cut.iter().map(|row| row[at].chars().count());
        cells.max().unwrap_or(0)
    });
    let lines: Vec<String> = cut
        .iter()
        .map(|row| {
            let cells: [String; 5] = std::array::from_fn(|at| {
                let (cell, width) = (&row[at], widths[at]);
                match RIGHT[at] {
                    true => format!("{cell:>width$}"),
                    false => format!("{cell:width$}"),
                }
            });
            cells.join("  ").trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}

fn html(rows: &[[String; 5]]) -> String {
    let class = |at: usize| match RIGHT[at] {
        true => " class=\"swath-right\"",
        false => "",
    };
    let mut html = format!(
        "<div class=\"swath\"><style>{STYLE}</style><table class=\"swath-table\"><thead><tr>"
    );
    for (at, head) in HEADS.iter().enumerate() {
        html += &format!("<th{}>{head}</th>", class(at));
    }
    html += "</tr></thead><tbody>";
    for row in rows {
        html += "<tr>";
        for (at, cell) in row.iter().enumerate() {
            let shown = shorten(cell, LIMITS[at]);
            let whole = match shown == *cell {
                true => String::new(),
                false => format!(" title=\"{}\"", escape(cell)),
            };
            html += &format!("<td{}{whole}>{}</td>", class(at), escape(&shown));
        }
        html += "</tr>";
    }
    let count = match rows.len() {
        0 => "no variables".to_owned(),
        1 => "1 variable".to_owned(),
        count => format!("{count} variables"),
    };
    html + "</tbody></table><p class=\"swath-note\">" + &count + "</p></div>"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<[String; 5]> {
        [
            ["ages", "Vec<i64>", "3 elements", "24 B", "[1, 2, 3]"],
            ["x", "Array<f64>", "(20000, 1000)", "", "not computed: ones"],
            ["größe", "String", "", "1.00 MiB", &"\"<long> ".repeat(40)],
        ]
        .map(|row| row.map(str::to_owned))
        .into()
    }

    #[test]
    fn as_text() {
        let long = "\"<long> ".repeat(40);
        let expect = format!(
            "Name   Type        Shape             Bytes  Value\n\
             ages   Vec<i64>    3 elements         24 B  [1, 2, 3]\n\
             x      Array<f64>  (20000, 1000)            not computed: ones\n\
             größe  String                     1.00 MiB  {}…",
            &long[..79].trim_end()
        );
        assert_eq!(text(&rows()), expect);
    }

    #[test]
    fn as_html() {
        let html = html(&rows());
        assert!(html.contains("<td>x</td><td>Array&lt;f64&gt;</td><td>(20000, 1000)</td>"));
        assert!(html.contains("<td class=\"swath-right\">24 B</td>"));
        assert!(html.contains("title=\"&quot;&lt;long&gt; "));
        assert!(html.contains("3 variables"));
        assert!(!html.contains("<long>"));
    }
}
