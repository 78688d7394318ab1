//! Layers: the tasks of one operation on a collection.

use super::key::{Fingerprint, Grid, Index, Key};
use super::operation::{Arguments, Operation};
use super::value::Value;
use crate::error::Result;
use smallvec::SmallVec;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The tasks of one operation, and the layers whose chunks they take.
///
/// A layer's name is made of the operation, its arguments and the names of
/// its dependencies: two layers with one name compute the same.
pub struct Layer {
    name: Arc<str>,
    grid: Grid,
    tasks: Tasks,
    dependencies: Vec<Arc<Layer>>,
}

/// How a layer's tasks are told.
pub enum Tasks {
    /// One task a chunk, with the inputs' places found by arithmetic on the
    /// chunk's own: what can be fused.
    Blockwise {
        /// What every task does.
        operation: Arc<dyn Operation>,
        /// Where each input is found.
        inputs: Vec<BlockInput>,
    },
    /// A rule that tells each task's inputs: reductions, contractions.
    Family(Arc<dyn TaskFamily>),
    /// Tasks told one by one, in an order in which each comes after its inputs.
    Listed(Arc<[ListedTask]>),
    /// Nothing to compute: the values, row-major, or whoever will have them.
    Values(Arc<dyn Source>),
}

/// Values that are there, or are being computed (a persisted collection).
pub trait Source: Send + Sync + 'static {
    /// The operation's name, for views.
    fn name(&self) -> &str;
    /// The value at a row-major position; waits for it if it has to.
    ///
    /// # Errors
    /// What its computation failed with.
    fn value(&self, linear: u32) -> Result<Value>;
    /// Waits until all values are there, or until the computation failed.
    ///
    /// # Errors
    /// What the computation failed with, or that the wait was interrupted.
    fn wait(&self) -> Result<()>;
    /// How far the computation is; none for values that were never computed.
    fn progress(&self) -> Option<SourceProgress> {
        None
    }
}

/// How far values that are computed in the background are.
#[derive(Clone, Debug, Default)]
pub struct SourceProgress {
    /// Tasks that are done.
    pub done: usize,
    /// Tasks that there are.
    pub total: usize,
    /// Bytes that the tasks have produced.
    pub nbytes: usize,
    /// How long it runs, or ran.
    pub elapsed: Duration,
    /// How it ended.
    pub outcome: Option<Result<()>>,
}

impl Source for Vec<Value> {
    fn name(&self) -> &str {
        "data"
    }
    fn value(&self, linear: u32) -> Result<Value> {
        Ok(self[linear as usize].clone())
    }
    fn wait(&self) -> Result<()> {
        Ok(())
    }
}

/// Tasks by rule.
pub trait TaskFamily: Send + Sync + 'static {
    /// What the task at this place does.
    fn operation(&self, index: &[u32]) -> &dyn Operation;
    /// Appends the inputs of the task at this place.
    fn inputs(&self, index: &[u32], inputs: &mut Vec<TaskRef>);
}

/// One input of a blockwise layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockInput {
    /// Which of the layer's dependencies.
    pub dependency: usize,
    /// The input's place along each of its own axes.
    pub axes: SmallVec<[AxisMap; 4]>,
}

/// An input's place along one of its axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AxisMap {
    /// The output chunk's place along this axis.
    Output(u8),
    /// Always this place (an axis that is broadcast).
    Fixed(u32),
}

impl BlockInput {
    /// The chunk at the output's own place.
    pub fn same(dependency: usize, ndim: usize) -> Self {
        Self {
            dependency,
            axes: (0..ndim).map(|axis| AxisMap::Output(axis as u8)).collect(),
        }
    }

    /// The input's place for an output's place.
    pub fn place(&self, output: &[u32]) -> Index {
        self.axes
            .iter()
            .map(|axis| match *axis {
                AxisMap::Output(axis) => output[axis as usize],
                AxisMap::Fixed(at) => at,
            })
            .collect()
    }

    /// Whether each output takes another input: no chunk is taken twice.
    pub fn is_one_to_one(&self, output: &Grid) -> bool {
        (0..output.counts().len()).all(|axis| {
            output.counts()[axis] <= 1 || self.axes.contains(&AxisMap::Output(axis as u8))
        })
    }
}

/// A task by its place: of a dependency, or of the layer itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskRef {
    /// Which of the layer's dependencies; [`TaskRef::SELF`] for the layer itself.
    pub dependency: u32,
    /// The row-major position in it.
    pub linear: u32,
}

impl TaskRef {
    /// Stands for the layer itself.
    pub const SELF: u32 = u32::MAX;
}

/// A task told by itself.
pub struct ListedTask {
    /// The user's own key, where the task has one.
    pub key: Option<Arc<str>>,
    /// What it does.
    pub operation: Arc<dyn Operation>,
    /// Its inputs.
    pub inputs: Vec<TaskRef>,
}

impl Layer {
    /// A layer of one task a chunk.
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
        let name = fingerprint.layer_name(operation.name());
        let tasks = Tasks::Blockwise {
            operation: Arc::new(operation),
            inputs,
        };
        Arc::new(Self {
            name,
            grid,
            tasks,
            dependencies,
        })
    }

    /// A layer whose tasks a rule tells. `operation` names it; all tasks of the
    /// family have to follow from `operation`, `grid` and `dependencies`.
    pub fn family(
        operation: &dyn Operation,
        family: impl TaskFamily,
        grid: Grid,
        dependencies: Vec<Arc<Layer>>,
    ) -> Arc<Self> {
        let name = fingerprint(operation, &grid, &dependencies).layer_name(operation.name());
        Arc::new(Self {
            name,
            grid,
            tasks: Tasks::Family(Arc::new(family)),
            dependencies,
        })
    }

    /// A layer of tasks told one by one: each comes after the ones it takes.
    pub fn listed(
        name: Arc<str>,
        tasks: Vec<ListedTask>,
        dependencies: Vec<Arc<Layer>>,
    ) -> Arc<Self> {
        let grid = if tasks.len() == 1 {
            Grid::single()
        } else {
            Grid::new([tasks.len() as u32])
        };
        Arc::new(Self {
            name,
            grid,
            tasks: Tasks::Listed(tasks.into()),
            dependencies,
        })
    }

    /// A layer of one task of its own, never the same as another.
    pub fn unique(
        operation: Arc<dyn Operation>,
        inputs: Vec<TaskRef>,
        dependencies: Vec<Arc<Layer>>,
    ) -> Arc<Self> {
        let name = Fingerprint::new().unique().layer_name(operation.name());
        Self::listed(
            name,
            vec![ListedTask {
                key: None,
                operation,
                inputs,
            }],
            dependencies,
        )
    }

    /// A layer of values under the name of the layer they were computed by.
    pub fn values(name: Arc<str>, grid: Grid, source: Arc<dyn Source>) -> Arc<Self> {
        Arc::new(Self {
            name,
            grid,
            tasks: Tasks::Values(source),
            dependencies: Vec::new(),
        })
    }

    /// The layer with other tasks: for optimisation rules.
    pub(crate) fn replaced(&self, tasks: Tasks, dependencies: Vec<Arc<Layer>>) -> Arc<Self> {
        Arc::new(Self {
            name: self.name.clone(),
            grid: self.grid.clone(),
            tasks,
            dependencies,
        })
    }

    /// The layer's name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The number of chunks along each axis.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// How the tasks are told.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// The layers whose chunks the tasks take.
    pub fn dependencies(&self) -> &[Arc<Layer>] {
        &self.dependencies
    }

    /// The operation of the task at a row-major position; none where the value is there.
    pub fn operation(&self, linear: u32) -> Option<&dyn Operation> {
        match &self.tasks {
            Tasks::Blockwise { operation, .. } => Some(&**operation),
            Tasks::Family(family) => Some(family.operation(&self.grid.index(linear))),
            Tasks::Listed(tasks) => Some(&*tasks[linear as usize].operation),
            Tasks::Values(_) => None,
        }
    }

    /// The name of the operation of the task at a row-major position.
    pub fn operation_name(&self, linear: u32) -> &str {
        match &self.tasks {
            Tasks::Values(source) => source.name(),
            _ => self
                .operation(linear)
                .map_or("", |operation| operation.name()),
        }
    }

    /// Appends the inputs of the task at a row-major position.
    pub fn inputs(&self, linear: u32, inputs: &mut Vec<TaskRef>) {
        match &self.tasks {
            Tasks::Blockwise { inputs: blocks, .. } => {
                let output = self.grid.index(linear);
                inputs.extend(blocks.iter().map(|input| {
                    TaskRef {
                        dependency: input.dependency as u32,
                        linear: self.dependencies[input.dependency]
                            .grid
                            .linear(&input.place(&output)),
                    }
                }));
            }
            Tasks::Family(family) => family.inputs(&self.grid.index(linear), inputs),
            Tasks::Listed(tasks) => inputs.extend_from_slice(&tasks[linear as usize].inputs),
            Tasks::Values(_) => {}
        }
    }

    /// The key of the task at a row-major position.
    pub fn key(&self, linear: u32) -> Key {
        if let Tasks::Listed(tasks) = &self.tasks
            && let Some(key) = &tasks[linear as usize].key
        {
            return Key {
                name: key.clone(),
                index: Index::new(),
            };
        }
        Key {
            name: self.name.clone(),
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
        fingerprint.text(&dependency.name);
    }
    fingerprint
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dependencies: Vec<_> = self.dependencies.iter().map(|layer| &*layer.name).collect();
        write!(
            f,
            "{}{:?} ← {dependencies:?}",
            self.name,
            self.grid.counts()
        )
    }
}

impl Drop for Layer {
    /// Frees a chain of layers in a loop: a chain of a million delayed calls
    /// would overflow the stack if each dropped the next.
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
    use crate::graph::Block;

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
            layer = Layer::unique(
                Arc::new(Noop),
                vec![TaskRef {
                    dependency: 0,
                    linear: 0,
                }],
                vec![layer],
            );
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
