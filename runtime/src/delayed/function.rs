//! Delayed functions.

use super::Delayed;
use super::argument::{Argument, IntoArgument, IntoArguments};
use super::call::{self, Callable};
use super::pure::Code;
use crate::error::{Error, Result};
use crate::graph::{Arguments, Block, LayerId, Operation, Value};
use std::any::Any;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

/// A function whose calls are tasks. `Args` is the tuple of its parameters, `R` the type of
/// its result.
pub struct Function<Args, R> {
    body: Arc<TaskFunction>,
    signature: PhantomData<fn(Args) -> R>,
}

/// Turns a function into one whose calls are tasks: `call` immediately returns a
/// [`Delayed`] value.
///
/// The function has up to six owned parameters. Their arguments are values, delayed values,
/// or lists of delayed values. The last function that uses an argument receives it by move,
/// the others receive clones.
///
/// ```
/// use swath::prelude::*;
///
/// let double = delayed(|x: f64| 2.0 * x);
/// let sum = delayed(|a: f64, b: f64| a + b);
/// let total = sum.call(double.call(1.0), double.call(2.0));
/// assert_eq!(total.compute()?, 6.0);
/// # Ok::<(), swath::Error>(())
/// ```
pub fn delayed<F, Args, R>(function: F) -> Function<Args, R>
where
    F: Callable<Args, Output = R>,
    R: Send + Sync + 'static,
{
    Function::of(TaskFunction::of(function))
}

/// Like [`delayed()`], for functions that return a `Result`. The delayed value is that of
/// `Ok`. An `Err` fails the task with [`Error::Task`], which contains the task's key and the
/// error's type.
pub fn try_delayed<F, Args, T, E>(function: F) -> Function<Args, T>
where
    F: Callable<Args, Output = Result<T, E>>,
    T: Send + Sync + 'static,
    E: Display + 'static,
{
    Function::of(TaskFunction::fallible(function))
}

impl<Args, R> Function<Args, R> {
    fn of(body: Arc<TaskFunction>) -> Self {
        Self {
            body,
            signature: PhantomData,
        }
    }

    /// Returns the name that views and keys show.
    pub fn name(&self) -> &str {
        self.body.name()
    }

    /// Returns the function with another name in views and keys. The default name of a closure
    /// is `closure`.
    #[doc(alias = "dask_key_name")]
    #[must_use]
    pub fn named(&self, name: impl AsRef<str>) -> Self {
        Self::of(self.body.named(name.as_ref()))
    }

    /// Marks the function as pure: its result depends only on its arguments.
    ///
    /// Two calls with the same arguments are one task under one key. A call uses the values
    /// that an equal call has persisted or left in the cache.
    ///
    /// Arguments are the same if they are values with the same encoding, or calls of the same
    /// pure functions with the same arguments. A value whose type has no encoding
    /// ([`encodable`](crate::graph::encodable)) is different from every other. A function that
    /// is defined again, or in another cell, is a different function.
    ///
    /// # Errors
    /// Returns [`Error::Argument`] for a function that contains data, which cannot be compared:
    /// a closure that captures a variable, or a function pointer.
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// fn load(name: String) -> usize {
    ///     name.len()
    /// }
    /// let load = delayed(load).pure()?;
    /// assert_eq!(load.call("a.csv").key(), load.call("a.csv").key());
    /// assert_ne!(load.call("a.csv").key(), load.call("b.csv").key());
    ///
    /// let least = 3;
    /// let long = delayed(move |name: String| name.len() > least);
    /// assert!(long.pure().is_err(), "`least` has to be an argument");
    /// # Ok::<(), swath::Error>(())
    /// ```
    pub fn pure(&self) -> Result<Self> {
        Ok(Self::of(self.body.pure()?))
    }

    /// Returns the function with retries: a call that fails or panics is run again up to `times`
    /// times before the failure counts. Each time it receives the original arguments. An
    /// interrupt is not retried.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use swath::prelude::*;
    ///
    /// static TRIES: AtomicUsize = AtomicUsize::new(0);
    /// let flaky = try_delayed(|| match TRIES.fetch_add(1, Ordering::Relaxed) {
    ///     0 | 1 => Err("no connection"),
    ///     tries => Ok(tries),
    /// });
    /// assert_eq!(flaky.retries(2).call().compute()?, 2);
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    pub fn retries(&self, times: u32) -> Self {
        Self::of(self.body.retried(times))
    }

    /// Calls the function with a tuple of arguments.
    pub fn apply(&self, arguments: impl IntoArguments<Args>) -> Delayed<R> {
        self.call_with(arguments.into_arguments().as_mut())
    }

    fn call_with(&self, arguments: &mut [Argument]) -> Delayed<R> {
        Delayed::of(call::layer(&self.body, arguments))
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
            /// Creates a delayed call of the function. Each argument is a value, a delayed
            /// value, or several delayed values for a `Vec`.
            #[allow(clippy::too_many_arguments, reason = "as many as the function has")]
            pub fn call(&self, $($argument: impl IntoArgument<$parameter>),*) -> Delayed<R> {
                self.call_with(&mut [$($argument.into_argument()),*])
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

/// A function with its types erased. As an operation it has one input for each
/// parameter.
pub(super) struct TaskFunction {
    type_name: &'static str,
    /// Computed on demand, unless it was given.
    name: OnceLock<Box<str>>,
    run: Arc<Run>,
    code: Code,
    pub(super) retries: u32,
    /// The function's identity, if it is pure.
    pub(super) identity: Option<LayerId>,
}

type Run = dyn Fn(Vec<Value>) -> Result<Value> + Send + Sync;

impl TaskFunction {
    pub(super) fn of<F: Callable<Args>, Args>(function: F) -> Arc<Self>
    where
        F::Output: Send + Sync + 'static,
    {
        Self::new(
            std::any::type_name::<F>(),
            Code::of::<F, Args>(false),
            Arc::new(move |values| function.invoke(values).map(Value::opaque)),
        )
    }

    /// Wraps a function that can fail.
    pub(super) fn fallible<F, Args, T, E>(function: F) -> Arc<Self>
    where
        F: Callable<Args, Output = Result<T, E>>,
        T: Send + Sync + 'static,
        E: Display + 'static,
    {
        Self::new(
            std::any::type_name::<F>(),
            Code::of::<F, Args>(true),
            Arc::new(move |values| match function.invoke(values)? {
                Ok(value) => Ok(Value::opaque(value)),
                Err(cause) => Err(failure(cause)),
            }),
        )
    }

    fn new(type_name: &'static str, code: Code, run: Arc<Run>) -> Arc<Self> {
        Arc::new(Self {
            type_name,
            name: OnceLock::new(),
            run,
            code,
            retries: 0,
            identity: None,
        })
    }

    fn copy(&self) -> Self {
        Self {
            type_name: self.type_name,
            name: self.name.clone(),
            run: self.run.clone(),
            code: self.code,
            retries: self.retries,
            identity: self.identity,
        }
    }

    fn named(&self, name: &str) -> Arc<Self> {
        let is_pure = self.identity.is_some();
        Arc::new(Self {
            name: OnceLock::from(Box::from(name)),
            identity: is_pure.then(|| self.code.identity(name)).flatten(),
            ..self.copy()
        })
    }

    fn retried(&self, retries: u32) -> Arc<Self> {
        Arc::new(Self {
            retries,
            ..self.copy()
        })
    }

    fn pure(&self) -> Result<Arc<Self>> {
        let identity = self.code.identity(self.name()).ok_or_else(|| {
            Error::Argument(format!(
                "the function {} contains {} bytes of data, which cannot be compared: a pure function must receive everything that it uses as an argument",
                self.name(),
                self.code.nbytes
            ))
        })?;
        Ok(Arc::new(Self {
            identity: Some(identity),
            ..self.copy()
        }))
    }

    pub(super) fn code(&self) -> &Code {
        &self.code
    }

    /// Calls the function with one value for each parameter.
    pub(super) fn call(&self, values: Vec<Value>) -> Result<Value> {
        (self.run)(values)
    }
}

impl Operation for TaskFunction {
    fn name(&self) -> &str {
        self.name
            .get_or_init(|| function_name(self.type_name).into())
    }

    fn arguments(&self) -> Arguments {
        Arguments::Unique
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        self.call(inputs)
    }

    fn retries(&self) -> u32 {
        self.retries
    }
}

/// Converts the error of a function. An error of our own type stays as it is.
fn failure<E: Display + 'static>(cause: E) -> Error {
    match (&cause as &dyn Any).downcast_ref::<Error>() {
        Some(error) => error.clone(),
        None => Error::Function {
            type_name: crate::graph::short_type_name(std::any::type_name::<E>()),
            message: cause.to_string(),
        },
    }
}

/// Returns a function's own name: `cell::load` → `load`, `main::{{closure}}` → `closure`.
pub(super) fn function_name(path: &str) -> String {
    if path.starts_with("fn(") {
        return "function".to_owned();
    }
    // The last segment outside of brackets, without brackets and their contents.
    let mut depth = 0usize;
    let mut name = String::new();
    let mut before = ' ';
    for c in path.chars() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            ':' if before == ':' => name.clear(),
            ':' => {}
            _ => name.push(c),
        }
        before = c;
    }
    match name.trim() {
        "{{closure}}" => "closure".to_owned(),
        "" => "function".to_owned(),
        name => name.to_owned(),
    }
}
