//! Panics: as errors of the task, or of the cell, that they happened in.

use crate::error::Error;
use std::any::Any;
use std::cell::RefCell;

thread_local! {
    /// Where this thread's last panic came from.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps panics from being printed: they are shown as the error of their cell.
/// The place of each is remembered for `error_of`.
pub fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map(|at| format!("{}:{}:{}", at.file(), at.line(), at.column()));
        LAST.with_borrow_mut(|last| *last = place);
    }));
}

/// The place of this thread's last panic, `file:line:column`.
pub fn take_location() -> Option<String> {
    LAST.with_borrow_mut(Option::take)
}

/// The error that a panic stands for: itself, where an [`Error`] was raised.
pub(crate) fn error_of(payload: Box<dyn Any + Send>) -> Error {
    let location = take_location();
    match payload.downcast::<Error>() {
        Ok(error) => *error,
        Err(payload) => Error::Panic {
            message: message(&*payload),
            location,
        },
    }
}

/// A panic's message.
pub fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned())
}
