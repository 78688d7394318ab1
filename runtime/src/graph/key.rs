//! Names of tasks, and the arithmetic of their positions in a layer.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use xxhash_rust::xxh3::Xxh3;

/// A chunk's position along each axis of its layer.
pub type Index = SmallVec<[u32; 4]>;

/// A task's name: its layer's name, and its position in the layer if the layer
/// has more than one task. Shown as `mean-8d1f…` or `ones-27ac…[0, 1]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// The layer's name, or the user's own key in a custom graph.
    pub name: Arc<str>,
    /// The position in the layer; empty for a single task.
    pub index: Index,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.index.is_empty() {
            write!(f, "{:?}", self.index.as_slice())?;
        }
        Ok(())
    }
}

/// A layer's identity: a hash of what it computes, or a unique number if its
/// operation is impure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LayerId(u128);

impl LayerId {
    /// Returns an identity that is unique across processes.
    pub fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        static PROCESS: LazyLock<u128> = LazyLock::new(|| uuid::Uuid::new_v4().as_u128());
        let number = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
        // The factor is odd, so different numbers stay different, also in the
        // half that names and tables use.
        Self(*PROCESS ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    }

    /// Returns the identity that belongs to a text.
    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Fingerprint::new().text(text).layer_id()
    }

    /// Returns a layer's name: its operation's name and half of the hash.
    pub fn name(self, operation: &str) -> Arc<str> {
        format!("{operation}-{:016x}", self.quick()).into()
    }

    /// Returns the whole identity as a file name.
    pub(crate) fn hex(self) -> String {
        format!("{:032x}", self.0)
    }

    /// Returns half of the hash, which is enough for names and tables.
    pub(crate) fn quick(self) -> u64 {
        self.0 as u64
    }
}

impl Hash for LayerId {
    /// Passes the identity on unchanged: it is already a hash.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.quick());
    }
}

/// The number of chunks along each axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Grid(SmallVec<[u32; 4]>);

impl Grid {
    /// Creates a grid with the given number of chunks along each axis.
    pub fn new(counts: impl IntoIterator<Item = u32>) -> Self {
        Self(counts.into_iter().collect())
    }

    /// Creates the grid of a single task.
    pub fn single() -> Self {
        Self::default()
    }

    /// Returns the number of chunks along each axis.
    pub fn counts(&self) -> &[u32] {
        &self.0
    }

    /// Returns the number of tasks.
    pub fn len(&self) -> usize {
        self.0.iter().map(|&count| count as usize).product()
    }

    /// Returns whether the grid has no tasks.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the row-major position of an index.
    #[inline]
    pub fn linear(&self, index: &[u32]) -> u32 {
        debug_assert_eq!(index.len(), self.0.len());
        index
            .iter()
            .zip(&self.0)
            .fold(0, |position, (&at, &count)| position * count + at)
    }

    /// Returns the index at a row-major position.
    #[inline]
    pub fn index(&self, linear: u32) -> Index {
        let mut index: Index = smallvec::smallvec![0; self.0.len()];
        let mut rest = linear;
        for (at, &count) in index.iter_mut().zip(&self.0).rev() {
            *at = rest % count;
            rest /= count;
        }
        index
    }
}

/// A content hash under construction, from which a layer's name is made.
///
/// The same operation, arguments and inputs give the same name in every process.
/// Nothing that depends on addresses or time is hashed, except through
/// [`Fingerprint::unique`].
pub struct Fingerprint(Xxh3);

impl Fingerprint {
    /// Creates an empty fingerprint.
    #[allow(
        clippy::new_without_default,
        reason = "a fingerprint of nothing is no sensible default"
    )]
    pub fn new() -> Self {
        Self(Xxh3::new())
    }

    /// Adds bytes with their length, so that neighbouring items cannot run
    /// together.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds everything that `write` writes as one item; how it is split into
    /// blocks makes no difference.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn written<E>(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<&mut Self, E> {
        let mut content = Content(Xxh3::new());
        write(&mut content)?;
        self.0.update(&content.0.digest128().to_le_bytes());
        Ok(self)
    }

    /// Adds the identity of a layer.
    pub fn layer(&mut self, id: LayerId) -> &mut Self {
        self.0.update(&id.0.to_le_bytes());
        self
    }

    /// Adds a unique number, for impure operations.
    pub fn unique(&mut self) -> &mut Self {
        self.0.update(&LayerId::unique().0.to_le_bytes());
        self
    }

    /// Returns the hash.
    pub fn finish(&self) -> u128 {
        self.0.digest128()
    }

    /// Returns the identity of the layer that has this content.
    pub fn layer_id(&self) -> LayerId {
        LayerId(self.finish())
    }
}

/// Hashes what is written.
struct Content(Xxh3);

impl Write for Content {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn linear_and_index_are_inverse(counts in prop::collection::vec(1u32..6, 0..4), at in any::<u32>()) {
            let grid = Grid::new(counts);
            let linear = at % grid.len() as u32;
            prop_assert_eq!(grid.linear(&grid.index(linear)), linear);
        }
    }

    #[test]
    fn neighbours_do_not_run_together() {
        let hash = |parts: &[&str]| {
            let mut fingerprint = Fingerprint::new();
            for part in parts {
                fingerprint.text(part);
            }
            fingerprint.finish()
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_eq!(hash(&["ab", "c"]), hash(&["ab", "c"]));
    }

    #[test]
    fn what_is_written_counts_and_not_in_which_blocks() {
        let hash = |blocks: &[&[u8]]| {
            let mut fingerprint = Fingerprint::new();
            let write =
                |to: &mut dyn Write| blocks.iter().try_for_each(|block| to.write_all(block));
            fingerprint.written(write).unwrap().finish()
        };
        assert_eq!(hash(&[b"ab", b"c"]), hash(&[b"a", b"", b"bc"]));
        assert_ne!(hash(&[b"ab"]), hash(&[b"abc"]));
    }

    #[test]
    fn keys_read_well() {
        let key = Key {
            name: "ones-27".into(),
            index: Index::from_slice(&[0, 1]),
        };
        assert_eq!(key.to_string(), "ones-27[0, 1]");
        assert_eq!(
            Key {
                name: "store".into(),
                index: Index::new()
            }
            .to_string(),
            "store"
        );
    }
}
