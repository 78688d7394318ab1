//! The queue of workers that wait for a thread of the pool.
//!
//! Whoever puts a ticket in *nudges* the pool afterwards: a thread comes and
//! serves the queue until it is empty. A nudge that comes to a thread inside a
//! task can't do that; it is *owed*, and made up for when a task ends.
//!
//! Why no ticket is left behind: its nudge serves the queue, or is owed by a
//! thread that settles what is owed when its task ends. Whoever settles makes
//! up for as many nudges as are owed, or as there are tickets if these are
//! fewer: each of them wakes a thread that could run a worker now.

use crate::sync::{AtomicUsize, Mutex, const_new};
use std::collections::VecDeque;
use std::sync::atomic::Ordering;

/// The queue of a pool, for all runs.
pub struct Queue<T> {
    waiting: Mutex<VecDeque<T>>,
    /// The queue's length, for a look without the lock.
    len: AtomicUsize,
    /// How many nudges came to threads that were inside a task.
    owed: AtomicUsize,
}

impl<T> Queue<T> {
    const_new! {
        /// An empty queue.
        {
            Self {
                waiting: Mutex::new(VecDeque::new()),
                len: AtomicUsize::new(0),
                owed: AtomicUsize::new(0),
            }
        }
    }

    /// How many wait, or waited a moment ago.
    #[inline]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether nobody waits, or waited a moment ago.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a ticket at the end. A nudge has to follow, unless the thread that
    /// does this serves the queue.
    pub(crate) fn push(&self, ticket: T) {
        let mut waiting = self.waiting.lock();
        waiting.push_back(ticket);
        self.len.store(waiting.len(), Ordering::Relaxed);
    }

    /// Takes the first ticket.
    pub(crate) fn pop(&self) -> Option<T> {
        let mut waiting = self.waiting.lock();
        let ticket = waiting.pop_front();
        self.len.store(waiting.len(), Ordering::Relaxed);
        ticket
    }

    /// Takes the first ticket that is wanted. Its nudge may find nothing.
    pub(crate) fn take(&self, is_wanted: impl FnMut(&T) -> bool) -> Option<T> {
        let mut waiting = self.waiting.lock();
        let at = waiting.iter().position(is_wanted)?;
        let ticket = waiting.remove(at);
        self.len.store(waiting.len(), Ordering::Relaxed);
        ticket
    }

    /// Notes a nudge that came to a thread inside a task: this thread has to
    /// [`settle`](crate::settle) later.
    pub(crate) fn owe(&self) {
        self.owed.fetch_add(1, Ordering::Release);
    }

    /// How many nudges have to be made up for now. They are the caller's then.
    #[inline]
    pub(crate) fn settle(&self) -> usize {
        if self.owed.load(Ordering::Relaxed) == 0 || self.is_empty() {
            return 0;
        }
        self.owed.swap(0, Ordering::AcqRel).min(self.len())
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}
