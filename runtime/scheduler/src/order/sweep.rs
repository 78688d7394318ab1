//! A sweep over the graph from one end to the other.

use crate::{TaskId, Topology};

/// How often a sweep is repeated from the end of the previous one, so that it
/// begins at an end.
const SWEEPS: usize = 3;

/// Returns all tasks breadth-first, over inputs and consumers alike, beginning far
/// out. In a grid, this visits the tasks wave by wave along the longer side
/// (Cuthill and McKee's order of a sparse matrix).
pub(super) fn sweep(graph: &Topology) -> Vec<TaskId> {
    let mut seen = vec![false; graph.len()];
    let mut order: Vec<TaskId> = Vec::with_capacity(graph.len());
    for mut start in graph.tasks() {
        if seen[start.at()] {
            continue;
        }
        let from = order.len();
        for _ in 0..SWEEPS {
            for task in order.drain(from..) {
                seen[task.at()] = false;
            }
            visit(graph, start, &mut seen, &mut order);
            start = *order.last().expect("invariant: the start was visited");
        }
    }
    order
}

/// Adds all tasks that are connected with `start`.
fn visit(graph: &Topology, start: TaskId, seen: &mut [bool], order: &mut Vec<TaskId>) {
    let mut next = order.len();
    seen[start.at()] = true;
    order.push(start);
    while let Some(&task) = order.get(next) {
        next += 1;
        for &neighbour in graph.inputs(task).iter().chain(graph.dependents(task)) {
            if !seen[neighbour.at()] {
                seen[neighbour.at()] = true;
                order.push(neighbour);
            }
        }
    }
}
