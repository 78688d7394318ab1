//! Finds an order of the tasks in which few bytes are held at a time.
//!
//! # Terms
//!
//! - *output*: a task whose value is requested; the value is held to the end.
//! - *consumer*: a task that uses another's value.
//! - *peak*: the most bytes that are held while some task runs, including its
//!   inputs and its own value ([`simulate`](crate::simulate())).
//! - *load*: the bytes that must be held at once to compute a task and
//!   everything it needs, one input after the other (the Sethi–Ullman number,
//!   weighted by bytes). *Excess* is the load minus the bytes that remain,
//!   those of the value.
//! - *growth*: how much more is held after a task, or several, than before.
//! - *free*: a task that releases at least as many bytes as it adds.
//! - *target*: a task with an input that has run, so that finishing the task may
//!   release that input. The less it still needs, the nearer it is.
//! - *rank*: breaks ties. By default it is a task's number, so that of equally
//!   good outputs the one requested first comes first.
//!
//! # Steps
//!
//! Finding the best order is NP-hard in general, and no simple rule is good for
//! all graphs. But the peak of an order is quickly counted. So several rules
//! propose orders, each in linear time (except for a heap), and the best
//! proposal is used; among equally good ones, the first.
//!
//! 1. *Depth-first* from the outputs, inputs with greater excess first. On
//!    trees of values of one size it has the least possible peak, and it is
//!    good on most other graphs with few shared values.
//! 2. *By targets*: also towards the outputs, but it turns aside when a target
//!    is nearer than the current goal. If several reductions share loads, these
//!    advance together. A [`Policy`] defines which targets qualify, what makes
//!    them near and which rank breaks ties. A table holds policies that are
//!    good on different graphs.
//! 3. Two passes improve each proposal in turn: *hoist* moves free tasks to the
//!    first place where they can run. *Sink* is its mirror image: it moves tasks
//!    that only add bytes to just before their first consumer.
//! 4. For a small graph, a *search* over the sets of completed tasks looks for a
//!    still better order.
//!
//! The process ends as soon as the peak reaches the *lower bound*. The more
//! tasks there are, the fewer policies and passes are tried: ordering must not
//! take longer than running. Small graphs are tried from several starts, one of
//! which is the best order so far.

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

/// Returns a sequence in which the tasks can run, each once and after its inputs,
/// such that few bytes are held at a time.
///
/// The same graph always gives the same sequence. It takes linear time, except
/// for a factor that is logarithmic on some graphs.
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
    order_unless(graph, 0, &|| false).expect("invariant: it is never stopped")
}

/// Does the same as [`order()`] with limited effort. An order that holds at
/// most `enough` bytes is not improved further, and `None` is returned soon
/// after `stop` returns true.
pub fn order_unless(graph: &Topology, enough: u64, stop: &dyn Fn() -> bool) -> Option<Vec<TaskId>> {
    let graph = &*distinct(graph);
    let loads = loads(graph);
    let mut best = Best::new(graph, enough, stop);
    match best.improve(&loads) {
        Ok(()) | Err(End::Settled) => Some(best.sequence),
        Err(End::Stopped) => None,
    }
}

/// Returns how often an order is hoisted and sunk in turn.
fn passes_for(tasks: usize) -> usize {
    match tasks {
        0..=20_000 => 3,
        20_001..=300_000 => 1,
        _ => 0,
    }
}

/// The order of the outputs and the rank that breaks ties.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// Outputs with greater excess first, then in the order of the request.
    Excess,
    /// The output that was requested last comes first.
    Reversed,
    /// In the order of a sweep over the graph from one end, which visits
    /// neighbours in a grid one after the other, along its shorter side.
    Sweep,
    /// In the reverse order of such a sweep.
    SweepBack,
    /// In the best order so far.
    Best,
}

/// The policies that are tried after depth-first, the most useful first. Each does
/// well on graphs where the earlier ones do not. They were chosen out of all
/// combinations, greedily, on the graphs of Dask's tests of its order and some of
/// its arrays.
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

/// Returns how many of the policies are tried. With very many tasks, ordering
/// costs more than most tasks do. That is only worth it if the sizes are known
/// to be large.
fn policies_for(graph: &Topology) -> usize {
    match graph.len() {
        0..=2_000 => POLICIES.len(),
        2_001..=20_000 => 4,
        20_001..=300_000 => 2,
        300_001..=3_000_000 if graph.knows_sizes() => 1,
        _ => 0,
    }
}

/// Returns the starts from which all policies are tried once more. In a grid whose
/// values differ in size, the corner at which an order begins matters.
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

/// The reason to end the search.
enum End {
    /// The best order is found: its peak is at the lower bound, or it is known
    /// to be the best for its kind of graph. Or the order is good enough.
    Settled,
    /// The caller has stopped it.
    Stopped,
}

/// The best order so far.
struct Best<'a> {
    graph: &'a Topology,
    sequence: Vec<TaskId>,
    peak: u64,
    /// The lower bound, or the bytes that are good enough.
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

    /// Runs all steps.
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
        // If many values are shared, loads may mislead.
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
            // It is already hoisted while it is built.
            0 => self.offer(&sequence),
            _ => self.offer_improved(sequence),
        }
    }

    /// Keeps `sequence` if it is better.
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

    /// Keeps `sequence`, unchanged or hoisted and sunk, if it is better.
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

    /// Searches for a still better order if the graph is small.
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

/// Returns whether the graph consists of trees of values of one size, for which
/// depth-first is best.
fn is_forest(graph: &Topology) -> bool {
    let mut sizes = graph.tasks().map(|task| graph.nbytes(task));
    let one = sizes.next();
    graph.uses().iter().all(|&uses| uses <= 1) && sizes.all(|size| Some(size) == one)
}

/// Returns the outputs, those with greater excess first: the values needed on the
/// way to them are released before the others are held.
fn by_excess(graph: &Topology, loads: &[u64]) -> Vec<TaskId> {
    let mut outputs = graph.outputs().to_vec();
    outputs.sort_by_key(|&output| Reverse(loads[output.at()] - graph.nbytes(output)));
    outputs
}

/// Returns the outputs in the order of `sequence`, and the rank of every task
/// in it.
fn by_rank(graph: &Topology, sequence: &[TaskId]) -> (Vec<TaskId>, Vec<u32>) {
    let mut rank = vec![0; graph.len()];
    for (&task, at) in sequence.iter().zip(0..) {
        rank[task.at()] = at;
    }
    let mut outputs = graph.outputs().to_vec();
    outputs.sort_by_key(|output| rank[output.at()]);
    (outputs, rank)
}

/// Returns the graph with each input of a task listed once, which does not change
/// what is held.
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
