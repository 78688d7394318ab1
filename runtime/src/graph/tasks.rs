//! How a layer describes its tasks.

use super::key::{Grid, Index};
use super::layer::Layer;
use super::operation::{Alias, Operation};
use super::value::Value;
use crate::error::Result;
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;

/// The description of a layer's tasks.
#[derive(Clone)]
pub enum Tasks {
    /// One task per chunk. Each input's position follows from the chunk's own
    /// position by arithmetic, so that layers of this kind can be fused.
    Blockwise {
        /// The operation of every task.
        operation: Arc<dyn Operation>,
        /// Where each input comes from.
        inputs: Vec<BlockInput>,
    },
    /// A rule that determines each task's inputs: reductions, contractions.
    Family(Arc<dyn TaskFamily>),
    /// One task, whose inputs are the first chunks of the layer's dependencies: a
    /// delayed call.
    Single(Arc<dyn Operation>),
    /// Tasks listed one by one, each after its inputs.
    Listed(Arc<Listed>),
    /// No task of its own: the layer is the chunk at this row-major position of
    /// its one dependency.
    Pick(u32),
    /// Nothing to compute: the source of the values, in row-major order.
    Values(Arc<dyn ValueSource>),
}

impl Tasks {
    /// Returns the operation of the task at a row-major position of the layer's
    /// grid, or `None` for a layer of values.
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

    /// Returns the name of the operation of the task at a row-major position.
    pub fn operation_name(&self, grid: &Grid, linear: u32) -> &str {
        match self {
            Self::Values(source) => source.name(),
            _ => self
                .operation(grid, linear)
                .map_or("", |operation| operation.name()),
        }
    }

    /// Appends the inputs of the task at a row-major position of the layer's grid.
    ///
    /// The layer has `dependencies` dependencies, whose grids `grid_of` returns.
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

/// Values that are available or being computed (a persisted collection).
pub trait ValueSource: Send + Sync + 'static {
    /// Returns the operation's name, for views.
    fn name(&self) -> &str;
    /// Returns the value at a row-major position, and waits for it if necessary.
    ///
    /// # Errors
    /// The error that its computation failed with.
    fn value(&self, linear: u32) -> Result<Value>;
    /// Returns whether the value at a row-major position is available or will be.
    fn has(&self, _linear: u32) -> bool {
        true
    }
    /// Returns the layer to compute again if the computation has failed. Only the
    /// missing values are computed.
    fn recompute(&self) -> Option<Arc<Layer>> {
        None
    }
    /// Waits until all values are available or the computation has failed.
    ///
    /// # Errors
    /// The error that the computation failed with, or
    /// [`Error::Interrupted`](crate::Error::Interrupted).
    fn wait(&self) -> Result<()>;
    /// Returns the progress of the computation, or `None` for values that were
    /// never computed.
    fn progress(&self) -> Option<Progress> {
        None
    }
    /// Notifies the source that its progress is displayed, so that nothing else
    /// needs to display it.
    fn is_shown(&self) {}
    /// Returns the bytes of the values in memory, or `None` if they are not
    /// counted.
    fn nbytes(&self) -> Option<usize> {
        None
    }
}

/// The progress of a computation.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The number of finished tasks.
    pub done: usize,
    /// The number of all tasks, if known.
    pub total: Option<usize>,
    /// Bytes that the tasks have produced.
    pub nbytes: usize,
    /// How long the computation has been running, or ran.
    pub elapsed: Duration,
    /// How the computation ended, if it has.
    pub outcome: Option<Result<()>>,
}

/// Available values and their name.
pub struct Data {
    name: &'static str,
    values: Vec<Value>,
}

impl Data {
    /// Creates a source of values under an operation's name.
    pub fn new(name: &'static str, values: Vec<Value>) -> Arc<Self> {
        Arc::new(Self { name, values })
    }
}

impl ValueSource for Data {
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

/// A rule that determines the tasks of a layer.
pub trait TaskFamily: Send + Sync + 'static {
    /// Returns the operation of the task at this index.
    fn operation(&self, index: &[u32]) -> &dyn Operation;
    /// Appends the inputs of the task at this index.
    fn inputs(&self, index: &[u32], inputs: &mut Vec<TaskRef>);
}

/// One input of a blockwise layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockInput {
    /// The position of the dependency in the layer's list.
    pub dependency: usize,
    /// The input's position along each of its own axes.
    pub axes: SmallVec<[AxisMap; 4]>,
}

/// An input's position along one of its axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AxisMap {
    /// The output chunk's position along this axis.
    Output(u8),
    /// Always this position (an axis that is broadcast).
    Fixed(u32),
    /// The output chunk's position along this axis, counted from the end.
    Mirrored {
        /// The output's axis.
        axis: u8,
        /// The position of the last chunk, to which 0 is mapped.
        last: u32,
    },
}

impl AxisMap {
    /// Returns the input's position for an output's index.
    #[inline]
    pub fn of(self, output: &[u32]) -> u32 {
        match self {
            Self::Output(axis) => output[axis as usize],
            Self::Fixed(at) => at,
            Self::Mirrored { axis, last } => last - output[axis as usize],
        }
    }

    /// Composes two maps: replaces the output axis of this map by its map in
    /// `outer`. outer output.
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

    /// Returns the output axis that the position depends on.
    fn axis(self) -> Option<u8> {
        match self {
            Self::Output(axis) | Self::Mirrored { axis, .. } => Some(axis),
            Self::Fixed(_) => None,
        }
    }
}

impl BlockInput {
    /// Creates an input that is the chunk at the output's own index.
    pub fn same(dependency: usize, ndim: usize) -> Self {
        Self {
            dependency,
            axes: (0..ndim).map(|axis| AxisMap::Output(axis as u8)).collect(),
        }
    }

    /// Returns the input's index for an output's index.
    #[inline]
    pub fn place(&self, output: &[u32]) -> Index {
        self.axes.iter().map(|axis| axis.of(output)).collect()
    }

    /// Returns whether each output has a different input, so that no chunk is used
    /// twice.
    pub fn is_one_to_one(&self, output: &Grid) -> bool {
        (0..output.counts().len()).all(|axis| {
            let depends = |map: &AxisMap| map.axis() == Some(axis as u8);
            output.counts()[axis] <= 1 || self.axes.iter().any(depends)
        })
    }
}

/// A reference to a task of a dependency, or of the layer itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskRef {
    /// The position of the dependency in the layer's list; [`TaskRef::SELF`]
    /// for the layer itself.
    pub dependency: u32,
    /// The row-major position in that layer.
    pub linear: u32,
}

impl TaskRef {
    /// The `dependency` that refers to the layer itself.
    pub const SELF: u32 = u32::MAX;

    /// Refers to a task of the layer itself.
    pub fn own(linear: u32) -> Self {
        Self {
            dependency: Self::SELF,
            linear,
        }
    }

    /// Refers to a task of one of the layer's dependencies.
    pub fn of(dependency: u32, linear: u32) -> Self {
        Self { dependency, linear }
    }
}

/// Tasks listed one by one, each after its inputs. The lists are stored in a
/// few flat arrays.
#[derive(Clone)]
pub struct Listed {
    operations: Vec<Arc<dyn Operation>>,
    /// Where each task's inputs begin in `inputs`, and where the last ones end.
    start: Vec<u32>,
    inputs: Vec<TaskRef>,
    /// The tasks' own keys; empty if no task has one.
    keys: Vec<Option<Arc<str>>>,
}

impl Default for Listed {
    fn default() -> Self {
        Self::with_capacity(0, 0)
    }
}

impl Listed {
    /// Creates an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty list with room for the given numbers of tasks and inputs.
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

    /// Adds a task with its operation and inputs. Returns its position.
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

    /// Adds a task under the user's own key.
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

    /// Returns the number of tasks.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Returns whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Returns the operation of the task at a position.
    #[inline]
    pub fn operation(&self, linear: u32) -> &Arc<dyn Operation> {
        &self.operations[linear as usize]
    }

    /// Returns the inputs of the task at a position.
    #[inline]
    pub fn inputs(&self, linear: u32) -> &[TaskRef] {
        let at = linear as usize;
        &self.inputs[self.start[at] as usize..self.start[at + 1] as usize]
    }

    /// Returns the user's own key of the task at a position.
    pub fn key(&self, linear: u32) -> Option<&Arc<str>> {
        self.keys.get(linear as usize)?.as_ref()
    }
}
