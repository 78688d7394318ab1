//! What has to hold of layers that are planned. It runs last, so that a rule
//! that breaks something is found by what it broke, not by what comes of it.

use crate::error::{Error, Result};
use crate::graph::{AxisMap, Layers, Tasks};

/// Checks that each layer comes after what it takes, and that what it takes is
/// there.
///
/// # Errors
/// [`Error::Rule`], with the layer, what is required, and what it takes.
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
            return broken("comes after what it takes", Some(after));
        }
        let taken = |dependency: usize| node.dependencies.get(dependency).copied();
        match node.tasks() {
            Tasks::Blockwise { inputs, .. } => {
                let grid = node.layer.grid().counts();
                for input in inputs {
                    let Some(layer) = taken(input.dependency) else {
                        return broken("takes from its dependencies", None);
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
                        return broken("takes chunks that are there", Some(layer));
                    }
                }
            }
            Tasks::Listed(tasks) => {
                if tasks.len() != node.layer.grid().len() {
                    return broken("has as many tasks as chunks", None);
                }
            }
            Tasks::Single(_) | Tasks::Pick(_) => {
                if node.layer.grid().len() != 1 {
                    return broken("has one chunk", None);
                }
            }
            Tasks::Family(_) | Tasks::Values(_) => {}
        }
    }
    let mut outputs = layers.outputs().iter();
    if !outputs.all(|output| (output.layer as usize) < layers.len()) {
        return Err(Error::Rule {
            layer: "an output".to_owned(),
            requirement: "is a layer".to_owned(),
            takes: None,
        });
    }
    Ok(())
}
