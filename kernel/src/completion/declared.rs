//! Inspection of a name that this cell or an earlier one declares: shows its
//! declaration and its documentation.

use ra_ap_syntax::ast;
use ra_ap_syntax::{AstNode as _, SyntaxKind, SyntaxNode};

use super::cursor::line_at;
use super::markdown;
use super::names::{earlier_items, items_behind};
use super::place::{Cursor, CursorPlace, offset, parse};
use super::protocol::Inspection;
use super::scope::{Scope, documentation, head, items};
use crate::view::SessionView;

/// Definitions longer than this many lines are reduced to their head.
const LINES: usize = 20;

/// Describes the name that ends at byte `end` of `code`, which contains no
/// commands.
pub(super) fn inspect(view: &SessionView, code: &str, end: usize) -> Option<Inspection> {
    let cursor = Cursor::at(code, end)?;
    let name = &code[cursor.replaced.clone()];
    if name.is_empty() || matches!(cursor.place, CursorPlace::Member(_) | CursorPlace::Path(_)) {
        return None;
    }
    if let Some(own) = own(code, cursor.replaced.start) {
        return Some(shown(&own, Some(code)));
    }
    let scope = Scope::at(&cursor.token);
    if let Some(found) = scope.bindings.iter().find(|found| found.name == name) {
        return Some(shown(&found.declared, Some(code)));
    }
    let later = items_behind(&code[cursor.replaced.end..], name);
    let mut others = later.into_iter().chain(earlier_items(view, name));
    let found = others.find(|found| found.name == name)?;
    Some(shown(&found.declared, None))
}

/// Returns the declaration that introduces the name at `start`, if there is one.
fn own(code: &str, start: usize) -> Option<SyntaxNode> {
    let root = parse(code)?;
    let at = ra_ap_syntax::TextSize::try_from(start + offset(0)).ok()?;
    let name = root.token_at_offset(at).right_biased()?.parent()?;
    let is_name = name.kind() == SyntaxKind::NAME;
    let node = name.parent().filter(|_| is_name)?;
    let declares = node.kind() == SyntaxKind::IDENT_PAT || !items(&node).is_empty();
    declares.then_some(node)
}

/// Shows a declaration: the text or head of an item, or the line of a variable.
/// `code` is given if the node belongs to its tree.
fn shown(node: &SyntaxNode, code: Option<&str>) -> Inspection {
    let text = node.text().to_string();
    let (declaration, documented) = match ast::Item::cast(node.clone()) {
        Some(ast::Item::Fn(_)) => (head(node), Some(node.clone())),
        Some(_) => {
            let lines = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("///"));
            let lines: Vec<&str> = lines.collect();
            let declaration = match lines.len() > LINES {
                true => lines[0].to_owned(),
                false => lines.join("\n"),
            };
            (declaration, Some(node.clone()))
        }
        None => {
            let start = usize::from(node.text_range().start());
            let line = code.and_then(|code| {
                let start = start.checked_sub(offset(0))?;
                (start <= code.len()).then(|| line_at(code, start).1.trim().to_owned())
            });
            let statement = node
                .ancestors()
                .find(|node| node.kind() == SyntaxKind::LET_STMT);
            (line.unwrap_or(text), statement)
        }
    };
    let docs = documented
        .map(|node| documentation(&node))
        .unwrap_or_default();
    markdown::shown(&format!("```rust\n{declaration}\n```\n\n---\n\n{docs}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the description of the name that ends at `|`.
    fn check(marked: &str, expect: &str) {
        let view = SessionView {
            items: vec!["/// Grows.\npub fn grow(by: i32) -> i32 { by }".to_owned()],
            ..SessionView::default()
        };
        let position = marked.rfind('|').unwrap();
        let code = format!("{}{}", &marked[..position], &marked[position + 1..]);
        let found = inspect(&view, &code, position);
        let plain = found.map(|found| found.plain).unwrap_or_default();
        assert_eq!(plain, expect, "{marked}");
    }

    #[test]
    fn declarations_and_what_is_written_about_them() {
        check("let größe = 5; // five\ngröße|", "let größe = 5; // five");
        check("let größe| = 5;\ngröße", "let größe = 5;");
        check(
            "f(1);\n  for (i, zebra) in all {\n zebra|",
            "for (i, zebra) in all {",
        );
        check(
            "let a = all.map(|zebra| zebra| + 1);",
            "let a = all.map(|zebra| zebra + 1);",
        );
        check(
            "/// Counts.\n///\n/// Quickly.\n#[inline]\nfn count(\n    of: u8,\n) -> usize { 0 }\ncount|(1)",
            "fn count( of: u8, ) -> usize\n\nCounts.\n\nQuickly.",
        );
        check("fn count|(of: u8) {}", "fn count(of: u8)");
        check(
            "count|(1);\n/// Later.\nfn count(of: u8) {}",
            "fn count(of: u8)\n\nLater.",
        );
        check(
            "/// A place.\n#[derive(Clone)]\nstruct Place {\n    /// East.\n    x: f64,\n}\nlet a: Place|;",
            "#[derive(Clone)]\nstruct Place {\n    x: f64,\n}\n\nA place.",
        );
        check("1 + grow|(2)", "pub fn grow(by: i32) -> i32\n\nGrows.");
        check("let grow = 1; grow|", "let grow = 1; grow");
    }

    #[test]
    fn what_is_not_declared() {
        for marked in [
            "unknown|",
            "{ let zebra = 1; } zebra|",
            "let zebra = 1; // zebra|",
            "let zebra = 1; \"zebra|\"",
            "let zebra = 1; a.zebra|",
            "let zebra = 1; a::zebra|",
            "|",
        ] {
            check(marked, "");
        }
    }
}
