//! The collections that a session knows: a row for each.
//!
//! Two tables are built from these rows: the descriptions in lists of variables
//! ([`super::describe`]), and the variables that another process can restore
//! ([`super::recoverable`]).

use crate::array::{Array, Scalar};
use crate::compute::describe::Describe;
use crate::compute::recover::Recover;
use crate::delayed::{Delayed, TaskGraph, TaskOutput};
use crate::frame::{DataFrame, Datum, FrameScalar, GroupedFrame, Series};
use crate::graph::encoding::{TypeVisitor, each_type};
use std::any::Any;
use std::fmt::Debug;

/// A visitor of the types of collections.
pub(super) trait CollectionVisitor {
    /// Visits a collection that another process can restore.
    fn restored<C: Recover + Describe + Debug>(&mut self);
    /// Visits a collection that is lost with its process.
    fn lost<C: Describe>(&mut self);
}

/// Calls the visitor for each type of collection.
pub(super) fn each_collection(visitor: &mut impl CollectionVisitor) {
    macro_rules! of_elements {
        ($($type:ty)*) => {$(
            visitor.restored::<Array<$type>>();
            visitor.restored::<Scalar<$type>>();
        )*};
    }
    of_elements!(f64 f32 i64 i32 u64 u32 u8 bool);
    macro_rules! of_values {
        ($($type:ty)*) => {$(
            visitor.restored::<FrameScalar<$type>>();
            visitor.restored::<FrameScalar<Option<$type>>>();
        )*};
    }
    of_values!(f64 i64 i32 u64 u32 usize bool String Datum);
    visitor.restored::<DataFrame>();
    visitor.restored::<Series>();
    visitor.lost::<GroupedFrame>();
    visitor.lost::<TaskGraph>();
    visitor.lost::<Delayed<&'static str>>();
    each_type(&mut OfAnyType(visitor));
}

/// Visits the collections of every type of value that can be encoded.
struct OfAnyType<'a, V>(&'a mut V);

impl<V: CollectionVisitor> TypeVisitor for OfAnyType<'_, V> {
    fn visit<T: Any + Clone + Send + Sync>(&mut self) {
        self.0.restored::<Delayed<T>>();
        self.0.lost::<TaskOutput<T>>();
    }
}
