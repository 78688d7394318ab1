//! Measures how long ordering takes on graphs of a million tasks.

use std::hint::black_box;
use std::time::{Duration, Instant};

use swath_scheduler::{Adjacency, TaskId, Topology, order, simulate};

/// Prints the nanoseconds per task for each shape.
pub(crate) fn run() {
    println!(
        "{:<24}{:>12}{:>12}{:>10}{:>14}",
        "graph", "tasks", "inputs", "ns/task", "peak (values)"
    );
    for tasks in [1_000, 30_000, 1_000_000, 10_000_000] {
        for (name, graph) in shapes(tasks) {
            let mut best = Duration::MAX;
            for _ in 0..if tasks < 1_000_000 { 20 } else { 2 } {
                let started = Instant::now();
                black_box(order(&graph));
                best = best.min(started.elapsed());
            }
            let inputs: usize = graph.tasks().map(|task| graph.inputs(task).len()).sum();
            let peak = simulate(&graph, &order(&graph)).into_iter().max();
            println!(
                "{name:<24}{:>12}{inputs:>12}{:>10.0}{:>14}",
                graph.len(),
                best.as_nanos() as f64 / graph.len() as f64,
                peak.unwrap_or(0),
            );
        }
    }
}

fn shapes(tasks: u32) -> Vec<(&'static str, Topology)> {
    let side = f64::from(tasks).sqrt() as u32;
    vec![
        ("independent", from_inputs(tasks, |_| Vec::new())),
        (
            "chain",
            from_inputs(tasks, |id| id.checked_sub(1).into_iter().collect()),
        ),
        (
            "chains of 10",
            from_inputs(tasks, |id| match id % 10 {
                0 => Vec::new(),
                _ => vec![id - 1],
            }),
        ),
        ("binary tree", {
            let leaves = tasks / 2;
            from_inputs(2 * leaves - 1, |id| match id.checked_sub(leaves) {
                None => Vec::new(),
                Some(at) => vec![2 * at, 2 * at + 1],
            })
        }),
        (
            "fan-in",
            from_inputs(tasks, |id| match id == tasks - 1 {
                true => (0..id).collect(),
                false => Vec::new(),
            }),
        ),
        (
            "fan-out",
            from_inputs(tasks, |id| if id == 0 { vec![] } else { vec![0] }),
        ),
        ("random layers", {
            let mut random = 1u64;
            from_inputs(side * side, |id| {
                let layer = id / side;
                let inputs = if layer == 0 { 0 } else { 3 };
                (0..inputs)
                    .map(|_| (layer - 1) * side + (next(&mut random) % u64::from(side)) as u32)
                    .collect()
            })
        }),
        ("random near", {
            let mut random = 1u64;
            from_inputs(tasks, |id| {
                (0..3)
                    .map(|_| (next(&mut random) % 1000) as u32 + 1)
                    .filter(|&back| back <= id)
                    .map(|back| id - back)
                    .collect()
            })
        }),
        ("stencil", {
            // Each cell of a layer uses the same cell and its neighbours in the
            // previous layer.
            let layers = 4;
            let cells = tasks / layers;
            from_inputs(cells * layers, |id| match id.checked_sub(cells) {
                None => Vec::new(),
                Some(own) => {
                    let cell = own % cells;
                    [
                        cell.checked_sub(1).map(|_| own - 1),
                        Some(own),
                        (cell + 1 < cells).then_some(own + 1),
                    ]
                    .into_iter()
                    .flatten()
                    .collect()
                }
            })
        }),
        ("shuffle", {
            // Each of `parts` results uses a piece of each of `parts` values.
            let parts = side / 2 * 2;
            from_inputs(2 * parts + parts * parts, |id| {
                match (id.checked_sub(parts), id.checked_sub(parts + parts * parts)) {
                    (None, _) => Vec::new(),
                    (Some(piece), None) => vec![piece / parts],
                    (_, Some(part)) => (0..parts).map(|from| parts + from * parts + part).collect(),
                }
            })
        }),
        ("x minus mean", {
            // A tree of sums; every chunk uses its last sum.
            let leaves = tasks / 3;
            from_inputs(3 * leaves - 1, |id| {
                match (id.checked_sub(leaves), id.checked_sub(2 * leaves - 1)) {
                    (None, _) => Vec::new(),
                    (Some(at), None) => vec![2 * at, 2 * at + 1],
                    (_, Some(chunk)) => vec![chunk, 2 * leaves - 2],
                }
            })
        }),
    ]
}

/// Returns the graph whose outputs are the tasks without consumers.
fn from_inputs(tasks: u32, mut inputs: impl FnMut(u32) -> Vec<u32>) -> Topology {
    let mut lists = Adjacency::with_capacity(tasks as usize, tasks as usize);
    let mut taken = vec![false; tasks as usize];
    for id in 0..tasks {
        let inputs = inputs(id);
        for &input in &inputs {
            taken[input as usize] = true;
        }
        lists.push(inputs.into_iter().map(TaskId));
    }
    let outputs = (0..tasks).filter(|&id| !taken[id as usize]).map(TaskId);
    Topology::new(lists, outputs.collect(), Vec::new())
}

/// Returns the next number of a fixed pseudo-random sequence (xorshift).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
