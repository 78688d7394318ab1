//! Completion without the analyzer: from the cell's own text, the session's
//! variables and items, the runtime, and the language.

use std::collections::BTreeSet;

use ra_ap_syntax::ast;
use ra_ap_syntax::{AstNode as _, Edition, SourceFile, SyntaxKind, SyntaxNode};

use super::context::is_internal;
use super::cursor::identifier_at;
use super::infer::Known;
use super::library::Library;
use super::members::{Member, MemberKind, Reader, Types};
use super::place::{Cursor, CursorPlace, Wanted, is_cell, parse};
use super::protocol::{Completions, Match};
use super::scope::{Binding, Kind, Scope, items, kind_of};
use super::standard::Standard;
use crate::bundled::BUNDLED_CRATES;
use crate::view::{SessionView, Variable};

/// The names of std's prelude and the language, by kind.
const LANGUAGE: &[(&str, &str)] = &[
    (
        "class",
        "AsMut AsRef Box Clone Copy Default DoubleEndedIterator Drop Eq ExactSizeIterator Extend \
         Fn FnMut FnOnce From FromIterator Into IntoIterator Iterator Option Ord PartialEq \
         PartialOrd Result Send Sized String Sync ToOwned ToString TryFrom TryInto Vec",
    ),
    ("instance", "Err None Ok Some"),
    (
        "function",
        "assert! assert_eq! assert_ne! concat! dbg! debug_assert! drop env! eprint! eprintln! \
         file! format! include_bytes! include_str! line! matches! panic! print! println! \
         stringify! thread_local! todo! unimplemented! unreachable! vec! write! writeln!",
    ),
    ("module", "core std swath"),
    (
        "class",
        "bool char f32 f64 i128 i16 i32 i64 i8 isize str u128 u16 u32 u64 u8 usize",
    ),
    (
        "keyword",
        "as async await break const continue crate dyn else enum extern false fn for if impl in \
         let loop macro_rules match mod move mut pub ref return self static struct super trait \
         true type unsafe use where while",
    ),
];

/// The keywords that can start a type, a pattern, or an import.
const TYPE_KEYWORDS: &[&str] = &["crate", "dyn", "fn", "impl", "mut", "self", "super"];
const PATTERN_KEYWORDS: &[&str] = &["crate", "false", "mut", "ref", "self", "super", "true"];
const IMPORT_KEYWORDS: &[&str] = &["crate", "self", "super"];

/// Completes the word at `position` of `code`, which contains no commands. Returns
/// `None` where nothing can be completed: in a comment, a literal, a lifetime.
pub(super) fn complete(view: &SessionView, code: &str, position: usize) -> Option<Completions> {
    let cursor = Cursor::at(code, position)?;
    let typed = &code[cursor.replaced.start..position];
    let rest = &code[cursor.replaced.end..];
    let found = match &cursor.place {
        // Without a typed word, every name would match.
        CursorPlace::Name(wanted) if !typed.is_empty() => {
            in_scope(view, &cursor, typed, rest, *wanted)
        }
        CursorPlace::Member(_) | CursorPlace::Path(_) | CursorPlace::Field { .. } => {
            let own = own_types(view, &cursor, rest);
            let known = Known {
                view,
                own: &own,
                library: Library::runtime(),
                standard: Standard::get(),
            };
            match (members(&known, &cursor.place), &cursor.place) {
                // The braces may belong to a block.
                (found, CursorPlace::Field { .. }) if found.is_empty() && !typed.is_empty() => {
                    in_scope(view, &cursor, typed, rest, Wanted::Any)
                }
                (found, _) => found,
            }
        }
        _ => Vec::new(),
    };
    let mut seen = BTreeSet::new();
    Some(Completions {
        start: cursor.replaced.start,
        end: cursor.replaced.end,
        matches: found
            .into_iter()
            .filter(|found| found.text.starts_with(typed) && !is_internal(&found.text))
            .filter(|found| seen.insert(found.text.clone()))
            .collect(),
    })
}

/// Completes the variables in the braces of a format string, at `position` of
/// `code`; `None` outside of braces. `literal` is where the text of the format
/// string begins.
pub(super) fn in_format(
    view: &SessionView,
    code: &str,
    position: usize,
    literal: usize,
) -> Option<Completions> {
    let replaced = identifier_at(code, position).unwrap_or(position..position);
    let typed = &code[replaced.start..position];
    let before = code.get(literal..replaced.start)?;
    // Two braces are an escaped brace.
    let braces = before.len() - before.trim_end_matches('{').len();
    let quote = code[..literal].rfind('"').filter(|_| braces % 2 == 1)?;
    let cursor = Cursor::at(&code[..quote], quote)?;
    let scope = Scope::at(&cursor.token);
    let mut seen = BTreeSet::new();
    Some(Completions {
        start: replaced.start,
        end: replaced.end,
        matches: variables(view, &scope)
            .filter(|found| found.text.starts_with(typed) && seen.insert(found.text.clone()))
            .collect(),
    })
}

/// Returns the names in scope, nearest first.
fn in_scope(
    view: &SessionView,
    cursor: &Cursor,
    typed: &str,
    rest: &str,
    wanted: Wanted,
) -> Vec<Match> {
    let scope = Scope::at(&cursor.token);
    let own = scope.bindings.iter().map(Binding::to_match);
    let later = items_behind(rest, typed);
    let variables = view
        .variables
        .iter()
        .filter(|_| scope.sees_variables)
        .map(of_variable);
    let earlier = earlier_items(view, typed);
    let crates = view.deps.iter().filter_map(|dependency| {
        let name = dependency.split(['=', '{', ' ']).next()?.replace('-', "_");
        (!name.is_empty()).then_some(name)
    });
    let crates = crates.chain(BUNDLED_CRATES.iter().map(|name| (*name).to_owned()));
    let crates = crates.map(|name| known(name, Kind::Module.word()));
    own.chain(later.iter().map(Binding::to_match))
        .chain(variables)
        .chain(earlier.iter().map(imported_macro))
        .chain(prelude())
        .chain(crates)
        .chain(language())
        .filter(|found| is_wanted(found, wanted))
        .collect()
}

fn is_wanted(found: &Match, wanted: Wanted) -> bool {
    let text = &&found.text[..];
    match (wanted, &found.kind[..]) {
        (Wanted::Any, _) => true,
        (Wanted::Type, "keyword") => TYPE_KEYWORDS.contains(text),
        (Wanted::Pattern, "keyword") => PATTERN_KEYWORDS.contains(text),
        (Wanted::Import, "keyword") => IMPORT_KEYWORDS.contains(text),
        (_, "class" | "module") => true,
        // A constant or a variant. A variable's name in a pattern would bind a new
        // variable.
        (Wanted::Pattern, "instance") => text.starts_with(char::is_uppercase),
        (Wanted::Pattern | Wanted::Type | Wanted::Import, _) => false,
    }
}

/// Returns the variables in scope: those of the cell and those of the session.
fn variables(view: &SessionView, scope: &Scope) -> impl Iterator<Item = Match> {
    let is_variable = |binding: &&Binding| matches!(binding.kind, Kind::Variable | Kind::Constant);
    let own: Vec<Match> = scope
        .bindings
        .iter()
        .filter(is_variable)
        .map(Binding::to_match)
        .collect();
    let earlier: Vec<Match> = match scope.sees_variables {
        true => view.variables.iter().map(of_variable).collect(),
        false => Vec::new(),
    };
    own.into_iter().chain(earlier)
}

fn of_variable(variable: &Variable) -> Match {
    Match {
        text: variable.name.clone(),
        kind: Kind::Variable.word().to_owned(),
        signature: variable.type_name.clone(),
    }
}

/// Returns the items behind the cursor that may begin with `typed`: those of the
/// cell and of the blocks around the cursor.
pub(super) fn items_behind(rest: &str, typed: &str) -> Vec<Binding> {
    // Most of the time there is none: this check saves parsing a long cell twice.
    if !rest.contains(typed) {
        return Vec::new();
    }
    let Some(root) = parse(rest) else {
        return Vec::new();
    };
    root.descendants()
        .filter(is_of_cell)
        .flat_map(|node| items(&node))
        .collect()
}

/// Returns whether a node of the text behind the cursor belongs to the function
/// around that text, or follows it because the text closes blocks that began
/// earlier.
fn is_of_cell(node: &SyntaxNode) -> bool {
    let Some(list) = node.parent() else {
        return false;
    };
    let around = list.parent().and_then(|block| block.parent());
    list.kind() == SyntaxKind::SOURCE_FILE
        || around
            .and_then(ast::Fn::cast)
            .is_some_and(|function| is_cell(&function))
}

/// Returns the items of earlier cells that may begin with `typed`.
pub(super) fn earlier_items(view: &SessionView, typed: &str) -> Vec<Binding> {
    let texts = view.items.iter().filter(|text| text.contains(typed));
    texts.flat_map(|text| items_in(text)).collect()
}

/// Returns the items that `text` defines.
fn items_in(text: &str) -> Vec<Binding> {
    let root = SourceFile::parse(text, Edition::Edition2024).syntax_node();
    root.children().flat_map(|node| items(&node)).collect()
}

/// Appends `!` to the name of an imported macro: a `use` does not say that it is
/// one.
fn imported_macro(binding: &Binding) -> Match {
    let mut found = binding.to_match();
    let mark = format!("{}!", found.text);
    let mut known = LANGUAGE.iter().flat_map(|(_, names)| names.split(' '));
    if binding.kind == Kind::Function && known.any(|name| name == mark) {
        found.text = mark;
    }
    found
}

fn prelude() -> Vec<Match> {
    let library = Library::runtime();
    let names = library
        .prelude
        .iter()
        .map(|name| known(name.clone(), kind_of(name).word()));
    let macros = library.macros.iter();
    let macros = macros.map(|name| known(format!("{name}!"), Kind::Macro.word()));
    let mut all: Vec<Match> = names.chain(macros).collect();
    all.sort_by(|a, b| a.text.cmp(&b.text));
    all
}

fn language() -> impl Iterator<Item = Match> {
    LANGUAGE.iter().flat_map(|(kind, names)| {
        names
            .split_ascii_whitespace()
            .map(|name| known(name.to_owned(), kind))
    })
}

fn known(text: String, kind: &str) -> Match {
    Match {
        text,
        kind: kind.to_owned(),
        signature: String::new(),
    }
}

/// Returns the types of this cell and of earlier ones. This cell's definition wins.
fn own_types(view: &SessionView, cursor: &Cursor, rest: &str) -> Types {
    let mut types = Types::default();
    let mut roots = Vec::new();
    roots.extend(cursor.token.parent_ancestors().last());
    if ["struct", "enum", "impl", "trait", "fn "]
        .iter()
        .any(|word| rest.contains(word))
    {
        roots.extend(parse(rest));
    }
    for root in &roots {
        types.read(root, Reader::Inside);
    }
    for text in &view.items {
        let root = SourceFile::parse(text, Edition::Edition2024).syntax_node();
        let is_anew = root
            .children()
            .flat_map(|node| items(&node))
            .any(|item| item.kind == Kind::Type && types.has(&item.name));
        if !is_anew {
            types.read(&root, Reader::Inside);
        }
    }
    types
}

/// Returns the members of a value, a type or a record, sorted by name.
fn members(known: &Known<'_>, place: &CursorPlace) -> Vec<Match> {
    let offered = |of: Vec<&Member>, is_meant: &dyn Fn(&Member) -> bool| {
        let mut found: Vec<&Member> = of.into_iter().filter(|member| is_meant(member)).collect();
        // Fields first, then by name.
        found.sort_by_key(|member| (member.kind != MemberKind::Field, &member.name));
        found.into_iter().map(Member::to_match).collect()
    };
    match place {
        CursorPlace::Member(receiver) => match known.type_of(receiver) {
            Some(of) => offered(known.members(&of), &Member::is_of_value),
            None => Vec::new(),
        },
        CursorPlace::Path(path) => offered(known.members(&known.named(path)), &|member| {
            member.kind != MemberKind::Field
        }),
        CursorPlace::Field { of, given } => offered(known.members(&known.named(of)), &|member| {
            member.kind == MemberKind::Field && !given.contains(&member.name)
        }),
        CursorPlace::Name(_) | CursorPlace::Unknown => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
