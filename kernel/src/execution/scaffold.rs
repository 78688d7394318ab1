//! The inputs for generating the code around a cell.

use super::generated::Role;
use super::places::Text;
use super::plan::{Calls, CellPlan, Retention};
use super::source::ParsedCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// An earlier variable that the cell uses.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    /// Its type, as source text.
    pub(super) of_type: String,
    pub(super) mutable: bool,
    pub(super) how: Load,
}

/// How an earlier variable is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// Taken out of the store, and put back.
    Take,
    /// As a cheap copy.
    Copy,
    /// As a copy, which is converted to a function.
    Function,
}

/// A closure of an earlier cell that is kept as its text.
#[derive(Clone, Debug)]
pub(super) struct Lambda {
    pub(super) name: String,
    pub(super) mutable: bool,
    /// The closure, from its first `|` or `move` on.
    pub(super) text: Text,
    pub(super) is_move: bool,
    /// For each parameter without a written type, the offset of its end.
    pub(super) untyped: Vec<Option<usize>>,
    /// The variables that it holds, in order, and their types as a tuple.
    pub(super) held: Vec<String>,
    pub(super) of_type: String,
}

impl Lambda {
    /// Returns the store's name for the copies of a closure's captures. No variable can
    /// have this name.
    pub(super) fn held_name(name: &str) -> String {
        format!("{name}/")
    }
}

/// Which tokio runs a cell's futures, and how it is entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Executor {
    /// The runtime's own.
    #[default]
    Session,
    /// One that a `:dep` added.
    Own,
    /// Like `Own`, but of version 0.2, which is entered by calling a function.
    Old,
}

/// The parameters of the code around the user's text.
#[derive(Debug)]
pub(super) struct Scaffold<'a> {
    /// The function's name.
    pub(super) function: &'a str,
    /// Closures of earlier cells that the cell uses, in the order of their definition.
    pub(super) lambdas: Vec<&'a Lambda>,
    /// Text to insert into them: the types of their parameters, where the cell's calls
    /// show them, and copies of handles.
    pub(super) in_lambdas: BTreeMap<&'a str, BTreeMap<usize, String>>,
    /// Earlier variables that the cell uses, by name.
    pub(super) loaded: BTreeMap<&'a str, Loaded>,
    /// Variables that are dropped first, because their types are redefined.
    pub(super) forget: &'a [String],
    /// Variables that the cell sets again: the store contains the old ones.
    pub(super) stale: BTreeSet<&'a str>,
    /// How the statements are run.
    pub(super) plan: CellPlan,
    /// Lines that are left out, because the variable is moved or has no name for its type.
    pub(super) without: &'a [Role],
    /// New variables that borrow from others: they are not kept.
    pub(super) borrowing: BTreeSet<&'a str>,
    /// Those of them that use their borrows in destructors: they are dropped before the
    /// borrowed variables are stored.
    pub(super) dropped: &'a BTreeSet<String>,
    /// How functions can be called, where that differs from the plan.
    pub(super) calls: &'a BTreeMap<String, Calls>,
    /// Variables that are kept by value, although their types may have no name.
    pub(super) plain: &'a BTreeSet<String>,
    /// Statements that are left out.
    pub(super) skipped: &'a BTreeSet<usize>,
    /// Text to insert into the cell, by place.
    pub(super) insertions: &'a BTreeMap<usize, String>,
    /// Whether all statements are in an `async` block.
    pub(super) awaits: bool,
    pub(super) executor: Executor,
    pub(super) shows: Shows,
}

/// How the last expression's value is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shows {
    /// Chosen by the compiler, from the value's type.
    #[default]
    Probed,
    /// By `Show`: the type is known only at the end, where Rust assumes a default type for
    /// a number without a suffix.
    Show,
    /// By `Debug`, for the same reason.
    Debug,
    /// By the `evcxr_display` of a trait.
    Itself,
}

impl Shows {
    /// Returns the code before and after the expression.
    pub(super) fn around(self) -> (&'static str, &'static str) {
        match self {
            Self::Probed => (
                "let swath_shown = match &(",
                ") { swath_value => swath::show_value!(swath_value) };",
            ),
            Self::Show => (
                "let swath_shown = match swath::display::Show::show(&(",
                ")) {\n\
                 ::std::result::Result::Ok(swath_bundle) => ::std::result::Result::Ok(::std::option::Option::Some(swath_bundle)),\n\
                 ::std::result::Result::Err(swath_error) => ::std::result::Result::Err(swath::display::probe::CellFailure {\n\
                 kind: swath_error.kind().to_owned(), message: swath_error.to_string() }),\n};",
            ),
            Self::Debug => (
                "let swath_shown = ::std::result::Result::Ok(::std::option::Option::Some(\
                 swath::display::Bundle::text(::std::format!(\"{:?}\", &(",
                ")))));",
            ),
            Self::Itself => (
                "let swath_shown = match &(",
                ") { swath_value => { swath_value.evcxr_display(); \
                 ::std::result::Result::Ok(::std::option::Option::None) } };",
            ),
        }
    }
}

impl Scaffold<'_> {
    pub(super) fn leaves_out(&self, role: &Role) -> bool {
        self.without.contains(role) || role.stores() && self.borrowing.contains(role.variable())
    }

    /// Returns whether a new variable replaces an old one in the store at the end.
    pub(super) fn is_stored(&self, name: &str) -> bool {
        matches!(
            self.plan.kept.get(name),
            Some(Retention::Value | Retention::Unnameable(_))
        ) && !self.leaves_out(&Role::Store(name.to_owned()))
    }

    /// Returns whether the statement that binds a variable is left out.
    pub(super) fn has_skipped(&self, source: &ParsedCell, part: &Range<usize>, name: &str) -> bool {
        part.clone().any(|at| {
            let mut bound = source.statements[at].bindings().iter();
            bound.any(|one| one.name == name) && self.skipped.contains(&at)
        })
    }
}
