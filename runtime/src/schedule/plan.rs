//! The tasks that are needed, numbered, with their inputs.

use crate::error::{Error, Result};
use crate::graph::{Key, Layer, Source, TaskRef, Tasks};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// A task's number in a plan: inputs have smaller numbers than what takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u32);

impl TaskId {
    pub(super) fn at(self) -> usize {
        self.0 as usize
    }
}

/// The tasks that a set of layers needs, and nothing else.
///
/// Numbers are dense, so that everything about a task is an array's element;
/// keys exist only where someone asks for one.
pub struct Plan {
    layers: Vec<Arc<Layer>>,
    /// For each task, its layer.
    layer_of: Vec<u32>,
    /// For each task, its row-major position in the layer.
    linear: Vec<u32>,
    inputs: Adjacency,
    dependents: Adjacency,
    outputs: Vec<TaskId>,
}

/// Lists of tasks, one a task, in one array.
#[derive(Default)]
struct Adjacency {
    start: Vec<u32>,
    tasks: Vec<TaskId>,
}

impl Adjacency {
    fn of(&self, task: TaskId) -> &[TaskId] {
        &self.tasks[self.start[task.at()] as usize..self.start[task.at() + 1] as usize]
    }
}

const NOT_NEEDED: u32 = u32::MAX;

impl Plan {
    /// Numbers the tasks that the chunks of `outputs` need.
    ///
    /// # Errors
    /// [`Error::Argument`] for more than 2³² − 1 tasks.
    pub fn new(outputs: &[Arc<Layer>]) -> Result<Self> {
        let Reached { layers, place } = reach(outputs);
        let at = |layer: &Arc<Layer>| place[&Arc::as_ptr(layer)] as usize;

        // Where each layer's tasks begin, all of them counted.
        let mut base = Vec::with_capacity(layers.len());
        let mut total: u64 = 0;
        for layer in &layers {
            base.push(total as u32);
            total += layer.grid().len() as u64;
            if total >= u64::from(u32::MAX) {
                return Err(Error::Argument(format!(
                    "the graph has more than {} tasks: use larger chunks",
                    u32::MAX
                )));
            }
        }

        // Backwards, from outputs to roots: what is needed, and its inputs.
        let mut needed = vec![false; total as usize];
        for layer in outputs {
            let from = base[at(layer)] as usize;
            needed[from..from + layer.grid().len()].fill(true);
        }
        let mut scratch: Vec<TaskRef> = Vec::new();
        let mut edges: Vec<u32> = Vec::new();
        // In the order of visit, which is the reverse of the final one.
        let mut visited: Vec<(u32, u32, u32)> = Vec::new();
        for (number, layer) in layers.iter().enumerate().rev() {
            let dependencies: Vec<u32> = layer
                .dependencies()
                .iter()
                .map(|layer| base[at(layer)])
                .collect();
            for linear in (0..layer.grid().len() as u32).rev() {
                if !needed[(base[number] + linear) as usize] {
                    continue;
                }
                visited.push((number as u32, linear, edges.len() as u32));
                scratch.clear();
                layer.inputs(linear, &mut scratch);
                for input in &scratch {
                    let from = if input.dependency == TaskRef::SELF {
                        base[number]
                    } else {
                        dependencies[input.dependency as usize]
                    };
                    needed[(from + input.linear) as usize] = true;
                    edges.push(from + input.linear);
                }
            }
        }

        // Forwards: number what is needed densely.
        let count = visited.len();
        let mut number_of = vec![NOT_NEEDED; total as usize];
        let mut layer_of = Vec::with_capacity(count);
        let mut linear_of = Vec::with_capacity(count);
        for (id, &(layer, linear, _)) in visited.iter().rev().enumerate() {
            number_of[(base[layer as usize] + linear) as usize] = id as u32;
            layer_of.push(layer);
            linear_of.push(linear);
        }
        let mut inputs = Adjacency {
            start: Vec::with_capacity(count + 1),
            tasks: Vec::with_capacity(edges.len()),
        };
        inputs.start.push(0);
        for (id, &(_, _, from)) in visited.iter().enumerate().rev() {
            let to = visited
                .get(id + 1)
                .map_or(edges.len() as u32, |&(_, _, next)| next);
            inputs.tasks.extend(
                edges[from as usize..to as usize]
                    .iter()
                    .map(|&task| TaskId(number_of[task as usize])),
            );
            inputs.start.push(inputs.tasks.len() as u32);
        }
        let dependents = reverse(&inputs, count);
        let outputs = outputs
            .iter()
            .flat_map(|layer| {
                let from = base[at(layer)];
                (0..layer.grid().len() as u32).map(move |linear| from + linear)
            })
            .map(|task| TaskId(number_of[task as usize]))
            .collect();
        Ok(Self {
            layers,
            layer_of,
            linear: linear_of,
            inputs,
            dependents,
            outputs,
        })
    }

    /// The number of tasks.
    pub fn len(&self) -> usize {
        self.layer_of.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every task.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> + use<> {
        (0..self.len() as u32).map(TaskId)
    }

    /// The layers, dependencies first.
    pub fn layers(&self) -> &[Arc<Layer>] {
        &self.layers
    }

    /// The number of a task's layer in [`Plan::layers`].
    pub fn layer_number(&self, task: TaskId) -> usize {
        self.layer_of[task.at()] as usize
    }

    /// A task's layer.
    pub fn layer(&self, task: TaskId) -> &Arc<Layer> {
        &self.layers[self.layer_number(task)]
    }

    /// A task's row-major position in its layer.
    pub fn linear(&self, task: TaskId) -> u32 {
        self.linear[task.at()]
    }

    /// A task's key.
    pub fn key(&self, task: TaskId) -> Key {
        self.layer(task).key(self.linear(task))
    }

    /// The name of a task's operation.
    pub fn operation_name(&self, task: TaskId) -> &str {
        self.layer(task).operation_name(self.linear(task))
    }

    /// A task's inputs, one entry each time one is taken.
    pub fn inputs(&self, task: TaskId) -> &[TaskId] {
        self.inputs.of(task)
    }

    /// The tasks that take a task's value, one entry each time they do.
    pub fn dependents(&self, task: TaskId) -> &[TaskId] {
        self.dependents.of(task)
    }

    /// The tasks whose values are asked for, in the order asked.
    pub fn outputs(&self) -> &[TaskId] {
        &self.outputs
    }

    /// Waits for persisted values that are still being computed.
    pub(super) fn wait_for_sources(&self) -> Result<()> {
        self.layers
            .iter()
            .try_for_each(|layer| match layer.tasks() {
                Tasks::Values(source) => Source::wait(&**source),
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

/// The layers that can be reached, dependencies first; layers of one name once.
pub fn topological(outputs: &[Arc<Layer>]) -> Vec<Arc<Layer>> {
    reach(outputs).layers
}

/// The layers that can be reached, dependencies first.
struct Reached {
    layers: Vec<Arc<Layer>>,
    /// The place of every layer in `layers`: its own, or that of the layer of
    /// the same name that stands for it.
    place: HashMap<*const Layer, u32, BuildHasherDefault<Quick>>,
}

fn reach(outputs: &[Arc<Layer>]) -> Reached {
    enum Step<'a> {
        Enter(&'a Arc<Layer>),
        Leave(&'a Arc<Layer>),
    }
    const ENTERED: u32 = u32::MAX;
    let mut layers: Vec<Arc<Layer>> = Vec::new();
    let mut place = HashMap::default();
    // Layers by name; those that are entered have no place yet.
    let mut named: HashMap<&str, u32, BuildHasherDefault<Quick>> = HashMap::default();
    let mut twins: Vec<&Arc<Layer>> = Vec::new();
    let mut steps: Vec<_> = outputs.iter().rev().map(Step::Enter).collect();
    while let Some(step) = steps.pop() {
        match step {
            Step::Enter(layer) => {
                if place.contains_key(&Arc::as_ptr(layer)) {
                    continue;
                }
                place.insert(Arc::as_ptr(layer), ENTERED);
                if named.insert(layer.name(), ENTERED).is_none() {
                    steps.push(Step::Leave(layer));
                    steps.extend(layer.dependencies().iter().rev().map(Step::Enter));
                } else {
                    twins.push(layer);
                }
            }
            Step::Leave(layer) => {
                place.insert(Arc::as_ptr(layer), layers.len() as u32);
                layers.push(layer.clone());
            }
        }
    }
    if !twins.is_empty() {
        for (layer, at) in layers.iter().zip(0..) {
            named.insert(layer.name(), at);
        }
        for twin in twins {
            place.insert(Arc::as_ptr(twin), named[&**twin.name()]);
        }
    }
    Reached { layers, place }
}

/// A quick hash of names and addresses, which nobody chooses to collide.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= xxhash_rust::xxh3::xxh3_64(bytes);
    }
    fn write_u8(&mut self, end: u8) {
        self.0 ^= u64::from(end);
    }
    fn write_usize(&mut self, address: usize) {
        // Fibonacci hashing; the table takes the bits of both ends.
        self.0 = (address as u64 >> 4)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(20);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

fn reverse(inputs: &Adjacency, count: usize) -> Adjacency {
    let mut start = vec![0u32; count + 1];
    for task in &inputs.tasks {
        start[task.at() + 1] += 1;
    }
    for at in 0..count {
        start[at + 1] += start[at];
    }
    let mut next = start.clone();
    let mut tasks = vec![TaskId(0); inputs.tasks.len()];
    for id in 0..count as u32 {
        for input in inputs.of(TaskId(id)) {
            tasks[next[input.at()] as usize] = TaskId(id);
            next[input.at()] += 1;
        }
    }
    Adjacency { start, tasks }
}
