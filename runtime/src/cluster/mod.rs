//! Local clusters and clients: the threads of this process, with the interface of a
//! cluster of machines.
//!
//! While a [`Client`] exists, every computation runs on its cluster: the client sets
//! the default options ([`mod@crate::compute`]). This module counts the tasks that run
//! and reads the machine's size. It runs nothing itself.

mod client;
mod view;

pub use client::Client;

use crate::machine;
use crate::schedule::{Event, Listener, Options, pool};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The threads and the memory of this process, or a part of them.
///
/// A [`Client`] runs computations on it.
///
/// ```
/// use swath::prelude::*;
///
/// let cluster = LocalCluster::builder().threads(1).build();
/// let client = Client::new(&cluster);
/// let four = client.submit(|x: i64| x + x, (2,))?;
/// assert_eq!(client.compute(&four)?, 4);
/// assert_eq!(cluster.info().threads, 1);
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone)]
pub struct LocalCluster {
    threads: usize,
    memory: u64,
    memory_limit: Option<u64>,
    counts: Arc<Counts>,
}

/// Settings of a [`LocalCluster`].
#[derive(Clone, Debug, Default)]
pub struct LocalClusterBuilder {
    threads: Option<usize>,
    memory_limit: Option<u64>,
}

impl LocalClusterBuilder {
    /// Sets the maximum number of tasks that run at a time: at least 1, and at most the
    /// number of threads in the process's pool (the environment variable
    /// `POLARS_MAX_THREADS`, or one per core).
    #[doc(alias("n_workers", "threads_per_worker"))]
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Sets the memory that values of the cluster's computations may use, in bytes, up
    /// to the session's limit. Values beyond it are moved to disk.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Builds the cluster.
    pub fn build(self) -> LocalCluster {
        let (threads, memory) = (pool::threads(), machine::memory());
        LocalCluster {
            threads: self.threads.unwrap_or(threads).clamp(1, threads),
            memory: self.memory_limit.unwrap_or(memory).min(memory),
            memory_limit: self.memory_limit,
            counts: Arc::default(),
        }
    }
}

impl LocalCluster {
    /// Returns a cluster with all threads and all memory that this process may use.
    #[allow(
        clippy::new_without_default,
        reason = "a new cluster is a resource, not a default value"
    )]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder for a cluster that uses a part of the threads and the memory.
    pub fn builder() -> LocalClusterBuilder {
        LocalClusterBuilder::default()
    }

    /// Returns the cluster's current state.
    pub fn info(&self) -> ClusterInfo {
        let count = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        ClusterInfo {
            threads: self.threads,
            memory: self.memory,
            used: machine::used(),
            running: count(&self.counts.running),
            finished: count(&self.counts.finished),
            failed: count(&self.counts.failed),
        }
    }

    /// Returns the options that run a computation on this cluster.
    pub fn options(&self) -> Options {
        Options {
            threads: Some(self.threads),
            memory_limit: self.memory_limit,
            listeners: vec![self.counts.clone()],
            ..Options::default()
        }
    }
}

impl fmt::Display for LocalCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "LocalCluster(threads={}, memory={:.1} GB)",
            self.threads,
            self.memory as f64 / 1e9
        )
    }
}

impl fmt::Debug for LocalCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The resources and the activity of a cluster at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterInfo {
    /// The maximum number of tasks that run at a time.
    pub threads: usize,
    /// The cluster's memory, in bytes.
    pub memory: u64,
    /// The memory that this process uses, in bytes.
    pub used: u64,
    /// Tasks that are running.
    pub running: usize,
    /// Tasks that succeeded.
    pub finished: usize,
    /// Tasks that failed or were interrupted.
    pub failed: usize,
}

/// The numbers of tasks by state.
#[derive(Default)]
struct Counts {
    running: AtomicUsize,
    finished: AtomicUsize,
    failed: AtomicUsize,
}

impl Listener for Counts {
    fn event(&self, event: &Event) {
        let end = |count: &AtomicUsize| {
            count.fetch_add(1, Ordering::Relaxed);
            self.running.fetch_sub(1, Ordering::Relaxed);
        };
        match event {
            Event::Started { .. } => {
                self.running.fetch_add(1, Ordering::Relaxed);
            }
            Event::Finished { .. } => end(&self.finished),
            Event::Failed { .. } => end(&self.failed),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
