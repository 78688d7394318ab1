//! Names of columns inside string literals: `users.filter(col("…"))`.
//!
//! Which frame's columns are offered: those of the frame whose method call
//! surrounds the literal, if that frame is a variable of the session or is derived
//! from one in the same cell. Otherwise those of the frames that the statement
//! names, or of all frames.

use std::collections::BTreeSet;

use ra_ap_parser::LexedStr;
use ra_ap_syntax::ast::{self, HasArgList as _, HasName as _};
use ra_ap_syntax::{AstNode as _, Edition, SourceFile, SyntaxKind, SyntaxNode, T};

use super::DEEPEST;
use super::literal::Literal;
use super::protocol::{Completions, Match};
use crate::syntax::is_deeper_than;
use crate::view::{SessionView, Variable};

/// Functions that take column names.
const FUNCTIONS: &[&str] = &["by_name", "col", "cols"];

/// Methods of frames that take column names: ours and Polars'.
const METHODS: &[&str] = &[
    "agg",
    "bottom_k",
    "by_name",
    "column",
    "drop",
    "drop_columns",
    "drop_duplicates",
    "drop_in_place",
    "drop_many",
    "drop_nulls",
    "exclude",
    "explode",
    "filter",
    "full_join",
    "get_column_index",
    "group_by",
    "group_by_dynamic",
    "group_by_stable",
    "inner_join",
    "join",
    "left_join",
    "over",
    "partition_by",
    "partition_by_stable",
    "pivot",
    "rename",
    "rename_many",
    "select",
    "select_columns",
    "set_column",
    "sort",
    "sort_by",
    "sort_by_exprs",
    "top_k",
    "try_get_column_index",
    "unique",
    "unique_by",
    "unique_generic",
    "unique_stable",
    "unpivot",
    "with_column",
    "with_columns",
];

/// Macros whose literals are format strings, which may contain names of variables.
const FORMATS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "panic",
    "print",
    "println",
    "todo",
    "unimplemented",
    "unreachable",
    "write",
    "writeln",
];

/// The purpose of a literal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It may name one of these columns, given as names and types.
    Column(Vec<(String, String)>),
    /// It is a format string.
    Format,
    /// It may be anything: a path, a value.
    Unknown,
}

/// How many steps from one variable of a cell to the next are followed.
const DEPTH: usize = 16;

const BEFORE: &str = "fn __swath_cell() {\n";

/// Returns the purpose of the literal at the end of `before`, the code up to the
/// cursor.
pub(super) fn purpose(view: &SessionView, before: &str, literal: &Literal) -> Purpose {
    if is_deeper_than(DEEPEST, &LexedStr::new(Edition::Edition2024, before)) {
        return Purpose::Unknown;
    }
    let text = format!("{BEFORE}{}{}", without_marks(before), literal.end());
    let parsed = SourceFile::parse(&text, Edition::Edition2024);
    let root = parsed.syntax_node();
    let Some(token) = root
        .descendants_with_tokens()
        .filter_map(|element| element.into_token())
        .filter(|token| {
            matches!(
                token.kind(),
                SyntaxKind::STRING | SyntaxKind::BYTE_STRING | SyntaxKind::C_STRING
            )
        })
        .last()
    else {
        return Purpose::Unknown;
    };
    let Some(node) = token.parent() else {
        return Purpose::Unknown;
    };
    let cell = Cell { view, root: &root };
    match taker(&node) {
        Some(Taker::Columns) => Purpose::Column(cell.columns(&node)),
        Some(Taker::Index(base)) => match cell.frame(&base, DEPTH) {
            Some(frame) => Purpose::Column(frame.description.columns.clone()),
            None => Purpose::Unknown,
        },
        Some(Taker::Format) => Purpose::Format,
        None => Purpose::Unknown,
    }
}

/// Returns the columns that begin with the typed text.
pub(super) fn complete(
    columns: Vec<(String, String)>,
    code: &str,
    literal: &Literal,
) -> Completions {
    let range = literal.replaced(code, literal.written_at(0), &[]);
    let mut seen = BTreeSet::new();
    Completions {
        start: range.start,
        end: range.end,
        matches: columns
            .into_iter()
            .filter(|(name, _)| {
                name.as_bytes().starts_with(literal.value()) && seen.insert(name.clone())
            })
            .filter_map(|(name, dtype)| {
                Some(Match {
                    text: literal.write(&name)?,
                    kind: "column".to_owned(),
                    signature: dtype,
                })
            })
            .collect(),
    }
}

/// Returns the code with blanks in place of the `!` of macro calls. The contents
/// of `vec![…]` and `println!(…)` are then parsed like those of brackets and
/// calls.
fn without_marks(code: &str) -> String {
    let parsed = SourceFile::parse(code, Edition::Edition2024);
    let mut text = code.as_bytes().to_vec();
    let mut last = None;
    for element in parsed.syntax_node().descendants_with_tokens() {
        let Some(token) = element.into_token() else {
            continue;
        };
        let kind = token.kind();
        let at = usize::from(token.text_range().start());
        let is_mark = kind == T![!] && last == Some(SyntaxKind::IDENT);
        if is_mark && text.get(at + 1).is_some_and(|next| b"([{".contains(next)) {
            text[at] = b' ';
        }
        last = Some(kind);
    }
    String::from_utf8(text).unwrap_or_else(|_| code.to_owned())
}

/// The kind of expression that takes a literal.
enum Taker {
    /// A function or method that takes column names.
    Columns,
    /// An index expression.
    Index(ast::Expr),
    /// A macro that takes a format string.
    Format,
}

/// Returns the expression that takes the literal, directly or as part of a list.
fn taker(literal: &SyntaxNode) -> Option<Taker> {
    for node in literal.ancestors().skip(1) {
        match node.kind() {
            SyntaxKind::ARRAY_EXPR
            | SyntaxKind::TUPLE_EXPR
            | SyntaxKind::PAREN_EXPR
            | SyntaxKind::REF_EXPR
            | SyntaxKind::ARG_LIST
            | SyntaxKind::ERROR => {}
            SyntaxKind::INDEX_EXPR => {
                let base = ast::IndexExpr::cast(node)?.base()?;
                if name_of(&base)? != "vec" {
                    return Some(Taker::Index(base));
                }
            }
            SyntaxKind::CALL_EXPR => {
                let name = name_of(&ast::CallExpr::cast(node)?.expr()?)?;
                return match &*name {
                    name if FUNCTIONS.contains(&name) => Some(Taker::Columns),
                    name if FORMATS.contains(&name) => Some(Taker::Format),
                    _ => None,
                };
            }
            SyntaxKind::METHOD_CALL_EXPR => {
                let name = ast::MethodCallExpr::cast(node)?
                    .name_ref()?
                    .text()
                    .to_string();
                return METHODS.contains(&&*name).then_some(Taker::Columns);
            }
            _ => return None,
        }
    }
    None
}

/// Returns the last name of a path.
fn name_of(expression: &ast::Expr) -> Option<String> {
    let ast::Expr::PathExpr(path) = expression else {
        return Some(String::new());
    };
    Some(path.path()?.segment()?.name_ref()?.text().to_string())
}

/// The code up to the cursor, and the session before it.
struct Cell<'a> {
    view: &'a SessionView,
    root: &'a SyntaxNode,
}

impl Cell<'_> {
    /// Returns the columns that may be meant at a place.
    fn columns(&self, place: &SyntaxNode) -> Vec<(String, String)> {
        // The nearest call comes first: in
        // `users.filter(col("a").is_in(other.column("b")))`.
        let around = place.ancestors().filter_map(ast::MethodCallExpr::cast);
        for call in around {
            let is_argument = call.arg_list().is_some_and(|list| {
                list.syntax()
                    .text_range()
                    .contains_range(place.text_range())
            });
            let receiver = call.receiver().filter(|_| is_argument);
            if let Some(frame) = receiver.and_then(|receiver| self.frame(&receiver, DEPTH)) {
                return frame.description.columns.clone();
            }
        }
        let statement = place
            .ancestors()
            .find(|node| {
                ast::Stmt::can_cast(node.kind())
                    || node
                        .parent()
                        .is_some_and(|parent| parent.kind() == SyntaxKind::STMT_LIST)
            })
            .unwrap_or_else(|| self.root.clone());
        let named: BTreeSet<String> = statement
            .descendants()
            .filter_map(ast::NameRef::cast)
            .map(|name| name.text().to_string())
            .collect();
        let (here, elsewhere): (Vec<&Variable>, Vec<&Variable>) = self
            .view
            .variables
            .iter()
            .filter(|variable| !variable.description.columns.is_empty())
            .partition(|variable| named.contains(&variable.name));
        let frames = if here.is_empty() { elsewhere } else { here };
        frames
            .into_iter()
            .flat_map(|frame| frame.description.columns.clone())
            .collect()
    }

    /// Returns the session variable that an expression is derived from by methods,
    /// if it has columns.
    fn frame(&self, expression: &ast::Expr, depth: usize) -> Option<&Variable> {
        let depth = depth.checked_sub(1)?;
        let inner = match expression {
            ast::Expr::MethodCallExpr(call) => call.receiver(),
            ast::Expr::TryExpr(tried) => tried.expr(),
            ast::Expr::ParenExpr(paren) => paren.expr(),
            ast::Expr::RefExpr(borrowed) => borrowed.expr(),
            ast::Expr::AwaitExpr(awaited) => awaited.expr(),
            ast::Expr::PathExpr(_) => {
                let name = name_of(expression)?;
                return match self.binding(&name, expression) {
                    Some(value) => self.frame(&value?, depth),
                    None => self.view.variables.iter().find(|variable| {
                        variable.name == name && !variable.description.columns.is_empty()
                    }),
                };
            }
            _ => None,
        };
        self.frame(&inner?, depth)
    }

    /// Returns the value that a variable is bound to in the cell before it is
    /// used; `Some(None)` if the binding has no initializer.
    fn binding(&self, name: &str, used: &ast::Expr) -> Option<Option<ast::Expr>> {
        let before = used.syntax().text_range().start();
        self.root
            .descendants()
            .filter_map(ast::LetStmt::cast)
            .filter(|bound| bound.syntax().text_range().end() <= before)
            .filter(|bound| {
                matches!(bound.pat(), Some(ast::Pat::IdentPat(pattern))
                    if pattern.name().is_some_and(|found| found.text() == name))
            })
            .last()
            .map(|bound| bound.initializer())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use swath_channel::Description;

    fn view() -> SessionView {
        let frame = |name: &str, columns: &[&str]| Variable {
            name: name.to_owned(),
            description: Arc::new(Description {
                columns: columns
                    .iter()
                    .map(|column| ((*column).to_owned(), "i64".to_owned()))
                    .collect(),
                ..Description::default()
            }),
            ..Variable::default()
        };
        SessionView {
            variables: vec![
                frame("number", &[]),
                frame("ratings", &["rating", "user_id"]),
                frame("users", &["age", "a \"b\" \\", "user_id", "größe"]),
            ],
            ..SessionView::default()
        }
    }

    /// Checks the texts offered at `|`, or the purpose of the literal if it is no
    /// column.
    fn check(marked: &str, expect: &str) {
        let cursor = marked.find('|').unwrap();
        let code = marked.replacen('|', "", 1);
        let literal = Literal::at(&code, cursor).unwrap();
        let found = match purpose(&view(), &code[..cursor], &literal) {
            Purpose::Column(columns) => complete(columns, &code, &literal)
                .matches
                .into_iter()
                .map(|found| found.text)
                .collect::<Vec<_>>()
                .join(" "),
            other => format!("{other:?}"),
        };
        assert_eq!(found, expect, "{marked}");
    }

    #[test]
    fn whose_columns() {
        const USERS: &str = r#"age a \"b\" \\ user_id größe"#;
        const RATINGS: &str = "rating user_id";
        const ALL: &str = r#"rating user_id age a \"b\" \\ größe"#;
        for (marked, expect) in [
            // The receiver's.
            (r#"users.filter(col("|"#, USERS),
            (r#"users.filter(col("|").gt(lit(30)))"#, USERS),
            (r#"users.filter(col("ag|e").gt(lit(30)))"#, "age"),
            (r#"users.select(["age", "|"])"#, USERS),
            (r#"users.select(vec!["age", "|"])"#, USERS),
            (r#"users.select(&["age", "|"])"#, USERS),
            (r#"users.filter(col("age").gt(1)).select("|"#, USERS),
            (r#"users.clone().group_by([col("|"#, USERS),
            (r#"(&users).column("|"#, USERS),
            (r#"users.head(5)?.column("|"#, USERS),
            (r#"ratings.join(&users, ["|"], JoinType::Inner)"#, RATINGS),
            (
                r#"ratings.group_by("user_id").agg([col("|").mean()])"#,
                RATINGS,
            ),
            (r#"ratings.with_column("x", when(col("|"#, RATINGS),
            (r#"ratings.filter(col("rating").gt(users.column("|"#, USERS),
            (r#"ratings.filter(col("rating").gt(col("|"#, RATINGS),
            (r#"users["|"]"#, USERS),
            (r#"let x = users.select(cols(["|"#, USERS),
            (r#"for name in ["a"] { users.column("|"); }"#, USERS),
            // In macros.
            (r#"println!("{:?}", users.select("|"))"#, USERS),
            (r#"show!(users.select(["|"#, USERS),
            (r#"assert_eq!(users.column("|").len(), 1)"#, USERS),
            // Derived from one in the same cell.
            ("let adults = users.filter(x);\nadults.select(\"|", USERS),
            ("let a = &users; let b = a.clone();\nb.select(\"|", USERS),
            ("let users = load()?;\nusers.select(\"|", USERS),
            ("let users = ratings;\nusers.select(\"|", RATINGS),
            // Those named in the statement, or all.
            (r#"let e = (col("|"), users)"#, ALL),
            (r#"let e = (&ratings, col("|"#, RATINGS),
            (r#"f(ratings, col("|"#, RATINGS),
            (r#"let e = col("|"#, ALL),
            (r#"ratings.len(); let e = col("|"#, ALL),
            (r#"unknown.filter(col("|"#, ALL),
            (r#"number.filter(col("|"#, ALL),
            (r#"polars::prelude::col("|"#, ALL),
            (r#"cols(["user|"#, "user_id"),
            (r##"users.select(r#"a|"#)"##, r#"age a "b" \"#),
            (r#"users.select(r"a|")"#, "age"),
            (r#"users.select("a \"|")"#, r#"a \"b\" \\"#),
            (r#"users.select("gr|")"#, "größe"),
            // No columns.
            (r#"read_csv("|"#, "Unknown"),
            (r#"let path = "|"#, "Unknown"),
            (r#"users.filter(col("age").eq(lit("|"#, "Unknown"),
            (r#"names["|"]"#, "Unknown"),
            (r#"text.contains("|"#, "Unknown"),
            (r#"col("a").alias("|"#, "Unknown"),
            (r#"println!("{|}")"#, "Format"),
            (r#"print!("a|"#, "Format"),
            (r#"format!("{x} |", x = 1)"#, "Format"),
            (r#"let x = if "|"#, "Unknown"),
            (r#"}}) "|"#, "Unknown"),
            (r#"fn f() { users.select("|"#, USERS),
        ] {
            check(marked, expect);
        }
    }
}
