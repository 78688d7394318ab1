//! Integers of every type at its limits, in one chunk and in several, compared with
//! arithmetic in 128 bits: the same number, or an error that reports the overflow.

use super::computed;
use crate::array::{Array, Element, Number, Scalar, dtype};
use crate::compute::Collection;
use crate::error::Result;
use ndarray::{ArrayD, Axis};
use proptest::prelude::*;
use std::fmt::{Debug, Display};
use std::ops::RangeInclusive;

/// An element type with the ranges to check its results against.
trait Tested: Number + TryFrom<i128, Error: Debug> + Into<i128> {
    const RANGE: RangeInclusive<i128>;
    const SUMS: RangeInclusive<i128>;
}

macro_rules! tested {
    ($($type:ident $sum:ident)*) => {$(
        impl Tested for $type {
            const RANGE: RangeInclusive<i128> = $type::MIN as i128..=$type::MAX as i128;
            const SUMS: RangeInclusive<i128> = $sum::MIN as i128..=$sum::MAX as i128;
        }
    )*};
}
tested!(i64 i64 i32 i64 u64 u64 u32 u64 u8 u64);

/// Returns numbers at limits, and small ones.
fn numbers() -> impl Strategy<Value = Vec<i128>> {
    let limits = [
        i64::MIN.into(),
        i64::MIN as i128 + 1,
        i32::MIN.into(),
        -(1 << 53) - 1,
        i32::MAX.into(),
        u32::MAX.into(),
        u8::MAX.into(),
        (1 << 53) + 1,
        i64::MAX as i128 - 1,
        i64::MAX.into(),
        u64::MAX as i128 - 1,
        u64::MAX.into(),
    ];
    let one = prop_oneof![2 => -3i128..4, 1 => prop::sample::select(limits.to_vec())];
    prop::collection::vec(one, 0..14)
}

fn wide(number: impl Display) -> i128 {
    number.to_string().parse().unwrap()
}

fn all_wide<T: Element>(numbers: ArrayD<T>) -> Vec<i128> {
    numbers.iter().map(wide).collect()
}

/// Checks that the result is the number, or the error about one that the type does not hold.
#[track_caller]
fn check(found: Result<i128>, expected: Option<i128>, range: &RangeInclusive<i128>, what: &str) {
    match expected.filter(|expected| range.contains(expected)) {
        Some(expected) => assert_eq!(
            found.map_err(|error| error.to_string()),
            Ok(expected),
            "{what}"
        ),
        None => {
            let message = found.expect_err(what).to_string();
            assert!(message.contains("is beyond what"), "{what}: {message}");
        }
    }
}

fn scalar<T: Element>(scalar: &Scalar<T>) -> Result<i128> {
    scalar.compute().map(wide)
}

/// Returns the exact product, if it fits in 128 bits.
fn product(numbers: &[i128]) -> Option<i128> {
    if numbers.contains(&0) {
        return Some(0);
    }
    // A product beyond 2¹²⁷ is beyond all types.
    numbers
        .iter()
        .try_fold(1, |all: i128, one| all.checked_mul(*one))
}

fn reduces<T: Tested>(numbers: &[i128], chunk: usize) {
    let numbers: Vec<i128> = numbers
        .iter()
        .copied()
        .filter(|v| T::RANGE.contains(v))
        .collect();
    let elements =
        |numbers: &[i128]| -> Vec<T> { numbers.iter().map(|&v| T::try_from(v).unwrap()).collect() };
    let what = format!("{numbers:?} of {} in chunks of {chunk}", T::DTYPE);
    let x = Array::from_ndarray(elements(&numbers), chunk);
    check(
        scalar(&x.sum()),
        Some(numbers.iter().sum()),
        &T::SUMS,
        &format!("sum of {what}"),
    );
    check(
        scalar(&x.prod()),
        product(&numbers),
        &T::SUMS,
        &format!("product of {what}"),
    );
    let squares = numbers
        .iter()
        .try_fold(0i128, |all, v| all.checked_add(v.checked_mul(*v)?));
    // Several chunks have several sums, which must fit as well. With squares, each of them
    // is at most the whole sum.
    let dot = x.dot(&x).compute().map(|sum| all_wide(sum)[0]);
    check(dot, squares, &T::RANGE, &format!("dot of {what}"));
    if numbers.is_empty() {
        assert!(computed(&x.mean()).is_nan());
        return;
    }
    assert_eq!(
        scalar(&x.min()).unwrap(),
        *numbers.iter().min().unwrap(),
        "{what}"
    );
    assert_eq!(
        scalar(&x.max()).unwrap(),
        *numbers.iter().max().unwrap(),
        "{what}"
    );
    let sum: i128 = numbers.iter().sum();
    let mean = sum as f64 / numbers.len() as f64;
    let found = computed(&x.mean());
    assert!(
        (found - mean).abs() <= 4e-16 * mean.abs(),
        "mean of {what}: {found}, not {mean}"
    );
    // Two equal rows, for reductions along an axis.
    let two: Vec<i128> = numbers.iter().chain(&numbers).copied().collect();
    let shape = (2, numbers.len());
    let rows = ndarray::Array2::from_shape_vec(shape, elements(&two)).unwrap();
    for chunks in [(1, chunk), (2, chunk), (2, numbers.len())] {
        let rows = Array::from_ndarray(&rows, chunks);
        let sums = rows
            .sum_axis(Axis(1))
            .compute()
            .map(|sums| all_wide(sums)[1]);
        check(sums, Some(sum), &T::SUMS, &format!("sums of {what}"));
        let products = rows
            .prod_axis(Axis(1))
            .compute()
            .map(|products| all_wide(products)[1]);
        check(
            products,
            product(&numbers),
            &T::SUMS,
            &format!("products of {what}"),
        );
        let doubled = rows
            .sum_axis(Axis(0))
            .compute()
            .map(|sums| all_wide(sums)[0]);
        let fits = numbers.iter().all(|v| T::SUMS.contains(&(2 * v)));
        let expected = fits.then_some(2 * numbers[0]);
        check(
            doubled,
            expected,
            &T::SUMS,
            &format!("column sums of {what}"),
        );
    }
}

fn combines<T: Tested>(numbers: &[i128]) {
    let numbers: Vec<i128> = numbers
        .iter()
        .copied()
        .filter(|v| T::RANGE.contains(v))
        .collect();
    type Exact = fn(i128, i128) -> Option<i128>;
    let of = |v: i128| Array::full((), T::try_from(v).unwrap(), ());
    let only = |array: Array<T>| array.compute().map(|array| all_wide(array)[0]);
    for &a in &numbers {
        for &b in &numbers {
            let check = |found: Array<T>, exact: Exact, sign: &str| {
                check(
                    only(found),
                    exact(a, b),
                    &T::RANGE,
                    &format!("{a} {sign} {b} of {}", T::DTYPE),
                );
            };
            let literal = T::try_from(b).unwrap();
            check(of(a) + of(b), i128::checked_add, "+");
            check(of(a) - of(b), i128::checked_sub, "-");
            check(of(a) * of(b), i128::checked_mul, "*");
            check(of(a) + literal, i128::checked_add, "+");
            check(of(a) - literal, i128::checked_sub, "-");
            check(of(a) * literal, i128::checked_mul, "*");
            if b != 0 {
                check(of(a) / of(b), i128::checked_div, "/");
                check(of(a) % of(b), i128::checked_rem, "%");
            }
            assert_eq!(computed(&of(a).gt(of(b)).all()), a > b);
            assert_eq!(computed(&of(a).eq(literal).all()), a == b);
        }
        check(
            only(of(a).powi(2)),
            a.checked_mul(a),
            &T::RANGE,
            &format!("{a} squared"),
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn reductions_are_right_or_an_error(numbers in numbers(), chunk in 1usize..6) {
        reduces::<i64>(&numbers, chunk);
        reduces::<i32>(&numbers, chunk);
        reduces::<u64>(&numbers, chunk);
        reduces::<u32>(&numbers, chunk);
        reduces::<u8>(&numbers, chunk);
        reduces::<i64>(&numbers, 20);
        reduces::<u64>(&numbers, 20);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn operators_are_right_or_an_error(numbers in numbers()) {
        combines::<i64>(&numbers);
        combines::<i32>(&numbers);
        combines::<u64>(&numbers);
        combines::<u32>(&numbers);
        combines::<u8>(&numbers);
    }
}

#[test]
fn what_is_beyond_a_type_says_so() {
    #[track_caller]
    fn fails<C: Collection<Output: Debug>>(collection: &C, expected: &str) {
        let error = collection.compute().unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let most = Array::<i64>::full(3, i64::MAX, 1);
    fails(
        &most.sum(),
        "the sum of elements (27670116110564327421) is beyond what i64 holds: cast to floats first",
    );
    fails(
        &most.prod(),
        "the product of elements is beyond what i64 holds",
    );
    let bytes = Array::<u8>::full(3, 200, 2);
    assert_eq!(bytes.sum().compute().unwrap(), 600);
    fails(
        &(&bytes + &bytes),
        "200 + 200 is beyond what u8 holds: cast to a wider type first with `.astype::<i64>()`",
    );
    fails(&(1 - &bytes), "1 - 200 is beyond what u8 holds");
    fails(
        &bytes.dot(&bytes),
        "dot: a sum of products is beyond what u8 holds",
    );
    let least = Array::<i32>::full(3, i32::MIN, 2);
    fails(&-&least, "0 - -2147483648 is beyond what i32 holds");
    fails(&least.abs(), "0 - -2147483648 is beyond what i32 holds");
    fails(&(&least / -1), "-2147483648 / -1 is beyond what i32 holds");
    assert!(
        computed(&(&least % Array::full(3, -1, 2)))
            .iter()
            .all(|&rest| rest == 0)
    );
    fails(
        &least.powi(3),
        "-2147483648 to the power of 3 is beyond what i32 holds",
    );
    // Intermediate sums may be beyond the type.
    let there_and_back = vec![i64::MAX, i64::MAX, i64::MIN, i64::MIN, 7];
    for chunk in 1..6 {
        let x = Array::from_ndarray(there_and_back.clone(), chunk);
        assert_eq!(computed(&x.sum()), 5);
        assert_eq!(computed(&x.mean()), 1.0);
        assert_eq!(
            computed(&Array::from_ndarray(vec![i64::MAX, i64::MIN], chunk).mean()),
            -0.5
        );
    }
    assert_eq!(
        computed(&Array::<u32>::full(3, 2_000_000_000, 1).sum()),
        6_000_000_000
    );
    assert_eq!(computed(&Array::<u8>::arange(256, 100).max()), 255);
    let wrong = std::panic::catch_unwind(|| Array::<u8>::arange(257, 100)).unwrap_err();
    let error = wrong.downcast_ref::<crate::Error>().unwrap();
    assert_eq!(error.kind(), "OverflowError");
    assert!(
        error
            .to_string()
            .starts_with("arange(257): 256 is beyond what u8 holds"),
        "{error}"
    );
}

#[test]
fn small_integers_are_added_up_in_64_bits_only_where_they_fit() {
    // The limit that `wide::sum` relies on.
    let most = |v: i128| (1i128 << 31) * v;
    assert!(i64::try_from(most(i32::MIN.into())).is_ok());
    assert!(i64::try_from(most(u32::MAX.into())).is_ok());
    const {
        assert!(<i32 as dtype::Integer>::IS_SMALL && <u32 as dtype::Integer>::IS_SMALL);
        assert!(!<i64 as dtype::Integer>::IS_SMALL && !<u64 as dtype::Integer>::IS_SMALL);
    }
}
