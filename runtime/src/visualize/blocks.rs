//! Draws a large graph: one block for all tasks of a layer, or of several.

use super::layout::Direction;
use super::svg::{FONT, Line, Node, Shape, render};
use crate::display::text::{counted, fit, grouped, width};
use crate::display::{Svg, palette};
use crate::graph::{Layer, Layers, Node as LayerNode, TaskRef, Tasks};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The tasks that one block represents.
pub(super) struct Block {
    pub(super) operation: String,
    pub(super) tasks: usize,
    pub(super) grid: Option<String>,
    pub(super) there: bool,
    pub(super) name: String,
    pub(super) layers: usize,
}

/// Above this number, blocks are merged further.
pub(super) const MAX_BLOCKS: usize = 60;

pub(super) fn draw_blocks(
    layers: &Layers,
    direction: Direction,
    tasks_of: &dyn Fn(u32) -> usize,
) -> Svg {
    let all = 0..layers.len() as u32;
    let total: usize = all.clone().map(tasks_of).sum();
    let needed: Vec<u32> = all.filter(|&layer| tasks_of(layer) > 0).collect();
    let told_one_by_one = |&layer: &u32| matches!(layers.node(layer).tasks(), Tasks::Listed(tasks) if tasks.len() > 1);
    let (blocks, edges, how) = if needed.len() <= MAX_BLOCKS && !needed.iter().any(told_one_by_one)
    {
        let (blocks, edges) = by_layer(layers, &needed, tasks_of);
        (blocks, edges, "by layer")
    } else {
        let units = Units::new(layers, &needed, tasks_of);
        let (blocks, edges) = units.merged(|unit| (unit.operation.to_owned(), unit.depth));
        if blocks.len() <= MAX_BLOCKS {
            (blocks, edges, "by operation and depth")
        } else {
            let others = units.rare_operations();
            let (blocks, edges) = units.merged(|unit| {
                if others.contains(unit.operation) {
                    ("other operations".to_owned(), 0)
                } else {
                    (unit.operation.to_owned(), 0)
                }
            });
            (blocks, edges, "by operation")
        }
    };
    let colours = palette::assign(blocks.iter().map(|block| block.operation.as_str()));
    let chained: BTreeSet<usize> = edges
        .iter()
        .filter(|(from, to)| from == to)
        .map(|&(block, _)| block)
        .collect();
    let nodes: Vec<Node> = blocks
        .iter()
        .enumerate()
        .map(|(at, block)| block.node(colours[&block.operation], chained.contains(&at)))
        .collect();
    let summary = format!(
        "Task graph of {} in {}, drawn {how}",
        counted(total, "task"),
        counted(needed.len(), "layer"),
    );
    let edges: Vec<(usize, usize)> = edges.into_iter().filter(|(from, to)| from != to).collect();
    render(&nodes, &edges, direction, &summary, Some(&summary))
}

pub(super) fn operation_of(node: &LayerNode) -> &str {
    if node.layer.grid().is_empty() {
        node.layer.name()
    } else {
        node.operation_name(0)
    }
}

pub(super) fn is_there(node: &LayerNode) -> bool {
    matches!(node.tasks(), Tasks::Values(_))
}

pub(super) fn by_layer(
    layers: &Layers,
    needed: &[u32],
    tasks_of: &dyn Fn(u32) -> usize,
) -> (Vec<Block>, BTreeSet<(usize, usize)>) {
    let block_of: HashMap<u32, usize> = needed.iter().copied().zip(0..).collect();
    let mut edges = BTreeSet::new();
    let mut blocks = Vec::with_capacity(needed.len());
    for (at, &number) in needed.iter().enumerate() {
        let node = layers.node(number);
        for dependency in &node.dependencies {
            if let Some(&from) = block_of.get(dependency) {
                edges.insert((from, at));
            }
        }
        let (counts, tasks) = (node.layer.grid().counts(), tasks_of(number));
        blocks.push(Block {
            operation: operation_of(node).to_owned(),
            tasks,
            grid: (counts.len() > 1 && tasks == node.layer.grid().len()).then(|| {
                let counts: Vec<String> = counts
                    .iter()
                    .map(|&count| grouped(count as usize))
                    .collect();
                counts.join(" × ")
            }),
            there: is_there(node),
            name: node.layer.name().to_string(),
            layers: 1,
        });
    }
    (blocks, edges)
}

/// The layers, and the individual tasks of listed layers.
pub(super) struct Units<'a> {
    pub(super) units: Vec<Unit<'a>>,
    pub(super) edges: Vec<(u32, u32)>,
}

pub(super) struct Unit<'a> {
    pub(super) operation: &'a str,
    pub(super) tasks: usize,
    pub(super) there: bool,
    pub(super) depth: usize,
    pub(super) layer: &'a Layer,
}

impl<'a> Units<'a> {
    pub(super) fn new(layers: &'a Layers, needed: &[u32], tasks_of: &dyn Fn(u32) -> usize) -> Self {
        let mut units: Vec<Unit<'a>> = Vec::new();
        let mut edges: Vec<(u32, u32)> = Vec::new();
        // For each layer, its first unit, and whether each of its tasks is a unit.
        let mut base: HashMap<u32, (u32, bool)> = HashMap::with_capacity(needed.len());
        for &number in needed {
            let node = layers.node(number);
            let first = units.len() as u32;
            if let Tasks::Listed(tasks) = node.tasks() {
                base.insert(number, (first, true));
                for linear in 0..tasks.len() as u32 {
                    let unit = units.len() as u32;
                    let mut depth = 0;
                    for input in tasks.inputs(linear) {
                        let input = if input.dependency == TaskRef::SELF {
                            first + input.linear
                        } else {
                            let from = node.dependencies[input.dependency as usize];
                            let Some(&(base, each)) = base.get(&from) else {
                                continue;
                            };
                            if each { base + input.linear } else { base }
                        };
                        depth = depth.max(units[input as usize].depth + 1);
                        edges.push((input, unit));
                    }
                    units.push(Unit {
                        operation: node.operation_name(linear),
                        tasks: 1,
                        there: false,
                        depth,
                        layer: &node.layer,
                    });
                }
            } else {
                base.insert(number, (first, false));
                let mut depth = 0;
                for dependency in &node.dependencies {
                    let Some(&(from, each)) = base.get(dependency) else {
                        continue;
                    };
                    let count = if each {
                        layers.node(*dependency).layer.grid().len() as u32
                    } else {
                        1
                    };
                    for input in from..from + count {
                        depth = depth.max(units[input as usize].depth + 1);
                        edges.push((input, first));
                    }
                }
                units.push(Unit {
                    operation: operation_of(node),
                    tasks: tasks_of(number),
                    there: is_there(node),
                    depth,
                    layer: &node.layer,
                });
            }
        }
        Self { units, edges }
    }

    /// Merges units with the same mark into one block.
    pub(super) fn merged(
        &self,
        mark: impl Fn(&Unit<'_>) -> (String, usize),
    ) -> (Vec<Block>, BTreeSet<(usize, usize)>) {
        let mut numbers: HashMap<(String, usize), usize> = HashMap::new();
        let mut blocks: Vec<Block> = Vec::new();
        let mut last: Vec<*const Layer> = Vec::new();
        let mut block_of = Vec::with_capacity(self.units.len());
        for unit in &self.units {
            let mark = mark(unit);
            let number = *numbers.entry(mark).or_insert_with_key(|(operation, _)| {
                blocks.push(Block {
                    operation: operation.clone(),
                    tasks: 0,
                    grid: None,
                    there: unit.there,
                    name: unit.layer.name().to_string(),
                    layers: 0,
                });
                last.push(std::ptr::null());
                blocks.len() - 1
            });
            let block = &mut blocks[number];
            block.tasks += unit.tasks;
            block.there &= unit.there;
            if !std::ptr::eq(last[number], unit.layer) {
                last[number] = unit.layer;
                block.layers += 1;
            }
            block_of.push(number);
        }
        let edges = self
            .edges
            .iter()
            .map(|&(from, to)| (block_of[from as usize], block_of[to as usize]))
            .collect();
        (blocks, edges)
    }

    /// Returns the operations without a block of their own, if there are too many.
    pub(super) fn rare_operations(&self) -> BTreeSet<&'a str> {
        let mut tasks: BTreeMap<&str, usize> = BTreeMap::new();
        for unit in &self.units {
            *tasks.entry(unit.operation).or_default() += unit.tasks;
        }
        let mut operations: Vec<(&str, usize)> = tasks.into_iter().collect();
        operations.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        if operations.len() <= MAX_BLOCKS {
            return BTreeSet::new();
        }
        operations
            .drain(MAX_BLOCKS - 1..)
            .map(|(name, _)| name)
            .collect()
    }
}

impl Block {
    pub(super) fn node(&self, colour: &'static str, chained: bool) -> Node {
        let mut lines = vec![
            Line {
                text: fit(&self.operation, 13.0, 230.0),
                size: 13.0,
                bold: true,
            },
            Line {
                text: counted(self.tasks, if self.there { "value" } else { "task" }),
                size: FONT,
                bold: false,
            },
        ];
        if let Some(grid) = &self.grid {
            lines.push(Line {
                text: grid.clone(),
                size: FONT,
                bold: false,
            });
        }
        if chained {
            lines.push(Line {
                text: "some run in sequence".to_owned(),
                size: FONT,
                bold: false,
            });
        }
        let widest = lines
            .iter()
            // Bold text is about 10 % wider.
            .map(|line| width(&line.text, line.size) * if line.bold { 1.12 } else { 1.0 })
            .fold(60.0, f64::max);
        let height: f64 = lines.iter().map(|line| line.size * 1.3).sum();
        let mut tooltip = vec![self.operation.clone(), counted(self.tasks, "task")];
        tooltip.extend(self.grid.clone());
        let tooltip = tooltip.join(" · ")
            + &match self.layers {
                1 => format!("\n{}", self.name),
                layers => format!("\n{}", counted(layers, "layer")),
            };
        Node {
            shape: Shape::Block {
                size: (widest + 24.0, height + 14.0),
                colour,
            },
            lines,
            tooltip,
        }
    }
}
