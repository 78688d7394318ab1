//! The core of a run: which task is next, what its inputs are, and what its end
//! makes ready. It runs nothing, waits for nothing and knows no threads. The
//! synchronous and the threaded runner drive it.
//!
//! Tasks are numbered in the order in which they should run, so the ready task
//! with the smallest number goes first. This is depth-first: in a good order, the
//! tasks that a task has just made ready follow soon after it, before the next
//! root.

use crate::{TaskId, Topology};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The state of a run whose tasks have values of type `V`.
#[derive(Debug)]
pub struct State<V> {
    /// For each waiting task, how many of its inputs are not available yet.
    /// Otherwise one of the constants below.
    missing: Vec<u32>,
    /// For each task, how often its value will still be used.
    uses: Vec<u32>,
    /// For each task, how many users of its value have not ended; empty if
    /// releases are not reported.
    holders: Vec<u32>,
    values: Vec<Option<V>>,
    /// Tasks whose inputs are all available.
    ready: BinaryHeap<Reverse<u32>>,
    /// The next task without inputs; those before it have been started.
    next_root: u32,
    /// How many tasks without inputs have not been started.
    roots: usize,
    unfinished: usize,
}

/// The consequences of a task's end.
#[derive(Debug, Default)]
pub struct Transition {
    /// Tasks whose inputs are now all available.
    pub ready: Vec<TaskId>,
    /// Tasks whose values no task holds any more; only reported if the state was
    /// created to do so.
    pub released: Vec<TaskId>,
    /// Tasks that cannot run any more because one of their inputs failed.
    pub lost: Vec<TaskId>,
}

/// The `missing` of a task that failed or has lost an input.
const LOST: u32 = u32::MAX;
/// The `missing` of a task that was started.
const STARTED: u32 = u32::MAX - 1;
/// The `missing` of a task that has a value.
const FINISHED: u32 = u32::MAX - 2;

impl<V: Clone> State<V> {
    /// Creates the state of a run that has not begun: the tasks without inputs
    /// are ready. `reports_released` makes transitions report released values.
    pub fn new(graph: &Topology, reports_released: bool) -> Self {
        let missing: Vec<u32> = graph
            .tasks()
            .map(|task| graph.inputs(task).len() as u32)
            .collect();
        let uses = graph.uses();
        let roots = missing.iter().filter(|&&missing| missing == 0).count();
        let mut state = Self {
            holders: if reports_released {
                uses.clone()
            } else {
                Vec::new()
            },
            uses,
            values: vec![None; missing.len()],
            ready: BinaryHeap::new(),
            next_root: 0,
            roots,
            unfinished: missing.len(),
            missing,
        };
        state.find_root(graph);
        state
    }

    /// Returns how many tasks could start now.
    pub fn ready_len(&self) -> usize {
        self.ready.len() + self.roots
    }

    /// Returns how many tasks have not ended and can still run.
    pub fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Returns whether every task has ended or cannot run any more.
    pub fn is_complete(&self) -> bool {
        self.unfinished == 0
    }

    /// Returns the first ready task.
    pub fn next(&self) -> Option<TaskId> {
        let root = (self.roots > 0).then_some(self.next_root);
        let ready = self.ready.peek().map(|Reverse(task)| *task);
        match (root, ready) {
            (Some(root), Some(ready)) => Some(root.min(ready)),
            (root, ready) => root.or(ready),
        }
        .map(TaskId)
    }

    /// Returns the first ready task that has inputs.
    pub fn next_with_inputs(&self) -> Option<TaskId> {
        self.ready.peek().map(|Reverse(task)| TaskId(*task))
    }

    /// Starts the task that [`next`](Self::next) or
    /// [`next_with_inputs`](Self::next_with_inputs) has returned, and appends its
    /// inputs to `inputs`.
    ///
    /// The last use of a value moves it out, so that the task may reuse its
    /// memory.
    ///
    /// # Panics
    /// If the task is not the one that was returned.
    pub fn start(&mut self, graph: &Topology, task: TaskId, inputs: &mut Vec<V>) {
        self.missing[task.at()] = STARTED;
        if graph.inputs(task).is_empty() {
            assert_eq!(task.0, self.next_root, "the next root");
            self.roots -= 1;
            self.next_root += 1;
            self.find_root(graph);
            return;
        }
        let first = self.ready.pop();
        assert_eq!(first, Some(Reverse(task.0)), "the next task with inputs");
        inputs.extend(
            graph
                .inputs(task)
                .iter()
                .map(|&input| take(&mut self.uses, &mut self.values, input)),
        );
    }

    /// Records a task's value, and writes the consequences into `transition`.
    pub fn finish(
        &mut self,
        graph: &Topology,
        task: TaskId,
        value: V,
        transition: &mut Transition,
    ) {
        self.unfinished -= 1;
        if self.uses[task.at()] > 0 {
            self.values[task.at()] = Some(value);
        }
        self.missing[task.at()] = FINISHED;
        if self.holders.get(task.at()) == Some(&0) {
            transition.released.push(task);
        }
        self.release(graph, task, transition);
        for &dependent in graph.dependents(task) {
            let missing = &mut self.missing[dependent.at()];
            if *missing == LOST {
                continue;
            }
            *missing -= 1;
            if *missing == 0 {
                self.ready.push(Reverse(dependent.0));
                transition.ready.push(dependent);
            }
        }
    }

    /// Records that a task has failed. Tasks that depend on it cannot run any
    /// more; the others continue.
    pub fn fail(&mut self, graph: &Topology, task: TaskId, transition: &mut Transition) {
        self.unfinished -= 1;
        self.missing[task.at()] = LOST;
        self.release(graph, task, transition);
        let first = transition.lost.len();
        self.lose_dependents(graph, task, transition);
        let mut at = first;
        while let Some(&lost) = transition.lost.get(at) {
            at += 1;
            self.unfinished -= 1;
            // The lost task will not use its inputs.
            for &input in graph.inputs(lost) {
                let uses = &mut self.uses[input.at()];
                *uses -= 1;
                if *uses == 0 {
                    self.values[input.at()] = None;
                }
            }
            self.release(graph, lost, transition);
            self.lose_dependents(graph, lost, transition);
        }
    }

    fn lose_dependents(&mut self, graph: &Topology, task: TaskId, transition: &mut Transition) {
        for &dependent in graph.dependents(task) {
            let missing = &mut self.missing[dependent.at()];
            if *missing != LOST {
                *missing = LOST;
                transition.lost.push(dependent);
            }
        }
    }

    fn release(&mut self, graph: &Topology, task: TaskId, transition: &mut Transition) {
        if self.holders.is_empty() {
            return;
        }
        for &input in graph.inputs(task) {
            let holders = &mut self.holders[input.at()];
            *holders -= 1;
            if *holders == 0 && self.missing[input.at()] == FINISHED {
                transition.released.push(input);
            }
        }
    }

    /// Moves out the requested values, once all tasks have succeeded.
    pub fn take_outputs(&mut self, graph: &Topology) -> Vec<V> {
        let outputs = graph.outputs().iter();
        outputs
            .map(|&output| take(&mut self.uses, &mut self.values, output))
            .collect()
    }

    /// Returns the values that are held now, each with the task that uses it
    /// next, or `None` for a value that is held only as a requested one.
    pub fn held<'a>(
        &'a self,
        graph: &'a Topology,
    ) -> impl Iterator<Item = (TaskId, &'a V, Option<TaskId>)> {
        graph.tasks().filter_map(move |task| {
            // There are no values after the run was abandoned.
            let value = self.values.get(task.at())?.as_ref()?;
            let next = graph
                .dependents(task)
                .iter()
                .copied()
                .filter(|dependent| self.missing[dependent.at()] < FINISHED)
                .min();
            Some((task, value, next))
        })
    }

    /// Returns a mutable reference to a task's value while it is held.
    pub fn value_mut(&mut self, task: TaskId) -> Option<&mut V> {
        self.values.get_mut(task.at())?.as_mut()
    }

    /// Abandons the run, and returns the values that were held, by task.
    pub fn abandon(&mut self) -> Vec<Option<V>> {
        self.ready.clear();
        self.roots = 0;
        std::mem::take(&mut self.values)
    }

    fn find_root(&mut self, graph: &Topology) {
        if self.roots > 0 {
            while !graph.inputs(TaskId(self.next_root)).is_empty() {
                self.next_root += 1;
            }
        }
    }
}

fn take<V: Clone>(uses: &mut [u32], values: &mut [Option<V>], task: TaskId) -> V {
    let at = task.at();
    uses[at] -= 1;
    let value = match uses[at] {
        0 => values[at].take(),
        _ => values[at].clone(),
    };
    value.expect("invariant: a value exists until its last use")
}

impl Transition {
    /// Clears the lists but keeps their capacity.
    pub fn clear(&mut self) {
        self.ready.clear();
        self.released.clear();
        self.lost.clear();
    }
}
