//! Fuses linear chains of tasks into one task each.
//!
//! In a chain, each task is used only by the next one, and is that one's only
//! input. A chain is cut after [`LONGEST`] tasks, so that a long chain can be
//! interrupted and its progress is visible. The steps keep their keys for
//! errors, and their own retries.

use super::Notes;
use super::remove_aliases::reference;
use crate::cancel::checkpoint;
use crate::error::{Error, Result};
use crate::graph::again;
use crate::graph::{
    Arguments, Block, Layer, Layers, Listed, Operation, Summary, TaskRef, Tasks, Value,
};
use smallvec::SmallVec;
use std::sync::{Arc, OnceLock};

/// The largest number of tasks in a chain.
const LONGEST: u32 = 64;

/// Several operations, each applied to the value of the previous one.
struct Chain {
    steps: Box<[ChainStep]>,
    name: OnceLock<String>,
}

struct ChainStep {
    operation: Arc<dyn Operation>,
    layer: Arc<Layer>,
    linear: u32,
}

impl Operation for Chain {
    fn name(&self) -> &str {
        self.name.get_or_init(|| {
            let names: Vec<&str> = self
                .steps
                .iter()
                .map(|step| step.operation.name())
                .collect();
            super::explain::joined(&names)
        })
    }

    fn arguments(&self) -> Arguments {
        // The layer keeps the identity it had before fusion.
        Arguments::none()
    }

    fn run(&self, _: &Block<'_>, mut inputs: Vec<Value>) -> Result<Value> {
        let first: SmallVec<[Summary; 4]> = inputs.iter().map(Value::summary).take(8).collect();
        let mut given: Option<(&ChainStep, Summary)> = None;
        for (step, rest) in self.steps.iter().zip((0..self.steps.len()).rev()) {
            let index = step.layer.grid().index(step.linear);
            let block = Block {
                layer: &step.layer,
                linear: step.linear,
                index: &index,
            };
            let value = again(step.operation.retries(), inputs, |inputs| {
                step.operation.run(&block, inputs)
            })
            .map_err(|error| step.failed(error, &first, given))?;
            if rest == 0 {
                return Ok(value);
            }
            checkpoint()?;
            given = Some((step, value.summary()));
            inputs = vec![value];
        }
        unreachable!("invariant: a chain has at least two steps")
    }
}

impl ChainStep {
    /// Wraps the error of a step under the step's own key.
    fn failed(&self, error: Error, first: &[Summary], given: Option<(&Self, Summary)>) -> Error {
        let key = |step: &Self| step.layer.key(step.linear).to_string();
        error.of_task(
            || key(self),
            self.operation.name(),
            || match given {
                Some((before, summary)) => vec![format!("{}: {summary}", key(before))],
                None => first.iter().map(ToString::to_string).collect(),
            },
        )
    }
}

pub(super) fn fuse_linear(layers: &mut Layers, notes: &mut Notes) {
    let links = Links::new(layers);
    if !links.found {
        return;
    }
    // Backwards, so that a task that moves into another is read before it is
    // rewritten itself.
    for number in (0..layers.len() as u32).rev() {
        if let Some((tasks, dependencies)) = links.rewritten(layers, number, notes) {
            layers.node_mut(number).rewrite(tasks, dependencies);
        }
    }
    layers.cull();
}

/// The tasks that are used by one other task only, and the tasks that use them.
struct Links {
    /// For each layer of single or listed tasks, the number of its first task in
    /// these tables.
    base: Vec<u32>,
    /// For each task, the number of its layer.
    layer_of: Vec<u32>,
    /// For each task, the task that moves into it.
    before: Vec<u32>,
    /// For each task, whether it moves into another task.
    is_absorbed: Vec<bool>,
    found: bool,
}

const NONE: u32 = u32::MAX;

impl Links {
    fn new(layers: &Layers) -> Self {
        let mut base = Vec::with_capacity(layers.len());
        let mut layer_of = Vec::new();
        for (number, node) in (0..).zip(layers.nodes()) {
            match node.tasks() {
                Tasks::Single(_) | Tasks::Listed(_) if node.known.is_none() => {
                    base.push(layer_of.len() as u32);
                    layer_of.resize(layer_of.len() + node.layer.grid().len(), number);
                }
                _ => base.push(NONE),
            }
        }
        let count = layer_of.len();
        let mut links = Self {
            base,
            layer_of,
            before: vec![NONE; count],
            is_absorbed: vec![false; count],
            found: false,
        };
        if count > 0 {
            links.find(layers);
        }
        links
    }

    fn find(&mut self, layers: &Layers) {
        let mut uses = vec![0u8; self.before.len()];
        let taken = |uses: &mut [u8], task: u32, times: u8| {
            let uses = &mut uses[task as usize];
            *uses = uses.saturating_add(times);
        };
        let all = |number: u32| {
            let base = self.base[number as usize];
            let tasks = layers.node(number).layer.grid().len() as u32;
            (base != NONE).then_some(base..base.saturating_add(tasks))
        };
        let mut inputs = Vec::new();
        for (number, node) in (0..).zip(layers.nodes()) {
            let Some(tasks) = all(number) else {
                // How other layers use these tasks is not examined: count them
                // as used twice.
                for task in node
                    .dependencies
                    .iter()
                    .filter_map(|&layer| all(layer))
                    .flatten()
                {
                    taken(&mut uses, task, 2);
                }
                continue;
            };
            for linear in 0..tasks.len() as u32 {
                inputs.clear();
                layers.inputs(number, linear, &mut inputs);
                for &input in &inputs {
                    if let Some(task) = self.task(layers, number, input) {
                        taken(&mut uses, task, 1);
                    }
                }
            }
        }
        for output in layers.outputs() {
            if let Some(tasks) = all(output.layer) {
                let asked = match output.pick {
                    Some(linear) => tasks.start + linear..tasks.start + linear + 1,
                    None => tasks,
                };
                for task in asked {
                    taken(&mut uses, task, 2);
                }
            }
        }
        let mut length = vec![1u8; uses.len()];
        for number in 0..layers.len() as u32 {
            let base = self.base[number as usize];
            if base == NONE {
                continue;
            }
            for linear in 0..layers.node(number).layer.grid().len() as u32 {
                inputs.clear();
                layers.inputs(number, linear, &mut inputs);
                let &[input] = &inputs[..] else { continue };
                let Some(from) = self.task(layers, number, input) else {
                    continue;
                };
                if uses[from as usize] == 1 && u32::from(length[from as usize]) < LONGEST {
                    let task = (base + linear) as usize;
                    length[task] = length[from as usize] + 1;
                    self.before[task] = from;
                    self.is_absorbed[from as usize] = true;
                    self.found = true;
                }
            }
        }
    }

    /// Returns the number of an input in these tables.
    fn task(&self, layers: &Layers, number: u32, input: TaskRef) -> Option<u32> {
        let layer = match input.dependency {
            TaskRef::SELF => number,
            dependency => layers.node(number).dependencies[dependency as usize],
        };
        let base = self.base[layer as usize];
        (base != NONE).then(|| base + input.linear)
    }

    /// Returns a layer's tasks including those that move into them, or `None` if
    /// none does.
    fn rewritten(
        &self,
        layers: &Layers,
        number: u32,
        notes: &mut Notes,
    ) -> Option<(Tasks, SmallVec<[u32; 2]>)> {
        let base = self.base[number as usize];
        if base == NONE {
            return None;
        }
        let node = layers.node(number);
        let tasks = node.layer.grid().len() as u32;
        let ends =
            |task: u32| self.before[task as usize] != NONE && !self.is_absorbed[task as usize];
        if !(base..base + tasks).any(ends) {
            return None;
        }
        let mut dependencies: SmallVec<[u32; 2]> = match node.tasks() {
            Tasks::Listed(_) => node.dependencies.clone(),
            _ => SmallVec::new(),
        };
        let mut rewritten = Listed::with_capacity(tasks as usize, 0);
        let mut inputs = Vec::new();
        for linear in 0..tasks {
            let task = base + linear;
            let chain = ends(task).then(|| self.chain(layers, task));
            let first = match &chain {
                Some(chain) => chain.first,
                None => (number, linear),
            };
            inputs.clear();
            layers.inputs(first.0, first.1, &mut inputs);
            let own: SmallVec<[TaskRef; 4]> = inputs
                .iter()
                .map(|input| {
                    let layer = match input.dependency {
                        TaskRef::SELF => first.0,
                        dependency => layers.node(first.0).dependencies[dependency as usize],
                    };
                    reference(number, &mut dependencies, (layer, input.linear))
                })
                .collect();
            let operation: Arc<dyn Operation> = match (chain, node.tasks()) {
                (Some(chain), _) => {
                    notes.add(|| chain.operation.name().to_owned());
                    Arc::new(chain.operation)
                }
                (None, Tasks::Listed(listed)) => listed.operation(linear).clone(),
                (None, Tasks::Single(operation)) => operation.clone(),
                (None, _) => unreachable!("invariant: only these have a base"),
            };
            rewritten.push(operation, own);
        }
        Some((Tasks::Listed(Arc::new(rewritten)), dependencies))
    }

    /// Returns the chain that ends with a task.
    fn chain(&self, layers: &Layers, last: u32) -> Found {
        let mut steps = Vec::new();
        let mut task = last;
        loop {
            let number = self.layer_of[task as usize];
            let linear = task - self.base[number as usize];
            let node = layers.node(number);
            let operation = match node.tasks() {
                Tasks::Listed(listed) => listed.operation(linear).clone(),
                Tasks::Single(operation) => operation.clone(),
                _ => unreachable!("invariant: only these have a base"),
            };
            steps.push(ChainStep {
                operation,
                layer: node.layer.clone(),
                linear,
            });
            task = match self.before[task as usize] {
                NONE => {
                    steps.reverse();
                    return Found {
                        first: (number, linear),
                        operation: Chain {
                            steps: steps.into(),
                            name: OnceLock::new(),
                        },
                    };
                }
                before => before,
            };
        }
    }
}

/// A chain, and the layer and position of its first task.
struct Found {
    first: (u32, u32),
    operation: Chain,
}
