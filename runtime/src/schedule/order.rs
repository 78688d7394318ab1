//! In which order tasks should run, so that few values are held at a time.
//!
//! Terms: a task's *load* is the number of values that have to be held at once
//! to compute it and all that it needs, if its inputs are computed one after
//! the other (the Sethi–Ullman number, which is exact on trees). Tasks are
//! ordered depth-first from the outputs, an input of greater load before one
//! of smaller load: what is loaded is reduced before more is loaded.

use super::plan::{Plan, TaskId};

/// The tasks' priorities: the place of each in the order.
pub fn order(plan: &Plan) -> Vec<u32> {
    let load = loads(plan);
    let mut priority = vec![u32::MAX; plan.len()];
    let mut next = 0;
    let mut pending: Vec<TaskId> = Vec::new();
    let mut by_load: Vec<TaskId> = Vec::new();
    for &output in plan.outputs() {
        pending.push(output);
        while let Some(&task) = pending.last() {
            if priority[task.at()] != u32::MAX {
                pending.pop();
                continue;
            }
            by_load.clear();
            by_load.extend(
                plan.inputs(task)
                    .iter()
                    .filter(|input| priority[input.at()] == u32::MAX),
            );
            if by_load.is_empty() {
                pending.pop();
                priority[task.at()] = next;
                next += 1;
            } else {
                // The last pushed is computed first.
                by_load.sort_by_key(|input| (load[input.at()], std::cmp::Reverse(input.0)));
                by_load.dedup();
                pending.extend_from_slice(&by_load);
            }
        }
    }
    priority
}

fn loads(plan: &Plan) -> Vec<u32> {
    let mut load: Vec<u32> = vec![1; plan.len()];
    let mut of_inputs: Vec<u32> = Vec::new();
    for task in plan.tasks() {
        of_inputs.clear();
        of_inputs.extend(plan.inputs(task).iter().map(|input| load[input.at()]));
        of_inputs.sort_unstable_by(|a, b| b.cmp(a));
        // While the n-th input is computed, the n − 1 before it are held.
        let held = of_inputs
            .iter()
            .zip(0..)
            .map(|(&load, held)| load + held)
            .max();
        load[task.at()] = held.unwrap_or(1).max(1);
    }
    load
}

/// How many values are held after each task, if the tasks run in this order
/// one after the other: the oracle for tests of orders.
pub fn simulate(plan: &Plan, priority: &[u32]) -> Vec<usize> {
    let mut tasks: Vec<TaskId> = plan.tasks().collect();
    tasks.sort_by_key(|task| priority[task.at()]);
    let mut uses: Vec<usize> = plan
        .tasks()
        .map(|task| plan.dependents(task).len())
        .collect();
    for output in plan.outputs() {
        uses[output.at()] += 1;
    }
    let mut held = 0;
    tasks
        .into_iter()
        .map(|task| {
            held += 1;
            for input in plan.inputs(task) {
                uses[input.at()] -= 1;
                held -= usize::from(uses[input.at()] == 0);
            }
            held
        })
        .collect()
}
