//! Stopping a computation, and noticing that one has to stop.

use crate::error::{Error, Result};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

/// Tells a run to stop. Clones speak of the same run.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    /// The run in one of whose tasks this run was started.
    outer: Option<CancelToken>,
}

static RUNNING: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());
/// Set by an interrupt, until the next cell begins.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Futures that wait, to be woken by an interrupt.
static WAITING: Mutex<Vec<Waker>> = Mutex::new(Vec::new());

thread_local! {
    /// The run whose task this thread is in.
    static CURRENT: RefCell<Option<CancelToken>> = const { RefCell::new(None) };
}

impl CancelToken {
    /// A token that [`interrupt`] cancels, and the end of the run in one of
    /// whose tasks it was registered.
    pub fn register() -> Self {
        let outer = CURRENT.with_borrow(Clone::clone);
        let token = Self(Arc::new(Shared {
            outer,
            ..Shared::default()
        }));
        let mut running = RUNNING.lock();
        running.retain(|shared| shared.strong_count() > 0);
        running.push(Arc::downgrade(&token.0));
        drop(running);
        // An interrupt that came between two computations ends the next one. It
        // sets this before it looks at what runs.
        if INTERRUPTED.load(Ordering::Acquire) {
            token.cancel();
        }
        token
    }

    /// Tells the run to stop at the next task.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether the run was told to stop.
    pub fn is_cancelled(&self) -> bool {
        let mut token = self;
        loop {
            if token.0.cancelled.load(Ordering::Acquire) {
                return true;
            }
            match &token.0.outer {
                Some(outer) => token = outer,
                None => return false,
            }
        }
    }
}

impl Shared {
    fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }
}

/// Interrupts every computation that is running, and those that begin before
/// [`begin`]: what the notebook's stop button does. Variables and persisted
/// values are kept.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Release);
    cancel_all();
    for waker in std::mem::take(&mut *WAITING.lock()) {
        waker.wake();
    }
}

/// Cancels every computation that is running, and nothing else: what the stop
/// button does where no cell runs.
pub fn cancel_all() {
    for shared in RUNNING.lock().iter().filter_map(Weak::upgrade) {
        shared.cancel();
    }
}

/// Forgets earlier interrupts: called when a cell starts.
pub fn begin() {
    WAITING.lock().clear();
    INTERRUPTED.store(false, Ordering::Release);
}

/// Marks this thread as being inside a task of a run, until it is dropped.
pub(crate) struct Inside(Option<CancelToken>);

pub(crate) fn enter(token: &CancelToken) -> Inside {
    Inside(CURRENT.replace(Some(token.clone())))
}

/// Whether this thread is inside a task.
pub(crate) fn inside_task() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

impl Drop for Inside {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// A cheap check for loops of your own: fails once the notebook's stop button
/// was pressed, in a task once its run was cancelled.
///
/// # Errors
/// [`Error::Interrupted`].
///
/// ```
/// use swath::prelude::*;
///
/// for _ in 0..1_000 {
///     checkpoint()?;
/// }
/// # Ok::<(), swath::Error>(())
/// ```
pub fn checkpoint() -> Result<()> {
    let cancelled = CURRENT.with_borrow(|token| token.as_ref().map(CancelToken::is_cancelled));
    if cancelled.unwrap_or_else(|| INTERRUPTED.load(Ordering::Relaxed)) {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}

/// Waits for a future, unless interrupted: what a cell's `.await` does.
///
/// **Panics** with [`Error::Interrupted`].
pub async fn interruptible<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        {
            // Before the look: an interrupt that comes after it wakes.
            let mut waiting = WAITING.lock();
            if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                waiting.push(context.waker().clone());
            }
        }
        if let Err(interrupted) = checkpoint() {
            interrupted.raise();
        }
        future.as_mut().poll(context)
    })
    .await
}

/// Sleeps for a time, unless the cell or the task is interrupted:
/// `sleep(Duration::from_secs(2))?`, where [`std::thread::sleep`] could not be stopped.
///
/// # Errors
/// [`Error::Interrupted`].
///
/// ```
/// use swath::prelude::*;
///
/// sleep(std::time::Duration::from_millis(10))?;
/// # Ok::<(), swath::Error>(())
/// ```
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
