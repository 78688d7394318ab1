//! Measures how long the operations take.
//!
//! A live [`Profiler`] receives the events of all computations: it gives each
//! run a listener, and adds up its events.

use crate::schedule::{Event, Listener, Observer, Plan, observe, pool};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Measures computations from its start until it is stopped or dropped.
///
/// ```
/// use swath::prelude::*;
///
/// let profiler = Profiler::start();
/// let x = Array::<f64>::ones([1000, 1000], (100, 1000));
/// (x + 1.0).sum().compute()?;
/// let profile = profiler.stop();
/// assert_eq!(profile.operations.iter().map(|operation| operation.tasks).sum::<usize>(), 13);
/// # Ok::<(), swath::Error>(())
/// ```
#[doc(alias = "ResourceProfiler")]
pub struct Profiler {
    sums: Arc<Sums>,
    begin: Instant,
}

/// The measurements of a [`Profiler`].
#[derive(Clone, Debug)]
pub struct Profile {
    /// The operations, the longest first.
    pub operations: Vec<OperationProfile>,
    /// How long the profiler was active.
    pub elapsed: Duration,
    /// The total time of all tasks.
    pub busy: Duration,
    /// The number of threads for tasks.
    pub threads: usize,
    /// The number of failed tasks.
    pub failed: usize,
    /// Bytes that were moved to disk.
    pub spilled: u64,
    /// Bytes that were read back from disk.
    pub unspilled: u64,
}

/// The measurements of one operation.
#[derive(Clone, Debug, Default)]
pub struct OperationProfile {
    /// The operation's name; for fused operations, the names of all.
    pub name: String,
    /// The number of tasks.
    pub tasks: usize,
    /// The total time of the tasks.
    pub elapsed: Duration,
    /// The time of the longest task.
    pub longest: Duration,
    /// The bytes of the tasks' values.
    pub nbytes: u64,
}

#[derive(Default)]
struct Sums(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    operations: HashMap<String, OperationProfile>,
    failed: usize,
    spilled: u64,
    unspilled: u64,
}

/// The listener of one run.
struct OfRun {
    plan: Arc<Plan>,
    sums: Arc<Sums>,
}

impl Profiler {
    /// Starts measuring.
    #[must_use = "a profiler ends when it is dropped"]
    pub fn start() -> Self {
        let sums = Arc::new(Sums::default());
        observe(&sums);
        Self {
            sums,
            begin: Instant::now(),
        }
    }

    /// Returns the measurements so far.
    pub fn report(&self) -> Profile {
        let inner = self.sums.0.lock();
        let mut operations: Vec<OperationProfile> = inner.operations.values().cloned().collect();
        operations.sort_by(|a, b| b.elapsed.cmp(&a.elapsed).then(a.name.cmp(&b.name)));
        Profile {
            busy: operations.iter().map(|operation| operation.elapsed).sum(),
            operations,
            elapsed: self.begin.elapsed(),
            threads: pool::threads(),
            failed: inner.failed,
            spilled: inner.spilled,
            unspilled: inner.unspilled,
        }
    }

    /// Stops measuring and returns the measurements.
    pub fn stop(self) -> Profile {
        self.report()
    }
}

impl fmt::Debug for Profiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.report(), f)
    }
}

impl Observer for Sums {
    fn listener(self: Arc<Self>, plan: &Arc<Plan>) -> Arc<dyn Listener> {
        Arc::new(OfRun {
            plan: plan.clone(),
            sums: self,
        })
    }
}

impl Listener for OfRun {
    fn event(&self, event: &Event) {
        match *event {
            Event::Finished {
                task,
                nbytes,
                elapsed,
                ..
            } => {
                let name = self.plan.operation_name(task);
                let mut inner = self.sums.0.lock();
                if !inner.operations.contains_key(name) {
                    let operation = OperationProfile {
                        name: name.to_owned(),
                        ..OperationProfile::default()
                    };
                    inner.operations.insert(name.to_owned(), operation);
                }
                if let Some(operation) = inner.operations.get_mut(name) {
                    operation.tasks += 1;
                    operation.elapsed += elapsed;
                    operation.longest = operation.longest.max(elapsed);
                    operation.nbytes += nbytes as u64;
                }
            }
            Event::Failed { .. } => self.sums.0.lock().failed += 1,
            Event::Spilled { nbytes } => self.sums.0.lock().spilled += nbytes as u64,
            Event::Unspilled { nbytes } => self.sums.0.lock().unspilled += nbytes as u64,
            _ => {}
        }
    }
}

impl Profile {
    /// Returns the part of the threads' time that tasks took, from 0 to 1.
    pub fn busy_share(&self) -> f64 {
        let time = self.elapsed.as_secs_f64() * self.threads as f64;
        (self.busy.as_secs_f64() / time.max(f64::MIN_POSITIVE)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::Collection;
    use crate::delayed::delayed;

    #[test]
    fn tasks_are_counted_by_operation() {
        let profiler = Profiler::start();
        let nap = delayed(|n: u64| {
            std::thread::sleep(Duration::from_millis(n));
            n
        })
        .named("profiled_nap");
        let naps: Vec<_> = (1..=4).map(|n| nap.call(n)).collect();
        let sum = delayed(|naps: Vec<u64>| naps.iter().sum::<u64>()).named("profiled_sum");
        assert_eq!(sum.call(&naps).compute().unwrap(), 10);
        let profile = profiler.stop();
        // Other tests compute at the same time.
        let of = |name: &str| {
            let found = profile
                .operations
                .iter()
                .find(|operation| operation.name == name);
            found
                .unwrap_or_else(|| panic!("no {name} in {profile:?}"))
                .clone()
        };
        let naps = of("profiled_nap");
        assert_eq!((naps.tasks, naps.nbytes), (4, 32));
        assert!(naps.elapsed >= Duration::from_millis(10), "{naps:?}");
        assert!(naps.longest >= Duration::from_millis(4), "{naps:?}");
        assert_eq!(of("profiled_sum").tasks, 1);
        assert!((0.0..=1.0).contains(&profile.busy_share()));
    }

    #[test]
    fn nobody_listens_after_the_end() {
        let profiler = Profiler::start();
        let sums = Arc::downgrade(&profiler.sums);
        drop(profiler);
        delayed(|| 1).call().compute().unwrap();
        // Runs of other tests may hold their listeners a little longer.
        for _ in 0..2000 {
            if sums.strong_count() == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("somebody still listens");
    }
}
