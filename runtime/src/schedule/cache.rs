//! The cache of intermediate values. It keeps values that took long to compute
//! for their size, within a budget of bytes. It is off unless a budget is set.
//!
//! The eviction order is GreedyDual-Size (Cao and Irani, "Cost-Aware WWW Proxy
//! Caching Algorithms", 1997). Each value has a credit: its seconds per byte
//! above the *level*, which is the credit of the value evicted last. So a value
//! that is never used is evicted in the end, however costly it was.

use super::size::ByteSize;
use super::spill;
use crate::context::PerContext;
use crate::error::{Error, Result};
use crate::graph::{Layer, LayerId, Value, ValueSource};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Values of quicker tasks are not worth a lookup.
const QUICK: Duration = Duration::from_millis(1);

static IS_ON: PerContext<AtomicBool> = PerContext::new(AtomicBool::default);
static CACHE: PerContext<Mutex<Option<Cache>>> = PerContext::new(Mutex::default);

#[derive(Default)]
struct Cache {
    budget: usize,
    nbytes: usize,
    level: f64,
    layers: HashMap<LayerId, HashMap<u32, Entry>>,
}

struct Entry {
    value: Value,
    seconds_a_byte: f64,
    credit: f64,
}

/// Sets the budget for keeping intermediate values, `"1 GiB"`.
///
/// Later computations that need the values use them. The cache is off at first,
/// and 0 switches it off again.
///
/// # Errors
/// [`Error::Argument`] for a text that is not a size.
pub fn set_cache_limit(limit: impl Into<ByteSize>) -> Result<()> {
    let budget = match limit.into() {
        ByteSize::Bytes(0) => 0,
        limit => limit.bytes()?,
    };
    let cache = CACHE.get();
    let mut cache = cache.lock();
    IS_ON.with(|is_on| is_on.store(budget > 0, Ordering::Relaxed));
    if budget == 0 {
        *cache = None;
    } else {
        let cache = cache.get_or_insert_default();
        cache.budget = usize::try_from(budget).unwrap_or(usize::MAX);
        cache.shrink(cache.budget);
    }
    Ok(())
}

/// Returns whether a budget is set.
pub(super) fn is_on() -> bool {
    IS_ON.with(|is_on| is_on.load(Ordering::Relaxed))
}

/// Offers a value that took `elapsed` to compute.
pub(super) fn offer(layer: &Layer, linear: u32, value: &Value, elapsed: Duration) {
    if elapsed < QUICK {
        return;
    }
    if let Some(cache) = &mut *CACHE.get().lock() {
        cache.add(layer.id(), linear, value, elapsed);
    }
}

/// Evicts values until at most `nbytes` are left, because memory is short.
pub(super) fn shrink(nbytes: usize) {
    if let Some(cache) = &mut *CACHE.get().lock() {
        cache.shrink(nbytes);
    }
}

/// Returns a layer's cached values.
pub(super) fn lookup(id: LayerId) -> Option<Arc<dyn ValueSource>> {
    let cache = CACHE.get();
    let mut cache = cache.lock();
    let cache = cache.as_mut()?;
    let level = cache.level;
    let entries = cache.layers.get_mut(&id)?;
    let values = entries
        .iter_mut()
        .map(|(&linear, entry)| {
            entry.credit = level + entry.seconds_a_byte;
            (linear, entry.value.clone())
        })
        .collect();
    Some(Arc::new(Found(values)))
}

impl Cache {
    fn add(&mut self, id: LayerId, linear: u32, value: &Value, elapsed: Duration) {
        let nbytes = value.nbytes();
        if nbytes > self.budget {
            return;
        }
        let entries = self.layers.entry(id).or_default();
        if entries.contains_key(&linear) {
            return;
        }
        let seconds_a_byte = elapsed.as_secs_f64() / nbytes.max(1) as f64;
        entries.insert(
            linear,
            Entry {
                value: value.clone(),
                seconds_a_byte,
                credit: self.level + seconds_a_byte,
            },
        );
        self.nbytes += nbytes;
        self.shrink(self.budget);
    }

    fn shrink(&mut self, budget: usize) {
        if self.nbytes <= budget {
            return;
        }
        let mut all: Vec<(f64, LayerId, u32)> = self
            .layers
            .iter()
            .flat_map(|(&id, entries)| {
                entries
                    .iter()
                    .map(move |(&linear, entry)| (entry.credit, id, linear))
            })
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        // Evict a little more than needed, so that not every value costs a
        // sort.
        let target = budget - budget / 8;
        for (credit, id, linear) in all {
            if self.nbytes <= target {
                break;
            }
            let entries = self.layers.get_mut(&id);
            let entry = entries.and_then(|entries| entries.remove(&linear));
            self.nbytes -= entry.map_or(0, |entry| entry.value.nbytes());
            self.level = credit;
        }
        self.layers.retain(|_, entries| !entries.is_empty());
    }
}

/// The values that were in the cache when a plan was made.
struct Found(HashMap<u32, Value>);

impl ValueSource for Found {
    fn name(&self) -> &str {
        "cached"
    }

    fn has(&self, linear: u32) -> bool {
        self.0.contains_key(&linear)
    }

    fn value(&self, linear: u32) -> Result<Value> {
        let value = self.0.get(&linear).ok_or_else(|| {
            Error::Argument("a value that is not in the cache was requested from it".to_owned())
        })?;
        Ok(spill::load(value)?.unwrap_or_else(|| value.clone()))
    }

    fn wait(&self) -> Result<()> {
        Ok(())
    }
}
