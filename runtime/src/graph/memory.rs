//! The bytes of memory that all live values occupy, as the values report them.
//!
//! A value counts from its creation until its last holder drops it. Shared
//! values therefore count once.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

static IN_USE: AtomicI64 = AtomicI64::new(0);

/// The bytes a thread counts locally before it updates the global counter.
/// Threads that create many small values would otherwise contend for the
/// counter on every value.
const UNTOLD: i64 = 64 << 10;

/// Returns the bytes of all live values, to within 64 KiB per thread.
pub fn in_use() -> u64 {
    u64::try_from(IN_USE.load(Ordering::Relaxed)).unwrap_or(0)
}

/// A number of bytes that counts until this guard is dropped.
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

/// A thread's own count, added to the global counter when the thread ends.
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
