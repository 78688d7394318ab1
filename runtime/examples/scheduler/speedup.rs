//! Measures tasks that only calculate, on one thread and on two, against what
//! plain threads reach on this machine at the same time.

use crate::graphs::run_independent;
use crate::process::measured;
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use swath::graph::{Arguments, Block, Operation, Value};
use swath::serde_json::json;

/// A number of steps of a generator: a fixed amount of work, however long it
/// takes. A task that checked the clock would end in time even on a thread that
/// is not running.
#[derive(Clone, Copy)]
pub(crate) struct Work(u64);

impl Work {
    /// Returns the work that takes this long on a core of its own.
    pub(crate) fn calibrate(duration: Duration) -> Self {
        const STEPS: u64 = 10_000_000;
        let fastest = (0..5)
            .map(|_| {
                let begin = Instant::now();
                Self(STEPS).run();
                begin.elapsed()
            })
            .min()
            .unwrap_or(duration);
        Self((STEPS as f64 * duration.as_secs_f64() / fastest.as_secs_f64()) as u64)
    }

    fn run(self) {
        let mut state = black_box(1u64);
        for _ in 0..self.0 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
        }
        black_box(state);
    }
}

impl Operation for Work {
    fn name(&self) -> &str {
        "work"
    }

    fn arguments(&self) -> Arguments {
        Arguments::none()
    }

    fn run(&self, _: &Block<'_>, _: Vec<Value>) -> swath::Result<Value> {
        (*self).run();
        Ok(Value::opaque(()))
    }
}

/// Measures one round: our threads and plain threads, one thread and two, one
/// after the other.
pub(crate) fn measure(work: Work, tasks: usize) -> Result<(), Box<dyn Error>> {
    let ours = |threads| -> swath::Result<f64> {
        let begin = Instant::now();
        run_independent(Arc::new(work), tasks, threads)?;
        Ok(begin.elapsed().as_secs_f64())
    };
    measured(json!({
        "tasks": tasks,
        "one": ours(1)?, "threads one": plain(work, tasks, 1),
        "two": ours(2)?, "threads two": plain(work, tasks, 2),
    }))
}

/// Measures plain threads that take the next task from a counter.
fn plain(work: Work, tasks: usize, threads: usize) -> f64 {
    let begin = Instant::now();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < tasks {
                    work.run();
                }
            });
        }
    });
    begin.elapsed().as_secs_f64()
}
