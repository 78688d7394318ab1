//! What is told of a variable's value: shape, bytes, the first of it.
//!
//! A table from types to what describes them: [`plain`] has Rust's own, [`of_polars`] those of
//! Polars, [`others`] those of ndarray and of what is shown; collections describe
//! themselves. To describe a value
//! takes microseconds and never computes anything; a text has a limit while it is
//! written ([`brief`]), so a long value costs what is shown of it. What is generic
//! here is a few lines over what is not: there are a thousand types.

mod brief;
mod of_polars;
mod others;
mod plain;

use super::collections::{CollectionVisitor, each_collection};
use crate::compute::describe::{COLUMNS, Describe, PREVIEW};
use crate::compute::recover::Recover;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::LazyLock;
use swath_channel::Description;

/// What the table holds of a type.
#[derive(Clone, Copy)]
struct Known {
    describe: fn(&dyn Any) -> Description,
    is_changing: fn(&dyn Any) -> bool,
}

/// The types that are known.
#[derive(Default)]
struct Table(HashMap<TypeId, Known>);

impl Table {
    /// A type whose values stay as they are.
    fn add<T: Describe>(&mut self) {
        self.insert::<T>(|_| false);
    }

    /// A type whose values may be computed in the background.
    fn add_changing<T: Describe>(&mut self) {
        self.insert::<T>(|value| value.downcast_ref::<T>().is_some_and(T::is_changing));
    }

    fn insert<T: Describe>(&mut self, is_changing: fn(&dyn Any) -> bool) {
        let known = Known {
            describe: |value| {
                let value = value.downcast_ref::<T>();
                value.map_or_else(Description::default, T::describe)
            },
            is_changing,
        };
        self.0.insert(TypeId::of::<T>(), known);
    }
}

impl CollectionVisitor for Table {
    fn restored<C: Recover + Describe>(&mut self) {
        self.add_changing::<C>();
    }

    fn lost<C: Describe>(&mut self) {
        self.add_changing::<C>();
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    plain::add_to(&mut table);
    each_collection(&mut table);
    others::add_to(&mut table);
    of_polars::add_to(&mut table);
    table
});

/// What is told of a value, and whether it may be something else soon. Of a type
/// that is not known, that is its own size.
pub(super) fn describe(value: &dyn Any) -> (Description, bool) {
    let Some(known) = TABLE.0.get(&value.type_id()) else {
        let nbytes = Some(size_of_val(value) as u64);
        let description = Description {
            nbytes,
            ..Description::default()
        };
        return (description, false);
    };
    let mut description = (known.describe)(value);
    brief::cut(&mut description.preview, PREVIEW);
    description.columns.truncate(COLUMNS);
    (description, (known.is_changing)(value))
}

#[cfg(test)]
mod tests;
