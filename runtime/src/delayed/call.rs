//! The operation of a delayed task: a call of a function.
//!
//! A call keeps its literal arguments and the structure of the others; the
//! values of the others are the task's inputs, in the order in which they
//! stand in the call.

use super::argument::{Collect, Type};
use super::type_error;
use crate::error::{Error, Result};
use crate::graph::{Arguments, Block, Layer, Operation, TaskRef, Value};
use std::any::Any;
use std::fmt::Display;
use std::sync::Arc;

/// Where an argument comes from.
#[derive(Clone)]
pub(super) enum Source {
    Literal(Value),
    /// The value of a task.
    Task(Arc<Layer>),
    /// The values of several tasks, as a `Vec`.
    Tasks(Vec<Arc<Layer>>, Collect),
    /// The value of the task under a key, of this type.
    Key(Arc<str>, Type),
    /// The values of the tasks under several keys, each of this type, as a `Vec`.
    Keys(Vec<Arc<str>>, Type, Collect),
}

/// A function with parameters `Args`, a tuple of up to six types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no function that can be delayed",
    note = "it has to take up to six owned arguments (Clone + Send + Sync + 'static), and be Send + Sync + 'static itself"
)]
pub trait Callable<Args>: Send + Sync + 'static {
    /// What the function returns.
    type Output;

    /// Calls it with the values of its arguments.
    ///
    /// # Errors
    /// [`Error::Type`] for a value that is not of its parameter's type.
    fn invoke(&self, values: Vec<Value>) -> Result<Self::Output>;
}

macro_rules! callables {
    ($($parameter:ident $at:tt),*) => {
        impl<Function, Output, $($parameter),*> Callable<($($parameter,)*)> for Function
        where
            Function: Fn($($parameter),*) -> Output + Send + Sync + 'static,
            $($parameter: Clone + Send + Sync + 'static),*
        {
            type Output = Output;

            #[allow(unused_mut, unused_variables, reason = "a function without parameters")]
            fn invoke(&self, values: Vec<Value>) -> Result<Output> {
                let mut values = values.into_iter();
                Ok(self($(parameter::<$parameter>(&mut values, $at)?),*))
            }
        }
    };
}
callables!();
callables!(A 0);
callables!(A 0, B 1);
callables!(A 0, B 1, C 2);
callables!(A 0, B 1, C 2, D 3);
callables!(A 0, B 1, C 2, D 3, E 4);
callables!(A 0, B 1, C 2, D 3, E 4, F 5);

fn parameter<A: Clone + Send + Sync + 'static>(
    values: &mut std::vec::IntoIter<Value>,
    at: usize,
) -> Result<A> {
    let value = values.next().expect("invariant: one value a parameter");
    super::take(value, || format!("argument {}", at + 1))
}

/// A function of any type, behind values.
pub(super) struct Body {
    pub(super) name: Arc<str>,
    pub(super) run: Arc<dyn Fn(Vec<Value>) -> Result<Value> + Send + Sync>,
}

impl Body {
    pub(super) fn of<F: Callable<Args>, Args>(function: F) -> Arc<Self>
    where
        F::Output: Send + Sync + 'static,
    {
        Self::new::<F>(Arc::new(move |values| {
            function.invoke(values).map(Value::opaque)
        }))
    }

    /// Of a function that can fail.
    pub(super) fn fallible<F, Args, T, E>(function: F) -> Arc<Self>
    where
        F: Callable<Args, Output = Result<T, E>>,
        T: Send + Sync + 'static,
        E: Display + 'static,
    {
        Self::new::<F>(Arc::new(move |values| match function.invoke(values)? {
            Ok(value) => Ok(Value::opaque(value)),
            Err(cause) => Err(failure(cause)),
        }))
    }

    fn new<F>(run: Arc<dyn Fn(Vec<Value>) -> Result<Value> + Send + Sync>) -> Arc<Self> {
        Arc::new(Self {
            name: function_name(std::any::type_name::<F>()).into(),
            run,
        })
    }
}

/// The error that a function returned: one of our own as it is.
fn failure<E: Display + 'static>(cause: E) -> Error {
    match (&cause as &dyn Any).downcast_ref::<Error>() {
        Some(error) => error.clone(),
        None => Error::Function {
            type_name: crate::graph::short_type_name(std::any::type_name::<E>()),
            message: cause.to_string(),
        },
    }
}

/// A function's own name: `cell::load` → `load`, `main::{{closure}}` → `closure`.
pub(super) fn function_name(path: &str) -> String {
    if path.starts_with("fn(") {
        return "function".to_owned();
    }
    // The last segment outside of brackets, without what is in brackets.
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

/// One call.
pub(super) struct Call {
    body: Arc<Body>,
    slots: Box<[Slot]>,
}

/// An argument of a call, its tasks taken out of it.
enum Slot {
    Literal(Value),
    Input,
    /// So many inputs, as a `Vec`.
    Inputs(usize, Collect),
}

impl Operation for Call {
    fn name(&self) -> &str {
        &self.body.name
    }

    fn arguments(&self) -> Arguments {
        Arguments::Unique
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        // The usual call takes what tasks computed, and nothing else.
        if self.slots.iter().all(|slot| matches!(slot, Slot::Input)) {
            return (self.body.run)(inputs);
        }
        let mut inputs = inputs.into_iter();
        let mut next = || inputs.next().expect("invariant: one value an input");
        let mut values = Vec::with_capacity(self.slots.len());
        for (slot, at) in self.slots.iter().zip(1..) {
            values.push(match slot {
                Slot::Literal(value) => value.clone(),
                Slot::Input => next(),
                Slot::Inputs(count, collect) => {
                    let items = (0..*count).map(|_| next()).collect();
                    collect(items).map_err(|(item, value)| {
                        type_error(
                            format!("item {item} of argument {at}"),
                            value.summary().to_string(),
                            "the type of the others",
                        )
                    })?
                }
            });
        }
        (self.body.run)(values)
    }
}

impl Call {
    /// A layer of one call, which `layer` makes of operation, inputs and
    /// dependencies.
    pub(super) fn layer(
        body: &Arc<Body>,
        arguments: Vec<Source>,
        layer: impl FnOnce(Arc<dyn Operation>, Vec<TaskRef>, Vec<Arc<Layer>>) -> Arc<Layer>,
    ) -> Arc<Layer> {
        let mut dependencies = Vec::new();
        let slots = arguments
            .into_iter()
            .map(|argument| match argument {
                Source::Literal(value) => Slot::Literal(value),
                Source::Task(layer) => {
                    dependencies.push(layer);
                    Slot::Input
                }
                Source::Tasks(mut layers, collect) => {
                    let count = layers.len();
                    dependencies.append(&mut layers);
                    Slot::Inputs(count, collect)
                }
                Source::Key(..) | Source::Keys(..) => {
                    unreachable!("invariant: keys stand in custom graphs, which find their tasks")
                }
            })
            .collect();
        let inputs = (0..dependencies.len() as u32)
            .map(|dependency| TaskRef {
                dependency,
                linear: 0,
            })
            .collect();
        let body = body.clone();
        layer(Arc::new(Self { body, slots }), inputs, dependencies)
    }
}
