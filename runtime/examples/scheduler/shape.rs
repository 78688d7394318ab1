//! The graphs that are measured, as arithmetic: nothing about a task is stored,
//! so that the memory of a run is the runtime's own. `tests/bench/peers/shapes.py`
//! has the same in Python.

use std::ops::Range;

/// Which graph.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Tasks without inputs; all of them are asked for.
    Independent,
    /// Each task takes the one before.
    Chain,
    /// Each task that is no leaf takes two; the root is asked for.
    Tree,
    /// As many layers as tasks in a layer. A task takes the one at its own place
    /// in the layer before, and two at random places; the last layer is asked for.
    Layered,
    /// One task takes all others.
    FanIn,
}

/// A graph of so many tasks, each after its inputs.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    tasks: usize,
}

impl Shape {
    /// A graph of about so many tasks: exactly so many where that is possible.
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

    /// The tasks whose values are asked for: the last ones.
    pub(crate) fn outputs(self) -> Range<usize> {
        let first = match self.kind {
            Kind::Independent => 0,
            Kind::Layered => self.tasks - self.width(),
            Kind::Chain | Kind::Tree | Kind::FanIn => self.tasks - 1,
        };
        first..self.tasks
    }

    /// Appends what a task takes.
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

    /// The leaves of a tree.
    pub(crate) fn leaves(self) -> usize {
        self.tasks.div_ceil(2)
    }

    /// The tasks of a layer.
    pub(crate) fn width(self) -> usize {
        self.tasks.isqrt()
    }
}

/// A number as good as random that follows from another one (the finish of
/// SplitMix64).
fn scatter(number: usize) -> usize {
    let mut bits = (number as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 1) as usize
}
