//! A search through the sets of tasks that can be done, for small graphs.

use std::collections::HashSet;

use crate::{TaskId, Topology};

/// The most tasks of a graph that is searched: as many as a set has bits.
pub(super) const TASKS: usize = Set::BITS as usize;

/// How many tasks are looked at in all: less than a millisecond's worth.
pub(super) const STEPS: usize = 50_000;

/// A set of tasks, a bit each.
type Set = u128;

/// A sequence whose peak is below `peak`, if there is one and it is found in
/// `steps`, of which the used are taken away.
///
/// Depth-first: what is free runs at once, for that makes nothing worse, and of
/// the rest what grows least is tried first, then what is first in `like`. What
/// is done decides what is held, so no set is looked at twice.
pub(super) fn below(
    graph: &Topology,
    peak: u64,
    like: &[TaskId],
    steps: &mut usize,
) -> Option<Vec<TaskId>> {
    let sets = Sets::new(graph);
    let mut rank = [0u8; TASKS];
    for (&task, at) in like.iter().zip(0..) {
        rank[task.at()] = at;
    }
    let mut seen: HashSet<Set> = HashSet::new();
    let mut now = Tried {
        done: 0,
        held: 0,
        ran: 0,
    };
    let mut sequence: Vec<TaskId> = Vec::with_capacity(graph.len());
    // The next to try is last.
    let mut untried: Vec<(Tried, TaskId)> = Vec::new();
    let mut ready: Vec<(u64, u8, TaskId)> = Vec::new();
    loop {
        ready.clear();
        let mut free = None;
        *steps = steps.checked_sub(graph.len())?;
        for task in graph.tasks() {
            let inputs = sets.inputs[task.at()];
            let own = graph.nbytes(task);
            let can_run = now.done & bit(task) == 0 && now.done & inputs == inputs;
            if !can_run || now.held + own >= peak {
                continue;
            }
            match own.checked_sub(sets.release(now.done, task)) {
                None | Some(0) => {
                    free = Some(task);
                    break;
                }
                Some(growth) => ready.push((growth, rank[task.at()], task)),
            }
        }
        let next = match free {
            Some(task) => task,
            None if sequence.len() == graph.len() => return Some(sequence),
            None => {
                if seen.insert(now.done) {
                    ready.sort_unstable_by(|a, b| b.cmp(a));
                    untried.extend(ready.iter().map(|&(_, _, task)| (now, task)));
                }
                let (before, task) = untried.pop()?;
                now = before;
                sequence.truncate(now.ran);
                task
            }
        };
        now.held += graph.nbytes(next);
        now.held -= sets.release(now.done, next);
        now.done |= bit(next);
        now.ran += 1;
        sequence.push(next);
    }
}

/// Where the search is, or goes back to.
#[derive(Clone, Copy)]
struct Tried {
    done: Set,
    held: u64,
    /// The number of tasks done.
    ran: usize,
}

/// What tasks take and are taken by.
struct Sets<'a> {
    graph: &'a Topology,
    inputs: Vec<Set>,
    dependents: Vec<Set>,
    outputs: Set,
}

fn bit(task: TaskId) -> Set {
    1 << task.0
}

impl<'a> Sets<'a> {
    fn new(graph: &'a Topology) -> Self {
        let set = |tasks: &[TaskId]| tasks.iter().fold(0, |set, &task| set | bit(task));
        Self {
            graph,
            inputs: graph.tasks().map(|task| set(graph.inputs(task))).collect(),
            dependents: graph
                .tasks()
                .map(|task| set(graph.dependents(task)))
                .collect(),
            outputs: set(graph.outputs()),
        }
    }

    /// The bytes that `task` lets go of if it runs after `done`.
    fn release(&self, done: Set, task: TaskId) -> u64 {
        let mut bytes = 0;
        for &input in self.graph.inputs(task) {
            let last = self.dependents[input.at()] & !done == bit(task);
            if last && self.outputs & bit(input) == 0 {
                bytes += self.graph.nbytes(input);
            }
        }
        if (self.dependents[task.at()] | self.outputs & bit(task)) == 0 {
            bytes += self.graph.nbytes(task);
        }
        bytes
    }
}
