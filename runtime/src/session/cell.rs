//! The functions that a cell's generated code calls.
//!
//! A cell looks like this (the user's text in the middle):
//!
//! ```ignore
//! swath::session::cell::run(&mut || {
//!     swath::session::cell::check(&[("x", std::any::TypeId::of::<f64>())])?;
//!     let mut x = swath::session::cell::take::<f64>("x");
//!     let outcome = swath::session::cell::guard(|| {
//!         let y = x + 1.0;
//!         swath::session::cell::put("y", y);
//!         Ok(())
//!     });
//!     swath::session::cell::put("x", x);
//!     outcome
//! });
//! ```
//!
//! Each generic function here is a few lines over one that is already compiled,
//! because each cell pays for the code it instantiates.

use super::{channel, origin, recovery, variables};
pub use crate::cancel::interruptible;
use crate::display::probe::CellFailure;
use crate::error::Error;
use crate::graph::short_type_name;
use crate::shown::Bundle;
use crate::{abort, panics, schedule};
use std::any::{Any, TypeId};
use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;
use swath_channel::{FromRuntime, Variable};

/// The reason why a cell failed. `?` converts any error into it.
///
/// It deliberately does not implement `Display`: otherwise `?` could not accept
/// every type that does.
pub struct Failure {
    kind: String,
    message: String,
    location: Option<String>,
    /// The variable that does not exist or has another type.
    variable: Option<String>,
    /// The key of the task that failed.
    task: Option<String>,
}

/// The kind of a failure that is a panic in the cell.
const PANIC: &str = "Panic";

impl<E: Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(&error, as_ours(&error), std::any::type_name::<E>())
    }
}

/// The failure of an error that has no text but its `Debug`.
pub fn of_debug<E: std::fmt::Debug>(error: E) -> Failure {
    let text = format!("{error:?}");
    Failure::new(&text, None, std::any::type_name::<E>())
}

impl From<CellFailure> for Failure {
    fn from(failure: CellFailure) -> Self {
        Self::of(failure.kind, failure.message).with_task(failure.task)
    }
}

/// Returns the error as one of Swath's own, if it is one.
fn as_ours<E>(error: &E) -> Option<&Error> {
    // `Any` would do, except for errors that borrow
    // (`PoisonError<MutexGuard<'_>>`).
    if typeid::of::<E>() != TypeId::of::<Error>() {
        return None;
    }
    // SAFETY: E is Error: the ids are equal, and Error has no lifetime in which
    // two types of one id could differ.
    Some(unsafe { &*std::ptr::from_ref(error).cast::<Error>() })
}

impl Failure {
    /// Creates a failure of a custom kind.
    pub fn of(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            message: message.into(),
            location: None,
            variable: None,
            task: None,
        }
    }

    fn new(error: &dyn Display, ours: Option<&Error>, type_name: &str) -> Self {
        // The type of a text or a boxed error says nothing.
        let untold =
            type_name.contains("dyn ") || ["alloc::string::String", "&str"].contains(&type_name);
        let kind = match ours {
            Some(error) => error.kind().to_owned(),
            None if untold => "Error".to_owned(),
            None => short_type_name(type_name),
        };
        Self {
            kind,
            // anyhow and eyre include the causes only in the alternate form.
            message: format!("{error:#}"),
            location: None,
            variable: None,
            task: ours.and_then(Error::task_key).map(str::to_owned),
        }
    }

    fn of_variable(name: &str, message: String) -> Self {
        Self {
            variable: Some(name.to_owned()),
            ..Self::of("VariableError", message)
        }
    }

    fn of_panic(payload: Box<dyn Any + Send>) -> Self {
        let (error, location) = panics::error_and_place(payload);
        let task = error.task_key().map(str::to_owned);
        let (kind, message) = match error {
            Error::Panic { message, .. } => (PANIC, message),
            error => (error.kind(), error.to_string()),
        };
        Self {
            location,
            task,
            ..Self::of(kind, message)
        }
    }

    /// Sets the key of the failed task.
    pub(crate) fn with_task(self, task: Option<String>) -> Self {
        Self { task, ..self }
    }

    /// Returns the message, with the variable for which the failed task was
    /// computed.
    fn full_message(&self) -> String {
        let variable = self.task.as_deref().and_then(origin::variable_of);
        match variable {
            Some(name) => format!("in `{name}`: {}", self.message),
            None => self.message.clone(),
        }
    }
}

/// Runs a cell and reports its end to the kernel.
pub fn run(body: &mut dyn FnMut() -> Result<(), Failure>) {
    // An interrupt may have come while the cell was compiled.
    let outcome = schedule::checkpoint()
        .and_then(|()| abort::abortable(|| guard(body)))
        .unwrap_or_else(|interrupted| Err(Failure::from(interrupted)));
    end(outcome.err());
}

/// Reports to the kernel that the cell has ended.
pub(super) fn end(failure: Option<Failure>) {
    panics::print_caught();
    recovery::note_variables();
    flush();
    channel::send(&FromRuntime::Ended {
        failure: failure.map(|failure| swath_channel::Failure {
            // Only now, because the variables that the cell took are back in the
            // store.
            message: failure.full_message(),
            kind: failure.kind,
            location: failure.location,
            variable: failure.variable,
        }),
        variables: variables::list(),
    });
}

/// Runs the user's statements. A panic in them becomes their failure, so that the
/// surrounding variables survive it. Returns what the statements bind.
///
/// # Errors
/// The failure of the statements.
pub fn guard<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let (mut body, mut result) = (Some(body), None);
    caught(&mut || {
        if let Some(body) = body.take() {
            result = Some(body());
        }
    })?;
    match result {
        Some(result) => result,
        None => unreachable!("invariant: code that does not panic has a result"),
    }
}

/// Drops a value that the cell does not keep. If the cell ended with a panic,
/// drops it as a panic would: a lock that is held is then poisoned.
pub fn end_with<T>(failure: &Failure, value: T) {
    if failure.kind != PANIC {
        return;
    }
    let ends = AssertUnwindSafe(move || {
        let _held = value;
        std::panic::resume_unwind(Box::new(()));
    });
    // The closure always panics.
    let _: Result<(), _> = std::panic::catch_unwind(ends);
}

fn caught(body: &mut dyn FnMut()) -> Result<(), Failure> {
    panics::catch_payload(body).map_err(Failure::of_panic)
}

/// Checks that the variables a cell is about to take have the types it was
/// compiled for, before the first one is taken.
///
/// # Errors
/// A failure that names the variable and both types.
pub fn check(expected: &[(&str, TypeId)]) -> Result<(), Failure> {
    for (name, of_type) in expected {
        match variables::has(name, *of_type) {
            Ok(()) => {}
            Err(Some(type_name)) => {
                let found = short_type_name(type_name);
                let message = format!(
                    "the variable `{name}` has a type {found} that has been redefined since: set the variable again"
                );
                return Err(Failure::of_variable(name, message));
            }
            Err(None) => {
                let message = format!("the variable `{name}` was lost: set it again");
                return Err(Failure::of_variable(name, message));
            }
        }
    }
    Ok(())
}

/// Takes a variable out of the store.
///
/// # Panics
/// If [`check`] was not called before.
pub fn take<T: 'static>(name: &str) -> T {
    if let Some(value) = variables::take(name)
        && let Ok(value) = value.downcast::<T>()
    {
        return *value;
    }
    missing(name)
}

/// Returns a copy of a variable whose copies are cheap; the store keeps the
/// variable.
///
/// # Panics
/// If [`check`] was not called before.
pub fn handle<T: Clone + 'static>(name: &str) -> T {
    let mut copy = None;
    variables::look_at(name, &mut |value| {
        if let Some(value) = value.downcast_ref::<T>() {
            copy = Some(value.clone());
        }
    });
    match copy {
        Some(copy) => copy,
        None => missing(name),
    }
}

#[cold]
fn missing(name: &str) -> ! {
    Error::Argument(format!("the variable `{name}` was lost: set it again")).raise()
}

/// Puts a variable into the store.
pub fn put<T: 'static>(name: &str, value: T) {
    variables::put(name, std::any::type_name::<T>(), Box::new(value));
}

/// Drops variables.
pub fn forget(names: &[&str]) {
    for name in names {
        drop(variables::take(name));
    }
}

/// Returns the existing variables.
pub fn list() -> Vec<Variable> {
    variables::list()
}

/// Shows the value of the last expression.
pub fn result(bundle: Bundle) {
    flush();
    channel::send(&FromRuntime::Result { data: bundle.data });
}

/// Shows the outcome of the last expression.
///
/// # Errors
/// The failure of an expression that is an `Err`.
pub fn show(shown: Result<Option<Bundle>, CellFailure>) -> Result<(), Failure> {
    match shown {
        Ok(Some(bundle)) => result(bundle),
        Ok(None) => {}
        Err(failure) => return Err(failure.into()),
    }
    Ok(())
}

/// Returns the executor of the session's futures.
fn executor() -> &'static tokio::runtime::Runtime {
    static EXECUTOR: LazyLock<Option<tokio::runtime::Runtime>> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .ok()
    });
    match &*EXECUTOR {
        Some(executor) => executor,
        None => Error::Argument("cannot start the threads that run futures".to_owned()).raise(),
    }
}

/// Runs a future to its end on the session's own executor.
pub fn block_on<F: Future>(future: F) -> F::Output {
    executor().block_on(interruptible(future))
}

/// Runs code in which `tokio::spawn` and similar functions find the session's
/// executor.
pub fn entered<T>(body: impl FnOnce() -> T) -> T {
    let _entered = executor().enter();
    body()
}

/// Runs code with a value that is created once per session: the executor of a
/// separate tokio that a cell has loaded.
///
/// # Errors
/// The error of creating the value.
pub fn with_kept<T: 'static, E, R>(
    name: &str,
    make: impl FnOnce() -> Result<T, E>,
    body: impl FnOnce(&mut T) -> R,
) -> Result<R, E> {
    let kept = variables::take_kept(name).and_then(|value| value.downcast::<T>().ok());
    // Not dropped on a panic, so that what runs in an executor continues.
    let mut value = std::mem::ManuallyDrop::new(match kept {
        Some(value) => value,
        None => Box::new(make()?),
    });
    let result = panics::catch_payload(|| body(&mut value));
    let value: Box<T> = std::mem::ManuallyDrop::into_inner(value);
    variables::keep(name, value);
    Ok(result.unwrap_or_else(|payload| std::panic::resume_unwind(payload)))
}

/// Asks the user for a line of text.
///
/// # Errors
/// [`Error::Argument`] if no user can be asked; [`Error::Interrupted`].
pub fn input(prompt: &str) -> crate::Result<String> {
    channel::input(prompt, false)
}

/// Asks the user for a line of text that is not shown while it is typed.
///
/// # Errors
/// Those of [`input`].
#[doc(alias = "getpass")]
pub fn password(prompt: &str) -> crate::Result<String> {
    channel::input(prompt, true)
}

/// Flushes everything that was written so far, so that it precedes what follows.
fn flush() {
    let _ = std::io::Write::flush(&mut std::io::stdout());
    // SAFETY: a null pointer means all of C's output streams; libraries
    // written in C may have text there.
    unsafe { libc::fflush(std::ptr::null_mut()) };
}
