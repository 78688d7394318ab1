//! Sums, products, means, and counts.

use super::fold::{fold, wrap};
use super::partials::Partials;
use super::{Contribution, Reduce, by_kind, wide};
use crate::array::chunk::{Chunk, with_array};
use crate::array::dtype::{Arithmetic, DType, Element, Kernel};
use crate::array::elementwise::{BinaryOp, binary};
use crate::error::Result;
use ndarray::{ArcArray, ArrayD, IxDyn, Zip};

/// Returns the type of a sum of elements of a type.
fn summed(dtype: DType) -> DType {
    match dtype {
        DType::F64 | DType::F32 => dtype,
        DType::I64 | DType::I32 | DType::Bool => DType::I64,
        DType::U64 | DType::U32 | DType::U8 => DType::U64,
    }
}

/// Merges two contributions: wide integers with `of_wide`, others with `op`.
fn merged(
    all: Partials,
    other: Partials,
    of_wide: fn(i128, i128) -> i128,
    op: BinaryOp,
) -> Result<Vec<Chunk>> {
    if wide::is_wide(&all) {
        return wide::merge(all.states, other.states, of_wide);
    }
    let pairs = all.states.into_iter().zip(other.states);
    pairs.map(|(all, other)| binary(op, all, other)).collect()
}

/// Adds two contributions.
fn added(all: Partials, other: Partials) -> Result<Vec<Chunk>> {
    merged(all, other, |a, b| a + b, BinaryOp::Add)
}

/// Returns the result of a contribution; `what` is `sum` or `product`.
fn narrowed(last: Partials, what: &str) -> Result<Chunk> {
    match wide::is_wide(&last) {
        true => wide::narrow(last.states, what),
        false => Ok(last.into_only()),
    }
}

/// The sum, without NaN if `skips_nan`.
pub(super) struct Sum {
    pub(super) skips_nan: bool,
}

impl Reduce for Sum {
    fn result(&self, dtype: DType) -> DType {
        summed(dtype)
    }

    fn states(&self) -> Option<usize> {
        Some(2)
    }

    fn contribute(&self, of: &Contribution<'_>) -> Result<Vec<Chunk>> {
        Ok(by_kind!(of.chunk, array => {
            let (array, axis) = of.lanes(array);
            let sum = match self.skips_nan {
                false => fold(&array, axis, Default::default(), Arithmetic::add, Arithmetic::add),
                true => fold(&array, axis, Default::default(), add_number, Arithmetic::add),
            };
            vec![wrap(sum)]
        }, {
            let (array, axis) = of.lanes(array);
            wide::states(summed(of.chunk.dtype()), &wide::sum(&array, axis))
        }))
    }

    fn merge(&self, all: Partials, other: Partials) -> Result<Vec<Chunk>> {
        added(all, other)
    }

    fn finish(&self, last: Partials) -> Result<Chunk> {
        narrowed(last, "sum")
    }
}

fn add_number<T: Arithmetic>(sum: T, v: T) -> T {
    if v.is_nan() { sum } else { sum.add(v) }
}

fn multiply_number<T: Arithmetic>(product: T, v: T) -> T {
    if v.is_nan() { product } else { product.mul(v) }
}

/// The product, without NaN if `skips_nan`.
pub(super) struct Product {
    pub(super) skips_nan: bool,
}

impl Reduce for Product {
    fn result(&self, dtype: DType) -> DType {
        summed(dtype)
    }

    fn states(&self) -> Option<usize> {
        Some(2)
    }

    fn contribute(&self, of: &Contribution<'_>) -> Result<Vec<Chunk>> {
        Ok(by_kind!(of.chunk, array => {
            let (array, axis) = of.lanes(array);
            let product = match self.skips_nan {
                false => fold(&array, axis, Arithmetic::ONE, Arithmetic::mul, Arithmetic::mul),
                true => fold(&array, axis, Arithmetic::ONE, multiply_number, Arithmetic::mul),
            };
            vec![wrap(product)]
        }, {
            let (array, axis) = of.lanes(array);
            wide::states(summed(of.chunk.dtype()), &wide::product(&array, axis))
        }))
    }

    fn merge(&self, all: Partials, other: Partials) -> Result<Vec<Chunk>> {
        merged(all, other, wide::multiply, BinaryOp::Mul)
    }

    fn finish(&self, last: Partials) -> Result<Chunk> {
        narrowed(last, "product")
    }
}

/// The arithmetic mean, without NaN if `skips_nan`. The sum of integers is exact.
pub(super) struct Mean {
    pub(super) skips_nan: bool,
}

impl Reduce for Mean {
    fn result(&self, _: DType) -> DType {
        DType::F64
    }

    fn states(&self) -> Option<usize> {
        Some(2)
    }

    fn contribute(&self, of: &Contribution<'_>) -> Result<Vec<Chunk>> {
        Ok(by_kind!(of.chunk, array => {
            let (array, axis) = of.lanes(array);
            match self.skips_nan {
                false => vec![wrap(float_sum(&array, axis))],
                true => vec![
                    wrap(number_sum(&array, axis)),
                    wrap(numbers(&array, axis)),
                ],
            }
        }, {
            let (array, axis) = of.lanes(array);
            wide::states(summed(of.chunk.dtype()), &wide::sum(&array, axis))
        }))
    }

    fn merge(&self, all: Partials, other: Partials) -> Result<Vec<Chunk>> {
        added(all, other)
    }

    fn finish(&self, last: Partials) -> Result<Chunk> {
        if wide::is_wide(&last) {
            let count = last.count;
            let sums = wide::integers(last.states)?;
            return Ok(wrap(sums.mapv(|sum| wide::quotient(sum, count))));
        }
        let count = last.count as f64;
        let mut states = last.states.into_iter();
        let mut next = || states.next().map(f64::unwrap);
        let sums: ArcArray<f64, IxDyn> = next().expect("invariant: a mean keeps the sum")?;
        Ok(wrap(match next() {
            None => sums.into_owned() / count,
            Some(numbers) => Zip::from(&sums)
                .and(&numbers?)
                .map_collect(|sum, number| sum / number),
        }))
    }
}

pub(super) fn float_sum<T: Kernel>(array: &ArcArray<T, IxDyn>, axis: Option<usize>) -> ArrayD<f64> {
    fold(array, axis, 0.0, |sum, v: T| sum + v.to_f64(), |a, b| a + b)
}

/// Returns the sums of the elements that are not NaN.
pub(super) fn number_sum<T: Kernel>(
    array: &ArcArray<T, IxDyn>,
    axis: Option<usize>,
) -> ArrayD<f64> {
    let step = |sum, v: T| if v.is_nan() { sum } else { sum + v.to_f64() };
    fold(array, axis, 0.0, step, |a, b| a + b)
}

/// Returns the numbers of elements that are not NaN.
pub(super) fn numbers<T: Kernel>(array: &ArcArray<T, IxDyn>, axis: Option<usize>) -> ArrayD<f64> {
    let step = |count, v: T| if v.is_nan() { count } else { count + 1 };
    fold(array, axis, 0u64, step, |a, b| a + b).mapv(|count| count as f64)
}

/// The number of elements that are not zero, or are true.
pub(super) struct CountNonzero;

impl Reduce for CountNonzero {
    fn result(&self, _: DType) -> DType {
        DType::I64
    }

    fn contribute(&self, of: &Contribution<'_>) -> Result<Vec<Chunk>> {
        fn counted<T: Element>(array: &ArcArray<T, IxDyn>, axis: Option<usize>) -> ArrayD<i64> {
            let step = |count, v: T| if v == T::default() { count } else { count + 1 };
            fold(array, axis, 0, step, |a, b| a + b)
        }
        Ok(vec![with_array!(of.chunk, array => {
            let (array, axis) = of.lanes(array);
            wrap(counted(&array, axis))
        })])
    }

    fn merge(&self, all: Partials, other: Partials) -> Result<Vec<Chunk>> {
        added(all, other)
    }
}

/// The sum of partial products, which `Dot` computes.
pub(super) struct Dot;

impl Reduce for Dot {
    fn result(&self, dtype: DType) -> DType {
        dtype
    }

    fn contribute(&self, of: &Contribution<'_>) -> Result<Vec<Chunk>> {
        Ok(vec![of.chunk.clone()])
    }

    fn merge(&self, all: Partials, other: Partials) -> Result<Vec<Chunk>> {
        added(all, other)
    }
}
