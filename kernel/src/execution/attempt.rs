//! Attempts to compile a cell. Each attempt leaves out or adds something in response to
//! the compiler's errors for the previous one.

use super::diagnostics::Diagnostic;
use super::generate::CELL;
use super::generated::Role;
use super::items::{Change, Needed};
use super::plan::{Calls, CellPlan, Retention};
use super::run::CellRunner;
use super::scaffold::Shows;
use super::source::{ParsedCell, StatementKind};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use swath_channel::is_handle_in_short;

/// The compiler's errors: translated to the cell, and unchanged.
#[derive(Debug)]
pub(super) struct Errors {
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) json: Vec<Value>,
}

/// What was compiled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compiled<'a> {
    /// The cell's number.
    pub(super) number: u32,
    pub(super) code: &'a str,
    pub(super) source: &'a ParsedCell,
    pub(super) plan: &'a CellPlan,
}

impl Compiled<'_> {
    /// Returns the index of the statement that contains a place.
    fn statement_at(&self, place: usize) -> Option<usize> {
        let mut statements = self.source.statements.iter();
        statements.position(|one| one.range.contains(&place))
    }

    /// Returns the index of the part that contains a statement.
    fn part_of(&self, statement: usize) -> Option<usize> {
        let mut parts = self.plan.parts.iter();
        parts.position(|part| part.contains(&statement))
    }

    /// Returns the first statement, starting from an index, that binds a name.
    fn bound_again(&self, name: &str, from: usize) -> Option<usize> {
        let binds = |at: &usize| self.source.statements[*at].binds(name);
        (from..self.source.statements.len()).find(binds)
    }
}

/// How the next attempt is made.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) needed: Needed,
    /// Generated lines that are left out.
    pub(super) without: Vec<Role>,
    /// New variables that borrow, and from which others.
    pub(super) borrowing: BTreeMap<String, Option<String>>,
    /// Those of them that are dropped before the variables they borrow from are stored.
    pub(super) dropped: BTreeSet<String>,
    /// How functions can be called, as learned from the compiler.
    pub(super) calls: BTreeMap<String, Calls>,
    /// Statements that are left out: closures whose types are known only where
    /// they are called.
    pub(super) skipped: BTreeSet<usize>,
    /// Text to insert into the cell: copies of handles.
    pub(super) insertions: BTreeMap<usize, String>,
    /// Text to insert into closures of earlier cells, by closure.
    pub(super) copies_in_lambdas: BTreeMap<String, BTreeMap<usize, String>>,
    /// Whether copies turned out wrong: the type only has the same name as a handle.
    copies_nothing: bool,
    /// Earlier variables that turn out not to be handles.
    pub(super) taken: BTreeSet<String>,
    /// Where variables were moved: places in the cell.
    pub(super) moved: BTreeMap<String, usize>,
    /// Whether closures of earlier cells get types by how they are called.
    pub(super) types_parameters: bool,
    /// Whether the statements are run in parts.
    pub(super) split: bool,
    /// Whether all statements are in an `async` block.
    pub(super) awaits: bool,
    /// How the last expression's value is shown.
    pub(super) shows: Shows,
    /// Closures of earlier cells that are left out, because nothing calls them.
    pub(super) hidden: BTreeSet<String>,
    /// Variables that are kept by value, although their types may have no name.
    pub(super) plain: BTreeSet<String>,
    /// The errors before the cell got all items.
    with_less: Option<Errors>,
    /// The errors before the last value was shown without probing its type.
    untyped: Option<Errors>,
}

/// Returns the reference-counted handle types of a cell.
pub(super) fn counted_handles(source: &ParsedCell) -> &'static [&'static str] {
    match source.counts_handles() {
        true => &["Arc", "Rc"],
        false => &[],
    }
}

impl Attempt {
    /// Returns the first attempt.
    pub(super) fn new(needed: Needed) -> Self {
        Self {
            needed,
            without: Vec::new(),
            borrowing: BTreeMap::new(),
            dropped: BTreeSet::new(),
            calls: BTreeMap::new(),
            skipped: BTreeSet::new(),
            insertions: BTreeMap::new(),
            copies_in_lambdas: BTreeMap::new(),
            copies_nothing: false,
            taken: BTreeSet::new(),
            moved: BTreeMap::new(),
            types_parameters: false,
            split: true,
            awaits: false,
            shows: Shows::Probed,
            hidden: BTreeSet::new(),
            plain: BTreeSet::new(),
            with_less: None,
            untyped: None,
        }
    }

    /// Changes the attempt in response to its errors. Returns the errors to report if
    /// there is nothing left to try.
    pub(super) fn after(
        &mut self,
        errors: Errors,
        cell: &Compiled<'_>,
        change: &Change,
        runner: &mut CellRunner,
    ) -> Option<Errors> {
        let diagnostics = &errors.diagnostics;
        // Two traits in scope have an `evcxr_display`: ours, and one that the
        // cell uses on purpose.
        let is_ambiguous = |one: &Diagnostic| {
            one.code.as_deref() == Some("E0034") && one.is_about_generated() && one.role.is_none()
        };
        if self.shows == Shows::Probed && diagnostics.iter().any(is_ambiguous) {
            self.shows = Shows::Itself;
            return None;
        }
        // A macro contains an `await`.
        let wants_async = |one: &Diagnostic| one.code.as_deref() == Some("E0728");
        if !self.awaits && diagnostics.iter().any(wants_async) {
            self.awaits = true;
            return None;
        }
        let has_changed = self.copy_handles(diagnostics, cell, runner)
            || self.lend_shown(diagnostics, cell)
            || self.convert_errors(diagnostics)
            || self.prefer_imports(diagnostics)
            || self.leave_borrowing(diagnostics, cell)
            || self.keep_as_value(diagnostics, cell)
            || self.mend(diagnostics, cell, runner)
            || self.skip_closures(diagnostics, cell.source)
            || self.change_calls(diagnostics, cell);
        if has_changed {
            return None;
        }
        // The parameter types of an earlier closure may be open before its value is
        // shown.
        let is_untyped = |one: &Diagnostic| {
            matches!(
                one.code.as_deref(),
                Some("E0282" | "E0283" | "E0284" | "E0689")
            )
        };
        let has_closures = !runner.lambdas_used(cell.source).is_empty();
        if has_closures && !self.types_parameters && diagnostics.iter().any(is_untyped) {
            self.types_parameters = true;
            return None;
        }
        // A closure may have the same name as a parameter or a field.
        let is_of_closure = |one: &Diagnostic| is_untyped(one) && one.is_elsewhere();
        if self.hidden.is_empty() && diagnostics.iter().all(is_of_closure) {
            let statements = &cell.source.statements;
            let calls = |name: &str| {
                let mut calls = statements.iter().flat_map(|one| &one.flow.calls);
                calls.any(|(called, _)| called == name)
            };
            let lambdas = runner.lambdas_used(cell.source).into_iter();
            let names = lambdas.map(|one| one.lambda.name.clone());
            self.hidden = names.filter(|name| !calls(name)).collect();
            if !self.hidden.is_empty() {
                self.untyped = Some(errors);
                return None;
            }
        }
        // As long as the type of a number is open, the compiler finds no methods on it.
        let is_nowhere = |one: &Diagnostic| !one.is_about_cell() && one.role.is_none();
        let next = match self.shows {
            Shows::Probed
                if diagnostics.iter().any(is_untyped) && diagnostics.iter().all(is_nowhere)
                    || diagnostics.iter().all(is_untyped) =>
            {
                Some(Shows::Show)
            }
            Shows::Show if self.untyped.is_some() || diagnostics.iter().all(is_nowhere) => {
                Some(Shows::Debug)
            }
            _ => None,
        };
        if let Some(next) = next {
            self.shows = next;
            // The errors to report if that does not help.
            if self.untyped.is_none() && !diagnostics.iter().all(is_nowhere) {
                self.untyped = Some(errors);
            }
            return None;
        }
        let errors = self.untyped.take().unwrap_or(errors);
        let diagnostics = &errors.diagnostics;
        // The code around the parts may cause the errors. At least they are clearer
        // without it.
        // A name that was not handed on is missing in a later part.
        let misses_handed = |one: &Diagnostic| {
            let name = one
                .variable()
                .filter(|_| one.code.as_deref() == Some("E0425"));
            name.is_some_and(|name| {
                let mut without = self.without.iter();
                without.any(|role| matches!(role, Role::Hand(handed, _) if handed == name))
            })
        };
        let is_about_parts = |one: &Diagnostic| one.is_about_ownership() || misses_handed(one);
        if self.split && diagnostics.iter().any(is_about_parts) {
            self.split = false;
            self.shows = Shows::Probed;
            self.without.clear();
            self.borrowing.clear();
            return None;
        }
        // Perhaps a macro generates a name that the cell uses.
        let misses_something = diagnostics.iter().any(Diagnostic::misses_something);
        if self.with_less.is_none() && misses_something && change.after.is_part(&self.needed) {
            self.with_less = Some(errors);
            self.needed = Needed::All;
            return None;
        }
        Some(self.with_less.take().unwrap_or(errors))
    }

    /// Inserts copies of handles where the cell moves them but uses them later, or where
    /// they must be kept.
    fn copy_handles(
        &mut self,
        diagnostics: &[Diagnostic],
        cell: &Compiled<'_>,
        runner: &CellRunner,
    ) -> bool {
        let is_too_short = |one: &Diagnostic| one.code.as_deref() == Some("E0716");
        if !self.insertions.is_empty()
            && diagnostics
                .iter()
                .any(|one| one.misses_clone() || is_too_short(one))
        {
            self.insertions.clear();
            self.copies_nothing = true;
            return true;
        }
        if self.copies_nothing {
            return false;
        }
        let code = cell.code;
        let counted = counted_handles(cell.source);
        let before = self.insertions.len();
        let mut has_copied = false;
        for diagnostic in diagnostics {
            // A closure that is called again.
            if let Some(moved) = diagnostic.moved_by_closure() {
                if moved.cell == cell.number {
                    if runner.has_handle(&moved.variable, counted)
                        && code.get(moved.range.clone()) == Some(&moved.variable)
                    {
                        self.insert(moved.range.end, ".clone()");
                        continue;
                    }
                } else if let Some(name) = runner.lambda_with_handle(moved, counted) {
                    let copies = self.copies_in_lambdas.entry(name).or_default();
                    has_copied |= copies
                        .insert(moved.range.end, ".clone()".to_owned())
                        .is_none();
                    continue;
                }
            }
            let is_copied = matches!(diagnostic.code.as_deref(), Some("E0382" | "E0507"))
                && diagnostic.moved_type().is_some_and(|of_type| {
                    is_handle_in_short(of_type)
                        && !counted.iter().any(|name| of_type.contains(name))
                });
            let Some(variable) = diagnostic.variable().filter(|_| is_copied) else {
                continue;
            };
            if cell.source.drops(variable) {
                continue;
            }
            for place in diagnostic.moved_at() {
                let end = end_of_variable(code, place, variable);
                // `move || …`, made again and again.
                let takes = |text: &str| text.starts_with("move") || text.starts_with("async");
                let head = code.get(place.clone()).is_some_and(takes);
                let inside = end.or(head.then_some(place.start + 1));
                let closure = inside.and_then(|inside| cell.source.moving_closure(inside));
                match (closure, end) {
                    // A closure captures its variables when it is created.
                    (Some(closure), _) => {
                        let copy = format!("{{ let {variable} = {variable}.clone(); ");
                        self.insert(closure.start, &copy);
                        self.insert(closure.end, " }");
                    }
                    (None, Some(end)) => self.insert(end, ".clone()"),
                    (None, None) => {}
                }
            }
        }
        has_copied || self.insertions.len() > before
    }

    /// Qualifies a macro that the user imports with a `*`, so that it wins over the
    /// prelude's: for macros only, the compiler does not decide this.
    fn prefer_imports(&mut self, diagnostics: &[Diagnostic]) -> bool {
        let before = self.insertions.len();
        for diagnostic in diagnostics {
            // "use `crate::df` to refer to this macro unambiguously"
            if diagnostic.code.as_deref() == Some("E0659")
                && let Some(place) = diagnostic.starts_at()
                && let Some(path) = diagnostic.path_to("macro")
                && let Some((module, _)) = path.rsplit_once("::")
            {
                self.insert(place, &format!("{module}::"));
            }
        }
        self.insertions.len() > before
    }

    /// Makes `?` accept errors that only implement `Debug`.
    fn convert_errors(&mut self, diagnostics: &[Diagnostic]) -> bool {
        let before = self.insertions.len();
        for diagnostic in diagnostics {
            if diagnostic.wants_display_for_question_mark()
                && let Some(place) = diagnostic.starts_at()
                && !self.insertions.contains_key(&place)
            {
                self.insert(place, &format!(".map_err({CELL}::of_debug)"));
            }
        }
        self.insertions.len() > before
    }

    /// Makes a displayed tuple of variables take references to them.
    fn lend_shown(&mut self, diagnostics: &[Diagnostic], cell: &Compiled<'_>) -> bool {
        let before = self.insertions.len();
        for diagnostic in diagnostics {
            if diagnostic.code.as_deref() != Some("E0382") || diagnostic.role.is_none() {
                continue;
            }
            let Some(variable) = diagnostic.variable() else {
                continue;
            };
            for place in diagnostic.moved_at() {
                let shown = cell
                    .statement_at(place.start)
                    .map(|at| &cell.source.statements[at]);
                let is_of_tuple = shown.is_some_and(|shown| {
                    let text = &cell.code[shown.range.clone()];
                    let before = cell.code[shown.range.start..place.start].trim_end();
                    let after = cell.code[place.end..shown.range.end].trim_start();
                    shown.kind == StatementKind::Tail
                        && text.starts_with('(')
                        && text.ends_with(')')
                        && !before.trim_start_matches('(').contains('(')
                        && before.ends_with(['(', ','])
                        && after.starts_with([',', ')'])
                        && &cell.code[place.clone()] == variable
                });
                if is_of_tuple && !self.insertions.contains_key(&place.start) {
                    self.insert(place.start, "&");
                }
            }
        }
        self.insertions.len() > before
    }

    fn insert(&mut self, place: usize, text: &str) {
        let known = self.insertions.entry(place).or_default();
        if !known.contains(text) {
            known.push_str(text);
        }
    }

    /// Keeps variables by value if their types turn out to have names.
    fn keep_as_value(&mut self, diagnostics: &[Diagnostic], cell: &Compiled<'_>) -> bool {
        let before = self.plain.len();
        for diagnostic in diagnostics {
            if let Some(role) = &diagnostic.role
                && role.stores()
                && matches!(
                    diagnostic.code.as_deref(),
                    Some("E0034" | "E0282" | "E0283")
                )
                && matches!(
                    cell.plan.kept.get(role.variable()),
                    Some(Retention::Unnameable(_))
                )
            {
                self.plain.insert(role.variable().to_owned());
            }
        }
        self.plain.len() > before
    }

    /// Does not keep variables that borrow from others.
    fn leave_borrowing(&mut self, diagnostics: &[Diagnostic], cell: &Compiled<'_>) -> bool {
        let before = self.borrowing.len();
        let mut has_left_out = false;
        for diagnostic in diagnostics {
            for (name, at) in self.borrowers(diagnostic, cell) {
                // A name that is bound again has another value at the end.
                let again = at.and_then(|at| cell.bound_again(&name, at + 1));
                if let (Some(at), Some(again)) = (at, again) {
                    let parts = cell.part_of(at).zip(cell.part_of(again));
                    for part in parts.into_iter().flat_map(|(from, to)| from..=to) {
                        has_left_out |= self.leave_out(Role::Salvage(name.clone(), part));
                    }
                    continue;
                }
                let from = diagnostic
                    .borrowed_from()
                    .filter(|from| *from != name)
                    .map(str::to_owned);
                let known = self.borrowing.entry(name).or_default();
                *known = known.take().or(from);
            }
        }
        let dropped = self.dropped.len();
        for diagnostic in diagnostics {
            if diagnostic.role.as_ref().is_some_and(Role::stores)
                && let Some(name) = diagnostic.dropped_variable()
            {
                self.dropped.insert(name.to_owned());
            }
        }
        has_left_out || self.borrowing.len() > before || self.dropped.len() > dropped
    }

    /// Returns the variables that cause an error because they borrow, and the statements
    /// that bind them, where known.
    fn borrowers(
        &self,
        diagnostic: &Diagnostic,
        cell: &Compiled<'_>,
    ) -> Vec<(String, Option<usize>)> {
        let statements = &cell.source.statements;
        if let Some(name) = diagnostic.borrowing_variable() {
            let at = match &diagnostic.role {
                // The earlier parts have bound it.
                Some(Role::Salvage(_, part)) => {
                    let end = cell.plan.parts[*part].start;
                    let binds = |at: &usize| statements[*at].binds(name);
                    (0..end).rev().find(binds)
                }
                _ => None,
            };
            return vec![(name.to_owned(), at)];
        }
        let place = diagnostic
            .starts_at()
            .filter(|_| diagnostic.wants_forever());
        let Some(at) = place.and_then(|place| cell.statement_at(place)) else {
            return Vec::new();
        };
        let bound = |at: usize| {
            let names = statements[at].bindings().iter();
            names.map(move |one| (one.name.clone(), Some(at)))
        };
        // Whether the bindings of a statement have been handled already.
        let is_known = |at: usize| {
            let mut names = statements[at].bindings().iter().map(|one| &one.name);
            names.all(|name| match cell.bound_again(name, at + 1) {
                None => self.borrowing.contains_key(name),
                Some(again) => cell
                    .part_of(again)
                    .is_none_or(|part| self.without.contains(&Role::Salvage(name.clone(), part))),
            })
        };
        // A function borrows a variable where it first uses it; the binding that borrows
        // from it may come later.
        let part = cell
            .part_of(at)
            .map_or(at..at + 1, |part| cell.plan.parts[part].clone());
        let from = diagnostic.borrowed_from().unwrap_or_default();
        let lent: Vec<usize> = (at..part.end)
            .filter(|&at| statements[at].flow.lends.contains(from) && !is_known(at))
            .collect();
        if !lent.is_empty() {
            return lent.into_iter().flat_map(bound).collect();
        }
        if !is_known(at) && !statements[at].bindings().is_empty() {
            return bound(at).collect();
        }
        // Values made from something that borrows.
        let through = |at: &usize| {
            let flow = &statements[*at].flow;
            let uses_one = || {
                flow.uses
                    .iter()
                    .any(|name| self.borrowing.contains_key(name))
            };
            flow.may_hold && !is_known(*at) && uses_one()
        };
        (at..statements.len())
            .filter(through)
            .flat_map(bound)
            .collect()
    }

    /// Weakens the trait of stored closures: where a trait is required, the compiler does
    /// not know what a closure does with its captures.
    fn change_calls(&mut self, diagnostics: &[Diagnostic], cell: &Compiled<'_>) -> bool {
        let mut has_changed = false;
        for diagnostic in diagnostics {
            let at_closure = || {
                let place = diagnostic.starts_at()?;
                let statements = cell.source.statements.iter();
                let mut at = statements.filter(|one| one.range.contains(&place));
                Some(at.next()?.bindings().first()?.name.clone())
            };
            let name = match (&diagnostic.role, diagnostic.code.as_deref()) {
                (Some(role), Some("E0277" | "E0525")) if role.stores() => {
                    Some(role.variable().to_owned())
                }
                (_, Some("E0277" | "E0525")) => at_closure(),
                _ => None,
            };
            let Some((name, Retention::Unnameable(planned))) =
                name.and_then(|name| Some((name.clone(), cell.plan.kept.get(&name)?)))
            else {
                continue;
            };
            let calls = self.calls.get(&name).unwrap_or(planned);
            let next = match (calls, diagnostic.code.as_deref()) {
                (Calls::Shared, Some("E0277")) => Calls::Local,
                (Calls::Shared | Calls::Local, _) => Calls::Changing,
                (Calls::Changing, _) => Calls::Once,
                (Calls::Once, _) => continue,
            };
            self.calls.insert(name, next);
            has_changed = true;
        }
        has_changed
    }

    /// Handles errors in generated lines: leaves lines out, corrects the names of types.
    /// Returns whether there is something to try.
    fn mend(
        &mut self,
        diagnostics: &[Diagnostic],
        cell: &Compiled<'_>,
        runner: &mut CellRunner,
    ) -> bool {
        let mut mended = false;
        let mut renamed: Vec<&str> = Vec::new();
        for diagnostic in diagnostics {
            let Some(role) = &diagnostic.role else {
                continue;
            };
            // Moved, or moved on some path, or never set.
            let is_moved = matches!(
                diagnostic.code.as_deref(),
                Some("E0381" | "E0382" | "E0505")
            );
            match role {
                Role::Load(name) if diagnostic.misses_clone() => {
                    mended |= self.taken.insert(name.clone());
                }
                // A type stands on several lines: one correction at a time.
                Role::Load(name) if !renamed.contains(&name.as_str()) => {
                    mended |= runner.rename_type(name, diagnostic);
                    renamed.push(name);
                }
                Role::Load(_) => {}
                // The user's code does not need these lines.
                Role::Early(_) | Role::Hold(_) | Role::End(..) | Role::Drop(_) => {
                    mended |= self.leave_out(role.clone());
                }
                Role::Keep(name) if is_moved => {
                    self.note_move(name, diagnostic);
                    mended |= self.leave_out(role.clone());
                    // Only within one part can it be restored where it got a new value.
                    if cell.source.assigned.contains(name) {
                        self.split = false;
                    }
                }
                Role::KeepNew(_) if is_moved => mended |= self.leave_out(role.clone()),
                _ if is_moved => {
                    let name = role.variable();
                    // From the part that moves it, it does not exist until it is bound
                    // again.
                    let moved = diagnostic.moved_at().next();
                    let moved = moved.and_then(|place| cell.statement_at(place.start));
                    let again = moved.and_then(|at| cell.bound_again(name, at));
                    if again.is_none() {
                        self.note_move(name, diagnostic);
                        mended |= self.leave_out(Role::Store(name.to_owned()));
                    }
                    let from = moved.and_then(|at| cell.part_of(at)).unwrap_or(0);
                    let last = cell.plan.parts.len() - 1;
                    let to = again.and_then(|at| cell.part_of(at)).unwrap_or(last);
                    for part in from..=to {
                        mended |= self.leave_out(Role::Salvage(name.to_owned(), part));
                    }
                    if matches!(role, Role::Store(_)) {
                        mended |= self.leave_out(role.clone());
                    }
                    if matches!(role, Role::Hand(..)) {
                        mended |= self.leave_out(role.clone());
                    }
                }
                _ => {}
            }
        }
        mended
    }

    fn leave_out(&mut self, role: Role) -> bool {
        let is_new = !self.without.contains(&role);
        if is_new {
            self.without.push(role);
        }
        is_new
    }

    fn note_move(&mut self, name: &str, diagnostic: &Diagnostic) {
        if let Some(place) = diagnostic.moved_at().next() {
            self.moved.entry(name.to_owned()).or_insert(place.start);
        }
    }

    /// Leaves out closures whose types the compiler cannot infer where they are defined.
    /// They are kept as text, and their first call determines their types.
    fn skip_closures(&mut self, diagnostics: &[Diagnostic], source: &ParsedCell) -> bool {
        let before = self.skipped.len();
        for diagnostic in diagnostics {
            if !matches!(
                diagnostic.code.as_deref(),
                Some("E0282" | "E0283" | "E0284")
            ) {
                continue;
            }
            let Some(place) = diagnostic.starts_at() else {
                continue;
            };
            let Some(at) = source
                .statements
                .iter()
                .position(|statement| statement.range.contains(&place))
            else {
                continue;
            };
            let statement = &source.statements[at];
            if let [binding] = statement.bindings()
                && matches!(statement.flow.initial, super::flow::Initial::Closure(_))
                && !source.statements[at + 1..]
                    .iter()
                    .any(|later| later.names.contains(&binding.name))
            {
                self.skipped.insert(at);
            }
        }
        self.skipped.len() > before
    }

    /// Returns whether a variable is kept in this attempt.
    pub(super) fn is_kept(&self, name: &str, kept: &Retention) -> bool {
        match kept {
            Retention::Text(held) if !held.is_empty() => {
                !self.without.contains(&Role::Hold(name.to_owned()))
                    && !self.borrowing.contains_key(name)
            }
            Retention::Text(_) => true,
            Retention::Not(_) => false,
            _ => !self.borrowing.contains_key(name),
        }
    }
}

/// Returns the end of the variable that is moved at a place. The place is that of the
/// variable, or of the method that takes it.
fn end_of_variable(code: &str, place: &std::ops::Range<usize>, variable: &str) -> Option<usize> {
    let text = code.get(place.clone())?;
    // Of `(x + y)`, the left side.
    let inner = text.trim_start_matches(['(', ' ']);
    let rest = inner.strip_prefix(variable);
    if let Some(rest) = rest
        && !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
    {
        return Some(place.end - rest.len());
    }
    let before = code[..place.start].trim_end().strip_suffix('.')?.trim_end();
    before.ends_with(variable).then_some(before.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_stands_behind_the_variable() {
        let end = |code: &str, needle: &str| {
            let start = code.find(needle).unwrap();
            end_of_variable(code, &(start..start + needle.len()), "x")
        };
        assert_eq!(end("(x + 1.0)", "x"), Some(2));
        assert_eq!(end("y = x\n    .lazy()", "lazy()"), Some(5));
        assert_eq!(end("y = z.lazy()", "lazy()"), None);
        assert_eq!(end("(x - x.mean())", "(x - x.mean())"), Some(2));
        assert_eq!(end("xs + 1", "xs + 1"), None);
    }
}
