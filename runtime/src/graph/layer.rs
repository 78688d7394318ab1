//! Layers: one operation on all chunks of a collection.

use super::key::{Fingerprint, Grid, Index, Key, LayerId};
use super::operation::{Arguments, Operation};
use super::tasks::{BlockInput, Listed, TaskFamily, TaskRef, Tasks, ValueSource};
use smallvec::SmallVec;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The tasks of one operation, and the layers whose chunks they depend on.
///
/// A layer's identity is a hash of the operation, its arguments and the
/// identities of its dependencies. Two layers with the same identity compute
/// the same values.
pub struct Layer {
    id: LayerId,
    /// Computed on first use: the name of a single call's layer is rarely needed.
    name: OnceLock<Arc<str>>,
    grid: Grid,
    tasks: Tasks,
    dependencies: SmallVec<[Arc<Layer>; 2]>,
    sizes: Sizes,
}

/// The size in bytes of each task's value, as far as it is known before the
/// value is computed.
#[derive(Clone, Default)]
pub enum Sizes {
    /// The sizes are unknown.
    #[default]
    Unknown,
    /// All values have this size.
    Each(u64),
    /// The size depends on the row-major position.
    By(Arc<dyn Fn(u32) -> u64 + Send + Sync>),
}

impl Sizes {
    /// Returns the size in bytes of the value at a row-major position.
    pub fn of(&self, linear: u32) -> Option<u64> {
        match self {
            Self::Unknown => None,
            Self::Each(nbytes) => Some(*nbytes),
            Self::By(rule) => Some(rule(linear)),
        }
    }
}

impl Layer {
    /// Creates a layer of one task per chunk.
    pub fn blockwise(
        operation: impl Operation,
        grid: Grid,
        inputs: Vec<BlockInput>,
        dependencies: Vec<Arc<Layer>>,
    ) -> Arc<Self> {
        let mut fingerprint = fingerprint(&operation, &grid, &dependencies);
        for input in &inputs {
            fingerprint.text(&format!("{input:?}"));
        }
        let id = fingerprint.layer_id();
        let tasks = Tasks::Blockwise {
            operation: Arc::new(operation),
            inputs,
        };
        Self::new(id, None, grid, tasks, dependencies)
    }

    /// Creates a layer whose tasks follow a rule.
    ///
    /// `operation` names the layer. `operation`, `grid` and `dependencies` must
    /// determine all tasks of the family.
    pub fn family(
        operation: &dyn Operation,
        family: impl TaskFamily,
        grid: Grid,
        dependencies: Vec<Arc<Layer>>,
    ) -> Arc<Self> {
        let id = fingerprint(operation, &grid, &dependencies).layer_id();
        let tasks = Tasks::Family(Arc::new(family));
        Self::new(id, Some(operation.name()), grid, tasks, dependencies)
    }

    /// Creates a layer of tasks that are listed one by one, each after its inputs.
    ///
    /// `operation` names the layer.
    pub fn listed(
        id: LayerId,
        operation: &str,
        tasks: Listed,
        dependencies: Vec<Arc<Layer>>,
    ) -> Arc<Self> {
        let grid = if tasks.len() == 1 {
            Grid::single()
        } else {
            Grid::new([tasks.len() as u32])
        };
        let tasks = Tasks::Listed(Arc::new(tasks));
        Self::new(id, Some(operation), grid, tasks, dependencies)
    }

    /// Creates a layer of one task, whose inputs are the first chunks of all
    /// dependencies.
    pub fn single(
        id: LayerId,
        operation: Arc<dyn Operation>,
        dependencies: impl IntoIterator<Item = Arc<Layer>>,
    ) -> Arc<Self> {
        let tasks = Tasks::Single(operation);
        Self::new(id, None, Grid::single(), tasks, dependencies)
    }

    /// Creates a layer that is one chunk of another layer; it has no task of
    /// its own.
    pub fn pick(layer: &Arc<Layer>, linear: u32) -> Arc<Self> {
        let mut fingerprint = Fingerprint::new();
        fingerprint.text("pick").layer(layer.id);
        fingerprint.bytes(&linear.to_le_bytes());
        let id = fingerprint.layer_id();
        let tasks = Tasks::Pick(linear);
        Self::new(id, None, Grid::single(), tasks, [layer.clone()])
    }

    /// Creates a layer of values, under the identity of the layer that computed
    /// them.
    pub fn values(id: LayerId, grid: Grid, source: Arc<dyn ValueSource>) -> Arc<Self> {
        Self::new(id, None, grid, Tasks::Values(source), [])
    }

    fn new(
        id: LayerId,
        operation: Option<&str>,
        grid: Grid,
        tasks: Tasks,
        dependencies: impl IntoIterator<Item = Arc<Self>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            name: operation
                .map(|operation| id.name(operation).into())
                .unwrap_or_default(),
            grid,
            tasks,
            dependencies: dependencies.into_iter().collect(),
            sizes: Sizes::Unknown,
        })
    }

    /// Sets the sizes of the layer's values. Does nothing if the layer is already
    /// shared.
    #[must_use]
    pub fn sized(mut self: Arc<Self>, sizes: Sizes) -> Arc<Self> {
        if let Some(layer) = Arc::get_mut(&mut self) {
            layer.sizes = sizes;
        }
        self
    }

    /// Returns the layer's identity.
    pub fn id(&self) -> LayerId {
        self.id
    }

    /// Returns the layer's name: its operation's name and part of its identity.
    pub fn name(&self) -> &Arc<str> {
        self.name.get_or_init(|| {
            self.id.name(match &self.tasks {
                Tasks::Blockwise { operation, .. } | Tasks::Single(operation) => operation.name(),
                Tasks::Values(source) => source.name(),
                Tasks::Pick(linear) => self.dependencies[0].operation_name(*linear),
                Tasks::Family(_) | Tasks::Listed(_) => {
                    unreachable!("invariant: these are named when they are made")
                }
            })
        })
    }

    /// Returns the number of chunks along each axis.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Returns the description of the tasks.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Returns the layers whose chunks the tasks depend on.
    pub fn dependencies(&self) -> &[Arc<Layer>] {
        &self.dependencies
    }

    /// Returns the sizes of the values, as far as they are known.
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// Returns the operation of the task at a row-major position, or `None` for
    /// a layer of values.
    pub fn operation(&self, linear: u32) -> Option<&dyn Operation> {
        self.tasks.operation(&self.grid, linear)
    }

    /// Returns the name of the operation of the task at a row-major position.
    pub fn operation_name(&self, linear: u32) -> &str {
        match &self.tasks {
            Tasks::Pick(linear) => self.dependencies[0].operation_name(*linear),
            tasks => tasks.operation_name(&self.grid, linear),
        }
    }

    /// Returns a short description of the layer for views: its operation's
    /// name, or its own name if it has no chunks.
    pub fn label(&self) -> String {
        match self.grid.is_empty() {
            true => self.name().to_string(),
            false => self.operation_name(0).to_owned(),
        }
    }

    /// Appends the inputs of the task at a row-major position.
    pub fn inputs(&self, linear: u32, inputs: &mut Vec<TaskRef>) {
        let grid_of = |dependency: usize| &self.dependencies[dependency].grid;
        self.tasks
            .inputs(&self.grid, linear, self.dependencies.len(), grid_of, inputs);
    }

    /// Returns the key of the task at a row-major position.
    pub fn key(&self, linear: u32) -> Key {
        match &self.tasks {
            Tasks::Listed(tasks) => {
                if let Some(key) = tasks.key(linear) {
                    return Key {
                        name: key.clone(),
                        index: Index::new(),
                    };
                }
            }
            Tasks::Pick(linear) => return self.dependencies[0].key(*linear),
            _ => {}
        }
        Key {
            name: self.name().clone(),
            index: self.grid.index(linear),
        }
    }
}

fn fingerprint(operation: &dyn Operation, grid: &Grid, dependencies: &[Arc<Layer>]) -> Fingerprint {
    let mut fingerprint = Fingerprint::new();
    fingerprint.text(operation.name());
    match operation.arguments() {
        Arguments::Data(bytes) => fingerprint.bytes(&bytes),
        Arguments::Digest(hash) => fingerprint.bytes(&hash.to_le_bytes()),
        Arguments::Unique => fingerprint.unique(),
    };
    fingerprint.text(&format!("{grid:?}"));
    for dependency in dependencies {
        fingerprint.layer(dependency.id);
    }
    fingerprint
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dependencies: Vec<_> = self
            .dependencies
            .iter()
            .map(|layer| &**layer.name())
            .collect();
        write!(
            f,
            "{}{:?} ← {dependencies:?}",
            self.name(),
            self.grid.counts()
        )
    }
}

impl Drop for Layer {
    /// Frees a chain of layers in a loop. If each layer dropped the next, a
    /// chain of a million delayed calls would overflow the stack.
    fn drop(&mut self) {
        let mut pending = std::mem::take(&mut self.dependencies);
        while let Some(layer) = pending.pop() {
            if let Some(mut layer) = Arc::into_inner(layer) {
                pending.append(&mut layer.dependencies);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;
    use crate::graph::{Block, Value};

    struct Noop;
    impl Operation for Noop {
        fn name(&self) -> &str {
            "noop"
        }
        fn arguments(&self) -> Arguments {
            Arguments::none()
        }
        fn run(&self, _: &Block<'_>, _: Vec<Value>) -> Result<Value> {
            Ok(Value::opaque(()))
        }
    }

    #[test]
    fn a_chain_of_a_million_layers_is_freed() {
        let mut layer = Layer::blockwise(Noop, Grid::single(), vec![], vec![]);
        for _ in 0..1_000_000 {
            layer = Layer::single(LayerId::unique(), Arc::new(Noop), [layer]);
        }
        drop(layer);
    }

    #[test]
    fn names_follow_from_content() {
        let root = || Layer::blockwise(Noop, Grid::new([2]), vec![], vec![]);
        let on = |layer| {
            Layer::blockwise(
                Noop,
                Grid::new([2]),
                vec![BlockInput::same(0, 1)],
                vec![layer],
            )
        };
        assert_eq!(root().name(), root().name());
        assert_eq!(on(root()).name(), on(root()).name());
        assert_ne!(root().name(), on(root()).name());
    }
}
