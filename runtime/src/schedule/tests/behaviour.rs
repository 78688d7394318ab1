//! The behaviour that Dask's own tests require of a scheduler, and what Dask's users miss.
//!
//! | behaviour | test |
//! |---|---|
//! | values, literals, lists of keys (`GetFunctionTestMixin`) | `a_graph_has_the_values_of_its_keys` |
//! | 1 lists of keys keep their shape | `delayed::tests::graphs::lists_of_keys_keep_their_shape` |
//! | 1 a bad key gives a clear error | `delayed::tests::graphs::a_bad_key_in_lists_is_told_with_its_place` |
//! | 1 long chains | `delayed::tests::chains_and_fan_ins_take_linear_time_and_no_stack` |
//! | 2 cycles are reported with their path | `delayed::tests::graphs::wrong_graphs_say_what_is_wrong` |
//! | 3 a missing dependency is named | the same |
//! | 4 an error keeps its type | `delayed::tests::a_failing_function_names_key_and_type` |
//! | 4 the end is reported, however a run ends | `the_end_is_told_once_however_a_run_ends` |
//! | 5 an interrupt returns while tasks are blocked | `a_cancelled_run_returns_while_a_task_is_blocked`, `an_interrupt_returns_while_every_thread_is_blocked` |
//! | 6 a task computes | `tasks_may_compute` |
//! | 7 many computations at once | `twenty_computations_at_once_share_the_threads` |
//! | 8 a shared input runs once | `a_shared_input_runs_once_and_what_is_between_is_dropped_early` |
//! | 8 values are dropped early | the same, `a_long_row_of_sums_holds_few_values` |
//! | 9 equal shapes are not confused | `array::tests::zeros_and_ones_of_one_shape_are_not_confused` |
//! | 10 chunks without elements | `array::tests::empty_chunks_and_axes`, `layers_without_tasks_have_no_values` |
//! | 11 unknown chunk sizes | an array knows its chunks; a frame's rows: `frame::tests::rows_and_columns` |
//! | 12 a reduction reads few chunks at once | `reductions_take_few_chunks_at_once` |
//! | 13 groups of NaN | `nan_and_nothing_are_groups_of_their_own` |
//! | 14 partitions without rows | `frame::tests`: all properties have some |
//! | 15 unknown divisions | frames have no divisions: `frame::tests::joins`, `orders` |
//! | 16 seeded random numbers are reproducible | `array::tests::random_numbers_depend_on_seed_and_place_alone` |
//! | two tasks under one key are an error | `delayed::tests::graphs::wrong_graphs_say_what_is_wrong` |
//! | `head` after a filter finds its rows | `frame::tests::heads` |
//! | a failure names its key and inputs | `recovery::a_failure_tells_key_operation_inputs_and_cause` |

use super::alone::alone;
use super::*;
use crate::array::Array;
use crate::delayed::{TaskGraph, key, keys};
use crate::frame::DataFrame;
use polars::prelude::{col, df};
use std::sync::atomic::AtomicI64;

/// Returns the options of all runners: synchronous, and on one, two and eight threads.
pub(super) fn runners() -> impl Iterator<Item = Options> {
    [0, 1, 2, 8].into_iter().map(|threads| Options {
        synchronous: threads == 0,
        threads: (threads > 0).then_some(threads),
        ..Options::default()
    })
}

/// A value that counts how many values of its kind are alive.
#[derive(Debug)]
pub(super) struct Live {
    living: Arc<AtomicI64>,
    pub(super) value: u64,
}

impl Live {
    pub(super) fn new(living: &Arc<AtomicI64>, value: u64) -> Self {
        living.fetch_add(1, Ordering::SeqCst);
        Self {
            living: living.clone(),
            value,
        }
    }
}

impl Clone for Live {
    fn clone(&self) -> Self {
        Self::new(&self.living, self.value)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.living.fetch_sub(1, Ordering::SeqCst);
    }
}

// x = 1, y = x + 1, z = x + y; the rest are lists and literals:
//
// x ┬ y ┬ z         list = [x, y]    nested = [[x], [y, z]]    of = list of a literal
#[test]
fn a_graph_has_the_values_of_its_keys() {
    let add = |a: i64, b: i64| a + b;
    let sum = |list: Vec<i64>| list.iter().sum::<i64>();
    let sums = |lists: Vec<Vec<i64>>| lists.iter().map(|list| list.iter().sum()).collect();
    let mut dsk = TaskGraph::new();
    dsk.insert_value("x", 1i64).unwrap();
    dsk.insert("y", |x: i64| x + 1, (key("x"),)).unwrap();
    dsk.insert("z", add, (key("x"), key("y"))).unwrap();
    dsk.insert("literal", add, (key("x"), 10)).unwrap();
    dsk.insert("list", sum, (keys(["x", "y"]),)).unwrap();
    dsk.insert("of", sum, (vec![1, 2, 3],)).unwrap();
    let nested = keys([vec!["x"], vec!["y", "z"]]);
    dsk.insert(
        "nested",
        move |lists: Vec<Vec<i64>>| -> Vec<i64> { sums(lists) },
        (nested,),
    )
    .unwrap();
    // A value that cannot be hashed or compared.
    dsk.insert_value("function", (f64::sqrt as fn(f64) -> f64,))
        .unwrap();
    dsk.insert(
        "root",
        |function: (fn(f64) -> f64,)| function.0(9.0),
        (key("function"),),
    )
    .unwrap();
    let numbers = ["x", "y", "z", "literal", "list", "of"];
    assert_eq!(
        dsk.get_all::<Vec<i64>>(numbers).unwrap(),
        [1, 2, 3, 11, 3, 6]
    );
    assert_eq!(dsk.get::<Vec<i64>>("nested").unwrap(), [1, 5]);
    assert_eq!(dsk.get::<f64>("root").unwrap(), 3.0);
    for options in runners() {
        let output = dsk.output::<i64>("z").unwrap();
        assert_eq!(output.compute_with(&options).unwrap(), 3);
    }
}

// good → ends      bad → fails      panics → fails      (nothing) → ends
#[test]
fn the_end_is_told_once_however_a_run_ends() {
    let good = delayed(|| 1).call();
    let bad = try_delayed(|| Err::<i32, _>("on purpose")).call();
    let panics = delayed(|| -> i32 { panic!("on purpose") }).call();
    let stops = try_delayed(|| Err::<i32, _>(Error::Interrupted)).call();
    for options in runners() {
        let told = |call: &Delayed<i32>| {
            let recorder = Arc::new(Recorder::default());
            let options = Options {
                listeners: vec![recorder.clone()],
                ..options.clone()
            };
            let _ = call.compute_with(&options);
            let events = recorder.0.lock();
            assert!(matches!(events.first(), Some(Event::Submitted { .. })));
            let is_end = |event: &&Event| {
                matches!(event, Event::Completed | Event::Ended | Event::Cancelled)
            };
            assert_eq!(events.iter().filter(is_end).count(), 1, "{events:?}");
            events.last().cloned()
        };
        assert!(matches!(told(&good), Some(Event::Completed)));
        assert!(matches!(told(&bad), Some(Event::Ended)));
        assert!(matches!(told(&panics), Some(Event::Ended)));
        assert!(matches!(told(&stops), Some(Event::Cancelled)));
    }
}

// Tasks on every thread wait at a gate, and more tasks are queued. The stop button ends the
// computation, and the next one begins at once.
#[test]
fn an_interrupt_returns_while_every_thread_is_blocked() {
    alone!(an_interrupt_returns_while_every_thread_is_blocked, || {
        in_time(|| {
            let gate = Arc::new(Gate::default());
            let (at_gate, threads) = (gate.clone(), pool::threads());
            let wait = delayed(move |_: usize| at_gate.pass());
            let all = delayed(|_: Vec<()>| ())
                .call((0..3 * threads).map(|i| wait.call(i)).collect::<Vec<_>>());
            let waiting = gate.clone();
            let stopper = std::thread::spawn(move || {
                waiting.wait_for(threads);
                interrupt();
                Instant::now()
            });
            let outcome = all.compute();
            let returned = Instant::now();
            assert!(matches!(outcome, Err(Error::Interrupted)));
            assert!(returned - stopper.join().unwrap() < Duration::from_secs(1));
            cancel::begin();
            assert_eq!(delayed(|| 1).call().compute().unwrap(), 1);
            assert!(returned.elapsed() < Duration::from_secs(1));
            gate.open();
        });
    });
}

// Twenty times: work × 10 → sum, each from a thread of its own.
#[test]
fn twenty_computations_at_once_share_the_threads() {
    alone!(twenty_computations_at_once_share_the_threads, || {
        in_time(|| {
            let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let peak = most.clone();
            let work = delayed(move |x: usize| {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                peak.fetch_max(now, Ordering::SeqCst);
                std::thread::sleep(Duration::from_micros(500));
                running.fetch_sub(1, Ordering::SeqCst);
                x
            });
            let computations: Vec<_> = (0..20)
                .map(|i| {
                    let work = work.clone();
                    std::thread::spawn(move || {
                        let calls: Vec<_> = (0..10).map(|j| work.call(100 * i + j)).collect();
                        let sum = delayed(|x: Vec<usize>| x.iter().sum::<usize>()).call(calls);
                        assert_eq!(sum.compute().unwrap(), 1000 * i + 45);
                    })
                })
                .collect();
            for computation in computations {
                computation.join().unwrap();
            }
            assert!(most.load(Ordering::SeqCst) <= pool::threads());
        });
    });
}

// x ┬ a ┐
//   ┼ b ┼ last        each of a, b, c is the end of a chain:  x → a → a → a
//   ┴ c ┘
#[test]
fn a_shared_input_runs_once_and_what_is_between_is_dropped_early() {
    for options in runners() {
        let (living, runs) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, ran) = (living.clone(), runs.clone());
        let x = delayed(move || {
            ran.fetch_add(1, Ordering::SeqCst);
            Live::new(&counted, 1)
        })
        .call();
        let step = |input: &Delayed<Live>| {
            let living = living.clone();
            input.map(move |input| Live::new(&living, input.value + 1))
        };
        let ends: Vec<_> = (0..3).map(|_| step(&step(&step(&x)))).collect();
        let counted = living.clone();
        let last = delayed(move |ends: Vec<Live>| {
            // Only the three ends are alive, and no earlier values.
            assert_eq!(counted.load(Ordering::SeqCst), 3);
            ends.iter().map(|end| end.value).sum::<u64>()
        });
        assert_eq!(last.call(&ends).compute_with(&options).unwrap(), 12);
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        assert_eq!(living.load(Ordering::SeqCst), 0);
    }
}

// load ─┐    load ─┐    load ─┐
// load ─┴ sum ─────┴ sum ─────┴ sum …     few values are held at once, however long the row is
#[test]
fn a_long_row_of_sums_holds_few_values() {
    for options in runners() {
        let (living, most) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
        let load = {
            let (living, most) = (living.clone(), most.clone());
            delayed(move |value: u64| {
                let value = Live::new(&living, value);
                most.fetch_max(living.load(Ordering::SeqCst), Ordering::SeqCst);
                // A thread takes several shorter tasks at once.
                std::thread::sleep(Duration::from_micros(250));
                value
            })
        };
        let sum = delayed(|mut a: Live, b: Live| {
            a.value += b.value;
            a
        });
        let mut row = load.call(0);
        for value in 1..200 {
            row = sum.call(row, load.call(value));
        }
        let result = row.compute_with(&options).unwrap();
        assert_eq!(result.value, 199 * 200 / 2);
        drop(result);
        assert_eq!(living.load(Ordering::SeqCst), 0);
        let most = most.load(Ordering::SeqCst);
        let allowed = if options.synchronous { 3 } else { 20 };
        assert!(
            most <= allowed,
            "{most} values, {:?} threads",
            options.threads
        );
    }
}

#[test]
fn reductions_take_few_chunks_at_once() {
    let x = Array::<f64>::ones((1000, 64), (10, 2));
    let most = |layer: Arc<Layer>| {
        let plan = Plan::new(Layers::new(&[layer])).unwrap();
        plan.tasks().map(|task| plan.inputs(task).len()).max()
    };
    assert!(most(x.sum().layer().unwrap()) <= Some(16));
    assert!(most(x.sum_axis(ndarray::Axis(0)).layer().unwrap()) <= Some(16));
    assert_eq!(x.sum().compute().unwrap(), 64_000.0);
}

// Keys in several partitions, NaN and null among them.
#[test]
fn nan_and_nothing_are_groups_of_their_own() {
    let rows = df!(
        "k" => [Some(1.0), Some(f64::NAN), None, Some(1.0), Some(f64::NAN), None],
        "v" => [1i64, 2, 4, 8, 16, 32],
    )
    .unwrap();
    for partitions in [1, 2, 3, 6] {
        let frame = DataFrame::from_polars(rows.clone(), partitions);
        let sums = frame.group_by("k").agg(col("v").sum()).compute().unwrap();
        let sums = sums.column("v").unwrap();
        let mut sums: Vec<i64> = sums.i64().unwrap().iter().flatten().collect();
        sums.sort_unstable();
        assert_eq!(sums, [9, 18, 36], "{partitions} partitions");
    }
}
