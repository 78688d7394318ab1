//! The registry of encodings by Rust type.
//!
//! All threads read the table, for the value of every task whose type owns
//! memory, and it is hardly ever written. It is therefore a fixed number of
//! slots, each the head of a list that only grows. Reading takes no lock.

use super::Codec;
use super::format::{Format, Postcard, Serialized, Size};
use crate::error::{Error, Result};
use crate::graph::{Value, short_type_name};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::{Any, TypeId, type_name};
use std::hash::{Hash, Hasher};
use std::io::{Read, Write};
use std::sync::{Once, OnceLock};

/// The encoding and the size function of a type.
pub(super) struct Known {
    id: TypeId,
    codec: Codec,
    encode: fn(&dyn Any, &mut dyn Write) -> Result<()>,
    /// Bytes in memory, including the heap.
    nbytes: fn(&dyn Any) -> usize,
}

impl Known {
    /// Creates the entry of a type from its format and the way its bytes are
    /// counted.
    pub(super) fn new<T: Any + Send + Sync, F: Format<T>, S: Size<T>>() -> Self {
        fn of<T: Any>(value: &dyn Any) -> &T {
            value
                .downcast_ref()
                .expect("invariant: values are looked up by their own type")
        }
        Self {
            id: TypeId::of::<T>(),
            codec: Codec {
                tag: type_name::<T>(),
                decode: |from: &mut dyn Read, nbytes| F::read(from, nbytes).map(Value::opaque),
            },
            encode: |value, to| F::write(of(value), to),
            nbytes: |value| S::nbytes(of::<T>(value)),
        }
    }
}

/// Registers an encoding for the values of a type: postcard, through serde.
///
/// The values can then be spilled to disk when memory runs short. The memory
/// size of values created from then on includes what they own.
///
/// Numbers and texts, and vectors, options, tuples, maps and arrays of them,
/// have an encoding without this call. Calling it again has no effect.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use swath::graph::{Value, encodable};
///
/// #[derive(Serialize, Deserialize)]
/// struct Model {
///     name: String,
///     weights: Vec<f64>,
/// }
///
/// let model = Model { name: "linear".into(), weights: vec![0.5; 1000] };
/// let value = Value::opaque(model);
/// assert!(value.encode().is_err());
///
/// encodable::<Model>();
/// let decoded = value.encode()?.decode()?;
/// assert_eq!(decoded.opaque_ref::<Model>().map(|model| model.weights.len()), Some(1000));
/// assert!(decoded.nbytes() > 8000);
/// # Ok::<(), swath::Error>(())
/// ```
pub fn encodable<T: Serialize + DeserializeOwned + Send + Sync + 'static>() {
    load_common();
    insert(Known::new::<T, Postcard, Serialized>());
}

/// Returns the codec of a type's values.
pub(crate) fn codec_of(id: TypeId) -> Option<Codec> {
    find(id).map(|known| known.codec)
}

/// Writes a value; `name` is the name of its type.
pub(in crate::graph) fn encode_any(value: &dyn Any, name: &str, to: &mut dyn Write) -> Result<()> {
    let Some(known) = find(value.type_id()) else {
        let name = short_type_name(name);
        return Err(Error::Encode(format!(
            "a value of type {name}: if it implements serde's Serialize and Deserialize, call `encodable::<{name}>()` once"
        )));
    };
    (known.encode)(value, to)
}

/// Returns a value's bytes in memory if its type is registered.
pub(in crate::graph) fn nbytes_of(value: &dyn Any) -> Option<usize> {
    find(value.type_id()).map(|known| (known.nbytes)(value))
}

const SLOTS: usize = 1024;

static TABLE: [Link; SLOTS] = [const { Link(OnceLock::new()) }; SLOTS];

/// The rest of a slot's list.
struct Link(OnceLock<Box<Entry>>);

struct Entry {
    known: Known,
    next: Link,
}

fn find(id: TypeId) -> Option<&'static Known> {
    load_common();
    let mut link = &TABLE[slot(id)];
    while let Some(entry) = link.0.get() {
        if entry.known.id == id {
            return Some(&entry.known);
        }
        link = &entry.next;
    }
    None
}

fn insert(known: Known) {
    let mut link = &TABLE[slot(known.id)];
    let mut entry = Box::new(Entry {
        known,
        next: Link(OnceLock::new()),
    });
    // Append at the end of the list, which other threads may have extended in the
    // meantime.
    loop {
        let id = entry.known.id;
        let Err(mine) = link.0.set(entry) else {
            return;
        };
        let other = link.0.get().expect("invariant: it could not be set");
        if other.known.id == id {
            return;
        }
        (entry, link) = (mine, &other.next);
    }
}

fn load_common() {
    static LOADED: Once = Once::new();
    if !LOADED.is_completed() {
        LOADED.call_once(|| super::common::each_known(insert));
    }
}

/// Returns a type's slot. The hash of a `TypeId` needs no further mixing: it is
/// already a hash.
fn slot(id: TypeId) -> usize {
    struct Bits(u64);
    impl Hasher for Bits {
        fn write(&mut self, bytes: &[u8]) {
            for &byte in bytes {
                self.0 = self.0.rotate_left(8) ^ u64::from(byte);
            }
        }
        fn write_u64(&mut self, bits: u64) {
            self.0 ^= bits;
        }
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut bits = Bits(0);
    id.hash(&mut bits);
    bits.finish() as usize % SLOTS
}
