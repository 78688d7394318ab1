//! How a layer tells its tasks.

use super::key::{Grid, Index};
use super::layer::Layer;
use super::operation::{Alias, Operation};
use super::value::Value;
use crate::error::Result;
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;

/// How a layer's tasks are told.
#[derive(Clone)]
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
    /// One task, which takes the first chunk of each of the layer's
    /// dependencies: a delayed call.
    Single(Arc<dyn Operation>),
    /// Tasks told one by one, in an order in which each comes after its inputs.
    Listed(Arc<Listed>),
    /// No task of its own: the chunk at this row-major position of the layer's
    /// one dependency.
    Pick(u32),
    /// Nothing to compute: the values, row-major, or whoever will have them.
    Values(Arc<dyn Source>),
}

impl Tasks {
    /// The operation of the task at a row-major position of the layer's grid;
    /// none where the value is there.
    #[inline]
    pub fn operation(&self, grid: &Grid, linear: u32) -> Option<&dyn Operation> {
        match self {
            Self::Blockwise { operation, .. } | Self::Single(operation) => Some(&**operation),
            Self::Family(family) => Some(family.operation(&grid.index(linear))),
            Self::Listed(tasks) => Some(&**tasks.operation(linear)),
            Self::Pick(_) => Some(&Alias),
            Self::Values(_) => None,
        }
    }

    /// The name of that operation.
    pub fn operation_name(&self, grid: &Grid, linear: u32) -> &str {
        match self {
            Self::Values(source) => source.name(),
            _ => self
                .operation(grid, linear)
                .map_or("", |operation| operation.name()),
        }
    }

    /// Appends the inputs of the task at a row-major position of the layer's
    /// grid. The layer has so many dependencies, with these grids.
    #[inline]
    pub fn inputs<'a>(
        &self,
        grid: &Grid,
        linear: u32,
        dependencies: usize,
        grid_of: impl Fn(usize) -> &'a Grid,
        inputs: &mut Vec<TaskRef>,
    ) {
        match self {
            Self::Blockwise { inputs: blocks, .. } => {
                if blocks.is_empty() {
                    return;
                }
                let output = grid.index(linear);
                inputs.extend(blocks.iter().map(|input| TaskRef {
                    dependency: input.dependency as u32,
                    linear: grid_of(input.dependency).linear(&input.place(&output)),
                }));
            }
            Self::Family(family) => family.inputs(&grid.index(linear), inputs),
            Self::Single(_) => inputs.extend((0..dependencies as u32).map(|dependency| TaskRef {
                dependency,
                linear: 0,
            })),
            Self::Listed(tasks) => inputs.extend_from_slice(tasks.inputs(linear)),
            Self::Pick(linear) => inputs.push(TaskRef::of(0, *linear)),
            Self::Values(_) => {}
        }
    }
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
    /// Whether the value at a row-major position is there, or will be.
    fn has(&self, _linear: u32) -> bool {
        true
    }
    /// Where the computation has failed, the layer to compute again: only what
    /// is missing will run.
    fn recompute(&self) -> Option<Arc<Layer>> {
        None
    }
    /// Waits until all values are there, or until the computation failed.
    ///
    /// # Errors
    /// What the computation failed with, or that the wait was interrupted.
    fn wait(&self) -> Result<()>;
    /// How far the computation is; none for values that were never computed.
    fn progress(&self) -> Option<Progress> {
        None
    }
    /// Somebody shows how far the computation is: nobody else needs to.
    fn is_shown(&self) {}
    /// The bytes of the values that are in memory; none where nobody counts them.
    fn nbytes(&self) -> Option<usize> {
        None
    }
}

/// How far something is that takes its time.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Tasks that are done.
    pub done: usize,
    /// Tasks that there are, where that is known.
    pub total: Option<usize>,
    /// Bytes that the tasks have produced.
    pub nbytes: usize,
    /// How long it runs, or ran.
    pub elapsed: Duration,
    /// How it ended.
    pub outcome: Option<Result<()>>,
}

/// Values that are there, and what to call them.
pub struct Data {
    name: &'static str,
    values: Vec<Value>,
}

impl Data {
    /// Values under an operation's name.
    pub fn new(name: &'static str, values: Vec<Value>) -> Arc<Self> {
        Arc::new(Self { name, values })
    }
}

impl Source for Data {
    fn name(&self) -> &str {
        self.name
    }
    fn value(&self, linear: u32) -> Result<Value> {
        Ok(self.values[linear as usize].clone())
    }
    fn wait(&self) -> Result<()> {
        Ok(())
    }
    fn nbytes(&self) -> Option<usize> {
        Some(self.values.iter().map(Value::nbytes).sum())
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AxisMap {
    /// The output chunk's place along this axis.
    Output(u8),
    /// Always this place (an axis that is broadcast).
    Fixed(u32),
    /// The output chunk's place along this axis, counted from the end: `last` is that
    /// of the last chunk.
    Mirrored {
        /// The output's axis.
        axis: u8,
        /// The place that 0 leads to.
        last: u32,
    },
}

impl AxisMap {
    /// The input's place for an output's place.
    #[inline]
    pub fn of(self, output: &[u32]) -> u32 {
        match self {
            Self::Output(axis) => output[axis as usize],
            Self::Fixed(at) => at,
            Self::Mirrored { axis, last } => last - output[axis as usize],
        }
    }

    /// The place from a place that is found from another one, by `outer`.
    pub(crate) fn after(self, outer: &[Self]) -> Self {
        match self {
            Self::Output(axis) => outer[axis as usize],
            Self::Fixed(at) => Self::Fixed(at),
            Self::Mirrored { axis, last } => match outer[axis as usize] {
                Self::Output(axis) => Self::Mirrored { axis, last },
                Self::Fixed(at) => Self::Fixed(last - at),
                Self::Mirrored { axis, last: other } => {
                    debug_assert_eq!(last, other, "both are the chunks of one axis");
                    Self::Output(axis)
                }
            },
        }
    }

    /// Which of the output's axes the place depends on.
    fn axis(self) -> Option<u8> {
        match self {
            Self::Output(axis) | Self::Mirrored { axis, .. } => Some(axis),
            Self::Fixed(_) => None,
        }
    }
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
    #[inline]
    pub fn place(&self, output: &[u32]) -> Index {
        self.axes.iter().map(|axis| axis.of(output)).collect()
    }

    /// Whether each output takes another input: no chunk is taken twice.
    pub fn is_one_to_one(&self, output: &Grid) -> bool {
        (0..output.counts().len()).all(|axis| {
            let depends = |map: &AxisMap| map.axis() == Some(axis as u8);
            output.counts()[axis] <= 1 || self.axes.iter().any(depends)
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

    /// A task of the layer itself.
    pub fn own(linear: u32) -> Self {
        Self {
            dependency: Self::SELF,
            linear,
        }
    }

    /// A task of one of the layer's dependencies.
    pub fn of(dependency: u32, linear: u32) -> Self {
        Self { dependency, linear }
    }
}

/// Tasks told one by one, each after the ones it takes; all lists are in few
/// arrays.
#[derive(Clone)]
pub struct Listed {
    operations: Vec<Arc<dyn Operation>>,
    /// Where each task's inputs begin in `inputs`, and where the last ones end.
    start: Vec<u32>,
    inputs: Vec<TaskRef>,
    /// The tasks' own keys; empty where none has one.
    keys: Vec<Option<Arc<str>>>,
}

impl Default for Listed {
    fn default() -> Self {
        Self::with_capacity(0, 0)
    }
}

impl Listed {
    /// No task yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// No task yet, and room for so many tasks and inputs.
    pub fn with_capacity(tasks: usize, inputs: usize) -> Self {
        let mut start = Vec::with_capacity(tasks + 1);
        start.push(0);
        Self {
            operations: Vec::with_capacity(tasks),
            start,
            inputs: Vec::with_capacity(inputs),
            keys: Vec::new(),
        }
    }

    /// Adds a task: what it does, and its inputs. Returns its position.
    pub fn push(
        &mut self,
        operation: Arc<dyn Operation>,
        inputs: impl IntoIterator<Item = TaskRef>,
    ) -> u32 {
        self.operations.push(operation);
        self.inputs.extend(inputs);
        self.start.push(self.inputs.len() as u32);
        if !self.keys.is_empty() {
            self.keys.push(None);
        }
        self.operations.len() as u32 - 1
    }

    /// Adds a task under a key of the user's.
    pub fn push_keyed(
        &mut self,
        key: Arc<str>,
        operation: Arc<dyn Operation>,
        inputs: impl IntoIterator<Item = TaskRef>,
    ) -> u32 {
        let position = self.push(operation, inputs);
        self.keys.resize(self.operations.len(), None);
        self.keys[position as usize] = Some(key);
        position
    }

    /// The number of tasks.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there is no task.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// What the task at a position does.
    #[inline]
    pub fn operation(&self, linear: u32) -> &Arc<dyn Operation> {
        &self.operations[linear as usize]
    }

    /// The inputs of the task at a position.
    #[inline]
    pub fn inputs(&self, linear: u32) -> &[TaskRef] {
        let at = linear as usize;
        &self.inputs[self.start[at] as usize..self.start[at + 1] as usize]
    }

    /// The user's own key of the task at a position.
    pub fn key(&self, linear: u32) -> Option<&Arc<str>> {
        self.keys.get(linear as usize)?.as_ref()
    }
}
