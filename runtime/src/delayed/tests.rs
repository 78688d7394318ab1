mod graphs;
mod pure;
mod retries;

use super::function::function_name;
use super::*;
use crate::compute::compute;
use crate::graph::Layers;
use crate::schedule::{Options, Plan};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

fn load(name: String) -> Vec<f64> {
    (0..name.len()).map(|i| i as f64).collect()
}

fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn total(values: Vec<i64>) -> i64 {
    values.iter().sum()
}

#[test]
fn functions_have_their_own_name() {
    let check = |path: &str, name: &str| assert_eq!(function_name(path), name);
    check("cell::load", "load");
    check("cell::main::{{closure}}", "closure");
    check("cell::parse<alloc::vec::Vec<f64>>", "parse");
    check("std::f64::<impl f64>::sqrt", "sqrt");
    check("<alloc::string::String as core::fmt::Display>::fmt", "fmt");
    check("fn(f64) -> alloc::vec::Vec<f64>", "function");
    assert_eq!(delayed(load).name(), "load");
    assert_eq!(delayed(|| 1).name(), "closure");
    assert_eq!(delayed(|| 1).named("one").call().key()[..4], *"one-");
    assert_eq!(delayed(f64::sqrt).name(), "sqrt");
}

// load → len ┐
//     1 ─────┴ add → add ← 10
#[test]
fn calls_take_values_and_delayed_values() {
    let len = delayed(|values: Vec<f64>| values.len() as i64);
    let sum = delayed(add);
    let data = delayed(load).call("abc");
    let result = sum.call(10, sum.call(len.call(&data), 1));
    assert_eq!(result.compute().unwrap(), 14);
    assert_eq!(data.compute().unwrap(), [0.0, 1.0, 2.0]);
    assert_eq!(sum.apply((1, &result)).compute().unwrap(), 15);
    assert_eq!(
        delayed(|| "no argument".to_owned())
            .call()
            .compute()
            .unwrap(),
        "no argument"
    );
    let six = delayed(|a: i32, b: i32, c: i32, d: i32, e: i32, f: i32| vec![a, b, c, d, e, f]);
    assert_eq!(
        six.call(1, 2, 3, 4, 5, 6).compute().unwrap(),
        [1, 2, 3, 4, 5, 6]
    );
}

#[test]
fn lists_of_delayed_values_are_vecs() {
    let sum = delayed(add);
    let total = delayed(total);
    let parts: Vec<Delayed<i64>> = (0..4).map(|i| sum.call(i, 1)).collect();
    assert_eq!(total.call(&parts).compute().unwrap(), 10);
    assert_eq!(
        total
            .call(parts.iter().collect::<Vec<_>>())
            .compute()
            .unwrap(),
        10
    );
    assert_eq!(total.call([&parts[0], &parts[3]]).compute().unwrap(), 5);
    assert_eq!(
        total
            .call([parts[0].clone(), parts[1].clone()])
            .compute()
            .unwrap(),
        3
    );
    assert_eq!(total.call(parts).compute().unwrap(), 10);
    assert_eq!(total.call(vec![1, 2]).compute().unwrap(), 3);
    assert_eq!(total.call(Vec::<Delayed<i64>>::new()).compute().unwrap(), 0);
    let join =
        delayed(|first: String, parts: Vec<i64>, last: i64| format!("{first}{parts:?}{last}"));
    let one = Delayed::value(1);
    assert_eq!(
        join.call("x", vec![&one, &one], &one).compute().unwrap(),
        "x[1, 1]1"
    );
}

#[test]
fn shared_work_runs_once() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let base = delayed(|| RUNS.fetch_add(1, Ordering::Relaxed)).call();
    let (a, b) = (base.map(|x| x + 1), base.map(|x| x + 2));
    assert_eq!(compute((&a, &b)).unwrap(), (1, 2));
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
}

/// A value that counts its clones.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);
impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

// new → pass → pass → pass: moved from each one to the next, and to the caller.
#[test]
fn a_value_that_is_taken_once_is_not_cloned() {
    let clones = Arc::new(AtomicUsize::new(0));
    let counter = clones.clone();
    let mut value = delayed(move || Counted(counter.clone())).call();
    for _ in 0..3 {
        value = value.map(|value| value);
    }
    for synchronous in [true, false] {
        let options = Options {
            synchronous,
            ..Options::default()
        };
        value.compute_with(&options).unwrap();
        assert_eq!(clones.load(Ordering::Relaxed), 0);
    }
    let twice = delayed(|_: Counted, _: Counted| ()).call(&value, &value);
    twice.compute().unwrap();
    assert_eq!(clones.load(Ordering::Relaxed), 1);
}

#[test]
fn a_persisted_value_is_kept() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let value = delayed(|| RUNS.fetch_add(1, Ordering::Relaxed))
        .call()
        .persist()
        .unwrap();
    assert_eq!(value.compute().unwrap(), 0);
    assert_eq!(value.map(|x| x + 1).compute().unwrap(), 1);
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
}

#[test]
fn a_failing_function_names_key_and_type() {
    let parse = try_delayed(|text: String| text.parse::<f64>());
    assert_eq!(parse.call("1.5").compute().unwrap(), 1.5);
    let wrong = parse.named("parse").call("one");
    let error = wrong.compute().unwrap_err();
    assert_eq!(error.kind(), "TaskError");
    assert_eq!(
        error.to_string(),
        format!(
            "task {} (parse) failed: ParseFloatError: invalid float literal",
            wrong.key()
        )
    );
    let own = try_delayed(|| -> Result<i32> { Err(Error::Shape("no shape".into())) }).call();
    let Err(Error::Task { cause, .. }) = own.compute() else {
        panic!("a task failed");
    };
    assert!(matches!(cause.downcast_ref(), Some(Error::Shape(_))));
    let text = try_delayed(|| -> Result<i32, String> { Err("just text".into()) }).call();
    assert!(
        text.compute()
            .unwrap_err()
            .to_string()
            .ends_with("failed: String: just text")
    );
}

#[test]
fn chains_and_fan_ins_take_linear_time_and_no_stack() {
    let inc = delayed(|x: u64| x + 1);
    for length in [10_000, 1_000_000] {
        let begin = Instant::now();
        let mut chain = Delayed::value(0);
        for _ in 0..length {
            chain = inc.call(chain);
        }
        let built = begin.elapsed();
        assert_eq!(chain.compute().unwrap(), length);
        let ran = begin.elapsed() - built;
        drop(chain);
        println!("chain of {length}: built in {built:?}, ran in {ran:?}");
    }
    for _ in 0..2 {
        let begin = Instant::now();
        let parts: Vec<_> = (0..20_000).map(|i| inc.call(i)).collect();
        let sum = delayed(|x: Vec<u64>| x.iter().sum::<u64>()).call(parts);
        let built = begin.elapsed();
        assert_eq!(sum.compute().unwrap(), 20_000 * 20_001 / 2);
        println!(
            "fan-in of 20,000: built in {built:?}, ran in {:?}",
            begin.elapsed() - built
        );
    }
}
