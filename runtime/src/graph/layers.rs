//! The layers that a set of outputs needs, numbered.

use super::key::{Key, LayerId};
use super::layer::Layer;
use super::operation::Operation;
use super::tasks::{Source, TaskRef, Tasks};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// The layers that a set of outputs needs, dependencies first, each once. It
/// is what optimisation rules rewrite, and what a plan is made of.
#[derive(Clone)]
pub struct Layers {
    nodes: Vec<Node>,
    outputs: Vec<Output>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// The number of a layer.
    pub layer: u32,
    /// One of its chunks, by its row-major position; all of them otherwise.
    pub pick: Option<u32>,
}

/// A layer among others, with the tasks that rules gave it.
#[derive(Clone)]
pub struct Node {
    /// The layer: identity, name, grid and sizes stay what they were.
    pub layer: Arc<Layer>,
    /// The tasks, where a rule has rewritten them.
    rewritten: Option<Box<Tasks>>,
    /// The numbers of the layers that the tasks take from.
    pub dependencies: SmallVec<[u32; 2]>,
    /// Values that some of the tasks need not compute any more.
    pub known: Option<Arc<dyn Source>>,
}

impl Node {
    /// How the tasks are told.
    #[inline]
    pub fn tasks(&self) -> &Tasks {
        match &self.rewritten {
            Some(tasks) => tasks,
            None => self.layer.tasks(),
        }
    }

    /// Who has the value of the task at a row-major position, where it is not
    /// computed.
    #[inline]
    pub fn source(&self, linear: u32) -> Option<&dyn Source> {
        if let Tasks::Values(source) = self.tasks() {
            return Some(&**source);
        }
        self.known.as_deref().filter(|known| known.has(linear))
    }

    /// Tells the tasks another way; keys, grid and values stay the same.
    pub fn rewrite(&mut self, tasks: Tasks, dependencies: SmallVec<[u32; 2]>) {
        self.rewritten = Some(Box::new(tasks));
        self.dependencies = dependencies;
    }

    /// The operation of the task at a row-major position; none where the value
    /// is there.
    #[inline]
    pub fn operation(&self, linear: u32) -> Option<&dyn Operation> {
        self.tasks().operation(self.layer.grid(), linear)
    }

    /// The name of that operation.
    pub fn operation_name(&self, linear: u32) -> &str {
        self.tasks().operation_name(self.layer.grid(), linear)
    }

    /// The key of the task at a row-major position.
    pub fn key(&self, linear: u32) -> Key {
        self.layer.key(linear)
    }
}

impl Layers {
    /// The layers that can be reached from `outputs`.
    pub fn new(outputs: &[Arc<Layer>]) -> Self {
        Self::new_unless(outputs, &|| false).expect("invariant: nobody stops it")
    }

    /// As [`new`](Self::new); nothing soon after `stop` says so.
    pub fn new_unless(outputs: &[Arc<Layer>], stop: &dyn Fn() -> bool) -> Option<Self> {
        /// How many layers are numbered between two looks whether to stop.
        const LOOK: usize = 4096;
        /// A layer on the way, and how many of its dependencies were entered.
        struct Entered {
            layer: Arc<Layer>,
            next: usize,
        }
        fn enter(layer: &Arc<Layer>) -> Entered {
            let recompute = match layer.tasks() {
                Tasks::Values(source) => source.recompute(),
                _ => None,
            };
            Entered {
                layer: recompute.unwrap_or_else(|| layer.clone()),
                next: 0,
            }
        }
        let mut nodes: Vec<Node> = Vec::new();
        // Layers by identity. Those on the path have no number yet; nobody
        // comes upon one of these again, since layers have no cycles.
        let mut numbers: HashMap<LayerId, u32, QuickHash> = HashMap::default();
        let mut path: Vec<Entered> = Vec::new();
        let picked = |output: &Arc<Layer>| match output.tasks() {
            Tasks::Pick(linear) => (output.dependencies()[0].clone(), Some(*linear)),
            _ => (output.clone(), None),
        };
        let outputs: Vec<(Arc<Layer>, Option<u32>)> = outputs.iter().map(picked).collect();
        for (output, _) in &outputs {
            if !numbers.contains_key(&output.id()) {
                path.push(enter(output));
            }
            while let Some(Entered { layer, next }) = path.last_mut() {
                if let Some(dependency) = layer.dependencies().get(*next) {
                    *next += 1;
                    if !numbers.contains_key(&dependency.id()) {
                        let entered = enter(dependency);
                        path.push(entered);
                    }
                    continue;
                }
                let Some(Entered { layer, .. }) = path.pop() else {
                    break;
                };
                let dependencies = layer
                    .dependencies()
                    .iter()
                    .map(|dependency| numbers[&dependency.id()])
                    .collect();
                numbers.insert(layer.id(), nodes.len() as u32);
                if nodes.len() % LOOK == LOOK - 1 && stop() {
                    return None;
                }
                nodes.push(Node {
                    layer,
                    rewritten: None,
                    dependencies,
                    known: None,
                });
            }
        }
        let outputs = outputs
            .iter()
            .map(|(output, pick)| Output {
                layer: numbers[&output.id()],
                pick: *pick,
            })
            .collect();
        Some(Self { nodes, outputs })
    }

    /// The layers, dependencies first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The layer under a number.
    #[inline]
    pub fn node(&self, number: u32) -> &Node {
        &self.nodes[number as usize]
    }

    /// The layer under a number, to be rewritten.
    pub fn node_mut(&mut self, number: u32) -> &mut Node {
        &mut self.nodes[number as usize]
    }

    /// What is asked for, in the order asked.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// What is asked for, to be rewritten.
    pub fn outputs_mut(&mut self) -> &mut [Output] {
        &mut self.outputs
    }

    /// The number of chunks of all layers.
    pub fn chunks(&self) -> usize {
        self.nodes.iter().map(|node| node.layer.grid().len()).sum()
    }

    /// The number of layers.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no layer.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Appends the inputs of a task: their `dependency` is the place in the
    /// node's own list.
    #[inline]
    pub fn inputs(&self, number: u32, linear: u32, inputs: &mut Vec<TaskRef>) {
        let node = self.node(number);
        if node.known.as_ref().is_some_and(|known| known.has(linear)) {
            return;
        }
        let grid_of = |dependency: usize| {
            self.nodes[node.dependencies[dependency] as usize]
                .layer
                .grid()
        };
        node.tasks().inputs(
            node.layer.grid(),
            linear,
            node.dependencies.len(),
            grid_of,
            inputs,
        );
    }

    /// Removes the layers that no output needs any more.
    pub fn cull(&mut self) {
        let mut needed = vec![false; self.nodes.len()];
        for output in &self.outputs {
            needed[output.layer as usize] = true;
        }
        for number in (0..self.nodes.len()).rev() {
            if needed[number] {
                for &dependency in &self.nodes[number].dependencies {
                    needed[dependency as usize] = true;
                }
            }
        }
        if needed.iter().all(|&needed| needed) {
            return;
        }
        let mut next = 0;
        let numbers: Vec<u32> = needed
            .iter()
            .map(|&needed| {
                next += u32::from(needed);
                next.wrapping_sub(1)
            })
            .collect();
        let mut needed = needed.into_iter();
        self.nodes.retain(|_| needed.next() == Some(true));
        let renumbered = self
            .nodes
            .iter_mut()
            .flat_map(|node| &mut node.dependencies);
        let outputs = self.outputs.iter_mut().map(|output| &mut output.layer);
        for number in renumbered.chain(outputs) {
            *number = numbers[*number as usize];
        }
    }
}

/// The layers that can be reached, dependencies first; layers of one identity
/// once.
pub fn topological(outputs: &[Arc<Layer>]) -> Vec<Arc<Layer>> {
    let nodes = Layers::new(outputs).nodes;
    nodes.into_iter().map(|node| node.layer).collect()
}

/// A quick hash for tables of identities, and of texts that nobody chooses to
/// collide.
pub(crate) type QuickHash = BuildHasherDefault<Quick>;

/// Takes a number that is a hash already as the hash.
#[derive(Default)]
pub(crate) struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= xxhash_rust::xxh3::xxh3_64(bytes);
    }
    fn write_u8(&mut self, end: u8) {
        self.0 ^= u64::from(end);
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}
