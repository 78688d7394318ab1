//! Layers of the tasks of a custom graph.
//!
//! Each request creates one layer, with the tasks that it needs and that no earlier layer
//! contains. Tasks never change, and are added to a layer only when all of their inputs
//! exist, so a layer stays valid.

use super::{Take, Task, TaskGraph};
use crate::delayed::argument::TaskKey;
use crate::delayed::type_error;
use crate::error::{Error, Result};
use crate::graph::{Alias, Layer, LayerId, Listed, Operation, TaskRef, short_type_name};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::Arc;

/// The layers created so far.
#[derive(Default)]
pub(super) struct Made {
    layers: Vec<Arc<Layer>>,
    /// For each task, by its position in the graph.
    locations: Vec<TaskLocation>,
}

/// The position of a task: the number of its layer, and its position there.
#[derive(Clone, Copy, PartialEq, Eq)]
struct TaskLocation {
    layer: u32,
    linear: u32,
}

impl TaskLocation {
    const NOWHERE: Self = Self {
        layer: u32::MAX,
        linear: 0,
    };
    /// The task is being visited. Reaching it again means that there is a cycle.
    const ON_PATH: Self = Self {
        layer: u32::MAX,
        linear: 1,
    };

    fn is_known(self) -> bool {
        self.layer != u32::MAX
    }
}

impl Made {
    /// Returns a layer of a single task, whose layer exists.
    pub(super) fn pick(&self, task: u32) -> Arc<Layer> {
        let location = self.locations[task as usize];
        Layer::pick(&self.layers[location.layer as usize], location.linear)
    }
}

impl TaskGraph {
    /// Creates a layer of everything that these tasks need and that no layer contains.
    pub(super) fn make(&self, tasks: &[u32], made: &mut Made) -> Result<()> {
        made.locations
            .resize(self.tasks.len(), TaskLocation::NOWHERE);
        let mut added = Vec::new();
        let mut path = Vec::new();
        let result = tasks
            .iter()
            .try_for_each(|&task| self.visit(task, made, &mut added, &mut path))
            .and_then(|()| self.layer_of_all(&added, made));
        if result.is_err() {
            let visited = added.iter().chain(path.iter().map(|(task, _)| task));
            for &task in visited {
                made.locations[task as usize] = TaskLocation::NOWHERE;
            }
        }
        result
    }

    /// Appends everything that a task needs, each task after its inputs, and assigns its
    /// position. `path` contains the tasks on the way, and the number of their inputs that
    /// were visited.
    fn visit(
        &self,
        task: u32,
        made: &mut Made,
        added: &mut Vec<u32>,
        path: &mut Vec<(u32, usize)>,
    ) -> Result<()> {
        let layer = made.layers.len() as u32;
        let locations = &mut made.locations;
        if locations[task as usize].is_known() {
            return Ok(());
        }
        locations[task as usize] = TaskLocation::ON_PATH;
        path.push((task, 0));
        while let Some((at, looked)) = path.last_mut() {
            let at = *at;
            let Some(need) = self.tasks[at as usize].need(*looked) else {
                locations[at as usize] = TaskLocation {
                    layer,
                    linear: added.len() as u32,
                };
                added.push(at);
                path.pop();
                continue;
            };
            let input = *looked;
            *looked += 1;
            let next = self.position(need, at, input)?;
            match locations[next as usize] {
                TaskLocation::NOWHERE => {
                    locations[next as usize] = TaskLocation::ON_PATH;
                    path.push((next, 0));
                }
                TaskLocation::ON_PATH => {
                    let cycle = path.iter().map(|(at, _)| *at).skip_while(|at| *at != next);
                    return Err(Error::Cycle {
                        path: cycle
                            .chain([next])
                            .map(|at| self.key_at(at as usize).to_string())
                            .collect(),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the position of a task's input.
    fn position(&self, key: &TaskKey, taken_by: u32, input: usize) -> Result<u32> {
        match key {
            TaskKey::At(at) => Ok(*at),
            TaskKey::Named(key) => match self.tasks.get_index_of(key) {
                Some(at) => Ok(at as u32),
                None => {
                    let (taker, task) = self.task_at(taken_by as usize);
                    let place = match task {
                        Task::Call { call, .. } => call.place(input).in_lists(),
                        _ => String::new(),
                    };
                    Err(self.missing(key, format!(", needed by \"{taker}\"{place}")))
                }
            },
        }
    }

    /// Creates a layer of tasks that already have their positions in it.
    fn layer_of_all(&self, tasks: &[u32], made: &mut Made) -> Result<()> {
        if tasks.is_empty() {
            return Ok(());
        }
        let mut from = LayerInputs {
            own: made.layers.len() as u32,
            made,
            dependencies: Vec::new(),
            numbers: HashMap::new(),
        };
        let alias: Arc<dyn Operation> = Arc::new(Alias);
        let mut listed = Listed::with_capacity(tasks.len(), tasks.len());
        for &task in tasks {
            let (key, body) = self.task_at(task as usize);
            let mut inputs: SmallVec<[TaskRef; 4]> = SmallVec::new();
            let operation = match body {
                Task::Value { literal, .. } => literal.clone(),
                Task::Alias(of) => {
                    inputs.push(from.reference(self.position(of, task, 0)?));
                    alias.clone()
                }
                Task::Call { call, takes, .. } => {
                    for (input, take) in takes.iter().enumerate() {
                        let taken = self.position(&take.from, task, input)?;
                        self.check_type(task, input, taken, take)?;
                        inputs.push(from.reference(taken));
                    }
                    call.operation()
                }
            };
            listed.push_keyed(key.clone(), operation, inputs);
        }
        let dependencies = from.dependencies;
        let layer = Layer::listed(LayerId::unique(), "graph", listed, dependencies);
        made.layers.push(layer);
        Ok(())
    }

    fn check_type(&self, task: u32, input: usize, from: u32, take: &Take) -> Result<()> {
        let found = self
            .type_of(from as usize)
            .expect("invariant: a task's inputs are visited before it");
        if found.is(take.expected) {
            return Ok(());
        }
        let (key, body) = self.task_at(task as usize);
        let Task::Call { call, .. } = body else {
            unreachable!("invariant: only calls have arguments");
        };
        Err(type_error(
            format!(
                "{} of \"{key}\", the value of \"{}\",",
                call.place(input),
                self.key_at(from as usize)
            ),
            short_type_name(found.name()),
            take.expected.name(),
        ))
    }
}

/// The origins of the inputs of a layer's tasks.
struct LayerInputs<'a> {
    own: u32,
    made: &'a Made,
    dependencies: Vec<Arc<Layer>>,
    /// The index of each earlier layer in `dependencies`, if it has one.
    numbers: HashMap<u32, u32>,
}

impl LayerInputs<'_> {
    fn reference(&mut self, task: u32) -> TaskRef {
        let TaskLocation { layer, linear } = self.made.locations[task as usize];
        if layer == self.own {
            return TaskRef::own(linear);
        }
        let dependency = *self.numbers.entry(layer).or_insert_with(|| {
            self.dependencies
                .push(self.made.layers[layer as usize].clone());
            self.dependencies.len() as u32 - 1
        });
        TaskRef::of(dependency, linear)
    }
}
