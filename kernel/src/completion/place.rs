//! Determines what can stand at the cursor, from the text before it.
//!
//! Only that text is parsed: the line is half typed, and the following text would
//! be parsed as its continuation. Open blocks end where the text ends, so the nodes
//! around the cursor in the tree are those around it in the cell.

use std::ops::Range;

use ra_ap_parser::LexedStr;
use ra_ap_syntax::ast;
use ra_ap_syntax::{
    AstNode as _, Edition, NodeOrToken, SourceFile, SyntaxKind, SyntaxNode, SyntaxToken, T,
};

use super::DEEPEST;
use super::cursor::identifier_at;
use crate::syntax::is_deeper_than;

/// Puts code where statements and expressions are allowed.
const BEFORE: &str = "fn __swath_cell() {\n";
/// Is appended to the typed text, so that it is an identifier and never a keyword.
const MARK: &str = "__swath_mark";

/// The text up to the cursor, as a tree.
#[derive(Debug)]
pub(super) struct Cursor {
    /// The range that a completion replaces.
    pub(super) replaced: Range<usize>,
    /// The word at the cursor, in the tree.
    pub(super) token: SyntaxToken,
    pub(super) place: CursorPlace,
}

/// What can stand at the cursor.
#[derive(Debug)]
pub(super) enum CursorPlace {
    /// A name in scope.
    Name(Wanted),
    /// A field or a method of this expression.
    Member(ast::Expr),
    /// The name after `Type::`.
    Path(ast::Path),
    /// A field in `Type { … }`, other than those already given.
    Field { of: ast::Path, given: Vec<String> },
    /// A new name, or something only the analyzer can complete.
    Unknown,
}

/// The kind of names wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Any,
    Type,
    Pattern,
    /// The first part of a `use`.
    Import,
}

impl Cursor {
    /// Parses `code` up to byte `position`. Returns `None` in comments, literals
    /// and lifetimes, where nothing can be completed.
    pub(super) fn at(code: &str, position: usize) -> Option<Self> {
        let replaced = identifier_at(code, position).unwrap_or(position..position);
        let lexed = LexedStr::new(Edition::Edition2024, &code[..position]);
        if !lexed.is_empty() && is_wordless(&lexed, lexed.len() - 1) {
            return None;
        }
        let text = format!("{BEFORE}{}{MARK}", prepared(&lexed)?);
        let root = SourceFile::parse(&text, Edition::Edition2024).syntax_node();
        let last = root.token_at_offset(root.text_range().end()).left_biased();
        let token = last.filter(|token| {
            // If the lexer did not make it an identifier, it is not a name.
            token.kind() == SyntaxKind::IDENT && token.text().ends_with(MARK)
        })?;
        let place = place(&token);
        Some(Self {
            replaced,
            token,
            place,
        })
    }
}

/// Returns whether `name` is the word at the cursor.
pub(super) fn is_mark(name: &str) -> bool {
    name.ends_with(MARK)
}

/// Returns whether a function is the one around the cell.
pub(super) fn is_cell(function: &ast::Fn) -> bool {
    function
        .syntax()
        .parent()
        .is_some_and(|parent| parent.kind() == SyntaxKind::SOURCE_FILE)
        && function.syntax().text_range().start() == 0.into()
}

/// Returns the offset in the tree of byte `at` of a cell's text.
pub(super) fn offset(at: usize) -> usize {
    BEFORE.len() + at
}

/// Parses a cell's text, or the part behind the cursor, as statements.
pub(super) fn parse(rest: &str) -> Option<SyntaxNode> {
    let lexed = LexedStr::new(Edition::Edition2024, rest);
    let text = format!("{BEFORE}{}", prepared(&lexed)?);
    Some(SourceFile::parse(&text, Edition::Edition2024).syntax_node())
}

/// Returns the text with blanks in place of unmatched closing braces, which would
/// end the cell, and of the `!` of macro calls: the contents of `vec![…]` and
/// `println!(…)` are then parsed like those of brackets and calls. Returns `None`
/// if the text is nested too deeply.
fn prepared(lexed: &LexedStr<'_>) -> Option<String> {
    if is_deeper_than(DEEPEST, lexed) {
        return None;
    }
    let mut prepared = lexed.as_str().as_bytes().to_vec();
    let mut open = Vec::new();
    for at in 0..lexed.len() {
        let start = lexed.text_start(at);
        match lexed.kind(at) {
            T!['('] => open.push(T![')']),
            T!['['] => open.push(T![']']),
            T!['{'] => open.push(T!['}']),
            kind @ (T![')'] | T![']'] | T!['}']) => {
                match open.iter().rposition(|&closing| closing == kind) {
                    Some(matching) => open.truncate(matching),
                    None => prepared[start] = b' ',
                }
            }
            T![!] if at > 0 && at + 1 < lexed.len() => {
                let is_mark =
                    lexed.kind(at - 1) == SyntaxKind::IDENT && lexed.text(at - 1) != "macro_rules";
                if is_mark && matches!(lexed.kind(at + 1), T!['('] | T!['[']) {
                    prepared[start] = b' ';
                }
            }
            _ => {}
        }
    }
    String::from_utf8(prepared).ok()
}

/// Returns whether text directly after a token would be part of it instead of a
/// name.
fn is_wordless(lexed: &LexedStr<'_>, at: usize) -> bool {
    let is_open = lexed.error(at).is_some();
    match lexed.kind(at) {
        SyntaxKind::COMMENT => is_open || lexed.text(at).starts_with("//"),
        SyntaxKind::FLOAT_NUMBER => !lexed.text(at).ends_with('.'),
        SyntaxKind::INT_NUMBER | SyntaxKind::LIFETIME_IDENT | SyntaxKind::SHEBANG => true,
        SyntaxKind::CHAR
        | SyntaxKind::BYTE
        | SyntaxKind::STRING
        | SyntaxKind::BYTE_STRING
        | SyntaxKind::C_STRING => is_open,
        _ => false,
    }
}

fn place(token: &SyntaxToken) -> CursorPlace {
    place_in_tree(token).unwrap_or(CursorPlace::Unknown)
}

fn place_in_tree(token: &SyntaxToken) -> Option<CursorPlace> {
    let node = token.parent()?;
    let parent = node.parent()?;
    if node.ancestors().any(|node| node.kind() == SyntaxKind::ATTR) {
        return None;
    }
    match node.kind() {
        SyntaxKind::NAME_REF => match parent.kind() {
            SyntaxKind::FIELD_EXPR => ast::FieldExpr::cast(parent)?
                .expr()
                .map(CursorPlace::Member),
            SyntaxKind::METHOD_CALL_EXPR => ast::MethodCallExpr::cast(parent)?
                .receiver()
                .map(CursorPlace::Member),
            SyntaxKind::PATH_SEGMENT => in_path(&parent),
            _ => None,
        },
        SyntaxKind::NAME => {
            let pattern = ast::IdentPat::cast(parent)?;
            let around = pattern.syntax().parent()?;
            if around.kind() == SyntaxKind::RECORD_PAT_FIELD {
                return field(&around);
            }
            // A parameter is a new name most of the time.
            (around.kind() != SyntaxKind::PARAM).then_some(CursorPlace::Name(Wanted::Pattern))
        }
        // Tokens of a macro call, and text that the parser does not understand.
        SyntaxKind::TOKEN_TREE | SyntaxKind::ERROR => {
            let mut before = token.prev_token();
            while let Some(token) = before.take_if(|token| token.kind().is_trivia()) {
                before = token.prev_token();
            }
            let is_name = !matches!(before?.kind(), T![.] | T![:] | T![::] | T![$]);
            is_name.then_some(CursorPlace::Name(Wanted::Any))
        }
        _ => None,
    }
}

fn in_path(segment: &SyntaxNode) -> Option<CursorPlace> {
    let path = ast::Path::cast(segment.parent()?)?;
    let around = path.syntax().parent()?;
    if let Some(qualifier) = path.qualifier() {
        let in_use = path
            .syntax()
            .ancestors()
            .any(|node| matches!(node.kind(), SyntaxKind::USE | SyntaxKind::VISIBILITY));
        return (!in_use).then_some(CursorPlace::Path(qualifier));
    }
    // `::a` is a crate's name.
    let first = segment.first_token()?;
    if first.kind() != SyntaxKind::IDENT {
        return None;
    }
    let wanted = match around.kind() {
        SyntaxKind::PATH_TYPE => Wanted::Type,
        SyntaxKind::PATH_PAT | SyntaxKind::TUPLE_STRUCT_PAT | SyntaxKind::RECORD_PAT => {
            Wanted::Pattern
        }
        SyntaxKind::USE_TREE => {
            (around.parent()?.kind() == SyntaxKind::USE).then_some(Wanted::Import)?
        }
        SyntaxKind::VISIBILITY => return None,
        SyntaxKind::PATH_EXPR => {
            let outside = around.parent()?;
            if outside.kind() == SyntaxKind::RECORD_EXPR_FIELD
                && let Some(place) = field(&outside)
            {
                return Some(place);
            }
            Wanted::Any
        }
        _ => Wanted::Any,
    };
    Some(CursorPlace::Name(wanted))
}

/// Returns the place for a field of a record that has no value yet.
fn field(node: &SyntaxNode) -> Option<CursorPlace> {
    let has_colon = node
        .children_with_tokens()
        .any(|child| child.kind() == T![:]);
    let list = node.parent()?;
    let record = list.parent()?;
    let of = record.children().find_map(ast::Path::cast)?;
    let given = list
        .children()
        .filter(|other| other != node)
        .filter_map(|other| match other.first_child_or_token()? {
            NodeOrToken::Node(first) => Some(first.text().to_string()),
            NodeOrToken::Token(_) => None,
        })
        .collect();
    (!has_colon).then_some(CursorPlace::Field { of, given })
}
