//! Fusion of blockwise layers.
//!
//! A blockwise layer whose chunks are taken by one other blockwise layer only,
//! each chunk once, moves into it: `ones → + → ×` becomes one task a chunk. A
//! layer that is an output, or is taken twice, stays, so that nothing runs
//! twice.

use crate::error::Result;
use crate::graph::{Arguments, AxisMap, Block, BlockInput, Index, Layer, Operation, Tasks, Value};
use crate::schedule::plan::topological;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Several operations on the same chunk, one after the other.
struct Fused {
    name: String,
    steps: Vec<Step>,
}

#[derive(Clone)]
struct Step {
    operation: Arc<dyn Operation>,
    layer: Arc<str>,
    /// The step's place in its own layer, from the place of the fused chunk.
    place: BlockInput,
    takes: Vec<Taken>,
}

#[derive(Clone, Copy)]
enum Taken {
    /// An input of the fused task.
    Input(usize),
    /// The value of an earlier step, which nobody else takes.
    Step(usize),
}

impl Operation for Fused {
    fn name(&self) -> &str {
        &self.name
    }

    fn arguments(&self) -> Arguments {
        // The layer keeps the name that it had before it was fused.
        Arguments::none()
    }

    fn run(&self, block: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let mut inputs: Vec<Option<Value>> = inputs.into_iter().map(Some).collect();
        let mut values: Vec<Option<Value>> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let index: Index = step.place.place(block.index);
            let taken = step
                .takes
                .iter()
                .map(|taken| match *taken {
                    Taken::Input(at) => inputs[at].take(),
                    Taken::Step(at) => values[at].take(),
                })
                .map(|value| value.expect("invariant: each value is taken once"))
                .collect();
            values.push(Some(step.operation.run(
                &Block {
                    layer: &step.layer,
                    index: &index,
                },
                taken,
            )?));
        }
        let last = values.pop().flatten();
        Ok(last.expect("invariant: a fused task has at least one step"))
    }
}

/// A blockwise layer while it grows.
struct Group {
    steps: Vec<Step>,
    inputs: Vec<(Arc<Layer>, BlockInput)>,
}

pub(super) fn fuse_blockwise(outputs: &[Arc<Layer>]) -> Vec<Arc<Layer>> {
    let layers = topological(outputs);
    let mut taken_by: HashMap<&str, usize> = HashMap::new();
    for layer in &layers {
        for name in taken_names(layer) {
            *taken_by.entry(name).or_default() += 1;
        }
    }
    let asked: HashSet<&str> = outputs.iter().map(|layer| &**layer.name()).collect();
    let mut rewritten: HashMap<Arc<str>, Arc<Layer>> = HashMap::new();
    let mut groups: HashMap<Arc<str>, Group> = HashMap::new();
    for layer in &layers {
        let Tasks::Blockwise { operation, inputs } = layer.tasks() else {
            rewritten.insert(
                layer.name().clone(),
                with_new_dependencies(layer, &rewritten),
            );
            continue;
        };
        let mut group = Group {
            steps: Vec::new(),
            inputs: Vec::new(),
        };
        let mut takes = Vec::with_capacity(inputs.len());
        for input in inputs {
            let from = &layer.dependencies()[input.dependency];
            let alone = taken_by.get(&**from.name()) == Some(&1) && !asked.contains(&**from.name());
            match groups.get(from.name()) {
                Some(inner) if alone && input.is_one_to_one(layer.grid()) => {
                    takes.push(Taken::Step(group.absorb(inner, input)));
                }
                _ => {
                    takes.push(Taken::Input(group.inputs.len()));
                    group
                        .inputs
                        .push((rewritten[from.name()].clone(), input.clone()));
                }
            }
        }
        let place = BlockInput::same(0, layer.grid().counts().len());
        group.steps.push(Step {
            operation: operation.clone(),
            layer: layer.name().clone(),
            place,
            takes,
        });
        rewritten.insert(layer.name().clone(), group.layer(layer));
        groups.insert(layer.name().clone(), group);
    }
    outputs
        .iter()
        .map(|layer| rewritten[layer.name()].clone())
        .collect()
}

/// The layers that a layer takes chunks of, one entry each time it does.
fn taken_names(layer: &Layer) -> Vec<&str> {
    let dependencies = layer.dependencies();
    match layer.tasks() {
        Tasks::Blockwise { inputs, .. } => inputs
            .iter()
            .map(|input| &**dependencies[input.dependency].name())
            .collect(),
        // Who takes what in other layers is not looked at: count as twice.
        _ => dependencies
            .iter()
            .flat_map(|layer| [&**layer.name(); 2])
            .collect(),
    }
}

impl Group {
    /// Puts another group's steps before what comes; returns its last step.
    fn absorb(&mut self, inner: &Group, through: &BlockInput) -> usize {
        let (steps, inputs) = (self.steps.len(), self.inputs.len());
        self.steps.extend(inner.steps.iter().map(|step| {
            Step {
                place: compose(&step.place, through),
                takes: step
                    .takes
                    .iter()
                    .map(|taken| match *taken {
                        Taken::Input(at) => Taken::Input(at + inputs),
                        Taken::Step(at) => Taken::Step(at + steps),
                    })
                    .collect(),
                ..step.clone()
            }
        }));
        self.inputs.extend(
            inner
                .inputs
                .iter()
                .map(|(layer, input)| (layer.clone(), compose(input, through))),
        );
        self.steps.len() - 1
    }

    fn layer(&self, original: &Layer) -> Arc<Layer> {
        let mut dependencies: Vec<Arc<Layer>> = Vec::new();
        let inputs = self
            .inputs
            .iter()
            .map(|(layer, input)| {
                let dependency = dependencies
                    .iter()
                    .position(|other| other.name() == layer.name())
                    .unwrap_or_else(|| {
                        dependencies.push(layer.clone());
                        dependencies.len() - 1
                    });
                BlockInput {
                    dependency,
                    axes: input.axes.clone(),
                }
            })
            .collect();
        let operation: Arc<dyn Operation> = match &self.steps[..] {
            [only] => only.operation.clone(),
            steps => {
                let name = steps
                    .iter()
                    .map(|step| step.operation.name())
                    .collect::<Vec<_>>()
                    .join("-");
                Arc::new(Fused {
                    name,
                    steps: steps.to_vec(),
                })
            }
        };
        original.replaced(Tasks::Blockwise { operation, inputs }, dependencies)
    }
}

/// The place that `inner` finds from the place that `outer` finds.
fn compose(inner: &BlockInput, outer: &BlockInput) -> BlockInput {
    let axes = inner
        .axes
        .iter()
        .map(|axis| match *axis {
            AxisMap::Output(axis) => outer.axes[axis as usize],
            fixed => fixed,
        })
        .collect();
    BlockInput {
        dependency: inner.dependency,
        axes,
    }
}

fn with_new_dependencies(
    layer: &Arc<Layer>,
    rewritten: &HashMap<Arc<str>, Arc<Layer>>,
) -> Arc<Layer> {
    let dependencies: Vec<Arc<Layer>> = layer
        .dependencies()
        .iter()
        .map(|layer| rewritten[layer.name()].clone())
        .collect();
    if dependencies
        .iter()
        .zip(layer.dependencies())
        .all(|(new, old)| Arc::ptr_eq(new, old))
    {
        return layer.clone();
    }
    let tasks = match layer.tasks() {
        Tasks::Family(family) => Tasks::Family(family.clone()),
        Tasks::Listed(tasks) => Tasks::Listed(tasks.clone()),
        Tasks::Values(source) => Tasks::Values(source.clone()),
        Tasks::Blockwise { .. } => unreachable!("invariant: blockwise layers are grouped"),
    };
    layer.replaced(tasks, dependencies)
}
