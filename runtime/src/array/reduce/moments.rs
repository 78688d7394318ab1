//! Variances and standard deviations.
//!
//! They are combined from counts, means and sums of squared deviations, like in Chan,
//! Golub and LeVeque (1979). This loses no digits if the mean is large.

use super::fold::{Elements, fold, wrap};
use super::partials::Partials;
use super::sums::{float_sum, number_sum, numbers};
use super::{Contribution, Reduce};
use crate::array::chunk::{Chunk, with_array};
use crate::array::dtype::{DType, Element, Kernel};
use crate::error::Result;
use ndarray::{ArrayD, Axis, IxDyn, Zip};

/// The variance with the divisor n − `ddof`, or its root. With `skips_nan`, only
/// elements that are not NaN count.
pub(super) struct Spread {
    pub(super) ddof: f64,
    pub(super) is_root: bool,
    pub(super) skips_nan: bool,
}

/// The count, the mean, and the sum of squared deviations from it, for each lane.
struct Moments {
    counts: ArrayD<f64>,
    means: ArrayD<f64>,
    deviations: ArrayD<f64>,
}

impl Spread {
    fn moments(&self, partials: Partials) -> Result<Moments> {
        let mut states = partials.states.into_iter();
        let mut next = || states.next().map(f64::owned).transpose();
        let what = "invariant: a variance keeps means and deviations";
        let (means, deviations) = (next()?.expect(what), next()?.expect(what));
        let counts = match next()? {
            Some(counts) => counts,
            None => ArrayD::from_elem(means.raw_dim(), partials.count as f64),
        };
        Ok(Moments {
            counts,
            means,
            deviations,
        })
    }

    /// Returns the state to keep. If all elements count, the contribution contains their
    /// number already.
    fn kept(&self, moments: Moments) -> Vec<Chunk> {
        let mut kept = vec![wrap(moments.means), wrap(moments.deviations)];
        if self.skips_nan {
            kept.push(wrap(moments.counts));
        }
        kept
    }
}

impl Reduce for Spread {
    fn result(&self, _: DType) -> DType {
        DType::F64
    }

    fn states(&self) -> Option<usize> {
        Some(3)
    }

    fn contribute(&self, of: &Contribution<'_>) -> Result<Vec<Chunk>> {
        Ok(with_array!(of.chunk, array => {
            let (array, axis) = of.lanes(array);
            self.kept(match self.skips_nan {
                false => moments(&array, axis),
                true => moments_of_numbers(&array, axis),
            })
        }))
    }

    /// Chan, Golub and LeVeque (1979), formula 2.1.
    fn merge(&self, all: Partials, other: Partials) -> Result<Vec<Chunk>> {
        let (mut all, other) = (self.moments(all)?, self.moments(other)?);
        Zip::from(&mut all.means)
            .and(&mut all.deviations)
            .and(&all.counts)
            .and(&other.counts)
            .and(&other.means)
            .and(&other.deviations)
            .for_each(|mean, deviation, &count, &n, m, d| {
                let total = count + n;
                if n > 0.0 {
                    let delta = m - *mean;
                    *mean += delta * n / total;
                    *deviation += d + delta * delta * count * n / total;
                }
            });
        all.counts += &other.counts;
        Ok(self.kept(all))
    }

    fn finish(&self, last: Partials) -> Result<Chunk> {
        let moments = self.moments(last)?;
        let spread = Zip::from(&moments.deviations)
            .and(&moments.counts)
            .map_collect(|deviations, count| {
                let variance = deviations / (count - self.ddof).max(0.0);
                if self.is_root {
                    variance.sqrt()
                } else {
                    variance
                }
            });
        Ok(wrap(spread))
    }
}

fn moments<T: Kernel>(array: &Elements<T>, axis: Option<usize>) -> Moments {
    let count = axis.map_or(array.len(), |axis| array.shape()[axis]);
    let means = float_sum(array, axis) / count.max(1) as f64;
    Moments {
        counts: ArrayD::from_elem(means.raw_dim(), count as f64),
        deviations: deviations(array, axis, &means, squared),
        means,
    }
}

fn moments_of_numbers<T: Kernel>(array: &Elements<T>, axis: Option<usize>) -> Moments {
    let counts = numbers(array, axis);
    let means = number_sum(array, axis) / counts.mapv(|count| count.max(1.0));
    let squared = |v: T, mean| if v.is_nan() { 0.0 } else { squared(v, mean) };
    Moments {
        deviations: deviations(array, axis, &means, squared),
        counts,
        means,
    }
}

fn squared<T: Kernel>(v: T, mean: f64) -> f64 {
    let deviation = v.to_f64() - mean;
    deviation * deviation
}

/// Returns the sum of each lane's squared deviations from its mean.
fn deviations<T: Kernel>(
    array: &Elements<T>,
    axis: Option<usize>,
    means: &ArrayD<f64>,
    squared: impl Fn(T, f64) -> f64,
) -> ArrayD<f64> {
    let Some(axis) = axis else {
        let mean = means[IxDyn(&[])];
        return fold(
            array,
            None,
            0.0,
            |sum, v| sum + squared(v, mean),
            |a, b| a + b,
        );
    };
    let mut sums = ArrayD::zeros(means.raw_dim());
    for part in array.axis_iter(Axis(axis)) {
        Zip::from(&mut sums)
            .and(means)
            .and(&part)
            .for_each(|sum, &mean, &v| *sum += squared(v, mean));
    }
    sums
}
