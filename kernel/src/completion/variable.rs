//! Inspection of a session variable.

use super::protocol::Inspection;
use crate::text::{bytes, escape};
use crate::view::Variable;

/// Describes a variable by its type, shape, bytes and the beginning of its
/// value: as text, and as HTML of plain elements, which takes on the style of
/// the page.
pub(super) fn inspection(variable: &Variable) -> Inspection {
    let told = &*variable.description;
    let type_name = match &*variable.short_type {
        "" => &variable.type_name,
        short => short,
    };
    let mutable = if variable.mutable { "mut " } else { "" };
    let head = format!("{mutable}{}: {type_name}", variable.name);
    let facts = facts(variable);
    let mut plain = head.clone();
    let mut html = format!("<pre>{}</pre>", escape(&head));
    for (name, value) in &facts {
        plain.push_str(&format!("\n{name}: {value}"));
    }
    if !facts.is_empty() {
        html.push_str("<table style=\"margin-left:0\">");
        for (name, value) in &facts {
            html.push_str(&format!(
                "<tr><th style=\"text-align:left\">{name}</th><td style=\"text-align:left\">{}</td></tr>",
                escape(value)
            ));
        }
        html.push_str("</table>");
    }
    let preview = match &*told.preview {
        "" => &told.summary,
        preview => preview,
    };
    if !preview.is_empty() {
        plain.push_str(&format!("\n\n{preview}"));
        html.push_str(&format!("<pre>{}</pre>", escape(preview)));
    }
    Inspection { plain, html }
}

fn facts(variable: &Variable) -> Vec<(&'static str, String)> {
    let told = &*variable.description;
    // If the preview shows something else, the summary gets a row of its own.
    let summary = match told.state.is_empty() || told.preview.is_empty() {
        true => String::new(),
        false => told.summary.clone(),
    };
    let nbytes = told.nbytes.map(bytes).unwrap_or_default();
    let all = [
        ("Shape", told.shape.clone()),
        ("Chunks", told.chunks.clone()),
        ("Dtype", told.dtype.clone()),
        ("State", told.state.clone()),
        ("Bytes", nbytes),
        ("Made by", summary),
    ];
    all.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use swath_channel::Description;

    fn check(type_name: &str, description: Description, plain: &str) {
        let variable = Variable {
            name: "x".to_owned(),
            short_type: type_name.to_owned(),
            description: Arc::new(description),
            ..Variable::default()
        };
        let shown = inspection(&variable);
        assert_eq!(shown.plain, plain);
        assert!(!shown.html.contains("<f64>"), "{}", shown.html);
    }

    #[test]
    fn variables() {
        let text = str::to_owned;
        check("Unknown", Description::default(), "x: Unknown");
        check(
            "Vec<f64>",
            Description {
                shape: text("2 elements"),
                summary: text("[1.5, 2.0]"),
                nbytes: Some(16),
                ..Description::default()
            },
            "x: Vec<f64>\nShape: 2 elements\nBytes: 16 B\n\n[1.5, 2.0]",
        );
        check(
            "Array<f64>",
            Description {
                shape: text("(20000, 1000)"),
                chunks: text("(1000, 1000), 20 chunks"),
                state: text("persisted"),
                summary: text("normal"),
                preview: text("152.59 MiB once computed"),
                nbytes: Some(160_000_000),
                ..Description::default()
            },
            "x: Array<f64>\nShape: (20000, 1000)\nChunks: (1000, 1000), 20 chunks\n\
             State: persisted\nBytes: 152.59 MiB\nMade by: normal\n\n152.59 MiB once computed",
        );
    }
}
