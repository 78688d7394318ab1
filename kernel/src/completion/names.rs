//! Completion by name alone: what the kernel knows without the analyzer.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use ra_ap_syntax::ast::{self, HasName as _};
use ra_ap_syntax::{AstNode as _, Edition, SourceFile, T};

use super::SessionView;
use super::context::runtime_sources;
use super::cursor::identifier_at;
use super::protocol::{Completions, Match};

/// What std's prelude holds, and the keywords that begin something.
const LANGUAGE: &[(&str, &str)] = &[
    ("Box", "class"),
    ("Clone", "class"),
    ("Default", "class"),
    ("Err", "instance"),
    ("None", "instance"),
    ("Ok", "instance"),
    ("Option", "class"),
    ("Result", "class"),
    ("Some", "instance"),
    ("String", "class"),
    ("Vec", "class"),
    ("assert!", "function"),
    ("assert_eq!", "function"),
    ("dbg!", "function"),
    ("enum", "keyword"),
    ("format!", "function"),
    ("impl", "keyword"),
    ("match", "keyword"),
    ("panic!", "function"),
    ("println!", "function"),
    ("return", "keyword"),
    ("struct", "keyword"),
    ("trait", "keyword"),
    ("vec!", "function"),
    ("while", "keyword"),
];

/// Completes the identifier at `position`, where it is not a field's, a
/// method's or a path's.
pub(super) fn complete(view: &SessionView, code: &str, position: usize) -> Completions {
    let mut completions = Completions {
        start: position,
        end: position,
        matches: Vec::new(),
    };
    let Some(range) = identifier_at(code, position).filter(|range| range.start < position) else {
        return completions;
    };
    let before = code[..range.start].trim_end();
    if before.ends_with('.') || before.ends_with("::") {
        return completions;
    }
    completions.start = range.start;
    let typed = &code[range.start..position];
    let variables = view.variables.iter().map(|variable| Match {
        text: variable.name.clone(),
        kind: "instance".to_owned(),
        signature: variable.type_name.clone(),
    });
    let items = view.items.iter().flat_map(|item| items_in(item));
    let known = |(name, kind): &(&str, &str)| Match {
        text: (*name).to_owned(),
        kind: (*kind).to_owned(),
        signature: String::new(),
    };
    let prelude = prelude().iter().map(|name| known(&(name, kind_of(name))));
    let mut seen = BTreeSet::new();
    completions.matches = variables
        .chain(items)
        .chain(prelude)
        .chain(LANGUAGE.iter().map(known))
        .filter(|found| found.text.starts_with(typed) && seen.insert(found.text.clone()))
        .collect();
    completions
}

/// The items that `text` defines.
fn items_in(text: &str) -> Vec<Match> {
    let parsed = SourceFile::parse(text, Edition::Edition2024);
    let named = |name: Option<ast::Name>, kind: &str| {
        Some(Match {
            text: name?.text().to_string(),
            kind: kind.to_owned(),
            signature: String::new(),
        })
    };
    parsed
        .tree()
        .syntax()
        .children()
        .filter_map(ast::Item::cast)
        .filter_map(|item| match item {
            ast::Item::Const(item) => named(item.name(), "instance"),
            ast::Item::Enum(item) => named(item.name(), "class"),
            ast::Item::Fn(item) => named(item.name(), "function"),
            ast::Item::Module(item) => named(item.name(), "module"),
            ast::Item::Static(item) => named(item.name(), "instance"),
            ast::Item::Struct(item) => named(item.name(), "class"),
            ast::Item::Trait(item) => named(item.name(), "class"),
            ast::Item::TypeAlias(item) => named(item.name(), "class"),
            _ => None,
        })
        .collect()
}

/// A type by its capital, otherwise a function.
fn kind_of(name: &str) -> &'static str {
    match name.starts_with(char::is_uppercase) {
        true => "class",
        false => "function",
    }
}

/// What the runtime's prelude brings into scope.
fn prelude() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        runtime_sources().map_or_else(Vec::new, |sources| {
            exported(&sources.join("src/prelude.rs"))
        })
    })
}

/// The names that the `use` items of a file bring into scope.
fn exported(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let parsed = SourceFile::parse(&text, Edition::Edition2024);
    let trees = parsed
        .tree()
        .syntax()
        .descendants()
        .filter_map(ast::UseTree::cast);
    let names: BTreeSet<String> = trees
        .filter(|tree| tree.use_tree_list().is_none() && tree.star_token().is_none())
        .filter_map(|tree| match tree.rename() {
            Some(rename) => Some(rename.name()?.text().to_string()),
            None => Some(tree.path()?.segment()?.name_ref()?.text().to_string()),
        })
        .filter(|name| name != T![self].text())
        .collect();
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::Variable;

    /// The completions at the end of `code`.
    fn check(code: &str, expect: &[&str]) {
        let view = SessionView {
            items: vec![
                "pub fn grow() {}\nstruct Grove;".to_owned(),
                "use std::fmt;".to_owned(),
            ],
            variables: vec![Variable {
                name: "größe".to_owned(),
                ..Variable::default()
            }],
            ..SessionView::default()
        };
        let found = complete(&view, code, code.len());
        let texts: Vec<&str> = found.matches.iter().map(|found| &found.text[..]).collect();
        assert_eq!(texts, expect, "{code:?}");
    }

    #[test]
    fn variables_items_prelude_language() {
        check("grö", &["größe"]);
        check("1 + gro", &["grow"]);
        check("Gro", &["Grove"]);
        check("prin", &["println!"]);
        check("x.gr", &[]);
        check("a::gr", &[]);
        check("", &[]);
    }

    #[test]
    fn what_the_runtimes_prelude_exports() {
        check("read_cs", &["read_csv"]);
        check("Arra", &["Array"]);
    }
}
