//! The variables that a pattern binds.

use ra_ap_syntax::AstNode;
use ra_ap_syntax::ast::{self, HasName};

/// The variables that a pattern binds, and where their names stand in it.
pub(crate) fn variables(pattern: &ast::Pat) -> impl Iterator<Item = (String, ast::IdentPat)> {
    pattern
        .syntax()
        .descendants()
        .filter_map(ast::IdentPat::cast)
        .filter_map(|ident| {
            let name = ident.name()?.text().to_string();
            // `None` in a pattern is no variable.
            let is_constant = name.starts_with(char::is_uppercase) && ident.pat().is_none();
            (!is_constant).then_some((name, ident))
        })
}
