//! Names of tasks and the arithmetic of their places in a layer.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use xxhash_rust::xxh3::Xxh3;

/// A chunk's place along each axis of its layer.
pub type Index = SmallVec<[u32; 4]>;

/// A task's name: its layer's name, and its place in the layer where the layer
/// has more than one task. Shown as `mean-8d1f…` or `ones-27ac…[0, 1]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// The layer's name, or the user's own key in a custom graph.
    pub name: Arc<str>,
    /// The place in the layer; empty for a single task.
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

/// A layer's identity: a hash of what it computes, or a number that nothing
/// else has where its operation is impure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LayerId(u128);

impl LayerId {
    /// An identity that nothing else has, in this process or another.
    pub fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        static PROCESS: LazyLock<u128> = LazyLock::new(|| uuid::Uuid::new_v4().as_u128());
        let number = u128::from(NEXT.fetch_add(1, Ordering::Relaxed));
        // An odd factor: different numbers stay different, in the half that
        // names and tables use as well.
        Self(*PROCESS ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    }

    /// An identity that a text stands for.
    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Fingerprint::new().text(text).layer_id()
    }

    /// The name of a layer: its operation's, and half of the hash.
    pub fn name(self, operation: &str) -> Arc<str> {
        format!("{operation}-{:016x}", self.quick()).into()
    }

    /// The whole of it, as a file's name.
    pub(crate) fn hex(self) -> String {
        format!("{:032x}", self.0)
    }

    /// Half of the hash: enough for names and tables.
    pub(crate) fn quick(self) -> u64 {
        self.0 as u64
    }
}

impl Hash for LayerId {
    /// It is a hash already.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.quick());
    }
}

/// The number of chunks along each axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Grid(SmallVec<[u32; 4]>);

impl Grid {
    /// A grid with the given number of chunks along each axis.
    pub fn new(counts: impl IntoIterator<Item = u32>) -> Self {
        Self(counts.into_iter().collect())
    }

    /// The grid of a single task.
    pub fn single() -> Self {
        Self::default()
    }

    /// The number of chunks along each axis.
    pub fn counts(&self) -> &[u32] {
        &self.0
    }

    /// The number of tasks.
    pub fn len(&self) -> usize {
        self.0.iter().map(|&count| count as usize).product()
    }

    /// Whether there is no task at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The position of a place in row-major order.
    #[inline]
    pub fn linear(&self, index: &[u32]) -> u32 {
        debug_assert_eq!(index.len(), self.0.len());
        index
            .iter()
            .zip(&self.0)
            .fold(0, |position, (&at, &count)| position * count + at)
    }

    /// The place at a row-major position.
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

/// A content hash in the making: what a layer's name is made of.
///
/// The same operation, arguments and inputs give the same name in every
/// process; nothing that depends on addresses or time goes in, except through
/// [`Fingerprint::unique`].
pub struct Fingerprint(Xxh3);

impl Fingerprint {
    /// An empty fingerprint.
    #[allow(
        clippy::new_without_default,
        reason = "a fingerprint of nothing is no sensible default"
    )]
    pub fn new() -> Self {
        Self(Xxh3::new())
    }

    /// Adds bytes, with their length, so that neighbours cannot run together.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds all that `write` writes, as one: in which blocks makes no difference.
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

    /// Adds something that no other fingerprint has: for impure operations.
    pub fn unique(&mut self) -> &mut Self {
        self.0.update(&LayerId::unique().0.to_le_bytes());
        self
    }

    /// The hash.
    pub fn finish(&self) -> u128 {
        self.0.digest128()
    }

    /// The identity of a layer of which this is the content.
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
