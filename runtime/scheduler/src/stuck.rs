//! Threads that the pool has lost for a while.
//!
//! A task may continue after its run was abandoned. It is then *stuck*, and
//! keeps its thread from later runs. A later run that finds no thread gets a
//! *substitute* instead, at most one for each stuck thread.

use crate::sync::{AtomicUsize, const_new};
use std::sync::atomic::Ordering;

/// The number of stuck threads and of substitutes.
pub struct Stuck {
    threads: AtomicUsize,
    substitutes: AtomicUsize,
}

impl Stuck {
    const_new! {
        /// Creates a counter with no stuck threads.
        {
            Self {
                threads: AtomicUsize::new(0),
                substitutes: AtomicUsize::new(0),
            }
        }
    }

    /// Adds threads that are in abandoned tasks.
    pub(crate) fn add(&self, threads: usize) {
        self.threads.fetch_add(threads, Ordering::Relaxed);
    }

    /// Removes a thread whose abandoned task has ended.
    pub(crate) fn remove(&self) {
        self.threads.fetch_sub(1, Ordering::Relaxed);
    }

    /// Returns whether another substitute is allowed, and counts it if so.
    pub(crate) fn add_substitute(&self) -> bool {
        let threads = self.threads.load(Ordering::Relaxed);
        threads > 0
            && self
                .substitutes
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |substitutes| {
                    (substitutes < threads).then_some(substitutes + 1)
                })
                .is_ok()
    }

    /// Removes a substitute that has finished.
    pub(crate) fn remove_substitute(&self) {
        self.substitutes.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Stuck {
    fn default() -> Self {
        Self::new()
    }
}
