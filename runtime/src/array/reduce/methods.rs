//! The table of reductions. A row consists of a variant, the names of its methods, its rule
//! and its documentation. It generates the operation's name and the methods of [`Array`].

use super::distinct::Unique;
use super::extremes::{ArgExtreme, Extreme};
use super::moments::Spread;
use super::sums::{CountNonzero, Dot, Mean, Product, Sum};
use super::{Reduce, ReduceStage};
use crate::array::axes::Axes;
use crate::array::dtype::Element;
use crate::array::raw::RawArray;
use crate::array::typed::{Array, Scalar, raise};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use std::ops::Deref;

/// Returns the name of a reduction's tasks at a stage.
macro_rules! named {
    ($stage:ident, $name:ident) => {
        match $stage {
            ReduceStage::Chunk => concat!(stringify!($name), "-chunk"),
            ReduceStage::Combine => concat!(stringify!($name), "-combine"),
            ReduceStage::Aggregate => concat!(stringify!($name), "-aggregate"),
            ReduceStage::Whole => stringify!($name),
        }
    };
}

/// Reductions by the type of the result: `sum` has wide elements, `own` the array's own
/// type, `mask` `bool`, `float` `f64`, `index` `i64`; `spread` has `f64` too, and a `ddof`.
macro_rules! reductions {
    (
        sum { $($(#[$sum_doc:meta])* $sum:ident $sum_all:ident $sum_axis:ident = $sum_rule:expr;)* }
        own { $($(#[$own_doc:meta])* $own:ident $own_all:ident $own_axis:ident = $own_rule:expr;)* }
        mask { $($(#[$mask_doc:meta])* $mask:ident $mask_all:ident $mask_axis:ident = $mask_rule:expr;)* }
        float { $($(#[$float_doc:meta])* $float:ident $float_all:ident $float_axis:ident = $float_rule:expr;)* }
        index { $($(#[$index_doc:meta])* $index:ident $index_all:ident $index_axis:ident = $index_rule:expr;)* }
        spread {
            $($(#[$spread_doc:meta])*
            $spread:ident $spread_all:ident $spread_ddof:ident $spread_axis:ident = |$ddof:ident| $spread_rule:expr;)*
        }
    ) => {
        /// A reduction of an array, or of each lane of it.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        pub(in crate::array) enum Reduction {
            $($sum,)* $($own,)* $($mask,)* $($float,)* $($index,)*
            $($spread { ddof: f64 },)*
            /// The sum of partial products.
            Dot,
            /// The distinct elements.
            Unique,
        }

        impl Reduction {
            pub(super) fn rule(self) -> Box<dyn Reduce> {
                match self {
                    $(Self::$sum => Box::new($sum_rule),)*
                    $(Self::$own => Box::new($own_rule),)*
                    $(Self::$mask => Box::new($mask_rule),)*
                    $(Self::$float => Box::new($float_rule),)*
                    $(Self::$index => Box::new($index_rule),)*
                    $(Self::$spread { ddof: $ddof } => Box::new($spread_rule),)*
                    Self::Dot => Box::new(Dot),
                    Self::Unique => Box::new(Unique),
                }
            }

            pub(super) fn name(self, stage: ReduceStage) -> &'static str {
                match self {
                    $(Self::$sum => named!(stage, $sum_all),)*
                    $(Self::$own => named!(stage, $own_all),)*
                    $(Self::$mask => named!(stage, $mask_all),)*
                    $(Self::$float => named!(stage, $float_all),)*
                    $(Self::$index => named!(stage, $index_all),)*
                    $(Self::$spread { .. } => named!(stage, $spread_all),)*
                    // The values that are added up are products.
                    Self::Dot => match stage {
                        ReduceStage::Combine => "sum-combine",
                        _ => "sum",
                    },
                    Self::Unique => named!(stage, unique),
                }
            }
        }

        impl<T: Element> Sums<T> {
            $(reductions!(@pair T::Sum, $(#[$sum_doc])* $sum $sum_all $sum_axis);)*
        }

        reductions!(@sums f64 => f64; $($(#[$sum_doc])* $sum_all $sum_axis;)*);
        reductions!(@sums i32 => i64; $($(#[$sum_doc])* $sum_all $sum_axis;)*);

        impl<T: Element> Array<T> {
            $(reductions!(@pair T, $(#[$own_doc])* $own $own_all $own_axis);)*
            $(reductions!(@pair f64, $(#[$float_doc])* $float $float_all $float_axis);)*
            $(reductions!(@pair i64, $(#[$index_doc])* $index $index_all $index_axis);)*
            $(
                $(#[$spread_doc])*
                pub fn $spread_all(&self) -> Scalar<f64> {
                    self.$spread_ddof(0.0)
                }

                #[doc = concat!("[`", stringify!($spread_all), "`](Self::", stringify!($spread_all), ") with the divisor n − `ddof`, as NumPy's `ddof`.")]
                pub fn $spread_ddof(&self, ddof: f64) -> Scalar<f64> {
                    Scalar::from_raw(total(self.raw(), Reduction::$spread { ddof }))
                }

                #[doc = concat!("[`", stringify!($spread_all), "`](Self::", stringify!($spread_all), ") of each lane along axes, with the divisor n − `ddof`: (m, n), axis 0 → (n,).")]
                ///
                /// **Panics** if an axis is out of range.
                #[track_caller]
                pub fn $spread_axis(&self, axes: impl Into<Axes>, ddof: f64) -> Array<f64> {
                    Array::from_raw(along(self.raw(), Reduction::$spread { ddof }, &axes.into()))
                }
            )*
        }

        impl Array<bool> {
            $(reductions!(@pair bool, $(#[$mask_doc])* $mask $mask_all $mask_axis);)*
        }
    };
    // The methods of a row: for all elements, and for each lane.
    (@pair $result:ty, $(#[$doc:meta])* $op:ident $all:ident $axis:ident) => {
        $(#[$doc])*
        #[track_caller]
        pub fn $all(&self) -> Scalar<$result> {
            Scalar::from_raw(total(self.raw(), Reduction::$op))
        }

        #[doc = concat!("[`", stringify!($all), "`](Self::", stringify!($all), ") of each lane along axes: (m, n), axis 0 → (n,).")]
        ///
        /// **Panics** if an axis is out of range.
        #[track_caller]
        pub fn $axis(&self, axes: impl Into<Axes>) -> Array<$result> {
            Array::from_raw(along(self.raw(), Reduction::$op, &axes.into()))
        }
    };
    // The methods of `Sums` again: see there.
    (@sums $element:ty => $sum:ty; $($(#[$doc:meta])* $all:ident $axis:ident;)*) => {
        impl Array<$element> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $all(&self) -> Scalar<$sum> {
                self.sums().$all()
            }

            #[doc = concat!("[`", stringify!($all), "`](Self::", stringify!($all), ") of each lane along axes: (m, n), axis 0 → (n,).")]
            ///
            /// **Panics** if an axis is out of range.
            #[track_caller]
            pub fn $axis(&self, axes: impl Into<Axes>) -> Array<$sum> {
                self.sums().$axis(axes)
            }
        )*}
    };
}

reductions! {
    sum {
        /// Computes the sum of all elements, which is 0 for no elements. See [`Sums`].
        Sum sum sum_axis = Sum { skips_nan: false };
        /// Computes the product of all elements, which is 1 for no elements. See [`Sums`].
        Prod prod prod_axis = Product { skips_nan: false };
        /// Computes the sum of all elements that are not NaN. See [`Sums`].
        NanSum nansum nansum_axis = Sum { skips_nan: true };
        /// Computes the product of all elements that are not NaN. See [`Sums`].
        NanProd nanprod nanprod_axis = Product { skips_nan: true };
    }
    own {
        /// Finds the smallest element, or NaN if one is NaN.
        ///
        /// **Panics** if there is no element.
        #[doc(alias = "amin")]
        Min min min_axis = Extreme::LEAST;
        /// Finds the largest element, or NaN if one is NaN.
        ///
        /// **Panics** if there is no element.
        #[doc(alias = "amax")]
        Max max max_axis = Extreme::GREATEST;
        /// Finds the smallest element that is not NaN, or NaN if all are NaN.
        ///
        /// **Panics** if there is no element.
        NanMin nanmin nanmin_axis = Extreme { skips_nan: true, ..Extreme::LEAST };
        /// Finds the largest element that is not NaN, or NaN if all are NaN.
        ///
        /// **Panics** if there is no element.
        NanMax nanmax nanmax_axis = Extreme { skips_nan: true, ..Extreme::GREATEST };
    }
    mask {
        /// Tests whether any element is true. The result for no elements is false.
        Any any any_axis = Extreme::ANY;
        /// Tests whether all elements are true. The result for no elements is true.
        All all all_axis = Extreme::ALL;
    }
    float {
        /// Computes the arithmetic mean of all elements, which is NaN for no elements. The sum of
        /// integers is exact.
        #[doc(alias = "average")]
        Mean mean mean_axis = Mean { skips_nan: false };
        /// Computes the arithmetic mean of all elements that are not NaN, or NaN if there are
        /// none.
        NanMean nanmean nanmean_axis = Mean { skips_nan: true };
    }
    index {
        /// Finds the row-major position of the smallest element: the first one of several, or the
        /// position of the first NaN.
        ///
        /// **Panics** if there is no element.
        #[doc(alias = "idxmin")]
        ArgMin argmin argmin_axis = ArgExtreme { is_greatest: false, skips_nan: false };
        /// Finds the row-major position of the largest element: the first one of several, or the
        /// position of the first NaN.
        ///
        /// **Panics** if there is no element.
        #[doc(alias = "idxmax")]
        ArgMax argmax argmax_axis = ArgExtreme { is_greatest: true, skips_nan: false };
        /// Finds the row-major position of the smallest element that is not NaN. The task fails if
        /// all elements are NaN.
        ///
        /// **Panics** if there is no element.
        NanArgMin nanargmin nanargmin_axis = ArgExtreme { is_greatest: false, skips_nan: true };
        /// Finds the row-major position of the largest element that is not NaN. The task fails if
        /// all elements are NaN.
        ///
        /// **Panics** if there is no element.
        NanArgMax nanargmax nanargmax_axis = ArgExtreme { is_greatest: true, skips_nan: true };
        /// Counts the elements that are not zero, or are true. NaN is not zero.
        CountNonzero count_nonzero count_nonzero_axis = CountNonzero;
    }
    spread {
        /// Computes the variance of all elements: the mean squared deviation from the mean.
        Var var var_ddof var_axis = |ddof| Spread { ddof, is_root: false, skips_nan: false };
        /// Computes the standard deviation of all elements: the square root of the variance.
        Std std std_ddof std_axis = |ddof| Spread { ddof, is_root: true, skips_nan: false };
        /// Computes the variance of all elements that are not NaN.
        NanVar nanvar nanvar_ddof nanvar_axis = |ddof| Spread { ddof, is_root: false, skips_nan: true };
        /// Computes the standard deviation of all elements that are not NaN.
        NanStd nanstd nanstd_ddof nanstd_axis = |ddof| Spread { ddof, is_root: true, skips_nan: true };
    }
}

#[track_caller]
fn total(raw: &RawArray, reduction: Reduction) -> RawArray {
    raise(raw.reduce(reduction, &Axes::all()))
}

#[track_caller]
fn along(raw: &RawArray, reduction: Reduction, axes: &Axes) -> RawArray {
    raise(raw.reduce(reduction, axes))
}

/// Sums and products. The type of their elements may be wider than the array's: `i64` for
/// signed integers and masks, `u64` for unsigned ones, as in NumPy.
///
/// Every [`Array`] has these methods. Sums and products of integers are exact, whatever the
/// chunks. If a result needs more than 64 bits, computing it fails with
/// [`Error::Overflow`](crate::Error::Overflow).
///
/// Arrays of `f64` and of `i32` have these methods twice, the second time as methods of
/// their own. The reason is numbers without a suffix. From
/// `Array::from_ndarray(vec![1.5, 2.5], 1)` alone, the compiler infers "an array of some
/// float", and nothing about the sum of such an array, whose type depends on that float. But
/// the compiler first looks for a type's own methods, and of all arrays of floats only that
/// of `f64` has them here. So this is an array of `f64`, as Rust's rule for such numbers
/// says.
///
/// ```
/// use swath::prelude::*;
///
/// let x = Array::from_ndarray(vec![4.0, -1.0, 7.0], 2);
/// assert_eq!(x.sum().compute()?.sqrt(), 10f64.sqrt());
/// let bytes = Array::<u8>::full((2, 1000), 255, 100);
/// assert_eq!(bytes.sum().compute()?, 510_000u64);
/// # Ok::<(), swath::Error>(())
/// ```
pub struct Sums<T> {
    pub(in crate::array) raw: RawArray,
    pub(in crate::array) element: PhantomData<fn() -> T>,
}

impl<T> Sums<T> {
    fn raw(&self) -> &RawArray {
        &self.raw
    }
}

impl<T> Deref for Array<T> {
    type Target = Sums<T>;

    fn deref(&self) -> &Sums<T> {
        self.sums()
    }
}
