//! Describes a variable's value: shape, bytes, and its first elements.
//!
//! A table maps types to the code that describes them. [`plain`] has Rust's own types,
//! [`of_polars`] those of Polars, [`others`] those of ndarray and of displayed documents;
//! collections describe themselves. Describing a value takes microseconds and never computes
//! anything. A text is limited while it is being written ([`brief`]), so a long value costs only
//! what is shown of it. Generic code here is a few lines over non-generic code, because there are a
//! thousand types.

mod brief;
mod of_polars;
mod others;
mod plain;

use super::collections::{CollectionVisitor, each_collection};
use crate::compute::describe::{COLUMNS, Describe, PREVIEW};
use crate::compute::recover::Recover;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::LazyLock;
use swath_channel::Description;

/// The table's entry of a type.
#[derive(Clone, Copy)]
struct Known {
    describe: fn(&dyn Any) -> Description,
    is_changing: fn(&dyn Any) -> bool,
}

/// The types that can be described.
#[derive(Default)]
struct Table(HashMap<TypeId, Known>);

impl Table {
    /// Adds a type whose values do not change by themselves.
    fn add<T: Describe>(&mut self) {
        self.insert::<T>(|_| false);
    }

    /// Adds a type whose values may be computed in the background.
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
    fn restored<C: Recover + Describe + Debug>(&mut self) {
        self.add_changing::<C>();
        let known = Known {
            describe: |value| plain::list(value.downcast_ref::<Vec<C>>()),
            is_changing: |_| false,
        };
        self.0.insert(TypeId::of::<Vec<C>>(), known);
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

/// Returns a value's description, and whether it may change soon. The description of an unknown
/// type contains only the value's own size.
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
