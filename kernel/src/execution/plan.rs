//! Plans how a cell's statements are run, and how their variables are kept.
//!
//! A cell that fails keeps the variables it had bound before. A value that a `let`
//! binds is a local variable of the surrounding code and is dropped with it. So the
//! statements are run in *parts*, each in a function of its own that returns its
//! bindings: when a part fails, the code around all parts still owns the values of
//! the earlier ones.
//!
//! A closure's type has no name, so no later cell can take it out of the store. A
//! closure without captures is kept as its text, which later cells begin with. If its
//! captures can be cloned, it is kept as its text and a copy of them. If it changes
//! its captures, it is kept behind a trait object.

use super::flow::{Closure, Initial};
use super::source::{Binding, ParsedCell, Statement};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The plan for a cell's statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CellPlan {
    /// The statements that are run together.
    pub(super) parts: Vec<Range<usize>>,
    /// How the last binding of each name is kept.
    pub(super) kept: BTreeMap<String, Retention>,
}

/// How a variable is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Retention {
    /// By its value, at the end.
    Value,
    /// By a cheap copy, made right when it is bound: the statement with this number
    /// moves it, unless it is `Copy`.
    Early(usize),
    /// By its value, although its type may have no name.
    Unnameable(Calls),
    /// By its text, and copies of these variables.
    Text(Vec<String>),
    /// Not kept, because it changes these variables of the cell.
    Not(Vec<String>),
}

/// How a value can be called, if it is a function. The compiler determines this only
/// after it has seen all code around the closure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calls {
    /// By several threads.
    Shared,
    /// By one thread.
    Local,
    /// It changes its captures.
    Changing,
    /// Once.
    Once,
}

impl Calls {
    /// Returns the runtime's name for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Local => "local",
            Self::Changing => "changing",
            Self::Once => "once",
        }
    }
}

impl CellPlan {
    /// Plans a cell. `earlier` are the variables that it takes from earlier cells,
    /// and whether they can be changed; `texts` are the variables kept as text;
    /// `returns_unnameable` returns whether a function's return type has no name.
    /// Unless `split` is set, all statements are one part.
    pub(super) fn new(
        source: &ParsedCell,
        earlier: &BTreeMap<&str, bool>,
        texts: &BTreeSet<&str>,
        returns_unnameable: &dyn Fn(&str) -> bool,
        split: bool,
    ) -> Self {
        let mut kept = BTreeMap::new();
        // The existing variables, and whether they can be changed.
        let mut there: BTreeMap<&str, bool> = earlier.clone();
        let mut texts: BTreeSet<&str> = texts.clone();
        let mut mutable_borrow = None;
        for (at, statement) in source.statements.iter().enumerate() {
            for binding in statement.bindings() {
                let name = &*binding.name;
                let is_unnameable = match &statement.flow.initial {
                    // A closure may return another one.
                    Initial::Call(name) => {
                        there.contains_key(&**name)
                            || texts.contains(&**name)
                            || returns_unnameable(name)
                    }
                    // A name that is not a variable is a function or a constant.
                    Initial::Path(name) => {
                        !there.contains_key(&**name) && name.starts_with(char::is_lowercase)
                    }
                    Initial::Unnameable => true,
                    _ => false,
                };
                let how = kept_as(source, at, binding, &there, is_unnameable);
                let borrows = matches!(how, Retention::Not(_)) || statement.flow.borrows_mutably;
                if mutable_borrow.is_none() && borrows {
                    mutable_borrow = Some(at);
                }
                if matches!(how, Retention::Text(_)) {
                    texts.insert(name);
                    there.remove(name);
                } else {
                    texts.remove(name);
                    there.insert(name, binding.mutable);
                }
                kept.insert(name.to_owned(), how);
            }
        }
        let parts = match split {
            true => parts(source, &kept, mutable_borrow),
            false => std::iter::once(0..source.statements.len()).collect(),
        };
        Self { parts, kept }
    }

    /// Returns the variables that may have had a value when the cell failed but are
    /// not kept, because a later statement of their part can fail.
    pub(super) fn lost_by_failure<'a>(&self, source: &'a ParsedCell) -> Vec<&'a str> {
        let mut lost = Vec::new();
        for part in &self.parts {
            for at in part.clone() {
                let mut later = source.statements[at + 1..part.end].iter();
                if later.any(|later| later.flow.can_fail) {
                    let names = source.statements[at]
                        .bindings()
                        .iter()
                        .map(|one| &*one.name);
                    lost.extend(
                        names.filter(|name| !matches!(self.kept[*name], Retention::Text(_))),
                    );
                }
            }
        }
        lost
    }

    /// Returns whether a variable may have been moved when a part fails.
    pub(super) fn is_moved(&self, name: &str, part: usize) -> bool {
        match self.kept.get(name) {
            Some(Retention::Early(at)) => *at < self.parts[part].end,
            _ => false,
        }
    }

    /// Returns the variables that a part binds, in order; of each name the last
    /// binding.
    pub(super) fn bound<'a>(
        &self,
        source: &'a ParsedCell,
        part: &Range<usize>,
    ) -> Vec<&'a Binding> {
        let mut bound: Vec<&Binding> = Vec::new();
        for binding in source.statements[part.clone()]
            .iter()
            .flat_map(Statement::bindings)
        {
            bound.retain(|other| other.name != binding.name);
            bound.push(binding);
        }
        bound
    }
}

/// Returns how a variable bound by statement `at` is kept.
fn kept_as(
    source: &ParsedCell,
    at: usize,
    binding: &Binding,
    there: &BTreeMap<&str, bool>,
    is_unnameable: bool,
) -> Retention {
    let statement = &source.statements[at];
    let is_alone = statement.bindings().len() == 1 && binding.annotated.is_none();
    match &statement.flow.initial {
        Initial::Closure(closure) if is_alone => of_closure(closure, there),
        Initial::Changes(name) if is_alone => Retention::Not(vec![name.clone()]),
        _ if is_alone && is_unnameable => Retention::Unnameable(Calls::Shared),
        Initial::Changing if is_alone => Retention::Unnameable(Calls::Changing),
        _ => {
            let later = &source.statements[at + 1..];
            let moving = later
                .iter()
                .position(|later| later.flow.moves.contains(&binding.name));
            match moving {
                // A mutable variable may have another value at the end, and a dropped
                // one must not survive.
                Some(moving)
                    if !binding.mutable
                        && !later[moving].flow.drops.contains(&binding.name)
                        && !source.counts_handles() =>
                {
                    Retention::Early(at + 1 + moving)
                }
                _ => Retention::Value,
            }
        }
    }
}

fn of_closure(closure: &Closure, there: &BTreeMap<&str, bool>) -> Retention {
    let held: Vec<String> = closure
        .free
        .iter()
        .filter(|name| there.contains_key(&***name))
        .cloned()
        .collect();
    let changed: Vec<String> = held
        .iter()
        .filter(|name| closure.changes.contains(*name) && there[&***name])
        .cloned()
        .collect();
    match (changed.is_empty(), closure.is_move) {
        (true, _) => Retention::Text(held),
        (false, true) => Retention::Unnameable(Calls::Changing),
        (false, false) => Retention::Not(changed),
    }
}

/// Cuts statements into parts: before each statement that can fail, if its part has
/// bindings to protect, and before each that may borrow from bindings of its part,
/// because both could not be passed on together. From some statements on, the rest is
/// a single part: from a mutable borrow, because two functions cannot hold it at the
/// same time; from a macro that may bind variables, because its bindings are unknown;
/// and from a `return`, which ends its part.
fn parts(
    source: &ParsedCell,
    kept: &BTreeMap<String, Retention>,
    mutable_borrow: Option<usize>,
) -> Vec<Range<usize>> {
    let statements = &source.statements;
    let mut parts = Vec::new();
    let mut start = 0;
    // A variable must be declared and set in the same part.
    let is_whole = statements
        .iter()
        .any(|one| one.flow.initial == Initial::None);
    if !is_whole {
        let first = |is: fn(&Statement) -> bool| statements.iter().position(is);
        // A `return` of the last part ends the cell.
        let ends = [
            mutable_borrow,
            first(|one| one.flow.may_bind),
            first(|one| one.flow.returns),
        ];
        let end = ends.into_iter().flatten().min();
        let last_failing = statements.iter().rposition(|one| one.flow.can_fail);
        let cuts = 1..end.map_or(statements.len(), |end| (end + 1).min(statements.len()));
        for at in cuts {
            let bound = || statements[start..at].iter().flat_map(Statement::bindings);
            let binds = bound().any(|binding| {
                !matches!(kept[&binding.name], Retention::Text(_) | Retention::Not(_))
            });
            let can_fail_later = last_failing >= Some(at);
            let may_borrow = || {
                let lends = &statements[at].flow.lends;
                bound().any(|binding| lends.contains(&binding.name))
            };
            let is_cut =
                statements[at].flow.can_fail || can_fail_later && (Some(at) == end || may_borrow());
            if binds && is_cut {
                parts.push(start..at);
                start = at;
            }
        }
    }
    parts.push(start..statements.len());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(code: &str) -> CellPlan {
        let earlier = BTreeMap::from([("old", false), ("count", true)]);
        let source = ParsedCell::parse(code);
        assert!(!source.has_syntax_errors, "{code}");
        let returns_unnameable = |name: &str| name == "closure";
        CellPlan::new(
            &source,
            &earlier,
            &BTreeSet::from(["text"]),
            &returns_unnameable,
            true,
        )
    }

    fn kept(code: &str, name: &str) -> Retention {
        plan(code).kept[name].clone()
    }

    #[test]
    fn parts_begin_at_what_can_fail() {
        let lengths =
            |code| -> Vec<usize> { plan(code).parts.iter().map(|part| part.len()).collect() };
        assert_eq!(
            lengths("let a = f(); let b = 1; let c = 2; g(a)?; h()"),
            [3, 2]
        );
        assert_eq!(lengths("let a = f();"), [1]);
        assert_eq!(lengths("f(); g(); let a = h();"), [3]);
        assert_eq!(lengths("let a; if f() { a = 1 } else { a = 2 } g(a);"), [3]);
        assert_eq!(lengths("let a = f(); if a { return Ok(()); } g();"), [1, 2]);
        assert_eq!(
            lengths("let mut n = 0; let mut add = |k: i32| n += k; add(1); add(2); n"),
            [1, 4]
        );
        assert_eq!(
            lengths("let mut v = f(); let r = &mut v; r.push(1); v"),
            [1, 3]
        );
    }

    #[test]
    fn what_a_failure_costs_is_known() {
        let lost = |code| {
            let source = ParsedCell::parse(code);
            let plan = plan(code);
            plan.lost_by_failure(&source)
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(lost("let a = f(); let b = g(a)?; b"), [""; 0]);
        assert_eq!(
            lost("let a = f(); if a { return Ok(()); } let b = g()?; h()"),
            ["b"]
        );
        assert_eq!(lost("let mut v = f(); let r = &mut v; g(r)?;"), ["r"]);
    }

    #[test]
    fn closures_are_kept_by_what_they_hold() {
        let text =
            |names: &[&str]| Retention::Text(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(kept("let f = |x| x + 1;", "f"), text(&[]));
        assert_eq!(kept("let f = |x| text(x) + K;", "f"), text(&[]));
        assert_eq!(
            kept("let a = 1; let f = move |x| x + a + old;", "f"),
            text(&["a", "old"])
        );
        assert_eq!(
            kept("let mut a = vec![1]; let f = |x| a.push(x);", "f"),
            Retention::Not(vec!["a".to_owned()])
        );
        assert_eq!(
            kept("let f = move || { count += 1; count };", "f"),
            Retention::Unnameable(Calls::Changing)
        );
        assert_eq!(
            kept("let f: fn(i32) -> i32 = |x| x;", "f"),
            Retention::Value
        );
        let shared = Retention::Unnameable(Calls::Shared);
        for code in [
            "let f = closure();",
            "let f = old(1);",
            "let f = f64::sqrt;",
            "let f = square;",
        ] {
            assert_eq!(kept(code, "f"), shared, "{code}");
        }
        for code in [
            "let f = other();",
            "let f = old;",
            "let f = f64::consts::PI;",
        ] {
            assert_eq!(kept(code, "f"), Retention::Value, "{code}");
        }
    }

    #[test]
    fn what_is_moved_on_is_kept_early() {
        assert_eq!(
            kept("let x = f(); (x + 1.0).mean()", "x"),
            Retention::Early(1)
        );
        assert_eq!(kept("let mut x = f(); g(x)", "x"), Retention::Value);
        assert_eq!(kept("let x = f(); let x = g(x); x", "x"), Retention::Value);
        assert_eq!(kept("let x = f(); x.mean()", "x"), Retention::Value);
        let plan = plan("let x = f(); g()?; h(x)");
        assert!(!plan.is_moved("x", 0) && plan.is_moved("x", plan.parts.len() - 1));
    }
}
