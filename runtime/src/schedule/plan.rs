//! Plans: the needed tasks, numbered in the order in which they should run.

use super::memory::memory_limit;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::graph::needed::{Needed, stop_at_times};
use crate::graph::{Key, Layer, Layers, Operation, TaskRef, Tasks};
use std::sync::Arc;
use swath_scheduler::{Adjacency, Topology, order_unless};

pub use swath_scheduler::TaskId;

/// The tasks that a set of outputs needs, and no others.
///
/// The numbers are dense, so that everything about a task is an array element.
/// They also are the order: of two ready tasks, the one with the smaller number
/// goes first, and tasks that run one after the other lie side by side in
/// memory. Keys are computed on demand.
pub struct Plan {
    layers: Layers,
    /// For each task, the number of its layer.
    layer_of: Vec<u32>,
    /// For each task, its row-major position in the layer.
    linear: Vec<u32>,
    topology: Topology,
}

impl Plan {
    /// Numbers the tasks that the chunks of the outputs need.
    ///
    /// # Errors
    /// [`Error::Argument`] for more than 2³² − 1 tasks.
    pub fn new(layers: Layers) -> Result<Self> {
        Self::new_unless(layers, &CancelToken::default())
    }

    /// Does the same as [`new`](Self::new), unless cancelled.
    ///
    /// # Errors
    /// Those of [`new`](Self::new); [`Error::Interrupted`].
    pub fn new_unless(layers: Layers, token: &CancelToken) -> Result<Self> {
        let needed = Needed::new(&layers, token)?;
        let count = needed.count as usize;
        let mut layer_of = Vec::with_capacity(count);
        let mut linear_of = Vec::with_capacity(count);
        let mut inputs = Adjacency::with_capacity(count, needed.edges);
        let mut sizes = KnownSizes::new(&layers, count);
        let mut scratch: Vec<TaskRef> = Vec::new();
        for number in 0..layers.len() as u32 {
            let node = layers.node(number);
            needed.for_each(number, |linear| {
                layer_of.push(number);
                linear_of.push(linear);
                scratch.clear();
                layers.inputs(number, linear, &mut scratch);
                inputs.push(scratch.iter().map(|input| {
                    let layer = match input.dependency {
                        TaskRef::SELF => number,
                        dependency => node.dependencies[dependency as usize],
                    };
                    TaskId(needed.task(layer, input.linear))
                }));
                if let Some(sizes) = &mut sizes {
                    let task = TaskId(layer_of.len() as u32 - 1);
                    sizes.push(&node.layer, linear, inputs.of(task));
                }
                stop_at_times(layer_of.len() as u32, token)
            })?;
        }
        let outputs = layers
            .outputs()
            .iter()
            .flat_map(|output| {
                let tasks = layers.node(output.layer).layer.grid().len() as u32;
                let picked = output.pick.map_or(0..tasks, |linear| linear..linear + 1);
                picked.map(|linear| (output.layer, linear))
            })
            .map(|(number, linear)| TaskId(needed.task(number, linear)))
            .collect();
        let nbytes = sizes.map(KnownSizes::finish).unwrap_or_default();
        let mut topology = Topology::new(inputs, outputs, nbytes);
        // The search may stop at an order that needs at most this much memory.
        let enough = match topology.knows_sizes() {
            true => memory_limit() / 100,
            false => 0,
        };
        let sequence =
            order_unless(&topology, enough, &|| token.is_cancelled()).ok_or(Error::Interrupted)?;
        if sequence.iter().zip(0..).any(|(task, at)| task.0 != at) {
            topology = topology.renumbered(&sequence);
            let sorted = |of: Vec<u32>| sequence.iter().map(|task| of[task.at()]).collect();
            layer_of = sorted(layer_of);
            linear_of = sorted(linear_of);
        }
        Ok(Self {
            layers,
            layer_of,
            linear: linear_of,
            topology,
        })
    }

    /// Returns the number of tasks.
    pub fn len(&self) -> usize {
        self.topology.len()
    }

    /// Returns whether there are no tasks.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all tasks, in the order in which they should run.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = TaskId> + DoubleEndedIterator + use<> {
        self.topology.tasks()
    }

    /// Returns the dependency graph of the tasks.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Returns the layers, dependencies first.
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// Returns the number of a task's layer in [`Plan::layers`].
    #[inline]
    pub fn layer_number(&self, task: TaskId) -> u32 {
        self.layer_of[task.at()]
    }

    /// Returns a task's layer.
    #[inline]
    pub fn layer(&self, task: TaskId) -> &Arc<Layer> {
        &self.layers.node(self.layer_number(task)).layer
    }

    /// Returns a task's row-major position in its layer.
    #[inline]
    pub fn linear(&self, task: TaskId) -> u32 {
        self.linear[task.at()]
    }

    /// Returns a task's operation, or `None` for a task of a layer of values.
    #[inline]
    pub fn operation(&self, task: TaskId) -> Option<&dyn Operation> {
        self.layers
            .node(self.layer_number(task))
            .operation(self.linear(task))
    }

    /// Returns whether a task has to be computed because its value is not
    /// available yet.
    pub fn is_computed(&self, task: TaskId) -> bool {
        let node = self.layers.node(self.layer_number(task));
        node.source(self.linear(task)).is_none()
    }

    /// Returns a task's key.
    pub fn key(&self, task: TaskId) -> Key {
        self.layer(task).key(self.linear(task))
    }

    /// Returns the name of a task's operation.
    pub fn operation_name(&self, task: TaskId) -> &str {
        self.layers
            .node(self.layer_number(task))
            .operation_name(self.linear(task))
    }

    /// Returns a task's inputs; one that is used several times occurs several
    /// times.
    pub fn inputs(&self, task: TaskId) -> &[TaskId] {
        self.topology.inputs(task)
    }

    /// Returns the tasks that use a task's value; one that uses it several
    /// times occurs several times.
    pub fn dependents(&self, task: TaskId) -> &[TaskId] {
        self.topology.dependents(task)
    }

    /// Returns the tasks of the requested values, in the order of the request.
    pub fn outputs(&self) -> &[TaskId] {
        self.topology.outputs()
    }

    /// Waits for persisted values that are still being computed.
    pub(super) fn wait_for_sources(&self) -> Result<()> {
        self.layers
            .nodes()
            .iter()
            .try_for_each(|node| match node.tasks() {
                Tasks::Values(source) => source.wait(),
                _ => Ok(()),
            })
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Plan of {} tasks in {} layers",
            self.len(),
            self.layers.len()
        )
    }
}

/// The sizes of the tasks' values, if any layer knows its own. A task of
/// unknown size counts as large as its largest input.
struct KnownSizes {
    nbytes: Vec<u64>,
    /// Tasks that have neither a known size nor inputs.
    unknown: Vec<u32>,
    known: u64,
    sum: u64,
}

impl KnownSizes {
    fn new(layers: &Layers, tasks: usize) -> Option<Self> {
        let is_known = |layer: &Layer| !matches!(layer.sizes(), crate::graph::Sizes::Unknown);
        layers
            .nodes()
            .iter()
            .any(|node| is_known(&node.layer))
            .then(|| Self {
                nbytes: Vec::with_capacity(tasks),
                unknown: Vec::new(),
                known: 0,
                sum: 0,
            })
    }

    fn push(&mut self, layer: &Layer, linear: u32, inputs: &[TaskId]) {
        let nbytes = match layer.sizes().of(linear) {
            Some(nbytes) => {
                self.known += 1;
                self.sum += nbytes;
                nbytes
            }
            None => {
                let largest = inputs.iter().map(|input| self.nbytes[input.at()]).max();
                if largest.is_none() {
                    self.unknown.push(self.nbytes.len() as u32);
                }
                largest.unwrap_or(0)
            }
        };
        self.nbytes.push(nbytes);
    }

    fn finish(mut self) -> Vec<u64> {
        let typical = self.sum / self.known.max(1);
        for task in self.unknown {
            self.nbytes[task as usize] = typical;
        }
        self.nbytes
    }
}
