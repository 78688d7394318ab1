//! The tasks that are needed, numbered in the order in which they should run.

use super::memory::memory_limit;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::graph::needed::{Needed, stop_at_times};
use crate::graph::{Key, Layer, Layers, Operation, TaskRef, Tasks};
use std::sync::Arc;
use swath_scheduler::{Adjacency, Topology, order_unless};

pub use swath_scheduler::TaskId;

/// The tasks that a set of layers needs, and nothing else.
///
/// Numbers are dense, so that everything about a task is an array's element,
/// and they are the order: of two tasks that are ready the one of the smaller
/// number goes first, and what runs one after the other lies side by side in
/// memory. Keys exist only where someone asks for one.
pub struct Plan {
    layers: Layers,
    /// For each task, its layer.
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

    /// As [`new`](Self::new), unless cancelled.
    ///
    /// # Errors
    /// As there; [`Error::Interrupted`].
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
        // An order that needs little memory is good enough.
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

    /// The number of tasks.
    pub fn len(&self) -> usize {
        self.topology.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every task, in the order in which they should run.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = TaskId> + DoubleEndedIterator + use<> {
        self.topology.tasks()
    }

    /// Which task takes whose values.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The layers, dependencies first.
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// The number of a task's layer in [`Plan::layers`].
    #[inline]
    pub fn layer_number(&self, task: TaskId) -> u32 {
        self.layer_of[task.at()]
    }

    /// A task's layer.
    #[inline]
    pub fn layer(&self, task: TaskId) -> &Arc<Layer> {
        &self.layers.node(self.layer_number(task)).layer
    }

    /// A task's row-major position in its layer.
    #[inline]
    pub fn linear(&self, task: TaskId) -> u32 {
        self.linear[task.at()]
    }

    /// What a task does; none where its value is there.
    #[inline]
    pub fn operation(&self, task: TaskId) -> Option<&dyn Operation> {
        self.layers
            .node(self.layer_number(task))
            .operation(self.linear(task))
    }

    /// Whether a task has something to compute: its value is not there yet.
    pub fn is_computed(&self, task: TaskId) -> bool {
        let node = self.layers.node(self.layer_number(task));
        node.source(self.linear(task)).is_none()
    }

    /// A task's key.
    pub fn key(&self, task: TaskId) -> Key {
        self.layer(task).key(self.linear(task))
    }

    /// The name of a task's operation.
    pub fn operation_name(&self, task: TaskId) -> &str {
        self.layers
            .node(self.layer_number(task))
            .operation_name(self.linear(task))
    }

    /// A task's inputs, one entry each time one is taken.
    pub fn inputs(&self, task: TaskId) -> &[TaskId] {
        self.topology.inputs(task)
    }

    /// The tasks that take a task's value, one entry each time they do.
    pub fn dependents(&self, task: TaskId) -> &[TaskId] {
        self.topology.dependents(task)
    }

    /// The tasks whose values are asked for, in the order asked.
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

/// The sizes of the tasks' values, where some layer knows its own. What does
/// not know its size counts as large as the largest thing it takes.
struct KnownSizes {
    nbytes: Vec<u64>,
    /// Tasks that neither know their size nor take anything.
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
