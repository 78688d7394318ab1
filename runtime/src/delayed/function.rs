//! Delayed functions.

use super::Delayed;
use super::argument::{Argument, IntoArgument, IntoArguments};
use super::call::{Body, Call, Callable};
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::sync::Arc;

/// A function whose calls are tasks. `Args` is the tuple of its parameters, `R`
/// what it returns.
pub struct Function<Args, R> {
    body: Arc<Body>,
    signature: PhantomData<fn(Args) -> R>,
}

/// Makes a function's calls tasks: `call` returns a [`Delayed`] value at once.
///
/// The function takes up to six arguments that it owns. An argument is moved
/// to the function that takes it last, and cloned for the others.
pub fn delayed<F, Args, R>(function: F) -> Function<Args, R>
where
    F: Callable<Args, Output = R>,
    R: Send + Sync + 'static,
{
    Function::of(Body::of(function))
}

/// As [`delayed()`], for functions that return a `Result`: the value is that of
/// `Ok`, and an `Err` fails the task with [`crate::Error::Task`], which names
/// the task's key and the error's type.
pub fn try_delayed<F, Args, T, E>(function: F) -> Function<Args, T>
where
    F: Callable<Args, Output = Result<T, E>>,
    T: Send + Sync + 'static,
    E: Display + 'static,
{
    Function::of(Body::fallible(function))
}

impl<Args, R> Function<Args, R> {
    fn of(body: Arc<Body>) -> Self {
        Self {
            body,
            signature: PhantomData,
        }
    }

    /// The name that views and keys show.
    pub fn name(&self) -> &str {
        &self.body.name
    }

    /// The function under another name in views and keys; a closure's own is
    /// `closure`.
    #[must_use]
    pub fn named(&self, name: impl AsRef<str>) -> Self {
        Self::of(Arc::new(Body {
            name: name.as_ref().into(),
            run: self.body.run.clone(),
        }))
    }

    /// Calls the function with a tuple of arguments.
    pub fn apply(&self, arguments: impl IntoArguments<Args>) -> Delayed<R> {
        self.call_with(arguments.into_arguments())
    }

    fn call_with(&self, arguments: Vec<Argument>) -> Delayed<R> {
        let arguments = arguments.into_iter().map(|argument| argument.0).collect();
        Delayed::of(Call::layer(&self.body, arguments))
    }
}

impl<Args, R> Clone for Function<Args, R> {
    fn clone(&self) -> Self {
        Self::of(self.body.clone())
    }
}

impl<Args, R> fmt::Debug for Function<Args, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function(\"{}\")", self.name())
    }
}

macro_rules! calls {
    ($($argument:ident $parameter:ident),*) => {
        impl<R, $($parameter),*> Function<($($parameter,)*), R> {
            /// Calls the function later: each argument is a value, a delayed
            /// value, or several delayed values for a `Vec`.
            #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
            pub fn call(&self, $($argument: impl IntoArgument<$parameter>),*) -> Delayed<R> {
                self.call_with(vec![$($argument.into_argument()),*])
            }
        }
    };
}
calls!();
calls!(a A);
calls!(a A, b B);
calls!(a A, b B, c C);
calls!(a A, b B, c C, d D);
calls!(a A, b B, c C, d D, e E);
calls!(a A, b B, c C, d D, e E, f F);
