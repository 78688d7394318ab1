//! Keys of a custom graph, single ones and lists.

use super::TaskGraph;
use super::argument::Type;
use super::call::nested;
use crate::error::Result;
use crate::graph::Value;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::sync::Arc;

/// A key of a task in a custom graph: see [`key()`].
// Not Clone, so that a key cannot be an argument of type `Key` for a function.
#[derive(Debug)]
pub struct Key(pub(super) Arc<str>);

/// Several keys of tasks in a custom graph, or lists of them: see [`keys()`].
#[derive(Debug)]
pub struct Keys<K = Key>(pub(super) Vec<K>);

/// Refers to the value of the task under this key.
pub fn key(key: impl AsRef<str>) -> Key {
    Key(key.as_ref().into())
}

/// Refers to the values of the tasks under these keys, as one `Vec`. Lists of keys mean
/// lists of values: `keys([["a", "b"], ["c", "d"]])` is a `Vec<Vec<T>>`.
///
/// ```
/// use swath::prelude::*;
///
/// let mut dsk = TaskGraph::new();
/// for (key, value) in [("a", 1), ("b", 2), ("c", 3)] {
///     dsk.insert_value(key, value)?;
/// }
/// let longest = |lists: Vec<Vec<i32>>| lists.iter().map(Vec::len).max();
/// dsk.insert("longest", longest, (keys([vec!["a"], vec!["b", "c"]]),))?;
/// assert_eq!(dsk.get::<Option<usize>>("longest")?, Some(2));
/// # Ok::<(), swath::Error>(())
/// ```
pub fn keys<K: IntoKeys>(keys: impl IntoIterator<Item = K>) -> Keys<K::Keys> {
    Keys(keys.into_iter().map(K::into_keys).collect())
}

/// A key or several keys: a text, a list of these, or a tuple of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key",
    label = "expected a text, or an array, `Vec` or tuple of keys"
)]
pub trait IntoKeys {
    /// [`Key`], [`Keys`] or a tuple of these.
    type Keys;

    /// Converts into keys.
    fn into_keys(self) -> Self::Keys;
}

macro_rules! texts {
    ($($text:ty),*) => {$(
        impl IntoKeys for $text {
            type Keys = Key;

            fn into_keys(self) -> Key {
                Key(self.into())
            }
        }

        impl IntoKeys for &$text {
            type Keys = Key;

            fn into_keys(self) -> Key {
                let text: &str = self.as_ref();
                Key(text.into())
            }
        }
    )*};
}
texts!(&str, String, Arc<str>, Box<str>, Cow<'_, str>);

macro_rules! lists {
    ($([$($generics:tt)*] $list:ty: $item:ty),* $(,)?) => {$(
        impl<$($generics)*> IntoKeys for $list
        where
            $item: IntoKeys,
        {
            type Keys = Keys<<$item as IntoKeys>::Keys>;

            fn into_keys(self) -> Self::Keys {
                keys(self)
            }
        }
    )*};
}
lists!(
    [K] Vec<K>: K,
    [K, const N: usize] [K; N]: K,
    ['a, K] &'a Vec<K>: &'a K,
    ['a, K] &'a [K]: &'a K,
    ['a, K, const N: usize] &'a [K; N]: &'a K,
);

macro_rules! tuples {
    ($($key:ident $value:ident $at:tt),*) => {
        impl<$($key: IntoKeys),*> IntoKeys for ($($key,)*) {
            type Keys = ($($key::Keys,)*);

            fn into_keys(self) -> Self::Keys {
                ($(self.$at.into_keys(),)*)
            }
        }

        impl<$($key: KeysOf<$value>, $value),*> KeysOf<($($value,)*)> for ($($key,)*) {
            type Shape = ($($key::Shape,)*);

            fn ask(self, asked: &mut Asked<'_>) -> Result<Self::Shape> {
                Ok(($(asked.within($at, |asked| self.$at.ask(asked))?,)*))
            }

            fn answer(shape: Self::Shape, values: &mut Values) -> Result<($($value,)*)> {
                Ok(($($key::answer(shape.$at, values)?,)*))
            }
        }
    };
}
tuples!(P A 0);
tuples!(P A 0, Q B 1);
tuples!(P A 0, Q B 1, R C 2);
tuples!(P A 0, Q B 1, R C 2, S D 3);
tuples!(P A 0, Q B 1, R C 2, S D 3, T E 4);
tuples!(P A 0, Q B 1, R C 2, S D 3, T E 4, U F 5);

/// Keys whose values form a `V`: a `T` for a key, a `Vec` for a list, a tuple for a tuple.
#[diagnostic::on_unimplemented(
    message = "the values under these keys do not form a `{V}`",
    label = "a list of keys gives a `Vec` of values, a tuple of keys gives a tuple"
)]
pub trait KeysOf<V> {
    /// The positions of the values in the result.
    type Shape;

    /// Requests the value of each key.
    ///
    /// # Errors
    /// Returns the error of a key, with its position.
    fn ask(self, asked: &mut Asked<'_>) -> Result<Self::Shape>;

    /// Assembles the result from the requested values, in order.
    ///
    /// # Errors
    /// Returns [`crate::Error::Type`] for a value of another type.
    fn answer(shape: Self::Shape, values: &mut Values) -> Result<V>;
}

/// The values that were requested.
pub(super) type Values = std::vec::IntoIter<Value>;

/// A request for values of a graph.
pub struct Asked<'a> {
    pub(super) graph: &'a TaskGraph,
    /// The positions of the tasks.
    pub(super) tasks: Vec<u32>,
    /// The position of the current key.
    path: SmallVec<[usize; 4]>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(graph: &'a TaskGraph) -> Self {
        Self {
            graph,
            tasks: Vec::new(),
            path: SmallVec::new(),
        }
    }

    fn within<T>(&mut self, place: usize, ask: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.path.push(place);
        let answer = ask(self)?;
        self.path.pop();
        Ok(answer)
    }

    fn add(&mut self, key: &str, expected: Type) -> Result<()> {
        let place = || match &self.path[..] {
            [] => String::new(),
            path => format!(" at {}", nested(path)),
        };
        let task = self.graph.asked(key, expected, place)?;
        self.tasks.push(task);
        Ok(())
    }
}

impl<T: Clone + Send + Sync + 'static> KeysOf<T> for Key {
    type Shape = ();

    fn ask(self, asked: &mut Asked<'_>) -> Result<()> {
        asked.add(&self.0, Type::of::<T>())
    }

    fn answer((): (), values: &mut Values) -> Result<T> {
        let value = values.next().expect("invariant: one value for each key");
        super::take(value, || "a value of the graph".to_owned())
    }
}

impl<V, K: KeysOf<V>> KeysOf<Vec<V>> for Keys<K> {
    type Shape = Vec<K::Shape>;

    fn ask(self, asked: &mut Asked<'_>) -> Result<Self::Shape> {
        let keys = self.0.into_iter().enumerate();
        keys.map(|(at, key)| asked.within(at, |asked| key.ask(asked)))
            .collect()
    }

    fn answer(shape: Self::Shape, values: &mut Values) -> Result<Vec<V>> {
        let shapes = shape.into_iter();
        shapes.map(|shape| K::answer(shape, values)).collect()
    }
}
