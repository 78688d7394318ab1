//! In which order tasks should run, so that few bytes are held at a time.

mod depth_first;

use crate::{TaskId, Topology};

/// A sequence in which the tasks can run, each once and after its inputs.
pub fn order(graph: &Topology) -> Vec<TaskId> {
    let loads = depth_first::loads(graph);
    depth_first::depth_first(graph, graph.outputs(), &loads)
}
