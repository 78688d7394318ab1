//! Checks what must hold for layers before they are planned.
//!
//! The check runs last, so that a faulty rule is found by the invalid layers it
//! produces, not by their consequences.

use crate::error::{Error, Result};
use crate::graph::{AxisMap, Layers, Tasks};

/// Checks that each layer comes after its dependencies, and that the inputs it
/// uses exist.
///
/// # Errors
/// [`Error::Rule`], with the layer, the requirement and the dependency.
pub(super) fn check(layers: &Layers) -> Result<()> {
    for (number, node) in (0..).zip(layers.nodes()) {
        let broken = |requirement: &str, dependency: Option<u32>| {
            let dependency = dependency.map(|layer| layers.nodes().get(layer as usize));
            Err(Error::Rule {
                layer: node.layer.name().to_string(),
                requirement: requirement.to_owned(),
                takes: dependency
                    .flatten()
                    .map(|node| node.layer.name().to_string()),
            })
        };
        if let Some(&after) = node.dependencies.iter().find(|&&layer| layer >= number) {
            return broken("come after its dependencies", Some(after));
        }
        let taken = |dependency: usize| node.dependencies.get(dependency).copied();
        match node.tasks() {
            Tasks::Blockwise { inputs, .. } => {
                let grid = node.layer.grid().counts();
                for input in inputs {
                    let Some(layer) = taken(input.dependency) else {
                        return broken("use only its dependencies", None);
                    };
                    let from = layers.node(layer).layer.grid().counts();
                    let fits = |(axis, &count): (&AxisMap, &u32)| match *axis {
                        AxisMap::Output(axis) => grid
                            .get(axis as usize)
                            .is_some_and(|&chunks| chunks <= count),
                        AxisMap::Fixed(at) => at < count || grid.contains(&0),
                        AxisMap::Mirrored { axis, last } => grid
                            .get(axis as usize)
                            .is_some_and(|&chunks| chunks <= last + 1 && last < count.max(1)),
                    };
                    if input.axes.len() != from.len() || !input.axes.iter().zip(from).all(fits) {
                        return broken("use only chunks that exist", Some(layer));
                    }
                }
            }
            Tasks::Listed(tasks) => {
                if tasks.len() != node.layer.grid().len() {
                    return broken("have as many tasks as chunks", None);
                }
            }
            Tasks::Single(_) | Tasks::Pick(_) => {
                if node.layer.grid().len() != 1 {
                    return broken("have exactly one chunk", None);
                }
            }
            Tasks::Family(_) | Tasks::Values(_) => {}
        }
    }
    let mut outputs = layers.outputs().iter();
    if !outputs.all(|output| (output.layer as usize) < layers.len()) {
        return Err(Error::Rule {
            layer: "of an output".to_owned(),
            requirement: "exist".to_owned(),
            takes: None,
        });
    }
    Ok(())
}
