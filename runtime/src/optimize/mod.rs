//! Rewriting layers before they are planned.
//!
//! One list of rules, each from layers to layers. Culling is not among them:
//! a plan visits only what is needed ([`crate::schedule::Plan::new`]).

mod fuse;
#[cfg(test)]
mod tests;

use crate::graph::Layer;
use std::sync::Arc;

/// A rewriting of the layers that compute `outputs`, which keep name, grid and
/// values.
type Rule = fn(&[Arc<Layer>]) -> Vec<Arc<Layer>>;

const RULES: &[(&str, Rule)] = &[
    // Chunkwise steps become one task a chunk, so that no intermediate chunk
    // is held and each is in the cache when the next step takes it.
    ("fuse_blockwise", fuse::fuse_blockwise),
];

/// Applies every rule.
pub fn optimize(outputs: &[Arc<Layer>]) -> Vec<Arc<Layer>> {
    RULES
        .iter()
        .fold(outputs.to_vec(), |layers, (_, rule)| rule(&layers))
}
