//! Tests the properties of every order, and the quality of orders on graphs
//! whose best order is known.

use proptest::prelude::*;
use swath_scheduler::{Adjacency, TaskId, Topology, order, peak, simulate};

/// Returns the graph with these inputs, whose outputs are the tasks without
/// consumers.
fn graph(inputs: &[&[u32]], nbytes: Vec<u64>) -> Topology {
    let taken: Vec<u32> = inputs
        .iter()
        .flat_map(|inputs| inputs.iter().copied())
        .collect();
    let outputs = (0..inputs.len() as u32).filter(|id| !taken.contains(id));
    let lists = inputs
        .iter()
        .map(|inputs| inputs.iter().copied().map(TaskId));
    Topology::new(
        Adjacency::from_iter(lists),
        outputs.map(TaskId).collect(),
        nbytes,
    )
}

#[track_caller]
fn check(inputs: &[&[u32]], best: u64) {
    let graph = graph(inputs, Vec::new());
    let sequence = order(&graph);
    assert_valid(&graph, &sequence);
    assert_eq!(peak(&graph, &sequence), best, "{sequence:?}");
}

#[track_caller]
fn assert_valid(graph: &Topology, sequence: &[TaskId]) {
    let mut done = vec![false; graph.len()];
    for &task in sequence {
        assert!(graph.inputs(task).iter().all(|input| done[input.at()]));
        assert!(!std::mem::replace(&mut done[task.at()], true));
    }
    assert_eq!(sequence.len(), graph.len());
}

#[test]
fn no_task() {
    check(&[], 0);
}

#[test]
fn independent_outputs_come_as_asked() {
    let inputs = Adjacency::from_iter([vec![], vec![], vec![]]);
    let asked = vec![TaskId(2), TaskId(0), TaskId(1)];
    let graph = Topology::new(inputs, asked.clone(), Vec::new());
    assert_eq!(order(&graph), asked);
}

/// ```text
///     6
///    / \
///   4   5
///  / \ / \
/// 0  1 2  3
/// ```
#[test]
fn one_branch_after_the_other() {
    check(&[&[], &[], &[], &[], &[0, 1], &[2, 3], &[4, 5]], 4);
}

/// The sums of u, of v and of u·v: each load is used for all of them.
///
/// ```text
/// u₀ ─ uu₀ ┐
///  └── uv₀ ┤     …
/// v₀ ─ vv₀ ┘
/// ```
#[test]
fn shared_loads_are_let_go() {
    let mut inputs: Vec<Vec<u32>> = Vec::new();
    let chunks = 50;
    for chunk in 0..chunks {
        let u = 5 * chunk;
        inputs.extend([vec![], vec![], vec![u], vec![u, u + 1], vec![u + 1]]);
    }
    for which in 2..5 {
        // Advance the sums in turn, so that little is held of each.
        for chunk in 0..chunks {
            let before = inputs.len() as u32 - 1;
            let own = 5 * chunk + which;
            inputs.push(match chunk {
                0 => vec![own],
                _ => vec![before, own],
            });
        }
    }
    let inputs: Vec<&[u32]> = inputs.iter().map(Vec::as_slice).collect();
    check(&inputs, 6);
}

/// A value's four small parts are computed together, and the value is released.
#[test]
fn large_values_are_let_go_for_their_parts() {
    // 0 → 1, 2 → 8 and 3 → 4, 5 → 8 …
    let inputs: [&[u32]; 7] = [&[], &[0], &[0], &[], &[3], &[3], &[1, 4, 2, 5]];
    let graph = graph(&inputs, vec![100, 1, 1, 100, 1, 1, 1]);
    assert_eq!(peak(&graph, &order(&graph)), 104);
}

/// An input that is used twice is held once.
#[test]
fn taken_twice() {
    check(&[&[], &[0, 0], &[1, 0, 1]], 3);
}

#[test]
fn a_chain_of_a_million() {
    let inputs = (0..1_000_000u32).map(|id| id.checked_sub(1).map(TaskId));
    let graph = Topology::new(
        Adjacency::from_iter(inputs),
        vec![TaskId(999_999)],
        Vec::new(),
    );
    assert_eq!(peak(&graph, &order(&graph)), 2);
}

/// A million loads for one task, beside a task that uses two of them.
#[test]
fn a_million_inputs() {
    let loads = 1_000_000;
    let mut inputs = Adjacency::with_capacity(loads + 2, loads + 2);
    (0..loads).for_each(|_| inputs.push([]));
    inputs.push([TaskId(0), TaskId(1)]);
    inputs.push((0..=loads as u32).map(TaskId));
    let graph = Topology::new(inputs, vec![TaskId(loads as u32 + 1)], Vec::new());
    assert_valid(&graph, &order(&graph));
}

fn topology(tasks: usize) -> impl Strategy<Value = Topology> {
    let task = (prop::collection::vec(any::<u32>(), 0..4), 0..20u64);
    let outputs = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    (prop::collection::vec(task, 1..tasks), outputs).prop_map(|(tasks, outputs)| {
        let nbytes = tasks.iter().map(|task| task.1).collect();
        let inputs = tasks.iter().zip(0..).map(|((inputs, _), id)| {
            let inputs = inputs.iter().filter(move |_| id > 0);
            inputs
                .map(move |input| TaskId(input % id))
                .collect::<Vec<_>>()
        });
        let outputs = outputs
            .iter()
            .map(|at| TaskId(at.index(tasks.len()) as u32));
        Topology::new(Adjacency::from_iter(inputs), outputs.collect(), nbytes)
    })
}

/// Generates trees: each task but the last is used by a later one.
fn tree(tasks: usize) -> impl Strategy<Value = Topology> {
    prop::collection::vec((any::<u32>(), 1..20u64), 1..tasks).prop_map(|tasks| {
        let mut inputs = vec![Vec::new(); tasks.len()];
        for (id, (taker, _)) in tasks.iter().enumerate().take(tasks.len() - 1) {
            let later = tasks.len() - id - 1;
            inputs[id + 1 + *taker as usize % later].push(TaskId(id as u32));
        }
        let nbytes = tasks.iter().map(|task| task.1).collect();
        let last = TaskId(tasks.len() as u32 - 1);
        Topology::new(Adjacency::from_iter(inputs), vec![last], nbytes)
    })
}

/// Orders depth-first from the outputs, with inputs in the order of their
/// numbers.
fn plain_depth_first(graph: &Topology) -> Vec<TaskId> {
    fn visit(graph: &Topology, task: TaskId, sequence: &mut Vec<TaskId>) {
        if !sequence.contains(&task) {
            for &input in graph.inputs(task) {
                visit(graph, input, sequence);
            }
            sequence.push(task);
        }
    }
    let mut sequence = Vec::new();
    let untaken = |task: &TaskId| graph.dependents(*task).is_empty();
    let rest = graph.tasks().filter(untaken);
    for task in graph.outputs().iter().copied().chain(rest) {
        visit(graph, task, &mut sequence);
    }
    sequence
}

/// Returns the smallest peak of all orders, from the smallest peak with which
/// each set of tasks can be completed.
fn least_peak(graph: &Topology) -> u64 {
    let tasks = graph.len();
    let mut least = vec![u64::MAX; 1 << tasks];
    least[0] = 0;
    for done in 0..1usize << tasks {
        let has = |task: &TaskId| done >> task.0 & 1 == 1;
        let held: u64 = graph
            .tasks()
            .filter(|task| {
                let wanted = graph.outputs().contains(task);
                has(task) && (wanted || graph.dependents(*task).iter().any(|taker| !has(taker)))
            })
            .map(|task| graph.nbytes(task))
            .sum();
        for task in graph.tasks() {
            if !has(&task) && graph.inputs(task).iter().all(has) {
                let now = least[done].max(held + graph.nbytes(task));
                let then = &mut least[done | 1 << task.0];
                *then = now.min(*then);
            }
        }
    }
    least[(1 << tasks) - 1]
}

proptest! {
    #[test]
    fn each_task_once_after_its_inputs(graph in topology(60)) {
        let sequence = order(&graph);
        assert_valid(&graph, &sequence);
        prop_assert_eq!(&sequence, &order(&graph));
        prop_assert_eq!(peak(&graph, &sequence), simulate(&graph, &sequence).into_iter().max().unwrap());
    }

    #[test]
    fn each_task_once_after_its_inputs_in_larger_graphs(graph in topology(700)) {
        assert_valid(&graph, &order(&graph));
    }

    #[test]
    fn no_worse_than_plain_depth_first(graph in topology(200)) {
        prop_assert!(peak(&graph, &order(&graph)) <= peak(&graph, &plain_depth_first(&graph)));
    }

    #[test]
    fn best_on_small_trees(graph in tree(10)) {
        prop_assert_eq!(peak(&graph, &order(&graph)), least_peak(&graph));
    }

    #[test]
    fn best_on_small_graphs(graph in topology(10)) {
        prop_assert_eq!(peak(&graph, &order(&graph)), least_peak(&graph));
    }
}
