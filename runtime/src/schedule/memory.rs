//! The memory limit: what is kept in memory, what goes to disk, and how far
//! loading may run ahead.
//!
//! Terms: values count the bytes that they report ([`crate::graph::in_use`]). A
//! *holder* holds values for later: a run its results, a persisted collection
//! its chunks. Above the limit the values that are needed last are *spilled*:
//! those of a run by the order of its tasks, those that are kept for nobody in
//! particular by how long nobody took them. A worker spills before it takes
//! another task, so that tasks are not started faster than room is made.

use super::event::{Event, Listener, tell};
use super::plan::{Plan, TaskId};
use super::size::ByteSize;
use super::{cache, spill};
use crate::error::Result;
use crate::graph::{Value, in_use};
use crate::machine;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};
use swath_scheduler::{State, peak};

/// The limit; 0 until it is set.
static LIMIT: AtomicU64 = AtomicU64::new(0);

/// The part of the memory that this process may use which values may fill
/// unless a limit is set, in per cent; the rest is for what tasks need beside
/// their values, and for other programs.
const DEFAULT_PER_CENT: u64 = 60;
/// Spilling begins at this part of the limit: tasks that run need room as well.
const HIGH_PER_CENT: u64 = 80;
/// Spilling ends at this part of the limit, so that it is not needed after
/// every task.
const LOW_PER_CENT: u64 = 60;
/// Smaller values are not worth a place on disk.
const SMALL: usize = 512;
/// How soon it is looked again for something to spill after nothing was found, if
/// not much was added meanwhile.
const FUTILE: Duration = Duration::from_millis(50);

/// The bytes that values may have in memory before some are moved to disk: what
/// was set last, else 60 % of what this process may use, by the machine and by
/// its control group.
pub fn memory_limit() -> u64 {
    static DEFAULT: OnceLock<u64> = OnceLock::new();
    match LIMIT.load(Ordering::Relaxed) {
        0 => *DEFAULT.get_or_init(|| match machine::memory() {
            0 => u64::MAX,
            memory => memory / 100 * DEFAULT_PER_CENT,
        }),
        limit => limit,
    }
}

/// Sets the memory limit: bytes, or a text like `"4 GiB"`. Values above it are
/// moved to disk, and come back when they are needed.
///
/// # Errors
/// [`Error::Argument`] for a text that is no size, and for 0.
///
/// ```
/// swath::set_memory_limit("512 MiB")?;
/// assert_eq!(swath::memory_limit(), 512 << 20);
/// swath::set_memory_limit(2_000_000_000)?;
/// assert!(swath::set_memory_limit("much").is_err());
/// # Ok::<(), swath::Error>(())
/// ```
pub fn set_memory_limit(limit: impl Into<ByteSize>) -> Result<()> {
    let limit = limit.into().bytes()?;
    LIMIT.store(limit, Ordering::Relaxed);
    Ok(())
}

/// The limit, if [`set_memory_limit`] was called.
pub(crate) fn limit_that_was_set() -> Option<u64> {
    Some(LIMIT.load(Ordering::Relaxed)).filter(|limit| *limit > 0)
}

/// What values take, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryUse {
    /// Bytes of all values in memory.
    pub in_use: u64,
    /// The limit: see [`memory_limit`].
    pub limit: u64,
    /// Bytes of values on disk.
    pub spilled: u64,
    /// Bytes that the whole process has in memory, its code and all.
    pub resident: u64,
}

/// What values take now.
pub fn memory() -> MemoryUse {
    MemoryUse {
        in_use: in_use(),
        limit: memory_limit(),
        spilled: spill::on_disk(),
        resident: machine::used(),
    }
}

/// Somebody who holds values for later.
pub(super) trait Holder: Send + Sync {
    /// Tells the values that nobody else holds.
    fn candidates(&self, tell: &mut dyn FnMut(Candidate));
    /// Puts `spilled` in the place of a value, if it is still there.
    fn replace(&self, place: u32, spilled: Value) -> bool;
}

/// A value that could be spilled.
pub(super) struct Candidate {
    /// The place of the value, as its holder counts.
    pub(super) place: u32,
    /// The value.
    pub(super) value: Value,
    /// The larger, the later it is needed.
    pub(super) needed: u64,
    /// What stands in for it already, from an earlier time.
    pub(super) on_disk: Option<Value>,
}

/// Values whose next use is known are needed before this.
pub(super) const NOT_SOON: u64 = 1 << 40;

static HOLDERS: Mutex<Vec<Weak<dyn Holder>>> = Mutex::new(Vec::new());

/// Has the values of a holder spilled when memory gets short, as long as it lives.
pub(super) fn register(holder: &Arc<impl Holder + 'static>) {
    let holder: Arc<dyn Holder> = holder.clone();
    let mut holders = HOLDERS.lock();
    holders.retain(|holder| holder.strong_count() > 0);
    holders.push(Arc::downgrade(&holder));
}

/// Whether there is room to hold more without spilling soon.
pub(super) fn has_room() -> bool {
    in_use() <= memory_limit() / 100 * LOW_PER_CENT
}

/// Whose turn it is to spill.
static TURN: Mutex<()> = Mutex::new(());

/// The memory of a run: its limit, and how far it may run ahead.
pub(super) struct Pressure {
    limit: u64,
    /// What values took when the run began.
    before: u64,
    /// What the run may hold before it waits with tasks that take nothing.
    allowance: OnceLock<u64>,
    /// When nothing was found to spill, and what was in use then.
    futile: Mutex<Option<(Instant, u64)>>,
    threads: u64,
}

impl Pressure {
    pub(super) fn new(limit: Option<u64>, threads: usize) -> Self {
        Self {
            limit: limit.map_or_else(memory_limit, |limit| limit.min(memory_limit())),
            before: in_use() + spill::on_disk(),
            allowance: OnceLock::new(),
            futile: Mutex::new(None),
            threads: threads as u64,
        }
    }

    /// Whether a task that takes nothing may start now, beside others that run.
    /// Else it waits for one of those: a run holds at most twice what it would
    /// hold with one thread, and what its threads have in hand. Small runs never
    /// wait.
    pub(super) fn admits(&self, plan: &Plan, largest: usize) -> bool {
        let held = (in_use() + spill::on_disk()).saturating_sub(self.before);
        if held <= self.limit / 16 {
            return true;
        }
        let allowance = *self.allowance.get_or_init(|| {
            let graph = plan.topology();
            let tasks: Vec<TaskId> = graph.tasks().collect();
            let in_hand = tasks.iter().map(|&task| graph.nbytes(task)).max();
            2 * (peak(graph, &tasks) + self.threads * in_hand.unwrap_or(0))
        });
        let allowance = if plan.topology().knows_sizes() {
            allowance
        } else {
            // So many values, each as large as the largest so far.
            allowance.saturating_mul(largest as u64)
        };
        held < allowance.min(self.limit)
    }

    /// Spills until there is room, if there is none.
    ///
    /// # Errors
    /// [`Error::Spill`] where the disk is full; nothing is lost then.
    pub(super) fn relieve(&self, listeners: &[Arc<dyn Listener>]) -> Result<()> {
        let high = self.limit / 100 * HIGH_PER_CENT;
        if in_use() <= high {
            return Ok(());
        }
        // The others wait here: that keeps them from making more.
        let turn = TURN.lock();
        let mut futile = self.futile.lock();
        let is_futile = |(at, then): (Instant, u64)| {
            at.elapsed() < FUTILE && in_use() <= then + self.limit / 64
        };
        if in_use() <= high || futile.is_some_and(is_futile) {
            return Ok(());
        }
        // Values that can be computed again go before any is written.
        cache::shrink(0);
        let spilled =
            in_use() <= high || spill_down_to(self.limit / 100 * LOW_PER_CENT, listeners)?;
        *futile = (!spilled).then(|| (Instant::now(), in_use()));
        drop(futile);
        drop(turn);
        machine::give_back_free_memory();
        Ok(())
    }
}

/// Spills what is needed last, until no more than `target` bytes are in use.
/// Returns whether there was anything to spill.
fn spill_down_to(target: u64, listeners: &[Arc<dyn Listener>]) -> Result<bool> {
    let holders: Vec<Arc<dyn Holder>> = HOLDERS.lock().iter().filter_map(Weak::upgrade).collect();
    let mut candidates: Vec<(usize, Candidate)> = Vec::new();
    for (number, holder) in holders.iter().enumerate() {
        holder.candidates(&mut |candidate| {
            if candidate.value.nbytes() >= SMALL && !spill::is_spilled(&candidate.value) {
                candidates.push((number, candidate));
            }
        });
    }
    candidates.sort_by_key(|(_, candidate)| std::cmp::Reverse(candidate.needed));
    let mut any = false;
    for (number, candidate) in candidates {
        if in_use() <= target {
            break;
        }
        let Candidate {
            place,
            value,
            on_disk,
            ..
        } = candidate;
        let spilled = match on_disk {
            Some(spilled) => Some(spilled),
            None => spill::spill(&value)?,
        };
        let Some(spilled) = spilled else { continue };
        if holders[number].replace(place, spilled) {
            any = true;
            let nbytes = value.nbytes();
            tell(listeners, || Event::Spilled { nbytes });
        }
    }
    Ok(any)
}

/// Tells the values in a run's state that nobody else holds.
pub(super) fn results(plan: &Plan, state: &State<Value>, tell: &mut dyn FnMut(Candidate)) {
    for (task, value, next) in state.held(plan.topology()) {
        if value.nbytes() >= SMALL && !value.is_shared() {
            tell(Candidate {
                place: task.0,
                value: value.clone(),
                needed: next.map_or(NOT_SOON, |next| u64::from(next.0)),
                on_disk: None,
            });
        }
    }
}

/// Puts `spilled` in the place of a task's value, if it is still there.
pub(super) fn replace_result(state: &mut State<Value>, place: u32, spilled: Value) -> bool {
    match state.value_mut(TaskId(place)) {
        Some(value) if !spill::is_spilled(value) => {
            *value = spilled;
            true
        }
        _ => false,
    }
}
