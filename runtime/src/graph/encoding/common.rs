//! The types that have an encoding from the start.

use super::format::{Bulk, Format, Ipc, Owned, Postcard, Size};
use super::registry::Known;
use ndarray::{Array1, Array2, Array3, ArrayD};
use polars::prelude::{DataFrame, Series};
use std::any::Any;
use std::collections::{BTreeMap, HashMap};

/// A visitor of the types together with their formats.
pub(super) trait Types {
    fn add<T: Any + Clone + Send + Sync, F: Format<T>>(&mut self)
    where
        Owned: Size<T>;
}

/// A visitor of the types without their formats.
pub(crate) trait TypeVisitor {
    /// Visits one type.
    fn visit<T: Any + Clone + Send + Sync>(&mut self);
}

/// Calls the visitor for each type that has an encoding from the start.
pub(crate) fn each_type(visitor: &mut impl TypeVisitor) {
    struct Alone<'a, V>(&'a mut V);
    impl<V: TypeVisitor> Types for Alone<'_, V> {
        fn add<T: Any + Clone + Send + Sync, F: Format<T>>(&mut self)
        where
            Owned: Size<T>,
        {
            self.0.visit::<T>();
        }
    }
    each(&mut Alone(visitor));
}

/// Calls `take` with the registry entry of each type.
pub(super) fn each_known(take: impl FnMut(Known)) {
    struct Each<K>(K);
    impl<K: FnMut(Known)> Types for Each<K> {
        fn add<T: Any + Clone + Send + Sync, F: Format<T>>(&mut self)
        where
            Owned: Size<T>,
        {
            (self.0)(Known::new::<T, F, Owned>());
        }
    }
    each(&mut Each(take));
}

fn each(types: &mut impl Types) {
    macro_rules! add {
        ($format:ident: $($type:ty),* $(,)?) => {
            $(types.add::<$type, $format>();)*
        };
    }
    macro_rules! scalars {
        ($($scalar:ty)*) => {$(
            add!(Postcard:
                $scalar,
                Option<$scalar>,
                Vec<Option<$scalar>>,
                HashMap<String, $scalar>,
                BTreeMap<String, $scalar>,
            );
        )*};
    }
    macro_rules! numbers {
        ($($number:ty)*) => {$(
            add!(Bulk: Vec<$number>, Vec<Vec<$number>>);
            add!(Postcard: Option<Vec<$number>>);
        )*};
    }
    macro_rules! arrays {
        ($($element:ty)*) => {$(
            add!(Bulk: Array1<$element>, Array2<$element>, Array3<$element>, ArrayD<$element>);
        )*};
    }
    macro_rules! pairs {
        ($($first:ty)* ; $seconds:tt) => {$(
            pairs!(@ $first; $seconds);
        )*};
        (@ $first:ty; [$($second:ty)*]) => {
            add!(Postcard: $(($first, $second), Vec<($first, $second)>),*);
        };
    }
    macro_rules! triples {
        ($($first:ty)* ; $seconds:tt) => {$(
            triples!(@ $first; $seconds; $seconds);
        )*};
        (@ $first:ty; [$($second:ty)*]; $thirds:tt) => {$(
            triples!(@@ $first, $second; $thirds);
        )*};
        (@@ $first:ty, $second:ty; [$($third:ty)*]) => {
            add!(Postcard: $(($first, $second, $third)),*);
        };
    }
    scalars!(f64 f32 i64 i32 i16 i8 isize u64 u32 u16 u8 usize bool char String);
    numbers!(f64 f32 i128 i64 i32 i16 i8 isize u128 u64 u32 u16 u8 usize bool);
    arrays!(f64 f32 i64 i32 u8 bool);
    pairs!(f64 i64 i32 usize bool String Vec<f64>; [f64 i64 i32 usize bool String Vec<f64>]);
    triples!(f64 i64 usize String; [f64 i64 usize String]);
    add!(Ipc: DataFrame, Series);
    add!(Postcard:
        (),
        i128,
        u128,
        (i32, i32, i32),
        (Vec<f64>, Vec<f64>, Vec<f64>),
        Vec<char>,
        Vec<String>,
        Vec<Vec<String>>,
        Option<Vec<String>>,
        HashMap<String, Vec<f64>>,
        HashMap<String, Vec<String>>,
        BTreeMap<String, Vec<f64>>,
        BTreeMap<String, Vec<String>>,
        HashMap<i64, f64>,
        HashMap<i64, i64>,
        HashMap<usize, usize>,
        BTreeMap<i64, f64>,
        BTreeMap<i64, i64>,
        BTreeMap<usize, usize>,
    );
}
