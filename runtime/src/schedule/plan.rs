//! The tasks that are needed, numbered in the order in which they should run.

use super::cancel::CancelToken;
use super::memory::memory_limit;
use crate::error::{Error, Result};
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

/// How many tasks are planned between two looks whether to stop.
const LOOK: u32 = 8192;

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
                    needed.task(layer, input.linear)
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
            .map(|(number, linear)| needed.task(number, linear))
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

fn stop_at_times(task: u32, token: &CancelToken) -> Result<()> {
    if task.is_multiple_of(LOOK) && token.is_cancelled() {
        return Err(Error::Interrupted);
    }
    Ok(())
}

/// Which tasks of each layer are needed: a bit each, so that what is not
/// needed costs next to nothing.
struct Needed {
    /// For each layer, where its bits begin in `words`; one more for the end.
    start: Vec<u32>,
    words: Vec<u64>,
    /// For each word, how many tasks are needed before it.
    before: Vec<u32>,
    count: u32,
    /// How many inputs the tasks have in all.
    edges: usize,
}

impl Needed {
    /// Marks backwards, from the outputs to the roots.
    fn new(layers: &Layers, token: &CancelToken) -> Result<Self> {
        let mut start = Vec::with_capacity(layers.len() + 1);
        let mut words: u64 = 0;
        for node in layers.nodes() {
            start.push(words as u32);
            words += node.layer.grid().len().div_ceil(64) as u64;
        }
        start.push(words as u32);
        if words > u64::from(u32::MAX) {
            return Err(too_many());
        }
        let mut needed = Self {
            start,
            words: vec![0; words as usize],
            before: Vec::new(),
            count: 0,
            edges: 0,
        };
        for output in layers.outputs() {
            match output.pick {
                Some(linear) => needed.mark(output.layer, linear),
                None => {
                    let tasks = layers.node(output.layer).layer.grid().len();
                    needed.mark_all(output.layer, tasks);
                }
            }
        }
        let mut scratch: Vec<TaskRef> = Vec::new();
        let mut visited: u64 = 0;
        for number in (0..layers.len() as u32).rev() {
            let node = layers.node(number);
            let leaf = node.dependencies.is_empty() && !matches!(node.tasks(), Tasks::Listed(_));
            if leaf {
                continue;
            }
            // From the last task to the first, since one may take another of
            // its own layer.
            for word in (needed.start[number as usize]..needed.start[number as usize + 1]).rev() {
                // Bits below the one at hand may be set on the way.
                let mut below = u64::MAX;
                loop {
                    let bits = needed.words[word as usize] & below;
                    if bits == 0 {
                        break;
                    }
                    let bit = 63 - bits.leading_zeros();
                    below = (1 << bit) - 1;
                    let linear = (word - needed.start[number as usize]) * 64 + bit;
                    scratch.clear();
                    layers.inputs(number, linear, &mut scratch);
                    needed.edges += scratch.len();
                    for input in &scratch {
                        let layer = match input.dependency {
                            TaskRef::SELF => number,
                            dependency => node.dependencies[dependency as usize],
                        };
                        needed.mark(layer, input.linear);
                    }
                    visited += 1;
                    stop_at_times(visited as u32, token)?;
                }
            }
        }
        needed.rank()?;
        Ok(needed)
    }

    fn mark_all(&mut self, layer: u32, tasks: usize) {
        let start = self.start[layer as usize] as usize;
        self.words[start..start + tasks / 64].fill(u64::MAX);
        if !tasks.is_multiple_of(64) {
            self.words[start + tasks / 64] |= (1 << (tasks % 64)) - 1;
        }
    }

    #[inline]
    fn mark(&mut self, layer: u32, linear: u32) {
        self.words[(self.start[layer as usize] + linear / 64) as usize] |= 1 << (linear % 64);
    }

    fn rank(&mut self) -> Result<()> {
        let mut count: u64 = 0;
        self.before = Vec::with_capacity(self.words.len());
        for word in &self.words {
            self.before.push(count as u32);
            count += u64::from(word.count_ones());
        }
        if count >= u64::from(u32::MAX) || self.edges >= u32::MAX as usize {
            return Err(too_many());
        }
        self.count = count as u32;
        Ok(())
    }

    /// The number of a task that is needed: they are numbered layer by layer.
    #[inline]
    fn task(&self, layer: u32, linear: u32) -> TaskId {
        let word = (self.start[layer as usize] + linear / 64) as usize;
        let below = self.words[word] & ((1 << (linear % 64)) - 1);
        TaskId(self.before[word] + below.count_ones())
    }

    /// Calls something with each needed task of a layer.
    #[inline]
    fn for_each(&self, layer: u32, mut call: impl FnMut(u32) -> Result<()>) -> Result<()> {
        let (from, to) = (self.start[layer as usize], self.start[layer as usize + 1]);
        for word in from..to {
            let mut bits = self.words[word as usize];
            while bits != 0 {
                call((word - from) * 64 + bits.trailing_zeros())?;
                bits &= bits - 1;
            }
        }
        Ok(())
    }
}

fn too_many() -> Error {
    Error::Argument(format!(
        "the graph has more than {} tasks or inputs of tasks: use larger chunks",
        u32::MAX
    ))
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
