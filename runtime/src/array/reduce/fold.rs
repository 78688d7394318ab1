//! Folds over a chunk's elements: over all of them, or over those of each lane.

use crate::array::chunk::{Chunk, for_each_run};
use crate::array::dtype::Element;
use ndarray::{ArcArray, ArrayD, Axis, IxDyn, RemoveAxis, Zip};

pub(super) type Elements<T> = ArcArray<T, IxDyn>;

pub(super) fn wrap<T: Element>(array: ArrayD<T>) -> Chunk {
    T::wrap(array.into_shared())
}

/// Merges the reduced axes into one. Returns the array and this axis, or no axis if all
/// elements are reduced to one.
///
/// Elements are copied only if they cannot be traversed as one axis in memory.
pub(super) fn lanes<T: Element>(
    array: &Elements<T>,
    axes: &[usize],
) -> (Elements<T>, Option<usize>) {
    match *axes {
        // Without axes, each element is a lane.
        [] if array.ndim() > 0 => {
            let last = array.ndim();
            (array.clone().insert_axis(Axis(last)), Some(last))
        }
        _ if axes.len() == array.ndim() => (array.clone(), None),
        [axis] => (array.clone(), Some(axis)),
        _ => merged(array, axes),
    }
}

/// Merges several axes, but not all, into one.
fn merged<T: Element>(array: &Elements<T>, axes: &[usize]) -> (Elements<T>, Option<usize>) {
    let first = axes[0];
    let are_neighbours = axes.last() == Some(&(first + axes.len() - 1));
    if are_neighbours && !array.is_empty() {
        let mut merged = array.clone();
        // The axes that are merged into another one remain with length 1.
        let all = axes
            .windows(2)
            .all(|pair| merged.merge_axes(Axis(pair[0]), Axis(pair[1])));
        if all {
            for _ in 1..axes.len() {
                merged = merged.index_axis_move(Axis(first), 0);
            }
            return (merged, Some(first));
        }
    }
    let kept = (0..array.ndim()).filter(|axis| !axes.contains(axis));
    let order: Vec<usize> = kept.clone().chain(axes.iter().copied()).collect();
    let mut shape: Vec<usize> = kept.map(|axis| array.shape()[axis]).collect();
    shape.push(axes.iter().map(|&axis| array.shape()[axis]).product());
    let permuted = array.view().permuted_axes(IxDyn(&order));
    let merged = permuted.to_shape(IxDyn(&shape));
    let merged = merged.expect("invariant: both shapes have the same elements");
    (merged.into_owned().into_shared(), Some(shape.len() - 1))
}

/// Folds all elements, or those of each lane along an axis.
pub(super) fn fold<T: Copy, A: Copy>(
    array: &Elements<T>,
    axis: Option<usize>,
    identity: A,
    step: impl Fn(A, T) -> A,
    merge: impl Fn(A, A) -> A,
) -> ArrayD<A> {
    let Some(axis) = axis else {
        let mut all = identity;
        for_each_run(array.view(), |run| {
            all = merge(all, pairwise(run, identity, &step, &merge));
        });
        return ArrayD::from_elem(IxDyn(&[]), all);
    };
    let contiguous = array.strides()[axis] == 1;
    let axis = Axis(axis);
    let mut result = ArrayD::from_elem(array.raw_dim().remove_axis(axis), identity);
    if contiguous {
        Zip::from(&mut result)
            .and(array.lanes(axis))
            .for_each(|result, lane| {
                *result = match lane.to_slice() {
                    Some(run) => pairwise(run, identity, &step, &merge),
                    None => lane.iter().fold(identity, |all, &v| step(all, v)),
                };
            });
    } else {
        // Row by row, which is the memory order.
        for part in array.axis_iter(axis) {
            Zip::from(&mut result)
                .and(&part)
                .for_each(|result, &v| *result = step(*result, v));
        }
    }
    result
}

/// Folds a run by halves, so that rounding errors grow with the logarithm of its
/// length. It takes eight elements at a time, so that processors can vectorise it.
fn pairwise<T: Copy, A: Copy>(
    run: &[T],
    identity: A,
    step: &impl Fn(A, T) -> A,
    merge: &impl Fn(A, A) -> A,
) -> A {
    const LANES: usize = 8;
    if run.len() > 256 {
        let (left, right) = run.split_at((run.len() / 2).next_multiple_of(LANES));
        return merge(
            pairwise(left, identity, step, merge),
            pairwise(right, identity, step, merge),
        );
    }
    let mut lanes = [identity; LANES];
    let (eights, rest) = run.as_chunks::<LANES>();
    for eight in eights {
        for (lane, &v) in lanes.iter_mut().zip(eight) {
            *lane = step(*lane, v);
        }
    }
    for (lane, &v) in lanes.iter_mut().zip(rest) {
        *lane = step(*lane, v);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    merge(
        merge(merge(a, b), merge(c, d)),
        merge(merge(e, f), merge(g, h)),
    )
}
