//! The session's cache: values that outlive a run, found by the identity of the
//! layer that computed them.
//!
//! A persisted layer is found as long as anything holds it. Computing the same
//! expression again, or one built on it, therefore uses the available values. If
//! a persisted collection failed, the values it has are used and the rest is
//! computed. A user's function that is defined again is a different function, so
//! its layers have different identities.

use super::cache;
use super::memory::{self, Candidate, Holder, NOT_SOON};
use super::persist::Persisted;
use super::spill;
use crate::context::PerContext;
use crate::error::Result;
use crate::graph::{LayerId, Layers, Tasks, Value};
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// The values of a layer, each in memory or on disk, or missing.
pub(super) struct ValueStore(Mutex<Vec<Slot>>);

#[derive(Default)]
struct Slot {
    memory: Option<Value>,
    on_disk: Option<Value>,
    /// When it was last used.
    used: u64,
}

impl Slot {
    fn of(value: Value) -> Self {
        let used = now();
        if spill::is_spilled(&value) {
            Self {
                on_disk: Some(value),
                used,
                ..Self::default()
            }
        } else {
            Self {
                memory: Some(value),
                used,
                ..Self::default()
            }
        }
    }
}

/// Returns a counter of the uses of all kept values: a smaller number is an
/// earlier use.
fn now() -> u64 {
    static NOW: AtomicU64 = AtomicU64::new(0);
    NOW.fetch_add(1, Ordering::Relaxed)
}

impl ValueStore {
    /// Keeps values; `None` stands for a missing one.
    pub(super) fn new(values: Vec<Option<Value>>) -> Arc<Self> {
        let slots = values
            .into_iter()
            .map(|value| value.map(Slot::of).unwrap_or_default());
        let kept = Arc::new(Self(Mutex::new(slots.collect())));
        memory::register(&kept);
        kept
    }

    /// Returns whether a value is available.
    pub(super) fn has(&self, linear: u32) -> bool {
        let slot = &self.0.lock()[linear as usize];
        slot.memory.is_some() || slot.on_disk.is_some()
    }

    /// Returns the bytes of the values in memory.
    pub(super) fn nbytes(&self) -> usize {
        let slots = self.0.lock();
        let values = slots.iter().filter_map(|slot| slot.memory.as_ref());
        values.map(Value::nbytes).sum()
    }

    /// Returns the number of values, including missing ones.
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Returns a value, or its stand-in on disk, without counting it as a use.
    pub(super) fn as_it_is(&self, linear: u32) -> Option<Value> {
        let slot = &self.0.lock()[linear as usize];
        slot.memory.as_ref().or(slot.on_disk.as_ref()).cloned()
    }

    /// Sets the stand-in on disk that replaces a value when memory runs short. It
    /// replaces an earlier stand-in.
    pub(super) fn stand_in(&self, linear: u32, on_disk: Value) {
        let before = self.0.lock()[linear as usize].on_disk.replace(on_disk);
        // Frees its disk space outside the lock.
        drop(before);
    }

    /// Returns a value, and reads it back if it is on disk.
    ///
    /// # Errors
    /// The error of reading it back from disk.
    pub(super) fn value(&self, linear: u32) -> Result<Option<Value>> {
        let on_disk = {
            let slot = &mut self.0.lock()[linear as usize];
            slot.used = now();
            match (&slot.memory, &slot.on_disk) {
                (Some(value), _) => return Ok(Some(value.clone())),
                (None, Some(on_disk)) => on_disk.clone(),
                (None, None) => return Ok(None),
            }
        };
        let value = spill::load(&on_disk)?.unwrap_or(on_disk);
        if memory::has_room() {
            self.0.lock()[linear as usize].memory = Some(value.clone());
        }
        Ok(Some(value))
    }
}

impl Holder for ValueStore {
    fn candidates(&self, tell: &mut dyn FnMut(Candidate)) {
        for (slot, place) in self.0.lock().iter().zip(0..) {
            if let Some(value) = &slot.memory
                && !value.is_shared()
            {
                tell(Candidate {
                    place,
                    value: value.clone(),
                    // After all values with a known use; the least recently used
                    // is needed last.
                    needed: u64::MAX - slot.used.min(NOT_SOON),
                    on_disk: slot.on_disk.clone(),
                });
            }
        }
    }

    fn replace(&self, place: u32, spilled: Value) -> bool {
        let slot = &mut self.0.lock()[place as usize];
        slot.on_disk = Some(spilled);
        slot.memory.take().is_some()
    }
}

/// The persisted layers.
#[derive(Default)]
struct Registered {
    by_id: HashMap<LayerId, Vec<Weak<Persisted>>>,
    /// The number of the next persisted layer.
    next: u64,
}

static REGISTERED: PerContext<Mutex<Registered>> = PerContext::new(Mutex::default);

/// Creates a persisted layer with its number. Computations find it as long as
/// anything holds it. A persisted layer finds all others with smaller numbers.
pub(super) fn register(id: LayerId, make: impl FnOnce(u64) -> Persisted) -> Arc<Persisted> {
    let registered = REGISTERED.get();
    let Registered { by_id, next } = &mut *registered.lock();
    let persisted = Arc::new(make(*next));
    *next += 1;
    // Clean up now and then, so that dead entries do not pile up.
    if by_id.len().is_power_of_two() {
        by_id.retain(|_, persisted| persisted.iter().any(|one| one.strong_count() > 0));
    }
    let same = by_id.entry(id).or_default();
    same.retain(|one| one.strong_count() > 0);
    same.push(Arc::downgrade(&persisted));
    persisted
}

/// Returns a persisted layer that has all of its values.
pub(super) fn find(id: LayerId) -> Option<Arc<Persisted>> {
    let same: Vec<Arc<Persisted>> = {
        let registered = REGISTERED.get();
        let registered = registered.lock();
        let same = registered.by_id.get(&id)?;
        same.iter().filter_map(Weak::upgrade).collect()
    };
    // The others are dropped outside the lock.
    same.into_iter()
        .find(|persisted| persisted.kept().is_some())
}

/// Replaces tasks by kept values. Returns the names of the layers whose values
/// were found.
///
/// A persisted layer uses only layers that were persisted before it (`before`):
/// two layers that wait for each other would wait forever.
pub(super) fn take_kept(layers: &mut Layers, before: Option<u64>) -> Vec<Arc<str>> {
    let mut found = Vec::new();
    // Dropped outside the lock: this may be the last holder of a persisted layer.
    let mut looked_at: Vec<Arc<Persisted>> = Vec::new();
    let registered = REGISTERED.get();
    let registered = &registered.lock().by_id;
    let has_cache = cache::is_on();
    if registered.is_empty() && !has_cache {
        return found;
    }
    for number in 0..layers.len() as u32 {
        let node = layers.node_mut(number);
        if matches!(node.tasks(), Tasks::Values(_)) {
            continue;
        }
        let id = node.layer.id();
        let same = looked_at.len();
        looked_at.extend(
            registered
                .get(&id)
                .into_iter()
                .flatten()
                .filter_map(Weak::upgrade)
                .filter(|persisted| before.is_none_or(|before| persisted.number() < before)),
        );
        let same = &looked_at[same..];
        if let Some(whole) = same.iter().find(|persisted| !persisted.has_failed()) {
            node.rewrite(Tasks::Values(whole.clone()), SmallVec::new());
        } else if let Some(part) = same.last() {
            node.known = Some(part.clone());
        } else if has_cache && let Some(cached) = cache::lookup(id) {
            node.known = Some(cached);
        } else {
            continue;
        }
        found.push(node.layer.name().clone());
    }
    if !found.is_empty() {
        layers.cull();
    }
    found
}
