//! Decides which values are handles: a copy of a handle is cheap and as good as
//! the value itself.
//!
//! Both processes need to know: the runtime, which holds the values, and the
//! kernel, which writes the code that uses them.

/// Handle types by crate and name. A type may move to another module of its
/// crate.
const TYPES: [(&str, &[&str]); 9] = [
    (
        "swath",
        &[
            "Array",
            "Client",
            "DataFrame",
            "Delayed",
            "FrameScalar",
            "Function",
            "GroupedFrame",
            "LocalCluster",
            "RawArray",
            "Scalar",
            "Series",
        ],
    ),
    ("alloc", &["Arc", "Rc", "Weak"]),
    (
        "polars_core",
        &["ChunkedArray", "Column", "DataFrame", "Series"],
    ),
    ("polars_lazy", &["LazyFrame", "LazyGroupBy"]),
    ("polars_plan", &["Expr", "Selector"]),
    ("polars_utils", &["PlSmallStr"]),
    ("bytes", &["Bytes"]),
    // Senders are not listed: a receiver waits as long as a sender exists.
    ("tokio", &["Handle"]),
    // The types that closures are stored as.
    ("swath::session::closures", &["*"]),
];

/// Types that own nothing.
const PRIMITIVES: [&str; 16] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize",
];

/// Returns whether a type is a handle, by its [`std::any::type_name`]: a type
/// of the table, or a tuple, an array or an `Option` of handles.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use swath_channel::is_handle;
///
/// let is_handle = |name| is_handle(name, &[]);
/// assert!(is_handle(std::any::type_name::<Arc<Mutex<Vec<u8>>>>()));
/// assert!(is_handle(std::any::type_name::<(Option<Arc<u8>>, f64)>()));
/// assert!(!is_handle(std::any::type_name::<Vec<Arc<u8>>>()));
/// ```
pub fn is_handle(type_name: &str, but: &[&str]) -> bool {
    let name = type_name.trim();
    if PRIMITIVES.contains(&name) || name.starts_with('&') && !name.starts_with("&mut ") {
        return true;
    }
    if let Some(inner) = name
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return parts(inner).all(|part| is_handle(part, but));
    }
    if let Some(inner) = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return inner
            .rsplit_once(';')
            .is_some_and(|(element, _)| is_handle(element, but));
    }
    let (path, arguments) = match name.split_once('<') {
        Some((path, rest)) => (path, rest.strip_suffix('>').unwrap_or(rest)),
        None => (name, ""),
    };
    if path == "core::option::Option" {
        return is_handle(arguments, but);
    }
    if path == "ndarray::ArrayBase" {
        return arguments.contains("OwnedArcRepr<");
    }
    let Some((module, last)) = path.rsplit_once("::") else {
        return false;
    };
    let root = module.split("::").next().unwrap_or_default();
    !but.contains(&last)
        && TYPES.iter().any(|(of, names)| match of.contains("::") {
            true => module == *of,
            false => root == *of && names.contains(&last),
        })
}

/// Returns whether the compiler's short name of a type belongs to a handle:
/// `Arc<Mutex<i32>>`, `polars::prelude::DataFrame`.
pub fn is_handle_in_short(type_name: &str) -> bool {
    let path = type_name.split('<').next().unwrap_or_default();
    let last = path.rsplit("::").next().unwrap_or_default();
    // Types that are not handles share these names, so the names alone decide
    // nothing.
    !["Handle", "Weak"].contains(&last) && TYPES.iter().any(|(_, names)| names.contains(&last))
}

/// Splits a tuple's type into the types of its parts.
fn parts(inner: &str) -> impl Iterator<Item = &str> {
    let (mut start, mut depth) = (0, 0);
    let mut parts = Vec::new();
    let mut before = ' ';
    for (at, c) in inner.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            // The `>` of `->` closes no bracket.
            '>' if before == '-' => {}
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    parts.push(&inner[start..]);
    parts.into_iter().filter(|part| !part.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_known_by_name() {
        for name in [
            "swath::array::typed::Array<f64>",
            "alloc::rc::Rc<core::cell::RefCell<i32>>",
            "polars_plan::dsl::expr::Expr",
            "(swath::frame::dataframe::DataFrame, i32)",
            "core::option::Option<polars_core::frame::DataFrame>",
            "[alloc::sync::Arc<(u8, fn(u8) -> u8)>; 2]",
            "swath::session::closures::SharedFn1<i32, i32>",
            "ndarray::ArrayBase<ndarray::data_repr::OwnedArcRepr<f64>, ndarray::dimension::dim::Dim<[usize; 1]>>",
        ] {
            assert!(is_handle(name, &[]), "{name}");
        }
        for name in [
            "alloc::vec::Vec<f64>",
            "ctx::DataFrame",
            "swath::graph::layer::Layer",
            "ndarray::ArrayBase<ndarray::data_repr::OwnedRepr<f64>, ndarray::dimension::dim::Dim<[usize; 1]>>",
            "(alloc::string::String, i32)",
            "&mut i32",
            "tokio::sync::oneshot::Sender<i32>",
        ] {
            assert!(!is_handle(name, &[]), "{name}");
        }
        assert!(!is_handle("alloc::sync::Arc<i32>", &["Arc"]));
        assert!(
            is_handle_in_short("Arc<Mutex<i32>>")
                && is_handle_in_short("polars::prelude::DataFrame")
        );
        assert!(!is_handle_in_short("Vec<i32>"));
    }
}
