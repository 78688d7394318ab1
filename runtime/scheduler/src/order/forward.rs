//! A simulated run from the first task to the last, in which tasks that release
//! bytes run as soon as possible.

use crate::{TaskId, Topology};

/// The growth for values that running their consumers does not release: outputs,
/// and values whose consumers already run. It is more than all tasks together add.
const NEVER_SMALL: u64 = u64::MAX / 2;

/// The state of the simulated run.
pub(super) struct Forward<'a> {
    pub(super) graph: &'a Topology,
    /// How many inputs of each task have yet to run.
    pub(super) missing: Vec<u32>,
    /// The bytes of the inputs that only this task still needs.
    pub(super) release: Vec<u64>,
    pub(super) done: Vec<bool>,
    /// The tasks that have run, in order.
    pub(super) sequence: Vec<TaskId>,
    /// How many uses of a task's value are left: by consumers and as a requested
    /// value.
    remaining: Vec<u32>,
    /// The exclusive or of the consumers that have yet to run. If one is left,
    /// this is its number.
    consumers: Vec<u32>,
    /// How many consumers of a task still miss an input.
    unready: Vec<u32>,
    /// The bytes that the consumers of a task that have yet to run will add.
    growth: Vec<u64>,
    /// The tasks that may run now, the next one last, and whether each runs in any
    /// case.
    pending: Vec<(TaskId, bool)>,
}

/// An observer of what changes for waiting tasks when a task has run.
pub(super) trait Watch {
    /// An input of `task` has run.
    fn input_ran(&mut self, run: &Forward<'_>, task: TaskId, input: TaskId);
    /// All inputs of `task` have run.
    fn ready(&mut self, run: &Forward<'_>, task: TaskId);
    /// `task` releases more than before.
    fn releases_more(&mut self, run: &Forward<'_>, task: TaskId);
    /// `task` has run.
    fn ran(&mut self, task: TaskId);
}

/// Ignores all changes.
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

    /// Runs `task`, which is ready, and then all tasks that release at least as
    /// many bytes as they add: single tasks, and all remaining consumers of a
    /// value together.
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
            // The last pending task runs first, so push the dependents in reverse
            // order.
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
                // For an output, the use that is left may be the request.
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

    /// If the remaining consumers of `task` can all run, and add no more bytes
    /// than its value has, runs them next, which releases the value.
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

/// Returns `sequence` with tasks that release bytes moved to the first place where
/// they can run.
pub(super) fn hoist(graph: &Topology, sequence: &[TaskId]) -> Vec<TaskId> {
    let mut run = Forward::new(graph);
    for &task in sequence {
        if !run.done[task.at()] {
            run.run(task, &mut ());
        }
    }
    run.sequence
}
