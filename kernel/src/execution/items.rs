//! The items that the session's cells have defined.
//!
//! Each cell is compiled with the items it needs in front. An item replaces the
//! earlier one of the same name; an `impl` block replaces the one with the same
//! head that has the same members. A `static` is defined by the first cell that
//! has it and only declared by later ones, so all cells share one copy.

use super::generated::Generated;
use super::item::{ItemKind, Static, StaticKind};
use super::places::Text;
use super::source::ParsedCell;
use super::syntax::names_in;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

/// An item as a cell defined it.
#[derive(Clone, Debug)]
struct Item {
    definition: Arc<Definition>,
    /// For each of its statics, its symbol in the runtime process, once a cell
    /// that defines it has been loaded.
    symbols: Vec<Option<String>>,
}

#[derive(Debug)]
pub(super) struct Definition {
    text: Text,
    statics: Vec<Static>,
    names: BTreeSet<String>,
    repeats: bool,
}

#[derive(Clone, Debug)]
struct Named {
    name: String,
    item: Item,
    is_type: bool,
    is_function: bool,
    members: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Macro {
    name: String,
    makes_items: bool,
    item: Item,
}

#[derive(Clone, Debug)]
struct Impl {
    item: Item,
    head: String,
    /// The names in the head.
    about: BTreeSet<String>,
    members: BTreeSet<String>,
}

/// A `use`: whole as long as all of its imports are valid, otherwise the
/// remaining ones.
#[derive(Clone, Debug, Default)]
struct Import {
    whole: Option<Text>,
    named: Vec<(String, String)>,
    globs: Vec<String>,
}

/// The items of a session.
#[derive(Clone, Debug, Default)]
pub(super) struct Items {
    /// `#![…]`.
    attributes: Vec<Text>,
    imports: Vec<Import>,
    /// In the order of their definition, which matters to macros.
    macros: Vec<Macro>,
    others: Vec<Item>,
    /// By name and `#[cfg(…)]`: several may have the same name under opposite
    /// conditions.
    named: BTreeMap<(String, String), Named>,
    impls: Vec<Impl>,
}

/// The items that are written for a cell.
#[derive(Debug)]
pub(super) enum Needed {
    All,
    Some(BTreeSet<*const Definition>),
}

impl Needed {
    fn has(&self, item: &Item) -> bool {
        match self {
            Self::All => true,
            Self::Some(some) => some.contains(&Arc::as_ptr(&item.definition)),
        }
    }
}

/// The effect of a cell's items on the session.
#[derive(Debug)]
pub(super) struct Change {
    /// Types that are redefined, and types that contain them.
    pub(super) redefined: BTreeSet<String>,
    /// Statics that are initialised again, because a type in them is redefined.
    pub(super) restarted: Vec<String>,
    /// The session's items afterwards.
    pub(super) after: Items,
}

/// Returns a name in the form of [`ParsedCell::names`].
fn plain(name: &str) -> &str {
    name.trim_start_matches("r#")
}

/// Macros that every cell has in scope in addition to the prelude. A definition
/// of the same name replaces them.
const PRINT_MACROS: [&str; 4] = ["eprint", "eprintln", "print", "println"];

impl Items {
    /// Returns the items of a session in which no cell has run.
    pub(super) fn new() -> Self {
        let mut items = Self::default();
        for name in PRINT_MACROS {
            items.bring(name, &format!("swath::session::print::macros::{name}"));
        }
        items
    }

    /// Imports a name.
    pub(super) fn bring(&mut self, name: &str, path: &str) {
        self.undefine(name);
        self.imports.push(Import {
            named: vec![(name.to_owned(), format!("use {path};\n"))],
            ..Import::default()
        });
    }

    /// Removes an imported name.
    pub(super) fn drop_import(&mut self, name: &str) {
        for import in &mut self.imports {
            import.drop_name(name);
        }
        self.imports.retain(|import| !import.is_empty());
    }

    /// Returns what the items of a cell change.
    pub(super) fn change(&self, cell: u32, code: &Arc<str>, source: &ParsedCell) -> Change {
        let cell = Text::whole(cell, code);
        let text = |range: &Range<usize>| cell.part(range.clone());
        let mut after = self.clone();
        let mut redefined = BTreeSet::new();
        for range in &source.attributes {
            let attribute = text(range);
            after
                .attributes
                .retain(|other| other.as_str() != attribute.as_str());
            after.attributes.push(attribute);
        }
        for item in &source.items {
            let defined = Item {
                symbols: vec![None; item.statics.len()],
                definition: Arc::new(Definition {
                    text: text(&item.range),
                    statics: item.statics.clone(),
                    names: item.names.clone(),
                    repeats: item.repeats,
                }),
            };
            match &item.kind {
                ItemKind::Named {
                    name,
                    is_type,
                    is_function,
                    members,
                } => {
                    let differs =
                        |before: &Named| before.is_type && before.item.as_str() != defined.as_str();
                    let key = (plain(name).to_owned(), item.condition.clone());
                    if self.named.get(&key).is_some_and(differs) {
                        redefined.insert(name.clone());
                    }
                    if item.condition.is_empty() {
                        after.undefine(name);
                    } else {
                        // Keep items under other conditions.
                        let unconditional = (key.0.clone(), String::new());
                        after.named.remove(&unconditional);
                        after.drop_import(plain(name));
                    }
                    let named = Named {
                        name: key.0.clone(),
                        item: defined,
                        is_type: *is_type,
                        is_function: *is_function,
                        members: members.clone(),
                    };
                    after.named.insert(key, named);
                }
                ItemKind::Macro { name, makes_items } => {
                    after.undefine(name);
                    after.macros.push(Macro {
                        name: name.clone(),
                        makes_items: *makes_items,
                        item: defined,
                    });
                }
                ItemKind::Impl { head, members } => after.implement(head, members, defined),
                ItemKind::Use { named, globs } => {
                    for (name, _) in named {
                        after.undefine(name);
                    }
                    for import in &mut after.imports {
                        import.drop_globs(globs);
                    }
                    after.imports.push(Import {
                        whole: Some(defined.definition.text.clone()),
                        named: named.clone(),
                        globs: globs.clone(),
                    });
                }
                ItemKind::ExternCrate { .. } | ItemKind::Other => {
                    after
                        .others
                        .retain(|other| other.as_str() != defined.as_str());
                    after.others.push(defined);
                }
            }
        }
        after.imports.retain(|import| !import.is_empty());
        let redefined = self.containing(redefined);
        let restarted = after.restart_statics(&redefined);
        Change {
            redefined,
            restarted,
            after,
        }
    }

    /// Removes every item of a name.
    fn undefine(&mut self, name: &str) {
        let name = plain(name);
        self.named.retain(|(other, _), _| other != name);
        self.macros.retain(|other| plain(&other.name) != name);
        self.drop_import(name);
    }

    fn implement(&mut self, head: &str, members: &BTreeSet<String>, item: Item) {
        // A trait is implemented once for a type; a type may have several
        // blocks of its own, as long as their members differ.
        let of_trait = head.contains(" for ");
        self.impls.retain(|before| {
            let replaced = before.head == head
                && (of_trait || before.members == *members || !before.members.is_disjoint(members));
            !replaced
        });
        self.impls.push(Impl {
            item,
            head: head.to_owned(),
            about: names_in(&format!("{head} {{}}")),
            members: members.clone(),
        });
    }

    /// Returns the given types and all types that contain them.
    fn containing(&self, mut types: BTreeSet<String>) -> BTreeSet<String> {
        if types.is_empty() {
            return types;
        }
        loop {
            let more: Vec<String> = self
                .named
                .values()
                .filter(|named| {
                    named.is_type
                        && !types.contains(&named.name)
                        && !named.item.definition.names.is_disjoint(&types)
                })
                .map(|named| named.name.clone())
                .collect();
            if more.is_empty() {
                return types;
            }
            types.extend(more);
        }
    }

    /// Marks the statics in which one of these types occurs for a new
    /// definition; returns their names.
    fn restart_statics(&mut self, types: &BTreeSet<String>) -> Vec<String> {
        let mut restarted = Vec::new();
        for item in self.all_mut() {
            let definition = item.definition.clone();
            for (of, symbol) in definition.statics.iter().zip(&mut item.symbols) {
                if symbol.is_some() && !names_in(&of.of_type).is_disjoint(types) {
                    *symbol = None;
                    restarted.push(of.name.clone());
                }
            }
        }
        restarted
    }

    /// Marks all statics for a new definition, because a new runtime process
    /// has none.
    pub(super) fn restart_all_statics(&mut self) {
        for item in self.all_mut() {
            item.symbols.fill(None);
        }
    }

    fn all(&self) -> impl Iterator<Item = &Item> {
        self.macros
            .iter()
            .map(|one| &one.item)
            .chain(&self.others)
            .chain(self.named.values().map(|named| &named.item))
            .chain(self.impls.iter().map(|one| &one.item))
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.macros
            .iter_mut()
            .map(|one| &mut one.item)
            .chain(&mut self.others)
            .chain(self.named.values_mut().map(|named| &mut named.item))
            .chain(self.impls.iter_mut().map(|one| &mut one.item))
    }

    /// Writes the items that a cell needs. Statics that no loaded cell has
    /// defined get symbols. `unit`, the number of the library, makes them
    /// unique.
    pub(super) fn write(&mut self, generated: &mut Generated, needed: &Needed, unit: u32) {
        for attribute in &self.attributes {
            generated.piece(attribute);
            generated.raw("\n");
        }
        for import in &self.imports {
            import.write(generated);
        }
        let mut count = 0;
        for item in self.all_mut().filter(|item| needed.has(item)) {
            item.write(generated, unit, &mut count);
        }
    }

    /// Returns the session's items that a cell needs: its own, and all that its
    /// names lead to. So the compiler checks a notebook's functions when they
    /// are defined, and when they are used.
    pub(super) fn needed(&self, names: &BTreeSet<String>, cell: &Text) -> Needed {
        let own: Vec<&Arc<Definition>> = self
            .all()
            .map(|item| &item.definition)
            .filter(|definition| Arc::ptr_eq(&definition.text.code, &cell.code))
            .collect();
        let mut names = names.clone();
        // Items that are always written need the items that they name.
        let always = self.others.iter().map(|item| &item.definition);
        for definition in own.iter().copied().chain(always) {
            names.extend(definition.names.iter().cloned());
        }
        for import in &self.imports {
            names.extend(import.path_names());
        }
        let mut reached = self.reached(names);
        reached.extend(own.into_iter().map(Arc::as_ptr));
        reached.extend(self.others.iter().map(|item| Arc::as_ptr(&item.definition)));
        Needed::Some(reached)
    }

    /// Returns whether some items are not needed.
    pub(super) fn is_part(&self, needed: &Needed) -> bool {
        self.all().any(|item| !needed.has(item))
    }

    /// Returns whether the items that these names lead to may run code many
    /// times: for example a function with a loop in it, or one that calls it.
    pub(super) fn repeat(&self, names: &BTreeSet<String>) -> bool {
        let reached = self.reached(names.clone());
        self.all()
            .any(|item| item.definition.repeats && reached.contains(&Arc::as_ptr(&item.definition)))
    }

    /// Returns the statics that these names lead to and that exist in the
    /// runtime process.
    pub(super) fn live_statics(&self, names: &BTreeSet<String>) -> Vec<String> {
        let reached = self.reached(names.clone());
        self.all()
            .filter(|item| reached.contains(&Arc::as_ptr(&item.definition)))
            .flat_map(|item| item.definition.statics.iter().zip(&item.symbols))
            .filter(|(_, symbol)| symbol.is_some())
            .map(|(of, _)| of.name.clone())
            .collect()
    }

    /// Returns the items that names lead to, directly or through the names in
    /// those items.
    fn reached(&self, mut names: BTreeSet<String>) -> BTreeSet<*const Definition> {
        let mut reached = BTreeSet::new();
        loop {
            let named = self.named.values().filter_map(|named| {
                // A trait's methods are called without its name.
                let is_meant = names.contains(&named.name) || !named.members.is_disjoint(&names);
                is_meant.then_some(&named.item)
            });
            let macros = self
                .macros
                .iter()
                .filter_map(|one| names.contains(plain(&one.name)).then_some(&one.item));
            let impls = self.impls.iter().filter_map(|one| {
                let of_trait = one.head.contains(" for ");
                let is_about =
                    |name: &String| names.contains(name) && self.by_name(name).next().is_some();
                // The members of a trait may be called without its name.
                let is_meant =
                    !one.members.is_disjoint(&names) || of_trait && one.about.iter().any(is_about);
                is_meant.then_some(&one.item)
            });
            let new: Vec<Arc<Definition>> = named
                .chain(macros)
                .chain(impls)
                .map(|item| &item.definition)
                .filter(|definition| !reached.contains(&Arc::as_ptr(definition)))
                .cloned()
                .collect();
            if new.is_empty() {
                return reached;
            }
            for definition in new {
                reached.insert(Arc::as_ptr(&definition));
                names.extend(definition.names.iter().cloned());
            }
        }
    }

    /// Returns whether a macro's calls define items.
    pub(super) fn makes_items(&self, name: &str) -> bool {
        self.macros
            .iter()
            .any(|one| one.name == name && one.makes_items)
    }

    /// Returns whether a name is a function.
    pub(super) fn is_function(&self, name: &str) -> bool {
        self.by_name(plain(name)).any(|named| named.is_function)
    }

    /// Returns whether a function's return type has no name: `impl Trait`.
    pub(super) fn returns_unnameable(&self, name: &str) -> bool {
        self.by_name(plain(name)).any(|named| {
            let head = named.item.as_str().split('{').next().unwrap_or_default();
            named.is_function
                && head
                    .split_once("->")
                    .is_some_and(|(_, result)| result.contains("impl "))
        })
    }

    /// Returns the items of a name, under any condition.
    fn by_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Named> {
        self.named.values().filter(move |named| named.name == name)
    }

    /// Returns whether the user has defined an item of this name.
    pub(super) fn defines(&self, name: &str) -> bool {
        self.by_name(plain(name)).next().is_some()
    }

    /// Returns the texts of all items, for completion.
    pub(super) fn texts(&self) -> Vec<String> {
        let imports = self.imports.iter().map(|import| {
            let mut generated = Generated::default();
            import.write(&mut generated);
            generated.text
        });
        imports
            .chain(self.macros.iter().map(|one| one.item.as_str().to_owned()))
            .chain(self.others.iter().map(|item| item.as_str().to_owned()))
            .chain(
                self.named
                    .values()
                    .map(|named| named.item.as_str().to_owned()),
            )
            .chain(self.impls.iter().map(|one| one.item.as_str().to_owned()))
            .collect()
    }
}

impl Import {
    fn drop_name(&mut self, name: &str) {
        let before = self.named.len();
        self.named.retain(|(other, _)| other != name);
        if self.named.len() < before {
            self.whole = None;
        }
    }

    fn drop_globs(&mut self, globs: &[String]) {
        let before = self.globs.len();
        self.globs.retain(|glob| !globs.contains(glob));
        if self.globs.len() < before {
            self.whole = None;
        }
    }

    /// Returns the names in the paths.
    fn path_names(&self) -> impl Iterator<Item = String> {
        self.named
            .iter()
            .map(|(_, code)| code)
            .chain(&self.globs)
            .flat_map(|code| code.split(|c: char| !(c.is_alphanumeric() || c == '_')))
            .map(str::to_owned)
    }

    fn is_empty(&self) -> bool {
        self.named.is_empty() && self.globs.is_empty() && self.whole.is_none()
    }

    fn write(&self, generated: &mut Generated) {
        if let Some(text) = &self.whole {
            generated.piece(text);
            generated.raw("\n");
            return;
        }
        for code in self.named.iter().map(|(_, code)| code).chain(&self.globs) {
            generated.raw(code);
        }
    }
}

impl Item {
    fn as_str(&self) -> &str {
        self.definition.text.as_str()
    }

    fn write(&mut self, generated: &mut Generated, unit: u32, count: &mut usize) {
        let definition = self.definition.clone();
        let text = &definition.text;
        let mut written = text.range.start;
        for (of, symbol) in definition.statics.iter().zip(&mut self.symbols) {
            // The statics of one `thread_local!` share a range.
            if of.range.start >= written {
                generated.piece(&text.part(written..of.range.start));
                written = of.range.start;
            }
            let is_new = symbol.is_none();
            let symbol = symbol.get_or_insert_with(|| {
                *count += 1;
                format!("swath_static_{unit}_{count}")
            });
            let of_type = match of.kind {
                StaticKind::Plain => of.of_type.clone(),
                StaticKind::ThreadLocal => format!("::std::thread::LocalKey<{}>", of.of_type),
                StaticKind::Lazy(_) => format!("::std::sync::LazyLock<{}>", of.of_type),
            };
            let end = of.range.end.max(written);
            if is_new && of.kind == StaticKind::Plain {
                generated.raw(&format!("#[unsafe(export_name = \"{symbol}\")] "));
                continue;
            } else if is_new && let StaticKind::Lazy(value) = &of.kind {
                // Use std's `LazyLock` instead: it is a static that can be
                // declared.
                generated.raw(&format!(
                    "#[unsafe(export_name = \"{symbol}\")] {} static {}: {of_type} = ::std::sync::LazyLock::new(|| ",
                    of.visibility, of.name
                ));
                generated.piece(&text.part(value.clone()));
                generated.raw(");\n");
            } else if is_new {
                generated.piece(&text.part(written..end));
                generated.raw(&format!(
                    " #[unsafe(export_name = \"{symbol}\")] static SWATH_{}: {of_type} = {};",
                    of.name, of.name
                ));
            } else {
                let mut declaration = String::new();
                let kind = if of.mutable {
                    "static mut"
                } else {
                    "safe static"
                };
                // Writing to a String cannot fail.
                let _ = write!(
                    declaration,
                    "unsafe extern \"C\" {{ #[link_name = \"{symbol}\"] {} {kind} {}: {of_type}; }}",
                    of.visibility, of.name
                );
                generated.raw(&declaration);
            }
            written = end;
        }
        generated.piece(&text.part(written..text.range.end.max(written)));
        generated.raw("\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(items: &Items, code: &str) -> Change {
        items.change(1, &Arc::from(code), &ParsedCell::parse(code))
    }

    fn after(cells: &[&str]) -> Items {
        let mut items = Items::default();
        for code in cells {
            items = change(&items, code).after;
        }
        items
    }

    fn written(items: &mut Items, unit: u32) -> String {
        let mut generated = Generated::default();
        items.write(&mut generated, &Needed::All, unit);
        generated.text
    }

    #[test]
    fn a_type_that_changes_takes_along_what_contains_it() {
        let items = after(&["struct A(i32);", "struct B(A); struct C(i32);"]);
        let changed = change(&items, "struct A(f64);");
        assert_eq!(changed.redefined, ["A", "B"].map(str::to_owned).into());
        assert!(change(&items, "struct A(i32);").redefined.is_empty());
    }

    #[test]
    fn an_impl_that_runs_again_replaces_itself() {
        let cell = "impl A { fn f(&self) -> i32 { 1 } }";
        let items = after(&[cell, "impl A { fn g(&self) {} }", &cell.replace('1', "2")]);
        assert_eq!(items.impls.len(), 2);
        let items = after(&[cell, "impl A { fn f(&self) -> i32 { 1 } fn h(&self) {} }"]);
        assert_eq!(items.impls.len(), 1);
    }

    #[test]
    fn what_has_a_name_is_there_once() {
        let mut items = after(&["use a::{b, c, d::*};", "fn c() {}", "use a::d::*;"]);
        assert_eq!(
            written(&mut items, 1),
            "use a::b;\nuse a::d::*;\nfn c() {}\n"
        );
        let mut items = after(&["use a::b;", "use z::b;"]);
        assert_eq!(written(&mut items, 1), "use z::b;\n");
        let mut items = after(&[
            "macro_rules! m { () => { 1 } }",
            "macro_rules! m { () => { 2 } }",
        ]);
        assert_eq!(written(&mut items, 1), "macro_rules! m { () => { 2 } }\n");
    }

    #[test]
    fn two_of_one_name_stand_under_opposite_conditions() {
        let cell = "#[cfg(unix)] fn f() {}\n#[cfg(not(unix))] fn f() {}";
        let mut items = after(&[cell, cell]);
        assert_eq!(written(&mut items, 1).matches("fn f()").count(), 2);
        let mut items = after(&[cell, "fn f() {}"]);
        assert_eq!(written(&mut items, 1), "fn f() {}\n");
        let mut items = after(&["fn f() {}", cell]);
        assert_eq!(written(&mut items, 1).matches("fn f()").count(), 2);
    }

    #[test]
    fn a_macro_stands_before_what_uses_it() {
        let mut items = after(&["macro_rules! z { () => { 1 } }", "fn a() -> i32 { z!() }"]);
        let text = written(&mut items, 1);
        assert!(text.find("macro_rules!") < text.find("fn a"), "{text}");
    }

    #[test]
    fn a_static_is_defined_once_and_declared_later() {
        let mut items = after(&[
            "/// n\npub static N: u8 = 1;",
            "fn f() { static mut M: u8 = 2; }",
        ]);
        let first = written(&mut items, 7);
        assert!(
            first.contains(
                "#[unsafe(export_name = \"swath_static_7_1\")] /// n\npub static N: u8 = 1;"
            ),
            "{first}"
        );
        assert_eq!(
            written(&mut items, 8),
            "unsafe extern \"C\" { #[link_name = \"swath_static_7_1\"] pub safe static N: u8; }\n\
             fn f() { unsafe extern \"C\" { #[link_name = \"swath_static_7_2\"]  static mut M: u8; } }\n"
        );
        items.restart_all_statics();
        assert!(written(&mut items, 9).contains("swath_static_9_1"));
    }

    #[test]
    fn a_thread_local_lives_on_by_its_key() {
        let mut items = after(&["thread_local! { static T: Cell<u8> = const { Cell::new(1) }; }"]);
        let first = written(&mut items, 1);
        assert!(
            first.contains("static SWATH_T: ::std::thread::LocalKey<Cell<u8>> = T;"),
            "{first}"
        );
        assert_eq!(
            written(&mut items, 2),
            "unsafe extern \"C\" { #[link_name = \"swath_static_1_1\"]  safe static T: \
             ::std::thread::LocalKey<Cell<u8>>; }\n"
        );
    }

    #[test]
    fn a_lazy_static_is_one_of_stds() {
        let mut items = after(&[
            "lazy_static! { static ref A: Mutex<u8> = Mutex::new(1); pub static ref B: u8 = *A.lock(); }",
        ]);
        let first = written(&mut items, 1);
        let lock = "::std::sync::LazyLock";
        assert!(
            first.contains(&format!(
                "static A: {lock}<Mutex<u8>> = {lock}::new(||  Mutex::new(1));"
            )),
            "{first}"
        );
        assert!(
            first.contains(&format!("pub static B: {lock}<u8> ="))
                && !first.contains("lazy_static!")
        );
        let later = written(&mut items, 2);
        assert!(
            later.contains("safe static A") && later.contains("safe static B"),
            "{later}"
        );
    }

    #[test]
    fn a_static_of_a_type_that_changes_begins_anew() {
        let mut items = after(&["struct A(u8);", "static S: Mutex<A> = Mutex::new(A(1));"]);
        written(&mut items, 1);
        let changed = change(&items, "struct A(u16);");
        assert_eq!(changed.restarted, ["S"]);
    }

    #[test]
    fn a_cell_gets_what_it_needs() {
        let mut items = after(&[
            "fn a() { b() }\nfn b() {}\nfn c() {}",
            "struct P; struct Q;\nimpl P { fn f(&self) {} }\nimpl Q { fn g(&self) {} }",
            "trait T { fn t(&self); }\nimpl T for i32 { fn t(&self) {} }",
            "mod m { pub fn z() {} }",
            "use m::z;",
        ]);
        let mut text = |code: &str| {
            let code: Arc<str> = Arc::from(code);
            let needed = items.needed(&ParsedCell::parse(&code).names, &Text::whole(9, &code));
            let mut generated = Generated::default();
            items.write(&mut generated, &needed, 1);
            generated.text.replace('\n', " ")
        };
        let always = "use m::z; mod m { pub fn z() {} } ";
        assert_eq!(text("1 + 1"), always);
        assert_eq!(
            text("a()"),
            "use m::z; fn a() { b() } fn b() {} mod m { pub fn z() {} } "
        );
        assert!(text("P.f()").contains("impl P") && !text("P.f()").contains("impl Q"));
        assert!(text("5.t()").contains("trait T") && text("5.t()").contains("impl T for i32"));
    }

    #[test]
    fn a_loop_is_found_behind_calls() {
        let items = after(&[
            "fn slow() { for _ in 0..9 {} }\nfn calls() { slow() }\nfn quick() {}",
            "struct P; impl P { fn walk(&self) { loop {} } }",
        ]);
        let repeat = |names: &[&str]| items.repeat(&names.iter().map(|n| n.to_string()).collect());
        assert!(repeat(&["calls"]));
        assert!(repeat(&["walk"]));
        assert!(!repeat(&["quick", "P"]));
    }
}
