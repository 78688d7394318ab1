//! The layers that a set of outputs needs, numbered.

use super::key::{Key, LayerId};
use super::layer::Layer;
use super::operation::Operation;
use super::tasks::{TaskRef, Tasks, ValueSource};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// The layers that a set of outputs needs, dependencies first, each once.
///
/// Optimisation rules rewrite it, and a plan is made from it.
#[derive(Clone)]
pub struct Layers {
    nodes: Vec<Node>,
    outputs: Vec<Output>,
}

/// A requested output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// The number of a layer.
    pub layer: u32,
    /// The row-major position of one of its chunks; `None` for all chunks.
    pub pick: Option<u32>,
}

/// A numbered layer, with the tasks that rules have given it.
#[derive(Clone)]
pub struct Node {
    /// The layer. Rules do not change its identity, name, grid and sizes.
    pub layer: Arc<Layer>,
    /// The tasks, if a rule has rewritten them.
    rewritten: Option<Box<Tasks>>,
    /// The numbers of the layers that the tasks depend on.
    pub dependencies: SmallVec<[u32; 2]>,
    /// Values that are already available, so that their tasks need not run.
    pub known: Option<Arc<dyn ValueSource>>,
}

impl Node {
    /// Returns the description of the tasks.
    #[inline]
    pub fn tasks(&self) -> &Tasks {
        match &self.rewritten {
            Some(tasks) => tasks,
            None => self.layer.tasks(),
        }
    }

    /// Returns the source of the value at a row-major position, or `None` if a
    /// task has to compute it.
    #[inline]
    pub fn source(&self, linear: u32) -> Option<&dyn ValueSource> {
        if let Tasks::Values(source) = self.tasks() {
            return Some(&**source);
        }
        self.known.as_deref().filter(|known| known.has(linear))
    }

    /// Replaces the tasks and their dependencies; keys, grid and values stay
    /// the same.
    pub fn rewrite(&mut self, tasks: Tasks, dependencies: SmallVec<[u32; 2]>) {
        self.rewritten = Some(Box::new(tasks));
        self.dependencies = dependencies;
    }

    /// Returns the operation of the task at a row-major position, or `None` for
    /// a layer of values.
    #[inline]
    pub fn operation(&self, linear: u32) -> Option<&dyn Operation> {
        self.tasks().operation(self.layer.grid(), linear)
    }

    /// Returns the name of the operation of the task at a row-major position.
    pub fn operation_name(&self, linear: u32) -> &str {
        self.tasks().operation_name(self.layer.grid(), linear)
    }

    /// Returns the key of the task at a row-major position.
    pub fn key(&self, linear: u32) -> Key {
        self.layer.key(linear)
    }
}

impl Layers {
    /// Collects the layers reachable from `outputs`.
    pub fn new(outputs: &[Arc<Layer>]) -> Self {
        Self::new_unless(outputs, &|| false).expect("invariant: it is never stopped")
    }

    /// Does the same as [`new`](Self::new), but returns `None` soon after
    /// `stop` returns true.
    pub fn new_unless(outputs: &[Arc<Layer>], stop: &dyn Fn() -> bool) -> Option<Self> {
        /// How many layers are numbered between two calls of `stop`.
        const LOOK: usize = 4096;
        /// A layer on the path, and how many of its dependencies were entered.
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
        // The numbers of layers by identity. Layers on the path have no number
        // yet. They are never reached a second time, because layers have no
        // cycles.
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

    /// Returns the layers, dependencies first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns the layer with a number.
    #[inline]
    pub fn node(&self, number: u32) -> &Node {
        &self.nodes[number as usize]
    }

    /// Returns the layer with a number, for rewriting.
    pub fn node_mut(&mut self, number: u32) -> &mut Node {
        &mut self.nodes[number as usize]
    }

    /// Returns the requested outputs, in the order of the request.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Returns the requested outputs, for rewriting.
    pub fn outputs_mut(&mut self) -> &mut [Output] {
        &mut self.outputs
    }

    /// Returns the number of chunks of all layers.
    pub fn chunks(&self) -> usize {
        self.nodes.iter().map(|node| node.layer.grid().len()).sum()
    }

    /// Returns the number of layers.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns whether there are no layers.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Appends the inputs of a task. The `dependency` of each input is its
    /// position in the node's own list.
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

/// Returns the layers reachable from `outputs`, dependencies first. Layers with
/// the same identity occur once.
pub fn topological(outputs: &[Arc<Layer>]) -> Vec<Arc<Layer>> {
    let nodes = Layers::new(outputs).nodes;
    nodes.into_iter().map(|node| node.layer).collect()
}

impl Layer {
    /// Counts the tasks and layers that the layer stands on, itself included.
    pub(crate) fn extent(self: &Arc<Self>) -> (usize, usize) {
        let layers = topological(std::slice::from_ref(self));
        let tasks = layers.iter().map(|layer| layer.grid().len()).sum();
        (tasks, layers.len())
    }
}

/// A fast hash for tables of identities, and of texts that no adversary
/// chooses.
pub(crate) type QuickHash = BuildHasherDefault<Quick>;

/// Uses a number that is already a hash as the hash.
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
