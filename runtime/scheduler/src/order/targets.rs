//! A simulated run towards outputs that turns aside for nearer targets.

use std::cmp::Reverse;

use super::forward::{Forward, Watch};
use super::heap::Heap;
use crate::{TaskId, Topology};

/// Which targets the run turns aside for, and which come first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub(super) welcome: Welcome,
    pub(super) cost: Cost,
    pub(super) ties: Ties,
}

/// Which tasks with an input that has run are targets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Welcome {
    /// All tasks.
    All,
    /// Tasks that release some input.
    Releasing,
    /// Tasks after which no more is held than before, except for their own value.
    Own,
    /// Tasks after which no more is held than before.
    NoGrowth,
}

/// What makes one target nearer than another: the load of the inputs that have yet
/// to run, and the following terms.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cost {
    /// The load only.
    Load,
    /// The load, plus its own bytes, minus the bytes it releases.
    LoadOwn,
    /// The load, plus its growth: how much more is held after it than before.
    LoadGrowth,
    /// Its growth only, without the load.
    Growth,
}

/// Which of two equally near targets comes first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ties {
    /// The one with the lower rank.
    Rank,
    /// The one that came nearer most recently.
    Latest,
}

/// Returns the order of a run to each of `outputs` in turn, and then to all other
/// tasks without consumers. Of equally good inputs, the one with the lower `rank`
/// runs first.
pub(super) fn by_targets(
    graph: &Topology,
    outputs: &[TaskId],
    loads: &[u64],
    rank: &[u32],
    policy: Policy,
    stop: &dyn Fn() -> bool,
) -> Option<Vec<TaskId>> {
    let mut run = Forward::new(graph);
    let mut targets = Targets::new(graph, loads, rank, policy);
    let rest = graph
        .tasks()
        .filter(|&task| graph.dependents(task).is_empty());
    for output in outputs.iter().copied().chain(rest) {
        if !run.done[output.at()] {
            targets.pursue(&mut run, output, stop)?;
        }
    }
    Some(run.sequence)
}

struct Targets<'a> {
    loads: &'a [u64],
    rank: &'a [u32],
    policy: Policy,
    /// The load of the inputs that have yet to run; for inputs that are ready,
    /// only their bytes.
    load: Vec<u64>,
    /// The bytes of the inputs that have yet to run.
    nbytes: Vec<u64>,
    /// The goals on the way to the output. Each one serves the one before it,
    /// or is nearer.
    goals: Vec<TaskId>,
    is_goal: Vec<bool>,
    nearest: Heap,
    /// Counts down with each task that runs.
    clock: u32,
    /// How many more inputs may be examined before the run goes straight for the
    /// outputs: it returns to goals, on some graphs again and again.
    work: usize,
}

/// The most inputs that are compared again each time one of them has run.
const FEW: usize = 16;

/// The largest amount of work per task and per input.
const WORK: usize = 2;

impl<'a> Targets<'a> {
    fn new(graph: &Topology, loads: &'a [u64], rank: &'a [u32], policy: Policy) -> Self {
        let tasks = graph.len();
        let mut entries = tasks;
        let mut load = Vec::with_capacity(tasks);
        let mut nbytes = Vec::with_capacity(tasks);
        for task in graph.tasks() {
            let inputs = graph.inputs(task).iter();
            entries += inputs.len();
            load.push(inputs.clone().map(|input| loads[input.at()]).sum());
            nbytes.push(inputs.map(|&input| graph.nbytes(input)).sum());
        }
        Self {
            loads,
            rank,
            policy,
            load,
            nbytes,
            goals: Vec::new(),
            is_goal: vec![false; tasks],
            nearest: Heap::new(tasks),
            clock: u32::MAX,
            work: WORK * entries,
        }
    }

    /// Runs an output and what it needs, unless stopped.
    fn pursue(
        &mut self,
        run: &mut Forward<'_>,
        output: TaskId,
        stop: &dyn Fn() -> bool,
    ) -> Option<()> {
        /// How many steps are made between two calls of `stop`.
        const LOOK: usize = 4096;
        let graph = run.graph;
        self.add_goal(output);
        let mut steps: usize = 0;
        while let Some(&goal) = self.goals.last() {
            steps += 1;
            if steps.is_multiple_of(LOOK) && stop() {
                return None;
            }
            if run.done[goal.at()] {
                self.goals.pop();
                continue;
            }
            if self.work > 0
                && let Some(target) = self.nearer_than(goal, run)
            {
                self.add_goal(target);
                continue;
            }
            if run.missing[goal.at()] == 0 {
                self.goals.pop();
                run.run(goal, self);
                continue;
            }
            // As in depth-first order, but `load` describes the remaining work
            // better.
            let known = self.goals.len();
            let missing = graph.inputs(goal).iter();
            self.goals
                .extend(missing.filter(|input| !run.done[input.at()]));
            self.work = self.work.saturating_sub(graph.inputs(goal).len() + 1);
            let last = |input: &TaskId| {
                let excess = self.loads[input.at()] - graph.nbytes(*input);
                let rank = Reverse(self.rank[input.at()]);
                (self.load[input.at()] + excess, rank)
            };
            let next = if graph.inputs(goal).len() <= FEW && self.work > 0 {
                // The others are compared again when this one has run.
                let missing = self.goals.drain(known..);
                missing.max_by_key(last).into_iter().collect()
            } else {
                let mut missing = self.goals.split_off(known);
                missing.sort_by_cached_key(last);
                missing
            };
            for input in next {
                self.add_goal(input);
            }
        }
        Some(())
    }

    fn add_goal(&mut self, task: TaskId) {
        self.is_goal[task.at()] = true;
        self.goals.push(task);
    }

    /// Returns the nearest target that is not a goal yet, if it is nearer than
    /// `goal`.
    fn nearer_than(&mut self, goal: TaskId, run: &Forward<'_>) -> Option<TaskId> {
        loop {
            let target = self.nearest.first()?;
            if self.is_goal[target.at()] {
                self.nearest.remove(target);
            } else if self.nearest.key(target).0 < self.cost(goal, run) {
                self.nearest.remove(target);
                return Some(target);
            } else {
                return None;
            }
        }
    }

    fn cost(&self, task: TaskId, run: &Forward<'_>) -> i64 {
        let load = self.load[task.at()] as i64;
        let release = run.release[task.at()] as i64;
        let own = run.graph.nbytes(task) as i64;
        match self.policy.cost {
            Cost::Load => load,
            Cost::LoadOwn => load + own - release,
            Cost::LoadGrowth => load + self.growth(task, run),
            Cost::Growth => self.growth(task, run),
        }
    }

    /// Returns how much more is held after `task` than now, assuming that its
    /// missing inputs need nothing that stays.
    fn growth(&self, task: TaskId, run: &Forward<'_>) -> i64 {
        let taken = self.nbytes[task.at()] + run.graph.nbytes(task);
        taken as i64 - run.release[task.at()] as i64
    }

    /// Adds `task` to the targets, or removes it.
    fn consider(&mut self, task: TaskId, run: &Forward<'_>) {
        let welcome = match self.policy.welcome {
            Welcome::All => true,
            Welcome::Releasing => run.release[task.at()] > 0,
            Welcome::Own => self.growth(task, run) <= run.graph.nbytes(task) as i64,
            Welcome::NoGrowth => self.growth(task, run) <= 0,
        };
        if welcome {
            let tie = match self.policy.ties {
                Ties::Rank => self.rank[task.at()],
                Ties::Latest => self.clock,
            };
            self.nearest.set(task, (self.cost(task, run), tie));
        } else {
            self.nearest.remove(task);
        }
    }
}

impl Watch for Targets<'_> {
    fn input_ran(&mut self, run: &Forward<'_>, task: TaskId, input: TaskId) {
        // The input was ready, so only its bytes were counted.
        self.load[task.at()] -= run.graph.nbytes(input);
        self.nbytes[task.at()] -= run.graph.nbytes(input);
        self.consider(task, run);
    }

    fn ready(&mut self, run: &Forward<'_>, task: TaskId) {
        let less = self.loads[task.at()] - run.graph.nbytes(task);
        if less > 0 {
            for &consumer in run.graph.dependents(task) {
                self.load[consumer.at()] -= less;
                if self.nearest.has(consumer) {
                    self.consider(consumer, run);
                }
            }
        }
    }

    fn releases_more(&mut self, run: &Forward<'_>, task: TaskId) {
        self.consider(task, run);
    }

    fn ran(&mut self, task: TaskId) {
        self.clock -= 1;
        self.nearest.remove(task);
    }
}
