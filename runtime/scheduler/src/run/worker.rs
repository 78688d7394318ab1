//! The work of a worker on its thread.

use super::{ErrorOf, Locked, Run, Tasks, ValueOf};
use crate::sync::{Instant, MutexGuard};
use crate::{TaskId, Threads, Transition, settle};
use std::sync::Arc;
use std::time::Duration;

/// The most short tasks that a worker takes at once.
const BATCH: usize = 64;
/// After a batch that took less than this, the next one may be larger.
const SHORT: Duration = Duration::from_micros(30);
/// After a batch that took longer than this, or whose values have more bytes than
/// [`LARGE`], the next one must be smaller.
const LONG: Duration = Duration::from_micros(200);
const LARGE: usize = 4 << 20;

/// The tasks that a worker has taken, with their inputs.
type Jobs<P> = Vec<(TaskId, Vec<ValueOf<P>>)>;
/// The tasks that were run, with their results.
type Done<P> = Vec<(TaskId, Result<ValueOf<P>, ErrorOf<P>>)>;

impl<P: Threads> Run<P> {
    /// Runs ready tasks until none is left, or until the turn is over and another
    /// worker waits. Returns whether the worker wants another turn.
    pub(crate) fn work(self: &Arc<Self>, worker: usize, turn: Option<Duration>) -> bool {
        // A panic outside a task (in a listener, or a value's drop) would end the
        // process if it reached the pool.
        P::Tasks::catch(|| self.work_turn(worker, turn)).unwrap_or_else(|error| {
            let mut shared = self.shared.lock();
            shared.workers[worker] = false;
            self.end(&mut shared, Err(error));
            false
        })
    }

    fn work_turn(self: &Arc<Self>, worker: usize, turn: Option<Duration>) -> bool {
        // The turn's time starts with its first task, so that every turn makes
        // progress.
        let mut begin = None;
        let mut transition = Transition::default();
        let mut jobs = Jobs::<P>::new();
        let mut done = Done::<P>::new();
        let mut shared = self.shared.lock();
        while !self.has_ended(&shared) {
            if let (Some(turn), Some(begin)) = (turn, &begin)
                && !self.threads.queue().is_empty()
                && Instant::elapsed(begin) > turn
                && shared.state.ready_len() > 0
            {
                return true;
            }
            self.take_jobs(&mut shared, &mut jobs);
            if jobs.is_empty() {
                break;
            }
            begin.get_or_insert_with(Instant::now);
            // Only full batches show how long a batch takes.
            let measured = jobs.len() == shared.batch;
            shared.in_task += 1;
            let (ran, elapsed) = MutexGuard::unlocked(&mut shared, || {
                let begin = measured.then(Instant::now);
                // A value's drop may panic; the worker must still finish properly.
                let ran = P::Tasks::catch(|| self.run_jobs(worker, &mut jobs, &mut done));
                settle(&self.threads);
                (ran, begin.map(|begin| begin.elapsed()))
            });
            shared.in_task -= 1;
            if shared.outcome.is_some() {
                if shared.given_up {
                    self.threads.stuck().remove();
                }
                break;
            }
            if let Some(elapsed) = elapsed {
                shared.batch = fitted::<P>(shared.batch, elapsed, &done);
            }
            transition.clear();
            for (task, result) in done.drain(..) {
                self.note(&mut shared, task, result, &mut transition);
            }
            self.tasks.emit(&transition);
            if let Err(error) = ran {
                self.end(&mut shared, Err(error));
            }
            if shared.outcome.is_some() {
                break;
            }
            if shared.state.is_complete() {
                let outcome = shared.failure.take().map_or(Ok(()), Err);
                self.end(&mut shared, outcome);
            } else {
                // This worker runs some of them itself.
                let others = shared.state.ready_len().saturating_sub(shared.batch);
                self.start_workers(&mut shared, others);
                let relieved = MutexGuard::unlocked(&mut shared, || self.tasks.relieve());
                if let Err(error) = relieved {
                    self.end(&mut shared, Err(error));
                }
            }
        }
        shared.workers[worker] = false;
        // Free what the batch still holds outside the lock.
        drop(shared);
        false
    }

    /// Returns the task that should start next, if one may start.
    pub(super) fn next(&self, shared: &Locked<'_, P>, alone: bool) -> Option<TaskId> {
        let next = shared.state.next()?;
        let is_admitted = !self.tasks.topology().inputs(next).is_empty()
            || (alone && shared.in_task == 0)
            || self.tasks.admits(shared.largest);
        if is_admitted {
            Some(next)
        } else {
            shared.state.next_with_inputs()
        }
    }

    fn take_jobs(&self, shared: &mut Locked<'_, P>, jobs: &mut Jobs<P>) {
        let graph = self.tasks.topology();
        let share = shared.state.ready_len() / (2 * self.limit);
        let wanted = shared.batch.min(share).max(1);
        while jobs.len() < wanted
            && let Some(task) = self.next(shared, jobs.is_empty())
        {
            let mut inputs = Vec::new();
            shared.state.start(graph, task, &mut inputs);
            jobs.push((task, inputs));
        }
    }

    fn run_jobs(&self, worker: usize, jobs: &mut Jobs<P>, done: &mut Done<P>) {
        let _inside = self.tasks.enter();
        for (task, inputs) in jobs.drain(..) {
            if self.tasks.is_cancelled() {
                return;
            }
            let result = self.tasks.run(task, inputs, worker);
            let goes_on = result
                .as_ref()
                .err()
                .is_none_or(|error| self.tasks.goes_on_after(error));
            done.push((task, result));
            if !goes_on {
                return;
            }
        }
    }

    fn note(
        &self,
        shared: &mut Locked<'_, P>,
        task: TaskId,
        result: Result<ValueOf<P>, ErrorOf<P>>,
        transition: &mut Transition,
    ) {
        let graph = self.tasks.topology();
        match result {
            Ok(value) => {
                let nbytes = P::Tasks::nbytes(&value);
                shared.largest = shared.largest.max(nbytes);
                shared.nbytes += nbytes as u64;
                shared.state.finish(graph, task, value, transition);
            }
            Err(error) if self.tasks.goes_on_after(&error) => {
                shared.state.fail(graph, task, transition);
                shared.failure.get_or_insert(error);
            }
            Err(error) => self.end(shared, Err(error)),
        }
    }
}

/// Returns the size of the next batches after one of `batch` tasks.
fn fitted<P: Threads>(batch: usize, elapsed: Duration, done: &Done<P>) -> usize {
    let values = done.iter().filter_map(|(_, result)| result.as_ref().ok());
    let nbytes: usize = values.map(P::Tasks::nbytes).sum();
    if elapsed > LONG || nbytes > LARGE {
        (batch / 4).max(1)
    } else if elapsed < SHORT {
        (2 * batch).min(BATCH)
    } else {
        batch
    }
}
