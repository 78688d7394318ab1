//! Draws task graphs as SVG: functions are circles, values are squares, results are on top. A graph
//! with too many tasks to show individually is drawn by layer.
//!
//! Lines, and texts outside nodes, have no colour of their own. They use the page's colour
//! (`currentColor`), so they are legible in every theme. [`Svg::save`] and front ends that show
//! images give the drawing a white page.

mod layout;

pub use layout::Direction as Rankdir;

use crate::compute::Collection;
use crate::delayed::TaskGraph;
use crate::display::text::{counted, escape, fit, grouped, number, shorten_middle, width};
use crate::display::{Svg, palette, svg_document, text};
use crate::error::Result;
use crate::graph::{Layer, Layers, Node as LayerNode, TaskRef, Tasks};
use crate::optimize::{Rules, optimize};
use crate::schedule::Plan;
use layout::{Direction, Layout, Point, layout};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::Arc;

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

/// A node of the drawing.
struct Node {
    shape: Shape,
    lines: Vec<Line>,
    tooltip: String,
}

struct Line {
    text: String,
    size: f64,
    bold: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    /// A function.
    Circle { radius: f64, colour: &'static str },
    /// A value, and whether it is already available.
    Square { size: Point, there: bool },
    /// All tasks of a layer.
    Block { size: Point, colour: &'static str },
}

impl Shape {
    fn size(&self) -> Point {
        match *self {
            Self::Circle { radius, .. } => (2.0 * radius, 2.0 * radius),
            Self::Square { size, .. } | Self::Block { size, .. } => size,
        }
    }
}

const FONT: f64 = 11.0;
const LINE: f64 = 1.12;

// ---- one node a task ----

fn draw_tasks(plan: &Plan, direction: Direction) -> Svg {
    let colours = palette::assign(
        plan.tasks()
            .filter(|&task| plan.is_computed(task))
            .map(|task| plan.operation_name(task)),
    );
    let mut nodes: Vec<Node> = Vec::new();
    let mut edges: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut value_of: Vec<usize> = Vec::with_capacity(plan.len());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names: Vec<&str> = Vec::new();
    for task in plan.tasks() {
        let (layer, operation) = (plan.layer(task), plan.operation_name(task));
        let key = plan.key(task).to_string();
        let there = matches!(layer.tasks(), Tasks::Values(_));
        let count = counts.entry(operation).or_insert_with(|| {
            names.push(operation);
            0
        });
        let label = value_label(layer, plan.linear(task), *count);
        *count += 1;
        if !there {
            let function = nodes.len();
            nodes.push(function_node(operation, &key, colours[operation]));
            for input in plan.inputs(task) {
                edges.insert((value_of[input.0 as usize], function));
            }
            edges.insert((function, nodes.len()));
        }
        value_of.push(nodes.len());
        nodes.push(value_node(&label, operation, &key, there));
    }
    let operations: Vec<String> = names
        .iter()
        .map(|name| format!("{name} × {}", grouped(counts[name])))
        .collect();
    let summary = if plan.is_empty() {
        "Task graph without tasks".to_owned()
    } else {
        format!(
            "Task graph of {}: {}",
            counted(plan.len(), "task"),
            operations.join(", ")
        )
    };
    let edges: Vec<(usize, usize)> = edges.into_iter().collect();
    render(&nodes, &edges, direction, &summary, None)
}

fn function_node(operation: &str, key: &str, colour: &'static str) -> Node {
    let (lines, radius) = fit_circle(operation);
    Node {
        shape: Shape::Circle { radius, colour },
        lines: lines
            .into_iter()
            .map(|text| Line {
                text,
                size: FONT,
                bold: false,
            })
            .collect(),
        tooltip: format!("{operation}\n{key}"),
    }
}

fn value_node(label: &str, operation: &str, key: &str, there: bool) -> Node {
    const HEIGHT: f64 = 24.0;
    let label = fit(label, FONT, 140.0);
    let side = (width(&label, FONT) + 12.0).max(HEIGHT);
    let tooltip = if there {
        format!("{key}\nthe value of {operation}, already available")
    } else {
        format!("{key}\nthe value of {operation}")
    };
    Node {
        shape: Shape::Square {
            size: (side, HEIGHT),
            there,
        },
        lines: vec![Line {
            text: label,
            size: FONT,
            bold: false,
        }],
        tooltip,
    }
}

/// Returns the text in a value's square: the position of the chunk, the user's own key, or
/// otherwise a number among the values of the same operation.
fn value_label(layer: &Layer, linear: u32, nth: usize) -> String {
    if let Tasks::Listed(tasks) = layer.tasks() {
        return match tasks.key(linear) {
            Some(key) => key.to_string(),
            None => format!("#{nth}"),
        };
    }
    text::tuple(&layer.grid().index(linear))
}

/// Breaks a name into up to three lines, in the smallest circle that holds it.
fn fit_circle(name: &str) -> (Vec<String>, f64) {
    const RADIUS: (f64, f64) = (20.0, 39.0);
    const PADDING: f64 = 4.5;
    /// The length to which lines of a name are shortened if the name does not fit.
    const SHORT: usize = 5;
    let radius = |lines: &[String]| {
        let count = lines.len() as f64;
        lines
            .iter()
            .enumerate()
            .map(|(at, line)| {
                let middle = (at as f64 - (count - 1.0) / 2.0) * FONT * LINE;
                (width(line, FONT) / 2.0).hypot(middle.abs() + FONT * 0.45)
            })
            .fold(0.0, f64::max)
            + PADDING
    };
    let words = words(name);
    let best = (1..=3.min(words.len()))
        .map(|count| wrap(&words, count))
        .min_by(|a, b| radius(a).total_cmp(&radius(b)))
        .unwrap_or_default();
    let found = radius(&best);
    if found <= RADIUS.1 {
        return (best, found.max(RADIUS.0));
    }
    let mut lines = best;
    if words.len() > 4 {
        // For a chain of many operations, its beginning and its end.
        lines = vec![
            words[0].clone(),
            "…".to_owned(),
            words[words.len() - 1].clone(),
        ];
    }
    let mut limit = lines
        .iter()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0);
    while radius(&lines) > RADIUS.1 && limit > SHORT {
        limit -= 1;
        lines = lines
            .iter()
            .map(|line| shorten_middle(line, limit))
            .collect();
    }
    let found = radius(&lines).max(RADIUS.0);
    (lines, found)
}

/// Splits a name into parts, each with the character that ends it.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
        if matches!(c, '_' | '-' | ' ' | '.' | ':' | '/') {
            words.push(String::new());
        }
    }
    words.retain(|word| !word.is_empty());
    if words.is_empty() {
        words.push(String::new());
    }
    words
}

/// Arranges words in a number of lines of similar length.
fn wrap(words: &[String], count: usize) -> Vec<String> {
    let total: f64 = words.iter().map(|word| width(word, FONT)).sum();
    let mut lines = vec![String::new()];
    let mut passed = 0.0;
    for word in words {
        let middle = passed + width(word, FONT) / 2.0;
        passed += width(word, FONT);
        if middle > total * lines.len() as f64 / count as f64
            && lines.len() < count
            && lines.last().is_some_and(|line| !line.is_empty())
        {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    lines.iter().map(|line| line.trim().to_owned()).collect()
}

// ---- one node a layer ----

/// The tasks that one block represents.
struct Block {
    operation: String,
    tasks: usize,
    grid: Option<String>,
    there: bool,
    name: String,
    layers: usize,
}

/// Above this number, blocks are merged further.
const MAX_BLOCKS: usize = 60;

fn draw_blocks(layers: &Layers, direction: Direction, tasks_of: &dyn Fn(u32) -> usize) -> Svg {
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

fn operation_of(node: &LayerNode) -> &str {
    if node.layer.grid().is_empty() {
        node.layer.name()
    } else {
        node.operation_name(0)
    }
}

fn is_there(node: &LayerNode) -> bool {
    matches!(node.tasks(), Tasks::Values(_))
}

fn by_layer(
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
struct Units<'a> {
    units: Vec<Unit<'a>>,
    edges: Vec<(u32, u32)>,
}

struct Unit<'a> {
    operation: &'a str,
    tasks: usize,
    there: bool,
    depth: usize,
    layer: &'a Layer,
}

impl<'a> Units<'a> {
    fn new(layers: &'a Layers, needed: &[u32], tasks_of: &dyn Fn(u32) -> usize) -> Self {
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
    fn merged(
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
    fn rare_operations(&self) -> BTreeSet<&'a str> {
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
    fn node(&self, colour: &'static str, chained: bool) -> Node {
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

// ---- SVG ----

fn render(
    nodes: &[Node],
    edges: &[(usize, usize)],
    direction: Direction,
    summary: &str,
    caption: Option<&str>,
) -> Svg {
    const MARGIN: f64 = 8.0;
    const CAPTION: f64 = 24.0;
    let sizes: Vec<Point> = nodes.iter().map(|node| node.shape.size()).collect();
    let mut places = layout(&sizes, edges, direction);
    let shift = |(x, y): Point| (x + MARGIN, y + MARGIN);
    for centre in &mut places.centres {
        *centre = shift(*centre);
    }
    for bend in places.bends.iter_mut().flatten() {
        *bend = (shift(bend.0), shift(bend.1));
    }
    let caption_width = caption.map_or(0.0, |text| width(text, FONT) + 4.0);
    let size = (
        places.size.0.max(caption_width) + 2.0 * MARGIN,
        places.size.1 + 2.0 * MARGIN + caption.map_or(0.0, |_| CAPTION),
    );
    let mut body = String::new();
    lines(&mut body, nodes, edges, &places, direction);
    for (node, centre) in nodes.iter().zip(&places.centres) {
        node.write(&mut body, *centre);
    }
    if let Some(caption) = caption {
        put(
            &mut body,
            format_args!(
                r#"<text x="{}" y="{}" fill="currentColor" fill-opacity=".75">{}</text>"#,
                number(MARGIN),
                number(size.1 - MARGIN),
                escape(caption)
            ),
        );
    }
    Svg(svg_document("graph", size, summary, &body))
}

/// Writing to a `String` does not fail.
fn put(text: &mut String, content: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(content);
}

impl Node {
    fn write(&self, svg: &mut String, (x, y): Point) {
        put(
            svg,
            format_args!("<g><title>{}</title>", escape(&self.tooltip)),
        );
        let (width, height) = self.shape.size();
        let (left, top) = (number(x - width / 2.0), number(y - height / 2.0));
        let (width, height) = (number(width), number(height));
        let ink = match self.shape {
            Shape::Circle { radius, colour } => {
                put(
                    svg,
                    format_args!(
                        r#"<circle cx="{}" cy="{}" r="{}" fill="{colour}"/>"#,
                        number(x),
                        number(y),
                        number(radius)
                    ),
                );
                "#fff"
            }
            Shape::Block { colour, .. } => {
                put(
                    svg,
                    format_args!(
                        r#"<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="7" fill="{colour}"/>"#
                    ),
                );
                "#fff"
            }
            Shape::Square { there, .. } => {
                let opacity = if there { ".16" } else { ".05" };
                put(
                    svg,
                    format_args!(
                        r#"<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="3" fill="currentColor" fill-opacity="{opacity}" stroke="currentColor" stroke-opacity=".6"/>"#
                    ),
                );
                "currentColor"
            }
        };
        let heights: Vec<f64> = match self.shape {
            Shape::Block { .. } => self.lines.iter().map(|line| line.size * 1.3).collect(),
            _ => self.lines.iter().map(|line| line.size * LINE).collect(),
        };
        let mut at = y - heights.iter().sum::<f64>() / 2.0;
        for (line, height) in self.lines.iter().zip(heights) {
            // The baseline is where the middle of lowercase and uppercase letters meets the middle
            // of the line.
            let baseline = at + height / 2.0 + line.size * 0.36;
            at += height;
            put(
                svg,
                format_args!(
                    r#"<text x="{}" y="{}" text-anchor="middle" fill="{ink}"{}>{}</text>"#,
                    number(x),
                    number(baseline),
                    if line.bold {
                        format!(r#" font-size="{}" font-weight="600""#, number(line.size))
                    } else {
                        String::new()
                    },
                    escape(&line.text)
                ),
            );
        }
        svg.push_str("</g>");
    }
}

/// Draws all edges as one path, and all arrow heads as another, so that crossings do not get
/// darker.
fn lines(
    svg: &mut String,
    nodes: &[Node],
    edges: &[(usize, usize)],
    places: &Layout,
    direction: Direction,
) {
    if edges.is_empty() {
        return;
    }
    let (mut curves, mut heads) = (String::new(), String::new());
    for (&(from, to), bends) in edges.iter().zip(&places.bends) {
        let ends = (
            (nodes[from].shape, places.centres[from]),
            (nodes[to].shape, places.centres[to]),
        );
        edge(&mut curves, &mut heads, ends, bends, direction);
    }
    put(
        svg,
        format_args!(
            r#"<path d="{curves}" fill="none" stroke="currentColor" stroke-opacity=".55"/><path d="{heads}" fill="currentColor" fill-opacity=".7"/>"#
        ),
    );
}

/// Draws a line from border to border, and its head. `along` is the direction of the graph,
/// `across` the axis perpendicular to it.
fn edge(
    curves: &mut String,
    heads: &mut String,
    (from, to): ((Shape, Point), (Shape, Point)),
    bends: &[(Point, Point)],
    direction: Direction,
) {
    // (across, along), with `along` growing in the graph's direction.
    let turned = |(x, y): Point| match direction {
        Direction::BottomToTop => (x, -y),
        Direction::TopToBottom => (x, y),
        Direction::LeftToRight => (y, x),
    };
    let back = |(across, along): Point| match direction {
        Direction::BottomToTop => (across, -along),
        Direction::TopToBottom => (across, along),
        Direction::LeftToRight => (along, across),
    };
    let write = |point: Point| {
        let (x, y) = back(point);
        format!("{} {}", number(x), number(y))
    };
    let (start, end) = (turned(from.1), turned(to.1));
    let forward = if end.1 >= start.1 { 1.0 } else { -1.0 };
    // Returns a point on a node's border towards another point, and the direction in which the line
    // leaves or enters there.
    let port = |shape: Shape, centre: Point, other: Point, side: f64| -> (Point, Point) {
        let (aside, ahead) = (other.0 - centre.0, ((other.1 - centre.1) * side).max(1.0));
        match shape {
            Shape::Circle { radius, .. } => {
                let angle = aside.atan2(ahead).clamp(-0.95, 0.95);
                let way = (angle.sin(), angle.cos() * side);
                ((centre.0 + radius * way.0, centre.1 + radius * way.1), way)
            }
            Shape::Square { size, .. } | Shape::Block { size, .. } => {
                let (broad, deep) = if direction == Direction::LeftToRight {
                    (size.1, size.0)
                } else {
                    size
                };
                let limit = (broad / 2.0 - 5.0).max(0.0);
                let at = centre.0 + (aside * 0.12).clamp(-limit, limit);
                let angle = aside.atan2(ahead).clamp(-0.6, 0.6);
                (
                    (at, centre.1 + side * deep / 2.0),
                    (angle.sin(), angle.cos() * side),
                )
            }
        }
    };
    let bends: Vec<(Point, Point)> = bends
        .iter()
        .map(|bend| (turned(bend.0), turned(bend.1)))
        .collect();
    let first = bends.first().map_or(end, |bend| bend.0);
    let last = bends.last().map_or(start, |bend| bend.1);
    let (begin, leaving) = port(from.0, start, first, forward);
    let (tip, outwards) = port(to.0, end, last, -forward);
    let entering = (-outwards.0, -outwards.1);

    const HEAD: f64 = 6.0;
    let neck = (tip.0 - entering.0 * HEAD, tip.1 - entering.1 * HEAD);
    curves.push('M');
    curves.push_str(&write(begin));
    let (mut at, mut way) = (begin, leaving);
    let straight = (0.0, forward);
    let mut curve_to = |at: &mut Point, way: &mut Point, target: Point, arriving: Point| {
        let reach = (target.1 - at.1).abs().max(6.0) * 0.45;
        let controls = [
            (at.0 + way.0 * reach, at.1 + way.1 * reach),
            (target.0 - arriving.0 * reach, target.1 - arriving.1 * reach),
        ];
        put(
            curves,
            format_args!(
                "C{} {} {}",
                write(controls[0]),
                write(controls[1]),
                write(target)
            ),
        );
        (*at, *way) = (target, arriving);
    };
    for (begin, end) in &bends {
        curve_to(&mut at, &mut way, *begin, straight);
        curve_to(&mut at, &mut way, *end, straight);
    }
    curve_to(&mut at, &mut way, neck, entering);
    let aside = (-entering.1 * HEAD * 0.42, entering.0 * HEAD * 0.42);
    put(
        heads,
        format_args!(
            "M{}L{}L{}Z",
            write(tip),
            write((neck.0 + aside.0, neck.1 + aside.1)),
            write((neck.0 - aside.0, neck.1 - aside.1)),
        ),
    );
}

#[cfg(test)]
mod tests;
