//! Smallest and largest elements, and their positions.

use super::fold::{Elements, fold, wrap};
use super::partials::Partials;
use super::{Contribution, Reduce};
use crate::array::chunk::{Chunk, with_array, with_type};
use crate::array::dtype::{DType, Element, Kernel};
use crate::array::elementwise::{BinaryOp, binary, maximum, minimum};
use crate::error::{Error, Result};
use ndarray::{ArcArray, ArrayD, Axis, IxDyn, RemoveAxis, Zip};

/// The least or the greatest element. NaN comes before all others, or after them with
/// `skips_nan`.
pub(super) struct Extreme {
    pub(super) is_greatest: bool,
    pub(super) skips_nan: bool,
    /// Whether at least one element is required.
    pub(super) of_some: bool,
}

impl Extreme {
    pub(super) const LEAST: Self = Self {
        is_greatest: false,
        skips_nan: false,
        of_some: true,
    };
    pub(super) const GREATEST: Self = Self {
        is_greatest: true,
        ..Self::LEAST
    };
    /// Whether all truth values are true. The result for no elements is true.
    pub(super) const ALL: Self = Self {
        of_some: false,
        ..Self::LEAST
    };
    /// Whether any truth value is true. The result for no elements is false.
    pub(super) const ANY: Self = Self {
        of_some: false,
        ..Self::GREATEST
    };
}

impl Reduce for Extreme {
    fn result(&self, dtype: DType) -> DType {
        dtype
    }

    fn needs_elements(&self) -> bool {
        self.of_some
    }

    fn contribute(&self, of: &Contribution<'_>) -> Result<Vec<Chunk>> {
        fn number<T: Kernel>(kept: T, v: T, is_better: impl Fn(&T, &T) -> bool) -> T {
            if kept.is_nan() || is_better(&v, &kept) {
                v
            } else {
                kept
            }
        }
        Ok(vec![with_array!(of.chunk, array => {
            let (array, axis) = of.lanes(array);
            wrap(match (self.is_greatest, self.skips_nan) {
                (false, false) => fold(&array, axis, Kernel::LARGEST, minimum, minimum),
                (true, false) => fold(&array, axis, Kernel::SMALLEST, maximum, maximum),
                (false, true) => {
                    let least = |kept, v| number(kept, v, PartialOrd::lt);
                    fold(&array, axis, Kernel::NO_LEAST, least, least)
                }
                (true, true) => {
                    let greatest = |kept, v| number(kept, v, PartialOrd::gt);
                    fold(&array, axis, Kernel::NO_GREATEST, greatest, greatest)
                }
            })
        })])
    }

    fn merge(&self, all: Partials, other: Partials) -> Result<Vec<Chunk>> {
        // Chunks without elements along the axes contribute nothing.
        if self.of_some && all.count == 0 {
            return Ok(other.states);
        }
        if self.of_some && other.count == 0 {
            return Ok(all.states);
        }
        let op = match (self.is_greatest, self.skips_nan) {
            (false, false) => BinaryOp::Minimum,
            (true, false) => BinaryOp::Maximum,
            (false, true) => BinaryOp::Fmin,
            (true, true) => BinaryOp::Fmax,
        };
        Ok(vec![binary(op, all.into_only(), other.into_only())?])
    }
}

/// The position of the least or the greatest element, and of the first one if there are
/// several. NaN comes before all others, or is skipped with `skips_nan`.
pub(super) struct ArgExtreme {
    pub(super) is_greatest: bool,
    pub(super) skips_nan: bool,
}

/// The position if no element was found.
const NOWHERE: i64 = -1;

/// The result of searching a lane: an element and its position.
#[derive(Clone, Copy)]
struct Found<T> {
    element: T,
    at: i64,
}

impl ArgExtreme {
    /// Returns whether an element comes before the best one so far.
    fn is_better<T: Kernel>(&self, element: T, than: T) -> bool {
        if self.is_greatest {
            element > than || (element.is_nan() && !than.is_nan())
        } else {
            element < than || (element.is_nan() && !than.is_nan())
        }
    }

    fn look<T: Kernel>(&self, found: &mut Found<T>, element: T, at: i64) {
        if self.skips_nan && element.is_nan() {
            return;
        }
        if found.at == NOWHERE || self.is_better(element, found.element) {
            *found = Found { element, at };
        }
    }

    fn found<T: Kernel>(&self, array: &Elements<T>, of: &Contribution<'_>) -> Vec<Chunk> {
        let nothing = Found {
            element: T::default(),
            at: NOWHERE,
        };
        let found = match *of.axes {
            [axis] if array.ndim() > 1 => {
                let mut found = ArrayD::from_elem(array.raw_dim().remove_axis(Axis(axis)), nothing);
                for (at, part) in (of.origin(axis) as i64..).zip(array.axis_iter(Axis(axis))) {
                    Zip::from(&mut found)
                        .and(&part)
                        .for_each(|found, &v| self.look(found, v, at));
                }
                found
            }
            _ => {
                let mut found = nothing;
                for (at, &v) in (0..).zip(array) {
                    self.look(&mut found, v, at);
                }
                if found.at != NOWHERE {
                    found.at = of.place(found.at as usize) as i64;
                }
                ArrayD::from_elem(IxDyn(&[]), found)
            }
        };
        vec![
            wrap(found.map(|found| found.element)),
            wrap(found.map(|found| found.at)),
        ]
    }

    fn merged<T: Kernel>(
        &self,
        all: (ArcArray<T, IxDyn>, ArcArray<i64, IxDyn>),
        other: (ArcArray<T, IxDyn>, ArcArray<i64, IxDyn>),
    ) -> Vec<Chunk> {
        let (mut elements, mut places) = all;
        Zip::from(&mut elements)
            .and(&mut places)
            .and(&other.0)
            .and(&other.1)
            .for_each(|element, at, &other, &other_at| {
                let is_first = other_at < *at && !self.is_better(*element, other);
                if other_at != NOWHERE
                    && (*at == NOWHERE || is_first || self.is_better(other, *element))
                {
                    (*element, *at) = (other, other_at);
                }
            });
        vec![T::wrap(elements), i64::wrap(places)]
    }
}

/// Returns the elements and the positions of a contribution.
fn pair<T: Element>(states: Vec<Chunk>) -> Result<(ArcArray<T, IxDyn>, ArcArray<i64, IxDyn>)> {
    let mut states = states.into_iter();
    let mut next = || states.next().expect("invariant: elements and places");
    Ok((T::unwrap(next())?, i64::unwrap(next())?))
}

impl Reduce for ArgExtreme {
    fn result(&self, _: DType) -> DType {
        DType::I64
    }

    fn states(&self) -> Option<usize> {
        Some(2)
    }

    fn needs_elements(&self) -> bool {
        true
    }

    fn needs_places(&self) -> bool {
        true
    }

    fn contribute(&self, of: &Contribution<'_>) -> Result<Vec<Chunk>> {
        Ok(with_array!(of.chunk, array => self.found(array, of)))
    }

    fn merge(&self, all: Partials, other: Partials) -> Result<Vec<Chunk>> {
        Ok(with_type!(all.states[0].dtype(), T => {
            self.merged::<T>(pair(all.states)?, pair(other.states)?)
        }))
    }

    fn finish(&self, mut last: Partials) -> Result<Chunk> {
        let places = last.states.swap_remove(1);
        let places: ArcArray<i64, IxDyn> = Element::unwrap(places)?;
        if places.iter().any(|&at| at == NOWHERE) {
            return Err(Error::Argument(
                "cannot find the smallest or largest of elements that are all NaN: expected at least one number"
                    .to_owned(),
            ));
        }
        Ok(i64::wrap(places))
    }
}
