//! Sums and products of integers in 128 bits, so that neither the order nor the chunks
//! decide whether a sum overflows: only the final result has to fit. In a contribution, a
//! wide integer is two numbers of 64 bits, in two arrays: the upper bits and the lower 32.
//! The arrays' type is the result's.

use super::fold::{Elements, fold, wrap};
use super::partials::Partials;
use crate::array::chunk::Chunk;
use crate::array::dtype::{DType, Element, Integer, beyond};
use crate::error::Result;
use ndarray::{ArrayD, Zip};

/// A number beyond all integers of 64 bits, at which products stop.
const BEYOND: i128 = 1 << 66;

pub(super) fn sum<T: Integer>(array: &Elements<T>, axis: Option<usize>) -> ArrayD<i128> {
    if T::IS_SMALL && array.len() <= 1 << 31 {
        // The sum of 2³¹ elements of 32 bits fits.
        let step = |sum, v: T| sum + v.to_i64();
        return fold(array, axis, 0i64, step, |a, b| a + b).mapv(i128::from);
    }
    let step = |sum, v: T| sum + v.to_wide();
    fold(array, axis, 0i128, step, |a, b| a + b)
}

pub(super) fn product<T: Integer>(array: &Elements<T>, axis: Option<usize>) -> ArrayD<i128> {
    let step = |product, v: T| multiply(product, v.to_wide());
    fold(array, axis, 1i128, step, multiply)
}

/// Multiplies integers. The product stops at [`BEYOND`], and only a factor of zero brings
/// it back from there.
pub(super) fn multiply(a: i128, b: i128) -> i128 {
    a.saturating_mul(b).clamp(-BEYOND, BEYOND)
}

/// Converts wide integers into arrays, for a result of type `dtype`.
pub(super) fn states(dtype: DType, integers: &ArrayD<i128>) -> Vec<Chunk> {
    fn pairs<P: Element>(integers: &ArrayD<i128>, half: impl Fn(i128) -> P) -> Vec<Chunk> {
        vec![
            wrap(integers.mapv(|wide| half(wide >> 32))),
            wrap(integers.mapv(|wide| half(wide & 0xffff_ffff))),
        ]
    }
    match dtype {
        DType::U64 => pairs(integers, |half| half as u64),
        _ => pairs(integers, |half| half as i64),
    }
}

/// Returns whether a contribution consists of wide integers.
pub(super) fn is_wide(partials: &Partials) -> bool {
    matches!(
        partials.states[..],
        [Chunk::I64(_), Chunk::I64(_)] | [Chunk::U64(_), Chunk::U64(_)]
    )
}

pub(super) fn integers(states: Vec<Chunk>) -> Result<ArrayD<i128>> {
    fn joined<P: Element>(states: Vec<Chunk>, half: impl Fn(P) -> i128) -> Result<ArrayD<i128>> {
        let mut halves = states.into_iter().map(P::unwrap);
        let mut next = || {
            halves
                .next()
                .expect("invariant: a wide integer is two arrays")
        };
        let (upper, lower) = (next()?, next()?);
        Ok(Zip::from(&upper)
            .and(&lower)
            .map_collect(|&upper, &lower| (half(upper) << 32) + half(lower)))
    }
    match states[0].dtype() {
        DType::U64 => joined::<u64>(states, i128::from),
        _ => joined::<i64>(states, i128::from),
    }
}

pub(super) fn merge(
    all: Vec<Chunk>,
    other: Vec<Chunk>,
    merge: fn(i128, i128) -> i128,
) -> Result<Vec<Chunk>> {
    let dtype = all[0].dtype();
    let mut all = integers(all)?;
    all.zip_mut_with(&integers(other)?, |all, one| *all = merge(*all, *one));
    Ok(states(dtype, &all))
}

/// Converts wide integers into integers of 64 bits; `what` is `sum` or `product`.
pub(super) fn narrow(wide: Vec<Chunk>, what: &str) -> Result<Chunk> {
    fn to<T: Integer>(wide: ArrayD<i128>, what: &str) -> Result<Chunk> {
        let shape = wide.raw_dim();
        let elements = wide.into_iter().map(|wide| {
            T::from_wide(wide).ok_or_else(|| {
                let number = match wide.unsigned_abs() < BEYOND.unsigned_abs() {
                    true => format!(" ({wide})"),
                    false => String::new(),
                };
                beyond(&format!("the {what} of elements{number}"), T::DTYPE)
            })
        });
        let elements = elements.collect::<Result<Vec<T>>>()?;
        let narrow = ArrayD::from_shape_vec(shape, elements);
        Ok(wrap(
            narrow.expect("invariant: the number of elements is the same"),
        ))
    }
    match wide[0].dtype() {
        DType::U64 => to::<u64>(integers(wide)?, what),
        _ => to::<i64>(integers(wide)?, what),
    }
}

/// Returns a quotient of integers as a float.
pub(super) fn quotient(sum: i128, count: u64) -> f64 {
    if count == 0 {
        return f64::NAN;
    }
    let divisor = i128::from(count);
    // Separately, because the fraction would be lost in the sum with a large integer.
    let (whole, rest) = (sum / divisor, sum % divisor);
    whole as f64 + rest as f64 / count as f64
}
