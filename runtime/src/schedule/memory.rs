//! The memory limit: which values stay in memory, which go to disk, and how far
//! loading may run ahead.
//!
//! Values count the bytes that they report ([`crate::graph::in_use`]). A *holder*
//! holds values for later: a run holds its results, a persisted collection its
//! chunks. Above the limit, the values that are needed last are *spilled*. Values
//! of a run are ranked by the order of its tasks; kept values without a known use
//! are ranked by their last use. A worker spills before it starts another task, so
//! that tasks do not start faster than memory is freed.

use super::event::{Event, Listener, emit};
use super::plan::{Plan, TaskId};
use super::size::ByteSize;
use super::{cache, spill};
use crate::context::PerContext;
use crate::error::Result;
use crate::graph::{Value, in_use};
use crate::machine;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};
use swath_scheduler::{State, peak};

/// The limit in bytes; 0 until it is set.
static LIMIT: PerContext<AtomicU64> = PerContext::new(AtomicU64::default);

/// The default limit, in per cent of the memory that this process may use. The
/// rest is for what tasks need beside their values, and for other programs.
const DEFAULT_PER_CENT: u64 = 60;
/// Spilling begins at this percentage of the limit, because running tasks need
/// memory too.
const HIGH_PER_CENT: u64 = 80;
/// Spilling ends at this percentage of the limit, so that it is not needed after
/// every task.
const LOW_PER_CENT: u64 = 60;
/// Smaller values are not worth spilling.
const SMALL: usize = 512;
/// How long to wait before searching again after nothing to spill was found,
/// unless much was added in the meantime.
const FUTILE: Duration = Duration::from_millis(50);

/// Returns the bytes that values may occupy in memory before some are moved to
/// disk.
///
/// The default is 60 % of what this process may use, given the machine and the
/// process's control group.
pub fn memory_limit() -> u64 {
    static DEFAULT: OnceLock<u64> = OnceLock::new();
    match LIMIT.with(|limit| limit.load(Ordering::Relaxed)) {
        0 => *DEFAULT.get_or_init(|| match machine::memory() {
            0 => u64::MAX,
            memory => memory / 100 * DEFAULT_PER_CENT,
        }),
        limit => limit,
    }
}

/// Sets the memory limit: bytes, or a text such as `"4 GiB"`. Values above it are
/// moved to disk and read back when they are needed.
///
/// # Errors
/// [`crate::Error::Argument`] for a text that is not a size, and for 0.
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
    LIMIT.with(|current| current.store(limit, Ordering::Relaxed));
    Ok(())
}

/// Returns the limit if [`set_memory_limit`] was called.
pub(crate) fn limit_that_was_set() -> Option<u64> {
    let limit = LIMIT.with(|limit| limit.load(Ordering::Relaxed));
    Some(limit).filter(|limit| *limit > 0)
}

/// The memory and disk use of values, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryUse {
    /// Bytes of all values in memory.
    pub in_use: u64,
    /// The limit: see [`memory_limit`].
    pub limit: u64,
    /// Bytes of values on disk.
    pub spilled: u64,
    /// Resident bytes of the whole process, including code.
    pub resident: u64,
}

/// Returns the current memory and disk use of values.
pub fn memory() -> MemoryUse {
    MemoryUse {
        in_use: in_use(),
        limit: memory_limit(),
        spilled: spill::on_disk(),
        resident: machine::used(),
    }
}

/// A holder of values for later use.
pub(super) trait Holder: Send + Sync {
    /// Calls `tell` with the values that nothing else holds.
    fn candidates(&self, tell: &mut dyn FnMut(Candidate));
    /// Replaces a value by `spilled`, if the value is still there.
    fn replace(&self, place: u32, spilled: Value) -> bool;
}

/// A value that could be spilled.
pub(super) struct Candidate {
    /// The place of the value in its holder.
    pub(super) place: u32,
    /// The value.
    pub(super) value: Value,
    /// When the value is needed next: a larger number is later.
    pub(super) needed: u64,
    /// Its stand-in on disk, if it was spilled or saved before.
    pub(super) on_disk: Option<Value>,
}

/// An upper bound of `needed` for values with a known next use.
pub(super) const NOT_SOON: u64 = 1 << 40;

static HOLDERS: PerContext<Mutex<Vec<Weak<dyn Holder>>>> = PerContext::new(Mutex::default);

/// Registers a holder, whose values may be spilled when memory runs short as long
/// as it lives.
pub(super) fn register(holder: &Arc<impl Holder + 'static>) {
    let holder: Arc<dyn Holder> = holder.clone();
    let holders = HOLDERS.get();
    let mut holders = holders.lock();
    holders.retain(|holder| holder.strong_count() > 0);
    holders.push(Arc::downgrade(&holder));
}

/// Returns whether more values fit without spilling soon.
pub(super) fn has_room() -> bool {
    in_use() <= memory_limit() / 100 * LOW_PER_CENT
}

/// Held by the thread that spills.
static TURN: PerContext<Mutex<()>> = PerContext::new(Mutex::default);

/// The memory of a run: its limit, and how far it may run ahead.
pub(super) struct Pressure {
    limit: u64,
    /// The bytes on disk of the context's values.
    on_disk: Arc<AtomicU64>,
    /// The bytes that values occupied when the run began.
    before: u64,
    /// The bytes that the run may hold before it delays tasks without inputs.
    allowance: OnceLock<u64>,
    /// When nothing was found to spill, and the bytes in use at that time.
    futile: Mutex<Option<(Instant, u64)>>,
    threads: u64,
}

impl Pressure {
    pub(super) fn new(limit: Option<u64>, threads: usize) -> Self {
        let on_disk = spill::counter();
        Self {
            limit: limit.map_or_else(memory_limit, |limit| limit.min(memory_limit())),
            before: in_use() + on_disk.load(Ordering::Relaxed),
            on_disk,
            allowance: OnceLock::new(),
            futile: Mutex::new(None),
            threads: threads as u64,
        }
    }

    /// Returns whether a task without inputs may start now, beside other running
    /// tasks. Otherwise it waits for one of those.
    ///
    /// A run holds at most twice what it would hold with one thread, plus what its
    /// threads are working on. Small runs never wait.
    pub(super) fn admits(&self, plan: &Plan, largest: usize) -> bool {
        let on_disk = self.on_disk.load(Ordering::Relaxed);
        let held = (in_use() + on_disk).saturating_sub(self.before);
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
            // The allowance is a number of values; count each as large as the
            // largest so far.
            allowance.saturating_mul(largest as u64)
        };
        held < allowance.min(self.limit)
    }

    /// Returns whether memory is short.
    pub(super) fn is_high(&self) -> bool {
        in_use() > self.limit / 100 * HIGH_PER_CENT
    }

    /// Spills values if memory is short, until there is room.
    ///
    /// # Errors
    /// [`crate::Error::Spill`] if the disk is full. No value is lost in this case.
    pub(super) fn relieve(&self, listeners: &[Arc<dyn Listener>]) -> Result<()> {
        if !self.is_high() {
            return Ok(());
        }
        // The other workers wait here, which keeps them from producing more
        // values.
        let turn = TURN.get();
        let turn = turn.lock();
        let mut futile = self.futile.lock();
        let is_futile = |(at, then): (Instant, u64)| {
            at.elapsed() < FUTILE && in_use() <= then + self.limit / 64
        };
        if !self.is_high() || futile.is_some_and(is_futile) {
            return Ok(());
        }
        // Drop cached values, which can be computed again, before writing any
        // value to disk.
        cache::shrink(0);
        let spilled = !self.is_high() || spill_down_to(self.limit / 100 * LOW_PER_CENT, listeners)?;
        *futile = (!spilled).then(|| (Instant::now(), in_use()));
        drop(futile);
        drop(turn);
        machine::give_back_free_memory();
        Ok(())
    }
}

/// Spills the values that are needed last, until at most `target` bytes are in
/// use. Returns whether any value was spilled.
fn spill_down_to(target: u64, listeners: &[Arc<dyn Listener>]) -> Result<bool> {
    let holders: Vec<Arc<dyn Holder>> = HOLDERS
        .get()
        .lock()
        .iter()
        .filter_map(Weak::upgrade)
        .collect();
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
            emit(listeners, || Event::Spilled { nbytes });
        }
    }
    Ok(any)
}

/// Calls `tell` with the values in a run's state that nothing else holds.
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

/// Replaces a task's value by `spilled`, if the value is still there.
pub(super) fn replace_result(state: &mut State<Value>, place: u32, spilled: Value) -> bool {
    match state.value_mut(TaskId(place)) {
        Some(value) if !spill::is_spilled(value) => {
            *value = spilled;
            true
        }
        _ => false,
    }
}
