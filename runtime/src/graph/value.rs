//! What tasks produce and pass to each other.

use crate::error::{Error, Result};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// The value of a task.
///
/// Every kind of chunk knows its bytes in memory, its encoding and a one-line
/// summary: the scheduler counts by them, errors and views show them, and
/// spilling and remote workers use the encoding.
pub trait ChunkValue: Any + Send + Sync {
    /// Bytes in memory.
    fn nbytes(&self) -> usize;

    /// One line: kind, dtype, shape.
    fn summary(&self) -> String;

    /// The value as bytes, with a tag that says how to read them.
    ///
    /// # Errors
    /// [`Error::Encode`] for values that have no encoding (an arbitrary Rust
    /// value that a delayed function returned).
    fn encode(&self) -> Result<Encoded>;
}

/// An encoded value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Which decoder reads it: `array`, `frame`.
    pub tag: &'static str,
    /// The content.
    pub bytes: Vec<u8>,
}

/// A shared, immutable value of any kind.
#[derive(Clone)]
pub struct Value(Arc<dyn ChunkValue>);

impl Value {
    /// Wraps a chunk.
    pub fn new(value: impl ChunkValue) -> Self {
        Self(Arc::new(value))
    }

    /// Wraps an arbitrary Rust value.
    pub fn opaque<T: Any + Send + Sync>(value: T) -> Self {
        Self::new(Opaque(value))
    }

    /// The chunk, if it is a `T`.
    pub fn downcast_ref<T: ChunkValue>(&self) -> Option<&T> {
        (&*self.0 as &dyn Any).downcast_ref()
    }

    /// The chunk itself: moved out if nobody else holds it, cloned otherwise.
    ///
    /// # Errors
    /// The value itself, where it is no `T`.
    pub fn into_inner<T: ChunkValue + Clone>(self) -> Result<T, Self> {
        if self.downcast_ref::<T>().is_none() {
            return Err(self);
        }
        let shared: Arc<dyn Any + Send + Sync> = self.0;
        let shared = shared
            .downcast::<T>()
            .unwrap_or_else(|_| unreachable!("invariant: the type was checked above"));
        Ok(Arc::try_unwrap(shared).unwrap_or_else(|shared| (*shared).clone()))
    }

    /// The arbitrary Rust value, if it is a `T`.
    pub fn opaque_ref<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.downcast_ref::<Opaque<T>>().map(|opaque| &opaque.0)
    }

    /// See [`ChunkValue::nbytes`].
    pub fn nbytes(&self) -> usize {
        self.0.nbytes()
    }

    /// See [`ChunkValue::summary`].
    pub fn summary(&self) -> String {
        self.0.summary()
    }

    /// See [`ChunkValue::encode`].
    ///
    /// # Errors
    /// As there.
    pub fn encode(&self) -> Result<Encoded> {
        self.0.encode()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())
    }
}

/// An arbitrary Rust value: what a delayed function returns.
#[derive(Clone, Debug)]
pub struct Opaque<T>(pub T);

impl<T: Any + Send + Sync> ChunkValue for Opaque<T> {
    /// The value's own bytes; what it points to is not known.
    fn nbytes(&self) -> usize {
        size_of::<T>()
    }

    fn summary(&self) -> String {
        short_type_name(std::any::type_name::<T>())
    }

    fn encode(&self) -> Result<Encoded> {
        Err(Error::Encode(format!("a value of type {}", self.summary())))
    }
}

/// A type's name without the paths: `alloc::vec::Vec<f64>` → `Vec<f64>`.
pub fn short_type_name(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let mut start = 0;
    let mut rest = name.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if c == ':' && rest.peek().is_some_and(|&(_, next)| next == ':') {
            rest.next();
            short.truncate(short.len() - (at - start));
            start = at + 2;
        } else {
            if !(c.is_alphanumeric() || c == '_') {
                start = at + c.len_utf8();
            }
            short.push(c);
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_lose_their_paths() {
        let check = |name: &str, short: &str| assert_eq!(short_type_name(name), short);
        check("alloc::vec::Vec<f64>", "Vec<f64>");
        check(
            "core::option::Option<alloc::string::String>",
            "Option<String>",
        );
        check(
            "(i32, std::collections::hash::map::HashMap<u8, a::B>)",
            "(i32, HashMap<u8, B>)",
        );
        check("&[u8]", "&[u8]");
    }

    #[test]
    fn a_value_that_nobody_else_holds_is_moved_out() {
        let value = Value::new(Opaque(vec![1, 2]));
        let at = value.opaque_ref::<Vec<i32>>().map(|v| v.as_ptr());
        let moved = value
            .into_inner::<Opaque<Vec<i32>>>()
            .expect("it is a Vec<i32>");
        assert_eq!(Some(moved.0.as_ptr()), at);
    }
}
