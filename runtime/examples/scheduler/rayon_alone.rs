//! Runs the same tasks with rayon alone, written by hand for each shape: a lower
//! bound. There are no graph, no priorities, no keys, and no early end.

use crate::graphs::Noop;
use crate::shape::{Kind, Shape};
use rayon::prelude::*;
use std::sync::{Arc, OnceLock};
use swath::graph::{Block, Grid, Layer, Operation, Value};

/// Returns the requested values. With `spawned`, each independent task is a
/// separate job; otherwise rayon splits the tasks into as few jobs as it needs.
pub(crate) fn run(shape: Shape, spawned: bool) -> swath::Result<Vec<Value>> {
    let call = Call {
        operation: Arc::new(Noop),
        layer: Layer::blockwise(Noop, Grid::single(), Vec::new(), Vec::new()),
    };
    match shape.kind {
        Kind::Independent if spawned => {
            let values: Vec<OnceLock<swath::Result<Value>>> =
                (0..shape.tasks()).map(|_| OnceLock::new()).collect();
            rayon::scope(|scope| {
                for (value, task) in values.iter().zip(0..) {
                    let call = &call;
                    scope.spawn(move |_| {
                        let _ = value.set(call.run(task, Vec::new()));
                    });
                }
            });
            values
                .into_iter()
                .filter_map(OnceLock::into_inner)
                .collect()
        }
        Kind::Independent => independent(&call, shape.tasks()),
        Kind::Chain => {
            let mut value = call.run(0, Vec::new())?;
            for task in 1..shape.tasks() {
                value = call.run(task, vec![value])?;
            }
            Ok(vec![value])
        }
        Kind::Tree => Ok(vec![tree(&call, shape.leaves())?]),
        Kind::Layered => {
            let mut before = independent(&call, shape.width())?;
            for layer in 1..shape.width() {
                before = (layer * shape.width()..(layer + 1) * shape.width())
                    .into_par_iter()
                    .map_init(Vec::new, |taken, task| {
                        taken.clear();
                        shape.inputs(task, taken);
                        let inputs = taken.iter().map(|at| before[at % shape.width()].clone());
                        call.run(task, inputs.collect())
                    })
                    .collect::<swath::Result<_>>()?;
            }
            Ok(before)
        }
        Kind::FanIn => {
            let inputs = independent(&call, shape.tasks() - 1)?;
            Ok(vec![call.run(shape.tasks() - 1, inputs)?])
        }
    }
}

fn independent(call: &Call, tasks: usize) -> swath::Result<Vec<Value>> {
    (0..tasks)
        .into_par_iter()
        .map(|task| call.run(task, Vec::new()))
        .collect()
}

fn tree(call: &Call, leaves: usize) -> swath::Result<Value> {
    if leaves < 2 {
        return call.run(0, Vec::new());
    }
    let half = leaves / 2;
    let (left, right) = rayon::join(|| tree(call, half), || tree(call, leaves - half));
    call.run(0, vec![left?, right?])
}

/// A task as the scheduler would call it.
struct Call {
    operation: Arc<dyn Operation>,
    layer: Arc<Layer>,
}

impl Call {
    fn run(&self, task: usize, inputs: Vec<Value>) -> swath::Result<Value> {
        let block = Block {
            layer: &self.layer,
            linear: 0,
            index: &[task as u32],
        };
        self.operation.run(&block, inputs)
    }
}
