//! Simulates the memory that an order of tasks holds, without running anything.

use crate::{TaskId, Topology};

/// Returns the bytes that are held while each task of `sequence` runs, including
/// its inputs and its own value.
///
/// The tasks run one after the other, and each value is released after its last
/// use. The requested values are held to the end.
///
/// This is the oracle for tests of orders. Dask's `order.diagnostics` counts the
/// same way, but values instead of bytes.
///
/// ```
/// use swath_scheduler::{Adjacency, TaskId, Topology, simulate};
///
/// // 0 → 2 ← 1
/// let inputs = Adjacency::from_iter([vec![], vec![], vec![TaskId(0), TaskId(1)]]);
/// let graph = Topology::new(inputs, vec![TaskId(2)], vec![10, 20, 1]);
/// assert_eq!(simulate(&graph, &[TaskId(0), TaskId(1), TaskId(2)]), [10, 30, 31]);
/// ```
pub fn simulate(graph: &Topology, sequence: &[TaskId]) -> Vec<u64> {
    held(graph, sequence).collect()
}

/// Returns the most bytes that are held while a task of `sequence` runs: the
/// maximum of [`simulate()`], computed without a list.
pub fn peak(graph: &Topology, sequence: &[TaskId]) -> u64 {
    held(graph, sequence).max().unwrap_or(0)
}

fn held(graph: &Topology, sequence: &[TaskId]) -> impl Iterator<Item = u64> {
    let mut uses = graph.uses();
    let mut held = 0;
    sequence.iter().map(move |&task| {
        held += graph.nbytes(task);
        let most = held;
        for &input in graph.inputs(task) {
            uses[input.at()] -= 1;
            if uses[input.at()] == 0 {
                held -= graph.nbytes(input);
            }
        }
        if uses[task.at()] == 0 {
            held -= graph.nbytes(task);
        }
        most
    })
}
