//! The equality of calls.

use super::*;

/// Two functions with one signature, and closures that contain nothing.
#[test]
fn pure_calls_are_the_same_if_function_and_arguments_are() {
    fn subtract(a: i64, b: i64) -> i64 {
        a - b
    }
    let pure = delayed(add).pure().unwrap();
    let key_of = |call: Delayed<i64>| call.key().to_owned();
    let one = key_of(pure.call(1, 2));
    assert_eq!(key_of(delayed(add).pure().unwrap().call(1, 2)), one);
    assert_eq!(key_of(pure.apply((1, 2))), one);
    assert_ne!(key_of(pure.call(2, 1)), one);
    assert_ne!(key_of(delayed(add).call(1, 2)), one);
    assert_ne!(key_of(delayed(subtract).pure().unwrap().call(1, 2)), one);
    assert_ne!(key_of(pure.named("plus").call(1, 2)), one);
    assert_eq!(key_of(pure.retries(3).call(1, 2)), one);
    let (plus, also_plus) = (
        delayed(|a: i64, b: i64| a + b),
        delayed(|a: i64, b: i64| a + b),
    );
    assert_ne!(
        key_of(plus.pure().unwrap().call(1, 2)),
        key_of(also_plus.pure().unwrap().call(1, 2))
    );
    assert_eq!(pure.call(1, 2).compute().unwrap(), 3);

    // Nested calls, and lists of calls.
    let nested = || pure.call(pure.call(1, 2), 3);
    assert_eq!(key_of(nested()), key_of(nested()));
    assert_ne!(key_of(nested()), key_of(pure.call(pure.call(1, 3), 3)));
    assert_ne!(key_of(nested()), key_of(pure.call(3, 3)));
    let sum = delayed(total).pure().unwrap();
    let listed = |last: i64| sum.call([pure.call(1, 2), pure.call(3, last)]);
    assert_eq!(key_of(listed(4)), key_of(listed(4)));
    assert_ne!(key_of(listed(4)), key_of(listed(5)));
    assert_ne!(
        key_of(sum.call([pure.call(1, 2)])),
        key_of(sum.call([pure.call(1, 2), pure.call(1, 2)]))
    );
    // A call that is not pure differs each time.
    let impure = || pure.call(delayed(add).call(1, 2), 3);
    assert_ne!(key_of(impure()), key_of(impure()));
    let value = Delayed::value(1);
    assert_eq!(key_of(pure.call(&value, 1)), key_of(pure.call(&value, 1)));
}

/// Their encodings have more than one block.
#[test]
fn equal_arrays_in_other_orders_are_one_argument() {
    fn sum(values: ndarray::Array2<f64>) -> f64 {
        values.sum()
    }
    let rows =
        ndarray::Array2::from_shape_fn((100, 90), |(row, column)| (row * 90 + column) as f64);
    let mut columns = ndarray::Array2::zeros(ndarray::ShapeBuilder::f((100, 90)));
    columns.assign(&rows);
    assert_ne!(rows.strides(), columns.strides());
    let call = |values| delayed(sum).pure().unwrap().call(values).key().to_owned();
    let other = call(&rows + 1.0);
    assert_eq!(call(rows.clone()), call(columns));
    assert_ne!(call(rows), other);
}

#[test]
fn a_result_taken_apart_is_not_the_result() {
    fn parse(text: String) -> Result<i64, String> {
        text.parse().map_err(|_| "no number".to_owned())
    }
    let whole = delayed(parse).pure().unwrap().call("1");
    let apart = try_delayed(parse).pure().unwrap().call("1");
    assert_eq!(compute((&whole, &apart)).unwrap(), (Ok(1), 1));
}

#[test]
fn what_holds_data_is_not_pure() {
    let step = 2i64;
    let error = delayed(move |a: i64| a + step).pure().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the function closure contains 8 bytes of data, which cannot be compared: a pure function must receive everything that it uses as an argument"
    );
    let pointer: fn(i64, i64) -> i64 = add;
    assert_eq!(delayed(pointer).pure().unwrap_err().kind(), "ArgumentError");

    // A value without an encoding is different from every other.
    #[derive(Clone)]
    struct Secret(i64);
    let open = delayed(|secret: Secret| secret.0).pure().unwrap();
    let (one, other) = (open.call(Secret(1)), open.call(Secret(1)));
    assert_ne!(one.key(), other.key());
    assert_eq!(compute((&one, &other)).unwrap(), (1, 1));
}

// (1, 2) → add ┐
// (1, 2) → add ┴ add      : two tasks, because both inner calls are one
#[test]
fn pure_calls_run_once_and_find_what_is_persisted() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    fn slow(a: i64, b: i64) -> i64 {
        RUNS.fetch_add(1, Ordering::Relaxed);
        a + b
    }
    let runs = || RUNS.swap(0, Ordering::Relaxed);
    let slow = delayed(slow).pure().unwrap();
    let twice = || slow.call(slow.call(1, 2), slow.call(1, 2));
    assert_eq!(twice().compute().unwrap(), 6);
    assert_eq!(runs(), 2);
    assert_eq!(
        compute((&slow.call(1, 2), &slow.call(1, 2))).unwrap(),
        (3, 3)
    );
    assert_eq!(runs(), 1);
    let kept = slow.call(1, 2).persist().unwrap();
    assert_eq!(twice().compute().unwrap(), 6);
    assert_eq!(runs(), 2);
    drop(kept);
    // A thread of the last computation may hold the value a little longer.
    while runs() < 2 {
        assert_eq!(twice().compute().unwrap(), 6);
    }
}
