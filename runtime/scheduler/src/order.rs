//! In which order tasks should run, so that few bytes are held at a time.
//!
//! # Terms
//!
//! - *output*: a task whose value is asked for; it is held to the end.
//! - *consumer*: a task that takes another's value.
//! - *peak*: the most bytes that are held while some task runs, its inputs and
//!   its own value among them ([`simulate`](crate::simulate())).
//! - *load*: the bytes that have to be held at once to compute a task and all
//!   that it needs, one input after the other (the Sethi–Ullman number, weighted
//!   by bytes). *Excess* is load less the bytes that stay, those of the value.
//! - *growth*: how much more is held after a task, or a few, than before.
//! - *free*: a task that lets go of at least the bytes it takes up.
//! - *target*: a task that has an input which has run, so that finishing it may
//!   let go of that input. It is the nearer, the less it still needs.
//! - *rank*: what breaks ties. By default a task's number, so that of outputs as
//!   good as each other the first asked for comes first.
//!
//! # Steps
//!
//! The best order is not to be had in general (it is NP-hard), and no simple rule
//! is good for all graphs. But the peak of an order is quickly counted. So there
//! are several rules that each take linear time (but for a heap), and the best
//! of what they propose is taken; of orders as good as each other the first.
//!
//! 1. *Depth-first* from the outputs, inputs of greater excess first. It has the
//!    least peak of all on trees of values of one size, and is good on most other
//!    graphs where few values are shared.
//! 2. *By targets*: towards the outputs too, but it turns aside when a target is
//!    nearer than the goal at hand: where loads are shared by several reductions,
//!    these go on together. Which targets are welcome, what makes them near and
//!    which rank breaks ties is a [`Policy`]; there is a table of some that are
//!    good on different graphs.
//! 3. Each proposal is made better by two passes in turn: *hoist* moves what is
//!    free to where it first can run, *sink* is its mirror image and moves what
//!    only takes up bytes to just before its first consumer.
//! 4. Of a small graph, the sets of tasks that can be done are *searched* for an
//!    order that is better still.
//!
//! It ends as soon as the peak is at the *lower bound*, and the more tasks there
//! are, the fewer policies and passes: ordering must not take longer than running.
//! Small graphs are tried from several ends, the best order so far among them.

mod backward;
mod bound;
mod depth_first;
mod forward;
mod heap;
mod search;
mod sweep;
mod targets;

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::{Adjacency, TaskId, Topology, peak};
use depth_first::{depth_first, loads};
use targets::{Cost, Policy, Ties, Welcome, by_targets};

/// A sequence in which the tasks can run, each once and after its inputs, such
/// that few bytes are held at a time.
///
/// It is the same for the same graph. It takes linear time, but for a factor
/// that is logarithmic on some graphs.
///
/// ```
/// use swath_scheduler::{Adjacency, TaskId, Topology, order, simulate};
///
/// // 0 → 2 → 4 ← 3 ← 1: one branch after the other.
/// let inputs = [vec![], vec![], vec![0], vec![1], vec![2, 3]];
/// let inputs = inputs.map(|inputs| inputs.into_iter().map(TaskId));
/// let graph = Topology::new(Adjacency::from_iter(inputs), vec![TaskId(4)], vec![]);
/// let sequence = order(&graph);
/// assert_eq!(sequence, [0, 2, 1, 3, 4].map(TaskId));
/// assert_eq!(simulate(&graph, &sequence), [1, 2, 2, 3, 3]);
/// ```
pub fn order(graph: &Topology) -> Vec<TaskId> {
    order_unless(graph, 0, &|| false).expect("invariant: nobody stops it")
}

/// As [`order()`], with an end to the effort: an order that holds no more than
/// `enough` bytes is not made better, and nothing is returned soon after `stop`
/// says so.
pub fn order_unless(graph: &Topology, enough: u64, stop: &dyn Fn() -> bool) -> Option<Vec<TaskId>> {
    let graph = &*distinct(graph);
    let loads = loads(graph);
    let mut best = Best::new(graph, enough, stop);
    match best.improve(&loads) {
        Ok(()) | Err(End::Settled) => Some(best.sequence),
        Err(End::Stopped) => None,
    }
}

/// How often an order is hoisted and sunk in turn.
fn passes_for(tasks: usize) -> usize {
    match tasks {
        0..=20_000 => 3,
        20_001..=300_000 => 1,
        _ => 0,
    }
}

/// Whose order comes first where nothing else decides.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// Outputs of greater excess, then those asked for first.
    Excess,
    /// What was asked for last.
    Reversed,
    /// What a sweep over the graph from one end comes to first: neighbours
    /// in a grid one after the other, along its shorter side.
    Sweep,
    /// What such a sweep comes to last.
    SweepBack,
    /// What comes first in the best order so far.
    Best,
}

/// What is tried after depth-first, the most useful first: each does well on
/// graphs where those before it don't. They were chosen out of all combinations,
/// greedily, on the graphs of Dask's tests of its order and some of its arrays.
#[rustfmt::skip]
const POLICIES: [(Start, Policy); 10] = [
    (Start::Excess,   Policy { welcome: Welcome::Releasing, cost: Cost::LoadGrowth, ties: Ties::Rank }),
    (Start::Sweep,    Policy { welcome: Welcome::Own,       cost: Cost::Load,       ties: Ties::Rank }),
    (Start::Excess,   Policy { welcome: Welcome::NoGrowth,  cost: Cost::LoadGrowth, ties: Ties::Latest }),
    (Start::Best,     Policy { welcome: Welcome::All,       cost: Cost::Load,       ties: Ties::Rank }),
    (Start::Reversed, Policy { welcome: Welcome::Releasing, cost: Cost::LoadOwn,    ties: Ties::Latest }),
    (Start::Sweep,    Policy { welcome: Welcome::NoGrowth,  cost: Cost::Load,       ties: Ties::Rank }),
    (Start::Best,     Policy { welcome: Welcome::All,       cost: Cost::Growth,     ties: Ties::Rank }),
    (Start::Excess,   Policy { welcome: Welcome::Own,       cost: Cost::LoadOwn,    ties: Ties::Rank }),
    (Start::Sweep,    Policy { welcome: Welcome::All,       cost: Cost::LoadOwn,    ties: Ties::Latest }),
    (Start::Sweep,    Policy { welcome: Welcome::Releasing, cost: Cost::LoadGrowth, ties: Ties::Latest }),
];

/// How many of the policies are tried. Where there are very many tasks they cost
/// more than most tasks do: only sizes that are known to be large are worth that.
fn policies_for(graph: &Topology) -> usize {
    match graph.len() {
        0..=2_000 => POLICIES.len(),
        2_001..=20_000 => 4,
        20_001..=300_000 => 2,
        300_001..=3_000_000 if graph.knows_sizes() => 1,
        _ => 0,
    }
}

/// From where all policies are tried once more. In a grid whose values differ in
/// size, it matters at which corner an order begins.
fn starts_for(tasks: usize) -> &'static [Start] {
    match tasks {
        0..=300 => &[
            Start::SweepBack,
            Start::Best,
            Start::Sweep,
            Start::Reversed,
            Start::Excess,
            Start::Best,
        ],
        _ => &[],
    }
}

/// Why no more is tried.
enum End {
    /// The best order is found: its peak is at the lower bound, or it is known to
    /// be best for its kind of graph; or one that is good enough.
    Settled,
    /// Somebody said so.
    Stopped,
}

/// The best order so far.
struct Best<'a> {
    graph: &'a Topology,
    sequence: Vec<TaskId>,
    peak: u64,
    /// The lower bound, or what is enough.
    goal: u64,
    stop: &'a dyn Fn() -> bool,
}

impl<'a> Best<'a> {
    fn new(graph: &'a Topology, enough: u64, stop: &'a dyn Fn() -> bool) -> Self {
        Self {
            graph,
            sequence: Vec::new(),
            peak: u64::MAX,
            goal: bound::lower_bound(graph).max(enough),
            stop,
        }
    }

    /// All steps.
    fn improve(&mut self, loads: &[u64]) -> Result<(), End> {
        let graph = self.graph;
        let excess = |task: TaskId| loads[task.at()] - graph.nbytes(task);
        self.offer(&depth_first(graph, graph.outputs(), excess))?;
        let by_excess = by_excess(graph, loads);
        if by_excess != graph.outputs() {
            self.offer(&depth_first(graph, &by_excess, excess))?;
        }
        if is_forest(graph) {
            return Err(End::Settled);
        }
        // Where much is shared, loads may mislead.
        self.offer(&depth_first(graph, graph.outputs(), |_| 0))?;
        self.offer_improved(self.sequence.clone())?;
        for (start, policy) in &POLICIES[..policies_for(graph)] {
            self.by_targets(*start, *policy, loads)?;
        }
        for start in starts_for(graph.len()) {
            for (_, policy) in &POLICIES {
                self.by_targets(*start, *policy, loads)?;
            }
        }
        self.search()
    }

    fn by_targets(&mut self, start: Start, policy: Policy, loads: &[u64]) -> Result<(), End> {
        let graph = self.graph;
        let numbers = 0..graph.len() as u32;
        let (outputs, rank) = match start {
            Start::Excess => (by_excess(graph, loads), numbers.collect()),
            Start::Reversed => {
                let outputs = graph.outputs().iter().rev().copied().collect();
                (outputs, numbers.rev().collect())
            }
            Start::Sweep => by_rank(graph, &sweep::sweep(graph)),
            Start::SweepBack => {
                let mut sweep = sweep::sweep(graph);
                sweep.reverse();
                by_rank(graph, &sweep)
            }
            Start::Best => by_rank(graph, &self.sequence),
        };
        let sequence = by_targets(graph, &outputs, loads, &rank, policy, self.stop);
        let sequence = sequence.ok_or(End::Stopped)?;
        match passes_for(graph.len()) {
            // It is hoisted as it is made.
            0 => self.offer(&sequence),
            _ => self.offer_improved(sequence),
        }
    }

    /// Takes `sequence` if it is better.
    fn offer(&mut self, sequence: &[TaskId]) -> Result<(), End> {
        let peak = peak(self.graph, sequence);
        if peak < self.peak || self.sequence.is_empty() {
            self.peak = peak;
            self.sequence.clear();
            self.sequence.extend(sequence);
        }
        if self.peak <= self.goal {
            Err(End::Settled)
        } else if (self.stop)() {
            Err(End::Stopped)
        } else {
            Ok(())
        }
    }

    /// Takes `sequence`, as it is or hoisted and sunk, if it is better.
    fn offer_improved(&mut self, mut sequence: Vec<TaskId>) -> Result<(), End> {
        self.offer(&sequence)?;
        for _ in 0..passes_for(self.graph.len()) {
            sequence = forward::hoist(self.graph, &sequence);
            self.offer(&sequence)?;
            sequence = backward::sink(self.graph, &sequence);
            self.offer(&sequence)?;
        }
        self.offer(&forward::hoist(self.graph, &sequence))
    }

    /// Searches for a better order yet, if the graph is small.
    fn search(&mut self) -> Result<(), End> {
        if self.graph.len() <= search::TASKS {
            let mut steps = search::STEPS;
            while let Some(sequence) =
                search::below(self.graph, self.peak, &self.sequence, &mut steps)
            {
                self.offer(&sequence)?;
            }
        }
        Ok(())
    }
}

/// Whether the graph is trees of values of one size, for which depth-first is
/// best.
fn is_forest(graph: &Topology) -> bool {
    let mut sizes = graph.tasks().map(|task| graph.nbytes(task));
    let one = sizes.next();
    graph.uses().iter().all(|&uses| uses <= 1) && sizes.all(|size| Some(size) == one)
}

/// The outputs, those of greater excess first: what is needed on the way to them
/// is gone when the others are held.
fn by_excess(graph: &Topology, loads: &[u64]) -> Vec<TaskId> {
    let mut outputs = graph.outputs().to_vec();
    outputs.sort_by_key(|&output| Reverse(loads[output.at()] - graph.nbytes(output)));
    outputs
}

/// The outputs in the order of `sequence`, and the rank of every task in it.
fn by_rank(graph: &Topology, sequence: &[TaskId]) -> (Vec<TaskId>, Vec<u32>) {
    let mut rank = vec![0; graph.len()];
    for (&task, at) in sequence.iter().zip(0..) {
        rank[task.at()] = at;
    }
    let mut outputs = graph.outputs().to_vec();
    outputs.sort_by_key(|output| rank[output.at()]);
    (outputs, rank)
}

/// The graph with each input of a task once: what is held is the same.
fn distinct(graph: &Topology) -> Cow<'_, Topology> {
    let takes_twice = |task| {
        let dependents = graph.dependents(task);
        dependents.windows(2).any(|pair| pair[0] == pair[1])
    };
    if !graph.tasks().any(takes_twice) {
        return Cow::Borrowed(graph);
    }
    let mut taken_by: Vec<Option<TaskId>> = vec![None; graph.len()];
    let mut inputs = Adjacency::with_capacity(graph.len(), graph.len());
    for task in graph.tasks() {
        let all = graph.inputs(task).iter().copied();
        inputs.push(all.filter(|input| taken_by[input.at()].replace(task) != Some(task)));
    }
    let nbytes = graph.tasks().map(|task| graph.nbytes(task)).collect();
    Cow::Owned(Topology::new(inputs, graph.outputs().to_vec(), nbytes))
}
