//! The loops. They write into an input's memory if nothing else holds it.

use crate::array::chunk::Chunk;
use crate::array::dtype::{Element, Kernel};
use ndarray::{ArcArray, ArrayViewD, IxDyn, Zip};

pub(super) type Elements<T> = ArcArray<T, IxDyn>;

/// Returns the smaller one, or NaN if one of them is NaN.
pub(in crate::array) fn minimum<T: Kernel>(a: T, b: T) -> T {
    if a < b || a.is_nan() { a } else { b }
}

/// Returns the larger one, or NaN if one of them is NaN.
pub(in crate::array) fn maximum<T: Kernel>(a: T, b: T) -> T {
    if a > b || a.is_nan() { a } else { b }
}

/// Combines two arrays, in the memory of either one that has the result's shape and is
/// not shared.
pub(super) fn zip_in_place<T: Kernel>(
    mut a: Elements<T>,
    mut b: Elements<T>,
    f: impl Fn(T, T) -> T,
) -> Elements<T> {
    if fits_into(&b, &a) {
        match a.try_into_owned_nocopy() {
            Ok(mut owned) => {
                if b.ndim() == 0 {
                    let b = b[[].as_slice()];
                    owned.map_inplace(|a| *a = f(*a, b));
                } else {
                    owned.zip_mut_with(&b, |a, b| *a = f(*a, *b));
                }
                return owned.into_shared();
            }
            Err(shared) => a = shared,
        }
    }
    if fits_into(&a, &b) {
        match b.try_into_owned_nocopy() {
            Ok(mut owned) => {
                owned.zip_mut_with(&a, |b, a| *b = f(*a, *b));
                return owned.into_shared();
            }
            Err(shared) => b = shared,
        }
    }
    zip(&a, &b, f)
}

/// Returns whether `smaller` broadcasts to the shape of `larger`.
fn fits_into<T>(smaller: &Elements<T>, larger: &Elements<T>) -> bool {
    smaller.ndim() <= larger.ndim()
        && smaller
            .shape()
            .iter()
            .rev()
            .zip(larger.shape().iter().rev())
            .all(|(&small, &large)| small == large || small == 1)
}

pub(super) fn zip<T: Copy, U: Copy>(
    a: &Elements<T>,
    b: &Elements<T>,
    f: impl Fn(T, T) -> U,
) -> Elements<U> {
    if b.ndim() == 0 {
        let b = b[[].as_slice()];
        return a.map(|a| f(*a, b)).into_shared();
    }
    if a.ndim() == 0 {
        let a = a[[].as_slice()];
        return b.map(|b| f(a, *b)).into_shared();
    }
    let shape = broadcast_shape(a.shape(), b.shape());
    let (a, b) = (broadcast(a, &shape), broadcast(b, &shape));
    Zip::from(a)
        .and(b)
        .map_collect(|a, b| f(*a, *b))
        .into_shared()
}

pub(super) fn broadcast<'a, T>(array: &'a Elements<T>, shape: &[usize]) -> ArrayViewD<'a, T> {
    array
        .broadcast(IxDyn(shape))
        .expect("invariant: shapes and chunks were made to fit when the layer was made")
}

pub(super) fn broadcast_shape(a: &[usize], b: &[usize]) -> Vec<usize> {
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let lead = long.len() - short.len();
    long.iter()
        .enumerate()
        .map(|(axis, &length)| match axis.checked_sub(lead) {
            Some(at) if length == 1 => short[at],
            _ => length,
        })
        .collect()
}

/// Applies a function to each element, in the array's own memory if it is not shared.
pub(super) fn map<T: Element>(array: Elements<T>, f: impl Fn(T) -> T) -> Chunk {
    T::wrap(match array.try_into_owned_nocopy() {
        Ok(mut owned) => {
            owned.map_inplace(|v| *v = f(*v));
            owned.into_shared()
        }
        Err(shared) => shared.map(|v| f(*v)).into_shared(),
    })
}

/// Applies a predicate to each element.
pub(super) fn test<T: Element>(array: &Elements<T>, f: impl Fn(T) -> bool) -> Chunk {
    Chunk::Bool(array.map(|v| f(*v)).into_shared())
}
