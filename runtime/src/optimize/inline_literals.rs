//! Turns literal values in a custom graph into arguments of the tasks that use
//! them.

use super::Notes;
use crate::error::Result;
use crate::graph::{Arguments, Block, Layers, Listed, Operation, TaskRef, Tasks, Value};
use std::sync::Arc;

/// An operation with some of its inputs fixed to literals.
struct BoundInputs {
    operation: Arc<dyn Operation>,
    /// The inputs in order: a literal value, or `None` for an input that a task
    /// computes.
    inputs: Box<[Option<Value>]>,
}

impl Operation for BoundInputs {
    fn name(&self) -> &str {
        self.operation.name()
    }

    fn arguments(&self) -> Arguments {
        // The layer keeps the identity it had before.
        Arguments::none()
    }

    fn run(&self, block: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let mut computed = inputs.into_iter();
        let inputs = self
            .inputs
            .iter()
            .map(|literal| match literal {
                Some(value) => value.clone(),
                None => computed.next().expect("invariant: one input per gap"),
            })
            .collect();
        self.operation.run(block, inputs)
    }

    fn retries(&self) -> u32 {
        self.operation.retries()
    }
}

pub(super) fn inline_literals(layers: &mut Layers, notes: &mut Notes) {
    let mut inlined = 0;
    for number in 0..layers.len() as u32 {
        let node = layers.node(number);
        let Tasks::Listed(tasks) = node.tasks() else {
            continue;
        };
        let literal = |input: &TaskRef| -> Option<&Value> {
            let number = match input.dependency {
                TaskRef::SELF => number,
                dependency => node.dependencies[dependency as usize],
            };
            match layers.node(number).tasks() {
                Tasks::Listed(tasks) => tasks.operation(input.linear).literal(),
                _ => None,
            }
        };
        let all = 0..tasks.len() as u32;
        let takes_any = |linear: u32| {
            tasks
                .inputs(linear)
                .iter()
                .any(|input| literal(input).is_some())
        };
        if !all.clone().any(takes_any) {
            continue;
        }
        let mut rewritten = Listed::with_capacity(tasks.len(), 0);
        for linear in all {
            let (operation, inputs) = (tasks.operation(linear), tasks.inputs(linear));
            if !takes_any(linear) {
                rewritten.push(operation.clone(), inputs.iter().copied());
                continue;
            }
            let given: Box<[Option<Value>]> =
                inputs.iter().map(|input| literal(input).cloned()).collect();
            inlined += given.iter().flatten().count();
            let computed: Vec<TaskRef> = inputs
                .iter()
                .zip(&given)
                .filter(|(_, given)| given.is_none())
                .map(|(&input, _)| input)
                .collect();
            let operation = BoundInputs {
                operation: operation.clone(),
                inputs: given,
            };
            rewritten.push(Arc::new(operation), computed);
        }
        let dependencies = node.dependencies.clone();
        layers
            .node_mut(number)
            .rewrite(Tasks::Listed(Arc::new(rewritten)), dependencies);
    }
    if inlined > 0 {
        notes.add(|| format!("{inlined} inputs became arguments"));
    }
}
