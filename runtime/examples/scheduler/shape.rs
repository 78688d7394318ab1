//! The measured graphs, as arithmetic: nothing is stored per task, so that the
//! memory of a run is the runtime's own. `tests/bench/peers/shapes.py` has the
//! same graphs in Python.

use std::ops::Range;

/// The kind of a graph.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Tasks without inputs; all values are requested.
    Independent,
    /// Each task uses the one before.
    Chain,
    /// Each task that is not a leaf uses two others; the root is requested.
    Tree,
    /// As many layers as tasks in a layer. A task uses three tasks of the layer
    /// before: the one at its own place, and two at random places. The last layer
    /// is requested.
    Layered,
    /// One task uses all others.
    FanIn,
}

/// A graph with a number of tasks, each after its inputs.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    tasks: usize,
}

impl Shape {
    /// Creates a graph of about `about` tasks: exactly that many if possible.
    pub(crate) fn new(kind: Kind, about: usize) -> Self {
        let tasks = match kind {
            Kind::Tree => about.max(1) - (about + 1) % 2,
            Kind::Layered => about.isqrt().pow(2),
            _ => about,
        };
        Self { kind, tasks }
    }

    pub(crate) fn tasks(self) -> usize {
        self.tasks
    }

    /// Returns the tasks whose values are requested: the last ones.
    pub(crate) fn outputs(self) -> Range<usize> {
        let first = match self.kind {
            Kind::Independent => 0,
            Kind::Layered => self.tasks - self.width(),
            Kind::Chain | Kind::Tree | Kind::FanIn => self.tasks - 1,
        };
        first..self.tasks
    }

    /// Appends the inputs of a task.
    pub(crate) fn inputs(self, task: usize, inputs: &mut Vec<usize>) {
        match self.kind {
            Kind::Independent => {}
            Kind::Chain => inputs.extend(task.checked_sub(1)),
            Kind::Tree => {
                let leaves = self.leaves();
                if let Some(inner) = task.checked_sub(leaves) {
                    inputs.extend([2 * inner, 2 * inner + 1]);
                }
            }
            Kind::Layered => {
                let width = self.width();
                if let Some(own) = task.checked_sub(width) {
                    let before = own - own % width;
                    let random = |salt| before + scatter(2 * task + salt) % width;
                    inputs.extend([own, random(0), random(1)]);
                }
            }
            Kind::FanIn if task + 1 == self.tasks => inputs.extend(0..task),
            Kind::FanIn => {}
        }
    }

    /// Returns the number of leaves of a tree.
    pub(crate) fn leaves(self) -> usize {
        self.tasks.div_ceil(2)
    }

    /// Returns the number of tasks of a layer.
    pub(crate) fn width(self) -> usize {
        self.tasks.isqrt()
    }
}

/// Returns a pseudo-random number that is a function of another one (the finish of
/// SplitMix64).
fn scatter(number: usize) -> usize {
    let mut bits = (number as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 1) as usize
}
