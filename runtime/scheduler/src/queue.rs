//! The queue of workers that wait for a thread of the pool.
//!
//! After adding a ticket, the caller *nudges* the pool: a thread comes and
//! serves the queue until it is empty. A thread inside a task cannot do that. A
//! nudge that reaches such a thread is *owed*, and is *settled*, that is
//! repeated, when a task ends.
//!
//! No ticket is left behind: its nudge serves the queue, or is owed by a thread
//! that settles owed nudges when its task ends. A settling thread repeats as
//! many nudges as are owed, or as there are tickets if these are fewer. Each of
//! them wakes a thread that could run a worker now.

use crate::sync::{AtomicUsize, Mutex, const_new};
use std::collections::VecDeque;
use std::sync::atomic::Ordering;

/// The queue of a pool, for all runs.
pub struct Queue<T> {
    waiting: Mutex<VecDeque<T>>,
    /// The queue's length, readable without the lock.
    len: AtomicUsize,
    /// How many nudges reached threads that were inside a task.
    owed: AtomicUsize,
}

impl<T> Queue<T> {
    const_new! {
        /// Creates an empty queue.
        {
            Self {
                waiting: Mutex::new(VecDeque::new()),
                len: AtomicUsize::new(0),
                owed: AtomicUsize::new(0),
            }
        }
    }

    /// Returns how many tickets wait, or waited a moment ago.
    #[inline]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Returns whether no ticket waits, or waited a moment ago.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a ticket. A nudge must follow, unless the calling thread serves
    /// the queue.
    pub(crate) fn push(&self, ticket: T) {
        let mut waiting = self.waiting.lock();
        waiting.push_back(ticket);
        self.len.store(waiting.len(), Ordering::Relaxed);
    }

    /// Removes and returns the first ticket.
    pub(crate) fn pop(&self) -> Option<T> {
        let mut waiting = self.waiting.lock();
        let ticket = waiting.pop_front();
        self.len.store(waiting.len(), Ordering::Relaxed);
        ticket
    }

    /// Removes and returns the first ticket that `is_wanted` accepts. Its nudge
    /// may then find nothing.
    pub(crate) fn take(&self, is_wanted: impl FnMut(&T) -> bool) -> Option<T> {
        let mut waiting = self.waiting.lock();
        let at = waiting.iter().position(is_wanted)?;
        let ticket = waiting.remove(at);
        self.len.store(waiting.len(), Ordering::Relaxed);
        ticket
    }

    /// Records a nudge that reached a thread inside a task. This thread must
    /// [`settle`](crate::settle) later.
    pub(crate) fn owe(&self) {
        self.owed.fetch_add(1, Ordering::Release);
    }

    /// Returns how many owed nudges must be repeated now. The caller takes them
    /// over.
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
