//! Depth-first order from the outputs.

use std::cmp::Reverse;

use crate::{TaskId, Topology};

/// Returns each task's *load*: the bytes that must be held at once to compute it
/// and everything it needs, if its inputs are computed one after the other and
/// share nothing (the Sethi–Ullman number, weighted by bytes).
pub(super) fn loads(graph: &Topology) -> Vec<u64> {
    let mut loads: Vec<u64> = Vec::with_capacity(graph.len());
    let mut by_excess: Vec<(u64, u64)> = Vec::new();
    for task in graph.tasks() {
        let own = graph.nbytes(task);
        let load = match graph.inputs(task) {
            [] => own,
            &[input] => loads[input.at()].max(graph.nbytes(input) + own),
            inputs => {
                by_excess.clear();
                by_excess.extend(inputs.iter().map(|&input| {
                    let nbytes = graph.nbytes(input);
                    (loads[input.at()] - nbytes, nbytes)
                }));
                by_excess.sort_unstable_by_key(|&(excess, _)| Reverse(excess));
                let mut held = 0;
                let mut most = 0;
                for &(excess, nbytes) in &by_excess {
                    most = most.max(held + nbytes + excess);
                    held += nbytes;
                }
                most.max(held + own)
            }
        };
        loads.push(load);
    }
    loads
}

/// Returns the tasks depth-first, from `outputs` and then from all other tasks
/// without consumers. Inputs with greater excess come first, and equal ones in the
/// order of their numbers.
pub(super) fn depth_first(
    graph: &Topology,
    outputs: &[TaskId],
    excess: impl Fn(TaskId) -> u64,
) -> Vec<TaskId> {
    let mut done = vec![false; graph.len()];
    let mut sequence = Vec::with_capacity(graph.len());
    let mut pending: Vec<TaskId> = Vec::new();
    let rest = graph
        .tasks()
        .filter(|&task| graph.dependents(task).is_empty());
    for output in outputs.iter().copied().chain(rest) {
        pending.push(output);
        while let Some(&task) = pending.last() {
            if done[task.at()] {
                pending.pop();
                continue;
            }
            let known = pending.len();
            pending.extend(graph.inputs(task).iter().filter(|input| !done[input.at()]));
            if pending.len() == known {
                pending.pop();
                done[task.at()] = true;
                sequence.push(task);
            } else {
                // The last one is computed first. For equal excess this is the
                // first input.
                pending[known..].reverse();
                pending[known..].sort_by_key(|&input| excess(input));
            }
        }
    }
    sequence
}
