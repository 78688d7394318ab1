//! Builds and runs graphs of tasks that do nothing, in each of the possible
//! forms.

use crate::shape::{Kind, Shape};
use std::error::Error;
use std::sync::Arc;
use swath::Collection;
use swath::delayed::{Delayed, TaskGraph, delayed, key, keys};
use swath::graph::{Arguments, Block, Grid, Layer, LayerId, Listed, Operation, TaskRef, Value};
use swath::schedule::{self, Options};

/// The form of a graph.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// A layer of tasks listed one by one, by number.
    Listed,
    /// A layer that follows a rule: independent tasks only.
    Blockwise,
    /// Delayed calls.
    Delayed,
    /// A custom graph with keys that are strings.
    Keys,
}

/// A graph, ready to be run.
pub(crate) enum Graph {
    Layers(Vec<Arc<Layer>>),
    /// A custom graph with the requested keys.
    Keys(TaskGraph, Vec<String>),
}

impl Graph {
    pub(crate) fn build(shape: Shape, form: Form) -> Result<Self, Box<dyn Error>> {
        Ok(match form {
            Form::Listed => Self::Layers(vec![listed(shape, &(Arc::new(Noop) as _))]),
            Form::Blockwise if shape.kind == Kind::Independent => {
                let grid = Grid::new([shape.tasks() as u32]);
                Self::Layers(vec![Layer::blockwise(Noop, grid, vec![], vec![])])
            }
            Form::Blockwise => return Err("blockwise layers are for independent tasks".into()),
            Form::Delayed => Self::Layers(calls(shape)?),
            Form::Keys => by_key(shape)?,
        })
    }

    /// Runs the graph and returns the number of values.
    pub(crate) fn run(&self, synchronous: bool) -> swath::Result<usize> {
        let options = Options {
            synchronous,
            ..Options::default()
        };
        match self {
            Self::Layers(layers) => run(layers, &options),
            Self::Keys(graph, asked) => {
                let layers = graph.layers(asked)?;
                run(&layers, &options)
            }
        }
    }
}

/// Runs one operation a number of times, on a number of threads.
pub(crate) fn run_independent(
    operation: Arc<dyn Operation>,
    tasks: usize,
    threads: usize,
) -> swath::Result<usize> {
    let layer = listed(Shape::new(Kind::Independent, tasks), &operation);
    let options = Options {
        threads: Some(threads),
        ..Options::default()
    };
    run(&[layer], &options)
}

fn run(layers: &[Arc<Layer>], options: &Options) -> swath::Result<usize> {
    let values = schedule::run(layers, options)?;
    Ok(values.iter().map(Vec::len).sum())
}

/// Returns a layer of the requested tasks, which depends on a layer of the
/// others.
fn listed(shape: Shape, operation: &Arc<dyn Operation>) -> Arc<Layer> {
    let asked = shape.outputs().start;
    let mut taken = Vec::new();
    let mut tasks = |range: std::ops::Range<usize>| -> Listed {
        let begin = range.start;
        let mut tasks = Listed::with_capacity(range.len(), range.len());
        for task in range {
            taken.clear();
            shape.inputs(task, &mut taken);
            let inputs = taken.iter().map(|&from| match from.checked_sub(begin) {
                Some(linear) => TaskRef::own(linear as u32),
                None => TaskRef::of(0, from as u32),
            });
            tasks.push(operation.clone(), inputs);
        }
        tasks
    };
    let dependencies = if asked == 0 {
        Vec::new()
    } else {
        let others = tasks(0..asked);
        vec![Layer::listed(LayerId::unique(), "noop", others, Vec::new())]
    };
    let asked = tasks(asked..shape.tasks());
    Layer::listed(LayerId::unique(), "noop", asked, dependencies)
}

/// Returns the layers of the requested calls.
fn calls(shape: Shape) -> swath::Result<Vec<Arc<Layer>>> {
    let none = delayed(|| ());
    let one = delayed(|()| ());
    let two = delayed(|(), ()| ());
    let many = delayed(|_: Vec<()>| ());
    let mut made: Vec<Delayed<()>> = Vec::with_capacity(shape.tasks());
    let mut taken = Vec::new();
    for task in 0..shape.tasks() {
        taken.clear();
        shape.inputs(task, &mut taken);
        made.push(match taken[..] {
            [] => none.call(),
            [a] => one.call(&made[a]),
            [a, b] => two.call(&made[a], &made[b]),
            _ => many.call(taken.iter().map(|&at| &made[at]).collect::<Vec<_>>()),
        });
    }
    made[shape.outputs()]
        .iter()
        .map(Collection::layer)
        .collect()
}

fn by_key(shape: Shape) -> swath::Result<Graph> {
    let name = |task: usize| format!("task-{task}");
    let mut graph = TaskGraph::new();
    let mut taken = Vec::new();
    for task in 0..shape.tasks() {
        taken.clear();
        shape.inputs(task, &mut taken);
        match taken[..] {
            [] => graph.insert(name(task), || (), ())?,
            [a] => graph.insert(name(task), |()| (), (key(name(a)),))?,
            [a, b] => graph.insert(name(task), |(), ()| (), (key(name(a)), key(name(b))))?,
            _ => {
                let taken = keys(taken.iter().map(|&at| name(at)));
                graph.insert(name(task), |_: Vec<()>| (), (taken,))?;
            }
        }
    }
    Ok(Graph::Keys(graph, shape.outputs().map(name).collect()))
}

/// Does nothing.
pub(crate) struct Noop;

impl Operation for Noop {
    fn name(&self) -> &str {
        "noop"
    }

    fn arguments(&self) -> Arguments {
        Arguments::none()
    }

    fn run(&self, _: &Block<'_>, _: Vec<Value>) -> swath::Result<Value> {
        Ok(Value::opaque(()))
    }
}
