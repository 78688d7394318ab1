//! What can be passed to a delayed function or to a task of a custom graph.

use super::Delayed;
use super::call::{Source, TaskKey};
use crate::graph::{Layer, Opaque, Value};
use std::any::TypeId;
use std::sync::Arc;

/// An argument for a parameter of type `A` of a delayed function: an `A`, a
/// [`Delayed<A>`](Delayed), or several `Delayed<T>` where `A` is `Vec<T>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed for a parameter of type `{A}`",
    label = "expected `{A}`, `Delayed<{A}>`, or a `Vec` of delayed values for a `Vec`"
)]
pub trait IntoArgument<A> {
    /// The argument.
    fn into_argument(self) -> Argument;
}

/// An argument for a parameter of type `A` of a task in a custom graph: an
/// `A`, [`key`] of the task that computes it, or [`keys`] where `A` is a `Vec`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed for a parameter of type `{A}`",
    label = "expected `{A}`, `key(\"…\")`, or `keys([…])` for a `Vec`"
)]
pub trait IntoGraphArgument<A> {
    /// The argument.
    fn into_graph_argument(self) -> Argument;
}

/// An argument, whatever its type.
pub struct Argument(pub(super) Source);

/// Makes a `Vec<T>` of values that are `T`s; the position and type of one that
/// is not, otherwise.
pub(super) type Collect = fn(Vec<Value>) -> Result<Value, (usize, Value)>;

/// A type: its identity and its name.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub(super) id: TypeId,
    pub(super) name: &'static str,
}

impl Type {
    pub(super) fn of<T: 'static>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: std::any::type_name::<T>(),
        }
    }
}

fn collect<T: Clone + Send + Sync + 'static>(values: Vec<Value>) -> Result<Value, (usize, Value)> {
    let items: Result<Vec<T>, _> = values
        .into_iter()
        .enumerate()
        .map(|(at, value)| match value.into_inner::<Opaque<T>>() {
            Ok(Opaque(item)) => Ok(item),
            Err(value) => Err((at, value)),
        })
        .collect();
    items.map(Value::opaque)
}

impl<A: Clone + Send + Sync + 'static> IntoArgument<A> for A {
    fn into_argument(self) -> Argument {
        Argument(Source::Literal(Value::opaque(self)))
    }
}

impl IntoArgument<String> for &str {
    fn into_argument(self) -> Argument {
        Argument(Source::Literal(Value::opaque(self.to_owned())))
    }
}

impl<A> IntoArgument<A> for Delayed<A> {
    fn into_argument(self) -> Argument {
        Argument(Source::Task(self.layer))
    }
}

impl<A> IntoArgument<A> for &Delayed<A> {
    fn into_argument(self) -> Argument {
        Argument(Source::Task(self.layer.clone()))
    }
}

fn several<T: Clone + Send + Sync + 'static>(layers: impl Iterator<Item = Arc<Layer>>) -> Argument {
    Argument(Source::Tasks(layers.collect(), collect::<T>))
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

/// The task under a key of a custom graph, as an argument: see [`key`].
// Not Clone: a key is no value that a function could take.
#[derive(Debug)]
pub struct Key(Arc<str>);

/// The tasks under several keys of a custom graph: see [`keys`].
#[derive(Debug)]
pub struct Keys(Vec<Arc<str>>);

/// The value of the task under this key.
pub fn key(key: impl AsRef<str>) -> Key {
    Key(key.as_ref().into())
}

/// The values of the tasks under these keys, as one `Vec`.
pub fn keys<K: AsRef<str>>(keys: impl IntoIterator<Item = K>) -> Keys {
    Keys(keys.into_iter().map(|key| key.as_ref().into()).collect())
}

impl<A: Clone + Send + Sync + 'static> IntoGraphArgument<A> for A {
    fn into_graph_argument(self) -> Argument {
        Argument(Source::Literal(Value::opaque(self)))
    }
}

impl IntoGraphArgument<String> for &str {
    fn into_graph_argument(self) -> Argument {
        Argument(Source::Literal(Value::opaque(self.to_owned())))
    }
}

impl<A: 'static> IntoGraphArgument<A> for Key {
    fn into_graph_argument(self) -> Argument {
        Argument(Source::Key(TaskKey::Named(self.0), Type::of::<A>()))
    }
}

impl<T: Clone + Send + Sync + 'static> IntoGraphArgument<Vec<T>> for Keys {
    fn into_graph_argument(self) -> Argument {
        let keys = self.0.into_iter().map(TaskKey::Named).collect();
        Argument(Source::Keys(keys, Type::of::<T>(), collect::<T>))
    }
}

/// Arguments of a delayed call as a tuple, for parameters `Args`.
pub trait IntoArguments<Args> {
    /// The arguments, in order.
    fn into_arguments(self) -> Vec<Argument>;
}

/// Arguments of a task in a custom graph as a tuple, for parameters `Args`.
pub trait IntoGraphArguments<Args> {
    /// The arguments, in order.
    fn into_graph_arguments(self) -> Vec<Argument>;
}

macro_rules! tuples {
    ($($argument:ident $parameter:ident $at:tt),*) => {
        impl<$($argument: IntoArgument<$parameter>, $parameter),*> IntoArguments<($($parameter,)*)> for ($($argument,)*) {
            fn into_arguments(self) -> Vec<Argument> {
                vec![$(self.$at.into_argument()),*]
            }
        }

        impl<$($argument: IntoGraphArgument<$parameter>, $parameter),*> IntoGraphArguments<($($parameter,)*)> for ($($argument,)*) {
            fn into_graph_arguments(self) -> Vec<Argument> {
                vec![$(self.$at.into_graph_argument()),*]
            }
        }
    };
}
tuples!();
tuples!(P A 0);
tuples!(P A 0, Q B 1);
tuples!(P A 0, Q B 1, R C 2);
tuples!(P A 0, Q B 1, R C 2, S D 3);
tuples!(P A 0, Q B 1, R C 2, S D 3, T E 4);
tuples!(P A 0, Q B 1, R C 2, S D 3, T E 4, U F 5);
