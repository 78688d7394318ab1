//! Fusion changes which tasks there are, and nothing else.

use super::optimize;
use crate::error::Result;
use crate::graph::{
    Arguments, AxisMap, Block, BlockInput, Grid, Key, Layer, ListedTask, Operation, TaskRef, Value,
};
use crate::schedule::{Listener, Plan, cancel::CancelToken, sync};
use parking_lot::Mutex;
use proptest::prelude::*;
use std::sync::Arc;

/// Mixes its inputs and its place, and notes that it ran.
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

/// How a layer takes one before it.
#[derive(Clone, Copy, Debug)]
enum Through {
    Same,
    Transposed,
    /// The same chunk for all: not one to one.
    Corner,
    /// One row for all.
    Row,
}

const SIDE: u32 = 3;

fn input(dependency: usize, through: Through) -> BlockInput {
    use AxisMap::{Fixed, Output};
    BlockInput {
        dependency,
        axes: match through {
            Through::Same => [Output(0), Output(1)],
            Through::Transposed => [Output(1), Output(0)],
            Through::Corner => [Fixed(1), Fixed(2)],
            Through::Row => [Fixed(0), Output(1)],
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
        // Near layers more often, so that there are chains.
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
            let tasks = (0..SIDE * SIDE)
                .map(|linear| ListedTask {
                    key: None,
                    operation: operation.clone(),
                    inputs: (0..dependencies.len() as u32)
                        .map(|dependency| TaskRef { dependency, linear })
                        .collect(),
                })
                .collect();
            Layer::listed(
                format!("listed-{}", layers.len()).into(),
                tasks,
                dependencies,
            )
        });
    }
    layers
}

fn values(layers: &[Arc<Layer>]) -> (Arc<Plan>, Vec<u64>) {
    let plan = Arc::new(Plan::new(layers).unwrap());
    let none: [Arc<dyn Listener>; 0] = [];
    let values = sync::run(&plan, &CancelToken::default(), &none).unwrap();
    (plan, values.iter().map(number).collect())
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

        let (plan, expected) = values(&outputs);
        let mut steps = std::mem::take(&mut *ran.lock());
        let fused = optimize(&outputs);
        let (fused_plan, found) = values(&fused);
        let mut fused_steps = std::mem::take(&mut *ran.lock());

        prop_assert_eq!(found, expected);
        steps.sort();
        fused_steps.sort();
        prop_assert_eq!(fused_steps, steps);
        prop_assert!(fused_plan.len() <= plan.len());
        for (new, old) in fused.iter().zip(&outputs) {
            prop_assert_eq!(new.name(), old.name());
            prop_assert_eq!(new.grid(), old.grid());
        }
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

// a → b → b.T ┐
//     └───────┴ c → d: only d takes c, and only c takes b.T
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
    let fused = optimize(std::slice::from_ref(&d)).remove(0);
    assert_eq!(fused.operation_name(0), "mix-mix-mix");
    let [inner] = fused.dependencies() else {
        panic!("one dependency: {fused:?}");
    };
    assert_eq!(inner.name(), b.name());
    assert_eq!(inner.operation_name(0), "mix-mix");
    assert!(inner.dependencies().is_empty());
    // An output stays.
    let both = optimize(&[d, b]);
    assert_eq!(both[0].dependencies()[0].name(), both[1].name());
}

#[test]
fn long_chains_fuse_in_linear_time() {
    let mut layer = mix(0, vec![], vec![]);
    for seed in 0..20_000 {
        layer = mix(seed, vec![input(0, Through::Same)], vec![layer]);
    }
    let begin = std::time::Instant::now();
    let fused = optimize(&[layer]).remove(0);
    assert!(fused.dependencies().is_empty());
    assert_eq!(fused.operation_name(0), "mix-mix-mix-mix-…-mix-mix-mix-mix");
    assert!(begin.elapsed() < std::time::Duration::from_secs(2));
}
