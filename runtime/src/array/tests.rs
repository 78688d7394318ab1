//! Any chunking has the same result as one chunk. The synchronous and the threaded scheduler
//! agree. Results are compared with closed forms, and mistakes have plain messages.
#![allow(clippy::unwrap_used, reason = "these are tests")]

use super::*;
use crate::compute::Collection;
use crate::error::Error;
use crate::graph::ChunkValue;
use crate::optimize::{Rules, optimize};
use crate::schedule::Options;
use ndarray::{ArrayD, Axis, IxDyn};
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

mod limits;
mod literals;

/// An array, and the chunks to cut it into.
type Chunked = (ArrayD<f64>, Vec<Vec<usize>>);

fn synchronous() -> Options {
    Options {
        synchronous: true,
        ..Options::default()
    }
}

fn threads(count: usize) -> Options {
    Options {
        threads: Some(count),
        ..Options::default()
    }
}

/// Returns the result, on which both schedulers have to agree bit by bit.
fn computed<C: Collection<Output: std::fmt::Debug>>(collection: &C) -> C::Output {
    let one = collection.compute_with(&synchronous()).unwrap();
    let other = collection.compute_with(&threads(3)).unwrap();
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
    one
}

/// Cuts a length into chunks, some of them empty.
fn cut(length: usize) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..=length, 0..5).prop_map(move |mut ends| {
        ends.push(length);
        ends.sort_unstable();
        let mut start = 0;
        ends.into_iter()
            .map(|end| end - std::mem::replace(&mut start, end))
            .collect()
    })
}

fn cut_all(shape: &[usize]) -> impl Strategy<Value = Vec<Vec<usize>>> + use<> {
    shape.iter().map(|&length| cut(length)).collect::<Vec<_>>()
}

fn shape() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0usize..8, 0..4)
}

fn elements(shape: &[usize]) -> impl Strategy<Value = ArrayD<f64>> + use<> {
    let shape = shape.to_vec();
    prop::collection::vec(-8i32..9, shape.iter().product::<usize>()).prop_map(move |elements| {
        // Multiples of ¼: their sums are exact, so that the order makes no difference.
        let elements = elements.into_iter().map(|v| f64::from(v) / 4.0).collect();
        ArrayD::from_shape_vec(IxDyn(&shape), elements).unwrap()
    })
}

/// Returns an array and the sizes of its chunks.
fn in_chunks(shape: Vec<usize>) -> impl Strategy<Value = (ArrayD<f64>, Vec<Vec<usize>>)> + use<> {
    (elements(&shape), cut_all(&shape))
}

fn any_array() -> impl Strategy<Value = (ArrayD<f64>, Vec<Vec<usize>>)> {
    shape().prop_flat_map(in_chunks)
}

/// Returns two arrays whose shapes broadcast: some axes of length 1, some missing.
fn broadcastable() -> impl Strategy<Value = (Chunked, Chunked)> {
    (shape(), 0u8..8, 0u8..8, 0usize..4, any::<bool>()).prop_flat_map(
        |(shape, ones, other_ones, missing, first)| {
            let with =
                |ones: u8, missing: usize| -> Vec<usize> {
                    let cut = shape.iter().enumerate().map(|(axis, &length)| {
                        if ones & (1 << axis) != 0 { 1 } else { length }
                    });
                    cut.skip(missing.min(shape.len())).collect()
                };
            let (a, b) = (with(ones, 0), with(other_ones, missing));
            let (a, b) = if first { (a, b) } else { (b, a) };
            (in_chunks(a), in_chunks(b))
        },
    )
}

/// Returns matrices and vectors whose inner axes have the same length.
fn factors() -> impl Strategy<Value = (Chunked, Chunked)> {
    let lengths = (
        0usize..9,
        0usize..20,
        0usize..9,
        any::<bool>(),
        any::<bool>(),
    );
    lengths.prop_flat_map(|(rows, inner, columns, left, right)| {
        let a = if left { vec![rows, inner] } else { vec![inner] };
        let b = if right {
            vec![inner, columns]
        } else {
            vec![inner]
        };
        (in_chunks(a), in_chunks(b))
    })
}

fn reference_product(a: &ArrayD<f64>, b: &ArrayD<f64>) -> ArrayD<f64> {
    let (left, right) = (a.ndim() == 2, b.ndim() == 2);
    let rows = if left { a.shape()[0] } else { 1 };
    let columns = if right { b.shape()[1] } else { 1 };
    let inner = b.shape()[0];
    let a_at = |i, k| if left { a[[i, k]] } else { a[[k].as_slice()] };
    let b_at = |k, j| if right { b[[k, j]] } else { b[[k].as_slice()] };
    let places = (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j)));
    let elements = places.map(|(i, j)| (0..inner).map(|k| a_at(i, k) * b_at(k, j)).sum());
    let shape: Vec<usize> = [(left, rows), (right, columns)]
        .into_iter()
        .filter_map(|(kept, length)| kept.then_some(length))
        .collect();
    ArrayD::from_shape_vec(IxDyn(&shape), elements.collect()).unwrap()
}

fn close(found: &ArrayD<f64>, expected: &ArrayD<f64>) {
    assert_eq!(found.shape(), expected.shape());
    for (found, expected) in found.iter().zip(expected) {
        assert_close(*found, *expected);
    }
}

fn assert_close(found: f64, expected: f64) {
    let near = (found - expected).abs() <= 1e-12 * expected.abs().max(1.0);
    assert!(
        near || found == expected || (found.is_nan() && expected.is_nan()),
        "found {found}, expected {expected}"
    );
}

fn reference_variance(lane: impl Iterator<Item = f64> + Clone, ddof: f64) -> f64 {
    let count = lane.clone().count() as f64;
    let mean = lane.clone().sum::<f64>() / count;
    lane.map(|v| (v - mean).powi(2)).sum::<f64>() / (count - ddof).max(0.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn data_come_back((data, cuts) in any_array()) {
        let array = Array::from_ndarray(&data, cuts.clone());
        prop_assert_eq!(&computed(&array), &data);
        prop_assert_eq!(array.shape(), data.shape());
        prop_assert_eq!(array.npartitions(), cuts.iter().map(Vec::len).product::<usize>());
    }

    #[test]
    fn rechunked_data_come_back(
        (data, cuts, other) in shape().prop_flat_map(|shape| {
            (elements(&shape), cut_all(&shape), cut_all(&shape))
        }),
    ) {
        let array = Array::from_ndarray(&data, cuts).rechunk(other);
        prop_assert_eq!(&computed(&array), &data);
    }

    #[test]
    fn arithmetic_broadcasts(((a, cut_a), (b, cut_b)) in broadcastable()) {
        let (x, y) = (Array::from_ndarray(&a, cut_a), Array::from_ndarray(&b, cut_b));
        close(&computed(&(&x + &y)), &(&a + &b));
        close(&computed(&(&x - &y)), &(&a - &b));
        close(&computed(&(&x * &y)), &(&a * &b));
        close(&computed(&(&x / &y)), &(&a / &b));
        // Values that another operation still needs are not overwritten.
        close(&computed(&((&x + &y) * &x - &y)), &((&a + &b) * &a - &b));
        close(&computed(&(1.0 - (&x - &y) * 2.0)), &(1.0 - (&a - &b) * 2.0));
        let less = computed(&x.lt(&y));
        let whole = &a - &b;
        prop_assert_eq!(less, whole.mapv(|v| v < 0.0));
        close(
            &computed(&x.gt(&y).select(&x, &y)),
            &computed(&x.maximum(&y)),
        );
    }

    #[test]
    fn transposed((data, cuts) in any_array(), turn in 0usize..4) {
        let x = Array::from_ndarray(&data, cuts);
        prop_assert_eq!(computed(&x.t()), data.t().to_owned());
        let mut axes: Vec<usize> = (0..data.ndim()).collect();
        axes.rotate_left(turn.min(data.ndim()));
        prop_assert_eq!(
            computed(&x.transpose(&axes)),
            data.clone().permuted_axes(IxDyn(&axes))
        );
        if data.shape().iter().rev().eq(data.shape().iter()) {
            prop_assert_eq!(computed(&(&x + &x.t())), &data + &data.t());
        }
    }

    #[test]
    fn matrix_products(((a, cut_a), (b, cut_b)) in factors()) {
        let product = Array::from_ndarray(&a, cut_a).dot(Array::from_ndarray(&b, cut_b));
        prop_assert_eq!(computed(&product), reference_product(&a, &b));
    }

    #[test]
    fn reductions_of_everything((data, cuts) in any_array()) {
        let x = Array::from_ndarray(&data, cuts);
        assert_close(computed(&x.sum()), data.sum());
        assert_close(computed(&x.prod()), data.product());
        assert_close(computed(&x.mean()), data.sum() / data.len() as f64);
        for ddof in [0.0, 1.0] {
            let variance = reference_variance(data.iter().copied(), ddof);
            assert_close(computed(&x.var_ddof(ddof)), variance);
            assert_close(computed(&x.std_ddof(ddof)), variance.sqrt());
        }
        let positive = x.gt(0.0);
        prop_assert_eq!(computed(&positive.any()), data.iter().any(|&v| v > 0.0));
        prop_assert_eq!(computed(&positive.all()), data.iter().all(|&v| v > 0.0));
        prop_assert_eq!(computed(&positive.sum()), data.iter().filter(|&&v| v > 0.0).count() as i64);
        if !data.is_empty() {
            prop_assert_eq!(computed(&x.min()), data.iter().copied().fold(f64::INFINITY, f64::min));
            prop_assert_eq!(computed(&x.max()), data.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        }
    }

    #[test]
    fn reductions_along_an_axis((data, cuts) in any_array(), layout in any::<bool>()) {
        // Both memory orders: the original one, and the transposed one.
        let (data, x) = if layout {
            (data.clone(), Array::from_ndarray(&data, cuts))
        } else {
            (data.t().to_owned(), Array::from_ndarray(&data, cuts).t())
        };
        for axis in (0..data.ndim()).map(Axis) {
            let lanes = |f: &dyn Fn(&[f64]) -> f64| data.map_axis(axis, |lane| f(&lane.to_vec()));
            close(&computed(&x.sum_axis(axis)), &lanes(&|lane| lane.iter().sum()));
            close(&computed(&x.prod_axis(axis)), &lanes(&|lane| lane.iter().product()));
            close(
                &computed(&x.mean_axis(axis)),
                &lanes(&|lane| lane.iter().sum::<f64>() / lane.len() as f64),
            );
            for ddof in [0.0, 1.0] {
                let variance = |lane: &[f64]| reference_variance(lane.iter().copied(), ddof);
                close(&computed(&x.var_axis(axis, ddof)), &lanes(&variance));
                close(&computed(&x.std_axis(axis, ddof)), &lanes(&|lane| variance(lane).sqrt()));
            }
            prop_assert_eq!(
                computed(&x.ge(1.0).any_axis(axis)),
                data.map_axis(axis, |lane| lane.iter().any(|&v| v >= 1.0))
            );
            prop_assert_eq!(
                computed(&x.ge(1.0).all_axis(axis)),
                data.map_axis(axis, |lane| lane.iter().all(|&v| v >= 1.0))
            );
            if data.len_of(axis) > 0 {
                close(
                    &computed(&x.min_axis(axis)),
                    &lanes(&|lane| lane.iter().copied().fold(f64::INFINITY, f64::min)),
                );
                close(
                    &computed(&x.max_axis(axis)),
                    &lanes(&|lane| lane.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
                );
            }
        }
    }

    #[test]
    fn slices((data, cuts) in any_array(), a in 0usize..8, b in 0usize..8) {
        let x = Array::from_ndarray(&data, cuts);
        for axis in 0..data.ndim() {
            let length = data.shape()[axis];
            let (start, end) = (a.min(b).min(length), a.max(b).min(length));
            let mut part = data.clone();
            part.slice_axis_inplace(Axis(axis), (start..end).into());
            prop_assert_eq!(computed(&x.slice_axis(Axis(axis), start..end)), part.clone());
            let both = x.slice_axis(Axis(axis), 0..start);
            let rest = x.slice_axis(Axis(axis), start..length);
            prop_assert_eq!(computed(&concatenate(Axis(axis), &[both, rest])), data.clone());
            if a < length {
                prop_assert_eq!(
                    computed(&x.index_axis(Axis(axis), a)),
                    data.index_axis(Axis(axis), a).to_owned()
                );
            }
            let stacked = ndarray::stack(Axis(axis), &[data.view(), data.view()]).unwrap();
            prop_assert_eq!(computed(&stack(Axis(axis), &[x.clone(), x.clone()])), stacked);
        }
    }

    #[test]
    fn encoded_chunks_come_back((data, cuts) in any_array()) {
        let x = Array::from_ndarray(&data, cuts);
        let round_trip = |chunk: &Chunk| {
            let encode = |chunk: &Chunk| {
                let mut bytes = Vec::new();
                chunk.encode(&mut bytes).unwrap();
                bytes
            };
            let decode = |bytes: &[u8]| Chunk::decode(&mut &*bytes, bytes.len() as u64);
            let bytes = encode(chunk);
            let decoded = decode(&bytes).unwrap();
            assert_eq!(decoded.summary(), chunk.summary());
            assert_eq!(encode(&decoded), bytes);
            assert!(decode(&bytes[..bytes.len() - 1]).is_err());
            assert!(decode(&[&bytes[..], &[0]].concat()).is_err());
            // The announced number of bytes is larger than the actual one.
            assert!(Chunk::decode(&mut &bytes[..bytes.len() - 1], bytes.len() as u64).is_err());
        };
        round_trip(&f64::wrap(data.clone().into_shared()));
        round_trip(&f64::wrap(data.t().to_owned().into_shared()));
        round_trip(&f32::wrap(computed(&x.astype()).into_shared()));
        round_trip(&i64::wrap(computed(&x.astype()).into_shared()));
        round_trip(&i32::wrap(computed(&x.astype()).into_shared()));
        round_trip(&u64::wrap(computed(&x.astype()).into_shared()));
        round_trip(&u32::wrap(computed(&x.astype()).into_shared()));
        round_trip(&u8::wrap(computed(&x.astype()).into_shared()));
        round_trip(&bool::wrap(computed(&x.astype()).into_shared()));
    }

    #[test]
    fn random_numbers_depend_on_seed_and_place_alone(
        (shape, cuts) in shape().prop_flat_map(|shape| (Just(shape.clone()), cut_all(&shape))),
        seed in any::<u64>(),
    ) {
        let whole = |x: Array<f64>| x.compute_with(&synchronous()).unwrap();
        let x = Array::random(shape.clone(), cuts.clone(), seed);
        prop_assert_eq!(computed(&x), random_array(shape.clone(), seed));
        let x = Array::random_normal(shape.clone(), cuts.clone(), seed);
        prop_assert_eq!(computed(&x), whole(Array::random_normal(shape.clone(), -1, seed)));
        let x = Array::random_integers(-3..9, shape.clone(), cuts, seed);
        let x = computed(&x);
        prop_assert_eq!(&x, &computed(&Array::random_integers(-3..9, shape, -1, seed)));
        prop_assert!(x.iter().all(|v| (-3..9).contains(v)));
    }
}

#[test]
fn random_numbers_are_the_same_for_any_number_of_threads() {
    let array = || Array::random((100, 70), (9, 11), 42);
    let one = array().compute_with(&threads(1)).unwrap();
    for count in [2, 5] {
        assert_eq!(array().compute_with(&threads(count)).unwrap(), one);
    }
    assert_eq!(array().compute_with(&synchronous()).unwrap(), one);
    assert_ne!(
        Array::random((100, 70), (9, 11), 43).compute().unwrap(),
        one
    );
}

#[test]
fn random_numbers_are_distributed_as_they_say() {
    let check = |x: Array<f64>, mean: f64, std: f64| {
        assert!((x.mean().compute().unwrap() - mean).abs() < 0.01);
        assert!((x.std().compute().unwrap() - std).abs() < 0.01);
    };
    check(
        Array::random((400, 500), (100, 130), 7),
        0.5,
        (1.0f64 / 12.0).sqrt(),
    );
    check(Array::random_normal((400, 500), (100, 130), 7), 0.0, 1.0);
    let dice = Array::random_integers(1..7, 200_000, 30_000, 7);
    check(dice.astype(), 3.5, (35.0f64 / 12.0).sqrt());
}

/// The walkthrough's array: 10 × 100 000 in ten chunks.
#[test]
fn the_mean_of_the_walkthrough() {
    let a: ndarray::Array2<f64> = random_array((10, 100_000), 42);
    let expected = a.mean().unwrap();
    let b = Array::from_ndarray(a, (10, 10_000));
    assert_eq!(b.npartitions(), 10);
    assert!((computed(&b.mean()) - expected).abs() < 1e-12);
}

/// `x.dot(x.t() + 1)` has 30 everywhere, `x.mean_axis(0)` 1: nothing deviates.
#[test]
fn the_expressions_of_the_walkthrough() {
    let x = Array::<f64>::ones((15, 15), (5, 5));
    assert_eq!(
        computed(&(&x + &x.t())),
        ArrayD::from_elem(IxDyn(&[15, 15]), 2.0)
    );
    let y = x.dot(x.t() + 1.0) - x.mean_axis(Axis(0));
    assert_eq!(computed(&y), ArrayD::from_elem(IxDyn(&[15, 15]), 29.0));
    assert_eq!(computed(&y.std()), 0.0);

    // 0 … 14 in each row: the standard deviation of 0 … n − 1 is √((n² − 1) / 12).
    let z = &x * Array::arange(15, 4);
    assert_close(computed(&z.std()), ((15.0f64 * 15.0 - 1.0) / 12.0).sqrt());
    assert_eq!(computed(&z.sum()), 15.0 * 105.0);
}

#[test]
fn a_large_mean_costs_the_variance_no_digits() {
    let x = Array::arange(1000, 64) + 1e9;
    assert_close(computed(&x.var()), (1000.0f64 * 1000.0 - 1.0) / 12.0);
}

#[test]
fn empty_chunks_and_axes() {
    let x = Array::<f64>::ones((10, 3), vec![vec![5, 0, 5], vec![0, 3]]);
    assert_eq!(x.chunks().to_string(), "((5, 0, 5), (0, 3))");
    assert_eq!(computed(&x.sum()), 30.0);
    assert_eq!(computed(&x.min()), 1.0);
    assert_eq!(computed(&x.std()), 0.0);
    let y = Array::<f64>::ones((10, 3), (4, 2));
    assert_eq!(computed(&(&x + &y).sum()), 60.0);
    assert_eq!(computed(&x.t().dot(&y).sum()), 90.0);
    let none = Array::<f64>::ones((0, 3), (5, 2));
    assert_eq!(
        computed(&none.sum_axis(Axis(0))),
        ArrayD::<f64>::zeros(IxDyn(&[3]))
    );
    assert!(computed(&none.mean()).is_nan());
    assert_eq!(computed(&(&none + 1.0)).shape(), [0, 3]);
}

#[test]
fn zeros_and_ones_of_one_shape_are_not_confused() {
    let (zeros, ones) = (
        Array::<f64>::zeros((4, 4), 2),
        Array::<f64>::ones((4, 4), 2),
    );
    assert_ne!(zeros.raw().layer().name(), ones.raw().layer().name());
    let (a, b) = crate::compute((&zeros, &ones)).unwrap();
    assert_eq!((a.sum(), b.sum()), (0.0, 16.0));
    // The same array, specified in another way.
    assert_eq!(
        ones.raw().layer().name(),
        Array::<f64>::ones([4, 4], (2, 2)).raw().layer().name()
    );
    // Shape, type and number of chunks are equal. Only the cuts distinguish the arrays.
    let name = |sizes: [usize; 2]| {
        let cut = Array::<f64>::ones(5, vec![sizes.to_vec()]);
        cut.raw().layer().name().clone()
    };
    assert_ne!(name([2, 3]), name([3, 2]));
    let data = |sizes: [usize; 2]| {
        let cut = Array::from_ndarray(vec![0.0; 5], vec![sizes.to_vec()]);
        cut.raw().layer().name().clone()
    };
    assert_ne!(data([2, 3]), data([3, 2]));
}

#[test]
fn every_pair_of_operands() {
    let x = Array::<f64>::full(3, 6.0, 2);
    let s = Array::<f64>::full(3, 1.0, 2).sum();
    let is = |found: Array<f64>, expected: f64| {
        assert_eq!(computed(&found), ArrayD::from_elem(IxDyn(&[3]), expected));
    };
    is(&x - &s, 3.0);
    is(x.clone() / s.clone(), 2.0);
    is(&s - &x, -3.0);
    is(12.0 / &x, 2.0);
    is(1.0 - x.clone(), -5.0);
    is(&x % 4.0, 2.0);
    is(-&x, -6.0);
    is(&x - x.mean(), 0.0);
    is((&x * &x).sqrt(), 6.0);
    is(x.map(|v| v + 0.5), 6.5);
    is(x.map_blocks(|chunk: ArrayD<f64>| chunk * 2.0), 12.0);
    is(x.powi(2), 36.0);
    assert_eq!(computed(&((&s + 1.0) * 2.0 - &s)), 5.0);
    assert_eq!(computed(&(2.0 * s).sqrt()), 6.0f64.sqrt());
    let mask = x.gt(5.0) & !x.gt(7.0);
    assert_eq!(computed(&mask.sum()), 3);
}

#[test]
fn integers_have_wide_sums() {
    let bytes = Array::<u8>::full(1000, 255, 64);
    assert_eq!(computed(&bytes.sum()), 255_000u64);
    assert_eq!(computed(&bytes.mean()), 255.0);
    let x = Array::<i32>::arange(7, 3);
    assert_eq!(computed(&x.sum()), 21i64);
    assert_eq!(computed(&x.dot(&x)).sum(), 91);
    assert_eq!(computed(&(-&x).abs().max()), 6);
    assert_eq!(computed(&(7 / (&x + 1))).sum(), 7 + 3 + 2 + 1 + 1 + 1 + 1);
    assert_eq!(computed(&x.astype::<bool>().sum()), 6);
    assert_eq!(
        computed(&Array::<i64>::eye(5, (2, 3))),
        ndarray::Array2::<i64>::eye(5).into_dyn()
    );
    assert_eq!(
        computed(&Array::linspace(0.0, 1.0, 5, 2))
            .as_slice()
            .unwrap(),
        [0.0, 0.25, 0.5, 0.75, 1.0]
    );
}

#[test]
fn nan_is_the_smallest_and_the_largest() {
    for at in 0..5 {
        let mut data = vec![1.0; 5];
        data[at] = f64::NAN;
        let x = Array::from_ndarray(data, 2);
        assert!(computed(&x.min()).is_nan() && computed(&x.max()).is_nan());
        assert_eq!(computed(&x.is_nan().sum()), 1);
    }
}

#[test]
fn auto_chunks_hold_128_mib() {
    let chunks =
        |shape: &[usize], spec: ChunkSpec| spec.resolve(shape, DType::F64).unwrap().largest();
    assert_eq!(chunks(&[10_000, 10_000], "auto".into()), [4096, 4096]);
    assert_eq!(chunks(&[10, 10_000_000], ().into()), [10, 1_677_721]);
    assert_eq!(chunks(&[100, 100], ().into()), [100, 100]);
    assert_eq!(chunks(&[10, 20], (-1, 7).into()), [10, 7]);
    assert_eq!(chunks(&[10, 20], 8.into()), [8, 8]);
    assert_eq!(chunks(&[10, 20], ([4, 6], 30).into()), [6, 20]);
    assert_eq!(chunks(&[10, 20], ChunkSpec::whole()), [10, 20]);
    assert_eq!(
        chunks(&[10, 20], vec![vec![4, 6], vec![20]].into()),
        [6, 20]
    );
    assert_eq!(
        chunks(&[10, 20], (&Chunks::new([[4, 6], [1, 19]])).into()),
        [6, 19]
    );
}

fn check(mistake: impl FnOnce(), expected: &str) {
    let payload = catch_unwind(AssertUnwindSafe(mistake)).unwrap_err();
    let error = payload.downcast_ref::<Error>().unwrap();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn mistakes_name_what_does_not_fit() {
    let ones = |shape: &[usize]| Array::<f64>::ones(shape, 2);
    check(
        || drop(ones(&[3, 4]) + ones(&[5])),
        "cannot add shapes (3, 4) and (5,): axis 1 is 4, expected 5",
    );
    check(
        || drop(ones(&[3, 4]) * ones(&[2, 1])),
        "cannot multiply shapes (3, 4) and (2, 1): axis 0 is 3, expected 2",
    );
    check(
        || drop(ones(&[3, 4]).gt(ones(&[3]))),
        "cannot compare shapes (3, 4) and (3,): axis 1 is 4, expected 3",
    );
    check(
        || drop(ones(&[3, 4]).dot(ones(&[3, 4]))),
        "cannot multiply matrices of shapes (3, 4) and (3, 4): axis 1 of the left one is 4, expected 3",
    );
    check(
        || drop(ones(&[3, 4]).mean_axis(Axis(2))),
        "axis 2 is out of range for an array of shape (3, 4)",
    );
    check(
        || drop(ones(&[0]).max()),
        "max of an array of shape (0,): there is no element, expected at least one",
    );
    check(
        || drop(ones(&[3, 4]).rechunk((0, 5))),
        "chunks (0, 5): the size along axis 0 is 0, expected at least 1, or -1 for the whole axis",
    );
    check(
        || drop(ones(&[3, 4]).rechunk((1, 2, 3))),
        "chunks (1, 2, 3): 3 axes for an array of shape (3, 4), expected 2",
    );
    check(
        || drop(ones(&[3, 4]).rechunk(([1, 1], 4))),
        "chunks ((1, 1), 4): the sizes along axis 0 add up to 2, expected 3",
    );
    check(
        || drop(ones(&[3, 4]).slice_axis(Axis(1), 2..7)),
        "cannot take 2..7 along axis 1 of an array of shape (3, 4): expected a range within 0..4",
    );
    check(
        || drop(ones(&[3, 4]).transpose([0, 0])),
        "cannot transpose an array of shape (3, 4) to axes (0, 0): expected each of its 2 axes once",
    );
    check(
        || drop(stack(Axis(0), &[ones(&[3]), ones(&[4])])),
        "cannot stack shapes (3,) and (4,): expected the same shape",
    );
    check(
        || drop(concatenate(Axis(0), &[ones(&[3, 4]), ones(&[3, 5])])),
        "cannot concatenate shapes (3, 4) and (3, 5) along axis 0: expected the same length along every other axis",
    );
    check(
        || drop(Array::<f64>::ones((1 << 40, 1 << 40), 1 << 30)),
        "an array of shape (1099511627776, 1099511627776) is too large: expected at most isize::MAX bytes",
    );
}

#[test]
fn a_division_of_integers_by_zero_fails_its_task() {
    let x = Array::<i64>::arange(4, 2);
    let message = (12 / &x).compute().unwrap_err().to_string();
    assert!(
        message.contains("an integer is divided by zero"),
        "{message}"
    );
    let wrong = x.map_blocks(|chunk: ArrayD<i64>| chunk.insert_axis(Axis(0)));
    let message = wrong.compute().unwrap_err().to_string();
    assert!(
        message.contains("returned shape (1, 2) for a chunk of shape (2,)"),
        "{message}"
    );
}

/// ones → + 1 → × 2 → sum-chunk becomes one task a chunk.
#[test]
fn chunkwise_steps_fuse_into_a_reduction() {
    let x = ((Array::<f64>::ones((4, 4), 2) + 1.0) * 2.0).sum();
    let mut layers = crate::graph::Layers::new(std::slice::from_ref(x.raw().layer()));
    optimize(&mut layers, Rules::All).unwrap();
    let names: Vec<&str> = layers
        .nodes()
        .iter()
        .map(|node| node.operation_name(0))
        .collect();
    assert_eq!(names, ["ones-add-mul-sum-chunk", "sum-aggregate"]);
}

#[test]
fn names_of_operations() {
    let x = Array::<f64>::ones((15, 15), (5, 5));
    let y = (x.dot(x.t() + 1.0) - x.mean_axis(Axis(0))).std();
    let layers = crate::graph::topological(std::slice::from_ref(y.raw().layer()));
    let names: Vec<&str> = layers.iter().map(|layer| layer.operation_name(0)).collect();
    assert_eq!(
        names,
        [
            "ones",
            "transpose",
            "add",
            "dot",
            "sum",
            "mean-chunk",
            "mean-aggregate",
            "sub",
            "std-chunk",
            "std-aggregate"
        ]
    );
}

#[test]
fn persisted_arrays_keep_their_values() {
    let x = Array::random((40, 40), 7, 3);
    let persisted = x.persist().unwrap();
    assert_eq!(persisted.compute().unwrap(), x.compute().unwrap());
    assert_eq!(
        (persisted + 1.0).sum().compute().unwrap(),
        (x + 1.0).sum().compute().unwrap()
    );
}

#[test]
fn ten_thousand_chunks() {
    let start = std::time::Instant::now();
    let x = Array::random((200, 200), (2, 2), 1);
    let mean = (&x + &x.t()).mean();
    let described = start.elapsed();
    let found = mean.compute().unwrap();
    println!(
        "10 000 chunks: described in {described:?}, computed in {:?}",
        start.elapsed() - described
    );
    assert_close(found, 2.0 * random_array((200, 200), 1).mean().unwrap());
}
