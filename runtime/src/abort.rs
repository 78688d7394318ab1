//! Stops queries of Polars: those of tasks, and those that a cell runs itself.
//!
//! Between the steps of a query Polars checks a flag, and panics if it is set.
//! Only SIGINT sets the flag; there is no other way (`polars_error::abort`). The
//! mechanism works only inside a catching call. A flag that is set stays set
//! until the last catching call has returned, and everything that Polars runs
//! until then is aborted. So a cell catches, and so does a background
//! computation.

use crate::error::{Error, Result};
use polars::error::abort::{catch_polars_abort, register_polars_abort_mechanism};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The payload of Polars' panic.
const PAYLOAD: &str = "__POLARS_ABORT_KEYBOARD_INTERRUPT";

/// How long to wait until other calls have noticed an earlier interrupt.
const PATIENCE: Duration = Duration::from_secs(2);

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Makes SIGINT abort queries instead of ending the process.
///
/// Replaces the panic hook, so call it before setting another one.
pub(crate) fn install() {
    register_polars_abort_mechanism();
    INSTALLED.store(true, Ordering::Release);
}

/// Aborts all running queries.
pub(crate) fn abort() {
    if INSTALLED.load(Ordering::Acquire) {
        // SAFETY: raise has no memory effects; SIGINT has a handler.
        unsafe { libc::raise(libc::SIGINT) };
    }
}

/// Returns whether a panic is Polars' answer to [`abort`].
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
/// [`Error::Interrupted`] if one was aborted.
pub(crate) fn abortable<T>(code: impl FnOnce() -> T) -> Result<T> {
    let begin = Instant::now();
    let mut code = Some(code);
    loop {
        let ran = catch_polars_abort(AssertUnwindSafe(|| code.take().map(|code| code())));
        match ran {
            Ok(Some(value)) => return Ok(value),
            // Other calls have not noticed an earlier interrupt yet.
            Err(_) if code.is_some() && begin.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(None) | Err(_) => return Err(Error::Interrupted),
        }
    }
}
