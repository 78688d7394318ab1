//! Stopping a computation, and noticing that one has to stop.

use crate::error::{Error, Result};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// Tells a run to stop. Clones speak of the same run.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
}

static RUNNING: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());
/// Set by an interrupt, until the next cell begins.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

impl CancelToken {
    /// A token that [`interrupt`] cancels.
    pub fn register() -> Self {
        let token = Self::default();
        let mut running = RUNNING.lock();
        running.retain(|shared| shared.strong_count() > 0);
        running.push(Arc::downgrade(&token.0));
        token
    }

    /// Tells the run to stop at the next task.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether the run was told to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Acquire)
    }
}

impl Shared {
    fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }
}

/// Interrupts every computation that is running: what the notebook's stop
/// button does. Variables and persisted values are kept.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Release);
    for shared in RUNNING.lock().iter().filter_map(Weak::upgrade) {
        shared.cancel();
    }
}

/// Forgets earlier interrupts: called when a cell starts.
pub fn begin() {
    INTERRUPTED.store(false, Ordering::Release);
}

/// A cheap check for loops of your own: fails once the notebook's stop button
/// was pressed.
///
/// # Errors
/// [`Error::Interrupted`].
///
/// ```
/// for _ in 0..1_000 {
///     swath::schedule::checkpoint()?;
/// }
/// # Ok::<(), swath::Error>(())
/// ```
pub fn checkpoint() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}

/// Sleeps, unless interrupted.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn sleep(duration: Duration) -> Result<()> {
    let end = Instant::now() + duration;
    loop {
        checkpoint()?;
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return Ok(());
        }
        std::thread::sleep(rest.min(Duration::from_millis(20)));
    }
}
