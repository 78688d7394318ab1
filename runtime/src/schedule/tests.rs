//! Tests both runners against a naive evaluation of random graphs; the events of
//! a run; orders; and tasks that fail, nest, wait or are interrupted.

pub(crate) mod alone;
mod behaviour;
mod faults;
mod keeping;
mod memory;
mod recovery;

use super::event::Event;
use super::plan::{Plan, TaskId};
use super::*;
use crate::cancel;
use crate::compute::{Collection, compute};
use crate::delayed::{Delayed, delayed, try_delayed};
use crate::error::Error;
use crate::graph::{Arguments, Block, Grid, LayerId, Listed, Operation, TaskRef};
use parking_lot::{Condvar, Mutex};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Mixes its inputs, so that all tasks have different values and the order of
/// inputs matters.
struct Mix {
    seed: u64,
    runs: Arc<AtomicUsize>,
}

impl Operation for Mix {
    fn name(&self) -> &str {
        "mix"
    }
    fn arguments(&self) -> Arguments {
        Arguments::Unique
    }
    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        Ok(Value::opaque(mix(self.seed, inputs.iter().map(number))))
    }
}

fn number(value: &Value) -> u64 {
    *value.opaque_ref().expect("tasks here compute numbers")
}

fn mix(seed: u64, inputs: impl Iterator<Item = u64>) -> u64 {
    inputs.fold(seed, |hash, input| {
        (hash ^ input)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(23)
    })
}

/// The tasks of each layer and the inputs of each task, as (an earlier layer or
/// this one, a task of it), to be taken modulo the available numbers.
type Shape = Vec<Vec<Vec<(usize, usize)>>>;

struct Graph {
    layers: Vec<Arc<Layer>>,
    expected: Vec<Vec<u64>>,
    runs: Arc<AtomicUsize>,
}

fn graph(shape: &Shape) -> Graph {
    let runs = Arc::new(AtomicUsize::new(0));
    let mut layers: Vec<Arc<Layer>> = Vec::new();
    let mut expected: Vec<Vec<u64>> = Vec::new();
    for tasks in shape {
        let mut listed = Listed::new();
        let mut values: Vec<u64> = Vec::new();
        for (at, inputs) in tasks.iter().enumerate() {
            let mut refs = Vec::new();
            let mut taken = Vec::new();
            for (layer, task) in inputs {
                // The last choice is the layer itself, if it has earlier tasks.
                let choices = layers.len() + usize::from(at > 0);
                if choices == 0 {
                    continue;
                }
                let layer = layer % choices;
                let (dependency, of) = if layer == layers.len() {
                    (TaskRef::SELF, &values)
                } else {
                    (layer as u32, &expected[layer])
                };
                let linear = task % of.len();
                refs.push(TaskRef {
                    dependency,
                    linear: linear as u32,
                });
                taken.push(of[linear]);
            }
            let seed = (layers.len() * 1000 + at) as u64;
            let runs = runs.clone();
            listed.push(Arc::new(Mix { seed, runs }), refs);
            values.push(mix(seed, taken.into_iter()));
        }
        let layer = Layer::listed(LayerId::unique(), "mix", listed, layers.clone());
        layers.push(layer);
        expected.push(values);
    }
    Graph {
        layers,
        expected,
        runs,
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    let inputs = prop::collection::vec((0usize..100, 0usize..100), 0..4);
    prop::collection::vec(prop::collection::vec(inputs, 1..12), 1..7)
}

/// Records the events.
#[derive(Default)]
struct Recorder(Mutex<Vec<Event>>);

impl Listener for Recorder {
    fn event(&self, event: &Event) {
        self.0.lock().push(event.clone());
    }
}

/// Checks that the events of a run are consistent, and that it ended. In a run
/// that has not succeeded, tasks may report their end after the run's.
fn check_history(events: &[Event], limit: usize) {
    let [Event::Submitted { plan }, rest @ ..] = events else {
        panic!("no run that begins with Submitted: {events:?}");
    };
    let (mut ready, mut started, mut finished) = (HashSet::new(), HashSet::new(), HashSet::new());
    let (mut failed, mut lost, mut released) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut working: HashMap<usize, TaskId> = HashMap::new();
    let mut end: Option<&Event> = None;
    for event in rest {
        match event {
            Event::Ready { task } => {
                assert!(plan.inputs(*task).iter().all(|i| finished.contains(i)));
                assert!(ready.insert(*task));
            }
            Event::Started { task, worker } => {
                assert!(ready.contains(task));
                assert!(started.insert(*task));
                assert_eq!(working.insert(*worker, *task), None, "worker {worker}");
                assert!(working.len() <= limit);
            }
            Event::Finished { task, worker, .. } => {
                assert_eq!(working.remove(worker), Some(*task));
                assert!(finished.insert(*task));
            }
            Event::Failed { task, .. } => {
                let before = working.len();
                working.retain(|_, working| working != task);
                assert_eq!(working.len(), before - 1, "{task:?} failed while it ran");
                assert!(failed.insert(*task));
            }
            Event::Lost { task } => {
                let is_gone = |i: &TaskId| failed.contains(i) || lost.contains(i);
                assert!(plan.inputs(*task).iter().any(is_gone));
                assert!(!started.contains(task) && lost.insert(*task));
            }
            Event::Released { task } => {
                assert!(finished.contains(task));
                assert!(released.insert(*task));
            }
            Event::Spilled { .. } | Event::Unspilled { .. } => {}
            Event::Completed | Event::Ended | Event::Cancelled => {
                assert!(end.is_none(), "{event:?} after {end:?}");
                end = Some(event);
            }
            Event::Submitted { .. } => panic!("submitted twice"),
        }
        // A value is released only when all tasks that use it have ended.
        if let Event::Released { task } = event
            && lost.is_empty()
            && failed.is_empty()
        {
            assert!(plan.dependents(*task).iter().all(|d| finished.contains(d)));
        }
    }
    let outputs: HashSet<TaskId> = plan.outputs().iter().copied().collect();
    assert!(released.is_disjoint(&outputs));
    let has_ended = |d: &TaskId| finished.contains(d) || failed.contains(d) || lost.contains(d);
    for task in &released {
        assert!(plan.dependents(*task).iter().all(has_ended));
    }
    match end {
        Some(Event::Completed) => {
            assert!(matches!(events.last(), Some(Event::Completed)));
            assert_eq!(finished.len(), plan.len());
            assert_eq!(released.len() + outputs.len(), plan.len());
        }
        Some(Event::Ended) => assert!(!failed.is_empty()),
        Some(Event::Cancelled) => {}
        _ => panic!("a run without an end: {events:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_runner_computes_what_a_naive_evaluation_does(
        shape in shapes(),
        outputs in prop::collection::vec(0usize..100, 1..4),
    ) {
        let graph = graph(&shape);
        let asked: Vec<usize> = outputs.iter().map(|at| at % graph.layers.len()).collect();
        let layers: Vec<_> = asked.iter().map(|&at| graph.layers[at].clone()).collect();
        let plan = Plan::new(Layers::new(&layers)).unwrap();
        for threads in [0, 1, 2, 4, 8] {
            let recorder = Arc::new(Recorder::default());
            let options = Options {
                threads: (threads > 0).then_some(threads),
                synchronous: threads == 0,
                listeners: vec![recorder.clone()],
                ..Options::default()
            };
            graph.runs.store(0, Ordering::Relaxed);
            let values = run(&layers, &options).unwrap();
            for (values, &at) in values.iter().zip(&asked) {
                let values: Vec<u64> = values.iter().map(number).collect();
                prop_assert_eq!(&values, &graph.expected[at]);
            }
            prop_assert_eq!(graph.runs.load(Ordering::Relaxed), plan.len());
            check_history(&recorder.0.lock(), threads.max(1));
        }
    }
}

/// A single layer of tasks, which are described by their inputs' positions.
fn listed(inputs: &[&[u32]]) -> Arc<Layer> {
    let mut tasks = Listed::new();
    for inputs in inputs {
        let operation = Arc::new(Mix {
            seed: 0,
            runs: Arc::default(),
        });
        tasks.push(operation, inputs.iter().map(|&linear| TaskRef::own(linear)));
    }
    Layer::listed(LayerId::unique(), "mix", tasks, Vec::new())
}

#[test]
fn layers_without_tasks_have_no_values() {
    let empty = Layer::blockwise(
        Mix {
            seed: 0,
            runs: Arc::default(),
        },
        Grid::new([5, 0, 5]),
        vec![],
        vec![],
    );
    for synchronous in [true, false] {
        let options = Options {
            synchronous,
            ..Options::default()
        };
        let values = run(
            &[empty.clone(), listed(&[&[], &[0]]), empty.clone()],
            &options,
        )
        .unwrap();
        assert_eq!(values.iter().map(Vec::len).collect::<Vec<_>>(), [0, 2, 0]);
    }
    assert!(run(&[], &Options::default()).unwrap().is_empty());
}

/// Fails a test that hangs, so that it does not block the whole suite.
pub(super) fn in_time<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(body()));
    receiver
        .recv_timeout(Duration::from_secs(60))
        .expect("it ends, and does not panic")
}

fn with_threads(threads: usize) -> Options {
    Options {
        threads: Some(threads),
        ..Options::default()
    }
}

// Each outer task computes its own fan-in, whose tasks do the same:
// outer ← { inner ← { leaf × 4 } × 4 } × 8
#[test]
fn tasks_may_compute() {
    for threads in [1, 2, 8] {
        in_time(move || {
            let options = with_threads(threads);
            let sum = delayed(|parts: Vec<u64>| parts.iter().sum::<u64>());
            let (inner_options, leaf_sum) = (options.clone(), sum.clone());
            let inner = try_delayed(move |base: u64| {
                let leaves: Vec<_> = (0..4).map(|i| delayed(|x: u64| x).call(base + i)).collect();
                leaf_sum.call(leaves).compute_with(&inner_options)
            });
            let (outer_options, inner_sum) = (options.clone(), sum.clone());
            let outer = try_delayed(move |base: u64| {
                let parts: Vec<_> = (0..4).map(|i| inner.call(base + 10 * i)).collect();
                inner_sum.call(parts).compute_with(&outer_options)
            });
            let all = sum.call((0..8).map(|i| outer.call(100 * i)).collect::<Vec<_>>());
            let expected: u64 = (0..8)
                .flat_map(|i| (0..4).flat_map(move |j| (0..4).map(move |k| 100 * i + 10 * j + k)))
                .sum();
            assert_eq!(all.compute_with(&options).unwrap(), expected);
        });
    }
}

#[test]
fn a_nested_computation_keeps_to_its_limit() {
    in_time(|| {
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let (now, peak) = (running, most.clone());
        let busy = delayed(move |_: usize| {
            let running = now.fetch_add(1, Ordering::SeqCst) + 1;
            peak.fetch_max(running, Ordering::SeqCst);
            std::thread::sleep(Duration::from_micros(300));
            now.fetch_sub(1, Ordering::SeqCst);
        });
        let outer = try_delayed(move |(): ()| {
            let tasks: Vec<_> = (0..20).map(|i| busy.call(i)).collect();
            delayed(|_: Vec<()>| ())
                .call(tasks)
                .compute_with(&with_threads(1))
        });
        outer.call(()).compute_with(&with_threads(2)).unwrap();
        assert_eq!(most.load(Ordering::SeqCst), 1);
    });
}

// Tasks that run their own parallel loop execute other jobs of the pool while
// they wait for its parts. None of these jobs may be a task of the run.
#[test]
fn a_task_that_waits_for_its_own_loop_runs_no_other_task() {
    thread_local! {
        static DEPTH: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }
    in_time(|| {
        let deepest = Arc::new(AtomicUsize::new(0));
        let seen = deepest.clone();
        let task = delayed(move |_: usize| {
            DEPTH.set(DEPTH.get() + 1);
            seen.fetch_max(DEPTH.get(), Ordering::SeqCst);
            for _ in 0..20 {
                rayon::join(
                    || std::thread::sleep(Duration::from_micros(50)),
                    || std::thread::sleep(Duration::from_micros(20)),
                );
            }
            DEPTH.set(DEPTH.get() - 1);
            1
        });
        let tasks: Vec<_> = (0..200).map(|i| task.call(i)).collect();
        let all = delayed(|ones: Vec<usize>| ones.len()).call(tasks);
        assert_eq!(all.compute().unwrap(), 200);
        assert_eq!(deepest.load(Ordering::SeqCst), 1);
    });
}

// A small computation gets its turn while a large one occupies every thread.
#[test]
fn a_large_run_does_not_hold_up_a_small_one() {
    in_time(|| {
        let done = Arc::new(AtomicUsize::new(0));
        let count = done.clone();
        let slow = delayed(move |_: usize| {
            std::thread::sleep(Duration::from_millis(1));
            count.fetch_add(1, Ordering::SeqCst);
        });
        let tasks: Vec<_> = (0..2000).map(|i| slow.call(i)).collect();
        let large = delayed(|_: Vec<()>| ()).call(tasks).persist().unwrap();
        while done.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        assert_eq!(delayed(|| 1).call().compute().unwrap(), 1);
        assert!(done.load(Ordering::SeqCst) < 1000);
        drop(large);
    });
}

#[test]
fn a_failure_names_its_task_and_ends_the_run() {
    for synchronous in [true, false] {
        let recorder = Arc::new(Recorder::default());
        let options = Options {
            synchronous,
            threads: Some(2),
            listeners: vec![recorder.clone()],
            ..Options::default()
        };
        let runs = Arc::new(AtomicUsize::new(0));
        let count = runs.clone();
        let check = try_delayed(move |x: i32| {
            count.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(1));
            if x == 3 {
                return Err(std::io::Error::other("no three"));
            }
            Ok(x)
        })
        .named("check");
        let calls: Vec<_> = (0..1000).map(|i| check.call(i)).collect();
        let key = calls[3].key().to_owned();
        let all = delayed(|x: Vec<i32>| x.len()).call(calls);
        let error = all.compute_with(&options).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("task {key} (check) failed: Error: no three")
        );
        let events = recorder.0.lock().clone();
        let failed: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Failed { message, .. } => Some(message.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(failed, [error.to_string()]);
        assert!(!events.iter().any(|event| matches!(event, Event::Completed)));
        // Nothing continues in the background.
        std::thread::sleep(Duration::from_millis(20));
        let ran = runs.load(Ordering::SeqCst);
        assert!(ran < 20, "{ran}");
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(runs.load(Ordering::SeqCst), ran);
    }
}

#[test]
fn a_panic_is_its_tasks_error() {
    for synchronous in [true, false] {
        let options = Options {
            synchronous,
            ..Options::default()
        };
        let call = delayed(|x: i32| -> i32 { panic!("on purpose, {x}") }).call(1);
        let Err(Error::Task { key, cause, .. }) = call.compute_with(&options) else {
            panic!("a task failed");
        };
        assert_eq!(key, call.key());
        let Some(Error::Panic { message, .. }) = cause.downcast_ref() else {
            panic!("of a panic");
        };
        assert_eq!(message, "on purpose, 1");
        let raised = delayed(|| -> i32 { Error::Shape("a shape".into()).raise() }).call();
        let error = raised.compute_with(&options).unwrap_err();
        assert!(error.to_string().ends_with("failed: a shape"), "{error}");
    }
}

#[test]
fn a_failure_names_few_of_many_inputs() {
    let one = Delayed::value(1);
    let call = try_delayed(|_: Vec<i32>| Err::<i32, _>("no")).call(vec![&one; 1000]);
    let error = call.compute().unwrap_err().to_string();
    assert!(
        error.len() < 400 && error.ends_with("and 992 more"),
        "{error}"
    );
}

/// A listener that panics.
struct Broken;
impl Listener for Broken {
    fn event(&self, event: &Event) {
        assert!(!matches!(event, Event::Finished { .. }), "broken listener");
    }
}

#[test]
fn a_listener_that_panics_fails_the_run_only() {
    in_time(|| {
        let options = Options {
            listeners: vec![Arc::new(Broken)],
            ..Options::default()
        };
        let error = delayed(|| 1).call().compute_with(&options).unwrap_err();
        assert!(error.to_string().contains("broken listener"), "{error}");
        assert_eq!(delayed(|| 1).call().compute().unwrap(), 1);
    });
}

/// A plan of all steps, without optimisation.
fn planned<C: Collection>(collection: &C) -> Arc<Plan> {
    let layers = Layers::new(&[collection.layer().unwrap()]);
    Arc::new(Plan::new(layers).unwrap())
}

/// A gate that tasks wait at.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
    arrived: AtomicUsize,
}

impl Gate {
    fn pass(&self) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let mut open = self.open.lock();
        while !*open {
            self.changed.wait(&mut open);
        }
    }
    fn open(&self) {
        *self.open.lock() = true;
        self.changed.notify_all();
    }
    fn wait_for(&self, arrived: usize) {
        while self.arrived.load(Ordering::SeqCst) < arrived {
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_cancelled_run_returns_while_a_task_is_blocked() {
    in_time(|| {
        let gate = Arc::new(Gate::default());
        let (blocked, after) = (gate.clone(), Arc::new(AtomicUsize::new(0)));
        let count = after.clone();
        let value = delayed(move || blocked.pass()).call();
        let value = value.map(move |()| count.fetch_add(1, Ordering::SeqCst));
        let token = CancelToken::register();
        let plan = planned(&value);
        let recorder = Arc::new(Recorder::default());
        let listener: Arc<dyn Listener> = recorder.clone();
        let (stop, at_gate) = (token.clone(), gate.clone());
        let stopper = std::thread::spawn(move || {
            at_gate.wait_for(1);
            stop.cancel();
            Instant::now()
        });
        let options = Options {
            threads: Some(1),
            listeners: vec![listener],
            ..Options::default()
        };
        let outcome = run_plan_unless(&plan, &options, &token, &ForegroundJob::default());
        let returned = Instant::now();
        assert!(matches!(outcome, Err(Error::Interrupted)));
        assert!(returned - stopper.join().unwrap() < Duration::from_secs(1));
        assert!(matches!(recorder.0.lock().last(), Some(Event::Cancelled)));
        gate.open();
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(
            after.load(Ordering::SeqCst),
            0,
            "nothing is started any more"
        );
    });
}

#[test]
fn cancelling_reaches_nested_computations_and_checkpoints() {
    in_time(|| {
        let gate = Arc::new(Gate::default());
        let arrived = gate.clone();
        let deepest = try_delayed(move |(): ()| {
            arrived.arrived.fetch_add(1, Ordering::SeqCst);
            cancel::sleep(Duration::from_secs(600))
        });
        let outer = try_delayed(move |(): ()| deepest.call(()).compute());
        let token = CancelToken::register();
        let plan = planned(&outer.call(()));
        let (stop, at_gate) = (token.clone(), gate);
        std::thread::spawn(move || {
            at_gate.wait_for(1);
            stop.cancel();
        });
        let options = Options {
            synchronous: true,
            ..Options::default()
        };
        let outcome = run_plan_unless(&plan, &options, &token, &ForegroundJob::default());
        assert!(matches!(outcome, Err(Error::Interrupted)));
        checkpoint().unwrap();
    });
}

#[test]
fn a_failure_ends_the_tasks_beside_it_at_their_checkpoints() {
    if pool::threads() < 2 {
        return;
    }
    in_time(|| {
        let gate = Arc::new(Gate::default());
        let (arrived, left) = (gate.clone(), gate.clone());
        let slow = try_delayed(move |(): ()| {
            arrived.arrived.fetch_add(1, Ordering::SeqCst);
            let slept = cancel::sleep(Duration::from_secs(600));
            arrived.arrived.fetch_add(1, Ordering::SeqCst);
            slept
        });
        let fail = try_delayed(move |(): ()| {
            left.wait_for(1);
            Err::<(), _>("on purpose")
        });
        let both = delayed(|(): (), (): ()| ()).call(slow.call(()), fail.call(()));
        both.compute_with(&with_threads(2)).unwrap_err();
        gate.wait_for(2);
    });
}

// Both threads of the pool wait inside tasks for a value that is being computed
// in the background, and that depends on another such value.
#[test]
fn tasks_may_wait_for_what_is_persisted() {
    for threads in [1, 2, 8] {
        in_time(move || {
            let slow = delayed(|x: u64| {
                std::thread::sleep(Duration::from_millis(5));
                x
            });
            let sum = delayed(|parts: Vec<u64>| parts.iter().sum::<u64>());
            let tasks: Vec<_> = (0..10).map(|i| slow.call(i)).collect();
            let first = sum.call(&tasks).persist().unwrap();
            let second = sum.call([&first, &first]).persist().unwrap();
            let waits = try_delayed(move |(): ()| second.compute());
            let all = sum.call((0..8).map(|_| waits.call(())).collect::<Vec<_>>());
            assert_eq!(all.compute_with(&with_threads(threads)).unwrap(), 8 * 90);
        });
    }
}

// Every thread of the pool waits inside a task for a persist that waits for an
// earlier persist of the same layer, which its graph does not mention.
#[test]
fn tasks_may_wait_for_what_another_persist_computes() {
    in_time(|| {
        let arrived = Arc::new(AtomicUsize::new(0));
        let waits = try_delayed(move |value: u64| {
            let slow = delayed(|x: u64| x + 1).call(value).map(|x| x + 1);
            let total = delayed(|a: u64, b: u64| a + b).call(&slow, &slow);
            arrived.fetch_add(1, Ordering::SeqCst);
            while arrived.load(Ordering::SeqCst) < pool::threads() {
                std::thread::yield_now();
            }
            let _first = total.persist()?;
            total.persist()?.compute()
        });
        let all: Vec<_> = (0..pool::threads() as u64).map(|i| waits.call(i)).collect();
        let values = delayed(|values: Vec<u64>| values)
            .call(&all)
            .compute()
            .unwrap();
        let expected: Vec<u64> = (0..pool::threads() as u64).map(|i| 2 * (i + 2)).collect();
        assert_eq!(values, expected);
    });
}

#[test]
fn what_nobody_waits_for_any_more_is_cancelled() {
    in_time(|| {
        let gate = Arc::new(Gate::default());
        let (at_gate, runs) = (gate.clone(), Arc::new(AtomicUsize::new(0)));
        let count = runs.clone();
        let first = delayed(move || at_gate.pass()).call();
        let chain = first.map(move |()| count.fetch_add(1, Ordering::SeqCst));
        let persisted = chain.persist().unwrap();
        gate.wait_for(1);
        drop(persisted);
        gate.open();
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(runs.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_failed_persist_fails_what_takes_it() {
    let bad = try_delayed(|| Err::<i32, _>("on purpose")).call();
    let persisted = bad.persist().unwrap();
    let error = persisted.map(|x| x + 1).compute().unwrap_err();
    assert!(
        error.to_string().ends_with("String: on purpose")
            || error.to_string().ends_with("str: on purpose"),
        "{error}"
    );
    let good = delayed(|| 1).call();
    assert!(compute((&good, &persisted)).is_err());
    assert_eq!(good.compute().unwrap(), 1);
}
