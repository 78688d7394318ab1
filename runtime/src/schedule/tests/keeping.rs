//! Tests values that outlive a run: persisted values and the cache of
//! intermediate values.

use super::alone::alone;
use super::behaviour::runners;
use super::*;
use crate::graph::in_use;
use std::sync::LazyLock;

/// How often each call of [`slow`] ran.
static RUNS: LazyLock<Mutex<HashMap<u64, usize>>> = LazyLock::new(Mutex::default);

fn runs(x: u64) -> usize {
    RUNS.lock().get(&x).copied().unwrap_or(0)
}

/// Returns a thousand numbers after a number of milliseconds.
fn slow(x: u64, milliseconds: u64) -> Vec<f64> {
    *RUNS.lock().entry(x).or_default() += 1;
    std::thread::sleep(Duration::from_millis(milliseconds));
    vec![x as f64; 1000]
}

/// Calls [`slow`] as a pure function, so that equal calls have one identity.
fn numbers(x: u64, milliseconds: u64) -> Delayed<Vec<f64>> {
    delayed(slow).pure().unwrap().call(x, milliseconds)
}

// numbers → sum, each built twice
#[test]
fn an_equal_expression_finds_persisted_values() {
    for (options, x) in runners().zip(100..) {
        let total = |x| numbers(x, 1).map(|list| list.iter().sum::<f64>());
        let kept = Persisted::start(&numbers(x, 1).layer().unwrap(), options.clone());
        for _ in 0..3 {
            let sum = total(x).compute_with(&options).unwrap();
            assert_eq!(sum, 1000.0 * x as f64);
        }
        assert_eq!(runs(x), 1);
        drop(kept);
        // A thread of the last computation may hold it a little longer.
        in_time(move || {
            while runs(x) < 2 {
                total(x).compute_with(&options).unwrap();
            }
        });
    }
}

#[test]
fn an_equal_expression_waits_for_values_that_are_being_persisted() {
    static GATE: LazyLock<Gate> = LazyLock::new(Gate::default);
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    fn behind_gate(x: u64) -> u64 {
        RUNS.fetch_add(1, Ordering::SeqCst);
        GATE.pass();
        x
    }
    in_time(|| {
        let call = || delayed(behind_gate).pure().unwrap().call(7);
        let first = call().persist().unwrap();
        GATE.wait_for(1);
        let second = call().persist().unwrap();
        let computed = std::thread::spawn(move || call().map(|x| x + 1).compute().unwrap());
        std::thread::sleep(Duration::from_millis(20));
        assert!(!computed.is_finished());
        GATE.open();
        assert_eq!(computed.join().unwrap(), 8);
        assert_eq!(compute((&first, &second)).unwrap(), (7, 7));
        // The second one holds the values itself, whatever else is dropped.
        drop(first);
        assert_eq!(second.compute().unwrap(), 7);
        assert_eq!(RUNS.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn two_persists_at_once_run_each_task_once() {
    for (options, x) in runners().zip(200..) {
        in_time(move || {
            let calls: Vec<_> = (0..4).map(|i| numbers(10 * x + i, 5)).collect();
            let all = delayed(|lists: Vec<Vec<f64>>| lists.len()).call(&calls);
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let (all, options) = (all.clone(), options.clone());
                    std::thread::spawn(move || {
                        let persisted = Persisted::start(&all.layer().unwrap(), options.clone());
                        let kept = all.with_layer(persisted);
                        // Held until both are done: values without a holder are
                        // dropped.
                        (kept.compute_with(&options).unwrap(), kept)
                    })
                })
                .collect();
            let done: Vec<_> = threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect();
            assert!(done.iter().all(|(count, _)| *count == 4));
            for i in 0..4 {
                assert_eq!(runs(10 * x + i), 1);
            }
        });
    }
}

/// Switches the cache on, in a process of its own.
fn cached(limit: u64) {
    set_cache_limit(limit).unwrap();
}

#[test]
fn the_cache_has_what_took_long() {
    alone!(the_cache_has_what_took_long, || {
        let twice = |x| {
            let lists = [numbers(x, 3), numbers(x, 3)];
            delayed(|lists: Vec<Vec<f64>>| lists.concat().len()).call(lists)
        };
        assert_eq!(twice(1).compute().unwrap(), 2000);
        assert_eq!(twice(1).compute().unwrap(), 2000);
        assert_eq!(runs(1), 2, "it is off at first");
        cached(10 << 20);
        for options in runners() {
            assert_eq!(twice(2).compute_with(&options).unwrap(), 2000);
        }
        assert_eq!(runs(2), 1);
        // Quick tasks are not cached.
        numbers(3, 0).compute().unwrap();
        numbers(3, 0).compute().unwrap();
        assert!(runs(3) >= 1);
        set_cache_limit(0).unwrap();
        twice(2).compute().unwrap();
        assert_eq!(runs(2), 2, "it was switched off");
    });
}

#[test]
fn the_cache_keeps_to_its_budget_and_what_was_costly() {
    alone!(the_cache_keeps_to_its_budget_and_what_was_costly, || {
        // The value of a call has 8000 bytes: ten fit.
        const BUDGET: u64 = 85_000;
        let before = in_use();
        cached(BUDGET);
        let costly: Vec<u64> = (0..3).collect();
        let cheap: Vec<u64> = (10..60).collect();
        for &x in &costly {
            numbers(x, 100).compute().unwrap();
        }
        for &x in &cheap {
            numbers(x, 2).compute().unwrap();
            // A thread may report up to 64 KiB late.
            let slack = (pool::threads() as u64 + 2) * (64 << 10);
            assert!(in_use() <= before + BUDGET + slack);
        }
        for &x in &costly {
            numbers(x, 100).compute().unwrap();
            assert_eq!(runs(x), 1, "{x} took longest");
        }
        // The first of the cheap values were evicted for later ones.
        for &x in &cheap[..10] {
            numbers(x, 2).compute().unwrap();
            assert_eq!(runs(x), 2);
        }
        cached(8_000);
        cached(BUDGET);
        let left: Vec<u64> = costly
            .into_iter()
            .filter(|&x| {
                let before = runs(x);
                numbers(x, 100).compute().unwrap();
                runs(x) == before
            })
            .collect();
        assert!(left.len() <= 1, "{left:?}");
    });
}

// Checks distinct calls of an impure function, and distinct functions.
#[test]
fn the_cache_is_never_stale() {
    alone!(the_cache_is_never_stale, || {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let wait = || std::thread::sleep(Duration::from_millis(3));
        cached(10 << 20);
        let count = delayed(move || {
            wait();
            COUNT.fetch_add(1, Ordering::SeqCst)
        });
        assert_eq!(count.call().compute().unwrap(), 0);
        assert_eq!(count.call().compute().unwrap(), 1);
        let on_top = |x: Delayed<usize>| {
            let add = |x: usize| {
                std::thread::sleep(Duration::from_millis(3));
                x + 100
            };
            delayed(add).pure().unwrap().call(x).compute().unwrap()
        };
        assert_eq!((on_top(count.call()), on_top(count.call())), (102, 103));

        let first = delayed(|x: u64| {
            std::thread::sleep(Duration::from_millis(3));
            x + 1
        });
        let second = delayed(|x: u64| {
            std::thread::sleep(Duration::from_millis(3));
            x + 2
        });
        let value = |function: &crate::delayed::Function<(u64,), u64>| {
            function.pure().unwrap().call(1).compute().unwrap()
        };
        assert_eq!((value(&first), value(&second), value(&first)), (2, 3, 2));
    });
}
