//! A search over the sets of completed tasks, for small graphs.

use std::collections::HashSet;

use crate::{TaskId, Topology};

/// The most tasks of a graph that is searched: the number of bits of a set.
pub(super) const TASKS: usize = Set::BITS as usize;

/// How many tasks are examined in total: less than a millisecond's worth.
pub(super) const STEPS: usize = 50_000;

/// A set of tasks with one bit for each.
type Set = u128;

/// Returns a sequence whose peak is below `peak`, if one exists and is found in
/// `steps`, from which the used steps are subtracted.
///
/// The search is depth-first. A free task runs at once, because that never
/// makes anything worse. Of the others, the task with the smallest growth is
/// tried first, then the first in `like`. The set of completed tasks determines
/// what is held, so no set is examined twice.
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
    // The next one to try is the last.
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

/// The position of the search, or one to which it returns.
#[derive(Clone, Copy)]
struct Tried {
    done: Set,
    held: u64,
    /// The number of completed tasks.
    ran: usize,
}

/// The inputs and consumers of tasks as sets.
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

    /// Returns the bytes that `task` releases if it runs after `done`.
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
