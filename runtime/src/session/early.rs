//! Keeps a copy of a variable that its own cell moves, if a copy is cheap.
//!
//! The compiler finds out by method resolution whether a copy is possible, as
//! for the value of a cell ([`crate::display::probe`]). For a value that cannot
//! be cloned, nothing happens.

use super::variables;

/// Keeps a copy of a variable's value if that is cheap: `keep_early!("x", x);`.
#[doc(hidden)]
#[macro_export]
macro_rules! keep_early {
    ($name:expr, $variable:ident) => {{
        #[allow(
            unused_imports,
            reason = "which of them a value needs is what the compiler finds out"
        )]
        use $crate::session::early::{Early, ViaClone as _, ViaNothing as _};
        (&&Early(&$variable)).keep($name);
    }};
}

/// A value that may be cheap to clone.
pub struct Early<'a, T>(pub &'a T);

/// A value that can be cloned.
pub trait ViaClone {
    /// Puts a copy into the store if the value is a handle or owns nothing.
    fn keep(&self, name: &str);
}

impl<T: Clone + 'static> ViaClone for &Early<'_, T> {
    fn keep(&self, name: &str) {
        let type_name = std::any::type_name::<T>();
        if !std::mem::needs_drop::<T>() || swath_channel::is_handle(type_name, &[]) {
            variables::put(name, type_name, Box::new(self.0.clone()));
        }
    }
}

/// Any other value.
pub trait ViaNothing {
    /// Does nothing.
    fn keep(&self, _name: &str) {}
}

impl<T> ViaNothing for Early<'_, T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_is_cheap_is_kept() {
        struct NotClone;
        let (handle, number, text, other) = (Arc::new(1), 2.5, String::from("a"), NotClone);
        keep_early!("handle", handle);
        keep_early!("number", number);
        keep_early!("text", text);
        keep_early!("other", other);
        let names: Vec<_> = variables::list().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["handle", "number"]);
        assert_eq!(Arc::strong_count(&handle), 2);
        drop((text, other));
    }
}
