//! Collections that another process can restore from a description and the values of
//! their layers.
//!
//! The types are those of [`super::collections`], and vectors of them. User-defined
//! types are not included: a process that has loaded no cell does not know them.

use super::collections::{CollectionVisitor, each_collection};
use crate::compute::Collection;
use crate::compute::describe::Describe;
use crate::compute::recover::{Recover, mismatch};
use crate::error::Result;
use crate::graph::{Codec, Layer};
use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

/// A collection in a variable, whatever its type.
pub(crate) trait Part {
    /// See [`Collection::layer`].
    fn layer(&self) -> Result<Arc<Layer>>;
    /// See [`Recover::describe`].
    fn describe(&self) -> Result<Vec<u8>>;
}

impl<C: Recover> Part for C {
    fn layer(&self) -> Result<Arc<Layer>> {
        Collection::layer(self)
    }

    fn describe(&self) -> Result<Vec<u8>> {
        Recover::describe(self)
    }
}

/// The collections of a variable as they were saved: descriptions and layers.
type Kept<'a, 'b> = &'a mut dyn Iterator<Item = (&'b [u8], Arc<Layer>)>;

/// A callback that receives the collections of a variable, one by one.
type Show<'a> = &'a mut dyn FnMut(&dyn Part);

/// A type of variables that can be restored. There are hundreds of them, so the code
/// for each is minimal.
pub(crate) struct Kind {
    /// The type's name.
    pub(crate) type_name: &'static str,
    /// Returns the codec of its layers' values.
    pub(crate) codec: fn() -> Option<Codec>,
    /// Passes the collections of a variable to the callback.
    parts: fn(&dyn Any, Show<'_>),
    /// Builds the variable's value.
    build: fn(Kept<'_, '_>) -> Result<Box<dyn Any>>,
}

impl Kind {
    /// Returns the layers of a variable's collections.
    ///
    /// # Errors
    /// The error of describing a collection.
    pub(crate) fn layers(&self, value: &dyn Any) -> Result<Vec<Arc<Layer>>> {
        let mut layers = Vec::new();
        (self.parts)(value, &mut |part| layers.push(part.layer()));
        layers.into_iter().collect()
    }

    /// Returns the description of each collection.
    ///
    /// # Errors
    /// The error of encoding a description.
    pub(crate) fn describe(&self, value: &dyn Any) -> Result<Vec<Vec<u8>>> {
        let mut descriptions = Vec::new();
        (self.parts)(value, &mut |part| descriptions.push(part.describe()));
        descriptions.into_iter().collect()
    }

    /// Builds the variable's value from descriptions and layers.
    ///
    /// # Errors
    /// [`crate::Error::Decode`] if they do not fit.
    pub(crate) fn restore(
        &self,
        descriptions: &[Vec<u8>],
        layers: Vec<Arc<Layer>>,
    ) -> Result<Box<dyn Any>> {
        if descriptions.len() != layers.len() {
            return Err(mismatch("as many layers as collections"));
        }
        (self.build)(&mut descriptions.iter().map(Vec::as_slice).zip(layers))
    }
}

/// Returns the kind of a variable's value.
pub(crate) fn kind_of(value: &dyn Any) -> Option<&'static Kind> {
    TABLE.get(&value.type_id())
}

/// Returns the kind with this type name.
pub(crate) fn kind_named(type_name: &str) -> Option<&'static Kind> {
    TABLE.values().find(|kind| kind.type_name == type_name)
}

static TABLE: LazyLock<HashMap<TypeId, Kind>> = LazyLock::new(|| {
    let mut table = Table::default();
    each_collection(&mut table);
    table.0
});

#[derive(Default)]
struct Table(HashMap<TypeId, Kind>);

impl Table {
    /// Adds the collections of a type, and vectors of them.
    fn add<C: Recover>(&mut self) {
        let one = Kind {
            type_name: type_name::<C>(),
            codec: C::codec,
            parts: |value, show| show(of::<C>(value)),
            build: |kept| match kept.next() {
                Some((description, layer)) => Ok(Box::new(C::restore(description, layer)?)),
                None => Err(mismatch("one collection")),
            },
        };
        let many = Kind {
            type_name: type_name::<Vec<C>>(),
            codec: C::codec,
            parts: |value, show| {
                for one in of::<Vec<C>>(value) {
                    show(one);
                }
            },
            build: |kept| {
                let mut all: Vec<C> = Vec::new();
                for (description, layer) in kept {
                    all.push(C::restore(description, layer)?);
                }
                Ok(Box::new(all))
            },
        };
        self.0.insert(TypeId::of::<C>(), one);
        self.0.insert(TypeId::of::<Vec<C>>(), many);
    }
}

impl CollectionVisitor for Table {
    fn restored<C: Recover + Describe + Debug>(&mut self) {
        self.add::<C>();
    }

    fn lost<C: Describe>(&mut self) {}
}

fn of<T: Any>(value: &dyn Any) -> &T {
    value
        .downcast_ref()
        .expect("invariant: kinds are looked up by the value's own type")
}

#[cfg(test)]
mod tests;
