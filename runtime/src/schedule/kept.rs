//! The session's cache: values that outlive a run, found by the identity of the
//! layer that computed them.
//!
//! What is persisted is found as long as somebody holds it. So computing the
//! same thing again, or something made of it, takes the values that are there;
//! of a persisted collection that failed, those that are there, and the rest is
//! computed. A function of the user's that is defined again is another function:
//! its layers have other identities.

use super::cache;
use super::memory::{self, Candidate, Holder, NOT_SOON};
use super::persist::Persisted;
use super::spill;
use crate::error::Result;
use crate::graph::{LayerId, Layers, Tasks, Value};
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// The values of a layer, each in memory or on disk, or missing.
pub(super) struct Kept(Mutex<Vec<Slot>>);

#[derive(Default)]
struct Slot {
    memory: Option<Value>,
    on_disk: Option<Value>,
    /// When somebody took it last.
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

/// Counts the takes of all kept values: the smaller, the longer ago.
fn now() -> u64 {
    static NOW: AtomicU64 = AtomicU64::new(0);
    NOW.fetch_add(1, Ordering::Relaxed)
}

impl Kept {
    /// Keeps values; none where one is missing.
    pub(super) fn new(values: Vec<Option<Value>>) -> Arc<Self> {
        let slots = values
            .into_iter()
            .map(|value| value.map(Slot::of).unwrap_or_default());
        let kept = Arc::new(Self(Mutex::new(slots.collect())));
        memory::register(&kept);
        kept
    }

    /// Whether a value is there.
    pub(super) fn has(&self, linear: u32) -> bool {
        let slot = &self.0.lock()[linear as usize];
        slot.memory.is_some() || slot.on_disk.is_some()
    }

    /// The bytes of the values that are in memory.
    pub(super) fn nbytes(&self) -> usize {
        let slots = self.0.lock();
        let values = slots.iter().filter_map(|slot| slot.memory.as_ref());
        values.map(Value::nbytes).sum()
    }

    /// The number of places.
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// A value, or what stands in for it, without taking it.
    pub(super) fn as_it_is(&self, linear: u32) -> Option<Value> {
        let slot = &self.0.lock()[linear as usize];
        slot.memory.as_ref().or(slot.on_disk.as_ref()).cloned()
    }

    /// Has a value that is on disk stand in for one when memory gets short; it
    /// takes the place of one that stood in before.
    pub(super) fn stand_in(&self, linear: u32, on_disk: Value) {
        let before = self.0.lock()[linear as usize].on_disk.replace(on_disk);
        // Gives its room back, without the lock.
        drop(before);
    }

    /// A value, read back where it is on disk.
    ///
    /// # Errors
    /// Where it cannot be read.
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

impl Holder for Kept {
    fn candidates(&self, tell: &mut dyn FnMut(Candidate)) {
        for (slot, place) in self.0.lock().iter().zip(0..) {
            if let Some(value) = &slot.memory
                && !value.is_shared()
            {
                tell(Candidate {
                    place,
                    value: value.clone(),
                    // After everything that has a known use, the oldest last.
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

/// What is persisted.
#[derive(Default)]
struct Registered {
    by_id: HashMap<LayerId, Vec<Weak<Persisted>>>,
    /// The number of the next one.
    next: u64,
}

static REGISTERED: Mutex<Option<Registered>> = Mutex::new(None);

/// Makes a persisted layer, with its number, that computations find as long as
/// somebody holds it. Each finds all that have a smaller number.
pub(super) fn register(id: LayerId, make: impl FnOnce(u64) -> Persisted) -> Arc<Persisted> {
    let mut registered = REGISTERED.lock();
    let Registered { by_id, next } = registered.get_or_insert_default();
    let persisted = Arc::new(make(*next));
    *next += 1;
    // Now and then, so that what is gone does not pile up.
    if by_id.len().is_power_of_two() {
        by_id.retain(|_, persisted| persisted.iter().any(|one| one.strong_count() > 0));
    }
    let same = by_id.entry(id).or_default();
    same.retain(|one| one.strong_count() > 0);
    same.push(Arc::downgrade(&persisted));
    persisted
}

/// What is persisted of a layer, and whole.
pub(super) fn find(id: LayerId) -> Option<Arc<Persisted>> {
    let same: Vec<Arc<Persisted>> = {
        let registered = REGISTERED.lock();
        let same = registered.as_ref()?.by_id.get(&id)?;
        same.iter().filter_map(Weak::upgrade).collect()
    };
    // The others are dropped without the lock.
    same.into_iter()
        .find(|persisted| persisted.kept().is_some())
}

/// Takes what is kept in place of what computes it. What is persisted takes
/// only what was persisted before it, `before`: two that wait for each other
/// would wait for ever. Returns the names of the layers whose values were found.
pub(super) fn take_kept(layers: &mut Layers, before: Option<u64>) -> Vec<Arc<str>> {
    let mut found = Vec::new();
    // Dropped without the lock: the last holder of a persisted layer may be here.
    let mut looked_at: Vec<Arc<Persisted>> = Vec::new();
    let registered = REGISTERED.lock();
    let registered = registered.as_ref().map(|registered| &registered.by_id);
    let has_cache = cache::is_on();
    if registered.is_none() && !has_cache {
        return found;
    }
    for number in 0..layers.len() as u32 {
        let node = layers.node_mut(number);
        if matches!(node.tasks(), Tasks::Values(_)) {
            continue;
        }
        let id = node.layer.id();
        let same = looked_at.len();
        let registered = registered.and_then(|map| map.get(&id));
        looked_at.extend(
            registered
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
