//! Tests that run under loom, which tries every order of events:
//! `tests/run loom`.
//!
//! The pool consists of two threads that execute jobs. The threads that wait
//! for runs are the model's own. There is no time: a thread that waits for a
//! notification that never comes waits forever, which loom reports as a
//! deadlock. A time-out happens only when a test triggers it.
#![cfg(loom)]

mod nested;
mod pool;

use loom::sync::Mutex;
use loom::thread;
use pool::{Failure, Gate, Graph, Live, Pool};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use swath_scheduler::{Run, TaskId, Tasks, set_elapsed};

/// Longer than a turn, and than any batch should take.
const LONG: Duration = Duration::from_secs(1);
/// Short enough for larger batches.
const SHORT: Duration = Duration::ZERO;

/// Checks a model in which everything takes `elapsed`, and prints how many
/// orders of events there are.
#[track_caller]
fn check(
    name: &str,
    elapsed: Duration,
    preemptions: usize,
    model: impl Fn() + Send + Sync + 'static,
) {
    static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);
    let executions = Arc::new(AtomicUsize::new(0));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.max_branches = 10_000;
    let begin = Instant::now();
    let counted = executions.clone();
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        set_elapsed(elapsed);
        model();
    });
    let executions = executions.load(Ordering::Relaxed);
    let all = EXECUTIONS.fetch_add(executions, Ordering::Relaxed) + executions;
    println!(
        "{name}: {executions} executions in {:.1?}, {all} so far",
        begin.elapsed()
    );
}

/// Runs a graph on a pool with a number of threads, and returns its values.
fn values(threads: usize, limit: usize, graph: Graph) -> Vec<u64> {
    let pool = Pool::new(threads);
    let live = graph.live.clone();
    let values = pool.run(graph, limit).outcome().unwrap();
    let values: Vec<u64> = values.into_iter().map(|value| value.number).collect();
    pool.close();
    live.assert_none();
    values
}

#[test]
fn a_chain_has_its_value() {
    // 0 → 1 → 2
    check("chain", LONG, 3, || {
        let graph = Graph::sums(&[&[], &[0], &[1]], &[2]);
        assert_eq!(values(2, 2, graph), [3]);
    });
}

#[test]
fn a_fan_in_has_its_value() {
    // 0 → 2 ← 1
    for elapsed in [SHORT, LONG] {
        check("fan-in", elapsed, 2, || {
            let graph = Graph::sums(&[&[], &[], &[0, 1]], &[2]);
            assert_eq!(values(2, 2, graph), [3]);
        });
    }
}

#[test]
fn a_fan_out_has_its_values() {
    // 1 ← 0 → 2: the worker that makes both ready starts another worker for
    // one.
    for elapsed in [SHORT, LONG] {
        check("fan-out", elapsed, 2, || {
            let graph = Graph::sums(&[&[], &[0], &[0]], &[1, 2]);
            assert_eq!(values(2, 2, graph), [2, 2]);
        });
    }
}

#[test]
fn a_diamond_has_its_value_on_one_thread_and_on_two() {
    // 1 ← 0 → 2, 1 → 3 ← 2
    for (threads, limit) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        check("diamond", LONG, 2, move || {
            let graph = Graph::sums(&[&[], &[0], &[0], &[1, 2]], &[3]);
            assert_eq!(values(threads, limit, graph), [5]);
        });
    }
}

#[test]
fn two_runs_at_once_have_their_values() {
    for elapsed in [SHORT, LONG] {
        check("two runs", elapsed, 2, || {
            let pool = Pool::new(2);
            let graph = || Graph::sums(&[&[], &[], &[0, 1]], &[2]);
            let (first, second) = (graph(), graph());
            let live = [first.live.clone(), second.live.clone()];
            let first = pool.run(first, 2);
            let second = pool.run(second, 1);
            for run in [first, second] {
                assert_eq!(number(&run), 3);
            }
            pool.close();
            live.iter().for_each(Live::assert_none);
        });
    }
}

#[test]
fn two_threads_may_wait_for_runs_of_their_own() {
    check("two threads with runs", LONG, 2, || {
        let pool = Pool::new(1);
        let other = pool.clone();
        let graph = || Graph::sums(&[&[], &[0]], &[1]);
        let thread = thread::spawn(move || {
            assert_eq!(number(&other.run(graph(), 1)), 2);
        });
        assert_eq!(number(&pool.run(graph(), 2)), 2);
        thread.join().unwrap();
        pool.close();
    });
}

#[test]
fn a_failure_ends_the_run() {
    // 0 fails, → 2 ← 1
    check("failure", LONG, 2, || {
        let pool = Pool::new(2);
        let graph = Graph::new(&[&[], &[], &[0, 1]], &[2, 1], fails_at(0));
        let live = graph.live.clone();
        let run = pool.run(graph, 2);
        let unfinished = run.outcome().unwrap_err();
        assert_eq!(unfinished.failure, Failure::Task(TaskId(0)));
        assert!(unfinished.held[2].is_none());
        drop(unfinished);
        pool.close();
        live.assert_left(1);
        drop(run);
        live.assert_none();
    });
}

#[test]
fn a_run_that_goes_on_has_what_does_not_depend_on_the_failure() {
    // 0 fails, → 2; 1 → 3
    check("going on", LONG, 2, || {
        let pool = Pool::new(2);
        let graph = Graph::new(&[&[], &[], &[0], &[1]], &[2, 3], fails_at(0)).keeping_going();
        let live = graph.live.clone();
        let unfinished = pool.run(graph, 2).outcome().unwrap_err();
        assert_eq!(unfinished.failure, Failure::Task(TaskId(0)));
        let held = unfinished.held.iter();
        let numbers = held.map(|value| Some(value.as_ref()?.number));
        assert_eq!(numbers.collect::<Vec<_>>(), [None, None, None, Some(2)]);
        drop(unfinished);
        pool.close();
        live.assert_none();
    });
}

#[test]
fn a_cancelled_run_returns_and_leaves_no_worker_behind() {
    // 0 → 2 ← 1, cancelled at any moment; then the wait times out.
    check("cancel", LONG, 2, || {
        let pool = Pool::new(2);
        let graph = Graph::sums(&[&[], &[], &[0, 1]], &[2]).cancellable();
        let live = graph.live.clone();
        let run = pool.run(graph, 2);
        let cancelled = run.clone();
        let canceller = thread::spawn(move || {
            cancelled.tasks().cancel();
            cancelled.time_out();
        });
        let outcome = run.outcome();
        match &outcome {
            Ok(values) => assert_eq!(values[0].number, 3),
            Err(unfinished) => assert_eq!(unfinished.failure, Failure::Cancelled),
        }
        canceller.join().unwrap();
        drop(outcome);
        pool.close();
        live.assert_left(1);
        drop(run);
        live.assert_none();
    });
}

#[test]
fn a_run_gets_a_substitute_for_a_thread_that_is_stuck() {
    check("stuck", LONG, 2, || {
        let pool = Pool::new(1);
        let gate = Gate::new();
        let opened = gate.clone();
        let stuck = Graph::one(move || {
            opened.pass();
            Ok(1)
        });
        let stuck = pool.run(stuck.cancellable(), 1);
        stuck.tasks().cancel();
        assert_eq!(stuck.outcome().unwrap_err().failure, Failure::Cancelled);

        let run = pool.run(Graph::sums(&[&[], &[0]], &[1]), 1);
        run.time_out();
        assert_eq!(number(&run), 2);
        gate.open();
        drop((stuck, run));
        pool.close();
    });
}

#[test]
fn tasks_that_become_ready_together_run_beside_each_other() {
    // 2 ← 0 → 3, and 2 and 3 wait for each other; 1's worker may have ended.
    check("beside", LONG, 2, || {
        let pool = Pool::new(2);
        let gates = [Gate::new(), Gate::new()];
        let graph = Graph::new(&[&[], &[], &[0], &[0]], &[2, 3, 1], move |task| {
            if let Some(own) = task.at().checked_sub(2) {
                gates[own].open();
                gates[1 - own].pass();
            }
            Ok(1)
        });
        let run = pool.run(graph, 2);
        assert_eq!(number(&run), 2);
        drop(run);
        pool.close();
    });
}

#[test]
fn tasks_that_seemed_short_may_become_long() {
    // 1 ← 0 → 2, and one of 1 and 2 waits for the other. Without the time-out
    // no worker would come for that one.
    check("no longer short", SHORT, 2, || {
        let pool = Pool::new(2);
        let gate = Gate::new();
        let waited_for: Arc<Mutex<Option<Arc<Run<Pool>>>>> = Arc::default();
        let clock = waited_for.clone();
        let graph = Graph::new(&[&[], &[0], &[0]], &[1, 2], move |task| {
            if task.0 > 0 {
                let run = clock.lock().unwrap().take();
                if let Some(run) = run {
                    run.time_out();
                    gate.pass();
                } else {
                    gate.open();
                }
            }
            Ok(1)
        });
        let run = pool.prepare(graph, 2);
        *waited_for.lock().unwrap() = Some(run.clone());
        run.start();
        assert_eq!(number(&run), 2);
        drop(run);
        pool.close();
    });
}

#[test]
fn a_worker_comes_out_of_a_task_by_a_panic_too() {
    check("panic", LONG, 2, || {
        let pool = Pool::new(1);
        let panics = Graph::one(|| resume_unwind(Box::new(Failure::Panic)));
        let unfinished = pool.run(panics, 1).outcome().unwrap_err();
        assert_eq!(unfinished.failure, Failure::Panic);

        let run = pool.run(Graph::sums(&[&[]], &[0]), 1);
        run.time_out();
        assert_eq!(number(&run), 1);
        assert_eq!(pool.substitutes(), 0, "no thread is stuck");
        drop(run);
        pool.close();
    });
}

/// Returns the value of a run with one output.
#[track_caller]
fn number(run: &Arc<Run<Pool>>) -> u64 {
    run.outcome().unwrap()[0].number
}

/// Returns a body that fails at one task.
fn fails_at(task: u32) -> impl Fn(TaskId) -> Result<u64, Failure> {
    move |id| match id {
        TaskId(number) if number == task => Err(Failure::Task(id)),
        _ => Ok(1),
    }
}
