//! Tests [`State`] against a naive model: any graph, any order of ends, any
//! failures.

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::rc::Rc;
use swath_scheduler::{Adjacency, State, TaskId, Topology, Transition};

/// Generates graphs in which inputs may be used twice and outputs requested
/// twice.
fn graphs() -> impl Strategy<Value = Topology> {
    let inputs = |task: u32| match task {
        0 => Just(Vec::new()).boxed(),
        _ => prop::collection::vec(0..task, 0..4).boxed(),
    };
    (1u32..14)
        .prop_flat_map(move |tasks| {
            let inputs: Vec<_> = (0..tasks).map(inputs).collect();
            (inputs, prop::collection::vec(0..tasks, 0..4))
        })
        .prop_map(|(inputs, outputs)| {
            let inputs = inputs.into_iter().map(|list| list.into_iter().map(TaskId));
            let outputs = outputs.into_iter().map(TaskId).collect();
            Topology::new(Adjacency::from_iter(inputs), outputs, Vec::new())
        })
}

/// The next step of a run.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The first ready task starts; if there is none, a task ends.
    Start,
    /// The first ready task with inputs starts; if there is none, a task ends.
    StartWithInputs,
    /// A running task ends; if there is none, a task starts.
    Finish(prop::sample::Index),
    /// A running task fails; if there is none, a task starts.
    Fail(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    prop::collection::vec(
        prop_oneof![
            4 => Just(Step::Start),
            2 => Just(Step::StartWithInputs),
            5 => index().prop_map(Step::Finish),
            1 => index().prop_map(Step::Fail),
        ],
        0..60,
    )
}

/// A run as sets of tasks; everything is recomputed on each query.
struct Naive<'a> {
    graph: &'a Topology,
    started: BTreeSet<TaskId>,
    running: BTreeSet<TaskId>,
    finished: BTreeSet<TaskId>,
    /// Tasks that failed or are lost.
    lost: BTreeSet<TaskId>,
}

impl Naive<'_> {
    fn ready(&self) -> BTreeSet<TaskId> {
        let inputs_are_there = |task: &TaskId| {
            let mut inputs = self.graph.inputs(*task).iter();
            inputs.all(|input| self.finished.contains(input))
        };
        let tasks = self.graph.tasks().filter(inputs_are_there);
        tasks
            .filter(|task| !self.started.contains(task) && !self.lost.contains(task))
            .collect()
    }

    fn is_pending(&self, task: TaskId) -> bool {
        !self.started.contains(&task) && !self.lost.contains(&task)
    }

    /// Returns the tasks that have yet to use the task's value.
    fn takers(&self, task: TaskId) -> Vec<TaskId> {
        let dependents = self.graph.dependents(task).iter().copied();
        dependents.filter(|&task| self.is_pending(task)).collect()
    }

    /// Returns the held values: each finished task that is still to be used, and
    /// its next user.
    fn held(&self) -> Vec<(TaskId, Option<TaskId>)> {
        let next = |&task: &TaskId| (task, self.takers(task).into_iter().min());
        let held = self.finished.iter().map(next);
        held.filter(|(task, next)| next.is_some() || self.graph.outputs().contains(task))
            .collect()
    }

    /// Returns the released values: those of finished tasks whose users have all
    /// ended.
    fn released(&self) -> BTreeSet<TaskId> {
        let is_over = |task: &TaskId| self.finished.contains(task) || self.lost.contains(task);
        let is_released = |task: &&TaskId| {
            let dependents = self.graph.dependents(**task);
            dependents.iter().all(is_over) && !self.graph.outputs().contains(task)
        };
        self.finished.iter().filter(is_released).copied().collect()
    }

    /// Returns the tasks that depend on a task and are not lost yet.
    fn descendants(&self, task: TaskId) -> BTreeSet<TaskId> {
        let mut all = BTreeSet::new();
        let mut next = vec![task];
        while let Some(task) = next.pop() {
            let dependents = self.graph.dependents(task).iter().copied();
            next.extend(dependents.filter(|&task| !self.lost.contains(&task) && all.insert(task)));
        }
        all
    }
}

/// Returns a list as a set, and checks that nothing occurs twice.
fn once(tasks: &[TaskId]) -> BTreeSet<TaskId> {
    let set: BTreeSet<TaskId> = tasks.iter().copied().collect();
    assert_eq!(set.len(), tasks.len(), "told twice: {tasks:?}");
    set
}

/// A value, which is its task's number. Its reference count is the number of
/// holders.
type Value = Rc<TaskId>;

/// A run together with its naive model.
struct Followed<'a> {
    graph: &'a Topology,
    state: State<Value>,
    naive: Naive<'a>,
    /// The inputs of the running tasks.
    in_hand: Vec<(TaskId, Vec<Value>)>,
    /// For each task, an observer of its value that does not hold it.
    values: Vec<std::rc::Weak<TaskId>>,
}

impl Followed<'_> {
    fn start(&mut self, task: TaskId) {
        let mut inputs = Vec::new();
        self.state.start(self.graph, task, &mut inputs);
        let taken: Vec<TaskId> = inputs.iter().map(|input| **input).collect();
        assert_eq!(taken, self.graph.inputs(task));
        assert!(self.naive.started.insert(task), "started twice");
        self.naive.running.insert(task);
        self.in_hand.push((task, inputs));
    }

    fn end(&mut self, at: usize, fails: bool) {
        let (task, inputs) = self.in_hand.remove(at);
        drop(inputs);
        let (ready, released) = (self.naive.ready(), self.naive.released());
        let mut transition = Transition::default();
        self.naive.running.remove(&task);
        let mut lost = BTreeSet::new();
        if fails {
            self.state.fail(self.graph, task, &mut transition);
            lost = self.naive.descendants(task);
            self.naive.lost.insert(task);
            self.naive.lost.extend(&lost);
        } else {
            let value = Value::new(task);
            self.values[task.at()] = Rc::downgrade(&value);
            self.state.finish(self.graph, task, value, &mut transition);
            self.naive.finished.insert(task);
        }
        assert_eq!(once(&transition.lost), lost);
        let now_ready: BTreeSet<TaskId> = &self.naive.ready() - &ready;
        assert_eq!(once(&transition.ready), now_ready);
        let now_released: BTreeSet<TaskId> = &self.naive.released() - &released;
        assert_eq!(once(&transition.released), now_released);
    }

    fn step(&mut self, step: Step) {
        let running = self.in_hand.len();
        let ready = match step {
            Step::StartWithInputs => self.state.next_with_inputs(),
            _ => self.state.next(),
        };
        match (step, ready) {
            (Step::Finish(index), _) if running > 0 => self.end(index.index(running), false),
            (Step::Fail(index), _) if running > 0 => self.end(index.index(running), true),
            (_, Some(task)) => self.start(task),
            (_, None) if running > 0 => self.end(0, false),
            (_, None) => {}
        }
    }

    fn check(&self) {
        let Self {
            state,
            naive,
            graph,
            ..
        } = self;
        let ready = naive.ready();
        assert_eq!(state.next(), ready.first().copied());
        let takes_something = |task: &&TaskId| !graph.inputs(**task).is_empty();
        let with_inputs = ready.iter().find(takes_something);
        assert_eq!(state.next_with_inputs(), with_inputs.copied());
        assert_eq!(state.ready_len(), ready.len());
        let held = state.held(graph).map(|(task, value, next)| {
            assert_eq!(task, **value);
            (task, next)
        });
        assert_eq!(held.collect::<Vec<_>>(), naive.held());
        let is_complete = naive.finished.len() + naive.lost.len() == graph.len();
        assert_eq!(state.is_complete(), is_complete);
        // Only the state and the running tasks hold a value.
        let held: BTreeSet<TaskId> = naive.held().into_iter().map(|(task, _)| task).collect();
        for task in graph.tasks() {
            let in_hand = self.in_hand.iter().flat_map(|(_, inputs)| inputs);
            let in_hand = in_hand.filter(|input| ***input == task).count();
            let holders = in_hand + usize::from(held.contains(&task));
            assert_eq!(
                self.values[task.at()].strong_count(),
                holders,
                "of {task:?}"
            );
        }
    }
}

proptest! {
    #[test]
    fn a_run_is_as_the_naive_one(graph in graphs(), steps in steps()) {
        let mut run = Followed {
            graph: &graph,
            state: State::new(&graph, true),
            naive: Naive {
                graph: &graph,
                started: BTreeSet::new(),
                running: BTreeSet::new(),
                finished: BTreeSet::new(),
                lost: BTreeSet::new(),
            },
            in_hand: Vec::new(),
            values: graph.tasks().map(|_| std::rc::Weak::new()).collect(),
        };
        run.check();
        for step in steps {
            run.step(step);
            run.check();
        }
        while !run.state.is_complete() {
            run.step(Step::Start);
            run.check();
        }
        let outputs: Vec<Option<Value>> = if run.naive.lost.is_empty() {
            run.state.take_outputs(&graph).into_iter().map(Some).collect()
        } else {
            let held = run.state.abandon();
            graph.outputs().iter().map(|output| held[output.at()].clone()).collect()
        };
        let expected = graph.outputs().iter().map(|output| {
            run.naive.finished.contains(output).then_some(*output)
        });
        prop_assert_eq!(
            outputs.iter().map(|value| Some(**value.as_ref()?)).collect::<Vec<_>>(),
            expected.collect::<Vec<_>>()
        );
        drop(outputs);
        prop_assert!(run.values.iter().all(|value| value.strong_count() == 0), "values are left");
    }

    #[test]
    fn a_run_that_is_given_up_holds_nothing(graph in graphs(), steps in steps()) {
        let mut state = State::new(&graph, false);
        let mut running = Vec::new();
        let mut transition = Transition::default();
        for step in steps {
            match (step, state.next()) {
                (Step::Start | Step::StartWithInputs, Some(task)) => {
                    state.start(&graph, task, &mut Vec::new());
                    running.push(task);
                }
                _ => if let Some(task) = running.pop() {
                    state.finish(&graph, task, Value::new(task), &mut transition);
                }
            }
        }
        prop_assert!(transition.released.is_empty(), "nobody asked");
        let held = state.held(&graph).count();
        prop_assert_eq!(state.abandon().into_iter().flatten().count(), held);
        prop_assert_eq!((state.next(), state.ready_len()), (None, 0));
    }
}
