//! Writes the nodes and edges of a drawing as SVG.

use super::layout::{Direction, Layout, Point, layout};
use crate::display::text::{escape, number, width};
use crate::display::{Svg, svg_document};
use std::fmt::Write;

/// A node of the drawing.
pub(super) struct Node {
    pub(super) shape: Shape,
    pub(super) lines: Vec<Line>,
    pub(super) tooltip: String,
}

pub(super) struct Line {
    pub(super) text: String,
    pub(super) size: f64,
    pub(super) bold: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// A function.
    Circle { radius: f64, colour: &'static str },
    /// A value, and whether it is already available.
    Square { size: Point, there: bool },
    /// All tasks of a layer.
    Block { size: Point, colour: &'static str },
}

impl Shape {
    pub(super) fn size(&self) -> Point {
        match *self {
            Self::Circle { radius, .. } => (2.0 * radius, 2.0 * radius),
            Self::Square { size, .. } | Self::Block { size, .. } => size,
        }
    }
}

pub(super) const FONT: f64 = 11.0;
pub(super) const LINE: f64 = 1.12;

pub(super) fn render(
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
pub(super) fn put(text: &mut String, content: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(content);
}

impl Node {
    pub(super) fn write(&self, svg: &mut String, (x, y): Point) {
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
pub(super) fn lines(
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
pub(super) fn edge(
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
