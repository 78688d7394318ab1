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
    values: Vec<Option<Value>>,
    ready: BinaryHeap<Reverse<(u32, TaskId)>>,
    unfinished: usize,
}

/// What the end of a task led to.
#[derive(Default)]
pub struct Transition {
    /// Tasks whose inputs are now all there.
    pub ready: Vec<TaskId>,
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
    /// reuse its memory; `released` is told of it.
    pub fn start(&mut self, released: &mut Vec<TaskId>) -> Option<(TaskId, Vec<Value>)> {
        let Reverse((_, task)) = self.ready.pop()?;
        let plan = self.plan.clone();
        let inputs = plan
            .inputs(task)
            .iter()
            .map(|input| {
                let at = input.at();
                self.uses[at] -= 1;
                let value = if self.uses[at] == 0 {
                    released.push(*input);
                    self.values[at].take()
                } else {
                    self.values[at].clone()
                };
                value.expect("invariant: a ready task's inputs are there until their last use")
            })
            .collect();
        Some((task, inputs))
    }

    /// Notes a task's value.
    pub fn finish(&mut self, task: TaskId, value: Value) -> Transition {
        self.unfinished -= 1;
        if self.uses[task.at()] > 0 {
            self.values[task.at()] = Some(value);
        }
        let plan = self.plan.clone();
        let mut transition = Transition::default();
        for dependent in plan.dependents(task) {
            let missing = &mut self.missing[dependent.at()];
            *missing -= 1;
            if *missing == 0 {
                self.ready
                    .push(Reverse((self.priority[dependent.at()], *dependent)));
                transition.ready.push(*dependent);
            }
        }
        transition
    }

    /// The values asked for, once the run is complete.
    pub fn outputs(&self) -> Vec<Value> {
        self.plan
            .outputs()
            .iter()
            .map(|output| {
                self.values[output.at()]
                    .clone()
                    .expect("invariant: outputs are held until the end")
            })
            .collect()
    }
}
