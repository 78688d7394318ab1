//! Fuses blockwise layers.
//!
//! A blockwise layer moves into the blockwise layers that use it if two
//! conditions hold: all of them become one layer, and each chunk of that layer
//! uses exactly one chunk of the moved layer, the same for all uses. So
//! `ones → + → ×` becomes one task per chunk. So does `(x + 1) × (x + 2)` if nothing
//! else uses `x`: `x` runs once per chunk. A layer stays if it is an output, or
//! if its chunks are also used at other positions (`x + x.t()`), so that
//! nothing runs twice.

use super::Notes;
use super::explain::joined;
use crate::error::{Error, Result};
use crate::graph::{
    Arguments, AxisMap, Block, BlockInput, Index, Layer, Layers, Operation, Summary, Tasks, Value,
    again,
};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::Arc;

/// Several operations on the same chunk, one after the other.
struct Fused {
    name: String,
    steps: Vec<FusedStep>,
}

struct FusedStep {
    operation: Arc<dyn Operation>,
    layer: Arc<Layer>,
    /// Maps the index of the fused chunk to the step's index in its own layer.
    axes: Axes,
    takes: Vec<Taken>,
}

/// A map from one index to another.
type Axes = SmallVec<[AxisMap; 4]>;

#[derive(Clone, Copy)]
struct Taken {
    from: Operand,
    /// Whether this is its last use.
    is_last: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operand {
    /// An input of the fused task.
    Input(usize),
    /// The value of an earlier step.
    Step(usize),
}

impl Operation for Fused {
    fn name(&self) -> &str {
        &self.name
    }

    fn arguments(&self) -> Arguments {
        // The layer keeps the identity it had before fusion.
        Arguments::none()
    }

    fn run(&self, block: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let mut inputs: Vec<Option<Value>> = inputs.into_iter().map(Some).collect();
        let mut values: Vec<Option<Value>> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let index = place(&step.axes, block.index);
            let taken: Vec<Value> = step
                .takes
                .iter()
                .map(|taken| {
                    let value = match taken.from {
                        Operand::Input(at) => &mut inputs[at],
                        Operand::Step(at) => &mut values[at],
                    };
                    let value = if taken.is_last {
                        value.take()
                    } else {
                        value.clone()
                    };
                    value.expect("invariant: a value exists until its last use")
                })
                .collect();
            let block = Block {
                layer: &step.layer,
                linear: step.layer.grid().linear(&index),
                index: &index,
            };
            let given: SmallVec<[Summary; 4]> = taken.iter().map(Value::summary).collect();
            let value = again(step.operation.retries(), taken, |taken| {
                step.operation.run(&block, taken)
            })
            .map_err(|error| step.failed(error, &block, &given))?;
            values.push(Some(value));
        }
        let last = values.pop().flatten();
        Ok(last.expect("invariant: a fused task has at least one step"))
    }
}

impl FusedStep {
    /// Wraps the error of a step under the step's own key.
    fn failed(&self, error: Error, block: &Block<'_>, given: &[Summary]) -> Error {
        error.of_task(
            || block.key().to_string(),
            self.operation.name(),
            || given.iter().map(ToString::to_string).collect(),
        )
    }
}

fn place(axes: &[AxisMap], of: &[u32]) -> Index {
    axes.iter().map(|axis| axis.of(of)).collect()
}

/// Where a layer moves: into the layer `root`, whose chunk at an index uses the
/// chunk at `axes` of that index.
#[derive(Clone)]
struct Member {
    root: u32,
    axes: Axes,
}

pub(super) fn fuse_blockwise(layers: &mut Layers, notes: &mut Notes) {
    let members = members(layers);
    let count = layers.len() as u32;
    let mut groups: Vec<Vec<u32>> = vec![Vec::new(); layers.len()];
    let mut any = false;
    for number in 0..count {
        if let Some(member) = &members[number as usize]
            && member.root != number
        {
            let group = &mut groups[member.root as usize];
            group.push(number);
            any = true;
        }
    }
    if !any {
        return;
    }
    for (root, mut group) in (0..).zip(groups) {
        if group.is_empty() {
            continue;
        }
        // By number: each layer after its dependencies, the root last.
        group.push(root);
        let (operation, inputs, dependencies) = fuse(layers, &members, root, &group);
        notes.add(|| format!("{} layers: {}", group.len(), operation.name));
        let operation = Arc::new(operation);
        layers
            .node_mut(root)
            .rewrite(Tasks::Blockwise { operation, inputs }, dependencies);
    }
    layers.cull();
}

/// Returns where each blockwise layer moves: to itself if it stays.
fn members(layers: &Layers) -> Vec<Option<Member>> {
    let mut members: Vec<Option<Member>> = vec![None; layers.len()];
    // What the users of each layer, as far as visited, make of it.
    let mut wanted: Vec<Wanted> = vec![Wanted::ByNobody; layers.len()];
    for output in layers.outputs() {
        wanted[output.layer as usize] = Wanted::AsItIs;
    }
    for number in (0..layers.len() as u32).rev() {
        let node = layers.node(number);
        let Tasks::Blockwise { inputs, .. } = node.tasks() else {
            for &layer in &node.dependencies {
                wanted[layer as usize] = Wanted::AsItIs;
            }
            continue;
        };
        let own = match &wanted[number as usize] {
            Wanted::In(member) if node.known.is_none() => member.clone(),
            _ => Member {
                root: number,
                axes: identity(node.layer.grid().counts().len()),
            },
        };
        let root_grid = layers.node(own.root).layer.grid();
        for input in inputs {
            let layer = node.dependencies[input.dependency];
            let member = Member {
                root: own.root,
                axes: compose(&input.axes, &own.axes),
            };
            let through = BlockInput {
                dependency: 0,
                axes: member.axes.clone(),
            };
            let wanted = &mut wanted[layer as usize];
            let is_same = match wanted {
                Wanted::ByNobody => true,
                Wanted::In(other) => other.root == member.root && other.axes == member.axes,
                Wanted::AsItIs => false,
            };
            // A layer whose values are partly known absorbs no other layer.
            *wanted = if is_same && node.known.is_none() && through.is_one_to_one(root_grid) {
                Wanted::In(member)
            } else {
                Wanted::AsItIs
            };
        }
        members[number as usize] = Some(own);
    }
    members
}

/// What the users of a layer require of it.
#[derive(Clone)]
enum Wanted {
    ByNobody,
    /// All users are in one group, and use the same chunk.
    In(Member),
    AsItIs,
}

/// Returns the task of a group, its inputs, and the numbers of the layers they
/// come from.
fn fuse(
    layers: &Layers,
    members: &[Option<Member>],
    root: u32,
    group: &[u32],
) -> (Fused, Vec<BlockInput>, SmallVec<[u32; 2]>) {
    let step_of: HashMap<u32, usize> = group.iter().copied().zip(0..).collect();
    let mut dependencies: SmallVec<[u32; 2]> = SmallVec::new();
    let mut inputs: Vec<BlockInput> = Vec::new();
    let mut input_of: HashMap<(u32, Axes), usize> = HashMap::new();
    let mut steps: Vec<FusedStep> = Vec::with_capacity(group.len());
    for &number in group {
        let node = layers.node(number);
        let (
            Some(member),
            Tasks::Blockwise {
                operation,
                inputs: own,
            },
        ) = (&members[number as usize], node.tasks())
        else {
            unreachable!("invariant: a group is of blockwise layers");
        };
        debug_assert_eq!(member.root, root);
        let takes = own
            .iter()
            .map(|input| {
                let layer = node.dependencies[input.dependency];
                let from = match step_of.get(&layer) {
                    Some(&step) => Operand::Step(step),
                    None => {
                        let axes = compose(&input.axes, &member.axes);
                        let key = (layer, axes.clone());
                        Operand::Input(*input_of.entry(key).or_insert_with(|| {
                            let known = dependencies.iter().position(|&other| other == layer);
                            let dependency = known.unwrap_or_else(|| {
                                dependencies.push(layer);
                                dependencies.len() - 1
                            });
                            inputs.push(BlockInput { dependency, axes });
                            inputs.len() - 1
                        }))
                    }
                };
                Taken {
                    from,
                    is_last: false,
                }
            })
            .collect();
        steps.push(FusedStep {
            operation: operation.clone(),
            layer: node.layer.clone(),
            axes: member.axes.clone(),
            takes,
        });
    }
    let mut later_steps = vec![false; steps.len()];
    let mut later_inputs = vec![false; inputs.len()];
    for taken in steps
        .iter_mut()
        .rev()
        .flat_map(|step| step.takes.iter_mut().rev())
    {
        let is_taken_later = match taken.from {
            Operand::Step(at) => &mut later_steps[at],
            Operand::Input(at) => &mut later_inputs[at],
        };
        taken.is_last = !std::mem::replace(is_taken_later, true);
    }
    let names: Vec<&str> = steps.iter().map(|step| step.operation.name()).collect();
    let name = joined(&names);
    (Fused { name, steps }, inputs, dependencies)
}

fn identity(ndim: usize) -> Axes {
    (0..ndim).map(|axis| AxisMap::Output(axis as u8)).collect()
}

/// Composes two maps: applies `outer`, then `inner`.
fn compose(inner: &[AxisMap], outer: &[AxisMap]) -> Axes {
    inner.iter().map(|axis| axis.after(outer)).collect()
}
