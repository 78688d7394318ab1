//! Checks that fusion changes the tasks, and nothing else.

use super::{Rules, optimize};
use crate::error::{Error, Result};
use crate::graph::{
    Arguments, AxisMap, Block, BlockInput, Grid, Key, Layer, LayerId, Layers, Listed, Operation,
    TaskRef, Value,
};
use crate::schedule::{Options, Plan};
use parking_lot::Mutex;
use proptest::prelude::*;
use std::sync::Arc;

/// Mixes its inputs and its index, and records that it ran.
struct Mix {
    seed: u64,
    ran: Arc<Mutex<Vec<Key>>>,
}

impl Operation for Mix {
    fn name(&self) -> &str {
        "mix"
    }
    fn arguments(&self) -> Arguments {
        Arguments::of(&self.seed)
    }
    fn run(&self, block: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        self.ran.lock().push(block.key());
        let place = block.index.iter().map(|&at| u64::from(at));
        let inputs = inputs.iter().map(number);
        let hash = place.chain(inputs).fold(self.seed, |hash, input| {
            (hash ^ input)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(23)
        });
        Ok(Value::opaque(hash))
    }
}

fn number(value: &Value) -> u64 {
    *value.opaque_ref().expect("tasks here compute numbers")
}

/// How a layer uses an earlier one.
#[derive(Clone, Copy, Debug)]
enum Through {
    Same,
    Transposed,
    /// The same chunk for all: not one to one.
    Corner,
    /// One row for all.
    Row,
    /// The last column for the first one.
    Mirrored,
}

const SIDE: u32 = 3;

fn input(dependency: usize, through: Through) -> BlockInput {
    use AxisMap::{Fixed, Mirrored, Output};
    let last = SIDE - 1;
    BlockInput {
        dependency,
        axes: match through {
            Through::Same => [Output(0), Output(1)],
            Through::Transposed => [Output(1), Output(0)],
            Through::Corner => [Fixed(1), Fixed(2)],
            Through::Row => [Fixed(0), Output(1)],
            Through::Mirrored => [Output(0), Mirrored { axis: 1, last }],
        }
        .into_iter()
        .collect(),
    }
}

type Shape = Vec<(bool, Vec<(usize, Through)>)>;

fn shapes() -> impl Strategy<Value = Shape> {
    let through = prop_oneof![
        4 => Just(Through::Same),
        2 => Just(Through::Transposed),
        1 => Just(Through::Corner),
        1 => Just(Through::Row),
        2 => Just(Through::Mirrored),
    ];
    let inputs = prop::collection::vec((0usize..100, through), 0..3);
    prop::collection::vec((prop::bool::weighted(0.85), inputs), 1..9)
}

/// Blockwise layers, with a layer of listed tasks here and there.
fn layers(shape: &Shape, ran: &Arc<Mutex<Vec<Key>>>) -> Vec<Arc<Layer>> {
    let mut layers: Vec<Arc<Layer>> = Vec::new();
    for (blockwise, inputs) in shape {
        let operation = Mix {
            seed: layers.len() as u64,
            ran: ran.clone(),
        };
        // Prefer near layers, so that chains form.
        let choose = |at: usize| layers.len().saturating_sub(1 + at % 3);
        let taken: Vec<_> = inputs
            .iter()
            .filter(|_| !layers.is_empty())
            .map(|&(at, through)| (layers[choose(at)].clone(), through))
            .collect();
        let grid = Grid::new([SIDE, SIDE]);
        let dependencies: Vec<_> = taken.iter().map(|(layer, _)| layer.clone()).collect();
        layers.push(if *blockwise {
            let inputs = taken
                .iter()
                .enumerate()
                .map(|(at, (layer, through))| match layer.grid().counts().len() {
                    2 => input(at, *through),
                    _ => BlockInput {
                        dependency: at,
                        axes: [AxisMap::Fixed(SIDE)].into_iter().collect(),
                    },
                })
                .collect();
            Layer::blockwise(operation, grid, inputs, dependencies)
        } else {
            let operation: Arc<dyn Operation> = Arc::new(operation);
            let mut tasks = Listed::new();
            for linear in 0..SIDE * SIDE {
                let inputs = 0..dependencies.len() as u32;
                let inputs = inputs.map(|dependency| TaskRef::of(dependency, linear));
                tasks.push(operation.clone(), inputs);
            }
            Layer::listed(LayerId::unique(), "listed", tasks, dependencies)
        });
    }
    layers
}

fn values(layers: Layers) -> (Arc<Plan>, Vec<u64>) {
    let plan = Arc::new(Plan::new(layers).unwrap());
    let values = crate::schedule::run_plan(&plan, &Options::default()).unwrap();
    (plan, values.iter().map(number).collect())
}

fn optimized(outputs: &[Arc<Layer>]) -> Layers {
    let mut layers = Layers::new(outputs);
    optimize(&mut layers, Rules::All).unwrap();
    layers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn fusion_keeps_values_and_names_and_runs_each_step_once(
        shape in shapes(),
        asked in prop::collection::vec(0usize..100, 1..3),
    ) {
        let ran = Arc::new(Mutex::new(Vec::new()));
        let layers = layers(&shape, &ran);
        let mut outputs: Vec<Arc<Layer>> = asked
            .iter()
            .map(|at| layers[at % layers.len()].clone())
            .collect();
        outputs.push(layers[layers.len() - 1].clone());

        let (plan, expected) = values(Layers::new(&outputs));
        let mut steps = std::mem::take(&mut *ran.lock());
        let (fused_plan, found) = values(optimized(&outputs));
        let mut fused_steps = std::mem::take(&mut *ran.lock());

        prop_assert_eq!(found, expected);
        steps.sort();
        fused_steps.sort();
        prop_assert_eq!(fused_steps, steps);
        prop_assert!(fused_plan.len() <= plan.len());
        let keys = |plan: &Plan| -> Vec<Key> {
            plan.outputs().iter().map(|task| plan.key(*task)).collect()
        };
        prop_assert_eq!(keys(&fused_plan), keys(&plan));
    }
}

fn mix(seed: u64, inputs: Vec<BlockInput>, dependencies: Vec<Arc<Layer>>) -> Arc<Layer> {
    let ran = Arc::default();
    Layer::blockwise(
        Mix { seed, ran },
        Grid::new([SIDE, SIDE]),
        inputs,
        dependencies,
    )
}

/// Fails until it has been called often enough.
struct Flaky {
    left: Mutex<u32>,
}

impl Operation for Flaky {
    fn name(&self) -> &str {
        "flaky"
    }
    fn arguments(&self) -> Arguments {
        Arguments::Unique
    }
    fn retries(&self) -> u32 {
        2
    }
    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let mut left = self.left.lock();
        if *left > 0 {
            *left -= 1;
            return Err(Error::Argument("not yet".to_owned()));
        }
        Ok(inputs.into_iter().next().unwrap())
    }
}

// A fused step is retried by itself: the one before it runs once.
#[test]
fn a_fused_step_keeps_its_retries() {
    for (failures, succeeds) in [(2, true), (3, false)] {
        let ran = Arc::default();
        let grid = Grid::new([1, 1]);
        let operation = Mix {
            seed: 1,
            ran: Arc::clone(&ran),
        };
        let first = Layer::blockwise(operation, grid.clone(), vec![], vec![]);
        let left = Mutex::new(failures);
        let inputs = vec![input(0, Through::Same)];
        let flaky = Layer::blockwise(Flaky { left }, grid, inputs, vec![first]);
        let options = Options {
            synchronous: true,
            ..Options::default()
        };
        let result = crate::schedule::run(&[flaky], &options);
        assert_eq!((result.is_ok(), ran.lock().len()), (succeeds, 1));
    }
}

// a → b → b.T ┐
//     └───────┴ c → d: only d uses c, and only c uses b.T
#[test]
fn what_is_taken_once_moves_into_what_takes_it() {
    let a = mix(0, vec![], vec![]);
    let b = mix(1, vec![input(0, Through::Same)], vec![a]);
    let t = mix(2, vec![input(0, Through::Transposed)], vec![b.clone()]);
    let c = mix(
        3,
        vec![input(0, Through::Same), input(1, Through::Same)],
        vec![b.clone(), t],
    );
    let d = mix(4, vec![input(0, Through::Same)], vec![c]);
    let names = |layers: &Layers| -> Vec<(LayerId, String)> {
        let nodes = layers.nodes().iter();
        nodes
            .map(|node| (node.layer.id(), node.operation_name(0).to_owned()))
            .collect()
    };
    let fused = optimized(std::slice::from_ref(&d));
    let expected = [(b.id(), "mix-mix".into()), (d.id(), "mix-mix-mix".into())];
    assert_eq!(names(&fused), expected);
    // An output stays.
    assert_eq!(names(&optimized(&[d, b])), expected);
}

#[test]
fn long_chains_fuse_in_linear_time() {
    let mut layer = mix(0, vec![], vec![]);
    for seed in 0..20_000 {
        layer = mix(seed, vec![input(0, Through::Same)], vec![layer]);
    }
    let fused = optimized(&[layer]);
    assert_eq!(fused.len(), 1);
    let name = fused.node(0).operation_name(0);
    assert_eq!(name, "mix-mix-mix-mix-…-mix-mix-mix-mix");
}
