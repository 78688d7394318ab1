//! A lower bound of the peak of all orders.

use crate::Topology;

/// Returns bytes that every sequence holds at some time: those of a task and
/// its inputs, or those of all outputs while the last task runs.
pub(super) fn lower_bound(graph: &Topology) -> u64 {
    let mut asked = vec![false; graph.len()];
    let mut outputs = 0;
    for &output in graph.outputs() {
        if !asked[output.at()] {
            asked[output.at()] = true;
            outputs += graph.nbytes(output);
        }
    }
    let mut widest = 0;
    let mut last = u64::MAX;
    for task in graph.tasks() {
        let mut beside = 0;
        let mut inputs = 0;
        for &input in graph.inputs(task) {
            inputs += graph.nbytes(input);
            if !asked[input.at()] {
                beside += graph.nbytes(input);
            }
        }
        let own = graph.nbytes(task);
        widest = widest.max(inputs + own);
        if graph.dependents(task).is_empty() {
            let own = if asked[task.at()] { 0 } else { own };
            last = last.min(beside + own);
        }
    }
    match graph.is_empty() {
        true => 0,
        false => widest.max(outputs + last),
    }
}
