//! Local clusters and clients: the threads of this process as a cluster, with
//! the interface that a cluster of machines has.
//!
//! A [`Client`] makes its cluster the one that every computation runs on, by
//! way of the default options ([`crate::compute`]). This module counts what
//! runs and reads the machine's size; it runs nothing itself.

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
/// A [`Client`] hands computations to it.
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
    /// How many tasks may run at a time: at least 1, and at most as many as the
    /// process's pool has threads (the environment variable
    /// `POLARS_MAX_THREADS`, or one a core).
    #[doc(alias("n_workers", "threads_per_worker"))]
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The memory that values of the cluster's computations may take, in bytes;
    /// above it they are moved to disk. At most what the session's limit allows.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// The cluster.
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
    /// A cluster of all threads and all memory that this process may use.
    #[allow(
        clippy::new_without_default,
        reason = "a cluster is started, it is no default value"
    )]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A cluster of a part of them.
    pub fn builder() -> LocalClusterBuilder {
        LocalClusterBuilder::default()
    }

    /// What the cluster has and does now.
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

    /// The options of a computation on this cluster.
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

/// What a cluster has and does at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterInfo {
    /// How many tasks may run at a time.
    pub threads: usize,
    /// Memory that the cluster has, in bytes.
    pub memory: u64,
    /// Memory that this process uses, in bytes.
    pub used: u64,
    /// Tasks that run now.
    pub running: usize,
    /// Tasks that have ended well.
    pub finished: usize,
    /// Tasks that have failed or were interrupted.
    pub failed: usize,
}

/// Tasks by how far they are.
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
