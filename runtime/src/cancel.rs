//! Cancels computations, and lets them check whether they are cancelled.

use crate::error::{Error, Result};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

/// A signal that tells a run to stop. Clones refer to the same run.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    /// The outer run, if this run was started in one of its tasks.
    outer: Option<CancelToken>,
}

static RUNNING: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());
/// Set by an interrupt, until the next cell begins.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// The wakers of waiting futures, which an interrupt wakes.
static WAITING: Mutex<Vec<Waker>> = Mutex::new(Vec::new());

thread_local! {
    /// The run whose task this thread executes.
    static CURRENT: RefCell<Option<CancelToken>> = const { RefCell::new(None) };
}

impl CancelToken {
    /// Returns a token that [`interrupt`] cancels. If a task registers it, cancelling
    /// that task's run cancels it too.
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
        // An interrupt between two computations cancels the next one. It sets this flag
        // before it reads the list of running ones.
        if INTERRUPTED.load(Ordering::Acquire) {
            token.cancel();
        }
        token
    }

    /// Tells the run to stop at the next task.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Returns whether the run was told to stop.
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

/// Interrupts every running computation, and those that start before the next
/// [`begin`]. The notebook's stop button calls it. Variables and persisted values are
/// kept.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Release);
    cancel_all();
    for waker in std::mem::take(&mut *WAITING.lock()) {
        waker.wake();
    }
}

/// Cancels every running computation, and nothing else. The stop button calls it when
/// no cell runs.
pub fn cancel_all() {
    for shared in RUNNING.lock().iter().filter_map(Weak::upgrade) {
        shared.cancel();
    }
}

/// Clears earlier interrupts. Called when a cell starts.
pub fn begin() {
    WAITING.lock().clear();
    INTERRUPTED.store(false, Ordering::Release);
}

/// A guard that marks this thread as inside a task of a run until it is dropped.
pub(crate) struct Inside(Option<CancelToken>);

pub(crate) fn enter(token: &CancelToken) -> Inside {
    Inside(CURRENT.replace(Some(token.clone())))
}

/// Returns whether this thread is inside a task.
pub(crate) fn inside_task() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

impl Drop for Inside {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Fails if the computation was stopped: a cheap check for your own loops.
///
/// In a cell it fails after the notebook's stop button was pressed, in a task after its
/// run was cancelled.
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

/// Waits for a future unless interrupted. A cell's `.await` calls it.
///
/// **Panics** with [`Error::Interrupted`].
pub async fn interruptible<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        {
            // Register before the check, so that an interrupt after it wakes this
            // future.
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
/// `sleep(Duration::from_secs(2))?`. [`std::thread::sleep`] cannot be stopped.
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
