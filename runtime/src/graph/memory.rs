//! How many bytes all values that exist have in memory, as they report them.
//!
//! A value counts itself from when it is made until the last one that holds it
//! lets it go, so that shared values count once, whoever holds them.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

static IN_USE: AtomicI64 = AtomicI64::new(0);

/// What a thread counts by itself before it tells the others: threads that make
/// many small values would wait for each other at every one.
const UNTOLD: i64 = 64 << 10;

/// The bytes of all values that exist: up to 64 KiB a thread off.
pub fn in_use() -> u64 {
    u64::try_from(IN_USE.load(Ordering::Relaxed)).unwrap_or(0)
}

/// Bytes that count until it is dropped.
pub(super) struct Counted(usize);

impl Counted {
    #[inline]
    pub(super) fn new(nbytes: usize) -> Self {
        count(nbytes as i64);
        Self(nbytes)
    }

    pub(super) fn nbytes(&self) -> usize {
        self.0
    }
}

impl Drop for Counted {
    #[inline]
    fn drop(&mut self) {
        count(-(self.0 as i64));
    }
}

/// A thread's own count; told when the thread ends.
struct Own(Cell<i64>);

impl Drop for Own {
    fn drop(&mut self) {
        IN_USE.fetch_add(self.0.get(), Ordering::Relaxed);
    }
}

thread_local! {
    static OWN: Own = const { Own(Cell::new(0)) };
}

#[inline]
fn count(change: i64) {
    if change == 0 {
        return;
    }
    let counted = OWN.try_with(|Own(own)| {
        let sum = own.get() + change;
        if sum.abs() < UNTOLD {
            own.set(sum);
        } else {
            own.set(0);
            IN_USE.fetch_add(sum, Ordering::Relaxed);
        }
    });
    if counted.is_err() {
        // The thread is ending.
        IN_USE.fetch_add(change, Ordering::Relaxed);
    }
}
