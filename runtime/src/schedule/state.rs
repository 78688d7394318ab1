//! The core of the scheduler: which task is next, what it takes, what its end
//! makes ready. It runs nothing, waits for nothing and knows no thread; the
//! synchronous and the threaded runner drive it.

use super::order::order;
use super::plan::{Plan, TaskId};
use crate::graph::Value;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// The state of a run.
pub struct State {
    plan: Arc<Plan>,
    priority: Vec<u32>,
    /// For each task, how many of its inputs are not there yet.
    missing: Vec<u32>,
    /// For each task, how often its value is still to be taken.
    uses: Vec<u32>,
    /// For each task, how many takes of its value have not ended: at 0 nobody
    /// holds the value any more.
    holders: Vec<u32>,
    values: Vec<Option<Value>>,
    ready: BinaryHeap<Reverse<(u32, TaskId)>>,
    unfinished: usize,
}

/// What the end of a task led to.
#[derive(Default)]
pub struct Transition {
    /// Tasks whose inputs are now all there.
    pub ready: Vec<TaskId>,
    /// Tasks whose values nobody holds any more.
    pub released: Vec<TaskId>,
}

impl State {
    /// A run that has not begun: the tasks without inputs are ready.
    pub fn new(plan: Arc<Plan>) -> Self {
        let priority = order(&plan);
        let missing: Vec<u32> = plan
            .tasks()
            .map(|task| plan.inputs(task).len() as u32)
            .collect();
        let mut uses: Vec<u32> = plan
            .tasks()
            .map(|task| plan.dependents(task).len() as u32)
            .collect();
        for output in plan.outputs() {
            uses[output.at()] += 1;
        }
        let ready = plan
            .tasks()
            .filter(|task| missing[task.at()] == 0)
            .map(|task| Reverse((priority[task.at()], task)))
            .collect();
        let unfinished = plan.len();
        let values = vec![None; unfinished];
        Self {
            plan,
            priority,
            missing,
            holders: uses.clone(),
            uses,
            values,
            ready,
            unfinished,
        }
    }

    /// The plan that is run.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The tasks without inputs, which are ready from the start.
    pub fn roots(&self) -> impl Iterator<Item = TaskId> {
        self.plan
            .tasks()
            .filter(|task| self.plan.inputs(*task).is_empty())
    }

    /// How many tasks could start now.
    pub fn ready_len(&self) -> usize {
        self.ready.len()
    }

    /// Whether every task has ended.
    pub fn is_complete(&self) -> bool {
        self.unfinished == 0
    }

    /// Takes the ready task that comes first in the order, and its inputs. A
    /// value that is taken for the last time is moved out, so that the task may
    /// reuse its memory.
    pub fn start(&mut self) -> Option<(TaskId, Vec<Value>)> {
        let Reverse((_, task)) = self.ready.pop()?;
        let Self {
            plan, uses, values, ..
        } = self;
        let inputs = plan
            .inputs(task)
            .iter()
            .map(|input| {
                let at = input.at();
                uses[at] -= 1;
                let value = if uses[at] == 0 {
                    values[at].take()
                } else {
                    values[at].clone()
                };
                value.expect("invariant: a ready task's inputs are there until their last use")
            })
            .collect();
        Some((task, inputs))
    }

    /// Notes a task's value; writes what follows from it into `transition`.
    pub fn finish(&mut self, task: TaskId, value: Value, transition: &mut Transition) {
        transition.ready.clear();
        transition.released.clear();
        self.unfinished -= 1;
        self.values[task.at()] = Some(value);
        for input in self.plan.inputs(task) {
            let holders = &mut self.holders[input.at()];
            *holders -= 1;
            if *holders == 0 {
                transition.released.push(*input);
            }
        }
        for dependent in self.plan.dependents(task) {
            let missing = &mut self.missing[dependent.at()];
            *missing -= 1;
            if *missing == 0 {
                self.ready
                    .push(Reverse((self.priority[dependent.at()], *dependent)));
                transition.ready.push(*dependent);
            }
        }
    }

    /// Moves the values asked for out, once the run is complete.
    pub fn take_outputs(&mut self) -> Vec<Value> {
        let Self {
            plan, uses, values, ..
        } = self;
        plan.outputs()
            .iter()
            .map(|output| {
                let at = output.at();
                uses[at] -= 1;
                let value = if uses[at] == 0 {
                    values[at].take()
                } else {
                    values[at].clone()
                };
                value.expect("invariant: outputs are held until the end")
            })
            .collect()
    }

    /// Gives up the run: returns the values that were held, to be dropped.
    pub fn abandon(&mut self) -> Vec<Option<Value>> {
        self.ready.clear();
        std::mem::take(&mut self.values)
    }
}
