//! The core of a run: which task is next, what it takes, what its end makes
//! ready. It runs nothing, waits for nothing and knows no thread; the
//! synchronous and the threaded runner drive it.
//!
//! Tasks are numbered in the order in which they should run. So the ready task
//! of the smallest number goes first, which is depth-first: what a task has
//! just made ready comes, in a good order, soon after it, and before the next
//! root.

use crate::{TaskId, Topology};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The state of a run whose tasks have values of type `V`.
#[derive(Debug)]
pub struct State<V> {
    /// For each task that waits, how many of its inputs are not there yet; else
    /// what has become of it.
    missing: Vec<u32>,
    /// For each task, how often its value is still to be taken.
    uses: Vec<u32>,
    /// For each task, how many takes of its value have not ended; empty where
    /// nobody asks.
    holders: Vec<u32>,
    values: Vec<Option<V>>,
    /// Tasks with inputs that are all there.
    ready: BinaryHeap<Reverse<u32>>,
    /// Where the next task without inputs is found: those before it were started.
    next_root: u32,
    /// How many tasks without inputs were not started.
    roots: usize,
    unfinished: usize,
}

/// What the end of a task led to.
#[derive(Debug, Default)]
pub struct Transition {
    /// Tasks whose inputs are now all there.
    pub ready: Vec<TaskId>,
    /// Tasks whose values nobody holds any more; told only where the state was
    /// made to.
    pub released: Vec<TaskId>,
    /// Tasks that cannot run any more, since an input of theirs failed.
    pub lost: Vec<TaskId>,
}

/// Stands in `missing` for a task that failed, or that has lost an input.
const LOST: u32 = u32::MAX;
/// Stands in `missing` for a task that was started.
const STARTED: u32 = u32::MAX - 1;
/// Stands in `missing` for a task that has a value.
const FINISHED: u32 = u32::MAX - 2;

impl<V: Clone> State<V> {
    /// A run that has not begun: the tasks without inputs are ready.
    /// `tell_released`: whether transitions say what is released.
    pub fn new(graph: &Topology, tell_released: bool) -> Self {
        let missing: Vec<u32> = graph
            .tasks()
            .map(|task| graph.inputs(task).len() as u32)
            .collect();
        let uses = graph.uses();
        let roots = missing.iter().filter(|&&missing| missing == 0).count();
        let mut state = Self {
            holders: if tell_released {
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

    /// How many tasks could start now.
    pub fn ready_len(&self) -> usize {
        self.ready.len() + self.roots
    }

    /// How many tasks have not ended, and can.
    pub fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Whether every task has ended, or can't run any more.
    pub fn is_complete(&self) -> bool {
        self.unfinished == 0
    }

    /// The ready task that comes first.
    pub fn next(&self) -> Option<TaskId> {
        let root = (self.roots > 0).then_some(self.next_root);
        let ready = self.ready.peek().map(|Reverse(task)| *task);
        match (root, ready) {
            (Some(root), Some(ready)) => Some(root.min(ready)),
            (root, ready) => root.or(ready),
        }
        .map(TaskId)
    }

    /// The ready task that comes first among those that take something.
    pub fn next_with_inputs(&self) -> Option<TaskId> {
        self.ready.peek().map(|Reverse(task)| TaskId(*task))
    }

    /// Takes a task that [`next`](Self::next) or
    /// [`next_with_inputs`](Self::next_with_inputs) has told, and appends its
    /// inputs to `inputs`. A value that is taken for the last time is moved out,
    /// so that the task may reuse its memory.
    ///
    /// # Panics
    /// Where the task is not the one told.
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

    /// Notes a task's value; writes what follows from it into `transition`.
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

    /// Notes that a task has failed: what depends on it can't run any more, the
    /// others go on.
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
            // It will not take its inputs any more.
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

    /// Moves the values asked for out, once all tasks have ended well.
    pub fn take_outputs(&mut self, graph: &Topology) -> Vec<V> {
        let outputs = graph.outputs().iter();
        outputs
            .map(|&output| take(&mut self.uses, &mut self.values, output))
            .collect()
    }

    /// The values that are held now, each with the task that will take it
    /// next; none where only whoever asked for it will.
    pub fn held<'a>(
        &'a self,
        graph: &'a Topology,
    ) -> impl Iterator<Item = (TaskId, &'a V, Option<TaskId>)> {
        graph.tasks().filter_map(move |task| {
            // None of them once the run was given up.
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

    /// The place of a task's value, while it is held.
    pub fn value_mut(&mut self, task: TaskId) -> Option<&mut V> {
        self.values.get_mut(task.at())?.as_mut()
    }

    /// Gives up the run: returns the values that were held, by task.
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
    value.expect("invariant: what has run is there until its last use")
}

impl Transition {
    /// Forgets what was noted, and keeps the room for it.
    pub fn clear(&mut self) {
        self.ready.clear();
        self.released.clear();
        self.lost.clear();
    }
}
