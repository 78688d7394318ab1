//! Items: the definitions that a cell makes for later ones.

use super::syntax::{names_below, repeats, to_cell, without_comments};
use ra_ap_syntax::ast::{self, HasAttrs, HasGenericParams, HasModuleItem, HasName, HasVisibility};
use ra_ap_syntax::{AstNode, Edition, SourceFile, SyntaxElement, SyntaxKind, SyntaxNode};
use std::collections::BTreeSet;
use std::ops::Range;

/// An item.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) range: Range<usize>,
    pub(super) kind: ItemKind,
    /// Its `#[cfg(…)]`, if it has any.
    pub(super) condition: String,
    /// The statics in it, at any depth.
    pub(super) statics: Vec<Static>,
    /// Every name that occurs in it.
    pub(super) names: BTreeSet<String>,
    /// Whether it has loops, closures or iterators.
    pub(super) repeats: bool,
}

impl Item {
    /// Returns a part of a cell as an item, if it is one.
    pub(super) fn of(node: &SyntaxNode) -> Option<Self> {
        let item = definition(node).filter(|_| is_item(node))?;
        Some(Self {
            range: to_cell(without_comments(node)),
            kind: item_kind(&item),
            condition: condition(node),
            statics: statics(&item),
            names: names_below(node),
            repeats: repeats(node),
        })
    }
}

/// A `static`. All cells share one copy: the first cell defines it, later ones declare
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Static {
    /// The range in the cell that later cells replace by a declaration.
    pub(super) range: Range<usize>,
    /// `pub static NAME: TYPE`, in parts.
    pub(super) visibility: String,
    pub(super) name: String,
    pub(super) of_type: String,
    pub(super) mutable: bool,
    pub(super) kind: StaticKind,
}

/// How a static is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StaticKind {
    /// By itself.
    Plain,
    /// In a `thread_local!`; the range covers the whole macro call.
    ThreadLocal,
    /// In a `lazy_static!`; the range covers the whole macro call. This is the range
    /// of its value in the cell.
    Lazy(Range<usize>),
}

/// The kind of an item, with its relevant parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ItemKind {
    /// Has a name, and replaces the earlier item of that name. `is_type`: variables
    /// can hold its values.
    Named {
        name: String,
        is_type: bool,
        is_function: bool,
        /// The members of a trait: they are called without the trait's name.
        members: BTreeSet<String>,
    },
    /// An `impl` block: its head, and the names of its members.
    Impl {
        head: String,
        members: BTreeSet<String>,
    },
    /// A `use`: a separate `use` for each name that it imports, and one for each of
    /// its globs.
    Use {
        named: Vec<(String, String)>,
        globs: Vec<String>,
    },
    /// `extern crate`.
    ExternCrate { name: String },
    /// `macro_rules!`: its uses must follow it.
    Macro {
        name: String,
        /// Whether it expands to items.
        makes_items: bool,
    },
    /// Anything else.
    Other,
}

/// Returns whether a part of a cell is kept for later cells.
pub(super) fn is_item(node: &SyntaxNode) -> bool {
    definition(node).is_some_and(|item| match item {
        // A macro that is called with braces looks like an item.
        ast::Item::MacroCall(call) => defines(&call),
        _ => true,
    })
}

/// Returns a part of a cell as an item. This includes a call, with braces or
/// parentheses, of a macro that defines something.
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

/// Macros whose calls define statics, types and the like. They are kept for later
/// cells like any item.
const DEFINING_MACROS: [&str; 9] = [
    "bitflags",
    "cfg_if",
    "error_chain",
    "lazy_static",
    "newtype_index",
    "pin_project",
    "quick_error",
    "thread_local",
    "uint",
];

fn defines(call: &ast::MacroCall) -> bool {
    macro_name(call).is_some_and(|name| DEFINING_MACROS.contains(&name.as_str()))
}

/// Returns the last segment of a macro's path.
pub(super) fn macro_name(call: &ast::MacroCall) -> Option<String> {
    let segment = call.path()?.segment()?;
    Some(segment.name_ref()?.text().to_string())
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
            // It is identified by its first definition, but needed for any of them.
            let mut defined = defined_in(call).into_iter();
            defined
                .next()
                .map_or(ItemKind::Other, |(name, is_type)| ItemKind::Named {
                    name,
                    is_type,
                    is_function: false,
                    members: defined.map(|(name, _)| name).collect(),
                })
        }
        ast::Item::Impl(item) => ItemKind::Impl {
            head: impl_head(item),
            members: members(item.assoc_item_list()),
        },
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

/// Returns the conditions under which an item exists: its `#[cfg(…)]`.
fn condition(node: &SyntaxNode) -> String {
    node.children()
        .filter_map(ast::Attr::cast)
        .map(|attribute| without_space(attribute.syntax().text().to_string()))
        .filter(|text| text.starts_with("#[cfg("))
        .collect()
}

fn without_space(text: String) -> String {
    text.split_whitespace().collect()
}

/// Returns the names that a macro call defines, as far as its arguments look like
/// Rust, and whether each is a type.
fn defined_in(call: &ast::MacroCall) -> Vec<(String, bool)> {
    let tokens = call.syntax().descendants_with_tokens();
    let mut tokens = tokens
        .filter_map(|element| element.into_token())
        .filter(|token| token.kind() != SyntaxKind::WHITESPACE);
    let mut defined = Vec::new();
    while let Some(token) = tokens.next() {
        let is_type = match token.kind() {
            SyntaxKind::STRUCT_KW | SyntaxKind::ENUM_KW | SyntaxKind::TYPE_KW => true,
            SyntaxKind::STATIC_KW | SyntaxKind::FN_KW => false,
            _ => continue,
        };
        let is_passed_by = |kind| matches!(kind, SyntaxKind::MUT_KW | SyntaxKind::REF_KW);
        let name = tokens.find(|token| !is_passed_by(token.kind()));
        if let Some(name) = name.filter(|token| token.kind() == SyntaxKind::IDENT) {
            defined.push((name.text().to_owned(), is_type));
        }
    }
    defined
}

/// Returns the trait and the type of an `impl` in a normalized form, so that the same
/// `impl` is recognized when it is written differently. Left out are the path to the
/// trait, bounds, the names of parameters and of lifetimes, and the default argument
/// of a trait (`Add<Q> for Q`).
fn impl_head(item: &ast::Impl) -> String {
    let parameters: Vec<String> = item
        .generic_param_list()
        .into_iter()
        .flat_map(|list| list.generic_params())
        .filter_map(|parameter| match parameter {
            ast::GenericParam::TypeParam(one) => Some(one.name()?.text().to_string()),
            ast::GenericParam::ConstParam(one) => Some(one.name()?.text().to_string()),
            ast::GenericParam::LifetimeParam(_) => None,
        })
        .collect();
    let text = |node: &SyntaxNode| {
        let mut text = String::new();
        for token in node
            .descendants_with_tokens()
            .filter_map(SyntaxElement::into_token)
        {
            match token.kind() {
                SyntaxKind::WHITESPACE | SyntaxKind::COMMENT => {}
                SyntaxKind::LIFETIME_IDENT => text += "'_ ",
                // `dyn`, `mut`.
                kind if kind.is_keyword(Edition::Edition2024) => {
                    text += token.text();
                    text.push(' ');
                }
                _ => match parameters.iter().position(|name| name == token.text()) {
                    Some(at) => text += &format!("_{at}"),
                    None => text += token.text(),
                },
            }
        }
        text.trim_end().to_owned()
    };
    let of = item
        .self_ty()
        .map(|of| text(of.syntax()))
        .unwrap_or_default();
    let Some(of_trait) = item.trait_() else {
        return format!("impl {of}");
    };
    let path = match &of_trait {
        ast::Type::PathType(of_trait) => of_trait.path(),
        _ => None,
    };
    let last = path.and_then(|path| path.segment());
    let of_trait = last.map_or_else(|| text(of_trait.syntax()), |last| text(last.syntax()));
    let by_default = format!("<{of}>");
    let of_trait = of_trait.strip_suffix(&by_default).unwrap_or(&of_trait);
    let not = item.excl_token().map_or("", |_| "!");
    format!("impl {not}{of_trait} for {of}")
}

/// Returns the names of the members of a trait or an `impl`.
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

/// Splits a `use`: for each import, reports its name, or `None` for a glob or `_`, and
/// its full path.
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
        // `use a::Trait as _;` imports no name.
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

/// Returns whether the expansion of every rule of a macro begins like an item.
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
    // Each rule is two token trees: the pattern and the expansion.
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
            // Skip attributes.
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

/// Returns the statics that an item defines, at any depth.
fn statics(item: &ast::Item) -> Vec<Static> {
    let mut found = Vec::new();
    if let ast::Item::MacroCall(call) = item {
        return statics_of_macro(call);
    }
    for node in item.syntax().descendants() {
        let Some(item) = ast::Static::cast(node.clone()) else {
            if let Some(call) = ast::MacroCall::cast(node) {
                found.extend(statics_of_macro(&call));
            }
            continue;
        };
        let in_foreign_block = node
            .ancestors()
            .any(|ancestor| ast::ExternBlock::can_cast(ancestor.kind()));
        // A static with an explicit symbol must keep it.
        let is_exported = item.attrs().any(|attribute| {
            let text = attribute.syntax().text().to_string();
            ["no_mangle", "export_name", "link_section"]
                .iter()
                .any(|name| text.contains(name))
        });
        if in_foreign_block || is_exported {
            continue;
        }
        let range = to_cell(without_comments(&node));
        found.extend(one_static(&item, range, StaticKind::Plain));
    }
    found
}

fn one_static(item: &ast::Static, range: Range<usize>, kind: StaticKind) -> Option<Static> {
    Some(Static {
        range,
        visibility: item
            .visibility()
            .map(|visibility| visibility.syntax().text().to_string())
            .unwrap_or_default(),
        name: item.name()?.text().to_string(),
        of_type: with_lifetimes(&item.ty()?),
        mutable: item.mut_token().is_some(),
        kind,
    })
}

/// Returns a static's type, with the lifetimes that may be omitted in its definition
/// but not in a declaration.
fn with_lifetimes(of_type: &ast::Type) -> String {
    let mut text = of_type.syntax().text().to_string();
    let start = of_type.syntax().text_range().start();
    let mut places: Vec<usize> = of_type
        .syntax()
        .descendants()
        .filter_map(ast::RefType::cast)
        .filter(|reference| reference.lifetime().is_none())
        // In a function type, an omitted lifetime belongs to the function.
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

/// Returns the statics that a macro call defines.
fn statics_of_macro(call: &ast::MacroCall) -> Vec<Static> {
    match macro_name(call).as_deref() {
        Some("thread_local") => thread_locals(call),
        Some("lazy_static") => lazy_statics(call),
        _ => Vec::new(),
    }
}

/// Returns the statics of a `lazy_static!`: any number of `pub static ref NAME: Type =
/// value;`.
fn lazy_statics(call: &ast::MacroCall) -> Vec<Static> {
    let Some(tree) = call.token_tree() else {
        return Vec::new();
    };
    let range = whole_call(call);
    let text = tree.syntax().text().to_string();
    let start = tree.syntax().text_range().start();
    let mut found = Vec::new();
    // The parts of the current static.
    let (mut visibility, mut name, mut colon, mut equals) = (String::new(), None, None, None);
    for element in tree.syntax().children_with_tokens() {
        let at = element.text_range() - start;
        match element.kind() {
            SyntaxKind::PUB_KW if name.is_none() => visibility = "pub".to_owned(),
            SyntaxKind::IDENT if name.is_none() => name = Some(element.to_string()),
            SyntaxKind::COLON if colon.is_none() => colon = Some(at.end()),
            SyntaxKind::EQ if equals.is_none() => {
                equals = Some((at.start(), element.text_range().end()));
            }
            SyntaxKind::SEMICOLON => {
                if let (Some(name), Some(colon), Some((end, value))) =
                    (name.take(), colon.take(), equals.take())
                {
                    let of_type = &text[usize::from(colon)..usize::from(end)];
                    let value = ra_ap_syntax::TextRange::new(value, element.text_range().start());
                    found.push(Static {
                        range: range.clone(),
                        visibility: std::mem::take(&mut visibility),
                        name,
                        of_type: of_type.trim().to_owned(),
                        mutable: false,
                        kind: StaticKind::Lazy(to_cell(value)),
                    });
                }
                visibility.clear();
            }
            _ => {}
        }
    }
    found
}

/// Returns the range of a macro call, including its semicolon if it has one.
fn whole_call(call: &ast::MacroCall) -> Range<usize> {
    let statement = call
        .syntax()
        .parent()
        .filter(|parent| ast::MacroExpr::can_cast(parent.kind()))
        .and_then(|expression| expression.parent())
        .filter(|parent| ast::ExprStmt::can_cast(parent.kind()));
    to_cell(statement.map_or(call.syntax().text_range(), |statement| {
        statement.text_range()
    }))
}

/// Returns the statics of a `thread_local!`.
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
    let range = whole_call(call);
    parse
        .tree()
        .items()
        .filter_map(|item| match item {
            ast::Item::Static(item) => one_static(&item, range.clone(), StaticKind::ThreadLocal),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::source::ParsedCell;

    #[test]
    fn impls_are_known_by_head_and_members() {
        let source = ParsedCell::parse(
            "impl<T> Point<T>\n  where T: Copy { fn f(&self) {} const C: i32 = 1; }",
        );
        let members = ["f", "C"].map(str::to_owned).into();
        assert_eq!(
            source.items[0].kind,
            ItemKind::Impl {
                head: "impl Point<_0>".into(),
                members
            }
        );
        let head = |code: &str| match &ParsedCell::parse(code).items[0].kind {
            ItemKind::Impl { head, .. } => head.clone(),
            other => panic!("{other:?}"),
        };
        for again in [
            "impl fmt::Display for P {}",
            "/// Shown.\n#[rustfmt::skip]\nimpl std::fmt::Display for P {}",
            "// another comment\nimpl Display /* here */ for P {}",
        ] {
            assert_eq!(head(again), "impl Display for P", "{again}");
        }
        assert_eq!(
            head("impl<T> a::From<b::C<T>> for P {}"),
            "impl From<b::C<_0>> for P"
        );
        let same = |one: &str, other: &str| assert_eq!(head(one), head(other));
        same("impl<T: Debug> S<T> {}", "impl<U> S<U> where U: Copy {}");
        same("impl<'a> P<'a> {}", "impl P<'_> {}");
        same("impl Add for Q {}", "impl Add<Q> for Q {}");
        assert_ne!(head("impl From<Q> for R {}"), head("impl From<R> for R {}"));
        assert_ne!(head("impl S<i32> {}"), head("impl<T> S<T> {}"));
    }

    #[test]
    fn macros_that_define_are_items() {
        let source = ParsedCell::parse(
            "lazy_static! { static ref A: u8 = 1; static ref B: u8 = 2; }\n\
             bitflags::bitflags! { #[derive(Debug)] struct F: u8 { const R = 1; } }\nF::R",
        );
        let named: Vec<_> = source
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                ItemKind::Named {
                    name,
                    is_type,
                    members,
                    ..
                } => Some((&**name, *is_type, members.len())),
                _ => None,
            })
            .collect();
        assert_eq!(named, [("A", false, 1), ("F", true, 0)]);
    }

    #[test]
    fn conditions_are_known() {
        let source =
            ParsedCell::parse("/// One.\n#[cfg(a)]\nfn f() {}\n#[cfg( not(a) )] fn f() {}");
        let conditions: Vec<_> = source.items.iter().map(|one| &*one.condition).collect();
        assert_eq!(conditions, ["#[cfg(a)]", "#[cfg(not(a))]"]);
    }

    #[test]
    fn a_use_is_taken_apart() {
        let source = ParsedCell::parse("pub use a::{self, b as c, d::{E, f::*}, T as _};");
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
    fn a_declaration_has_all_lifetimes() {
        let of = |code: &str| ParsedCell::parse(code).items[0].statics[0].of_type.clone();
        assert_eq!(of("static A: &str = \"a\";"), "&'static str");
        assert_eq!(of("static A: &[&str] = &[];"), "&'static [&'static str]");
        assert_eq!(of("static A: fn(&str) = f;"), "fn(&str)");
    }

    #[test]
    fn statics_are_found_at_any_depth() {
        let code = "/// Counts.\npub static N: AtomicUsize = AtomicUsize::new(0);\n\
                    fn f() { static mut M: [i32; 2] = [0; 2]; }\n\
                    thread_local! { static T: Cell<i32> = const { Cell::new(1) } }\n\
                    #[unsafe(no_mangle)] static KEPT: i32 = 1;";
        let source = ParsedCell::parse(code);
        let found: Vec<_> = source
            .items
            .iter()
            .flat_map(|item| &item.statics)
            .map(|s| {
                (
                    s.name.as_str(),
                    s.of_type.as_str(),
                    s.mutable,
                    s.kind.clone(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("N", "AtomicUsize", false, StaticKind::Plain),
                ("M", "[i32; 2]", true, StaticKind::Plain),
                ("T", "Cell<i32>", false, StaticKind::ThreadLocal)
            ]
        );
        assert_eq!(source.items.len(), 4);
    }
}
