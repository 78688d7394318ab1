//! Distinct elements.

use super::partials::Partials;
use super::{Contribution, Reduce};
use crate::array::chunk::{Chunk, with_array, with_type};
use crate::array::dtype::{DType, Element, Kernel};
use crate::error::Result;
use ndarray::{ArcArray, Array1, IxDyn};
use std::cmp::Ordering;

/// The distinct elements in order, with NaN last. A contribution is an array with one
/// axis, of any length.
pub(super) struct Unique;

impl Reduce for Unique {
    fn result(&self, dtype: DType) -> DType {
        dtype
    }

    fn states(&self) -> Option<usize> {
        None
    }

    fn contribute(&self, of: &Contribution<'_>) -> Result<Vec<Chunk>> {
        Ok(vec![with_array!(of.chunk, array => {
            let mut elements: Vec<_> = array.iter().copied().collect();
            elements.sort_unstable_by(order);
            distinct(elements)
        })])
    }

    fn merge(&self, all: Partials, other: Partials) -> Result<Vec<Chunk>> {
        fn merged<T: Kernel>(all: &ArcArray<T, IxDyn>, other: &ArcArray<T, IxDyn>) -> Chunk {
            let (mut all, mut other) = (all.iter().peekable(), other.iter().peekable());
            let mut elements: Vec<T> = Vec::with_capacity(all.len() + other.len());
            while let (Some(one), Some(two)) = (all.peek(), other.peek()) {
                let next = match order(*one, *two) {
                    Ordering::Greater => other.next(),
                    _ => all.next(),
                };
                elements.extend(next);
            }
            elements.extend(all.chain(other));
            distinct(elements)
        }
        let (all, other) = (all.into_only(), other.into_only());
        Ok(vec![with_type!(all.dtype(), T => {
            merged::<T>(&T::unwrap(all)?, &T::unwrap(other)?)
        })])
    }
}

/// Compares elements, with NaN after all others.
fn order<T: Kernel>(a: &T, b: &T) -> Ordering {
    let of_nan = || a.is_nan().cmp(&b.is_nan());
    a.partial_cmp(b).unwrap_or_else(of_nan)
}

/// Removes elements that are equal to the one before. The elements must be in order.
fn distinct<T: Kernel>(mut elements: Vec<T>) -> Chunk {
    elements.dedup_by(|one, before| order(one, before) == Ordering::Equal);
    T::wrap(Array1::from_vec(elements).into_dyn().into_shared())
}
