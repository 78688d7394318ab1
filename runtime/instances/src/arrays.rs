//! Instances for chunked arrays and for arrays of ndarray.

use super::used;
use ndarray::{Array1, Array2, ArrayD};
use swath::prelude::*;
use swath::session::cell::Failure;

used! { handle:
    chunked: Array<f64>,
    chunked_integers: Array<i64>,
    scalar: Scalar<f64>,
    numbers: (f64, f64),
}

used! { take:
    one_axis: Array1<f64>,
    two_axes: Array2<f64>,
    any_axes: ArrayD<f64>,
    svg: Svg,
    svg_or_error: swath::Result<Svg>,
    number_or_error: swath::Result<f64>,
    array_or_error: swath::Result<ArrayD<f64>>,
    drawing: Plot,
}

/// Creates, combines, reduces and displays arrays.
pub fn computed(x: &Array<f64>) -> Result<f64, Failure> {
    let a = random_array((10, 100_000), 42);
    let mean = a.mean().unwrap_or(0.0) + a.sum() + a.std(0.0);
    let b = Array::from_ndarray(a.clone(), (10, 10_000));
    let ones = Array::<f64>::ones((15, 15), (5, 5)) + Array::<f64>::zeros((15, 15), (5, 5));
    let random = Array::<f64>::random((15, 15), (5, 5), 1);
    let sum = (x + &x.t()).sum().compute()? + (&ones + &random).mean().compute()?;
    let mixed = x.dot(&(x.t() + 1.0)) - x.mean_axis(Axis(0));
    let scaled = (&mixed * 2.0 - 1.0) / 3.0;
    let picture = scaled.std().visualize()?;
    picture.save("x.svg")?;
    let pictures = (x.visualize()?, mixed.visualize()?);
    let values = scaled.compute()?;
    drop((pictures, values));
    let total = scaled.sum_axis(Axis(1)).compute()?;
    Ok(mean + sum + b.mean().compute()? + total.sum() + b.max().compute()? + b.min().compute()?)
}

/// Uses ndarray's own operations.
pub fn in_memory(a: &Array2<f64>, v: &Array1<f64>) -> f64 {
    let product = a.dot(v);
    let doubled = a * 2.0 + a;
    let zeros = Array2::<f64>::zeros((3, 4));
    let from = Array1::from_vec(vec![1.0, 2.0]);
    let transposed = doubled.t().to_owned();
    product.sum() + zeros.sum() + from.sum() + transposed.sum_axis(Axis(0)).sum()
}
