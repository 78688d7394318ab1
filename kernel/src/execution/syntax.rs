//! Queries on the syntax trees of cells: places, names, whether code runs many
//! times.

use ra_ap_syntax::ast::{self, HasArgList};
use ra_ap_syntax::{
    AstNode, AstToken, Edition, SourceFile, SyntaxElement, SyntaxKind, SyntaxNode, TextRange,
};
use std::collections::BTreeSet;
use std::ops::Range;

/// The function around a cell while it is parsed.
pub(super) const CELL: &str = "swath_cell";
pub(super) const HEAD: &str = "fn swath_cell() {";

pub(super) fn to_cell(range: TextRange) -> Range<usize> {
    usize::from(range.start()) - HEAD.len()..usize::from(range.end()) - HEAD.len()
}

/// Returns a node's range without the comments before it, which the parser
/// includes. Documentation is kept.
pub(super) fn without_comments(node: &SyntaxNode) -> TextRange {
    let is_code = |element: &SyntaxElement| match element.as_token() {
        Some(token) => match ast::Comment::cast(token.clone()) {
            Some(comment) => comment.is_doc(),
            None => token.kind() != SyntaxKind::WHITESPACE,
        },
        None => true,
    };
    let start = node
        .children_with_tokens()
        .find(is_code)
        .map(|element| element.text_range().start());
    TextRange::new(
        start.unwrap_or(node.text_range().start()),
        node.text_range().end(),
    )
}

/// Returns the `move` closures and blocks below a node.
pub(super) fn moving_closures(node: &SyntaxNode) -> Vec<Range<usize>> {
    let is_moving = |node: &SyntaxNode| {
        let closure = ast::ClosureExpr::cast(node.clone());
        let block = ast::BlockExpr::cast(node.clone());
        closure.is_some_and(|closure| closure.move_token().is_some())
            || block.is_some_and(|block| block.move_token().is_some())
    };
    let moving = node.descendants().filter(is_moving);
    moving.map(|node| to_cell(node.text_range())).collect()
}

/// Methods that process many elements, and macros that hide loops.
const REPEATING: &[&str] = &[
    "bytes",
    "chars",
    "chunks",
    "dedup",
    "extend",
    "into_iter",
    "into_par_iter",
    "iter",
    "iter_mut",
    "lines",
    "par_iter",
    "retain",
    "sort_unstable",
    "split",
    "split_whitespace",
    "windows",
];

/// Returns whether a call is `sort()`. A frame's `sort` has arguments and is
/// compiled already.
fn sorts_in_place(call: &ast::MethodCallExpr) -> bool {
    let name = call.name_ref().is_some_and(|name| name.text() == "sort");
    name && call
        .arg_list()
        .is_some_and(|list| list.args().next().is_none())
}

/// Returns whether code may run many times: a loop, a closure, an iterator.
pub(super) fn repeats(node: &SyntaxNode) -> bool {
    node.descendants_with_tokens().any(|element| match element {
        SyntaxElement::Node(node) => {
            matches!(
                node.kind(),
                SyntaxKind::FOR_EXPR
                    | SyntaxKind::WHILE_EXPR
                    | SyntaxKind::LOOP_EXPR
                    | SyntaxKind::CLOSURE_EXPR
            ) || ast::MethodCallExpr::cast(node).is_some_and(|call| sorts_in_place(&call))
        }
        SyntaxElement::Token(token) => match token.kind() {
            // A macro's arguments are only tokens.
            SyntaxKind::FOR_KW | SyntaxKind::WHILE_KW | SyntaxKind::LOOP_KW => token
                .parent()
                .is_some_and(|parent| parent.kind() == SyntaxKind::TOKEN_TREE),
            SyntaxKind::IDENT => REPEATING.contains(&token.text()),
            _ => false,
        },
    })
}

/// Returns every name in a piece of Rust, to find out which items refer to
/// which.
pub(super) fn names_in(code: &str) -> BTreeSet<String> {
    names_below(&SourceFile::parse(code, Edition::Edition2024).syntax_node())
}

pub(super) fn names_below(node: &SyntaxNode) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for element in node.descendants_with_tokens() {
        let Some(token) = element.as_token() else {
            continue;
        };
        match token.kind() {
            SyntaxKind::IDENT => {
                names.insert(token.text().trim_start_matches("r#").to_owned());
            }
            SyntaxKind::STRING => names.extend(format_arguments(token.text())),
            _ => {}
        }
    }
    names
}

/// Returns the names in the braces of a format string: `"{x:>8} {y}"` → x, y.
fn format_arguments(literal: &str) -> Vec<String> {
    literal
        .split('{')
        .skip(1)
        .flat_map(|rest| {
            let end = rest.find('}').unwrap_or(rest.len());
            rest[..end]
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|name| name.starts_with(|c: char| c.is_alphabetic() || c == '_'))
        .collect()
}
