//! Fusion of blockwise layers.
//!
//! A blockwise layer whose chunks are taken by one other blockwise layer only,
//! each chunk once, moves into it: `ones → + → ×` becomes one task a chunk. A
//! layer that is an output, or is taken twice, stays, so that nothing runs
//! twice.

use crate::error::Result;
use crate::graph::{Arguments, AxisMap, Block, BlockInput, Index, Layer, Operation, Tasks, Value};
use crate::schedule::plan::topological;
use std::collections::HashMap;
use std::sync::Arc;

/// Several operations on the same chunk, one after the other.
struct Fused {
    name: String,
    steps: Vec<Step>,
}

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

/// A blockwise layer while it grows. It is made a layer when it is found that
/// it stays one, so that a chain of n steps costs n, not n².
struct Group<'a> {
    layer: &'a Arc<Layer>,
    steps: Vec<Step>,
    inputs: Vec<(Arc<Layer>, BlockInput)>,
}

pub(super) fn fuse_blockwise(outputs: &[Arc<Layer>]) -> Vec<Arc<Layer>> {
    let layers = topological(outputs);
    if !layers
        .iter()
        .any(|layer| matches!(layer.tasks(), Tasks::Blockwise { .. }))
    {
        return outputs.to_vec();
    }
    let mut taken_by: HashMap<&str, usize> = HashMap::new();
    for layer in &layers {
        for name in taken_names(layer) {
            *taken_by.entry(name).or_default() += 1;
        }
    }
    for output in outputs {
        *taken_by.entry(output.name()).or_default() += 2;
    }
    let mut rewriting = Rewriting::default();
    for layer in &layers {
        let Tasks::Blockwise { operation, inputs } = layer.tasks() else {
            let new = rewriting.with_new_dependencies(layer);
            rewriting.done.insert(layer.name(), new);
            continue;
        };
        let mut group = Group {
            layer,
            steps: Vec::new(),
            inputs: Vec::new(),
        };
        let mut takes = Vec::with_capacity(inputs.len());
        for input in inputs {
            let from = &layer.dependencies()[input.dependency];
            let alone = taken_by.get(&**from.name()) == Some(&1);
            let inner = (alone && input.is_one_to_one(layer.grid()))
                .then(|| rewriting.growing.remove(&**from.name()))
                .flatten();
            takes.push(match inner {
                Some(inner) => Taken::Step(group.absorb(inner, input)),
                None => {
                    group.inputs.push((rewriting.layer(from), input.clone()));
                    Taken::Input(group.inputs.len() - 1)
                }
            });
        }
        group.steps.push(Step {
            operation: operation.clone(),
            layer: layer.name().clone(),
            place: BlockInput::same(0, layer.grid().counts().len()),
            takes,
        });
        rewriting.growing.insert(layer.name(), group);
    }
    outputs.iter().map(|layer| rewriting.layer(layer)).collect()
}

/// The layers by name: still growing, or done.
#[derive(Default)]
struct Rewriting<'a> {
    growing: HashMap<&'a str, Group<'a>>,
    done: HashMap<&'a str, Arc<Layer>>,
}

impl Rewriting<'_> {
    /// The new layer in place of an old one.
    fn layer(&mut self, old: &Layer) -> Arc<Layer> {
        if let Some((name, group)) = self.growing.remove_entry(&**old.name()) {
            self.done.insert(name, group.finish());
        }
        self.done[&**old.name()].clone()
    }

    fn with_new_dependencies(&mut self, layer: &Arc<Layer>) -> Arc<Layer> {
        let dependencies: Vec<Arc<Layer>> = layer
            .dependencies()
            .iter()
            .map(|layer| self.layer(layer))
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

impl Group<'_> {
    /// Puts another group's steps before what comes; returns its last step.
    fn absorb(&mut self, mut inner: Group<'_>, through: &BlockInput) -> usize {
        if !is_identity(through, self.layer) {
            for step in &mut inner.steps {
                step.place = compose(&step.place, through);
            }
            for (_, input) in &mut inner.inputs {
                *input = compose(input, through);
            }
        }
        if self.steps.is_empty() && self.inputs.is_empty() {
            (self.steps, self.inputs) = (inner.steps, inner.inputs);
            return self.steps.len() - 1;
        }
        let (steps, inputs) = (self.steps.len(), self.inputs.len());
        for taken in inner.steps.iter_mut().flat_map(|step| &mut step.takes) {
            match taken {
                Taken::Input(at) => *at += inputs,
                Taken::Step(at) => *at += steps,
            }
        }
        self.steps.append(&mut inner.steps);
        self.inputs.append(&mut inner.inputs);
        self.steps.len() - 1
    }

    fn finish(self) -> Arc<Layer> {
        let mut dependencies: Vec<Arc<Layer>> = Vec::new();
        let mut places: HashMap<Arc<str>, usize> = HashMap::new();
        let inputs = self
            .inputs
            .into_iter()
            .map(|(layer, input)| {
                let dependency = *places.entry(layer.name().clone()).or_insert_with(|| {
                    dependencies.push(layer);
                    dependencies.len() - 1
                });
                BlockInput {
                    dependency,
                    axes: input.axes,
                }
            })
            .collect();
        let operation: Arc<dyn Operation> = match &self.steps[..] {
            [only] => only.operation.clone(),
            steps => Arc::new(Fused {
                name: fused_name(steps),
                steps: self.steps,
            }),
        };
        self.layer
            .replaced(Tasks::Blockwise { operation, inputs }, dependencies)
    }
}

/// The steps' names; where they are many, the first and the last ones.
fn fused_name(steps: &[Step]) -> String {
    const SHOWN: usize = 4;
    let names = |steps: &[Step]| {
        steps
            .iter()
            .map(|step| step.operation.name())
            .collect::<Vec<_>>()
            .join("-")
    };
    if steps.len() <= 2 * SHOWN {
        names(steps)
    } else {
        let last = steps.len() - SHOWN;
        format!("{}-…-{}", names(&steps[..SHOWN]), names(&steps[last..]))
    }
}

/// Whether each chunk takes the one at its own place.
fn is_identity(input: &BlockInput, layer: &Layer) -> bool {
    input.axes.len() == layer.grid().counts().len()
        && input
            .axes
            .iter()
            .zip(0..)
            .all(|(axis, at)| *axis == AxisMap::Output(at))
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
