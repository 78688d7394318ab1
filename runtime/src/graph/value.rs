//! The values that tasks produce and pass to each other.

use super::encoding::{self, Codec, Encoded};
use super::memory::Counted;
use super::summary::Summary;
use crate::error::Result;
use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::io::Write;
use std::sync::Arc;

/// The value of a task.
///
/// Every kind of chunk knows its size in memory, its encoding and a one-line
/// summary. The scheduler counts the size, errors and views show the summary, and
/// spilling and remote workers use the encoding.
pub trait ChunkValue: Any + Send + Sync {
    /// Returns the bytes that the value occupies in memory.
    fn nbytes(&self) -> usize;

    /// Returns a one-line summary: kind, dtype, shape.
    fn summary(&self) -> Summary;

    /// Returns the codec that decodes the value, or `None` for values that have no
    /// encoding (a Rust value of a type that is not
    /// [`encodable`](super::encodable)).
    fn codec(&self) -> Option<Codec>;

    /// Writes the value in the encoding that its codec reads.
    ///
    /// # Errors
    /// [`Error::Encode`](crate::Error::Encode) for values that have no encoding;
    /// [`Error::Transfer`](crate::Error::Transfer) with the writer's error.
    fn encode(&self, to: &mut dyn Write) -> Result<()>;
}

/// A shared, immutable value of any kind. It counts as memory in use as long as
/// anything holds it.
#[derive(Clone)]
pub struct Value(Arc<dyn ChunkValue>);

/// A value that counts as memory in use.
struct Counting<T> {
    value: T,
    counted: Counted,
}

impl<T: ChunkValue> ChunkValue for Counting<T> {
    fn nbytes(&self) -> usize {
        self.counted.nbytes()
    }
    fn summary(&self) -> Summary {
        self.value.summary()
    }
    fn codec(&self) -> Option<Codec> {
        self.value.codec()
    }
    fn encode(&self, to: &mut dyn Write) -> Result<()> {
        self.value.encode(to)
    }
}

impl Value {
    /// Wraps a chunk.
    pub fn new(value: impl ChunkValue) -> Self {
        Self(Arc::new(Counting {
            counted: Counted::new(value.nbytes()),
            value,
        }))
    }

    /// Wraps an arbitrary Rust value.
    pub fn opaque<T: Any + Send + Sync>(value: T) -> Self {
        Self::new(Opaque(value))
    }

    /// Returns the chunk if it is a `T`.
    pub fn downcast_ref<T: ChunkValue>(&self) -> Option<&T> {
        let counting: &Counting<T> = (&*self.0 as &dyn Any).downcast_ref()?;
        Some(&counting.value)
    }

    /// Returns whether anything else holds the value.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Returns the chunk itself: moved out if nothing else holds it, cloned
    /// otherwise.
    ///
    /// # Errors
    /// The unchanged value if it is not a `T`.
    pub fn into_inner<T: ChunkValue + Clone>(self) -> Result<T, Self> {
        if self.downcast_ref::<T>().is_none() {
            return Err(self);
        }
        let shared: Arc<dyn Any + Send + Sync> = self.0;
        let shared = shared
            .downcast::<Counting<T>>()
            .unwrap_or_else(|_| unreachable!("invariant: the type was checked above"));
        Ok(match Arc::try_unwrap(shared) {
            Ok(counting) => counting.value,
            Err(shared) => shared.value.clone(),
        })
    }

    /// Returns the arbitrary Rust value if it is a `T`.
    pub fn opaque_ref<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.downcast_ref::<Opaque<T>>().map(|opaque| &opaque.0)
    }

    /// See [`ChunkValue::nbytes`].
    pub fn nbytes(&self) -> usize {
        self.0.nbytes()
    }

    /// See [`ChunkValue::summary`].
    pub fn summary(&self) -> Summary {
        self.0.summary()
    }

    /// See [`ChunkValue::codec`].
    pub fn codec(&self) -> Option<Codec> {
        self.0.codec()
    }

    /// See [`ChunkValue::encode`].
    ///
    /// # Errors
    /// Those of [`ChunkValue::encode`].
    pub fn encode_to(&self, to: &mut dyn Write) -> Result<()> {
        self.0.encode(to)
    }

    /// Encodes the value into memory.
    ///
    /// # Errors
    /// [`Error::Encode`](crate::Error::Encode) for values that have no encoding.
    pub fn encode(&self) -> Result<Encoded> {
        const HEADER: usize = 64;
        let mut bytes = Vec::new();
        if self.codec().is_some() {
            bytes.reserve(self.nbytes() + HEADER);
        }
        self.encode_to(&mut bytes)?;
        let codec = self
            .codec()
            .expect("invariant: what was encoded has a codec");
        Ok(Encoded { codec, bytes })
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary().fmt(f)
    }
}

/// An arbitrary Rust value: what a delayed function returns.
#[derive(Clone, Debug)]
pub struct Opaque<T>(pub T);

// This is compiled for each type in every cell, so it contains as little as
// possible.
impl<T: Any + Send + Sync> ChunkValue for Opaque<T> {
    /// Includes the memory that the value owns if its type is known. Otherwise
    /// returns only the value's own size.
    fn nbytes(&self) -> usize {
        if std::mem::needs_drop::<T>() {
            encoding::nbytes_of(&self.0).unwrap_or(size_of::<T>())
        } else {
            size_of::<T>()
        }
    }

    fn summary(&self) -> Summary {
        Summary::of_type(type_name::<T>())
    }

    fn codec(&self) -> Option<Codec> {
        encoding::codec_of(TypeId::of::<T>())
    }

    fn encode(&self, to: &mut dyn Write) -> Result<()> {
        encoding::encode_any(&self.0, type_name::<T>(), to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
