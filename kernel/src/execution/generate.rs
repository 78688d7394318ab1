//! Generates the code that is compiled for a cell.

use super::generated::{Generated, Role};
use super::places::Text;
use super::plan::Retention;
use super::scaffold::{Executor, Lambda, Load, Scaffold};
use super::source::{Binding, ParsedCell, StatementKind};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub(super) const CELL: &str = "swath::session::cell";

impl Generated {
    /// Writes the function that runs a cell's statements.
    pub(super) fn function(&mut self, cell: &Text, source: &ParsedCell, scaffold: &Scaffold<'_>) {
        self.line(format_args!("#[unsafe(no_mangle)]"));
        self.line(format_args!(
            "pub extern \"C\" fn {}() {{",
            scaffold.function
        ));
        if source.statements.is_empty() {
            self.line(format_args!("{CELL}::run(&mut || {{"));
            self.forget(scaffold);
            self.line(format_args!("::std::result::Result::Ok(())\n}});"));
        } else {
            self.statements(cell, source, scaffold);
        }
        self.line(format_args!("}}"));
    }

    /// Writes the cell unchanged, to get the compiler's own message about code that our
    /// parser does not understand: either inside a function, or alone, where the compiler
    /// reports an unmatched delimiter and nothing else.
    pub(super) fn verbatim(&mut self, cell: &Text, commands: &[Range<usize>], is_alone: bool) {
        if !is_alone {
            self.line(format_args!("pub fn cell() {{"));
        }
        let end = cell.range.end;
        let mut start = cell.range.start;
        for range in commands.iter().cloned().chain(std::iter::once(end..end)) {
            self.piece(&cell.part(start..range.start));
            self.raw("\n");
            start = range.end;
        }
        if !is_alone {
            self.line(format_args!("}}"));
        }
    }

    fn statements(&mut self, cell: &Text, source: &ParsedCell, scaffold: &Scaffold<'_>) {
        self.line(format_args!("{CELL}::run(&mut || {{"));
        self.forget(scaffold);
        self.load(scaffold);
        match &scaffold.plan.parts[..] {
            [all] => {
                let (open, close) = around(source, scaffold, all);
                self.line(format_args!("let swath_outcome = {open}"));
                self.last_part(cell, source, scaffold, all);
                self.line(format_args!("{close};"));
            }
            parts => self.parts(cell, source, scaffold, parts),
        }
        let bindings = source.bindings();
        for (name, loaded) in &scaffold.loaded {
            let role = Role::Keep((*name).to_owned());
            if loaded.how != Load::Take && !loaded.mutable || scaffold.leaves_out(&role) {
                continue;
            }
            // A variable that the cell sets again is put back only if the cell fails.
            let condition = if bindings.iter().any(|binding| binding.name == *name) {
                "if swath_outcome.is_err() "
            } else {
                ""
            };
            let line = format!("{condition}{{ {CELL}::put({name:?}, {name}); }}");
            self.role(role, &line);
        }
        self.line(format_args!("swath_outcome"));
        self.line(format_args!("}});"));
    }

    /// Writes the code that loads the earlier variables.
    fn load(&mut self, scaffold: &Scaffold<'_>) {
        let held = scaffold.lambdas.iter().filter(|one| !one.held.is_empty());
        let checked: Vec<(String, &str)> = scaffold
            .loaded
            .iter()
            .map(|(name, loaded)| ((*name).to_owned(), &*loaded.of_type))
            .chain(held.map(|one| (Lambda::held_name(&one.name), &*one.of_type)))
            .collect();
        if !checked.is_empty() {
            self.line(format_args!("{CELL}::check(&["));
            for (name, of_type) in checked {
                let line = format!("({name:?}, ::std::any::TypeId::of::<{of_type}>()),");
                self.role(Role::Load(name), &line);
            }
            self.line(format_args!("])?;"));
        }
        for lambda in &scaffold.lambdas {
            self.lambda(lambda, scaffold);
        }
        for (name, loaded) in &scaffold.loaded {
            let mutable = if loaded.mutable { "mut " } else { "" };
            let (take, function) = match loaded.how {
                Load::Take => ("take", ""),
                // Variables that may get another value are put back.
                Load::Copy => ("handle", ""),
                Load::Function => ("handle", ".into_fn()"),
            };
            let line = format!(
                "let {mutable}{name} = {CELL}::{take}::<{}>({name:?}){function};",
                loaded.of_type
            );
            self.role(Role::Load((*name).to_owned()), &line);
        }
    }

    /// Writes a closure of an earlier cell.
    fn lambda(&mut self, lambda: &Lambda, scaffold: &Scaffold<'_>) {
        let patches = scaffold.in_lambdas.get(&*lambda.name);
        let patches = patches.unwrap_or(const { &BTreeMap::new() });
        let mutable = if lambda.mutable { "mut " } else { "" };
        self.raw(&format!("let {mutable}{} = ", lambda.name));
        if lambda.held.is_empty() {
            self.patched(&lambda.text, patches);
            self.raw(";\n");
            return;
        }
        let name = Lambda::held_name(&lambda.name);
        let line = format!(
            "{{ let ({},) = {CELL}::handle::<{}>({name:?});",
            lambda.held.join(", "),
            lambda.of_type
        );
        self.role(Role::Load(name), &line);
        if !lambda.is_move {
            self.raw("move ");
        }
        self.patched(&lambda.text, patches);
        self.raw(" };\n");
    }

    /// Writes the statements in parts; each part passes its variables to the next ones.
    fn parts(
        &mut self,
        cell: &Text,
        source: &ParsedCell,
        scaffold: &Scaffold<'_>,
        parts: &[Range<usize>],
    ) {
        self.line(format_args!(
            "let swath_outcome: ::std::result::Result<(), {CELL}::Failure> = 'swath: {{"
        ));
        self.line(format_args!(
            "let mut swath_failed = ::std::option::Option::None;"
        ));
        let mut handed: Vec<&Binding> = Vec::new();
        let last = parts.len() - 1;
        for (number, part) in parts.iter().enumerate() {
            let (open, close) = around(source, scaffold, part);
            let bound: Vec<&Binding> = scaffold
                .plan
                .bound(source, part)
                .into_iter()
                .filter(|binding| {
                    number < last
                        && !scaffold.leaves_out(&Role::Hand(binding.name.clone(), number))
                        && !scaffold.has_skipped(source, part, &binding.name)
                })
                .collect();
            if number == last {
                self.line(format_args!(
                    "if let ::std::result::Result::Err(swath_failure) = {open}"
                ));
                self.last_part(cell, source, scaffold, part);
                self.line(format_args!("{close} {{"));
            } else {
                // A failed part must drop its temporaries first: a lock guard would stay
                // held.
                self.raw("let ::std::option::Option::Some((");
                for binding in &bound {
                    let mutable = if binding.mutable { "mut " } else { "" };
                    self.raw(&format!("{mutable}{}, ", binding.name));
                }
                self.line(format_args!(")) = (match {open}"));
                self.write_statements(cell, source, scaffold, part);
                self.line(format_args!(
                    "::std::result::Result::<_, {CELL}::Failure>::Ok(("
                ));
                for binding in &bound {
                    let role = Role::Hand(binding.name.clone(), number);
                    self.role(role, &format!("{},", binding.name));
                }
                self.line(format_args!(
                    "))\n{close} {{\n\
                     ::std::result::Result::Ok(swath_bound) => ::std::option::Option::Some(swath_bound),\n\
                     ::std::result::Result::Err(swath_failure) => {{ swath_failed = ::std::option::Option::Some(swath_failure); ::std::option::Option::None }}\n\
                     }}) else {{"
                ));
            }
            if number < last {
                self.line(format_args!(
                    "let ::std::option::Option::Some(swath_failure) = swath_failed else {{ ::std::unreachable!() }};"
                ));
            }
            for binding in handed.iter().rev() {
                let role = Role::End(binding.name.clone(), number);
                if !scaffold.borrowing.contains(&*binding.name) {
                    self.store(
                        scaffold,
                        binding,
                        Role::Salvage(binding.name.clone(), number),
                    );
                } else if !scaffold.leaves_out(&role) {
                    let line = format!("{CELL}::end_with(&swath_failure, {});", binding.name);
                    self.role(role, &line);
                }
            }
            self.line(format_args!(
                "break 'swath ::std::result::Result::Err(swath_failure);\n}}"
            ));
            if number < last {
                self.line(format_args!(";"));
            }
            for binding in bound {
                handed.retain(|other| other.name != binding.name);
                handed.push(binding);
            }
        }
        let own: BTreeSet<&str> = scaffold
            .plan
            .bound(source, &parts[last])
            .iter()
            .map(|binding| &*binding.name)
            .collect();
        for binding in handed.iter().rev() {
            if !own.contains(&*binding.name) {
                self.store(scaffold, binding, Role::Store(binding.name.clone()));
            }
        }
        self.line(format_args!("::std::result::Result::Ok(())\n}};"));
    }

    /// Writes the statements of the last part, and the code that stores and shows their
    /// results.
    fn last_part(
        &mut self,
        cell: &Text,
        source: &ParsedCell,
        scaffold: &Scaffold<'_>,
        part: &Range<usize>,
    ) {
        let shows = self.write_statements(cell, source, scaffold, part);
        if scaffold.plan.parts.len() == 1 {
            for name in scaffold.loaded.keys() {
                // This replaces the line after the statements.
                let role = Role::KeepNew((*name).to_owned());
                if source.assigned.contains(*name)
                    && scaffold.leaves_out(&Role::Keep((*name).to_owned()))
                    && !scaffold.leaves_out(&role)
                {
                    self.role(role, &format!("{CELL}::put({name:?}, {name});"));
                }
            }
        }
        // Later bindings may borrow from earlier ones.
        for binding in scaffold.plan.bound(source, part).iter().rev() {
            if !scaffold.has_skipped(source, part, &binding.name) {
                self.store(scaffold, binding, Role::Store(binding.name.clone()));
            }
        }
        if shows {
            self.line(format_args!("{CELL}::show(swath_shown)?;"));
        }
        self.line(format_args!(
            "::std::result::Result::<(), {CELL}::Failure>::Ok(())"
        ));
    }

    /// Writes statements unchanged; returns whether the last one's value is shown.
    fn write_statements(
        &mut self,
        cell: &Text,
        source: &ParsedCell,
        scaffold: &Scaffold<'_>,
        part: &Range<usize>,
    ) -> bool {
        let mut shows = false;
        for at in part.clone() {
            let statement = &source.statements[at];
            if scaffold.skipped.contains(&at) {
                continue;
            }
            let bindings = statement.bindings();
            // Copy them before the closure captures them.
            for binding in bindings {
                self.hold(scaffold, binding);
            }
            let text = cell.part(statement.range.clone());
            if statement.kind == StatementKind::Tail {
                // Put it on lines of its own, so that columns in it match the cell's.
                let (open, close) = scaffold.shows.around();
                self.line(format_args!("{open}"));
                self.patched(&text, scaffold.insertions);
                self.line(format_args!("\n{close}"));
                shows = true;
            } else {
                self.patched(&text, scaffold.insertions);
                self.text.push('\n');
            }
            for binding in bindings {
                let role = Role::Early(binding.name.clone());
                let name = &binding.name;
                if scaffold.stale.contains(&**name) && !scaffold.is_stored(name) {
                    self.line(format_args!("{CELL}::forget(&[{name:?}]);"));
                }
                if matches!(scaffold.plan.kept.get(name), Some(Retention::Early(_)))
                    && !scaffold.leaves_out(&role)
                {
                    self.role(role, &format!("swath::keep_early!({name:?}, {name});"));
                }
            }
        }
        shows
    }

    /// Writes the code that keeps copies of the captures of a closure that is kept as
    /// text.
    fn hold(&mut self, scaffold: &Scaffold<'_>, binding: &Binding) {
        let role = Role::Hold(binding.name.clone());
        if let Some(Retention::Text(held)) = scaffold.plan.kept.get(&binding.name)
            && !held.is_empty()
            && !scaffold.leaves_out(&role)
        {
            let copies: String = held
                .iter()
                .map(|name| format!("::std::clone::Clone::clone(&{name}), "))
                .collect();
            let name = Lambda::held_name(&binding.name);
            self.role(role, &format!("{CELL}::put({name:?}, ({copies}));"));
        }
    }

    /// Writes the code that puts a new variable into the store, or drops it if it borrows
    /// from variables that are stored next.
    fn store(&mut self, scaffold: &Scaffold<'_>, binding: &Binding, role: Role) {
        let name = &binding.name;
        let kept = scaffold.plan.kept.get(name).unwrap_or(&Retention::Value);
        if scaffold.dropped.contains(name) {
            let role = Role::Drop(name.clone());
            if !scaffold.leaves_out(&role) {
                self.role(role, &format!("::std::mem::drop({name});"));
            }
            return;
        }
        if scaffold.leaves_out(&role) {
            return;
        }
        if let Role::Salvage(_, part) = role
            && matches!(kept, Retention::Early(_))
            && !scaffold.plan.is_moved(name, part)
        {
            return self.role(role, &format!("{CELL}::put({name:?}, {name});"));
        }
        match kept {
            Retention::Value => self.role(role, &format!("{CELL}::put({name:?}, {name});")),
            Retention::Unnameable(_) if scaffold.plain.contains(name) => {
                self.role(role, &format!("{CELL}::put({name:?}, {name});"));
            }
            Retention::Unnameable(calls) => {
                let calls = scaffold.calls.get(name).unwrap_or(calls).name();
                let line = format!("swath::keep_unnameable!({calls}, {name:?}, {name});");
                self.role(role, &line);
            }
            Retention::Early(_) | Retention::Text(_) | Retention::Not(_) => {}
        }
    }

    fn forget(&mut self, scaffold: &Scaffold<'_>) {
        if !scaffold.forget.is_empty() {
            self.line(format_args!("{CELL}::forget(&{:?});", scaffold.forget));
        }
    }
}

/// Returns the code before and after the statements of a part. It makes them fail as a
/// whole, and runs futures if there are any.
fn around(source: &ParsedCell, scaffold: &Scaffold<'_>, part: &Range<usize>) -> (String, String) {
    let statements = &source.statements[part.clone()];
    let awaits = scaffold.awaits || statements.iter().any(|one| one.flow.awaits);
    let speaks_of_tokio = source.names.contains("tokio");
    let result = format!("::std::result::Result<_, {CELL}::Failure>");
    let kept =
        format!("{CELL}::with_kept(\"tokio\", || ::tokio::runtime::Runtime::new(), |swath_tokio|");
    let (open, close) = match (scaffold.executor, awaits) {
        (_, false) if !speaks_of_tokio => (format!("|| -> {result} {{"), "}".to_owned()),
        (Executor::Session, true) => (
            format!("|| -> {result} {{ {CELL}::block_on(async {{"),
            "}) }".to_owned(),
        ),
        (Executor::Session, false) => (
            format!("|| {CELL}::entered(|| -> {result} {{"),
            "})".to_owned(),
        ),
        (_, true) => (
            format!("|| -> {result} {{ {kept} swath_tokio.block_on({CELL}::interruptible(async {{"),
            "})))? }".to_owned(),
        ),
        (Executor::Own, false) => (
            format!(
                "|| -> {result} {{ {kept} {{ let _entered = swath_tokio.enter(); (|| -> {result} {{"
            ),
            "})() })? }".to_owned(),
        ),
        (Executor::Old, false) => (
            format!("|| -> {result} {{ {kept} swath_tokio.enter(|| -> {result} {{"),
            "}))? }".to_owned(),
        ),
    };
    (format!("{CELL}::guard({open}"), format!("{close})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::items::{Items, Needed};
    use crate::execution::plan::{Calls, CellPlan};
    use crate::execution::scaffold::{Loaded, Shows};
    use std::sync::Arc;

    fn generate(code: &str, scaffold: Scaffold<'_>) -> Generated {
        let source = ParsedCell::parse(code);
        let earlier = scaffold.loaded.iter().map(|(name, of)| (*name, of.mutable));
        let plan = CellPlan::new(
            &source,
            &earlier.collect(),
            &BTreeSet::new(),
            &|_| false,
            true,
        );
        let scaffold = Scaffold { plan, ..scaffold };
        let code: Arc<str> = Arc::from(code);
        let mut generated = Generated::default();
        let mut items = Items::default().change(3, &code, &source).after;
        items.write(&mut generated, &Needed::All, 1);
        generated.function(&Text::whole(3, &code), &source, &scaffold);
        generated
    }

    /// Returns a scaffold with nothing special.
    fn scaffold<'a>() -> Scaffold<'a> {
        type Nothing = (
            BTreeSet<usize>,
            BTreeMap<usize, String>,
            BTreeSet<String>,
            BTreeMap<String, Calls>,
        );
        static NOTHING: Nothing = (
            BTreeSet::new(),
            BTreeMap::new(),
            BTreeSet::new(),
            BTreeMap::new(),
        );
        Scaffold {
            function: "cell",
            lambdas: Vec::new(),
            in_lambdas: BTreeMap::new(),
            loaded: BTreeMap::new(),
            forget: &[],
            stale: BTreeSet::new(),
            plan: CellPlan::default(),
            without: &[],
            borrowing: BTreeSet::new(),
            dropped: &NOTHING.2,
            calls: &NOTHING.3,
            plain: &NOTHING.2,
            skipped: &NOTHING.0,
            insertions: &NOTHING.1,
            awaits: false,
            executor: Executor::Session,
            shows: Shows::Probed,
        }
    }

    #[test]
    fn parts_hand_on_what_they_bind() {
        let generated = generate("let a = f()?;\nlet b = g(&a)?;\nb", scaffold());
        let text = &generated.text;
        let at = |needle: &str| {
            text.find(needle)
                .unwrap_or_else(|| panic!("{needle}: {text}"))
        };
        assert!(
            at("Some((a, )) = (match") < at("let a = f()?") && at("let a = f()?") < at("let b =")
        );
        // If the second part fails, the first variable is kept; at the end both are.
        assert!(text.find("put(\"a\", a)") < text.rfind("break 'swath"));
        assert_eq!(text.matches("put(\"a\", a)").count(), 2);
        assert_eq!(text.matches("put(\"b\", b)").count(), 1);
    }

    #[test]
    fn what_is_inserted_moves_no_place() {
        let insertions = BTreeMap::from([(1, ".clone()".to_owned())]);
        let scaffold = Scaffold {
            insertions: &insertions,
            ..scaffold()
        };
        let generated = generate("x + y", scaffold);
        let at = generated.text.find(" + y").expect("it is there");
        assert!(generated.text.contains("x.clone() + y"));
        let origin = generated.origin(at + 3).expect("it is the cell's");
        assert_eq!(origin.offset, 4);
    }

    #[test]
    fn places_are_found_again() {
        let code = "fn f() {}\nlet y = x;\ny";
        let loaded = BTreeMap::from([(
            "x",
            Loaded {
                of_type: "i32".into(),
                mutable: true,
                how: Load::Take,
            },
        )]);
        let generated = generate(
            code,
            Scaffold {
                function: "cell",
                loaded,
                ..scaffold()
            },
        );
        let at = |needle| generated.text.find(needle).expect("it is there");
        let offset = |at| {
            let origin = generated.origin(at)?;
            assert_eq!(origin.cell, 3);
            Some(origin.offset)
        };
        assert_eq!(offset(at("let y = x")), code.find("let y"));
        assert_eq!(offset(at("fn f()")), Some(0));
        assert_eq!(offset(at("swath_outcome =")), None);
        assert_eq!(
            generated.role_at(at("take::<i32>")),
            Some(&Role::Load("x".into()))
        );
        assert_eq!(
            generated.role_at(at("put(\"y\"")),
            Some(&Role::Store("y".into()))
        );
        assert_eq!(
            generated.role_at(at("put(\"x\"")),
            Some(&Role::Keep("x".into()))
        );
    }

    #[test]
    fn what_is_not_understood_is_compiled_as_it_is() {
        let code: Arc<str> = Arc::from(":dep a\nlet x = ;");
        let mut generated = Generated::default();
        generated.verbatim(&Text::whole(1, &code), std::slice::from_ref(&(0..6)), false);
        assert_eq!(generated.text, "pub fn cell() {\n\n\nlet x = ;\n}\n");
        let at = generated.text.find("= ;").expect("it is there");
        assert_eq!(
            generated.origin(at).map(|origin| origin.offset),
            code.find("= ;")
        );
    }
}
