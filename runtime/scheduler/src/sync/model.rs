//! loom's primitives with the interface of parking_lot's.
//!
//! There is no time in the model. A wait with a time-out never times out by
//! itself, so a lost notification is a deadlock, which the model finds. A test
//! about a time-out triggers it explicitly ([`Condvar::time_out`]), and a test
//! also sets how long things take ([`set_elapsed`]).

pub(crate) use loom::sync::atomic::AtomicUsize;
use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

thread_local! {
    /// All threads of a model run on one thread of the system.
    static ELAPSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Sets how long everything takes from now on: a batch, a turn.
pub fn set_elapsed(elapsed: Duration) {
    ELAPSED.set(elapsed);
}

/// An instant, since which the time of [`set_elapsed`] has always elapsed.
#[derive(Clone, Copy)]
pub(crate) struct Instant;

impl Instant {
    pub(crate) fn now() -> Self {
        Self
    }

    pub(crate) fn elapsed(&self) -> Duration {
        ELAPSED.get()
    }
}

/// A lock that is never poisoned.
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

/// The guard of a [`Mutex`]. It is empty only inside its own methods.
pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    guard: Option<loom::sync::MutexGuard<'a, T>>,
}

const LOCKED: &str = "invariant: a guard holds the lock";

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            mutex: self,
            guard: Some(self.0.lock().expect("invariant: not poisoned")),
        }
    }
}

impl<T> MutexGuard<'_, T> {
    /// Calls `call` without the lock.
    pub(crate) fn unlocked<U>(&mut self, call: impl FnOnce() -> U) -> U {
        self.guard = None;
        let result = call();
        self.guard = self.mutex.lock().guard;
        result
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.guard.as_ref().expect(LOCKED)
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().expect(LOCKED)
    }
}

/// A condition variable whose time-outs a test triggers.
pub(crate) struct Condvar {
    condvar: loom::sync::Condvar,
    timed_out: AtomicBool,
}

/// Whether a wait has timed out.
pub(crate) struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub(crate) fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    pub(crate) fn new() -> Self {
        Self {
            condvar: loom::sync::Condvar::new(),
            timed_out: AtomicBool::new(false),
        }
    }

    pub(crate) fn wait_for<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        _timeout: Duration,
    ) -> WaitTimeoutResult {
        if self.timed_out.swap(false, Ordering::Relaxed) {
            return WaitTimeoutResult(true);
        }
        let locked = guard.guard.take().expect(LOCKED);
        let locked = self.condvar.wait(locked).expect("invariant: not poisoned");
        guard.guard = Some(locked);
        WaitTimeoutResult(self.timed_out.swap(false, Ordering::Relaxed))
    }

    pub(crate) fn notify_all(&self) {
        self.condvar.notify_all();
    }

    /// Lets the current or else the next wait time out. Called with the lock
    /// held.
    pub(crate) fn time_out(&self) {
        self.timed_out.store(true, Ordering::Relaxed);
        self.notify_all();
    }
}
