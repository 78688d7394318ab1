//! The primitives that threads share something by: parking_lot's and std's; for
//! the model checker, loom's in the same form.

#[cfg(loom)]
mod model;

#[cfg(loom)]
pub use model::set_elapsed;
#[cfg(loom)]
pub(crate) use model::{AtomicUsize, Condvar, Instant, Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use std::{sync::atomic::AtomicUsize, time::Instant};

/// Defines `new`, which is `const`; not in the model, whose primitives can only
/// be made while it runs.
macro_rules! const_new {
    ($(#[$doc:meta])* $body:block) => {
        $(#[$doc])*
        #[cfg(not(loom))]
        pub const fn new() -> Self $body

        $(#[$doc])*
        #[cfg(loom)]
        pub fn new() -> Self $body
    };
}
pub(crate) use const_new;
