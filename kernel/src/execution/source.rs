//! Parses a cell's text into commands, items, statements and variables.
//!
//! Offsets are bytes in the cell's text.

use super::flow::Flow;
use super::item::{Item, ItemKind, is_item, macro_name};
use super::syntax::{CELL, HEAD, moving_closures, names_below, repeats, to_cell, without_comments};
use crate::syntax;
use ra_ap_parser::LexedStr;
use ra_ap_syntax::ast::{self, HasModuleItem};
use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxKind, SyntaxNode};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

/// A parsed cell.
#[derive(Debug, Default)]
pub(super) struct ParsedCell {
    /// `:dep …`, `!ls`: lines before the code.
    pub(super) commands: Vec<Range<usize>>,
    /// `#![…]`.
    pub(super) attributes: Vec<Range<usize>>,
    /// Functions, types, `use` …: kept for later cells.
    pub(super) items: Vec<Item>,
    /// Everything else, in order.
    pub(super) statements: Vec<Statement>,
    /// Whether the parser found an error; the other fields are incomplete then.
    pub(super) has_syntax_errors: bool,
    /// Every name in the cell, including those in macros and format strings.
    pub(super) names: BTreeSet<String>,
    /// The names in the statements.
    pub(super) statement_names: BTreeSet<String>,
    /// Whether the statements have loops, closures or iterators.
    pub(super) repeats: bool,
    /// Variables that get a new value by `name = …`.
    pub(super) assigned: BTreeSet<String>,
    /// Closures and blocks that are `move`.
    moving_closures: Vec<Range<usize>>,
}

/// A statement.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) range: Range<usize>,
    pub(super) kind: StatementKind,
    /// Every name in it.
    pub(super) names: BTreeSet<String>,
    /// Its effects on variables.
    pub(super) flow: Flow,
    /// The macro call, if it is nothing else.
    call: Option<Call>,
}

/// A macro call in a place where an item is allowed.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    name: String,
    /// The first name in the arguments.
    first: Option<String>,
    names: BTreeSet<String>,
}

/// The kind of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StatementKind {
    /// `let`, with the variables that it binds.
    Let(Vec<Binding>),
    /// The last expression, without a semicolon: its value is shown.
    Tail,
    /// Anything else.
    Other,
}

/// A variable that a `let` binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) name: String,
    pub(super) mutable: bool,
    /// The type annotation, if it is complete.
    pub(super) annotated: Option<String>,
}

impl Statement {
    /// Returns the bindings of a `let`.
    pub(super) fn bindings(&self) -> &[Binding] {
        match &self.kind {
            StatementKind::Let(bindings) => bindings,
            _ => &[],
        }
    }

    /// Returns whether it is a `let` that binds a name.
    pub(super) fn binds(&self, name: &str) -> bool {
        self.bindings().iter().any(|one| one.name == name)
    }
}

impl ParsedCell {
    #[cfg(test)]
    pub(super) fn parse(code: &str) -> Self {
        Self::parse_in(code, &|_| false)
    }

    /// Parses a cell; `knows` returns whether the session has defined a name.
    pub(super) fn parse_in(code: &str, knows: &dyn Fn(&str) -> bool) -> Self {
        let mut source = Self {
            commands: commands(code, knows),
            ..Self::default()
        };
        let mut blanked = code.to_owned();
        for range in &source.commands {
            blanked.replace_range(range.clone(), &" ".repeat(range.len()));
        }
        let parse = SourceFile::parse(&format!("{HEAD}{blanked}\n}}"), Edition::Edition2024);
        let file = parse.tree();
        source.has_syntax_errors = !parse.errors().is_empty() || file.items().count() != 1;
        source.names = names_below(file.syntax());
        source.names.remove(CELL);
        let body = file.items().next().and_then(|item| match item {
            ast::Item::Fn(function) => function.body()?.stmt_list(),
            _ => None,
        });
        let Some(body) = body else { return source };
        for child in body.syntax().children() {
            source.add(&child);
        }
        // Only the last expression is shown.
        let last = source
            .statements
            .iter()
            .map(|statement| statement.range.end)
            .max();
        for statement in &mut source.statements {
            if statement.kind == StatementKind::Tail && Some(statement.range.end) != last {
                statement.kind = StatementKind::Other;
            }
        }
        source.moving_closures = moving_closures(body.syntax());
        for statement in body.syntax().children().filter(|child| !is_item(child)) {
            source.repeats |= repeats(&statement);
            source.statement_names.extend(names_below(&statement));
            source.assigned.extend(assigned(&statement));
        }
        source
    }

    fn add(&mut self, node: &SyntaxNode) {
        let range = to_cell(without_comments(node));
        if let Some(item) = Item::of(node) {
            self.items.push(item);
            return;
        }
        let kind = if let Some(statement) = ast::LetStmt::cast(node.clone()) {
            StatementKind::Let(bindings(&statement))
        } else if ast::Attr::can_cast(node.kind()) {
            self.attributes.push(range);
            return;
        } else if ast::Expr::can_cast(node.kind()) {
            StatementKind::Tail
        } else {
            StatementKind::Other
        };
        self.statements.push(Statement {
            range,
            kind,
            names: names_below(node),
            flow: Flow::of(node),
            call: call(node),
        });
    }

    /// Returns the functions, constants and statics that the cell defines. A variable
    /// of an earlier cell may have the same name.
    pub(super) fn value_items(&self) -> impl Iterator<Item = &String> {
        self.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Named {
                name,
                is_type: false,
                ..
            } => Some(name),
            _ => None,
        })
    }

    /// Turns calls of macros that expand to items from statements into items. Such an
    /// item is identified by the first name that the call passes.
    pub(super) fn take_item_calls(&mut self, makes_items: impl Fn(&str) -> bool) {
        let makes_items = |name: &str| {
            let own = self.items.iter().find_map(|item| match &item.kind {
                ItemKind::Macro {
                    name: own,
                    makes_items,
                } if own == name => Some(*makes_items),
                _ => None,
            });
            own.unwrap_or_else(|| makes_items(name))
        };
        let is_item = |statement: &Statement| {
            statement
                .call
                .as_ref()
                .is_some_and(|call| makes_items(&call.name))
        };
        let (calls, statements) = std::mem::take(&mut self.statements)
            .into_iter()
            .partition(is_item);
        self.statements = statements;
        let calls: Vec<Statement> = calls;
        for Statement { range, call, .. } in calls {
            let Some(call) = call else { continue };
            let kind = call.first.map_or(ItemKind::Other, |name| ItemKind::Named {
                name,
                is_type: false,
                is_function: false,
                members: BTreeSet::new(),
            });
            self.items.push(Item {
                range,
                kind,
                condition: String::new(),
                statics: Vec::new(),
                names: call.names,
                repeats: false,
            });
        }
    }

    /// Returns whether there is nothing to compile.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.statements.is_empty() && self.attributes.is_empty()
    }

    /// Returns the names that the statements use before binding them: they may be
    /// earlier variables.
    pub(super) fn free(&self) -> BTreeSet<&str> {
        let mut bound: BTreeSet<&str> = BTreeSet::new();
        let mut free = BTreeSet::new();
        for statement in &self.statements {
            let uses = statement.flow.uses.iter().map(|name| &**name);
            free.extend(uses.filter(|name| !bound.contains(name)));
            let names = statement.bindings().iter().map(|binding| &*binding.name);
            bound.extend(names.map(|name| name.trim_start_matches("r#")));
        }
        free
    }

    /// Returns whether the cell explicitly drops a variable.
    pub(super) fn drops(&self, name: &str) -> bool {
        let mut statements = self.statements.iter();
        statements.any(|statement| statement.flow.drops.contains(name))
    }

    /// Returns the innermost `move` closure or block around a place.
    pub(super) fn moving_closure(&self, place: usize) -> Option<&Range<usize>> {
        let around = self
            .moving_closures
            .iter()
            .filter(|one| one.contains(&place));
        around.min_by_key(|one| one.len())
    }

    /// Returns whether the number of handles matters to the cell. If so, moving a
    /// handle must not copy it.
    pub(super) fn counts_handles(&self) -> bool {
        COUNTING.iter().any(|name| self.names.contains(*name))
    }

    /// Returns the variables that the statements bind; of each name the last binding.
    pub(super) fn bindings(&self) -> Vec<&Binding> {
        let mut bindings: Vec<&Binding> = Vec::new();
        for statement in &self.statements {
            for binding in statement.bindings() {
                bindings.retain(|other| other.name != binding.name);
                bindings.push(binding);
            }
        }
        bindings
    }
}

/// Functions whose results depend on the number of handles.
const COUNTING: [&str; 7] = [
    "downgrade",
    "get_mut",
    "into_inner",
    "make_mut",
    "strong_count",
    "try_unwrap",
    "unwrap_or_clone",
];

/// Returns whether a line that begins with `!` is an expression and not a shell
/// command: `!flag` of a variable, `!(a && b)`, `!matches!(a, b)`.
fn negates(line: &str, knows: &dyn Fn(&str) -> bool) -> bool {
    let rest = &line[1..];
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let (name, behind) = rest.split_at(end.unwrap_or(rest.len()));
    match name.is_empty() {
        true => behind.starts_with(['(', '!', '{', '&']),
        false => knows(name) || behind.starts_with('!') || behind.starts_with("::"),
    }
}

/// Escapes calls of a method `gen`: the name is a keyword since the 2024 edition, and
/// a method in rand up to 0.8.
pub(super) fn with_escaped_gen(code: &str) -> Cow<'_, str> {
    if !code.contains("gen") {
        return Cow::Borrowed(code);
    }
    let lexed = LexedStr::new(Edition::Edition2024, code);
    let mut escaped = String::with_capacity(code.len());
    let mut before = SyntaxKind::EOF;
    for at in 0..lexed.len() {
        if lexed.kind(at) == SyntaxKind::GEN_KW && before == SyntaxKind::DOT {
            escaped += "r#";
        }
        escaped += lexed.text(at);
        if lexed.kind(at) != SyntaxKind::WHITESPACE {
            before = lexed.kind(at);
        }
    }
    Cow::Owned(escaped)
}

/// Returns the command lines before the code, by evcxr's rules.
fn commands(code: &str, knows: &dyn Fn(&str) -> bool) -> Vec<Range<usize>> {
    let mut commands = Vec::new();
    let mut start = 0;
    for line in code.split_inclusive('\n') {
        let text = line.trim();
        let is_command = text.starts_with(':') && !text.starts_with("::")
            || line.starts_with('!') && !negates(line, knows);
        if is_command {
            commands.push(start..start + line.trim_end_matches(['\n', '\r']).len());
        } else if !(text.is_empty() || text.starts_with("//")) {
            break;
        }
        start += line.len();
    }
    commands
}

/// Returns the macro call that a statement consists of, if an item is allowed in its
/// place: with braces, or followed by a semicolon.
fn call(node: &SyntaxNode) -> Option<Call> {
    let expression = match ast::ExprStmt::cast(node.clone()) {
        Some(statement) => {
            statement.semicolon_token()?;
            statement.expr()?
        }
        None => ast::Expr::cast(node.clone())?,
    };
    let ast::Expr::MacroExpr(expression) = expression else {
        return None;
    };
    let call = expression.macro_call()?;
    let tree = call.token_tree()?;
    let is_whole = ast::ExprStmt::can_cast(node.kind()) || tree.l_curly_token().is_some();
    let first = tree
        .syntax()
        .children_with_tokens()
        .filter_map(|element| element.into_token())
        .find(|token| token.kind() == SyntaxKind::IDENT);
    is_whole.then_some(Call {
        name: macro_name(&call)?,
        first: first.map(|token| token.text().to_owned()),
        names: names_below(call.syntax()),
    })
}

/// Returns the variables to which a statement assigns a whole new value.
fn assigned(node: &SyntaxNode) -> impl Iterator<Item = String> {
    node.descendants()
        .filter_map(ast::BinExpr::cast)
        .filter(|expression| {
            matches!(
                expression.op_kind(),
                Some(ast::BinaryOp::Assignment { op: None })
            )
        })
        .filter_map(|expression| match expression.lhs()? {
            ast::Expr::PathExpr(path) => Some(path.syntax().text().to_string()),
            _ => None,
        })
}

fn bindings(statement: &ast::LetStmt) -> Vec<Binding> {
    let Some(pattern) = statement.pat() else {
        return Vec::new();
    };
    let annotated = statement
        .ty()
        .filter(|_| matches!(pattern, ast::Pat::IdentPat(_)))
        .filter(|of| {
            !of.syntax()
                .descendants()
                .any(|node| node.kind() == SyntaxKind::INFER_TYPE)
        })
        // `impl Trait` does not name the type.
        .filter(|of| {
            !of.syntax()
                .descendants()
                .any(|node| node.kind() == SyntaxKind::IMPL_TRAIT_TYPE)
        })
        .map(|of| of.syntax().text().to_string());
    syntax::variables(&pattern)
        .map(|(name, ident)| Binding {
            mutable: ident.mut_token().is_some(),
            annotated: annotated.clone(),
            name,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(code: &str) -> Vec<(&str, StatementKind)> {
        ParsedCell::parse(code)
            .statements
            .into_iter()
            .map(|s| (&code[s.range], s.kind))
            .collect()
    }

    fn variable(name: &str, mutable: bool) -> Binding {
        Binding {
            name: name.into(),
            mutable,
            annotated: None,
        }
    }

    #[test]
    fn statements_items_and_commands_are_told_apart() {
        let code = ":dep itoa\n// why\nuse a::*;\nlet (mut x, y) = f();\nfn g() {}\nx += 1;\nx";
        let source = ParsedCell::parse(code);
        let commands: Vec<_> = source
            .commands
            .iter()
            .map(|range| &code[range.clone()])
            .collect();
        assert_eq!(commands, [":dep itoa"]);
        assert!(!source.has_syntax_errors);
        assert_eq!(
            source
                .items
                .iter()
                .map(|i| &code[i.range.clone()])
                .collect::<Vec<_>>(),
            ["use a::*;", "fn g() {}"]
        );
        assert_eq!(
            source.items[0].kind,
            ItemKind::Use {
                named: vec![],
                globs: vec!["use a::*;\n".into()]
            }
        );
        assert_eq!(
            kinds(code),
            [
                (
                    "let (mut x, y) = f();",
                    StatementKind::Let(vec![variable("x", true), variable("y", false)])
                ),
                ("x += 1;", StatementKind::Other),
                ("x", StatementKind::Tail),
            ]
        );
    }

    #[test]
    fn blocks_at_the_end_have_a_value() {
        assert_eq!(kinds("if a { 1 } else { 2 }")[0].1, StatementKind::Tail);
        assert_eq!(kinds("x;")[0].1, StatementKind::Other);
        assert_eq!(
            kinds("for i in 0..3 {} \n let y = 1;")[0].1,
            StatementKind::Other
        );
    }

    #[test]
    fn patterns_bind_names_and_not_constants() {
        let bound = |code| {
            ParsedCell::parse(code)
                .bindings()
                .into_iter()
                .map(|b| b.name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(bound("let Some(x) = y else { panic!() };"), ["x"]);
        assert_eq!(bound("let Point { a, b: (c, _) } = p;"), ["a", "c"]);
        assert_eq!(
            bound("let a = 1; let a = \"b\"; let b @ 1..=3 = 2;"),
            ["a", "b"]
        );
        assert_eq!(bound("{ let inner = 1; }"), [""; 0]);
    }

    #[test]
    fn what_is_bound_first_is_not_taken() {
        let free = |code| {
            ParsedCell::parse(code)
                .free()
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(free("let x = 1; x + y"), ["y"]);
        assert_eq!(free("let x = x + 1; x"), ["x"]);
        assert_eq!(
            free("let P { a, .. } = p; println!(\"{a}{b}\");"),
            ["b", "p", "println"]
        );
    }

    #[test]
    fn types_are_taken_where_they_are_written_in_full() {
        let of = |code| ParsedCell::parse(code).bindings()[0].annotated.clone();
        assert_eq!(
            of("let f: Box<dyn Fn(i32) -> i32> = Box::new(|x| x);").as_deref(),
            Some("Box<dyn Fn(i32) -> i32>")
        );
        assert_eq!(of("let v: Vec<_> = it.collect();"), None);
    }

    #[test]
    fn names_in_macros_and_format_strings_count() {
        let names = ParsedCell::parse(r#"println!("{x:>width$} {}", y.z)"#).names;
        for name in ["x", "width", "y", "z"] {
            assert!(names.contains(name), "{name} in {names:?}");
        }
    }

    #[test]
    fn calls_of_macros_that_make_items_are_items() {
        let mut source = ParsedCell::parse(
            "macro_rules! point { ($n:ident) => { #[derive(Debug)] struct $n; }; }\n\
             macro_rules! say { ($n:ident) => { println!(\"{}\", $n) }; }\n\
             point!(P);\nsay!(x);\nearlier! { Q }",
        );
        source.take_item_calls(|name| name == "earlier");
        let names: Vec<_> = source
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                ItemKind::Named { name, .. } => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(names, ["P", "Q"]);
        assert_eq!(source.statements.len(), 1);
    }

    #[test]
    fn a_new_value_for_a_variable_is_noticed() {
        let source = ParsedCell::parse("let y = 1; drop(x); std::mem::drop( z ); run(|| drop(w));");
        assert!(["x", "z", "w"].iter().all(|name| source.drops(name)));
        let source = ParsedCell::parse("drop(xs); drop(&x); drop(x.a)");
        assert!(!source.drops("x"));
        let assigned = ParsedCell::parse("drop(a); a = 1; b += 1; c.d = 2; if a == 3 {}").assigned;
        assert_eq!(assigned, ["a".to_owned()].into());
    }

    #[test]
    fn what_may_run_many_times_is_noticed() {
        for code in [
            "for i in 0..3 {}",
            "let f = |x| x;",
            "v.iter().sum::<i32>()",
            "v.sort()",
            "vec![1; loop { break 2 }]",
        ] {
            assert!(ParsedCell::parse(code).repeats, "{code}");
        }
        for code in [
            "1 + 1",
            "x.mean().compute()?",
            "df.sort([\"a\"], Default::default())",
            "fn f() { loop {} }",
            "impl A for B {}",
        ] {
            assert!(!ParsedCell::parse(code).repeats, "{code}");
        }
    }

    #[test]
    fn broken_code_is_noticed() {
        for code in [
            "let x = ;",
            "fn f( {",
            "}",
            "let s = \"abc",
            "x }; fn g() {",
        ] {
            assert!(ParsedCell::parse(code).has_syntax_errors, "{code}");
        }
    }
}
