//! Random graphs in which tasks fail, panic and cancel.

use super::behaviour::{Live, runners};
use super::*;
use crate::graph::Tasks;
use std::sync::atomic::AtomicI64;

/// What a task does instead of its work, until the fault is fixed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Error,
    Panic,
    /// It reports that it was interrupted.
    Interrupt,
    /// It cancels its own run, and does its work.
    Cancel,
}

/// The state that the tasks of a graph share.
#[derive(Default)]
struct World {
    living: Arc<AtomicI64>,
    is_mended: std::sync::atomic::AtomicBool,
    runs: AtomicUsize,
    token: Mutex<CancelToken>,
}

struct Faulty {
    fault: Fault,
    seed: u64,
    world: Arc<World>,
}

impl Operation for Faulty {
    fn name(&self) -> &str {
        "faulty"
    }
    fn arguments(&self) -> Arguments {
        Arguments::Unique
    }
    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let world = &self.world;
        world.runs.fetch_add(1, Ordering::SeqCst);
        if !world.is_mended.load(Ordering::SeqCst) {
            match self.fault {
                Fault::None => {}
                Fault::Error => return Err(Error::Shape("on purpose".into())),
                Fault::Panic => panic!("on purpose"),
                Fault::Interrupt => return Err(Error::Interrupted),
                Fault::Cancel => world.token.lock().cancel(),
            }
        }
        let inputs = inputs.iter().map(live);
        Ok(Value::opaque(Live::new(
            &world.living,
            mix(self.seed, inputs),
        )))
    }
}

fn live(value: &Value) -> u64 {
    let live: &Live = value.opaque_ref().expect("tasks here compute these");
    live.value
}

/// Returns one layer of tasks, each of which depends on some earlier ones, and
/// the expected values.
fn faulty(tasks: &[(Vec<usize>, Fault)], world: &Arc<World>) -> (Arc<Layer>, Vec<u64>) {
    let mut listed = Listed::new();
    let mut values: Vec<u64> = Vec::new();
    for (at, (inputs, fault)) in tasks.iter().enumerate() {
        let taken: Vec<usize> = inputs
            .iter()
            .filter(|_| at > 0)
            .map(|input| input % at)
            .collect();
        let operation = Faulty {
            fault: *fault,
            seed: at as u64,
            world: world.clone(),
        };
        let refs = taken.iter().map(|&input| TaskRef::own(input as u32));
        listed.push(Arc::new(operation), refs);
        values.push(mix(at as u64, taken.iter().map(|&input| values[input])));
    }
    let layer = Layer::listed(LayerId::unique(), "faulty", listed, Vec::new());
    (layer, values)
}

fn tasks() -> impl Strategy<Value = Vec<(Vec<usize>, Fault)>> {
    let fault = prop_oneof![
        12 => Just(Fault::None),
        1 => Just(Fault::Error),
        1 => Just(Fault::Panic),
        1 => Just(Fault::Interrupt),
        1 => Just(Fault::Cancel),
    ];
    let inputs = prop::collection::vec(0usize..1000, 0..4);
    prop::collection::vec((inputs, fault), 1..40)
}

/// Waits until abandoned tasks have ended and dropped their values.
fn wait_for_none(living: &AtomicI64) {
    while living.load(Ordering::SeqCst) != 0 {
        std::thread::yield_now();
    }
}

fn check_values(values: &[Vec<Value>], expected: &[u64]) {
    let values: Vec<u64> = values[0].iter().map(live).collect();
    assert_eq!(values, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    // The run ends, with an error if a task failed. Every value is dropped, and
    // the next run is unaffected.
    #[test]
    fn a_run_with_faults_ends_and_leaves_nothing(tasks in tasks()) {
        in_time(move || {
            let has_fault = tasks.iter().any(|(_, fault)| *fault != Fault::None);
            for mut options in runners() {
                let world = Arc::new(World::default());
                let (layer, expected) = faulty(&tasks, &world);
                let recorder = Arc::new(Recorder::default());
                options.listeners.push(recorder.clone());
                let token = CancelToken::register();
                *world.token.lock() = token.clone();
                let plan = Arc::new(Plan::new(Layers::new(std::slice::from_ref(&layer))).unwrap());
                match run_plan_unless(&plan, &options, &token, &ForegroundJob::default()) {
                    Ok(values) => {
                        // A task that cancels may be the last to end.
                        let fails = |fault: Fault| !matches!(fault, Fault::None | Fault::Cancel);
                        assert!(!tasks.iter().any(|(_, fault)| fails(*fault)));
                        check_values(&[values], &expected);
                    }
                    Err(Error::Task { .. } | Error::Interrupted) => assert!(has_fault),
                    Err(error) => panic!("{error}"),
                }
                wait_for_none(&world.living);
                let events = recorder.0.lock().clone();
                check_history(&events, options.threads());
                options.listeners.clear();
                world.is_mended.store(true, Ordering::SeqCst);
                check_values(&run(&[layer], &options).unwrap(), &expected);
                wait_for_none(&world.living);
            }
        });
    }

    // The values that a persist with faults keeps are correct, and only the
    // rest runs when it is computed again.
    #[test]
    fn a_persist_with_faults_keeps_what_is_right(tasks in tasks()) {
        in_time(move || {
            for mut options in runners() {
                let world = Arc::new(World::default());
                let (layer, expected) = faulty(&tasks, &world);
                let recorder = Arc::new(Recorder::default());
                options.listeners.push(recorder.clone());
                let persisted = Persisted::start(&layer, options.clone());
                let Tasks::Values(source) = persisted.tasks() else {
                    panic!("a persisted layer has values");
                };
                let _ = source.wait();
                let events = recorder.0.lock().clone();
                check_history(&events, options.threads());
                options.listeners.clear();
                let kept: Vec<bool> =
                    (0..expected.len() as u32).map(|at| source.has(at)).collect();
                for (at, _) in kept.iter().enumerate().filter(|(_, kept)| **kept) {
                    assert_eq!(live(&source.value(at as u32).unwrap()), expected[at]);
                }
                world.is_mended.store(true, Ordering::SeqCst);
                // An interrupted run may still be executing a task.
                let missing = kept.iter().filter(|kept| !**kept).count();
                let settled = || {
                    let before = world.runs.load(Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(1));
                    world.runs.load(Ordering::SeqCst) == before
                };
                while !settled() {}
                world.runs.store(0, Ordering::SeqCst);
                check_values(&run(std::slice::from_ref(&persisted), &options).unwrap(), &expected);
                assert_eq!(world.runs.load(Ordering::SeqCst), missing);
                // The original layer finds the values as well.
                check_values(&run(&[layer], &options).unwrap(), &expected);
                drop(persisted);
                wait_for_none(&world.living);
            }
        });
    }
}
