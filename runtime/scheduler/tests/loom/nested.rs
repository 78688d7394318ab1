//! Tests tasks that wait: for their own runs, and in their own loops, where
//! their threads execute other jobs in the meantime.

use super::{LONG, SHORT, check, number};
use crate::pool::{Failure, Gate, Graph, Pool};
use loom::sync::Mutex;
use loom::sync::atomic::AtomicBool;
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use swath_scheduler::{Run, Tasks, Threads};

#[test]
fn a_task_may_wait_for_a_run() {
    // In 0: 0 → 2 ← 1
    for (threads, limit) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        check("nested", LONG, 2, move || {
            let pool = Pool::new(threads);
            let inner = pool.clone();
            let graph = Graph::one(move || {
                let graph = Graph::sums(&[&[], &[], &[0, 1]], &[2]);
                Ok(number(&inner.run(graph, limit)))
            });
            assert_eq!(number(&pool.run(graph, 1)), 3);
            pool.close();
        });
    }
}

#[test]
fn tasks_beside_each_other_may_wait_for_runs() {
    // In 0 and in 1: 0 and 1.
    check("nested twice", LONG, 2, || {
        let pool = Pool::new(2);
        let inner = pool.clone();
        let graph = Graph::new(&[&[], &[]], &[0, 1], move |_| {
            Ok(number(&inner.run(Graph::sums(&[&[], &[]], &[1]), 2)))
        });
        drop(pool.run(graph, 2).outcome().unwrap());
        pool.close();
    });
}

#[test]
fn a_nudge_inside_a_task_is_made_up_for() {
    // 0 may receive the other run's nudge; 1, which uses 0, waits for that run.
    check("owed nudge", SHORT, 2, || {
        let pool = Pool::new(2);
        let gate = Gate::new();
        let (lending, opened) = (pool.clone(), gate.clone());
        let first = Graph::new(&[&[], &[0]], &[1], move |task| {
            match task.0 {
                0 => drop(lending.lend_a_hand()),
                _ => opened.pass(),
            }
            Ok(1)
        });
        let second = Graph::one(move || {
            gate.open();
            Ok(1)
        });
        let first = pool.run(first, 1);
        let second = pool.run(second, 1);
        assert_eq!(number(&second), 1);
        assert_eq!(number(&first), 2);
        pool.close();
    });
}

#[test]
fn nothing_is_served_on_top_of_a_task() {
    // 0 may receive the other run's nudge; that run waits for 1, which uses 0.
    check("nudge inside a task", SHORT, 2, || {
        let pool = Pool::new(2);
        let gate = Gate::new();
        let (lending, opened) = (pool.clone(), gate.clone());
        let first = Graph::new(&[&[], &[0]], &[1], move |task| {
            match task.0 {
                0 => drop(lending.lend_a_hand()),
                _ => gate.open(),
            }
            Ok(1)
        });
        let second = Graph::one(move || {
            opened.pass();
            Ok(1)
        });
        let first = pool.run(first, 1);
        let second = pool.run(second, 1);
        assert_eq!(number(&first), 2);
        assert_eq!(number(&second), 1);
        drop((first, second));
        pool.close();
    });
}

#[test]
fn as_many_nudges_are_made_up_for_as_are_owed() {
    // 0 may receive the nudges of both other runs, the first of which waits for
    // the second; 1, which uses 0, waits for the second too.
    check("two owed nudges", SHORT, 1, || {
        let pool = Pool::new(3);
        let gate = Gate::new();
        let (lending, opened) = (pool.clone(), gate.clone());
        let first = Graph::new(&[&[], &[0]], &[1], move |task| {
            if task.0 == 0 {
                lending.lend_a_hand();
                lending.lend_a_hand();
            } else {
                opened.pass();
            }
            Ok(1)
        });
        let opened = gate.clone();
        let second = Graph::one(move || {
            opened.pass();
            Ok(1)
        });
        let third = Graph::one(move || {
            gate.open();
            Ok(1)
        });
        let runs = [first, second, third].map(|graph| pool.run(graph, 1));
        for run in runs.iter().rev() {
            number(run);
        }
        drop(runs);
        pool.close();
    });
}

#[test]
fn who_waits_for_a_run_passes_nudges_on() {
    // The inner run's task waits for the other run, whose nudge may reach the
    // thread that waits for the inner run.
    check("helper's nudge", LONG, 1, || {
        let pool = Pool::new(3);
        let (begun, gate) = (Gate::new(), Gate::new());
        let (inner, opened, begin) = (pool.clone(), gate.clone(), begun.clone());
        let first = Graph::one(move || {
            let (opened, begin) = (opened.clone(), begin.clone());
            let graph = Graph::one(move || {
                begin.open();
                opened.pass();
                Ok(1)
            });
            Ok(number(&inner.run(graph, 1)))
        });
        let second = Graph::one(move || {
            gate.open();
            Ok(1)
        });
        let first = pool.run(first, 1);
        begun.pass();
        let second = pool.run(second, 1);
        assert_eq!(number(&second), 1);
        assert_eq!(number(&first), 1);
        pool.close();
    });
}

#[test]
fn cancelling_reaches_a_run_that_a_task_waits_for() {
    check("cancel nested", LONG, 2, || {
        let pool = Pool::new(1);
        let cancelled = Arc::new(AtomicBool::new(false));
        let inner_run: Arc<Mutex<Option<Arc<Run<Pool>>>>> = Arc::default();
        let (inner, told, by) = (pool.clone(), inner_run.clone(), cancelled.clone());
        let graph = Graph::one(move || {
            let graph = Graph::sums(&[&[], &[0]], &[1]).cancelled_by(&by);
            let run = inner.prepare(graph, 1);
            *told.lock().unwrap() = Some(run.clone());
            run.start();
            run.outcome()
                .map(|_| 1)
                .map_err(|unfinished| unfinished.failure)
        });
        let run = pool.run(graph.cancelled_by(&cancelled), 1);
        let outer_run = run.clone();
        let canceller = thread::spawn(move || {
            cancelled.store(true, Ordering::Release);
            outer_run.time_out();
            let inner_run = inner_run.lock().unwrap().take();
            if let Some(inner_run) = inner_run {
                inner_run.time_out();
            }
        });
        let failure = run.outcome().err().map(|unfinished| unfinished.failure);
        assert!(matches!(failure, None | Some(Failure::Cancelled)));
        drop(run);
        canceller.join().unwrap();
        pool.close();
    });
}

#[test]
fn a_task_on_a_substitute_may_wait_for_a_run() {
    check("nested on a substitute", LONG, 2, || {
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

        let inner = pool.clone();
        let graph = Graph::one(move || {
            let run = inner.run(Graph::sums(&[&[], &[0]], &[1]), 1);
            run.time_out();
            Ok(number(&run))
        });
        let run = pool.run(graph, 1);
        run.time_out();
        assert_eq!(number(&run), 2);
        gate.open();
        drop((stuck, run));
        pool.close();
    });
}
