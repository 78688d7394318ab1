//! The variables of a session.
//!
//! Only the thread that runs cells has access to them, so values that are not
//! `Send` can be kept.

use super::describe::describe;
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use swath_channel::{Description, Variable};

struct Stored {
    value: Box<dyn Any>,
    type_name: &'static str,
    /// Whether there is something new to report about the value.
    is_news: bool,
}

thread_local! {
    static STORE: RefCell<BTreeMap<String, Stored>> = const { RefCell::new(BTreeMap::new()) };
}

thread_local! {
    /// Values that live as long as the process.
    static KEPT: RefCell<BTreeMap<String, Box<dyn Any>>> = const { RefCell::new(BTreeMap::new()) };
}

pub(super) fn take_kept(name: &str) -> Option<Box<dyn Any>> {
    KEPT.with_borrow_mut(|kept| kept.remove(name))
}

pub(super) fn keep(name: &str, value: Box<dyn Any>) {
    KEPT.with_borrow_mut(|kept| kept.insert(name.to_owned(), value));
}

pub(super) fn put(name: &str, type_name: &'static str, value: Box<dyn Any>) {
    // The replaced value is dropped after the store is unlocked, because its
    // Drop may be user code.
    let stored = Stored {
        value,
        type_name,
        is_news: true,
    };
    let replaced = STORE.with_borrow_mut(|store| store.insert(name.to_owned(), stored));
    drop(replaced);
}

pub(super) fn take(name: &str) -> Option<Box<dyn Any>> {
    STORE
        .with_borrow_mut(|store| store.remove(name))
        .map(|stored| stored.value)
}

/// Passes a variable's value to `look`, if the variable exists.
pub(super) fn look_at(name: &str, look: &mut dyn FnMut(&dyn Any)) {
    STORE.with_borrow(|store| {
        if let Some(stored) = store.get(name) {
            look(&*stored.value);
        }
    });
}

/// Checks that there is a variable of this name and type. Otherwise returns its
/// actual type's name, if it exists.
pub(super) fn has(name: &str, of_type: TypeId) -> Result<(), Option<&'static str>> {
    STORE.with_borrow(|store| match store.get(name) {
        Some(stored) if (*stored.value).type_id() == of_type => Ok(()),
        Some(stored) => Err(Some(stored.type_name)),
        None => Err(None),
    })
}

/// Calls `show` with each variable's name, type name and value.
pub(super) fn each(mut show: impl FnMut(&str, &str, &dyn Any)) {
    STORE.with_borrow(|store| {
        for (name, stored) in store {
            show(name, stored.type_name, &*stored.value);
        }
    });
}

/// Returns the variables. A value is described once, and again only if it was
/// put again since, or was being computed.
pub(super) fn list() -> Vec<Variable> {
    STORE.with_borrow_mut(|store| {
        store
            .iter_mut()
            .map(|(name, stored)| Variable {
                name: name.clone(),
                type_name: stored.type_name.to_owned(),
                description: stored.news(),
            })
            .collect()
    })
}

impl Stored {
    /// Returns the value's description if it has not been reported before.
    fn news(&mut self) -> Option<Description> {
        if !self.is_news {
            return None;
        }
        let (description, is_changing) = describe(&*self.value);
        self.is_news = is_changing;
        Some(description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(name: &str) -> Option<Description> {
        let mut all = list().into_iter();
        all.find(|variable| variable.name == name)?.description
    }

    #[test]
    fn a_value_is_reported_when_it_was_put() {
        put("x", "i32", Box::new(1));
        assert_eq!(reported("x").unwrap().summary, "1");
        assert_eq!(reported("x"), None);
        put("x", "i32", Box::new(2));
        put("y", "i32", Box::new(3));
        assert_eq!(reported("x").unwrap().summary, "2");
        assert_eq!(reported("y"), None, "all are reported at once");
        take("x");
        assert_eq!(list().len(), 1);
    }
}
