//! The synchronisation primitives: parking_lot's and std's, or for the model
//! checker loom's, with the same interface.

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

/// Defines `new` as a `const fn`. In the model it is not `const`, because
/// loom's primitives can only be created while the model runs.
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
