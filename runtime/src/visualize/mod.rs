//! Draws task graphs as SVG: functions are circles, values are squares, results are on top. A graph
//! with too many tasks to show individually is drawn by layer.
//!
//! Lines, and texts outside nodes, have no colour of their own. They use the page's colour
//! (`currentColor`), so they are legible in every theme. [`Svg::save`] and front ends that show
//! images give the drawing a white page.

mod blocks;
mod layout;
mod svg;
mod tasks;

pub use layout::Direction as Rankdir;

use crate::compute::Collection;
use crate::delayed::TaskGraph;
use crate::display::Svg;
use crate::error::Result;
use crate::graph::{Layer, Layers};
use crate::optimize::{Rules, optimize};
use crate::schedule::Plan;
use blocks::draw_blocks;
use layout::Direction;
use std::sync::Arc;
use tasks::draw_tasks;

/// Options for drawing a graph.
///
/// ```
/// use swath::visualize::{GraphStyle, Rankdir};
/// let style = GraphStyle { optimize: true, rankdir: Rankdir::LeftToRight, ..GraphStyle::default() };
/// assert_eq!(style.max_tasks, 250);
/// ```
#[derive(Clone, Debug)]
pub struct GraphStyle {
    /// Whether to draw the optimised graph, which is the one that runs.
    pub optimize: bool,
    /// The direction of the edges.
    pub rankdir: Direction,
    /// Graphs with more tasks are drawn by layer.
    pub max_tasks: usize,
}

impl Default for GraphStyle {
    fn default() -> Self {
        Self {
            optimize: false,
            rankdir: Direction::default(),
            max_tasks: 250,
        }
    }
}

impl TaskGraph {
    /// Draws the graph of the task with this `key` and of its dependencies.
    ///
    /// # Errors
    /// Returns an error if the graph cannot compute the key: [`crate::Error::MissingKey`],
    /// [`crate::Error::Cycle`], [`crate::Error::Type`].
    pub fn visualize(&self, key: impl AsRef<str>) -> Result<Svg> {
        draw(&[self.layer(key.as_ref())?], &GraphStyle::default())
    }
}

/// Draws the graphs of collections.
pub trait Visualize: Collection {
    /// Draws the graph of the collection's tasks.
    ///
    /// # Errors
    /// Returns the error that was found when the collection was described.
    fn visualize(&self) -> Result<Svg> {
        self.visualize_with(&GraphStyle::default())
    }

    /// Draws the graph with the given options.
    ///
    /// # Errors
    /// The same as for [`visualize`](Visualize::visualize).
    fn visualize_with(&self, style: &GraphStyle) -> Result<Svg> {
        draw(&[self.layer()?], style)
    }
}

impl<C: Collection> Visualize for C {}

/// Draws the graph that computes some layers.
///
/// # Errors
/// Returns [`crate::Error::Argument`] for more than 2³² tasks.
pub fn draw(outputs: &[Arc<Layer>], style: &GraphStyle) -> Result<Svg> {
    /// Graphs of up to this many tasks are planned, to find out how many tasks culling keeps.
    const PLANNED: usize = 200_000;
    let mut layers = Layers::new(outputs);
    if style.optimize {
        optimize(&mut layers, Rules::All)?;
    }
    let chunks = |layer: u32| layers.node(layer).layer.grid().len();
    let total: usize = (0..layers.len() as u32).map(chunks).sum();
    if total <= PLANNED.max(style.max_tasks) {
        let plan = Plan::new(layers.clone())?;
        if plan.len() <= style.max_tasks {
            return Ok(draw_tasks(&plan, style.rankdir));
        }
        let mut needed = vec![0; layers.len()];
        for task in plan.tasks() {
            needed[plan.layer_number(task) as usize] += 1;
        }
        return Ok(draw_blocks(&layers, style.rankdir, &|layer| {
            needed[layer as usize]
        }));
    }
    Ok(draw_blocks(&layers, style.rankdir, &chunks))
}

#[cfg(test)]
mod tests;
