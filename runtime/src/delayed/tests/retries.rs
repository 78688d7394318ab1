//! Calls that fail and are retried.

use super::*;

// 0 → flaky → flaky → flaky: one task of three steps, each of which fails twice.
#[test]
fn a_call_that_fails_is_tried_again_with_its_arguments_intact() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let flaky = try_delayed(move |mut values: Vec<i64>| {
        values.push(values.len() as i64);
        match counted.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => Err("not yet"),
            1 => panic!("nor now"),
            _ => Ok(values),
        }
    });
    let tried = || tries.swap(0, Ordering::Relaxed);
    for synchronous in [true, false] {
        let options = Options {
            synchronous,
            ..Options::default()
        };
        let chain = |flaky: &Function<(Vec<i64>,), Vec<i64>>| {
            flaky.call(flaky.call(flaky.call(Vec::<i64>::new())))
        };
        let value = chain(&flaky.retries(2)).compute_with(&options).unwrap();
        assert_eq!((value, tried()), (vec![0, 1, 2], 9));
        let fails = chain(&flaky.retries(1)).compute_with(&options);
        assert!(fails.unwrap_err().to_string().contains("nor now"));
        assert_eq!(tried(), 2);
        // The retries can also be an option of the computation: the whole chain is retried.
        let often = Options {
            retries: 8,
            ..options.clone()
        };
        let value = flaky.call(Vec::<i64>::new()).compute_with(&often).unwrap();
        assert_eq!((value, tried()), (vec![0], 3));
    }
}

// 1 → pass → fails → pass: one task, and the error names the failing step.
#[test]
fn a_panic_in_a_chain_has_the_key_of_its_step() {
    let pass = delayed(|x: i32| x);
    let fails = delayed(|x: i32| -> i32 { panic!("at {x}") }).named("fails");
    let middle = fails.call(pass.call(1));
    let Err(Error::Task { key, operation, .. }) = pass.call(&middle).compute() else {
        panic!("a task failed");
    };
    assert_eq!((&*key, &*operation), (middle.key(), "fails"));
}

#[test]
fn an_interrupt_is_not_tried_again() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let stopped = try_delayed(|| -> Result<i32> {
        RUNS.fetch_add(1, Ordering::Relaxed);
        Err(Error::Interrupted)
    });
    let error = stopped.retries(5).call().compute().unwrap_err();
    assert!(matches!(error, Error::Interrupted));
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
}
