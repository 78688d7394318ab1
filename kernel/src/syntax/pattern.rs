//! The variables that a pattern binds.

use ra_ap_syntax::AstNode;
use ra_ap_syntax::ast::{self, HasName};

/// Returns the variables that a pattern binds, with the nodes of their names.
pub(crate) fn variables(pattern: &ast::Pat) -> impl Iterator<Item = (String, ast::IdentPat)> {
    pattern
        .syntax()
        .descendants()
        .filter_map(ast::IdentPat::cast)
        .filter_map(|ident| {
            let name = ident.name()?.text().to_string();
            // `None` in a pattern is not a variable.
            let is_constant = name.starts_with(char::is_uppercase) && ident.pat().is_none();
            (!is_constant).then_some((name, ident))
        })
}
