//! The variables of a session.
//!
//! Only the thread that runs cells has them, so that values which are not
//! `Send` can be kept.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use swath_channel::Variable;

struct Stored {
    value: Box<dyn Any>,
    type_name: &'static str,
}

thread_local! {
    static STORE: RefCell<BTreeMap<String, Stored>> = const { RefCell::new(BTreeMap::new()) };
}

thread_local! {
    /// Values that live as long as the process.
    static KEPT: RefCell<BTreeMap<String, &'static dyn Any>> = const { RefCell::new(BTreeMap::new()) };
}

pub(super) fn kept(name: &str) -> Option<&'static dyn Any> {
    KEPT.with_borrow(|kept| kept.get(name).copied())
}

pub(super) fn keep(name: &str, value: &'static dyn Any) {
    KEPT.with_borrow_mut(|kept| kept.insert(name.to_owned(), value));
}

pub(super) fn put(name: &str, type_name: &'static str, value: Box<dyn Any>) {
    // What is replaced is dropped after the store is free again: its Drop may
    // be the user's code.
    let replaced =
        STORE.with_borrow_mut(|store| store.insert(name.to_owned(), Stored { value, type_name }));
    drop(replaced);
}

pub(super) fn take(name: &str) -> Option<Box<dyn Any>> {
    STORE
        .with_borrow_mut(|store| store.remove(name))
        .map(|stored| stored.value)
}

/// Whether there is a variable of this name and type; the type's name if not.
pub(super) fn has(name: &str, of_type: TypeId) -> Result<(), Option<&'static str>> {
    STORE.with_borrow(|store| match store.get(name) {
        Some(stored) if (*stored.value).type_id() == of_type => Ok(()),
        Some(stored) => Err(Some(stored.type_name)),
        None => Err(None),
    })
}

pub(super) fn list() -> Vec<Variable> {
    STORE.with_borrow(|store| {
        store
            .iter()
            .map(|(name, stored)| {
                let (summary, nbytes) = describe(&*stored.value);
                Variable {
                    name: name.clone(),
                    type_name: stored.type_name.to_owned(),
                    summary,
                    nbytes,
                }
            })
            .collect()
    })
}

/// One line and the bytes of a value, for the types that are known here.
fn describe(value: &dyn Any) -> (String, Option<u64>) {
    macro_rules! plain {
        ($($type:ty),*) => {$(
            if let Some(value) = value.downcast_ref::<$type>() {
                return (format!("{value:?}"), Some(size_of::<$type>() as u64));
            }
        )*};
    }
    plain!(
        bool,
        char,
        i8,
        i16,
        i32,
        i64,
        i128,
        isize,
        u8,
        u16,
        u32,
        u64,
        u128,
        usize,
        f32,
        f64,
        &'static str
    );
    if let Some(text) = value.downcast_ref::<String>() {
        const SHOWN: usize = 60;
        let short: String = text.chars().take(SHOWN).collect();
        let dots = if short.len() < text.len() { "…" } else { "" };
        return (format!("{short:?}{dots}"), Some(text.capacity() as u64));
    }
    macro_rules! sequences {
        ($($element:ty),*) => {$(
            if let Some(value) = value.downcast_ref::<Vec<$element>>() {
                return (format!("{} elements", value.len()), Some((value.capacity() * size_of::<$element>()) as u64));
            }
        )*};
    }
    sequences!(
        bool,
        u8,
        i32,
        i64,
        u32,
        u64,
        usize,
        f32,
        f64,
        String,
        &'static str
    );
    if let Some(frame) = value.downcast_ref::<polars::frame::DataFrame>() {
        return (
            format!("{} rows × {} columns", frame.height(), frame.width()),
            Some(frame.estimated_size() as u64),
        );
    }
    if let Some(series) = value.downcast_ref::<polars::series::Series>() {
        return (
            format!("{} values, {}", series.len(), series.dtype()),
            Some(series.estimated_size() as u64),
        );
    }
    (String::new(), None)
}
