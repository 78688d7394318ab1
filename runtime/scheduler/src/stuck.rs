//! Threads that the pool has lost for a while.
//!
//! A task may go on after its run was given up; it is *stuck* then, and keeps
//! its thread from the runs after it. One of these that finds no thread gets a
//! *substitute* instead, one for each thread that is stuck.

use crate::sync::{AtomicUsize, const_new};
use std::sync::atomic::Ordering;

/// How many threads are stuck, and how many substitutes there are.
pub struct Stuck {
    threads: AtomicUsize,
    substitutes: AtomicUsize,
}

impl Stuck {
    const_new! {
        /// No thread is stuck.
        {
            Self {
                threads: AtomicUsize::new(0),
                substitutes: AtomicUsize::new(0),
            }
        }
    }

    /// So many threads more are in tasks that nobody waits for.
    pub(crate) fn add(&self, threads: usize) {
        self.threads.fetch_add(threads, Ordering::Relaxed);
    }

    /// The task of one of them has ended.
    pub(crate) fn remove(&self) {
        self.threads.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether there may be one substitute more; it counts from now on.
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

    /// A substitute has nothing to do any more.
    pub(crate) fn remove_substitute(&self) {
        self.substitutes.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Stuck {
    fn default() -> Self {
        Self::new()
    }
}
