//! Converts the type names that the running program reports to source text.
//!
//! `std::any::type_name` gives the path where a type is defined, which may be
//! private (`alloc::vec::Vec<std::collections::hash::map::HashMap<…>>`). The
//! runtime sends a table of public names for its own and std's types; names missing
//! in the table are learned from the compiler's suggestions.

use std::collections::HashMap;

/// The known public names.
#[derive(Debug, Default)]
pub(super) struct PublicNames(HashMap<String, String>);

/// The reason why a type has no source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unnameable {
    /// It is a closure, or contains one.
    Closure,
    /// It is a function's own type.
    Function,
    /// It is defined in the cell's own function: in a block, or by a macro.
    Local,
    /// No public path to it is known.
    Private,
}

impl PublicNames {
    pub(super) fn extend(&mut self, table: impl IntoIterator<Item = (String, String)>) {
        self.0.extend(table);
    }

    /// Returns the same names, with the user's own copies of `crates` in place of
    /// the runtime's.
    pub(super) fn with_own(&self, crates: &[String]) -> Self {
        let own = |public: &String| {
            let path = public.strip_prefix("swath::")?;
            let root = path.split("::").next()?;
            crates
                .iter()
                .any(|name| name == root)
                .then(|| path.to_owned())
        };
        let names = self.0.iter();
        Self(
            names
                .map(|(from, public)| (from.clone(), own(public).unwrap_or(public.clone())))
                .collect(),
        )
    }

    /// Returns the source text for a type's name.
    pub(super) fn source(&self, type_name: &str) -> Result<String, Unnameable> {
        if let Some((_, rest)) = type_name.rsplit_once("{{closure}}") {
            // `ctx::cell::{{closure}}::Point` is not the closure's own type.
            let is_local = rest.starts_with("::") && !rest.starts_with("::<");
            return Err(match is_local {
                true => Unnameable::Local,
                false => Unnameable::Closure,
            });
        }
        if type_name.contains("{{") {
            return Err(Unnameable::Closure);
        }
        let mut source = String::with_capacity(type_name.len());
        let mut rest = type_name;
        while let Some(start) = rest.find(is_path_start) {
            source += &rest[..start];
            rest = &rest[start..];
            let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
            source += &self.path(&rest[..end]);
            rest = &rest[end..];
        }
        Ok(source + rest)
    }

    fn path(&self, path: &str) -> String {
        if let Some(public) = self.0.get(path) {
            return public.clone();
        }
        match path.split_once("::") {
            // The session's types are part of every cell's crate.
            Some(("ctx", rest)) => rest.to_owned(),
            Some(("alloc" | "core", rest)) => format!("std::{rest}"),
            // A module of the runtime re-exports the types of its submodules.
            Some(("swath", rest)) if !rest.starts_with("session::") => exported(rest),
            _ => path.to_owned(),
        }
    }
}

/// Returns the public path of one of the runtime's types: `array::typed::Array` →
/// `swath::array::Array`.
fn exported(path: &str) -> String {
    let (module, rest) = path.split_once("::").unwrap_or((path, ""));
    match rest.rsplit_once("::") {
        Some((_, name)) => format!("swath::{module}::{name}"),
        None => format!("swath::{path}"),
    }
}

fn is_path_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_path(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == ':'
}

/// Returns public paths that a private one may be re-exported as: `a::b::c::T` →
/// `a::T`, `a::b::T`.
pub(super) fn guesses(path: &str) -> Vec<String> {
    let parts: Vec<&str> = path.split("::").collect();
    let Some((last, modules)) = parts.split_last() else {
        return Vec::new();
    };
    (1..modules.len())
        .map(|kept| format!("{}::{last}", modules[..kept].join("::")))
        .collect()
}

/// The module of the runtime's types for kept closures.
pub(super) const FUNCTIONS: &str = "swath::session::closures::";

/// `SharedFn2<i32, i32, bool>` → `Fn(i32, i32) -> bool`.
fn short_function(name: &str) -> String {
    let types = name.split_once('<').map_or("", |(_, rest)| rest);
    let types = short(types.strip_suffix('>').unwrap_or(types));
    let mut depth = 0;
    let last = types.char_indices().filter(|(_, c)| {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
        *c == ',' && depth == 0
    });
    match last.last() {
        Some((at, _)) => format!("Fn({}) -> {}", &types[..at], types[at + 1..].trim()),
        None => format!("Fn() -> {types}"),
    }
}

/// Returns a type's name without paths, for display.
pub(super) fn short(type_name: &str) -> String {
    if type_name.ends_with("{{closure}}") {
        return "closure".to_owned();
    }
    if let Some(function) = type_name.strip_prefix(FUNCTIONS) {
        return short_function(function);
    }
    let mut short = String::new();
    let mut rest = type_name;
    while let Some(start) = rest.find(is_path_start) {
        short += &rest[..start];
        rest = &rest[start..];
        let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
        short += rest[..end].rsplit("::").next().unwrap_or_default();
        rest = &rest[end..];
    }
    short + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> PublicNames {
        let mut names = PublicNames::default();
        names.extend([
            (
                "std::collections::hash::map::HashMap".to_owned(),
                "std::collections::HashMap".to_owned(),
            ),
            (
                "core::ops::function::Fn".to_owned(),
                "std::ops::Fn".to_owned(),
            ),
        ]);
        names
    }

    #[test]
    fn definitions_become_source() {
        let check =
            |name: &str, source: &str| assert_eq!(names().source(name).as_deref(), Ok(source));
        check("i32", "i32");
        check("&str", "&str");
        check(
            "alloc::vec::Vec<core::option::Option<ctx::Point>>",
            "std::vec::Vec<std::option::Option<Point>>",
        );
        check(
            "std::collections::hash::map::HashMap<alloc::string::String, [f64; 3]>",
            "std::collections::HashMap<std::string::String, [f64; 3]>",
        );
        check(
            "alloc::boxed::Box<dyn core::ops::function::Fn(i32) -> i32 + core::marker::Send>",
            "std::boxed::Box<dyn std::ops::Fn(i32) -> i32 + std::marker::Send>",
        );
        check("ctx::geo::Point", "geo::Point");
        check(
            "swath::array::typed::Array<swath::frame::Datum>",
            "swath::array::Array<swath::frame::Datum>",
        );
        check(
            "swath::session::closures::SharedFn1<i32, i32>",
            "swath::session::closures::SharedFn1<i32, i32>",
        );
        check(
            "(i32, regex::regex::string::Regex)",
            "(i32, regex::regex::string::Regex)",
        );
    }

    #[test]
    fn a_crate_of_the_users_keeps_its_name() {
        let mut names = names();
        names.extend([("rand::r::R".to_owned(), "swath::rand::R".to_owned())]);
        assert_eq!(names.source("rand::r::R").as_deref(), Ok("swath::rand::R"));
        let own = names.with_own(&["rand".to_owned()]);
        assert_eq!(own.source("rand::r::R").as_deref(), Ok("rand::R"));
        assert_eq!(
            own.source("core::ops::function::Fn").as_deref(),
            Ok("std::ops::Fn")
        );
    }

    #[test]
    fn closures_have_no_name() {
        assert_eq!(
            names().source("ctx::run_user_code_1::{{closure}}::{{closure}}"),
            Err(Unnameable::Closure)
        );
        assert_eq!(
            names().source("alloc::vec::Vec<ctx::cell_1::{{closure}}::Point>"),
            Err(Unnameable::Local)
        );
    }

    #[test]
    fn private_paths_are_guessed_from_the_outside() {
        assert_eq!(
            guesses("regex::regex::string::Regex"),
            ["regex::Regex", "regex::regex::Regex"]
        );
        assert_eq!(guesses("a::T"), [""; 0]);
    }

    #[test]
    fn people_see_no_paths() {
        assert_eq!(
            short("alloc::vec::Vec<alloc::string::String>"),
            "Vec<String>"
        );
        assert_eq!(short("&[ctx::P; 2]"), "&[P; 2]");
        let function = "swath::session::closures::SharedFn2<i32, alloc::vec::Vec<(u8, u8)>, bool>";
        assert_eq!(short(function), "Fn(i32, Vec<(u8, u8)>) -> bool");
        assert_eq!(
            short("swath::session::closures::LocalFn0<u8>"),
            "Fn() -> u8"
        );
    }
}
