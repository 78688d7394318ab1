//! Tests the stop button, which concerns the whole process. An interrupt
//! reaches every run, so these tests have a process to themselves and take
//! turns in it.

use parking_lot::Mutex;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use swath::cancel::{begin, checkpoint, interrupt, sleep};
use swath::prelude::*;

static TURN: Mutex<()> = Mutex::new(());

#[test]
fn an_interrupt_ends_what_runs_and_nothing_after_it() {
    let _turn = TURN.lock();
    begin();
    let (started, wait) = mpsc::channel();
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock();
    let at_gate = gate.clone();
    // Blocked forever, as far as the notebook can tell.
    let blocked = delayed(move |()| {
        started.send(()).ok();
        drop(at_gate.lock());
    });
    let calls: Vec<_> = (0..100).map(|_| blocked.call(())).collect();
    let all = delayed(|_: Vec<()>| ()).call(calls);
    let run = std::thread::spawn(move || all.compute());
    wait.recv().unwrap();
    let pressed = Instant::now();
    interrupt();
    let error = run.join().unwrap().unwrap_err();
    assert!(matches!(error, Error::Interrupted));
    assert!(pressed.elapsed() < Duration::from_secs(1));
    checkpoint().unwrap_err();
    // The rest of the interrupted cell.
    let next = delayed(|| 1).call().compute();
    assert!(matches!(next, Err(Error::Interrupted)));

    // The next cell.
    begin();
    checkpoint().unwrap();
    let one = delayed(|| 1).call();
    assert_eq!(one.compute().unwrap(), 1);
    assert!(pressed.elapsed() < Duration::from_secs(1), "at once");
    drop(closed);
}

#[test]
fn an_interrupt_ends_what_runs_in_the_background() {
    let _turn = TURN.lock();
    begin();
    let (started, wait) = mpsc::channel();
    let slow = try_delayed(move |()| {
        started.send(()).ok();
        sleep(Duration::from_secs(600))
    });
    let persisted = slow.call(()).persist().unwrap();
    wait.recv().unwrap();
    interrupt();
    begin();
    let error = persisted.compute().unwrap_err();
    assert!(error.to_string().contains("persist it again"), "{error}");
}
