//! Stopping queries of Polars: those of tasks, and those that a cell runs itself.
//!
//! Polars looks between the steps of a query whether it is to be aborted, and
//! if so it panics; SIGINT is what asks for it, and there is no other way to
//! ask (`polars_error::abort`). It does so only while somebody catches: a flag
//! that is set stays until the last of them has gone, and everything of Polars
//! that runs until then is aborted. So a cell catches, and so does what is
//! computed in the background.

use crate::error::{Error, Result};
use polars::error::abort::{catch_polars_abort, register_polars_abort_mechanism};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What Polars panics with.
const PAYLOAD: &str = "__POLARS_ABORT_KEYBOARD_INTERRUPT";

/// How long to wait for others to notice an earlier interrupt.
const PATIENCE: Duration = Duration::from_secs(2);

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT aborts queries, and no longer ends the process. Replaces
/// the panic hook: to be called before another one is set.
pub(crate) fn install() {
    register_polars_abort_mechanism();
    INSTALLED.store(true, Ordering::Release);
}

/// Aborts all queries that run.
pub(crate) fn abort() {
    if INSTALLED.load(Ordering::Acquire) {
        // SAFETY: raise has no memory effects; SIGINT has a handler.
        unsafe { libc::raise(libc::SIGINT) };
    }
}

/// Whether a panic is Polars' answer to [`abort`].
pub(crate) fn is_abort(payload: &(dyn Any + Send)) -> bool {
    payload
        .downcast_ref::<&str>()
        .is_some_and(|text| text.contains(PAYLOAD))
        || payload
            .downcast_ref::<String>()
            .is_some_and(|text| text.contains(PAYLOAD))
}

/// Runs code whose queries can be aborted.
///
/// # Errors
/// [`Error::Interrupted`] where one was.
pub(crate) fn abortable<T>(code: impl FnOnce() -> T) -> Result<T> {
    let begin = Instant::now();
    let mut code = Some(code);
    loop {
        let ran = catch_polars_abort(AssertUnwindSafe(|| code.take().map(|code| code())));
        match ran {
            Ok(Some(value)) => return Ok(value),
            // Others have not noticed an earlier interrupt yet.
            Err(_) if code.is_some() && begin.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(None) | Err(_) => return Err(Error::Interrupted),
        }
    }
}
