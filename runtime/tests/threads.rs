//! Tests the number of threads, in a process of its own: a thread that is stuck
//! in a task of an interrupted run has a substitute, so for a moment there is
//! one more thread.

use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use swath::prelude::*;

#[test]
fn twenty_computations_at_once_share_the_pool() {
    let threads = Arc::new(Mutex::new(HashSet::new()));
    let runs: Vec<_> = (0..20u64)
        .map(|run| {
            let threads = threads.clone();
            std::thread::spawn(move || {
                let task = delayed(move |x: u64| {
                    threads.lock().insert(std::thread::current().id());
                    std::thread::sleep(Duration::from_micros(100));
                    x
                });
                let tasks: Vec<_> = (0..50).map(|i| task.call(run * 50 + i)).collect();
                delayed(|x: Vec<u64>| x.iter().sum::<u64>())
                    .call(tasks)
                    .compute()
            })
        })
        .collect();
    let total: u64 = runs
        .into_iter()
        .map(|run| run.join().unwrap().unwrap())
        .sum();
    assert_eq!(total, 999 * 1000 / 2);
    assert!(threads.lock().len() <= swath::schedule::pool::threads());
}
