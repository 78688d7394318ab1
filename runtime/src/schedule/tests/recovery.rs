//! Tests how failures are reported, and what is computed again after them.

use super::behaviour::runners;
use super::*;
use crate::array::Array;
use crate::graph::Tasks;
use std::sync::atomic::AtomicBool;

/// A graph of numbers with one task that fails until it is fixed.
struct Broken {
    is_mended: AtomicBool,
    runs: Mutex<Vec<u32>>,
    with: fn() -> Error,
}

impl Broken {
    fn with(with: fn() -> Error) -> Arc<Self> {
        Arc::new(Self {
            is_mended: AtomicBool::new(false),
            runs: Mutex::new(Vec::new()),
            with,
        })
    }

    /// Returns the tasks that ran since the last call.
    fn ran(&self) -> Vec<u32> {
        let mut ran = std::mem::take(&mut *self.runs.lock());
        ran.sort_unstable();
        ran
    }
}

struct Task {
    is_broken: bool,
    graph: Arc<Broken>,
}

impl Operation for Task {
    fn name(&self) -> &str {
        "task"
    }
    fn arguments(&self) -> Arguments {
        Arguments::Unique
    }
    fn run(&self, block: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        self.graph.runs.lock().push(block.linear);
        if self.is_broken && !self.graph.is_mended.load(Ordering::SeqCst) {
            return Err((self.graph.with)());
        }
        let seed = u64::from(block.linear);
        Ok(Value::opaque(mix(seed, inputs.iter().map(number))))
    }
}

/// 0 ┬ 2 ─ 4 ┐
/// 1 ┼ 3 ─ 5 ┴ 6        3 is broken: 5 and 6 do not run
fn broken(graph: &Arc<Broken>) -> Arc<Layer> {
    let inputs: [&[u32]; 7] = [&[], &[], &[0, 1], &[0, 1], &[2], &[3], &[4, 5]];
    let mut listed = Listed::new();
    for (at, inputs) in inputs.iter().enumerate() {
        let operation = Task {
            is_broken: at == 3,
            graph: graph.clone(),
        };
        let inputs = inputs.iter().map(|&input| TaskRef::own(input));
        listed.push(Arc::new(operation), inputs);
    }
    Layer::listed(LayerId::unique(), "task", listed, Vec::new())
}

#[test]
fn a_failure_tells_key_operation_inputs_and_cause() {
    struct Fails;
    impl Operation for Fails {
        fn name(&self) -> &str {
            "fails"
        }
        fn arguments(&self) -> Arguments {
            Arguments::Unique
        }
        fn run(&self, _: &Block<'_>, _: Vec<Value>) -> Result<Value> {
            Err(Error::Shape("no such shape".into()))
        }
    }
    let ones = Array::<f64>::ones((4, 2), (2, 2));
    let dependencies = vec![ones.layer().unwrap(), Delayed::value(3i64).layer().unwrap()];
    let names: Vec<_> = dependencies
        .iter()
        .map(|layer| layer.name().clone())
        .collect();
    let mut listed = Listed::new();
    listed.push(Arc::new(Fails), [TaskRef::of(0, 1), TaskRef::of(1, 0)]);
    let layer = Layer::listed(LayerId::unique(), "fails", listed, dependencies);
    for options in runners() {
        let error = run(std::slice::from_ref(&layer), &options).unwrap_err();
        let text = error.to_string();
        let Error::Task {
            key,
            operation,
            inputs,
            cause,
        } = error
        else {
            panic!("a task failed");
        };
        assert_eq!((&*key, &*operation), (&**layer.name(), "fails"));
        assert_eq!(
            inputs,
            [
                format!("{}[1, 0]: array f64 (2, 2)", names[0]),
                format!("{}: i64", names[1])
            ]
        );
        assert!(matches!(cause.downcast_ref(), Some(Error::Shape(_))));
        assert!(
            text.contains("(fails) failed: no such shape; its inputs: "),
            "{text}"
        );
    }
}

#[test]
fn a_persist_keeps_what_does_not_depend_on_what_failed() {
    for options in runners() {
        let graph = Broken::with(|| Error::Shape("on purpose".into()));
        let layer = broken(&graph);
        let persisted = Persisted::start(&layer, options.clone());
        let Tasks::Values(source) = persisted.tasks() else {
            panic!("a persisted layer has values");
        };
        let error = source.wait().unwrap_err();
        assert!(error.to_string().contains("on purpose"), "{error}");
        let has: Vec<u32> = (0..7).filter(|&at| source.has(at)).collect();
        assert_eq!(has, [0, 1, 2, 4]);
        assert_eq!(graph.ran(), [0, 1, 2, 3, 4]);
        // Computing it runs the missing tasks, as far as possible.
        run(std::slice::from_ref(&persisted), &options).unwrap_err();
        assert_eq!(graph.ran(), [3]);
        run(std::slice::from_ref(&layer), &options).unwrap_err();
        assert_eq!(graph.ran(), [3]);

        graph.is_mended.store(true, Ordering::SeqCst);
        let values = run(std::slice::from_ref(&persisted), &options).unwrap();
        assert_eq!(graph.ran(), [3, 5, 6]);
        let whole = run(&[broken(&graph)], &options).unwrap();
        let numbers = |values: &[Vec<Value>]| values[0].iter().map(number).collect::<Vec<_>>();
        assert_eq!(numbers(&values), numbers(&whole));
        graph.ran();

        // After persisting it again, nothing is missing.
        let again = Persisted::start(&persisted, options.clone());
        run(std::slice::from_ref(&again), &options).unwrap();
        assert_eq!(graph.ran(), [3, 5, 6]);
        run(&[again], &options).unwrap();
        assert!(graph.ran().is_empty());
    }
}

#[test]
fn after_an_interrupt_only_what_is_missing_is_computed() {
    for options in runners() {
        let graph = Broken::with(|| Error::Interrupted);
        let persisted = Persisted::start(&broken(&graph), options.clone());
        let Tasks::Values(source) = persisted.tasks() else {
            panic!("a persisted layer has values");
        };
        let told = source.wait().unwrap_err().to_string();
        assert!(
            told.contains("was interrupted: compute or persist it again"),
            "{told}"
        );
        graph.is_mended.store(true, Ordering::SeqCst);
        // Wait for tasks that were running at that time.
        std::thread::sleep(Duration::from_millis(20));
        graph.ran();
        let missing: Vec<u32> = (0..7).filter(|&at| !source.has(at)).collect();
        assert!(missing.contains(&3) && !missing.contains(&0));
        run(std::slice::from_ref(&persisted), &options).unwrap();
        assert_eq!(graph.ran(), missing);
    }
}
