//! A run from the first task to the last, in which what lets go of bytes runs
//! as soon as it can.

use crate::{TaskId, Topology};

/// The growth of values that aren't let go by running what takes them: outputs,
/// and those whose consumers run already. More than all tasks together take up.
const NEVER_SMALL: u64 = u64::MAX / 2;

/// The state of such a run.
pub(super) struct Forward<'a> {
    pub(super) graph: &'a Topology,
    /// How many inputs of a task have yet to run.
    pub(super) missing: Vec<u32>,
    /// The bytes of the inputs of a task that nothing but it still needs.
    pub(super) release: Vec<u64>,
    pub(super) done: Vec<bool>,
    /// What ran, in its order.
    pub(super) sequence: Vec<TaskId>,
    /// How many still need a task's value: its consumers and whoever asked for it.
    remaining: Vec<u32>,
    /// The exclusive or of the consumers that have yet to run: where one is
    /// left, its number.
    consumers: Vec<u32>,
    /// How many consumers of a task still miss an input.
    unready: Vec<u32>,
    /// The bytes that the consumers of a task that have yet to run will take up.
    growth: Vec<u64>,
    /// What may run now, the next one last, and whether it runs in any case.
    pending: Vec<(TaskId, bool)>,
}

/// What changes for tasks that have yet to run when another has.
pub(super) trait Watch {
    /// An input of `task` has run.
    fn input_ran(&mut self, run: &Forward<'_>, task: TaskId, input: TaskId);
    /// All inputs of `task` have run.
    fn ready(&mut self, run: &Forward<'_>, task: TaskId);
    /// `task` lets go of more than before.
    fn releases_more(&mut self, run: &Forward<'_>, task: TaskId);
    /// `task` has run.
    fn ran(&mut self, task: TaskId);
}

/// Whoever wants to know of nothing.
impl Watch for () {
    fn input_ran(&mut self, _: &Forward<'_>, _: TaskId, _: TaskId) {}
    fn ready(&mut self, _: &Forward<'_>, _: TaskId) {}
    fn releases_more(&mut self, _: &Forward<'_>, _: TaskId) {}
    fn ran(&mut self, _: TaskId) {}
}

impl<'a> Forward<'a> {
    pub(super) fn new(graph: &'a Topology) -> Self {
        let tasks = graph.len();
        let mut run = Self {
            graph,
            missing: Vec::with_capacity(tasks),
            release: vec![0; tasks],
            done: vec![false; tasks],
            sequence: Vec::with_capacity(tasks),
            remaining: graph.uses(),
            consumers: vec![0; tasks],
            unready: Vec::with_capacity(tasks),
            growth: vec![0; tasks],
            pending: Vec::new(),
        };
        for &output in graph.outputs() {
            run.growth[output.at()] = NEVER_SMALL;
        }
        for task in graph.tasks() {
            let nbytes = graph.nbytes(task);
            run.missing.push(graph.inputs(task).len() as u32);
            run.unready.push(graph.dependents(task).len() as u32);
            for &input in graph.inputs(task) {
                run.consumers[input.at()] ^= task.0;
                run.growth[input.at()] += nbytes;
            }
        }
        for task in graph.tasks() {
            let nbytes = graph.nbytes(task);
            match (run.remaining[task.at()], graph.dependents(task)) {
                (0, _) => run.release[task.at()] += nbytes,
                (1, &[consumer]) => run.release[consumer.at()] += nbytes,
                _ => {}
            }
        }
        run
    }

    /// Runs `task`, which is ready, and then whatever lets go of at least the
    /// bytes it takes up: single tasks, and all that remain to take a value.
    pub(super) fn run(&mut self, task: TaskId, watch: &mut impl Watch) {
        let graph = self.graph;
        self.pending.push((task, true));
        while let Some((task, wanted)) = self.pending.pop() {
            let own = graph.nbytes(task);
            if self.done[task.at()]
                || self.missing[task.at()] > 0
                || !(wanted || self.release[task.at()] >= own)
            {
                continue;
            }
            self.done[task.at()] = true;
            self.sequence.push(task);
            watch.ran(task);
            // The last that is pending runs first: dependents in their order.
            for &dependent in graph.dependents(task).iter().rev() {
                self.missing[dependent.at()] -= 1;
                watch.input_ran(self, dependent, task);
                if self.missing[dependent.at()] == 0 {
                    watch.ready(self, dependent);
                    self.pending.push((dependent, false));
                    for &input in graph.inputs(dependent) {
                        self.unready[input.at()] -= 1;
                        self.take_all_if_small(input);
                    }
                }
            }
            for &input in graph.inputs(task) {
                self.remaining[input.at()] -= 1;
                self.consumers[input.at()] ^= task.0;
                self.growth[input.at()] -= own;
                let last = TaskId(self.consumers[input.at()]);
                // With an output, the one that is left may be who asked for it.
                if self.remaining[input.at()] == 1 && last.0 > input.0 {
                    self.release[last.at()] += graph.nbytes(input);
                    watch.releases_more(self, last);
                    self.pending.push((last, false));
                } else {
                    self.take_all_if_small(input);
                }
            }
        }
    }

    /// If the tasks that still take the value of `task` can all run, and take up
    /// no more than it, they run next, and it is let go.
    fn take_all_if_small(&mut self, task: TaskId) {
        let graph = self.graph;
        let small = self.unready[task.at()] == 0
            && self.remaining[task.at()] > 1
            && self.growth[task.at()] <= graph.nbytes(task);
        if small {
            self.growth[task.at()] = NEVER_SMALL;
            let left = graph.dependents(task).iter().rev();
            let left = left.filter(|dependent| !self.done[dependent.at()]);
            self.pending
                .extend(left.map(|&dependent| (dependent, true)));
        }
    }
}

/// `sequence` with what lets go of bytes moved to where it first can.
pub(super) fn hoist(graph: &Topology, sequence: &[TaskId]) -> Vec<TaskId> {
    let mut run = Forward::new(graph);
    for &task in sequence {
        if !run.done[task.at()] {
            run.run(task, &mut ());
        }
    }
    run.sequence
}
