//! Completion of the contents of a module: `polars::prelude::`.
//!
//! rust-analyzer renders each item from its source, and drops the syntax trees
//! of all but 128 files whenever the text changes: a prelude of items from
//! three hundred files cost 0.15 s a request. Names and kinds are in memory.

use ra_ap_hir::{Module, ModuleDef, PathResolution, ScopeDef, Semantics};
use ra_ap_ide::{Edition, RootDatabase};
use ra_ap_syntax::ast::make;
use ra_ap_syntax::{AstNode as _, SyntaxKind};

use super::answer::size;
use super::context::is_internal;
use super::protocol::{Completions, Match};
use super::world::{CELL, World};

/// Completes at `position` of the code, which begins at `before` of the cell's
/// text; `None` where no path into a module precedes it.
pub(super) fn complete(
    world: &World,
    before: usize,
    code: &str,
    position: usize,
) -> Option<Completions> {
    let (path, start) = path_before(code, position)?;
    let database = world.database();
    ra_ap_hir::attach_db(database, || {
        let semantics = Semantics::new(database);
        let file = semantics.parse_guess_edition(CELL);
        let at = size(before + start);
        let token = file.syntax().token_at_offset(at).left_biased()?;
        // Nothing is completed in comments and strings.
        if matches!(token.kind(), SyntaxKind::COMMENT | SyntaxKind::STRING) {
            return None;
        }
        let scope = semantics.scope_at_offset(&token.parent()?, at)?;
        let resolved = scope.speculative_resolve(&make::path_from_text(path))?;
        let PathResolution::Def(ModuleDef::Module(module)) = resolved else {
            return None;
        };
        let typed = &code[start..position];
        let mut matches: Vec<Match> = module
            .scope(database, Some(scope.module()))
            .into_iter()
            .filter_map(|(name, item)| {
                let name = name.display(database, Edition::Edition2024).to_string();
                (name.starts_with(typed)
                    && !is_internal(&name)
                    && is_public(database, module, &item))
                .then(|| Match {
                    text: inserted(&name, &item),
                    kind: kind(&item).to_owned(),
                    signature: String::new(),
                })
            })
            .collect();
        matches.sort_by(|a, b| key(a).cmp(&key(b)));
        matches.dedup_by(|a, b| a.text == b.text);
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        let rest = &code[position..];
        let end = position
            + rest
                .find(|character| !is_part(character))
                .unwrap_or(rest.len());
        Some(Completions {
            start,
            end,
            matches,
        })
    })
}

/// Sorts by name; names that begin with `_` come last.
fn key(found: &Match) -> (bool, &str) {
    (found.text.starts_with('_'), &found.text)
}

/// Returns the path that ends with `::` before the word at `position`, and
/// where that word starts.
fn path_before(code: &str, position: usize) -> Option<(&str, usize)> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let before = &code[..position];
    let start = before.trim_end_matches(is_part).len();
    let path = before[..start].strip_suffix("::")?;
    let first = path
        .trim_end_matches(|character| is_part(character) || character == ':')
        .len();
    // In `use a::{b::` this is only part of the path; `x.a::b` is not a path.
    let outside = code[..first].trim_end();
    let path = &path[first..];
    let is_whole = !path.is_empty()
        && !outside.ends_with(['.', '>', '{', ',', ':', '\''])
        && path.split("::").all(|segment| {
            segment.starts_with(|first: char| first.is_alphabetic() || first == '_')
                && segment.chars().all(is_part)
        });
    is_whole.then_some((path, start))
}

/// Returns whether an item is for users: stable, and not hidden from the
/// documentation.
fn is_public(database: &RootDatabase, module: Module, item: &ScopeDef<'_>) -> bool {
    let ScopeDef::ModuleDef(item) = item else {
        return false;
    };
    let Some(attributes) = item.attrs(database) else {
        return true;
    };
    let is_own = module.krate(database).origin(database).is_local();
    !attributes.is_unstable() && (is_own || !attributes.is_doc_hidden())
}

/// Returns the text to insert; a macro gets its `!`.
fn inserted(name: &str, item: &ScopeDef<'_>) -> String {
    let mark = match item {
        ScopeDef::ModuleDef(ModuleDef::Macro(_)) => "!",
        _ => "",
    };
    format!("{name}{mark}")
}

/// Returns JupyterLab's name for the kind of an item.
fn kind(item: &ScopeDef<'_>) -> &'static str {
    match item {
        ScopeDef::ModuleDef(item) => match item {
            ModuleDef::Module(_) => "module",
            ModuleDef::Function(_) | ModuleDef::Macro(_) => "function",
            ModuleDef::Adt(_)
            | ModuleDef::Trait(_)
            | ModuleDef::TypeAlias(_)
            | ModuleDef::BuiltinType(_) => "class",
            ModuleDef::EnumVariant(_) | ModuleDef::Const(_) | ModuleDef::Static(_) => "instance",
        },
        _ => "instance",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let path =
            |code| path_before(code, str::len(code)).map(|(path, start)| (path, &code[start..]));
        assert_eq!(path("std::"), Some(("std", "")));
        assert_eq!(path("let x = a::b_1::c"), Some(("a::b_1", "c")));
        assert_eq!(path("f(größe::Gr"), Some(("größe", "Gr")));
        assert_eq!(path("use std::io"), Some(("std", "io")));
        for code in [
            "std",
            "x.",
            "x.a::",
            "use std::{io::",
            "use std::{a, io::",
            "Vec::<i32>::",
            "<T>::",
            "::std::",
            "a::<b>::c",
            "1::",
        ] {
            assert_eq!(path(code), None, "{code}");
        }
    }
}
