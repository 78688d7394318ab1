//! Fields, methods and variants of types, read from the text that defines them.

use std::collections::{BTreeMap, BTreeSet};

use ra_ap_syntax::ast::{self, HasGenericParams as _, HasName as _, HasTypeBounds as _};
use ra_ap_syntax::{AstNode as _, SyntaxKind, SyntaxNode};

use super::protocol::Match;
use super::scope::{head, one_line};

/// Traits of std that every cell has in scope. The methods that an `impl` of
/// another trait provides cannot be called without a `use`.
const IN_SCOPE: &[&str] = &[
    "AsMut",
    "AsRef",
    "Clone",
    "Default",
    "DoubleEndedIterator",
    "ExactSizeIterator",
    "Extend",
    "Fn",
    "From",
    "FromIterator",
    "Into",
    "IntoIterator",
    "Iterator",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
];

/// A field, method, function, constant or variant of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) kind: MemberKind,
    /// The text shown beside it.
    pub(super) signature: String,
    /// The type of the field, or the return type. It may be `Self`.
    pub(super) result: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberKind {
    Field,
    /// Takes `self`.
    Method,
    /// Does not take `self`.
    Function,
    Constant,
    Variant,
}

impl Member {
    /// Returns whether it can follow a dot.
    pub(super) fn is_of_value(&self) -> bool {
        matches!(self.kind, MemberKind::Field | MemberKind::Method)
    }

    pub(super) fn to_match(&self) -> Match {
        let kind = match self.kind {
            MemberKind::Method | MemberKind::Function => "function",
            MemberKind::Field | MemberKind::Constant | MemberKind::Variant => "instance",
        };
        Match {
            text: self.name.clone(),
            kind: kind.to_owned(),
            signature: self.signature.clone(),
        }
    }
}

/// Who reads the text, which decides what is visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Another part of the same crate.
    Inside,
    /// Another crate: sees public items only.
    Outside,
}

/// Types by name, with their members.
#[derive(Debug, Default)]
pub(super) struct Types {
    /// The members of types and of traits.
    members: BTreeMap<String, Vec<Member>>,
    /// The traits of a type; for a trait, its supertraits and blanket
    /// implementations.
    traits: BTreeMap<String, BTreeSet<String>>,
    /// The return types of functions.
    results: BTreeMap<String, String>,
    defined: BTreeSet<String>,
    is_trait: BTreeSet<String>,
}

impl Types {
    /// Reads the items in a tree, including those inside functions.
    pub(super) fn read(&mut self, root: &SyntaxNode, reader: Reader) {
        for item in root.descendants().filter_map(ast::Item::cast) {
            match item {
                ast::Item::Struct(item) => self.read_struct(&item, reader),
                ast::Item::Enum(item) => self.read_enum(&item, reader),
                ast::Item::Trait(item) => self.read_trait(&item, reader),
                ast::Item::Impl(item) => {
                    self.read_impl(&item, reader);
                }
                ast::Item::Fn(item) => {
                    let is_free = item
                        .syntax()
                        .parent()
                        .is_none_or(|parent| parent.kind() != SyntaxKind::ASSOC_ITEM_LIST);
                    let is_seen = is_free && is_seen(&item, reader);
                    if let Some(name) = item.name().filter(|_| is_seen) {
                        let result = item.ret_type().and_then(|result| result.ty());
                        let result = result.map(|of| one_line(of.syntax()));
                        self.results
                            .insert(name.text().to_string(), result.unwrap_or_default());
                    }
                }
                _ => {}
            }
        }
    }

    /// Declares that a type also has the members of another, as by `Deref`.
    pub(super) fn dereference(&mut self, name: &str, to: &str) {
        let traits = self.traits.entry(name.to_owned()).or_default();
        traits.insert(to.to_owned());
    }

    /// Returns whether a type of this name is defined.
    pub(super) fn has(&self, name: &str) -> bool {
        self.defined.contains(name)
    }

    /// Returns the members of a type: its own first, then those of its traits.
    pub(super) fn members(&self, name: &str) -> Vec<&Member> {
        let mut names = vec![name];
        let mut at = 0;
        while let Some(of) = names.get(at) {
            at += 1;
            for more in self.traits.get(*of).into_iter().flatten() {
                if !names.contains(&&**more) {
                    names.push(more);
                }
            }
        }
        let mut seen = BTreeSet::new();
        names
            .iter()
            .flat_map(|name| self.members.get(*name))
            .flatten()
            .filter(|member| seen.insert(&member.name))
            .collect()
    }

    /// Returns the return type of a function as source text.
    pub(super) fn result(&self, function: &str) -> Option<&str> {
        self.results.get(function).map(String::as_str)
    }

    /// Forgets the traits that are not in scope.
    pub(super) fn keep_traits(&mut self, is_kept: impl Fn(&str) -> bool) {
        for name in std::mem::take(&mut self.is_trait) {
            if is_kept(&name) {
                self.is_trait.insert(name);
            } else {
                self.members.remove(&name);
                self.traits.remove(&name);
            }
        }
    }

    /// Defines a type.
    fn of(&mut self, name: Option<ast::Name>) -> Option<&mut Vec<Member>> {
        let name = name?.text().to_string();
        self.defined.insert(name.clone());
        Some(self.members.entry(name).or_default())
    }

    fn read_struct(&mut self, item: &ast::Struct, reader: Reader) {
        if !is_seen(item, reader) {
            return;
        }
        let name = item.name().map(|name| name.text().to_string());
        self.derive(item, name.as_deref());
        let Some(members) = self.of(item.name()) else {
            return;
        };
        match item.field_list() {
            Some(ast::FieldList::RecordFieldList(list)) => {
                members.extend(list.fields().filter(|of| is_seen(of, reader)).filter_map(
                    |field| {
                        let name = field.name()?.text().to_string();
                        Some(member_field(name, field.ty()))
                    },
                ));
            }
            Some(ast::FieldList::TupleFieldList(list)) => {
                let fields = list.fields().enumerate();
                members.extend(
                    fields
                        .filter(|(_, of)| is_seen(of, reader))
                        .map(|(at, field)| member_field(at.to_string(), field.ty())),
                );
            }
            None => {}
        }
    }

    fn read_enum(&mut self, item: &ast::Enum, reader: Reader) {
        if !is_seen(item, reader) {
            return;
        }
        let name = item.name().map(|name| name.text().to_string());
        self.derive(item, name.as_deref());
        let variants: Vec<Member> = item
            .variant_list()
            .iter()
            .flat_map(ast::VariantList::variants)
            .filter_map(|variant| {
                Some(Member {
                    name: variant.name()?.text().to_string(),
                    kind: MemberKind::Variant,
                    signature: head(variant.syntax()),
                    result: "Self".to_owned(),
                })
            })
            .collect();
        if let Some(members) = self.of(item.name()) {
            members.extend(variants);
        }
    }

    fn read_trait(&mut self, item: &ast::Trait, reader: Reader) {
        if !is_seen(item, reader) {
            return;
        }
        let Some(name) = item.name().map(|name| name.text().to_string()) else {
            return;
        };
        let found: Vec<Member> = item
            .assoc_item_list()
            .iter()
            .flat_map(ast::AssocItemList::assoc_items)
            .filter(|item| match item {
                ast::AssocItem::Fn(item) => reader == Reader::Inside || !is_hidden(item),
                _ => true,
            })
            .filter_map(|item| member(&item))
            .collect();
        // A type that implements it also implements its supertraits.
        let above = item.type_bound_list();
        let above: Vec<String> = above
            .iter()
            .flat_map(ast::TypeBoundList::bounds)
            .filter_map(|bound| name_of(&bound.ty()?))
            .collect();
        self.traits.entry(name.clone()).or_default().extend(above);
        self.members.entry(name.clone()).or_default().extend(found);
        self.is_trait.insert(name);
    }

    fn read_impl(&mut self, item: &ast::Impl, reader: Reader) -> Option<()> {
        let of = item.self_ty()?;
        let name = name_of(&of)?;
        let names = match bounds(item, &name) {
            Some(bounds) => bounds,
            None => vec![name.clone()],
        };
        let mut is_in_scope = true;
        let given = item.trait_().as_ref().and_then(name_of);
        if let Some(given) = &given {
            is_in_scope = IN_SCOPE.contains(&&**given);
            for name in &names {
                let traits = self.traits.entry(name.clone()).or_default();
                traits.insert(given.clone());
            }
        }
        // The members of any other trait come from the trait itself, if it is
        // known.
        if is_in_scope {
            let reader = match given {
                Some(_) => Reader::Inside,
                None => reader,
            };
            let found: Vec<Member> = item
                .assoc_item_list()?
                .assoc_items()
                .filter(|item| is_visible(item, reader))
                .filter_map(|item| member(&item))
                .collect();
            for name in names {
                let members = self.members.entry(name).or_default();
                members.extend(found.iter().cloned());
            }
        }
        Some(())
    }

    /// Adds the methods of derived traits. Only `Clone` has one worth offering.
    fn derive(&mut self, item: &impl ast::HasAttrs, name: Option<&str>) {
        let derives_clone = item.attrs().any(|attribute| {
            let text = attribute.syntax().text().to_string();
            text.starts_with("#[derive") && text.contains("Clone")
        });
        if let Some(name) = name.filter(|_| derives_clone) {
            let members = self.members.entry(name.to_owned()).or_default();
            members.push(Member {
                name: "clone".to_owned(),
                kind: MemberKind::Method,
                signature: "fn clone(&self) -> Self".to_owned(),
                result: "Self".to_owned(),
            });
        }
    }
}

/// Returns the bounds if the type is a parameter, as in `impl<C: Collection> Show
/// for C`.
fn bounds(item: &ast::Impl, name: &str) -> Option<Vec<String>> {
    let list = item.generic_param_list()?;
    let parameter = list
        .generic_params()
        .find_map(|parameter| match parameter {
            ast::GenericParam::TypeParam(of) => of
                .name()
                .is_some_and(|own| own.text() == name)
                .then_some(of),
            _ => None,
        })?;
    let bounds = parameter.type_bound_list();
    Some(
        bounds
            .iter()
            .flat_map(ast::TypeBoundList::bounds)
            .filter_map(|bound| name_of(&bound.ty()?))
            .collect(),
    )
}

fn member_field(name: String, of: Option<ast::Type>) -> Member {
    let of = of.map(|of| one_line(of.syntax())).unwrap_or_default();
    Member {
        name,
        kind: MemberKind::Field,
        signature: of.clone(),
        result: of,
    }
}

/// Returns the member that an item of an `impl` or a trait defines.
fn member(item: &ast::AssocItem) -> Option<Member> {
    match item {
        ast::AssocItem::Fn(item) => {
            let takes_self = item.param_list()?.self_param().is_some();
            let result = item.ret_type().and_then(|result| result.ty());
            let result = result.map(|result| one_line(result.syntax()));
            Some(Member {
                name: item.name()?.text().to_string(),
                kind: match takes_self {
                    true => MemberKind::Method,
                    false => MemberKind::Function,
                },
                signature: head(item.syntax()),
                result: result.unwrap_or_default(),
            })
        }
        ast::AssocItem::Const(item) => {
            let of = item.ty().map(|of| one_line(of.syntax()));
            let of = of.unwrap_or_default();
            Some(Member {
                name: item.name()?.text().to_string(),
                kind: MemberKind::Constant,
                signature: of.clone(),
                result: of,
            })
        }
        ast::AssocItem::MacroCall(_) | ast::AssocItem::TypeAlias(_) => None,
    }
}

fn is_visible(item: &ast::AssocItem, reader: Reader) -> bool {
    match item {
        ast::AssocItem::Fn(item) => is_seen(item, reader),
        ast::AssocItem::Const(item) => is_seen(item, reader),
        ast::AssocItem::MacroCall(_) | ast::AssocItem::TypeAlias(_) => false,
    }
}

fn is_seen<T: ast::HasVisibility + ast::HasAttrs>(item: &T, reader: Reader) -> bool {
    let is_public = item
        .visibility()
        .is_some_and(|visibility| visibility.syntax().text() == "pub");
    reader == Reader::Inside || (is_public && !is_hidden(item))
}

/// Returns whether an item is not for users: hidden, unstable or deprecated.
fn is_hidden(item: &impl ast::HasAttrs) -> bool {
    let mut attributes = item.attrs().map(|of| of.syntax().text().to_string());
    attributes.any(|text| {
        text == "#[doc(hidden)]"
            || text.starts_with("#[unstable")
            || text.starts_with("#[deprecated")
    })
}

/// Returns the last name of a type's path, through references; `[]` for slices.
pub(super) fn name_of(of: &ast::Type) -> Option<String> {
    match of {
        ast::Type::PathType(path) => Some(path.path()?.segment()?.name_ref()?.text().to_string()),
        ast::Type::RefType(of) => name_of(&of.ty()?),
        ast::Type::ParenType(of) => name_of(&of.ty()?),
        ast::Type::SliceType(_) | ast::Type::ArrayType(_) => Some("[]".to_owned()),
        _ => None,
    }
}
