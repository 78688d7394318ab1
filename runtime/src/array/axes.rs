//! The axes of an operation, in the forms that users write.

use crate::error::{Error, Result};
use ndarray::Axis;

/// The axes of an operation.
///
/// They can be converted from one axis (`Axis(0)`, `0`; `-1` is the last one) or from
/// several (`[0, 2]`, `(0, -1)`, a vector). [`Axes::all`] means all axes.
///
/// ```
/// use swath::prelude::*;
///
/// let x = Array::<f64>::ones((4, 6, 5), 2);
/// assert_eq!(x.sum_axis(-1).shape(), [4, 6]);
/// assert_eq!(x.sum_axis([0, 2]).shape(), [6]);
/// assert_eq!(x.sum_axis(Axes::of([0, 2]).keepdims()).shape(), [1, 6, 1]);
/// assert_eq!(x.sum_axis(Axes::all().split_every(4)).compute()?.sum(), 120.0);
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes {
    /// `None` means all axes.
    named: Option<Vec<i64>>,
    keepdims: bool,
    split_every: usize,
}

/// The default number of contributions to a reduction that are combined at a time.
pub(super) const SPLIT_EVERY: usize = 8;

impl Axes {
    fn new(named: Option<Vec<i64>>) -> Self {
        Self {
            named,
            keepdims: false,
            split_every: SPLIT_EVERY,
        }
    }

    /// Returns all axes.
    pub fn all() -> Self {
        Self::new(None)
    }

    /// Returns the given axes, for [`keepdims`](Self::keepdims) and
    /// [`split_every`](Self::split_every).
    pub fn of(axes: impl Into<Self>) -> Self {
        axes.into()
    }

    /// Makes a reduction keep each of the axes with length 1, so that the result
    /// broadcasts against the input: (m, n), axis 0 → (1, n).
    #[must_use]
    pub fn keepdims(mut self) -> Self {
        self.keepdims = true;
        self
    }

    /// Sets the number of chunks whose contributions a reduction combines at a time.
    ///
    /// The default is 8. Smaller numbers need less memory, larger ones fewer tasks. With
    /// several axes this is the number for all of them together, as in Dask.
    ///
    /// **Panics** if it is less than 2.
    #[track_caller]
    #[must_use]
    pub fn split_every(mut self, contributions: usize) -> Self {
        if contributions < 2 {
            Error::Argument(format!("split_every({contributions}): expected at least 2")).raise();
        }
        self.split_every = contributions;
        self
    }

    pub(super) fn keeps(&self) -> bool {
        self.keepdims
    }

    pub(super) fn fan_in(&self) -> usize {
        self.split_every
    }

    /// Returns the numbers of the axes, in order, for an array with `ndim` axes. `shape` is
    /// for messages.
    pub(super) fn resolve(&self, ndim: usize, shape: &str) -> Result<Vec<usize>> {
        let Some(named) = &self.named else {
            return Ok((0..ndim).collect());
        };
        let count = ndim as i64;
        let mut axes = Vec::with_capacity(named.len());
        for &axis in named {
            if !(-count..count).contains(&axis) {
                return Err(Error::Shape(format!(
                    "axis {axis} is out of range for an array of shape {shape}"
                )));
            }
            let axis = axis.rem_euclid(count) as usize;
            if axes.contains(&axis) {
                return Err(Error::Shape(format!(
                    "axis {axis} of an array of shape {shape} is named twice, expected each axis once"
                )));
            }
            axes.push(axis);
        }
        axes.sort_unstable();
        Ok(axes)
    }

    /// Returns the axes of several arguments together.
    fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let named = parts.into_iter().map(|part| part.named);
        Self::new(named.collect::<Option<Vec<_>>>().map(|all| all.concat()))
    }
}

impl From<Axis> for Axes {
    fn from(axis: Axis) -> Self {
        Self::from(axis.index())
    }
}

macro_rules! numbers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Axes {
            fn from(axis: $integer) -> Self {
                Self::new(Some(vec![i64::try_from(axis).unwrap_or(i64::MAX)]))
            }
        }
    )*};
}
numbers!(i32 i64 isize u32 usize);

impl<A: Into<Axes>, const N: usize> From<[A; N]> for Axes {
    fn from(axes: [A; N]) -> Self {
        Self::joined(axes.map(Into::into))
    }
}

impl<A: Into<Axes>> From<Vec<A>> for Axes {
    fn from(axes: Vec<A>) -> Self {
        Self::joined(axes.into_iter().map(Into::into))
    }
}

impl<A: Into<Axes> + Clone> From<&[A]> for Axes {
    fn from(axes: &[A]) -> Self {
        axes.to_vec().into()
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Into<Axes>),*> From<($($name,)*)> for Axes {
            #[allow(non_snake_case, reason = "the type's name serves for the value")]
            fn from(($($name,)*): ($($name,)*)) -> Self {
                Self::joined([$($name.into()),*])
            }
        }
    };
}
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(axes: impl Into<Axes>, expect: &[usize]) {
        let found = axes.into().resolve(4, "(2, 3, 4, 5)");
        assert_eq!(found.expect("the axes are in range"), expect);
    }

    #[track_caller]
    fn check_error(axes: impl Into<Axes>, expect: &str) {
        let found = axes.into().resolve(2, "(2, 3)");
        let error = found.expect_err("the axes are wrong").to_string();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn axes_are_named_in_many_ways() {
        check(Axis(2), &[2]);
        check(-1, &[3]);
        check([2, 0], &[0, 2]);
        check((0, -2), &[0, 2]);
        check(vec![Axis(1), Axis(3)], &[1, 3]);
        check(Axes::all(), &[0, 1, 2, 3]);
        check([0; 0], &[]);
    }

    #[test]
    fn wrong_axes_are_errors() {
        check_error(2, "axis 2 is out of range for an array of shape (2, 3)");
        check_error(-3, "axis -3 is out of range");
        check_error([1, -1], "axis 1 of an array of shape (2, 3) is named twice");
    }
}
