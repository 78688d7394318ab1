//! Panics: as errors of the task, or of the cell, that they happened in.

use crate::abort;
use crate::error::{Error, Result};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// How many calls below somebody waits to make an error of a panic.
    static CAUGHT: Cell<usize> = const { Cell::new(0) };
    /// This thread's last panic, if nobody has made an error of it yet.
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

struct Panic {
    place: Option<String>,
    message: String,
}

/// What std says right before it ends the process, since nobody can catch these.
const LAST_WORDS: [&str; 2] = [
    "panic in a destructor during cleanup",
    "panic in a function that cannot unwind",
];

/// Keeps panics that will be an error from being printed: they are shown as
/// the error of their cell. A panic in a thread of the user's is printed, and so
/// is one that the user's code catches, when it is known that it did.
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let panic = Panic {
            place: info
                .location()
                .map(|at| format!("{}:{}:{}", at.file(), at.line(), at.column())),
            message: message(info.payload()),
        };
        if LAST_WORDS.contains(&&*panic.message) {
            tell_caught();
            panic.print();
        } else if abort::is_abort(info.payload()) {
            // On threads of Polars' own; it comes back as an interrupt.
        } else if CAUGHT.get() > 0 {
            tell_caught();
            LAST.with_borrow_mut(|last| *last = Some(panic));
        } else {
            panic.print();
        }
    }));
}

/// Prints the last panic that nobody has made an error of: somebody caught it.
pub(crate) fn tell_caught() {
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

/// The place of this thread's last panic, `file:line:column`; it is told then.
pub(crate) fn take_location() -> Option<String> {
    LAST.with_borrow_mut(Option::take)?.place
}

/// Runs code whose panic will be an error.
pub(crate) fn catch_payload<T>(
    code: impl FnOnce() -> T,
) -> std::result::Result<T, Box<dyn Any + Send>> {
    CAUGHT.set(CAUGHT.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(code));
    CAUGHT.set(CAUGHT.get() - 1);
    result
}

/// Runs code: a panic in it is an error.
///
/// # Errors
/// What the code panicked with.
pub(crate) fn catch<T>(code: impl FnOnce() -> T) -> Result<T> {
    catch_payload(code).map_err(error_of)
}

/// The error that a panic stands for: itself, where an [`Error`] was raised.
fn error_of(payload: Box<dyn Any + Send>) -> Error {
    match error_and_place(payload) {
        (Error::Panic { message, .. }, location) => Error::Panic { message, location },
        (error, _) => error,
    }
}

/// As [`error_of`], and the place of the panic, `file:line:column`; it is told then.
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

/// A panic's message.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned())
}
