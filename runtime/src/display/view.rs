//! Shows the structure of lazy collections: what is known before anything runs.
//!
//! Collections fill in a plain struct and do not deal with its appearance.

use super::table::{facts, structure};
use super::text::{bytes, counted, escape, grouped, number, tuple};
use super::{Bundle, Show, palette, style};
use crate::error::Result;
use crate::graph::Layer;
use maud::{PreEscaped, html};
use std::fmt::Write;
use std::sync::Arc;

/// A chunked array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrayView {
    /// The length of each axis, if known.
    pub shape: Vec<Option<usize>>,
    /// For each axis, the lengths of its chunks, or their upper bounds.
    pub chunks: Vec<Vec<usize>>,
    /// The type of the elements: `f64`.
    pub dtype: String,
    /// The bytes of all elements, if known.
    pub nbytes: Option<usize>,
    /// The number of tasks that compute the array.
    pub tasks: usize,
    /// The number of layers of the graph.
    pub layers: usize,
}

/// A partitioned data frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameView {
    /// The name of the type: `DataFrame`, `Series`.
    pub name: String,
    /// The names and dtypes of the columns.
    pub schema: Vec<(String, String)>,
    /// The number of partitions.
    pub npartitions: usize,
    /// The number of tasks that compute the frame.
    pub tasks: usize,
    /// The number of layers of the graph.
    pub layers: usize,
}

/// A single number that is not computed yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScalarView {
    /// The operation that computes it: `mean`.
    pub name: String,
    /// The type of the number: `f64`.
    pub dtype: String,
    /// The number of tasks that compute it.
    pub tasks: usize,
    /// The number of layers of the graph.
    pub layers: usize,
}

/// The result of a delayed function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DelayedView {
    /// The type of the result: `Vec<f64>`.
    pub type_name: String,
    /// The key of the task.
    pub key: String,
    /// The number of tasks that compute it.
    pub tasks: usize,
}

/// A cluster, or its client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterView {
    /// The name of the type: `LocalCluster`, `Client`.
    pub name: String,
    /// The location: `this process`, or an address.
    pub place: String,
    /// The number of tasks that can run at the same time.
    pub threads: usize,
    /// The machine's memory, or the limit of the cluster; 0 if unknown.
    pub memory_total_bytes: usize,
    /// How much of that memory is used.
    pub memory_used_bytes: usize,
    /// The number of running tasks.
    pub running: usize,
    /// The number of finished tasks.
    pub done: usize,
    /// The number of failed tasks.
    pub failed: usize,
    /// Additional facts, shown below the others.
    pub more: Vec<(String, String)>,
}

impl ArrayView {
    /// Returns the length of the largest chunk along each axis, if known.
    fn chunk(&self) -> Vec<Option<usize>> {
        let largest = |sizes: &Vec<usize>| sizes.iter().copied().max().unwrap_or(0);
        let axes = self.shape.iter().zip(&self.chunks);
        axes.map(|(length, sizes)| length.map(|_| largest(sizes)))
            .collect()
    }

    fn chunk_count(&self) -> usize {
        self.chunks.iter().map(Vec::len).product()
    }

    fn chunk_bytes(&self) -> Option<usize> {
        let elements: usize = self.shape.iter().copied().product::<Option<usize>>()?;
        let item = self.nbytes?.checked_div(elements).unwrap_or(0);
        Some(self.chunk().into_iter().product::<Option<usize>>()? * item)
    }

    fn text(&self) -> String {
        format!(
            "Array of {}, shape {}, {} ({}{}), {} in {}",
            self.dtype,
            lengths(&self.shape),
            size(self.nbytes),
            counted(self.chunk_count(), "chunk"),
            if self.chunk_count() > 1 {
                format!(" of {}", lengths(&self.chunk()))
            } else {
                String::new()
            },
            counted(self.tasks, "task"),
            counted(self.layers, "layer"),
        )
    }
}

/// Stands for values that are unknown before computing.
const UNKNOWN: &str = "?";

fn lengths(lengths: &[Option<usize>]) -> String {
    let texts = lengths.iter();
    let texts = texts.map(|length| length.map_or(UNKNOWN.to_owned(), |length| length.to_string()));
    tuple(&texts.collect::<Vec<_>>())
}

fn size(nbytes: Option<usize>) -> String {
    nbytes.map_or(UNKNOWN.to_owned(), bytes)
}

impl Show for ArrayView {
    fn show(&self) -> Result<Bundle> {
        let page = html! {
            div.swath-side {
                table.swath-table.swath-plain {
                    thead { tr { th {} th.swath-right { "Array" } th.swath-right { "Chunk" } } }
                    tbody {
                        tr { th { "Bytes" } td.swath-right { (size(self.nbytes)) } td.swath-right { (size(self.chunk_bytes())) } }
                        tr { th { "Shape" } td.swath-right { (lengths(&self.shape)) } td.swath-right { (lengths(&self.chunk())) } }
                        tr { th { "Count" } td.swath-right { (counted(self.tasks, "task")) } td.swath-right { (counted(self.chunk_count(), "chunk")) } }
                        tr { th { "Type" } td.swath-right { (self.dtype) } td.swath-right { (counted(self.layers, "layer")) } }
                    }
                }
                (PreEscaped(drawing(&self.shape, &self.chunks)))
            }
        };
        Ok(Bundle::text(self.text()).with("text/html", style::page(&page)))
    }
}

impl Show for FrameView {
    fn show(&self) -> Result<Bundle> {
        let note = format!(
            "{} in {}, {} in {}; nothing is computed yet",
            counted(self.schema.len(), "column"),
            counted(self.npartitions, "partition"),
            counted(self.tasks, "task"),
            counted(self.layers, "layer"),
        );
        let columns: Vec<String> = self
            .schema
            .iter()
            .map(|(name, dtype)| format!("  {name}: {dtype}"))
            .collect();
        let page = html! {
            p.swath-head { b { (self.name) } " structure" }
            (structure(&self.schema))
            p.swath-note { (note) }
        };
        Ok(Bundle::text(format!(
            "{} structure\n{}\n{note}",
            self.name,
            columns.join("\n")
        ))
        .with("text/html", style::page(&page)))
    }
}

impl ScalarView {
    /// Describes the layer of a single number.
    pub(crate) fn of(layer: &Arc<Layer>, label: Option<&str>, dtype: String) -> Self {
        let (tasks, layers) = layer.extent();
        Self {
            name: label.unwrap_or(layer.operation_name(0)).to_owned(),
            dtype,
            tasks,
            layers,
        }
    }
}

impl Show for ScalarView {
    fn show(&self) -> Result<Bundle> {
        let note = format!(
            "{} in {}; nothing is computed yet",
            counted(self.tasks, "task"),
            counted(self.layers, "layer"),
        );
        let page = html! {
            p.swath-head { b { (self.name) } " · one " (self.dtype) }
            p.swath-note { (note) }
        };
        Ok(
            Bundle::text(format!("{}: one {}, {note}", self.name, self.dtype))
                .with("text/html", style::page(&page)),
        )
    }
}

impl Show for DelayedView {
    fn show(&self) -> Result<Bundle> {
        let note = format!("{}; nothing is computed yet", counted(self.tasks, "task"));
        let page = html! {
            p.swath-head { b { "Delayed" } " · " (self.type_name) " · " code { (self.key) } }
            p.swath-note { (note) }
        };
        Ok(
            Bundle::text(format!("Delayed {}: {}, {note}", self.type_name, self.key))
                .with("text/html", style::page(&page)),
        )
    }
}

impl Show for ClusterView {
    fn show(&self) -> Result<Bundle> {
        let mut known = vec![("Threads", grouped(self.threads))];
        if !self.place.is_empty() {
            known.insert(0, ("Runs on", self.place.clone()));
        }
        if self.memory_total_bytes > 0 {
            known.push((
                "Memory",
                format!(
                    "{} of {} used",
                    bytes(self.memory_used_bytes),
                    bytes(self.memory_total_bytes)
                ),
            ));
        }
        known.push((
            "Tasks",
            format!(
                "{} running, {} done, {} failed",
                grouped(self.running),
                grouped(self.done),
                grouped(self.failed)
            ),
        ));
        known.extend(
            self.more
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone())),
        );
        let lines: Vec<String> = known
            .iter()
            .map(|(name, value)| format!("  {name}: {value}"))
            .collect();
        let page = html! {
            p.swath-head { b { (self.name) } }
            (facts(&known))
        };
        Ok(Bundle::text(format!("{}\n{}", self.name, lines.join("\n")))
            .with("text/html", style::page(&page)))
    }
}

// ---- the drawing of chunks ----

/// The longest side of one block of the drawing, and the shortest that is visible.
const SIDES: (f64, f64) = (132.0, 24.0);
/// Lines closer than this would merge visually.
const CLOSEST: f64 = 3.5;
/// Above this number of chunks along an axis, they are not drawn individually.
const LINES: usize = 24;
/// The slope of a block's third axis: how far it goes sideways, and how steeply.
const SLANT: (f64, f64) = (0.62, 0.42);

/// An axis of the drawing.
struct Side {
    length: f64,
    /// The positions where chunks end, including the two borders.
    ends: Vec<f64>,
    /// Whether there are too many chunks to draw them individually.
    dense: bool,
    label: String,
}

/// Draws an array's shape and chunks as SVG: one axis as a bar, two as a grid,
/// three as a box. With more axes, the first ones become boxes side by side.
fn drawing(shape: &[Option<usize>], chunks: &[Vec<usize>]) -> String {
    if shape.is_empty() || shape.len() != chunks.len() {
        return String::new();
    }
    let at_most = |chunks: &Vec<usize>| chunks.iter().sum::<usize>();
    let longest = chunks.iter().map(at_most).max().unwrap_or(1).max(1) as f64;
    let sides: Vec<Side> = shape
        .iter()
        .zip(chunks)
        .map(|(&size, chunks)| side(size, chunks, longest))
        .collect();
    let mut body = String::new();
    let mut right = 0.0f64;
    let mut bottom = 0.0f64;
    let groups = groups(sides.len());
    // Blocks are centred on one line.
    let high = |axes: &[usize]| match axes {
        [.., high, _] => sides[*high].length,
        _ => SIDES.1,
    };
    let highest = groups.iter().map(|axes| high(axes)).fold(0.0, f64::max);
    for (number, axes) in groups.iter().enumerate() {
        if number > 0 {
            let _ = write!(
                body,
                r#"<text x="{}" y="{}" text-anchor="middle" font-size="16" fill="currentColor">×</text>"#,
                super::text::number(right + 12.0),
                super::text::number(highest / 2.0 + 11.0),
            );
            right += 26.0;
        }
        let top = (highest - high(axes)) / 2.0;
        let axes: Vec<&Side> = axes.iter().map(|&axis| &sides[axis]).collect();
        let (width, height) = block(&mut body, &axes, (right, top));
        right += width;
        bottom = bottom.max(height);
    }
    let summary = format!("{} in chunks", lengths(shape));
    super::svg_document("chunks", (right, bottom), &summary, &body)
}

/// Groups the axes into blocks: up to three axes in one block, more in pairs from the end.
fn groups(ndim: usize) -> Vec<Vec<usize>> {
    let last = if ndim <= 3 { ndim } else { 2 };
    let mut groups = vec![(ndim - last..ndim).collect::<Vec<_>>()];
    let mut rest = ndim - last;
    while rest > 0 {
        let count = if rest == 1 { 1 } else { 2 };
        groups.insert(0, (rest - count..rest).collect());
        rest -= count;
    }
    groups
}

fn side(known: Option<usize>, chunks: &[usize], longest: f64) -> Side {
    let size: usize = chunks.iter().sum();
    // Long axes are drawn shorter than to scale, so that short ones are visible.
    let ratio = (size as f64 / longest).clamp(0.0, 1.0);
    let length = (SIDES.0 * ratio.powf(0.6)).max(SIDES.1);
    let dense = chunks.len() > LINES || chunks.len() as f64 * CLOSEST > length;
    let total = size.max(1) as f64;
    let mut ends = vec![0.0];
    let mut end = 0usize;
    for (at, chunk) in chunks.iter().enumerate() {
        end += chunk;
        if !dense && at + 1 < chunks.len() {
            ends.push(end as f64 / total * length);
        }
    }
    if dense {
        let lines = LINES.min((length / CLOSEST) as usize).max(1);
        ends.extend((1..lines).map(|at| at as f64 / lines as f64 * length));
    }
    ends.push(length);
    let label = known.map_or(UNKNOWN.to_owned(), grouped);
    let label = if dense {
        format!("{label} ÷ {}", grouped(chunks.len()))
    } else {
        label
    };
    Side {
        length,
        ends,
        dense,
        label,
    }
}

/// Draws one block with its upper left corner at a position. Returns its width and
/// its lower end.
fn block(svg: &mut String, axes: &[&Side], (left, top): (f64, f64)) -> (f64, f64) {
    const MARGIN: f64 = 6.0;
    const LABEL: f64 = 16.0;
    let unit = Side {
        length: SIDES.1,
        ends: vec![0.0, SIDES.1],
        dense: false,
        label: String::new(),
    };
    let (depth, high, wide) = match axes {
        [wide] => (None, &unit, *wide),
        [high, wide] => (None, *high, *wide),
        [depth, high, wide] => (Some(*depth), *high, *wide),
        _ => return (0.0, 0.0),
    };
    let slant = depth.map_or((0.0, 0.0), |depth| {
        (depth.length * SLANT.0, depth.length * SLANT.1)
    });
    let depth_label = depth.map_or(0.0, |depth| {
        (super::text::width(&depth.label, 11.0) - slant.0 / 2.0 + 4.0).max(0.0)
    });
    let (x, y) = (left + MARGIN + depth_label, top + MARGIN + slant.1);
    // The front, then the visible parts of the top and of the right side.
    face(svg, (x, y), high, wide, ((0.0, 1.0), (1.0, 0.0)), ".45");
    if let Some(depth) = depth {
        let back = (SLANT.0, -SLANT.1);
        face(svg, (x, y), depth, wide, (back, (1.0, 0.0)), ".25");
        face(
            svg,
            (x + wide.length, y),
            high,
            depth,
            ((0.0, 1.0), back),
            ".62",
        );
    }
    let mut label = |x: f64, y: f64, anchor: &str, turned: bool, text: &str| {
        let turn = if turned {
            format!(r#" transform="rotate(-90 {} {})""#, number(x), number(y))
        } else {
            String::new()
        };
        let _ = write!(
            svg,
            r#"<text x="{}" y="{}" text-anchor="{anchor}" fill="currentColor"{turn}>{}</text>"#,
            number(x),
            number(y),
            escape(text)
        );
    };
    let needed = super::text::width(&wide.label, 11.0);
    label(
        x + wide.length / 2.0,
        y + high.length + LABEL - 2.0,
        "middle",
        false,
        &wide.label,
    );
    let right = x + wide.length + slant.0;
    let mut extra = 0.0;
    if !high.label.is_empty() {
        // To the right of the right border, vertical if there is room.
        let turned = super::text::width(&high.label, 11.0) <= high.length;
        let at = y - slant.1 + high.length / 2.0;
        if turned {
            label(right + 14.0, at, "middle", true, &high.label);
            extra = 18.0;
        } else {
            label(right + 5.0, at + 4.0, "start", false, &high.label);
            extra = 8.0 + super::text::width(&high.label, 11.0);
        }
    }
    if let Some(depth) = depth {
        label(
            x + slant.0 / 2.0 - 5.0,
            y - slant.1 / 2.0 - 1.0,
            "end",
            false,
            &depth.label,
        );
    }
    let overhang = ((needed - wide.length) / 2.0 - slant.0 - extra).max(0.0);
    (
        right - left + extra + overhang + MARGIN,
        y + high.length + LABEL + MARGIN,
    )
}

/// Draws one side of a block: a parallelogram and the lines between its chunks.
fn face(
    svg: &mut String,
    (x, y): (f64, f64),
    down: &Side,
    across: &Side,
    (d, a): ((f64, f64), (f64, f64)),
    opacity: &str,
) {
    let at = |down: f64, across: f64| {
        format!(
            "{} {}",
            number(x + d.0 * down + a.0 * across),
            number(y + d.1 * down + a.1 * across)
        )
    };
    let colour = palette::ACCENT;
    let _ = write!(
        svg,
        r#"<path d="M{}L{}L{}L{}Z" fill="{colour}" fill-opacity="{opacity}" stroke="currentColor" stroke-opacity=".8" stroke-linejoin="round"/>"#,
        at(0.0, 0.0),
        at(0.0, across.length),
        at(down.length, across.length),
        at(down.length, 0.0),
    );
    let mut lines = |ends: &[f64], dense: bool, line: &dyn Fn(f64) -> (String, String)| {
        let inner = &ends[1..ends.len() - 1];
        if inner.is_empty() {
            return;
        }
        let path: String = inner
            .iter()
            .map(|&end| {
                let (from, to) = line(end);
                format!("M{from}L{to}")
            })
            .collect();
        let dash = if dense {
            r#" stroke-dasharray="1 2""#
        } else {
            ""
        };
        let _ = write!(
            svg,
            r#"<path d="{path}" fill="none" stroke="currentColor" stroke-opacity=".45" stroke-width=".8"{dash}/>"#
        );
    };
    lines(&down.ends, down.dense, &|end| {
        (at(end, 0.0), at(end, across.length))
    });
    lines(&across.ends, across.dense, &|end| {
        (at(0.0, end), at(down.length, end))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ones() -> ArrayView {
        ArrayView {
            shape: vec![Some(15), Some(15)],
            chunks: vec![vec![5; 3]; 2],
            dtype: "f64".to_owned(),
            nbytes: Some(1800),
            tasks: 9,
            layers: 1,
        }
    }

    #[test]
    fn an_array_as_text() {
        insta::assert_snapshot!(ones().text());
    }

    #[test]
    fn what_is_not_known_is_said() {
        let view = ArrayView {
            shape: vec![None, Some(15)],
            nbytes: None,
            ..ones()
        };
        assert_eq!(
            view.text(),
            "Array of f64, shape (?, 15), ? (9 chunks of (?, 5)), 9 tasks in 1 layer"
        );
    }

    #[test]
    fn the_drawing_of_a_matrix() {
        insta::assert_snapshot!(
            drawing(&[Some(15), Some(15)], &[vec![5; 3], vec![5; 3]]).replace("><", ">\n<")
        );
    }

    #[test]
    fn many_chunks_are_few_lines() {
        let svg = drawing(
            &[Some(1_000_000), Some(1_000_000)],
            &[vec![10; 100_000], vec![10; 100_000]],
        );
        assert!(svg.len() < 6_000, "{}", svg.len());
        assert!(svg.contains("1,000,000 ÷ 100,000"));
    }

    #[test]
    fn a_frame_s_structure() {
        let view = FrameView {
            name: "DataFrame".to_owned(),
            schema: vec![
                ("user_id".to_owned(), "i64".to_owned()),
                ("sex".to_owned(), "str".to_owned()),
            ],
            npartitions: 4,
            tasks: 4,
            layers: 1,
        };
        insta::assert_snapshot!(view.show().unwrap().get("text/plain").unwrap());
    }

    proptest! {
        /// Nothing is drawn outside the picture, for any chunks.
        #[test]
        fn drawings_stay_inside(chunks in prop::collection::vec(prop::collection::vec(0usize..50, 1..40), 0..7)) {
            let shape: Vec<Option<usize>> = chunks.iter().map(|sizes| Some(sizes.iter().sum()).filter(|sum| sum % 5 != 0)).collect();
            let svg = drawing(&shape, &chunks);
            if chunks.is_empty() {
                prop_assert_eq!(svg, "");
                return Ok(());
            }
            let size: Vec<f64> = svg.split("viewBox=\"0 0 ").nth(1).unwrap().split('"').next().unwrap()
                .split(' ').map(|size| size.parse().unwrap()).collect();
            for path in svg.split(" d=\"").skip(1) {
                let path = path.split('"').next().unwrap();
                for point in path.split(['M', 'L', 'Z']).filter(|point| !point.is_empty()) {
                    let (x, y) = point.split_once(' ').unwrap();
                    let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                    prop_assert!((0.0..=size[0]).contains(&x) && (0.0..=size[1]).contains(&y), "{point} in {size:?}");
                }
            }
        }
    }
}
