//! Analyzes what a statement does with the cell's variables: which it certainly moves,
//! which its closures capture, whether it can fail.
//!
//! The compiler knows all of this, but reports it only as an error, after which the cell
//! is compiled again. Everything found here saves such a compilation; everything missed
//! costs one.

use super::syntax::{names_below, to_cell, without_comments};
use ra_ap_syntax::ast::{self, HasArgList, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxNode};
use std::collections::BTreeSet;
use std::ops::Range;

/// The effects of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flow {
    /// The names that it uses, except those that a `let` binds.
    pub(super) uses: BTreeSet<String>,
    /// Variables that are moved unless they are `Copy`.
    pub(super) moves: BTreeSet<String>,
    /// Variables that the bindings of a `let` may borrow from.
    pub(super) lends: BTreeSet<String>,
    /// Whether a `let` mutably borrows a part of a variable.
    pub(super) borrows_mutably: bool,
    /// Whether the value of a `let` may borrow from the variables that it uses.
    pub(super) may_hold: bool,
    /// Variables that it explicitly drops.
    pub(super) drops: BTreeSet<String>,
    /// Whether it is a macro that may bind variables.
    pub(super) may_bind: bool,
    /// Whether it may end the cell: it calls something.
    pub(super) can_fail: bool,
    /// Whether it returns from the cell.
    pub(super) returns: bool,
    /// Whether it awaits something by itself.
    pub(super) awaits: bool,
    /// What a `let` sets its variable to.
    pub(super) initial: Initial,
    /// The calls of functions with plain names.
    pub(super) calls: Vec<(String, Vec<Argument>)>,
}

/// The initial value of a `let`'s variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Initial {
    /// Nothing yet.
    None,
    /// A value.
    #[default]
    Plain,
    /// A closure.
    Closure(Closure),
    /// A mutable reference to this variable, or to a part of it.
    Changes(String),
    /// The result of a function of this name.
    Call(String),
    /// A path with this last name: perhaps a function.
    Path(String),
    /// A value that may be a function or an iterator whose type has no name.
    Unnameable,
    /// Like `Unnameable`, where the function changes its captures.
    Changing,
}

/// A closure, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Closure {
    /// Where it is in the cell.
    pub(super) range: Range<usize>,
    /// Names in it that are not its own: variables of the cell, items.
    pub(super) free: BTreeSet<String>,
    /// Those that it may change.
    pub(super) changes: BTreeSet<String>,
    pub(super) is_move: bool,
    /// For each parameter without a written type, the offset of its end.
    pub(super) untyped: Vec<Option<usize>>,
}

/// An argument, as far as its type can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// A literal, with the type that Rust assumes by default.
    Literal(&'static str),
    /// A variable.
    Variable(String),
    /// Anything else.
    Other,
}

impl Flow {
    /// Reads a statement.
    pub(super) fn of(node: &SyntaxNode) -> Self {
        let binding = ast::LetStmt::cast(node.clone());
        let (initial, uses) = match &binding {
            Some(statement) => (Initial::of(statement), uses(statement)),
            None => (Initial::Plain, names_below(node)),
        };
        Self {
            uses,
            moves: moves(node),
            lends: match (&binding, &initial) {
                (_, Initial::Closure(closure)) if !closure.is_move => closure.free.clone(),
                (Some(statement), _) => lends(statement),
                (None, _) => BTreeSet::new(),
            },
            borrows_mutably: binding.as_ref().is_some_and(borrows_mutably),
            may_hold: binding.as_ref().is_some_and(may_hold),
            drops: drops(node),
            may_bind: may_bind(node),
            can_fail: can_fail(node),
            returns: own_nodes(node).any(|node| node.kind() == SyntaxKind::RETURN_EXPR),
            awaits: awaits(node),
            calls: node.descendants().filter_map(call).collect(),
            initial,
        }
    }
}

/// Returns the names that a `let` uses: in its value, its type and its `else`.
fn uses(statement: &ast::LetStmt) -> BTreeSet<String> {
    let pattern = statement.pat();
    statement
        .syntax()
        .children()
        .filter(|child| {
            pattern
                .as_ref()
                .is_none_or(|pattern| pattern.syntax() != child)
        })
        .flat_map(|child| names_below(&child))
        .collect()
}

impl Initial {
    fn of(statement: &ast::LetStmt) -> Self {
        let Some(mut expression) = statement.initializer() else {
            return Self::None;
        };
        while let ast::Expr::ParenExpr(inner) = &expression {
            match inner.expr() {
                Some(inner) => expression = inner,
                None => return Self::Plain,
            }
        }
        match &expression {
            ast::Expr::ClosureExpr(closure) => Self::Closure(Closure::of(closure)),
            ast::Expr::RefExpr(reference) if reference.mut_token().is_some() => {
                let place = reference.expr().and_then(|place| variable(&place));
                place.map_or(Self::Plain, Self::Changes)
            }
            ast::Expr::CallExpr(call) if makes_iterator(call) => Self::Unnameable,
            ast::Expr::CallExpr(call) => match call.expr().as_ref().and_then(variable) {
                Some(name) if !name.starts_with(char::is_uppercase) => Self::Call(name),
                // `Some(…)` makes a value.
                _ => Self::Plain,
            },
            ast::Expr::PathExpr(path) => {
                let last = path.path().and_then(|path| path.segment()?.name_ref());
                last.map_or(Self::Plain, |name| Self::Path(plain(name.text())))
            }
            expression if may_be_unnameable(expression) => {
                match changes_what_it_holds(expression) {
                    true => Self::Changing,
                    false => Self::Unnameable,
                }
            }
            _ => Self::Plain,
        }
    }
}

/// Methods whose value is an iterator over another one.
const ADAPTERS: [&str; 23] = [
    "chain",
    "cloned",
    "copied",
    "cycle",
    "enumerate",
    "filter",
    "filter_map",
    "flat_map",
    "flatten",
    "fuse",
    "inspect",
    "into_iter",
    "iter",
    "map",
    "map_while",
    "peekable",
    "rev",
    "scan",
    "skip",
    "skip_while",
    "step_by",
    "take",
    "take_while",
];

/// Functions that create an iterator from a closure.
const MAKING: [&str; 4] = ["from_fn", "once_with", "repeat_with", "successors"];

fn makes_iterator(call: &ast::CallExpr) -> bool {
    let callee = call.expr().map(|callee| callee.syntax().text().to_string());
    let last = callee
        .as_deref()
        .and_then(|callee| callee.rsplit("::").next());
    last.is_some_and(|last| MAKING.contains(&last))
}

/// Returns whether an expression's type may have no name: a closure that something
/// returns, an iterator with a closure in it, a function.
fn may_be_unnameable(expression: &ast::Expr) -> bool {
    match expression {
        ast::Expr::ClosureExpr(_) => true,
        ast::Expr::CallExpr(call) => makes_iterator(call),
        ast::Expr::BlockExpr(block) => {
            let tail = block.stmt_list().and_then(|list| list.tail_expr());
            tail.is_some_and(|tail| may_be_unnameable(&tail))
        }
        ast::Expr::IfExpr(condition) => {
            let branch = condition.then_branch();
            branch.is_some_and(|branch| may_be_unnameable(&ast::Expr::BlockExpr(branch)))
        }
        ast::Expr::MethodCallExpr(call) => {
            let is_adapter = call
                .name_ref()
                .is_some_and(|name| ADAPTERS.contains(&name.text()));
            is_adapter
                && call
                    .syntax()
                    .descendants()
                    .any(|node| node.kind() == SyntaxKind::CLOSURE_EXPR)
        }
        _ => false,
    }
}

/// Returns whether an expression is a block that ends with a closure which assigns to its
/// captures.
fn changes_what_it_holds(expression: &ast::Expr) -> bool {
    let ast::Expr::BlockExpr(block) = expression else {
        return false;
    };
    let tail = block.stmt_list().and_then(|list| list.tail_expr());
    let Some(ast::Expr::ClosureExpr(closure)) = tail else {
        return false;
    };
    let closure = Closure::of(&closure);
    !closure.free.is_disjoint(&closure.changes)
}

impl Closure {
    fn of(closure: &ast::ClosureExpr) -> Self {
        let own: BTreeSet<String> = closure
            .syntax()
            .descendants()
            .filter_map(ast::IdentPat::cast)
            .filter_map(|pattern| Some(plain(pattern.name()?.text())))
            .collect();
        let free = names_below(closure.syntax())
            .into_iter()
            .filter(|name| !own.contains(name))
            .collect();
        Self {
            range: to_cell(without_comments(closure.syntax())),
            free,
            changes: changes(closure.syntax()),
            untyped: untyped(closure),
            is_move: closure.move_token().is_some(),
        }
    }
}

/// Returns, for each parameter of a closure without a written type, the offset of its
/// end.
fn untyped(closure: &ast::ClosureExpr) -> Vec<Option<usize>> {
    let parameters = closure.param_list();
    parameters
        .into_iter()
        .flat_map(|list| list.params())
        .map(|parameter| {
            let end = to_cell(parameter.syntax().text_range()).end;
            parameter.ty().is_none().then_some(end)
        })
        .collect()
}

/// Returns the call, if it is a call of a function with a plain name.
fn call(node: SyntaxNode) -> Option<(String, Vec<Argument>)> {
    let call = ast::CallExpr::cast(node)?;
    let ast::Expr::PathExpr(callee) = call.expr()? else {
        return None;
    };
    let name = variable(&ast::Expr::PathExpr(callee))?;
    let arguments = call
        .arg_list()?
        .args()
        .map(|argument| argument_of(&argument));
    Some((name, arguments.collect()))
}

fn argument_of(expression: &ast::Expr) -> Argument {
    match expression {
        ast::Expr::Literal(literal) => match literal.kind() {
            ast::LiteralKind::IntNumber(number) if number.suffix().is_none() => {
                Argument::Literal("i32")
            }
            ast::LiteralKind::FloatNumber(number) if number.suffix().is_none() => {
                Argument::Literal("f64")
            }
            ast::LiteralKind::String(_) => Argument::Literal("&str"),
            ast::LiteralKind::Char(_) => Argument::Literal("char"),
            ast::LiteralKind::Bool(_) => Argument::Literal("bool"),
            _ => Argument::Other,
        },
        ast::Expr::PrefixExpr(negative) => {
            let inner = negative.expr();
            inner.map_or(Argument::Other, |inner| argument_of(&inner))
        }
        ast::Expr::PathExpr(_) => variable(expression).map_or(Argument::Other, Argument::Variable),
        _ => Argument::Other,
    }
}

fn plain(name: &str) -> String {
    name.trim_start_matches("r#").to_owned()
}

/// Returns the variable that an expression is, or is a part of: `a`, `a.b[0]`.
fn variable(expression: &ast::Expr) -> Option<String> {
    match expression {
        ast::Expr::PathExpr(path) => {
            let segment = path.path()?;
            if segment.qualifier().is_some() {
                return None;
            }
            Some(plain(segment.segment()?.name_ref()?.text()))
        }
        ast::Expr::FieldExpr(field) => variable(&field.expr()?),
        ast::Expr::IndexExpr(index) => variable(&index.base()?),
        ast::Expr::ParenExpr(inner) => variable(&inner.expr()?),
        _ => None,
    }
}

/// Variables that code may change: by an assignment, by `&mut`, or by a method.
fn changes(node: &SyntaxNode) -> BTreeSet<String> {
    let mut changed = BTreeSet::new();
    for node in node.descendants() {
        let place = if let Some(binary) = ast::BinExpr::cast(node.clone()) {
            let assigns = matches!(binary.op_kind(), Some(ast::BinaryOp::Assignment { .. }));
            binary.lhs().filter(|_| assigns)
        } else if let Some(reference) = ast::RefExpr::cast(node.clone()) {
            reference.expr().filter(|_| reference.mut_token().is_some())
        } else if let Some(call) = ast::MethodCallExpr::cast(node.clone()) {
            call.receiver()
        } else if ast::TokenTree::can_cast(node.kind()) {
            // A macro's arguments are only tokens.
            let text = node.text().to_string();
            if text.contains("&mut") || text.contains("+=") || text.contains("-=") {
                changed.extend(names_below(&node));
            }
            None
        } else {
            None
        };
        changed.extend(place.and_then(|place| variable(&place)));
    }
    changed
}

/// Returns the variables that a statement moves, unless they are `Copy`: by passing them
/// on, by arithmetic, by `let`. A method may take its receiver by value or by reference,
/// so it does not count, unless its name says so.
fn moves(node: &SyntaxNode) -> BTreeSet<String> {
    // Leave names that have another meaning somewhere inside to the compiler.
    let bound: BTreeSet<String> = node
        .descendants()
        .filter(|inner| inner != node)
        .filter_map(ast::IdentPat::cast)
        .filter(|pattern| {
            let is_of_let = node.kind() == SyntaxKind::LET_STMT;
            !is_of_let || pattern.syntax().parent().as_ref() != Some(node)
        })
        .filter_map(|pattern| Some(plain(pattern.name()?.text())))
        .collect();
    own_nodes(node)
        .filter_map(ast::PathExpr::cast)
        .filter_map(|path| {
            let name = variable(&ast::Expr::PathExpr(path.clone()))?;
            let is_value = !name.starts_with(char::is_uppercase);
            (is_value && is_moved(path.syntax())).then_some(name)
        })
        .filter(|name| !bound.contains(name))
        .collect()
}

/// Returns whether an expression is in a place that takes its value.
fn is_moved(node: &SyntaxNode) -> bool {
    let Some(parent) = node.parent() else {
        return false;
    };
    match parent.kind() {
        SyntaxKind::ARG_LIST
        | SyntaxKind::RETURN_EXPR
        | SyntaxKind::ARRAY_EXPR
        | SyntaxKind::TUPLE_EXPR
        | SyntaxKind::RECORD_EXPR_FIELD
        | SyntaxKind::LET_STMT => true,
        SyntaxKind::BIN_EXPR => {
            let Some(binary) = ast::BinExpr::cast(parent) else {
                return false;
            };
            match binary.op_kind() {
                Some(ast::BinaryOp::ArithOp(_)) => true,
                Some(ast::BinaryOp::Assignment { .. }) => {
                    binary.rhs().is_some_and(|right| right.syntax() == node)
                }
                _ => false,
            }
        }
        SyntaxKind::PREFIX_EXPR => ast::PrefixExpr::cast(parent).is_some_and(|prefix| {
            matches!(
                prefix.op_kind(),
                Some(ast::UnaryOp::Neg | ast::UnaryOp::Not)
            )
        }),
        SyntaxKind::METHOD_CALL_EXPR => ast::MethodCallExpr::cast(parent).is_some_and(|call| {
            call.name_ref()
                .is_some_and(|name| name.text().starts_with("into_"))
        }),
        SyntaxKind::PAREN_EXPR => is_moved(&parent),
        _ => false,
    }
}

/// Returns the variables that a `let` borrows from, by a reference or by a method that
/// may return one.
fn lends(statement: &ast::LetStmt) -> BTreeSet<String> {
    if !may_hold(statement) {
        return BTreeSet::new();
    }
    let value = statement.initializer();
    let nodes = value.iter().flat_map(|value| own_nodes(value.syntax()));
    nodes
        .filter_map(|node| match node.kind() {
            SyntaxKind::REF_EXPR => ast::RefExpr::cast(node)?.expr(),
            SyntaxKind::METHOD_CALL_EXPR => ast::MethodCallExpr::cast(node)?.receiver(),
            SyntaxKind::INDEX_EXPR => ast::IndexExpr::cast(node)?.base(),
            _ => None,
        })
        .filter_map(|place| variable(&place))
        .collect()
}

/// Methods whose results borrow nothing.
const OWNING: [&str; 22] = [
    "abs",
    "capacity",
    "clone",
    "contains",
    "contains_key",
    "count",
    "count_ones",
    "ends_with",
    "exists",
    "is_empty",
    "len",
    "parse",
    "product",
    "starts_with",
    "sum",
    "to_lowercase",
    "to_owned",
    "to_string",
    "to_uppercase",
    "to_vec",
    "try_into",
    "into_boxed_str",
];

/// Returns whether the value of a `let` may borrow, judged by its outermost expression.
fn may_hold(statement: &ast::LetStmt) -> bool {
    let mut value = statement.initializer();
    while let Some(expression) = value {
        value = match expression {
            ast::Expr::ParenExpr(inner) => inner.expr(),
            // The operand of `?`.
            ast::Expr::TryExpr(inner) => inner.expr(),
            ast::Expr::Literal(_) | ast::Expr::BinExpr(_) | ast::Expr::MacroExpr(_) => {
                return false;
            }
            ast::Expr::PrefixExpr(_) => return false,
            ast::Expr::MethodCallExpr(call) => {
                let name = call.name_ref().map(|name| name.text().to_string());
                match name.as_deref() {
                    Some("unwrap" | "expect" | "unwrap_or_default") => call.receiver(),
                    name => return !name.is_some_and(|name| OWNING.contains(&name)),
                }
            }
            _ => return true,
        };
    }
    false
}

/// Methods that return a place in their receiver, in addition to `…_mut`.
const LENDING_MUTABLY: [&str; 2] = ["drain", "entry"];

/// Returns whether a `let` mutably borrows a part of a variable: `map.get_mut(k)`.
fn borrows_mutably(statement: &ast::LetStmt) -> bool {
    let value = statement.initializer().filter(|_| may_hold(statement));
    let mut nodes = value.iter().flat_map(|value| own_nodes(value.syntax()));
    nodes.any(|node| {
        let call = ast::MethodCallExpr::cast(node);
        call.is_some_and(|call| {
            let name = call.name_ref().map(|name| name.text().to_string());
            let of_variable = call.receiver().and_then(|receiver| variable(&receiver));
            of_variable.is_some()
                && name.is_some_and(|name| {
                    name.ends_with("_mut") && name != "borrow_mut"
                        || LENDING_MUTABLY.contains(&&*name)
                })
        })
    })
}

/// Returns the variables in calls of `drop(x)` and `std::mem::drop(x)`, at any depth.
fn drops(node: &SyntaxNode) -> BTreeSet<String> {
    let calls = node.descendants().filter_map(ast::CallExpr::cast);
    calls
        .filter(|call| {
            let callee = call.expr().map(|callee| callee.syntax().text().to_string());
            callee.is_some_and(|callee| callee.rsplit("::").next() == Some("drop"))
        })
        .filter_map(|call| match argument_of(&call.arg_list()?.args().next()?) {
            Argument::Variable(name) => Some(name),
            _ => None,
        })
        .collect()
}

/// Macros of std's and of futures' that bind nothing.
const BINDING_NOTHING: [&str; 24] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "bail",
    "dbg",
    "debug",
    "debug_assert",
    "ensure",
    "eprint",
    "eprintln",
    "error",
    "info",
    "join",
    "panic",
    "print",
    "println",
    "select",
    "thread_local",
    "todo",
    "trace",
    "try_join",
    "warn",
    "write",
    "writeln",
];

/// Returns whether a statement is only a macro call that may bind variables, as
/// `tokio::pin!` does.
fn may_bind(node: &SyntaxNode) -> bool {
    let is_let = ast::LetStmt::can_cast(node.kind());
    let call = match ast::MacroCall::cast(node.clone()) {
        Some(call) => Some(call),
        None => node
            .descendants()
            .take_while(|inner| inner.text_range().start() == node.text_range().start())
            .find_map(ast::MacroCall::cast)
            // Not `matches!(a, b) && c`.
            .filter(|call| {
                let rest = node.text().to_string();
                let length = usize::from(call.syntax().text_range().len());
                rest[length.min(rest.len())..]
                    .trim_matches([';', ' ', '\n'])
                    .is_empty()
            }),
    };
    let name = call.and_then(|call| super::item::macro_name(&call));
    !is_let && name.is_some_and(|name| !BINDING_NOTHING.contains(&&*name))
}

/// Returns the nodes of a statement, except those inside functions and closures.
fn own_nodes(node: &SyntaxNode) -> impl Iterator<Item = SyntaxNode> {
    let mut walk = node.preorder();
    std::iter::from_fn(move || {
        loop {
            match walk.next()? {
                ra_ap_syntax::WalkEvent::Enter(node) => {
                    if is_code_of_its_own(&node) {
                        walk.skip_subtree();
                        continue;
                    }
                    return Some(node);
                }
                ra_ap_syntax::WalkEvent::Leave(_) => {}
            }
        }
    })
}

/// Returns whether a node is a function, a closure or an `async` block: its code runs at
/// another time.
fn is_code_of_its_own(node: &SyntaxNode) -> bool {
    match node.kind() {
        SyntaxKind::FN
        | SyntaxKind::CLOSURE_EXPR
        | SyntaxKind::IMPL
        | SyntaxKind::MODULE
        | SyntaxKind::TRAIT => true,
        SyntaxKind::BLOCK_EXPR => {
            ast::BlockExpr::cast(node.clone()).is_some_and(|block| block.async_token().is_some())
        }
        _ => false,
    }
}

/// Macros that await their arguments.
const AWAITING: [&str; 6] = [
    "join",
    "try_join",
    "select",
    "select_biased",
    "poll",
    "ready",
];

/// Returns whether a statement awaits something by itself.
fn awaits(node: &SyntaxNode) -> bool {
    own_nodes(node).any(|node| match node.kind() {
        SyntaxKind::AWAIT_EXPR => true,
        SyntaxKind::TOKEN_TREE => node.to_string().contains(".await"),
        SyntaxKind::MACRO_CALL => ast::MacroCall::cast(node)
            .and_then(|call| super::item::macro_name(&call))
            .is_some_and(|name| AWAITING.contains(&&*name)),
        _ => false,
    })
}

/// Returns whether a statement may fail or be interrupted: it calls something, indexes,
/// or computes.
fn can_fail(node: &SyntaxNode) -> bool {
    own_nodes(node).any(|node| match node.kind() {
        SyntaxKind::CALL_EXPR => {
            // `Some(1)`, `Point(1, 2)` make a value.
            let callee = ast::CallExpr::cast(node).and_then(|call| call.expr());
            !callee.is_some_and(|callee| {
                let text = callee.syntax().text().to_string();
                let last = text.rsplit("::").next().unwrap_or_default();
                last.starts_with(char::is_uppercase)
            })
        }
        SyntaxKind::METHOD_CALL_EXPR => {
            let call = ast::MethodCallExpr::cast(node);
            !call.is_some_and(|call| {
                let name = call.name_ref().map(|name| name.text().to_string());
                let has_arguments = call
                    .arg_list()
                    .is_some_and(|list| list.args().next().is_some());
                !has_arguments && name.is_some_and(|name| INFALLIBLE.contains(&&*name))
            })
        }
        SyntaxKind::TRY_EXPR
        | SyntaxKind::AWAIT_EXPR
        | SyntaxKind::INDEX_EXPR
        | SyntaxKind::FOR_EXPR
        | SyntaxKind::WHILE_EXPR
        | SyntaxKind::LOOP_EXPR => true,
        SyntaxKind::BIN_EXPR => {
            let operation = ast::BinExpr::cast(node).and_then(|binary| binary.op_kind());
            matches!(
                operation,
                Some(ast::BinaryOp::ArithOp(_) | ast::BinaryOp::Assignment { op: Some(_) })
            )
        }
        SyntaxKind::MACRO_CALL => {
            let call = ast::MacroCall::cast(node);
            !call.is_some_and(|call| {
                let name = super::item::macro_name(&call);
                let arguments = call
                    .token_tree()
                    .map(|tree| tree.syntax().text().to_string())
                    .unwrap_or_default();
                name.is_some_and(|name| WRITING.contains(&&*name))
                    && !arguments[1.min(arguments.len())..].contains(['(', '?'])
            })
        }
        _ => false,
    })
}

/// Methods without arguments that only convert their receiver.
const INFALLIBLE: [&str; 6] = ["clone", "len", "to_owned", "to_string", "as_str", "iter"];

/// Macros that only build or print a value.
const WRITING: [&str; 6] = ["eprintln", "format", "print", "println", "vec", "eprint"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::source::ParsedCell;

    fn flow(code: &str) -> Flow {
        let source = ParsedCell::parse(code);
        assert!(!source.has_syntax_errors, "{code}");
        source.statements[0].flow.clone()
    }

    fn moved(code: &str) -> Vec<String> {
        flow(code).moves.into_iter().collect()
    }

    #[test]
    fn what_takes_a_value_moves_it() {
        assert_eq!(moved("let b = a;"), ["a"]);
        assert_eq!(moved("(x + 1.0).mean().compute()?"), ["x"]);
        assert_eq!(moved("f(a, &b, c.d, [e], (g,))"), ["a", "e", "g"]);
        assert_eq!(moved("a += b;"), ["b"]);
        assert_eq!(moved("for v in v.into_iter() {}"), [""; 0], "two meanings");
        assert_eq!(moved("let n = a.into_iter().count();"), ["a"]);
        for code in [
            "a",
            "a.b()",
            "&a + &b",
            "a == b",
            "println!(\"{a}\")",
            "a[0]",
            "let f = || g(a);",
        ] {
            assert_eq!(moved(code), [""; 0], "{code}");
        }
    }

    #[test]
    fn what_calls_something_can_fail() {
        for code in [
            "f()",
            "a.sum()",
            "a?",
            "a[0]",
            "1 + a",
            "panic!(\"\")",
            "println!(\"{}\", f())",
            "for i in 0..3 {}",
        ] {
            assert!(flow(code).can_fail, "{code}");
        }
        for code in [
            "let a = 1;",
            "let v = vec![1, 2];",
            "let s = String::from;",
            "let p = Point { x: 1 };",
            "println!(\"{a} {}\", b)",
            "let f = |x| x + 1;",
            "let s = Some(a);",
            "let c = a.clone();",
        ] {
            assert!(!flow(code).can_fail, "{code}");
        }
    }

    #[test]
    fn closures_are_known_by_what_is_not_theirs() {
        let closure = |code: &str| match flow(code).initial {
            Initial::Closure(closure) => closure,
            other => panic!("{other:?}"),
        };
        let add = closure("let add = |x| { let y = x; x + y + a };");
        assert_eq!(add.free, ["a".to_owned()].into());
        assert!(!add.is_move && add.changes.is_empty());
        let count = closure("let count = move |n: i32| { total += n; list.push(n) };");
        assert!(count.is_move);
        assert_eq!(count.changes, ["list", "total"].map(str::to_owned).into());
    }

    #[test]
    fn types_without_a_name_are_guessed() {
        for code in [
            "let it = v.into_iter().map(|x| x * 2);",
            "let f = if a { move |x| x } else { move |x| x };",
            "let fib = std::iter::from_fn(move || Some(1));",
        ] {
            assert_eq!(flow(code).initial, Initial::Unnameable, "{code}");
        }
        for code in [
            "let v = it.map(|x| x).collect::<Vec<_>>();",
            "let s = Some(1);",
            "let x = Array::ones((2, 2), 1);",
            "let n = 1;",
        ] {
            assert_eq!(flow(code).initial, Initial::Plain, "{code}");
        }
        assert_eq!(flow("let x;").initial, Initial::None);
        let named = |code: &str| flow(code).initial;
        assert_eq!(
            named("let h = compose(a, b);"),
            Initial::Call("compose".to_owned())
        );
        assert_eq!(
            named("let f = f64::sqrt;"),
            Initial::Path("sqrt".to_owned())
        );
        let counter = "let c = { let mut n = 0; move || { n += 1; n } };";
        assert_eq!(flow(counter).initial, Initial::Changing);
        assert_eq!(
            flow("let r = &mut v[0];").initial,
            Initial::Changes("v".to_owned())
        );
    }

    #[test]
    fn calls_say_what_they_pass() {
        let calls = flow("add(32, -1.5, \"a\", x, y + 1)").calls;
        let expected = vec![
            Argument::Literal("i32"),
            Argument::Literal("f64"),
            Argument::Literal("&str"),
            Argument::Variable("x".to_owned()),
            Argument::Other,
        ];
        assert_eq!(calls, [("add".to_owned(), expected)]);
        match flow("let f = |x, y: i32| x;").initial {
            Initial::Closure(closure) => assert_eq!(closure.untyped, [Some(10), None]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn awaiting_is_seen_in_macros() {
        for code in [
            "f().await",
            "tokio::join!(a, b)",
            "tokio::select! { a = f() => {} }",
            "println!(\"{}\", f().await)",
            "if a { f().await }",
        ] {
            assert!(flow(code).awaits, "{code}");
        }
        for code in [
            "let f = async { g().await };",
            "let f = async || g().await;",
        ] {
            assert!(!flow(code).awaits, "{code}");
        }
    }
}
