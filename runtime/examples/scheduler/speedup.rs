//! Tasks that only calculate, on one thread and on two, beside what plain
//! threads reach on this machine at this time.

use crate::graphs::run_independent;
use crate::process::measured;
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use swath::graph::{Arguments, Block, Operation, Value};
use swath::serde_json::json;

/// So many steps of a generator: work, however long it takes. A task that looked
/// at the clock would end in time on a thread that doesn't run.
#[derive(Clone, Copy)]
pub(crate) struct Work(u64);

impl Work {
    /// What takes so long on a core of its own.
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

/// One turn: ours and plain threads, one thread and two, one after the other.
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

/// Plain threads that take the next task from a counter.
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
