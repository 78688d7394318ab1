//! What a cell's text consists of: commands, items, statements, variables.
//!
//! Offsets are bytes in the cell's text.

use ra_ap_syntax::ast::{self, HasAttrs, HasModuleItem, HasName, HasVisibility};
use ra_ap_syntax::{
    AstNode, AstToken, Edition, SourceFile, SyntaxElement, SyntaxKind, SyntaxNode, TextRange,
};
use std::collections::BTreeSet;
use std::ops::Range;

/// A cell's text, taken apart.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// `:dep …`, `!ls`: lines in front of the code.
    pub(super) commands: Vec<Range<usize>>,
    /// `#![…]`.
    pub(super) attributes: Vec<Range<usize>>,
    /// Functions, types, `use` …: kept for later cells.
    pub(super) items: Vec<Item>,
    /// Everything else, in order.
    pub(super) statements: Vec<Statement>,
    /// Whether the parser found an error; what is told then is incomplete.
    pub(super) has_syntax_errors: bool,
    /// Every name that occurs, in macros and format strings too.
    pub(super) names: BTreeSet<String>,
    /// The names that occur in the statements.
    pub(super) statement_names: BTreeSet<String>,
    /// Whether `.await` is used outside of functions and async blocks.
    pub(super) awaits: bool,
    /// Whether the statements have loops, closures or iterators.
    pub(super) repeats: bool,
    /// Variables that get a new value by `name = …`.
    pub(super) assigned: BTreeSet<String>,
}

/// An item.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) range: Range<usize>,
    pub(super) kind: ItemKind,
    /// The statics in it, at any depth.
    pub(super) statics: Vec<Static>,
    /// Every name that occurs in it.
    pub(super) names: BTreeSet<String>,
    /// Whether it has loops, closures or iterators.
    pub(super) repeats: bool,
}

/// A `static`. One copy of it serves all cells: the first cell defines it,
/// later ones declare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Static {
    /// The bytes of the cell that later cells replace by a declaration.
    pub(super) range: Range<usize>,
    /// `pub static NAME: TYPE`, in parts.
    pub(super) visibility: String,
    pub(super) name: String,
    pub(super) of_type: String,
    pub(super) mutable: bool,
    /// Whether it is in a `thread_local!`, which is what `range` covers then.
    pub(super) is_thread_local: bool,
}

/// What matters of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ItemKind {
    /// Has a name, and replaces what had it before. `is_type`: its values can
    /// be held by variables.
    Named {
        name: String,
        is_type: bool,
        is_function: bool,
        /// What a trait has: it is called without the trait's name.
        members: BTreeSet<String>,
    },
    /// An `impl` block: its head, and the names of what it holds.
    Impl {
        head: String,
        members: BTreeSet<String>,
    },
    /// A `use`: the names that it brings with a `use` for each alone, and a
    /// `use` for each of its globs.
    Use {
        named: Vec<(String, String)>,
        globs: Vec<String>,
    },
    /// `extern crate`.
    ExternCrate { name: String },
    /// `macro_rules!`: what uses it has to stand behind it.
    Macro {
        name: String,
        /// Whether what it makes is items.
        makes_items: bool,
    },
    /// Anything else.
    Other,
}

/// A statement.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) range: Range<usize>,
    pub(super) kind: StatementKind,
    /// Where it is nothing but a call of a macro.
    call: Option<Call>,
}

/// A call of a macro where an item could stand.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    name: String,
    /// The first name in the arguments.
    first: Option<String>,
    names: BTreeSet<String>,
}

/// What matters of a statement.
#[derive(Debug, PartialEq, Eq)]
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
    /// The type that is written behind the name, if it is written in full.
    pub(super) annotated: Option<String>,
}

/// The function around a cell while it is parsed.
const CELL: &str = "swath_cell";
const HEAD: &str = "fn swath_cell() {";

impl Source {
    pub(super) fn parse(code: &str) -> Self {
        let mut source = Self {
            commands: commands(code),
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
        // Only what stands at the end is shown.
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
        source.awaits = body.syntax().children().any(|child| awaits(&child));
        for statement in body.syntax().children().filter(|child| !is_item(child)) {
            source.repeats |= repeats(&statement);
            source.statement_names.extend(names_below(&statement));
            source.assigned.extend(assigned(&statement));
        }
        source
    }

    fn add(&mut self, node: &SyntaxNode) {
        let range = to_cell(without_comments(node));
        if is_item(node)
            && let Some(item) = definition(node)
        {
            self.items.push(Item {
                kind: item_kind(&item),
                statics: statics(&item),
                names: names_below(node),
                repeats: repeats(node),
                range,
            });
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
            call: call(node),
        });
    }

    /// Takes statements that are calls of macros which make items for items: an
    /// item is known by the first name that the call passes.
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
                statics: Vec::new(),
                names: call.names,
                repeats: false,
            });
        }
    }

    /// Whether there is nothing to compile.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.statements.is_empty() && self.attributes.is_empty()
    }

    /// The variables that the cell's statements bind, the last binding of each name.
    pub(super) fn bindings(&self) -> Vec<&Binding> {
        let mut bindings: Vec<&Binding> = Vec::new();
        for statement in &self.statements {
            if let StatementKind::Let(bound) = &statement.kind {
                for binding in bound {
                    bindings.retain(|other| other.name != binding.name);
                    bindings.push(binding);
                }
            }
        }
        bindings
    }
}

/// The lines in front of the code that are commands, as evcxr takes them.
fn commands(code: &str) -> Vec<Range<usize>> {
    let mut commands = Vec::new();
    let mut start = 0;
    for line in code.split_inclusive('\n') {
        let text = line.trim();
        let is_command = text.starts_with(':') && !text.starts_with("::") || line.starts_with('!');
        if is_command {
            commands.push(start..start + line.trim_end_matches(['\n', '\r']).len());
        } else if !(text.is_empty() || text.starts_with("//")) {
            break;
        }
        start += line.len();
    }
    commands
}

/// A node's range without the comments in front of it, which the parser counts
/// as part of it; documentation stays.
fn without_comments(node: &SyntaxNode) -> TextRange {
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

fn to_cell(range: TextRange) -> Range<usize> {
    usize::from(range.start()) - HEAD.len()..usize::from(range.end()) - HEAD.len()
}

/// Whether what a macro makes begins as an item does, by every rule.
fn makes_items(item: &ast::MacroRules) -> bool {
    const ITEMS: [&str; 13] = [
        "const",
        "enum",
        "fn",
        "impl",
        "macro_rules",
        "mod",
        "pub",
        "static",
        "struct",
        "trait",
        "type",
        "union",
        "use",
    ];
    let Some(rules) = item.token_tree() else {
        return false;
    };
    // Each rule is two trees of tokens: what is taken, what is made.
    let trees: Vec<ast::TokenTree> = rules
        .syntax()
        .children()
        .filter_map(ast::TokenTree::cast)
        .collect();
    let mut made = trees.iter().skip(1).step_by(2).peekable();
    made.peek().is_some()
        && made.all(|tree| {
            let text = tree.syntax().text().to_string();
            let mut text = text.trim_start_matches(['{', '(', '[']).trim_start();
            // Attributes in front of it.
            while let Some(rest) = text.strip_prefix("#[") {
                text = rest
                    .split_once(']')
                    .map_or("", |(_, rest)| rest)
                    .trim_start();
            }
            let first = text
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .next();
            first.is_some_and(|first| ITEMS.contains(&first))
        })
}

/// The call of a macro that a statement consists of, where an item could stand:
/// with braces, or with a semicolon behind it.
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

/// Macros whose calls define statics: kept for later cells like any item.
const DEFINING_MACROS: [&str; 2] = ["thread_local", "lazy_static"];

/// Whether a part of a cell is kept for later cells.
fn is_item(node: &SyntaxNode) -> bool {
    definition(node).is_some_and(|item| match item {
        // A macro that is called with braces looks like an item.
        ast::Item::MacroCall(call) => defines(&call),
        _ => true,
    })
}

/// A part of a cell as an item; a call of a macro, too, where it is one of
/// those that define something, with braces or parentheses.
fn definition(node: &SyntaxNode) -> Option<ast::Item> {
    if let Some(item) = ast::Item::cast(node.clone()) {
        return Some(item);
    }
    let expression = match ast::ExprStmt::cast(node.clone()) {
        Some(statement) => statement.expr()?,
        None => ast::Expr::cast(node.clone())?,
    };
    match expression {
        ast::Expr::MacroExpr(expression) => expression.macro_call().map(ast::Item::MacroCall),
        _ => None,
    }
    .filter(|item| matches!(item, ast::Item::MacroCall(call) if defines(call)))
}

fn defines(call: &ast::MacroCall) -> bool {
    macro_name(call).is_some_and(|name| DEFINING_MACROS.contains(&name.as_str()))
}

/// The last segment of a macro's path.
fn macro_name(call: &ast::MacroCall) -> Option<String> {
    let segment = call.path()?.segment()?;
    Some(segment.name_ref()?.text().to_string())
}

/// The statics that an item defines, at any depth.
fn statics(item: &ast::Item) -> Vec<Static> {
    let mut found = Vec::new();
    if let ast::Item::MacroCall(call) = item {
        if macro_name(call).as_deref() == Some("thread_local") {
            found.extend(thread_locals(call));
        }
        return found;
    }
    for node in item.syntax().descendants() {
        let Some(item) = ast::Static::cast(node.clone()) else {
            if let Some(call) = ast::MacroCall::cast(node)
                && macro_name(&call).as_deref() == Some("thread_local")
            {
                found.extend(thread_locals(&call));
            }
            continue;
        };
        let in_foreign_block = node
            .ancestors()
            .any(|ancestor| ast::ExternBlock::can_cast(ancestor.kind()));
        // Who names a symbol wants that name.
        let is_exported = item.attrs().any(|attribute| {
            let text = attribute.syntax().text().to_string();
            ["no_mangle", "export_name", "link_section"]
                .iter()
                .any(|name| text.contains(name))
        });
        if in_foreign_block || is_exported {
            continue;
        }
        found.extend(one_static(&item, to_cell(without_comments(&node)), false));
    }
    found
}

fn one_static(item: &ast::Static, range: Range<usize>, is_thread_local: bool) -> Option<Static> {
    Some(Static {
        range,
        visibility: item
            .visibility()
            .map(|visibility| visibility.syntax().text().to_string())
            .unwrap_or_default(),
        name: item.name()?.text().to_string(),
        of_type: with_lifetimes(&item.ty()?),
        mutable: item.mut_token().is_some(),
        is_thread_local,
    })
}

/// A static's type, with the lifetimes that may be left out in its definition
/// and not in a declaration.
fn with_lifetimes(of_type: &ast::Type) -> String {
    let mut text = of_type.syntax().text().to_string();
    let start = of_type.syntax().text_range().start();
    let mut places: Vec<usize> = of_type
        .syntax()
        .descendants()
        .filter_map(ast::RefType::cast)
        .filter(|reference| reference.lifetime().is_none())
        // In a function's type it is the function's own lifetime.
        .filter(|reference| {
            !reference.syntax().ancestors().any(|node| {
                matches!(
                    node.kind(),
                    SyntaxKind::FN_PTR_TYPE | SyntaxKind::PARENTHESIZED_ARG_LIST
                )
            })
        })
        .filter_map(|reference| Some(reference.amp_token()?.text_range().end() - start))
        .map(usize::from)
        .collect();
    places.sort_unstable();
    for place in places.into_iter().rev() {
        text.insert_str(place, "'static ");
    }
    text
}

/// What a `thread_local!` defines.
fn thread_locals(call: &ast::MacroCall) -> Vec<Static> {
    let Some(tree) = call.token_tree() else {
        return Vec::new();
    };
    let text = tree.syntax().text().to_string();
    let inner = text
        .get(1..text.len().saturating_sub(1))
        .unwrap_or_default();
    // The last one needs no semicolon.
    let parse = SourceFile::parse(&format!("{inner};"), Edition::Edition2024);
    // With its semicolon, where it has one.
    let range = to_cell(
        call.syntax()
            .parent()
            .filter(|parent| ast::MacroExpr::can_cast(parent.kind()))
            .and_then(|expression| expression.parent())
            .filter(|parent| ast::ExprStmt::can_cast(parent.kind()))
            .map_or(call.syntax().text_range(), |statement| {
                statement.text_range()
            }),
    );
    parse
        .tree()
        .items()
        .filter_map(|item| match item {
            ast::Item::Static(item) => one_static(&item, range.clone(), true),
            _ => None,
        })
        .collect()
}

/// The variables that a statement gives a new value as a whole.
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

/// Methods that go through many elements, and macros that hide loops.
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
    "sort",
    "sort_unstable",
    "split",
    "split_whitespace",
    "windows",
];

/// Whether code may run many times: a loop, a closure, an iterator.
fn repeats(node: &SyntaxNode) -> bool {
    node.descendants_with_tokens().any(|element| match element {
        SyntaxElement::Node(node) => matches!(
            node.kind(),
            SyntaxKind::FOR_EXPR
                | SyntaxKind::WHILE_EXPR
                | SyntaxKind::LOOP_EXPR
                | SyntaxKind::CLOSURE_EXPR
        ),
        SyntaxElement::Token(token) => match token.kind() {
            // In a macro's arguments there are only tokens.
            SyntaxKind::FOR_KW | SyntaxKind::WHILE_KW | SyntaxKind::LOOP_KW => token
                .parent()
                .is_some_and(|parent| parent.kind() == SyntaxKind::TOKEN_TREE),
            SyntaxKind::IDENT => REPEATING.contains(&token.text()),
            _ => false,
        },
    })
}

fn item_kind(item: &ast::Item) -> ItemKind {
    let named = |name: Option<ast::Name>, is_type, is_function| {
        name.map_or(ItemKind::Other, |name| ItemKind::Named {
            name: name.text().to_string(),
            is_type,
            is_function,
            members: BTreeSet::new(),
        })
    };
    match item {
        ast::Item::Struct(item) => named(item.name(), true, false),
        ast::Item::Enum(item) => named(item.name(), true, false),
        ast::Item::Union(item) => named(item.name(), true, false),
        ast::Item::Trait(item) => item.name().map_or(ItemKind::Other, |name| ItemKind::Named {
            name: name.text().to_string(),
            is_type: true,
            is_function: false,
            members: members(item.assoc_item_list()),
        }),
        ast::Item::TypeAlias(item) => named(item.name(), true, false),
        ast::Item::Module(item) => named(item.name(), true, false),
        ast::Item::Fn(item) => named(item.name(), false, true),
        ast::Item::Const(item) => named(item.name(), false, false),
        ast::Item::Static(item) => named(item.name(), false, false),
        ast::Item::MacroRules(item) => {
            item.name().map_or(ItemKind::Other, |name| ItemKind::Macro {
                name: name.text().to_string(),
                makes_items: makes_items(item),
            })
        }
        ast::Item::ExternCrate(item) => {
            item.name_ref()
                .map_or(ItemKind::Other, |name| ItemKind::ExternCrate {
                    name: name.text().to_string(),
                })
        }
        ast::Item::MacroCall(call) => {
            // Known by the first static in it.
            let text = call.syntax().text().to_string();
            let first = text.split_once("static ").map(|(_, rest)| {
                rest.trim_start_matches("ref ")
                    .split(':')
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_owned()
            });
            first.map_or(ItemKind::Other, |name| ItemKind::Named {
                name,
                is_type: false,
                is_function: false,
                members: BTreeSet::new(),
            })
        }
        ast::Item::Impl(item) => {
            let text = item.syntax().text().to_string();
            let head = text.split('{').next().unwrap_or_default();
            ItemKind::Impl {
                head: head.split_whitespace().collect::<Vec<_>>().join(" "),
                members: members(item.assoc_item_list()),
            }
        }
        ast::Item::Use(item) => {
            let (mut named, mut globs) = (Vec::new(), Vec::new());
            if let Some(tree) = item.use_tree() {
                let attributes: String = item
                    .attrs()
                    .map(|attribute| format!("{} ", attribute.syntax().text()))
                    .chain(
                        item.visibility()
                            .map(|visibility| format!("{} ", visibility.syntax().text())),
                    )
                    .collect();
                use_tree(&tree, "", &mut |name, path| {
                    let code = format!("{attributes}use {path};\n");
                    match name {
                        Some(name) => named.push((name, code)),
                        None => globs.push(code),
                    }
                });
            }
            ItemKind::Use { named, globs }
        }
        _ => ItemKind::Other,
    }
}

/// Takes a `use` apart: for each thing that it brings its name, or `None` for
/// a glob or `_`, and the path alone.
fn use_tree(tree: &ast::UseTree, prefix: &str, found: &mut impl FnMut(Option<String>, String)) {
    let own = tree
        .path()
        .map(|path| path.syntax().text().to_string())
        .unwrap_or_default();
    let joined = if prefix.is_empty() || own.is_empty() {
        format!("{prefix}{own}")
    } else {
        format!("{prefix}::{own}")
    };
    if let Some(list) = tree.use_tree_list() {
        for subtree in list.use_trees() {
            use_tree(&subtree, &joined, found);
        }
    } else if tree.star_token().is_some() {
        found(None, format!("{joined}::*"));
    } else if let Some(rename) = tree.rename() {
        // `use a::Trait as _;` brings no name.
        let name = rename.name().map(|name| name.text().to_string());
        found(
            name.clone(),
            format!("{joined} as {}", name.as_deref().unwrap_or("_")),
        );
    } else {
        // `a::{self}` is `a`.
        let path = joined.strip_suffix("::self").unwrap_or(&joined);
        let name = path.rsplit("::").next().unwrap_or(path).to_owned();
        found(Some(name), path.to_owned());
    }
}

/// The names of what a trait or an `impl` holds.
fn members(list: Option<ast::AssocItemList>) -> BTreeSet<String> {
    list.map(|list| list.assoc_items().filter_map(member).collect())
        .unwrap_or_default()
}

fn member(item: ast::AssocItem) -> Option<String> {
    let name = match item {
        ast::AssocItem::Const(item) => item.name(),
        ast::AssocItem::Fn(item) => item.name(),
        ast::AssocItem::TypeAlias(item) => item.name(),
        ast::AssocItem::MacroCall(_) => None,
    };
    name.map(|name| name.text().to_string())
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
        // `impl Trait` is no name of the type.
        .filter(|of| {
            !of.syntax()
                .descendants()
                .any(|node| node.kind() == SyntaxKind::IMPL_TRAIT_TYPE)
        })
        .map(|of| of.syntax().text().to_string());
    pattern
        .syntax()
        .descendants()
        .filter_map(ast::IdentPat::cast)
        .filter_map(|ident| {
            let name = ident.name()?.text().to_string();
            // `None` in a pattern is no variable.
            let is_constant = name.starts_with(char::is_uppercase) && ident.pat().is_none();
            (!is_constant).then(|| Binding {
                mutable: ident.mut_token().is_some(),
                annotated: annotated.clone(),
                name,
            })
        })
        .collect()
}

/// The names in braces in a format string: `"{x:>8} {y}"` → x, y.
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

/// Whether a statement awaits something by itself.
fn awaits(node: &SyntaxNode) -> bool {
    match node.kind() {
        SyntaxKind::AWAIT_EXPR => true,
        SyntaxKind::FN
        | SyntaxKind::CLOSURE_EXPR
        | SyntaxKind::IMPL
        | SyntaxKind::MODULE
        | SyntaxKind::TRAIT => false,
        SyntaxKind::BLOCK_EXPR
            if ast::BlockExpr::cast(node.clone())
                .is_some_and(|block| block.async_token().is_some()) =>
        {
            false
        }
        SyntaxKind::TOKEN_TREE => node.to_string().contains(".await"),
        _ => node.children().any(|child| awaits(&child)),
    }
}

/// Every name in a piece of Rust, to tell which items speak of which.
pub(super) fn names_in(code: &str) -> BTreeSet<String> {
    names_below(&SourceFile::parse(code, Edition::Edition2024).syntax_node())
}

fn names_below(node: &SyntaxNode) -> BTreeSet<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(code: &str) -> Vec<(&str, StatementKind)> {
        Source::parse(code)
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
        let source = Source::parse(code);
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
            Source::parse(code)
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
    fn types_are_taken_where_they_are_written_in_full() {
        let of = |code| Source::parse(code).bindings()[0].annotated.clone();
        assert_eq!(
            of("let f: Box<dyn Fn(i32) -> i32> = Box::new(|x| x);").as_deref(),
            Some("Box<dyn Fn(i32) -> i32>")
        );
        assert_eq!(of("let v: Vec<_> = it.collect();"), None);
    }

    #[test]
    fn names_in_macros_and_format_strings_count() {
        let names = Source::parse(r#"println!("{x:>width$} {}", y.z)"#).names;
        for name in ["x", "width", "y", "z"] {
            assert!(names.contains(name), "{name} in {names:?}");
        }
    }

    #[test]
    fn awaiting_at_the_top_is_noticed() {
        assert!(Source::parse("let x = f().await;").awaits);
        assert!(Source::parse("println!(\"{}\", f().await)").awaits);
        assert!(!Source::parse("async fn f() { g().await }").awaits);
        assert!(!Source::parse("let f = async { g().await };").awaits);
    }

    #[test]
    fn impls_are_known_by_head_and_members() {
        let source =
            Source::parse("impl<T> Point<T>\n  where T: Copy { fn f(&self) {} const C: i32 = 1; }");
        let members = ["f", "C"].map(str::to_owned).into();
        assert_eq!(
            source.items[0].kind,
            ItemKind::Impl {
                head: "impl<T> Point<T> where T: Copy".into(),
                members
            }
        );
    }

    #[test]
    fn a_use_is_taken_apart() {
        let source = Source::parse("pub use a::{self, b as c, d::{E, f::*}, T as _};");
        let ItemKind::Use { named, globs } = &source.items[0].kind else {
            panic!("{:?}", source.items[0]);
        };
        let named: Vec<_> = named.iter().map(|(n, c)| (n.as_str(), c.trim())).collect();
        assert_eq!(
            named,
            [
                ("a", "pub use a;"),
                ("c", "pub use a::b as c;"),
                ("E", "pub use a::d::E;")
            ]
        );
        assert_eq!(globs, &["pub use a::d::f::*;\n", "pub use a::T as _;\n"]);
    }

    #[test]
    fn calls_of_macros_that_make_items_are_items() {
        let mut source = Source::parse(
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
    fn a_declaration_has_all_lifetimes() {
        let of = |code: &str| Source::parse(code).items[0].statics[0].of_type.clone();
        assert_eq!(of("static A: &str = \"a\";"), "&'static str");
        assert_eq!(of("static A: &[&str] = &[];"), "&'static [&'static str]");
        assert_eq!(of("static A: fn(&str) = f;"), "fn(&str)");
    }

    #[test]
    fn a_new_value_for_a_variable_is_noticed() {
        let assigned = Source::parse("drop(a); a = 1; b += 1; c.d = 2; if a == 3 {}").assigned;
        assert_eq!(assigned, ["a".to_owned()].into());
    }

    #[test]
    fn statics_are_found_at_any_depth() {
        let code = "/// Counts.\npub static N: AtomicUsize = AtomicUsize::new(0);\n\
                    fn f() { static mut M: [i32; 2] = [0; 2]; }\n\
                    thread_local! { static T: Cell<i32> = const { Cell::new(1) } }\n\
                    #[unsafe(no_mangle)] static KEPT: i32 = 1;";
        let source = Source::parse(code);
        let found: Vec<_> = source
            .items
            .iter()
            .flat_map(|item| &item.statics)
            .map(|s| {
                (
                    s.name.as_str(),
                    s.of_type.as_str(),
                    s.mutable,
                    s.is_thread_local,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("N", "AtomicUsize", false, false),
                ("M", "[i32; 2]", true, false),
                ("T", "Cell<i32>", false, true)
            ]
        );
        assert_eq!(source.items.len(), 4);
    }

    #[test]
    fn what_may_run_many_times_is_noticed() {
        for code in [
            "for i in 0..3 {}",
            "let f = |x| x;",
            "v.iter().sum::<i32>()",
            "vec![1; loop { break 2 }]",
        ] {
            assert!(Source::parse(code).repeats, "{code}");
        }
        for code in [
            "1 + 1",
            "x.mean().compute()?",
            "fn f() { loop {} }",
            "impl A for B {}",
        ] {
            assert!(!Source::parse(code).repeats, "{code}");
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
            assert!(Source::parse(code).has_syntax_errors, "{code}");
        }
    }
}
