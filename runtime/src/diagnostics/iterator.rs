//! A progress bar for loops, which also lets the stop button end them.

use crate::graph::Progress;
use crate::schedule::checkpoint;
use crate::schedule::jobs::{self, Job, JobGuard};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

/// Iterators that show their progress: `for n in (0..100).progress()`.
pub trait ProgressIterator: Iterator + Sized {
    /// Returns the same items, with a bar in the notebook.
    ///
    /// The bar shows how many items there were, how many per second, and the
    /// time left if the iterator knows its length. The stop button ends the loop
    /// at the next item. (Outside a notebook there is no bar.)
    ///
    /// **Panics** with [`Error::Interrupted`](crate::Error::Interrupted) after
    /// the stop button was pressed. This becomes the cell's error; variables are
    /// kept.
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// let squares: Vec<u64> = (0..10u64).progress().map(|n| n * n).collect();
    /// assert_eq!(squares.last(), Some(&81));
    /// ```
    fn progress(self) -> Tracked<Self> {
        self.progress_as("items")
    }

    /// Does the same as [`progress`](Self::progress), under a name of your
    /// choice.
    fn progress_as(self, name: impl Into<String>) -> Tracked<Self> {
        let total = match self.size_hint() {
            (least, Some(most)) if least == most => Some(most),
            _ => None,
        };
        let count = Arc::new(Count {
            name: name.into(),
            begin: Instant::now(),
            done: AtomicUsize::new(0),
            total,
            has_ended: AtomicBool::new(false),
        });
        let guard = jobs::begin(|| count.clone());
        Tracked {
            items: self,
            count,
            guard,
        }
    }
}

impl<I: Iterator> ProgressIterator for I {}

/// An iterator that shows its progress. Created by
/// [`ProgressIterator::progress`].
pub struct Tracked<I> {
    items: I,
    count: Arc<Count>,
    guard: Option<JobGuard>,
}

struct Count {
    name: String,
    begin: Instant,
    done: AtomicUsize,
    total: Option<usize>,
    /// Whether all items were consumed, or no more are wanted.
    has_ended: AtomicBool,
}

impl<I: Iterator> Iterator for Tracked<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        if let Err(interrupted) = checkpoint() {
            interrupted.raise();
        }
        let item = self.items.next();
        match item {
            // No other thread writes it.
            Some(_) => {
                let done = self.count.done.load(Ordering::Relaxed);
                self.count.done.store(done + 1, Ordering::Relaxed);
            }
            None => self.end(),
        }
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for Tracked<I> {}

impl<I> Tracked<I> {
    fn end(&mut self) {
        self.count.has_ended.store(true, Ordering::Relaxed);
        self.guard = None;
    }
}

impl<I> Drop for Tracked<I> {
    fn drop(&mut self) {
        // A loop that breaks has ended successfully; one that fails has not.
        if !std::thread::panicking() {
            self.end();
        }
    }
}

impl Job for Count {
    fn name(&self) -> &str {
        &self.name
    }

    fn progress(&self) -> Progress {
        let done = self.done.load(Ordering::Relaxed);
        let has_ended = self.has_ended.load(Ordering::Relaxed);
        Progress {
            done,
            total: if has_ended { Some(done) } else { self.total },
            nbytes: 0,
            elapsed: self.begin.elapsed(),
            outcome: has_ended.then_some(Ok(())),
        }
    }

    fn unit(&self) -> &'static str {
        "item"
    }

    fn is_asked_for(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_items_are_the_same() {
        let items = (0..100).progress();
        assert_eq!(items.len(), 100);
        assert_eq!(items.collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_counted() {
        let mut items = (0..3).progress_as("steps");
        let count = items.count.clone();
        assert_eq!(
            (count.progress().done, count.progress().total),
            (0, Some(3))
        );
        items.next();
        items.next();
        assert_eq!(count.progress().done, 2);
        assert!(count.progress().outcome.is_none());
        // A loop that breaks early.
        drop(items);
        assert_eq!(
            (count.progress().done, count.progress().total),
            (2, Some(2))
        );
        assert!(matches!(count.progress().outcome, Some(Ok(()))));
        let unknown = (0..9).filter(|n| n % 2 == 0).progress();
        assert_eq!(unknown.count.progress().total, None);
    }

    #[test]
    fn a_loop_that_fails_has_not_ended_well() {
        let mut kept = None;
        let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let items = (0..3).progress();
            kept = Some(items.count.clone());
            for n in items {
                assert!(n < 1, "stop");
            }
        }));
        assert!(failed.is_err());
        let progress = kept.unwrap().progress();
        assert_eq!((progress.done, progress.total), (2, Some(3)));
        assert!(progress.outcome.is_none());
    }
}
