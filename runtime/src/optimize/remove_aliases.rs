//! Removes aliases: tasks that depend on a task that only passes on a value
//! depend directly on the task behind it.

use super::Notes;
use crate::graph::{Layers, Listed, TaskRef, Tasks};
use smallvec::SmallVec;
use std::sync::Arc;

/// A task, by the number of its layer and its position there.
type Target = (u32, u32);

pub(super) fn remove_aliases(layers: &mut Layers, notes: &mut Notes) {
    let has_aliases: Vec<bool> = (0..layers.len() as u32)
        .map(|number| match layers.node(number).tasks() {
            Tasks::Listed(tasks) => {
                (0..tasks.len() as u32).any(|linear| tasks.operation(linear).is_alias())
            }
            _ => false,
        })
        .collect();
    if !has_aliases.contains(&true) {
        return;
    }
    let mut removed = 0;
    for number in 0..layers.len() as u32 {
        let node = layers.node(number);
        let concerned = node.dependencies.iter().chain([&number]);
        if !concerned.copied().any(|layer| has_aliases[layer as usize]) {
            continue;
        }
        let Tasks::Listed(tasks) = node.tasks() else {
            continue;
        };
        let tasks = tasks.clone();
        let mut dependencies: SmallVec<[u32; 2]> = node.dependencies.clone();
        let mut rewritten = Listed::with_capacity(tasks.len(), 0);
        for linear in 0..tasks.len() as u32 {
            let inputs: SmallVec<[TaskRef; 4]> = tasks
                .inputs(linear)
                .iter()
                .map(|&input| {
                    let from = place(number, &dependencies, input);
                    // The earlier tasks of this layer are already rewritten.
                    let to = match from {
                        (layer, linear) if layer == number => {
                            behind_own(&rewritten, number, &dependencies, linear)
                        }
                        from => behind(layers, from),
                    };
                    removed += usize::from(to != from);
                    reference(number, &mut dependencies, to)
                })
                .collect();
            rewritten.push(tasks.operation(linear).clone(), inputs);
        }
        layers
            .node_mut(number)
            .rewrite(Tasks::Listed(Arc::new(rewritten)), dependencies);
    }
    for at in 0..layers.outputs().len() {
        let output = layers.outputs()[at];
        if let Some(linear) = output.pick {
            let (layer, linear) = behind(layers, (output.layer, linear));
            let output = &mut layers.outputs_mut()[at];
            (output.layer, output.pick) = (layer, Some(linear));
        }
    }
    notes.add(|| format!("{removed} inputs now come from the task behind an alias"));
}

/// Returns the task whose value a task has: itself, unless it is an alias.
fn behind(layers: &Layers, (layer, linear): Target) -> Target {
    let node = layers.node(layer);
    match node.tasks() {
        // In a rewritten layer no alias depends on another alias.
        Tasks::Listed(tasks) if tasks.operation(linear).is_alias() && node.known.is_none() => {
            place(layer, &node.dependencies, tasks.inputs(linear)[0])
        }
        _ => (layer, linear),
    }
}

fn behind_own(tasks: &Listed, number: u32, dependencies: &[u32], linear: u32) -> Target {
    if tasks.operation(linear).is_alias() {
        place(number, dependencies, tasks.inputs(linear)[0])
    } else {
        (number, linear)
    }
}

fn place(number: u32, dependencies: &[u32], input: TaskRef) -> Target {
    match input.dependency {
        TaskRef::SELF => (number, input.linear),
        dependency => (dependencies[dependency as usize], input.linear),
    }
}

/// Returns a layer's reference to a task, and adds the dependency if it is
/// missing.
pub(super) fn reference(
    number: u32,
    dependencies: &mut SmallVec<[u32; 2]>,
    (layer, linear): Target,
) -> TaskRef {
    if layer == number {
        return TaskRef::own(linear);
    }
    let dependency = dependencies.iter().position(|&other| other == layer);
    let dependency = dependency.unwrap_or_else(|| {
        dependencies.push(layer);
        dependencies.len() - 1
    });
    TaskRef::of(dependency as u32, linear)
}
