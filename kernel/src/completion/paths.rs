//! Converts the path of a type's definition to a path that code can name.
//!
//! The kernel learns the names of types from the running program, which reports
//! where they are defined, for example in a private module:
//! `swath::frame::dataframe::DataFrame`.

use std::collections::BTreeMap;

use ra_ap_hir::Semantics;
use ra_ap_syntax::AstNode as _;
use ra_ap_syntax::ast::make;

use super::world::{CELL, World};
use crate::view::SessionView;

/// A cache of the paths that were looked up.
#[derive(Debug, Default)]
pub(super) struct PublicPaths(BTreeMap<String, String>);

impl PublicPaths {
    /// Returns `view` with types that resolve, where such a path exists.
    pub(super) fn mend(&mut self, world: &World, view: &SessionView) -> SessionView {
        let mut view = view.clone();
        for variable in &mut view.variables {
            variable.type_name = self.mend_type(&variable.type_name, &|path| resolves(world, path));
        }
        view
    }

    /// Clears the cache, because different names may resolve now.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    fn mend_type(&mut self, type_name: &str, resolves: &dyn Fn(&str) -> bool) -> String {
        let is_part = |character: char| character.is_alphanumeric() || "_:".contains(character);
        let mut mended = String::new();
        let mut rest = type_name;
        while let Some(start) = rest.find(is_part) {
            mended.push_str(&rest[..start]);
            rest = &rest[start..];
            let end = rest
                .find(|character| !is_part(character))
                .unwrap_or(rest.len());
            let path = &rest[..end];
            let found = self
                .0
                .entry(path.to_owned())
                .or_insert_with(|| public(path, resolves));
            mended.push_str(found);
            rest = &rest[end..];
        }
        mended.push_str(rest);
        mended
    }
}

/// Returns the first of `a::b::c::T`, `a::b::T` and `a::T` that resolves, or
/// the path unchanged.
fn public(path: &str, resolves: &dyn Fn(&str) -> bool) -> String {
    let parts: Vec<&str> = path.split("::").collect();
    let is_path = parts.len() > 2
        && parts
            .iter()
            .all(|part| !part.is_empty() && !part.contains(':'));
    if !is_path || resolves(path) {
        return path.to_owned();
    }
    let (last, modules) = (parts[parts.len() - 1], &parts[..parts.len() - 1]);
    (1..modules.len())
        .rev()
        .map(|kept| format!("{}::{last}", modules[..kept].join("::")))
        .find(|shorter| resolves(shorter))
        .unwrap_or_else(|| path.to_owned())
}

/// Returns whether a cell can name the path.
fn resolves(world: &World, path: &str) -> bool {
    let database = world.database();
    ra_ap_hir::attach_db(database, || {
        let semantics = Semantics::new(database);
        let file = semantics.parse_guess_edition(CELL);
        semantics
            .scope(file.syntax())
            .and_then(|scope| scope.speculative_resolve(&make::path_from_text(path)))
            .is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_module_is_left_out() {
        let public = |path: &str| ["a::b::T", "c::U", "d::e::f::V"].contains(&path);
        let mut paths = PublicPaths::default();
        let mut check = |name, expect| assert_eq!(paths.mend_type(name, &public), expect, "{name}");
        check("a::b::hidden::T", "a::b::T");
        check("&[Vec<c::d::e::U>; 2]", "&[Vec<c::U>; 2]");
        check("(d::e::f::V, i32)", "(d::e::f::V, i32)");
        check("x::y::Z", "x::y::Z");
        check("Point", "Point");
        check("", "");
    }
}
