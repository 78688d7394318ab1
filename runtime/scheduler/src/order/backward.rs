//! A simulated run from the last task to the first, in which tasks that only
//! add bytes come as late as possible.

use crate::{TaskId, Topology};

/// Returns `sequence` with tasks moved to just before their first consumer. A
/// task is moved if it adds at least the bytes of the inputs that are held only
/// for it.
pub(super) fn sink(graph: &Topology, sequence: &[TaskId]) -> Vec<TaskId> {
    let mut run = Backward::new(graph);
    for &task in sequence.iter().rev() {
        run.run(task);
    }
    run.sequence.reverse();
    run.sequence
}

/// The state of the run backwards. A task may come when all its consumers have
/// come. From then on its value is not held, but its inputs are.
struct Backward<'a> {
    graph: &'a Topology,
    /// How many consumers of a task have yet to come.
    waiting: Vec<u32>,
    held: Vec<bool>,
    /// The bytes of a task's inputs that are not held.
    need: Vec<u64>,
    done: Vec<bool>,
    pending: Vec<TaskId>,
    sequence: Vec<TaskId>,
}

impl<'a> Backward<'a> {
    fn new(graph: &'a Topology) -> Self {
        let mut held = vec![false; graph.len()];
        for &output in graph.outputs() {
            held[output.at()] = true;
        }
        let mut waiting = Vec::with_capacity(graph.len());
        let mut need = Vec::with_capacity(graph.len());
        for task in graph.tasks() {
            waiting.push(graph.dependents(task).len() as u32);
            let inputs = graph.inputs(task).iter();
            let unheld = inputs.filter(|input| !held[input.at()]);
            need.push(unheld.map(|&input| graph.nbytes(input)).sum());
        }
        Self {
            graph,
            waiting,
            held,
            need,
            done: vec![false; graph.len()],
            pending: Vec::new(),
            sequence: Vec::with_capacity(graph.len()),
        }
    }

    /// Adds `task`, and then all tasks that need no more bytes than they have
    /// themselves.
    fn run(&mut self, task: TaskId) {
        let graph = self.graph;
        let mut wanted = !self.done[task.at()];
        self.pending.push(task);
        while let Some(task) = self.pending.pop() {
            let own = match self.held[task.at()] {
                true => graph.nbytes(task),
                false => 0,
            };
            if self.done[task.at()]
                || self.waiting[task.at()] > 0
                || !(wanted || self.need[task.at()] <= own)
            {
                continue;
            }
            wanted = false;
            self.done[task.at()] = true;
            self.sequence.push(task);
            for &input in graph.inputs(task) {
                if !self.held[input.at()] {
                    self.held[input.at()] = true;
                    for &consumer in graph.dependents(input) {
                        self.need[consumer.at()] -= graph.nbytes(input);
                        if self.waiting[consumer.at()] == 0 {
                            self.pending.push(consumer);
                        }
                    }
                }
                self.waiting[input.at()] -= 1;
                if self.waiting[input.at()] == 0 {
                    self.pending.push(input);
                }
            }
        }
    }
}
