//! Arguments of delayed functions and of tasks in custom graphs.

use super::Delayed;
use super::call::CallInput;
use super::keys::{Key, Keys};
use crate::graph::{Layer, Opaque, Value};
use std::any::TypeId;
use std::sync::Arc;

/// An argument for a parameter of type `A` of a delayed function: an `A`, a
/// [`Delayed<A>`](Delayed), or several `Delayed<T>` if `A` is `Vec<T>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed for a parameter of type `{A}`",
    label = "expected `{A}`, `Delayed<{A}>`, or a `Vec` of delayed values for a `Vec`"
)]
pub trait IntoArgument<A> {
    /// Converts into an argument.
    fn into_argument(self) -> Argument;
}

/// An argument for a parameter of type `A` of a task in a custom graph: an `A`, the
/// [`key`](super::key) of the task that computes it, or [`keys`](super::keys()) if `A` is
/// a `Vec`, nested like `A`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed for a parameter of type `{A}`",
    label = "expected `{A}`, `key(\"…\")`, or `keys([…])` for a `Vec`, nested in the same way"
)]
pub trait IntoGraphArgument<A> {
    /// Converts into an argument.
    fn into_graph_argument(self) -> Argument;
}

/// An argument of any type.
pub struct Argument(Option<CallInput>);

impl Argument {
    fn of(source: CallInput) -> Self {
        Self(Some(source))
    }

    pub(super) fn source(&self) -> &CallInput {
        self.0
            .as_ref()
            .expect("invariant: it is moved out at the end")
    }

    /// Moves the argument out of a list of arguments.
    pub(super) fn take(&mut self) -> CallInput {
        self.0.take().expect("invariant: it is moved out only once")
    }
}

/// Collects values of type `T` into a `Vec<T>`.
pub(super) type Collect = fn(Vec<Value>) -> Result<Value, TypeMismatch>;

/// A value in a list whose type differs from that of the other items.
pub(super) struct TypeMismatch {
    pub(super) item: usize,
    pub(super) value: Value,
}

/// A reference to a task of a custom graph.
pub(super) enum TaskKey {
    /// By its key, for a task that may not exist yet.
    Named(Arc<str>),
    /// By its position in the graph.
    At(u32),
}

/// A type. It stores a function instead of the type's identity and name, because each
/// task of a custom graph contains some types.
#[derive(Clone, Copy)]
pub(super) struct Type(fn() -> (TypeId, &'static str));

impl Type {
    pub(super) fn of<T: 'static>() -> Self {
        Self(|| (TypeId::of::<T>(), std::any::type_name::<T>()))
    }

    pub(super) fn is(self, other: Self) -> bool {
        self.0().0 == other.0().0
    }

    pub(super) fn name(self) -> &'static str {
        self.0().1
    }
}

fn collect<T: Clone + Send + Sync + 'static>(values: Vec<Value>) -> Result<Value, TypeMismatch> {
    let items: Result<Vec<T>, _> = values
        .into_iter()
        .enumerate()
        .map(|(item, value)| match value.into_inner::<Opaque<T>>() {
            Ok(Opaque(item)) => Ok(item),
            Err(value) => Err(TypeMismatch { item, value }),
        })
        .collect();
    items.map(Value::opaque)
}

impl<A: Clone + Send + Sync + 'static> IntoArgument<A> for A {
    fn into_argument(self) -> Argument {
        Argument::of(CallInput::Literal(Value::opaque(self)))
    }
}

impl IntoArgument<String> for &str {
    fn into_argument(self) -> Argument {
        Argument::of(CallInput::Literal(Value::opaque(self.to_owned())))
    }
}

impl<A> IntoArgument<A> for Delayed<A> {
    fn into_argument(self) -> Argument {
        Argument::of(CallInput::Task(self.layer))
    }
}

impl<A> IntoArgument<A> for &Delayed<A> {
    fn into_argument(self) -> Argument {
        Argument::of(CallInput::Task(self.layer.clone()))
    }
}

fn several<T: Clone + Send + Sync + 'static>(layers: impl Iterator<Item = Arc<Layer>>) -> Argument {
    let tasks = layers.map(CallInput::Task);
    Argument::of(CallInput::List(tasks.collect(), collect::<T>))
}

impl<T: Clone + Send + Sync + 'static> IntoArgument<Vec<T>> for Vec<Delayed<T>> {
    fn into_argument(self) -> Argument {
        several::<T>(self.into_iter().map(|item| item.layer))
    }
}

impl<T: Clone + Send + Sync + 'static> IntoArgument<Vec<T>> for &[Delayed<T>] {
    fn into_argument(self) -> Argument {
        several::<T>(self.iter().map(|item| item.layer.clone()))
    }
}

impl<T: Clone + Send + Sync + 'static> IntoArgument<Vec<T>> for &Vec<Delayed<T>> {
    fn into_argument(self) -> Argument {
        several::<T>(self.iter().map(|item| item.layer.clone()))
    }
}

impl<T: Clone + Send + Sync + 'static> IntoArgument<Vec<T>> for Vec<&Delayed<T>> {
    fn into_argument(self) -> Argument {
        several::<T>(self.into_iter().map(|item| item.layer.clone()))
    }
}

impl<T: Clone + Send + Sync + 'static, const N: usize> IntoArgument<Vec<T>> for [Delayed<T>; N] {
    fn into_argument(self) -> Argument {
        several::<T>(self.into_iter().map(|item| item.layer))
    }
}

impl<T: Clone + Send + Sync + 'static, const N: usize> IntoArgument<Vec<T>> for [&Delayed<T>; N] {
    fn into_argument(self) -> Argument {
        several::<T>(self.into_iter().map(|item| item.layer.clone()))
    }
}

impl<A: Clone + Send + Sync + 'static> IntoGraphArgument<A> for A {
    fn into_graph_argument(self) -> Argument {
        Argument::of(CallInput::Literal(Value::opaque(self)))
    }
}

impl IntoGraphArgument<String> for &str {
    fn into_graph_argument(self) -> Argument {
        Argument::of(CallInput::Literal(Value::opaque(self.to_owned())))
    }
}

impl<A: 'static> IntoGraphArgument<A> for Key {
    fn into_graph_argument(self) -> Argument {
        Argument::of(CallInput::Key(TaskKey::Named(self.0), Type::of::<A>()))
    }
}

impl<T, K> IntoGraphArgument<Vec<T>> for Keys<K>
where
    T: Clone + Send + Sync + 'static,
    K: IntoGraphArgument<T>,
{
    fn into_graph_argument(self) -> Argument {
        let items = self.0.into_iter();
        let items = items.map(|item| item.into_graph_argument().take());
        Argument::of(CallInput::List(items.collect(), collect::<T>))
    }
}

/// The arguments of a delayed call as a tuple, for parameters `Args`.
pub trait IntoArguments<Args> {
    /// An array of arguments.
    type List: AsMut<[Argument]>;

    /// Returns the arguments, in order.
    fn into_arguments(self) -> Self::List;
}

/// The arguments of a task in a custom graph as a tuple, for parameters `Args`.
pub trait IntoGraphArguments<Args> {
    /// An array of arguments.
    type List: AsMut<[Argument]>;

    /// Returns the arguments, in order.
    fn into_graph_arguments(self) -> Self::List;
}

macro_rules! tuples {
    ($count:literal $($argument:ident $parameter:ident $at:tt),*) => {
        impl<$($argument: IntoArgument<$parameter>, $parameter),*> IntoArguments<($($parameter,)*)> for ($($argument,)*) {
            type List = [Argument; $count];

            fn into_arguments(self) -> Self::List {
                [$(self.$at.into_argument()),*]
            }
        }

        impl<$($argument: IntoGraphArgument<$parameter>, $parameter),*> IntoGraphArguments<($($parameter,)*)> for ($($argument,)*) {
            type List = [Argument; $count];

            fn into_graph_arguments(self) -> Self::List {
                [$(self.$at.into_graph_argument()),*]
            }
        }
    };
}
tuples!(0);
tuples!(1 P A 0);
tuples!(2 P A 0, Q B 1);
tuples!(3 P A 0, Q B 1, R C 2);
tuples!(4 P A 0, Q B 1, R C 2, S D 3);
tuples!(5 P A 0, Q B 1, R C 2, S D 3, T E 4);
tuples!(6 P A 0, Q B 1, R C 2, S D 3, T E 4, U F 5);
