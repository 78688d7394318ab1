//! Turns panics into errors of the task, or of the cell, in which they happened.

use crate::abort;
use crate::error::{Error, Result};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// The number of enclosing calls that will turn a panic into an error.
    static CAUGHT: Cell<usize> = const { Cell::new(0) };
    /// This thread's last panic, if it has not been turned into an error yet.
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

struct Panic {
    place: Option<String>,
    message: String,
}

/// The messages of panics after which std ends the process, because they cannot be
/// caught.
const LAST_WORDS: [&str; 2] = [
    "panic in a destructor during cleanup",
    "panic in a function that cannot unwind",
];

/// Installs a panic hook that does not print panics that will become errors: they
/// are shown as the error of their cell.
///
/// A panic in one of the user's threads is printed. So is one that the user's code
/// catches, as soon as it is known that it did.
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let panic = Panic {
            place: info
                .location()
                .map(|at| format!("{}:{}:{}", at.file(), at.line(), at.column())),
            message: message(info.payload()),
        };
        if LAST_WORDS.contains(&&*panic.message) {
            print_caught();
            panic.print();
        } else if abort::is_abort(info.payload()) {
            // On a thread of Polars; the caller gets it as an interrupt.
        } else if CAUGHT.get() > 0 {
            print_caught();
            LAST.with_borrow_mut(|last| *last = Some(panic));
        } else {
            panic.print();
        }
    }));
}

/// Prints the last panic that was not turned into an error: user code caught it.
pub(crate) fn print_caught() {
    if let Some(panic) = LAST.with_borrow_mut(Option::take) {
        panic.print();
    }
}

impl Panic {
    fn print(&self) {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        eprintln!("thread '{name}' panicked: {}", self.message);
    }
}

/// Takes the location of this thread's last panic, `file:line:column`. The panic
/// then counts as handled.
pub(crate) fn take_location() -> Option<String> {
    LAST.with_borrow_mut(Option::take)?.place
}

/// Runs code and catches its panic, which the caller turns into an error.
pub(crate) fn catch_payload<T>(
    code: impl FnOnce() -> T,
) -> std::result::Result<T, Box<dyn Any + Send>> {
    CAUGHT.set(CAUGHT.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(code));
    CAUGHT.set(CAUGHT.get() - 1);
    result
}

/// Runs code and turns a panic in it into an error.
///
/// # Errors
/// The panic as an error.
pub(crate) fn catch<T>(code: impl FnOnce() -> T) -> Result<T> {
    catch_payload(code).map_err(error_of)
}

/// Converts a panic into an error: the [`Error`] itself if one was raised.
fn error_of(payload: Box<dyn Any + Send>) -> Error {
    match error_and_place(payload) {
        (Error::Panic { message, .. }, location) => Error::Panic { message, location },
        (error, _) => error,
    }
}

/// Converts a panic like [`error_of`], and returns its location,
/// `file:line:column`. The panic then counts as handled.
pub(crate) fn error_and_place(payload: Box<dyn Any + Send>) -> (Error, Option<String>) {
    let place = take_location();
    let error = match payload.downcast::<Error>() {
        Ok(error) => *error,
        Err(payload) if abort::is_abort(&*payload) => Error::Interrupted,
        Err(payload) => Error::Panic {
            message: message(&*payload),
            location: None,
        },
    };
    (error, place)
}

/// Returns a panic's message.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is not text".to_owned())
}
