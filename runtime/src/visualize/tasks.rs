//! Draws a graph with one node per task and one per value.

use super::layout::Direction;
use super::svg::{FONT, LINE, Line, Node, Shape, render};
use crate::display::text::{counted, fit, grouped, shorten_middle, width};
use crate::display::{Svg, palette, text};
use crate::graph::{Layer, Tasks};
use crate::schedule::Plan;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn draw_tasks(plan: &Plan, direction: Direction) -> Svg {
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

pub(super) fn function_node(operation: &str, key: &str, colour: &'static str) -> Node {
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

pub(super) fn value_node(label: &str, operation: &str, key: &str, there: bool) -> Node {
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
pub(super) fn value_label(layer: &Layer, linear: u32, nth: usize) -> String {
    if let Tasks::Listed(tasks) = layer.tasks() {
        return match tasks.key(linear) {
            Some(key) => key.to_string(),
            None => format!("#{nth}"),
        };
    }
    text::tuple(&layer.grid().index(linear))
}

/// Breaks a name into up to three lines, in the smallest circle that holds it.
pub(super) fn fit_circle(name: &str) -> (Vec<String>, f64) {
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
pub(super) fn words(name: &str) -> Vec<String> {
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
pub(super) fn wrap(words: &[String], count: usize) -> Vec<String> {
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
