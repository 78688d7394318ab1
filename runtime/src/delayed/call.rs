//! The operation of a delayed task: a function call.
//!
//! A call stores its literal arguments and the structure of the others. The values of the
//! others are the task's inputs, in the order of the call. If all arguments are values of
//! tasks, there is nothing to store, and the function itself is the operation for all its
//! calls.

use super::argument::{Argument, Collect, TaskKey, Type, TypeMismatch};
use super::function::TaskFunction;
use super::pure;
use super::type_error;
use crate::error::Result;
use crate::graph::{Arguments, Block, Layer, LayerId, Operation, Value};
use smallvec::SmallVec;
use std::fmt::{self, Write};
use std::sync::Arc;

/// The source of an argument.
pub(super) enum CallInput {
    Literal(Value),
    /// The value of a task.
    Task(Arc<Layer>),
    /// The value of the task under a key, of the given type.
    Key(TaskKey, Type),
    /// Several of these, collected into a `Vec`.
    List(Vec<CallInput>, Collect),
}

/// A function with parameters `Args`, a tuple of up to six types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as a delayed function",
    note = "it must take up to six owned arguments (Clone + Send + Sync + 'static), and be Send + Sync + 'static itself"
)]
pub trait Callable<Args>: Send + Sync + 'static {
    /// The type of the function's result.
    type Output;

    /// Calls the function with the values of its arguments.
    ///
    /// # Errors
    /// Returns [`crate::Error::Type`] for a value that does not have its parameter's type.
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
    let value = values
        .next()
        .expect("invariant: one value for each parameter");
    super::take(value, || format!("argument {}", at + 1))
}

/// A call as an operation.
pub(super) enum Called {
    /// A call in which every argument is the value of a task.
    Plain(Arc<TaskFunction>),
    With(Arc<CallOperation>),
}

/// A function, and its arguments that are not inputs.
pub(super) struct CallOperation {
    body: Arc<TaskFunction>,
    slots: SmallVec<[Slot; 2]>,
}

/// An argument of a call without its tasks.
enum Slot {
    Literal(Value),
    Input,
    /// The given number of inputs, collected into a `Vec`.
    Inputs(u32, Collect),
    /// Lists of lists.
    List(Box<[Slot]>, Collect),
}

impl Operation for CallOperation {
    fn name(&self) -> &str {
        self.body.name()
    }

    fn arguments(&self) -> Arguments {
        Arguments::Unique
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let mut inputs = inputs.into_iter();
        let mut values = Vec::with_capacity(self.slots.len());
        for (slot, at) in self.slots.iter().zip(1..) {
            let value = slot.value(&mut inputs).map_err(|mismatch| {
                type_error(
                    format!("item {} of argument {at}", mismatch.item),
                    mismatch.value.summary().to_string(),
                    "the type of the other items",
                )
            })?;
            values.push(value);
        }
        self.body.call(values)
    }

    fn retries(&self) -> u32 {
        self.body.retries
    }
}

impl Slot {
    /// Returns the argument. Its inputs are the next ones of the task.
    fn value(&self, inputs: &mut std::vec::IntoIter<Value>) -> Result<Value, TypeMismatch> {
        let mut next = || inputs.next().expect("invariant: one value for each input");
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Input => Ok(next()),
            Self::Inputs(count, collect) => collect((0..*count).map(|_| next()).collect()),
            Self::List(slots, collect) => {
                let items: Result<Vec<Value>, TypeMismatch> =
                    slots.iter().map(|slot| slot.value(inputs)).collect();
                collect(items?)
            }
        }
    }

    fn inputs(&self) -> usize {
        match self {
            Self::Literal(_) => 0,
            Self::Input => 1,
            Self::Inputs(count, _) => *count as usize,
            Self::List(slots, _) => slots.iter().map(Self::inputs).sum(),
        }
    }
}

impl Called {
    /// Creates a call, and passes the tasks in its arguments to `take`, in order.
    pub(super) fn new(
        body: &Arc<TaskFunction>,
        arguments: &mut [Argument],
        take: &mut dyn FnMut(Taken),
    ) -> Self {
        let slots: SmallVec<[Slot; 2]> = arguments
            .iter_mut()
            .map(|argument| slot(argument.take(), take))
            .collect();
        if slots.iter().all(|slot| matches!(slot, Slot::Input)) {
            return Self::Plain(body.clone());
        }
        let body = body.clone();
        Self::With(Arc::new(CallOperation { body, slots }))
    }

    pub(super) fn operation(&self) -> Arc<dyn Operation> {
        match self {
            Self::Plain(body) => body.clone(),
            Self::With(call) => call.clone(),
        }
    }

    /// Returns the position of an input in the call.
    pub(super) fn place(&self, input: usize) -> ArgumentPath {
        let mut place = ArgumentPath {
            argument: input + 1,
            path: SmallVec::new(),
        };
        let Self::With(call) = self else {
            return place;
        };
        let mut slots = &call.slots[..];
        let mut rest = input;
        place.argument = skip(slots, &mut rest) + 1;
        let mut slot = &slots[place.argument - 1];
        loop {
            match slot {
                Slot::Literal(_) | Slot::Input => return place,
                Slot::Inputs(..) => {
                    place.path.push(rest);
                    return place;
                }
                Slot::List(items, _) => {
                    slots = items;
                    let item = skip(slots, &mut rest);
                    place.path.push(item);
                    slot = &slots[item];
                }
            }
        }
    }
}

/// Returns the slot that contains an input, and reduces `input` to its number within it.
fn skip(slots: &[Slot], input: &mut usize) -> usize {
    for (at, slot) in slots.iter().enumerate() {
        let inputs = slot.inputs();
        if *input < inputs {
            return at;
        }
        *input -= inputs;
    }
    unreachable!("invariant: the call has this input")
}

/// The position of an input in a call: `argument 2`, `[1][0] of argument 2`.
pub(super) struct ArgumentPath {
    argument: usize,
    /// The index in each list, from the outermost one.
    path: SmallVec<[usize; 2]>,
}

impl ArgumentPath {
    /// Formats the position if it is in nested lists: ` at [1][0] of argument 2`.
    pub(super) fn in_lists(&self) -> String {
        match self.path.len() {
            0 | 1 => String::new(),
            _ => format!(" at {self}"),
        }
    }
}

impl fmt::Display for ArgumentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // In a flat list, the key alone is clear enough.
        if self.path.len() > 1 {
            f.write_str(&nested(&self.path))?;
            f.write_str(" of ")?;
        }
        write!(f, "argument {}", self.argument)
    }
}

/// Formats a position in nested lists: `[1][0]`.
pub(super) fn nested(path: &[usize]) -> String {
    path.iter().fold(String::new(), |mut text, at| {
        let _ = write!(text, "[{at}]");
        text
    })
}

/// A task in an argument.
pub(super) enum Taken {
    Task(Arc<Layer>),
    Key(TaskKey, Type),
}

fn slot(argument: CallInput, take: &mut dyn FnMut(Taken)) -> Slot {
    match argument {
        CallInput::Literal(value) => Slot::Literal(value),
        CallInput::Task(layer) => {
            take(Taken::Task(layer));
            Slot::Input
        }
        CallInput::Key(key, output) => {
            take(Taken::Key(key, output));
            Slot::Input
        }
        CallInput::List(items, collect) => {
            let is_flat =
                |item: &CallInput| matches!(item, CallInput::Task(_) | CallInput::Key(..));
            if items.iter().all(is_flat) {
                let count = items.len() as u32;
                for item in items {
                    slot(item, take);
                }
                Slot::Inputs(count, collect)
            } else {
                let items = items.into_iter().map(|item| slot(item, take));
                Slot::List(items.collect(), collect)
            }
        }
    }
}

/// Creates a layer of one call, which depends on the layers in its arguments.
pub(super) fn layer(body: &Arc<TaskFunction>, arguments: &mut [Argument]) -> Arc<Layer> {
    let id = body
        .identity
        .and_then(|function| pure::call(function, arguments))
        .unwrap_or_else(LayerId::unique);
    let mut dependencies: SmallVec<[Arc<Layer>; 2]> = SmallVec::new();
    let called = Called::new(body, arguments, &mut |taken| match taken {
        Taken::Task(layer) => dependencies.push(layer),
        Taken::Key(..) => {
            unreachable!("invariant: keys occur only in custom graphs, which resolve them")
        }
    });
    Layer::single(id, called.operation(), dependencies)
}
