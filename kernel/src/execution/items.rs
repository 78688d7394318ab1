//! The items that the session's cells have defined.
//!
//! evcxr keeps them and compiles them with every cell; an item replaces the
//! one of the same name. `impl` blocks have no name, so each gets one here
//! (a constant in front of it), or running a cell twice would define its
//! methods twice.

use super::source::{ItemKind, Source, names_in};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The items of a session.
#[derive(Clone, Debug, Default)]
pub(super) struct Items {
    named: BTreeMap<String, Named>,
    impls: BTreeMap<String, Impl>,
    globs: BTreeSet<String>,
    others: Vec<String>,
}

#[derive(Clone, Debug)]
struct Named {
    text: String,
    is_type: bool,
    is_function: bool,
}

#[derive(Clone, Debug)]
struct Impl {
    head: String,
    members: BTreeSet<String>,
    text: String,
}

/// What a cell's items amount to.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Text in front of the cell's items.
    pub(super) prefix: String,
    /// Text in front of each item; `None` leaves it out.
    pub(super) heads: Vec<Option<String>>,
    /// Types that are defined anew, and types that contain them.
    pub(super) redefined: BTreeSet<String>,
    /// The session's items afterwards.
    pub(super) after: Items,
}

impl Items {
    /// What the items of a cell change.
    pub(super) fn change(&self, code: &str, source: &Source) -> Change {
        let mut change = Change {
            after: self.clone(),
            ..Change::default()
        };
        let mut redefined = BTreeSet::new();
        for item in &source.items {
            let text = code[item.range.clone()].to_owned();
            let head = match &item.kind {
                ItemKind::Named {
                    name,
                    is_type,
                    is_function,
                } => {
                    let named = Named {
                        text,
                        is_type: *is_type,
                        is_function: *is_function,
                    };
                    if let Some(before) = change.after.named.insert(name.clone(), named)
                        && before.is_type
                        && before.text != change.after.named[name].text
                    {
                        redefined.insert(name.clone());
                    }
                    Some(String::new())
                }
                ItemKind::Impl { head, members } => Some(change.add_impl(head, members, text)),
                ItemKind::GlobUse => change.after.globs.insert(text).then(String::new),
                ItemKind::Other => {
                    if !change.after.others.contains(&text) {
                        change.after.others.push(text);
                    }
                    Some(String::new())
                }
            };
            change.heads.push(head);
        }
        change.redefined = self.containing(redefined);
        change
    }

    /// The given types and all that contain them.
    fn containing(&self, mut types: BTreeSet<String>) -> BTreeSet<String> {
        if types.is_empty() {
            return types;
        }
        let names: Vec<(&String, BTreeSet<String>)> = self
            .named
            .iter()
            .filter(|(_, item)| item.is_type)
            .map(|(name, item)| (name, names_in(&item.text)))
            .collect();
        loop {
            let more: Vec<String> = names
                .iter()
                .filter(|(name, used)| !types.contains(*name) && !used.is_disjoint(&types))
                .map(|(name, _)| (*name).clone())
                .collect();
            if more.is_empty() {
                return types;
            }
            types.extend(more);
        }
    }

    /// Whether a name is a function's.
    pub(super) fn is_function(&self, name: &str) -> bool {
        self.named.get(name).is_some_and(|item| item.is_function)
    }

    /// The items' texts.
    pub(super) fn texts(&self) -> Vec<String> {
        self.globs
            .iter()
            .chain(&self.others)
            .chain(self.named.values().map(|item| &item.text))
            .chain(self.impls.values().map(|item| &item.text))
            .cloned()
            .collect()
    }
}

impl Change {
    fn add_impl(&mut self, head: &str, members: &BTreeSet<String>, text: String) -> String {
        let mut hasher = DefaultHasher::new();
        (head, members).hash(&mut hasher);
        let name = format!("swath_impl_{:016x}", hasher.finish());
        // A trait is implemented once for a type; a type may have several
        // blocks of its own, as long as they hold different things.
        let of_trait = head.contains(" for ");
        let replaced: Vec<String> = self
            .after
            .impls
            .iter()
            .filter(|(other, before)| {
                **other != name
                    && before.head == head
                    && (of_trait || !before.members.is_disjoint(members))
            })
            .map(|(other, _)| other.clone())
            .collect();
        for other in replaced {
            self.after.impls.remove(&other);
            self.prefix += &constant(&other);
        }
        let head_text = constant(&name);
        self.after.impls.insert(
            name,
            Impl {
                head: head.to_owned(),
                members: members.clone(),
                text,
            },
        );
        head_text
    }
}

fn constant(name: &str) -> String {
    format!("#[allow(non_upper_case_globals)] const {name}: () = ();\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(cells: &[&str]) -> (Items, Change) {
        let mut items = Items::default();
        let mut last = Change::default();
        for code in cells {
            last = items.change(code, &Source::parse(code));
            items = last.after.clone();
        }
        (items, last)
    }

    #[test]
    fn a_type_that_changes_takes_along_what_contains_it() {
        let (_, change) = after(&[
            "struct A(i32);",
            "struct B(A); struct C(i32);",
            "struct A(f64);",
        ]);
        assert_eq!(change.redefined, ["A", "B"].map(str::to_owned).into());
        let (_, change) = after(&["struct A(i32);", "struct A(i32);"]);
        assert!(change.redefined.is_empty());
    }

    #[test]
    fn an_impl_that_runs_again_replaces_itself() {
        let cell = "impl A { fn f(&self) -> i32 { 1 } }";
        let (items, change) = after(&[cell, "impl A { fn g(&self) {} }", &cell.replace('1', "2")]);
        assert_eq!(items.impls.len(), 2);
        assert!(
            change.prefix.is_empty(),
            "the same name replaces it by itself"
        );
        let (items, change) = after(&[cell, "impl A { fn f(&self) -> i32 { 1 } fn h(&self) {} }"]);
        assert_eq!(items.impls.len(), 1);
        assert!(
            change.prefix.contains("swath_impl_"),
            "the block with the other members goes"
        );
    }

    #[test]
    fn a_glob_is_used_once() {
        let (_, change) = after(&["use a::*;", "use a::*;"]);
        assert_eq!(change.heads, [None]);
    }
}
