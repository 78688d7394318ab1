//! Custom task graphs: tasks under keys of your own.

use super::argument::{Argument, IntoGraphArguments, Type};
use super::call::{Body, Call, Callable, Source, TaskKey};
use crate::compute::{Collection, default_options};
use crate::error::{Error, Result};
use crate::graph::{
    Alias, Arguments, Block, Layer, LayerId, Listed, Operation, QuickHash, TaskRef, Value,
    short_type_name,
};
use indexmap::IndexMap;
use indexmap::map::Entry;
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::sync::Arc;

/// A graph whose tasks have keys of your own, and take each other's values by
/// key. A task may name tasks that are inserted after it; what is asked of the
/// graph is checked when it is asked, and only the tasks that it needs run.
///
/// ```
/// use swath::prelude::*;
///
/// fn clean(text: String) -> String {
///     text.trim().to_owned()
/// }
/// fn join(texts: Vec<String>) -> String {
///     texts.join(" ")
/// }
/// let mut dsk = TaskGraph::new();
/// dsk.insert("clean-1", clean, (" delayed ",))?;
/// dsk.insert("clean-2", clean, ("graphs ",))?;
/// dsk.insert("joined", join, (keys(["clean-1", "clean-2"]),))?;
/// assert_eq!(dsk.get::<String>("joined")?, "delayed graphs");
///
/// let twice = dsk.insert("joined", join, (keys(["clean-1"]),));
/// assert!(twice.unwrap_err().to_string().starts_with("two tasks under the key \"joined\""));
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Default)]
pub struct TaskGraph {
    tasks: IndexMap<Arc<str>, Task, QuickHash>,
    made: Mutex<Made>,
}

/// The layers that were made already, each of the tasks that something asked
/// for needs and that no earlier one has. Tasks never change, and are put in a
/// layer only when all that they take is there: so a layer stays right.
#[derive(Default)]
struct Made {
    layers: Vec<Arc<Layer>>,
    /// For each task, by its position in the graph, its layer and its position
    /// there.
    places: Vec<Option<(u32, u32)>>,
}

/// A task of the graph.
enum Task {
    Call {
        body: Arc<Body>,
        arguments: Vec<Source>,
        output: Type,
    },
    Value {
        value: Value,
        output: Type,
    },
    Alias(TaskKey),
}

impl TaskGraph {
    /// A graph without tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a task: a function and the tuple of its arguments, each a value,
    /// [`key`](super::key) of another task, or [`keys`](super::keys) of several
    /// for a `Vec`.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] where the key has a task.
    pub fn insert<F, Args>(
        &mut self,
        key: impl AsRef<str>,
        function: F,
        arguments: impl IntoGraphArguments<Args>,
    ) -> Result<()>
    where
        F: Callable<Args>,
        F::Output: Send + Sync + 'static,
    {
        let output = Type::of::<F::Output>();
        self.insert_call(
            key.as_ref(),
            Body::of(function),
            arguments.into_graph_arguments(),
            output,
        )
    }

    /// As [`insert`](Self::insert), for functions that return a `Result`: the
    /// task's value is that of `Ok`, and an `Err` fails the task.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] where the key has a task.
    pub fn try_insert<F, Args, T, E>(
        &mut self,
        key: impl AsRef<str>,
        function: F,
        arguments: impl IntoGraphArguments<Args>,
    ) -> Result<()>
    where
        F: Callable<Args, Output = Result<T, E>>,
        T: Send + Sync + 'static,
        E: Display + 'static,
    {
        self.insert_call(
            key.as_ref(),
            Body::fallible(function),
            arguments.into_graph_arguments(),
            Type::of::<T>(),
        )
    }

    /// Adds a value.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] where the key has a task.
    pub fn insert_value<T: Send + Sync + 'static>(
        &mut self,
        key: impl AsRef<str>,
        value: T,
    ) -> Result<()> {
        self.insert_task(
            key.as_ref(),
            Task::Value {
                value: Value::opaque(value),
                output: Type::of::<T>(),
            },
        )
    }

    /// Adds a second key for a task's value.
    ///
    /// # Errors
    /// [`Error::DuplicateKey`] where the key has a task.
    pub fn alias(&mut self, key: impl AsRef<str>, of: impl AsRef<str>) -> Result<()> {
        self.insert_task(key.as_ref(), Task::Alias(self.find(of.as_ref().into())))
    }

    /// The keys, in the order in which they were inserted.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tasks.keys().map(|key| &**key)
    }

    /// The number of tasks.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there is no task.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Computes the task under a key, and what it needs.
    ///
    /// # Errors
    /// [`Error::MissingKey`], [`Error::Cycle`] and [`Error::Type`] before
    /// anything runs; [`Error::Task`] for a task that fails.
    pub fn get<T: Clone + Send + Sync + 'static>(&self, key: impl AsRef<str>) -> Result<T> {
        self.output(key)?.compute()
    }

    /// Computes the tasks under several keys at once, each task once.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_many<T: Clone + Send + Sync + 'static>(
        &self,
        keys: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Vec<T>> {
        let outputs: Vec<TaskOutput<T>> = keys
            .into_iter()
            .map(|key| self.output(key))
            .collect::<Result<_>>()?;
        let layers: Vec<Arc<Layer>> = outputs.iter().map(|output| output.layer.clone()).collect();
        let values = crate::schedule::run(&layers, &default_options())?;
        outputs
            .iter()
            .zip(values)
            .map(|(output, values)| output.assemble(values))
            .collect()
    }

    /// The value under a key as a collection: to compute, persist or draw it.
    ///
    /// # Errors
    /// [`Error::MissingKey`], [`Error::Cycle`]; [`Error::Type`] where the value
    /// is no `T`, or an argument on the way is of another type than its
    /// parameter.
    pub fn output<T: Clone + Send + Sync + 'static>(
        &self,
        key: impl AsRef<str>,
    ) -> Result<TaskOutput<T>> {
        let key = key.as_ref();
        let layer = self.layer(key)?;
        let expected = Type::of::<T>();
        let task = self.tasks.get_index_of(key);
        let found = self.type_of(task.expect("invariant: its layer was found"))?;
        if found.id != expected.id {
            return Err(super::type_error(
                format!("the value of \"{key}\""),
                short_type_name(found.name),
                expected.name,
            ));
        }
        Ok(TaskOutput {
            key: key.into(),
            layer,
            value: PhantomData,
        })
    }

    /// A layer of the task under a key alone, on the layers of what it needs.
    ///
    /// # Errors
    /// As [`output`](Self::output), but for the type of the value itself.
    pub fn layer(&self, key: &str) -> Result<Arc<Layer>> {
        let Some(task) = self.tasks.get_index_of(key) else {
            return Err(self.missing(key, None));
        };
        let mut made = self.made.lock();
        made.places.resize(self.tasks.len(), None);
        if made.places[task].is_none() {
            let needed = self.topological(task, &made)?;
            self.make_layer(&needed, &mut made)?;
        }
        let (layer, linear) =
            made.places[task].expect("invariant: the layer has the task that it was made for");
        Ok(Layer::pick(&made.layers[layer as usize], linear))
    }

    fn insert_call(
        &mut self,
        key: &str,
        body: Arc<Body>,
        arguments: Vec<Argument>,
        output: Type,
    ) -> Result<()> {
        let arguments = arguments
            .into_iter()
            .map(|argument| self.resolved(argument.0))
            .collect();
        self.insert_task(
            key,
            Task::Call {
                body,
                arguments,
                output,
            },
        )
    }

    fn insert_task(&mut self, key: &str, task: Task) -> Result<()> {
        match self.tasks.entry(key.into()) {
            Entry::Occupied(_) => Err(Error::DuplicateKey {
                key: key.to_owned(),
            }),
            Entry::Vacant(entry) => {
                entry.insert(task);
                Ok(())
            }
        }
    }

    /// An argument with the positions of the tasks that are there already, in
    /// place of their keys.
    fn resolved(&self, argument: Source) -> Source {
        match argument {
            Source::Key(TaskKey::Named(key), output) => Source::Key(self.find(key), output),
            Source::Keys(keys, output, collect) => {
                let keys = keys.into_iter().map(|key| match key {
                    TaskKey::Named(key) => self.find(key),
                    at => at,
                });
                Source::Keys(keys.collect(), output, collect)
            }
            other => other,
        }
    }

    fn find(&self, key: Arc<str>) -> TaskKey {
        match self.tasks.get_index_of(&key) {
            Some(at) => TaskKey::At(at as u32),
            None => TaskKey::Named(key),
        }
    }

    /// The position of a task that another one takes.
    fn position(&self, key: &TaskKey, taken_by: usize) -> Result<usize> {
        match key {
            TaskKey::At(at) => Ok(*at as usize),
            TaskKey::Named(key) => self
                .tasks
                .get_index_of(key)
                .ok_or_else(|| self.missing(key, Some(self.key_at(taken_by)))),
        }
    }

    /// The tasks that a task needs and that have no layer yet, each after what
    /// it takes.
    fn topological(&self, task: usize, made: &Made) -> Result<Vec<usize>> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            Unseen,
            OnPath,
            Done,
        }
        let mut marks = vec![Mark::Unseen; self.tasks.len()];
        let mut order = Vec::new();
        // The tasks on the path, and how many of their needs were looked at.
        let mut path: Vec<(usize, usize)> = Vec::new();
        let mut enter = Some(task);
        loop {
            if let Some(at) = enter.take() {
                marks[at] = Mark::OnPath;
                path.push((at, 0));
            }
            let Some((at, looked)) = path.last_mut() else {
                return Ok(order);
            };
            let at = *at;
            let Some(need) = self.tasks[at].need(*looked) else {
                marks[at] = Mark::Done;
                order.push(at);
                path.pop();
                continue;
            };
            *looked += 1;
            let next = self.position(need, at)?;
            if made.places[next].is_some() {
                continue;
            }
            match marks[next] {
                Mark::Unseen => enter = Some(next),
                Mark::Done => {}
                Mark::OnPath => {
                    let cycle = path.iter().map(|(at, _)| *at).skip_while(|at| *at != next);
                    return Err(Error::Cycle {
                        path: cycle
                            .chain([next])
                            .map(|at| self.key_at(at).to_string())
                            .collect(),
                    });
                }
            }
        }
    }

    fn key_at(&self, at: usize) -> &Arc<str> {
        self.task_at(at).0
    }

    fn missing(&self, key: &str, needed_by: Option<&str>) -> Error {
        Error::MissingKey {
            key: key.to_owned(),
            needed_by: needed_by
                .map(|task| format!(", which \"{task}\" takes"))
                .unwrap_or_default(),
            available: self.keys().map(str::to_owned).collect(),
        }
    }

    /// The type of a task's value; follows aliases, which are known not to go in
    /// a circle.
    fn type_of(&self, task: usize) -> Result<Type> {
        let mut at = task;
        loop {
            match &self.tasks[at] {
                Task::Call { output, .. } | Task::Value { output, .. } => return Ok(*output),
                Task::Alias(of) => at = self.position(of, at)?,
            }
        }
    }

    /// Makes a layer of tasks, each of which comes after those that it takes.
    fn make_layer(&self, tasks: &[usize], made: &mut Made) -> Result<()> {
        let own = made.layers.len() as u32;
        let mut listed = Listed::with_capacity(tasks.len(), tasks.len());
        let mut places = std::mem::take(&mut made.places);
        // Every earlier layer may be taken from.
        let place = |places: &[Option<(u32, u32)>], task: usize| {
            let (layer, linear) =
                places[task].expect("invariant: a task comes after those that it takes");
            if layer == own {
                TaskRef::own(linear)
            } else {
                TaskRef::of(layer, linear)
            }
        };
        let mut add = |task: usize, places: &mut [Option<(u32, u32)>]| -> Result<()> {
            let (key, body) = self.task_at(task);
            let mut inputs: SmallVec<[TaskRef; 4]> = SmallVec::new();
            let operation: Arc<dyn Operation> = match body {
                Task::Value { value, .. } => Arc::new(Literal(value.clone())),
                Task::Alias(of) => {
                    inputs.push(place(places, self.position(of, task)?));
                    Arc::new(Alias)
                }
                Task::Call {
                    body, arguments, ..
                } => {
                    for (argument, at) in arguments.iter().zip(1..) {
                        let (taken, expected) = match argument {
                            Source::Key(from, expected) => (std::slice::from_ref(from), expected),
                            Source::Keys(from, expected, _) => (&from[..], expected),
                            _ => continue,
                        };
                        for from in taken {
                            let from = self.position(from, task)?;
                            self.check_type(task, at, from, *expected)?;
                            inputs.push(place(places, from));
                        }
                    }
                    Arc::new(Call::new(body, arguments))
                }
            };
            let linear = listed.push_keyed(key.clone(), operation, inputs);
            places[task] = Some((own, linear));
            Ok(())
        };
        let added = tasks.iter().try_for_each(|&task| add(task, &mut places));
        if added.is_err() {
            for &task in tasks {
                places[task] = None;
            }
        }
        made.places = places;
        added?;
        let layer = Layer::listed(LayerId::unique(), "graph", listed, made.layers.clone());
        made.layers.push(layer);
        Ok(())
    }

    fn task_at(&self, at: usize) -> (&Arc<str>, &Task) {
        self.tasks
            .get_index(at)
            .expect("invariant: a position of a task")
    }

    fn check_type(&self, task: usize, at: usize, from: usize, expected: Type) -> Result<()> {
        let found = self.type_of(from)?;
        if found.id == expected.id {
            return Ok(());
        }
        Err(super::type_error(
            format!(
                "argument {at} of \"{}\", the value of \"{}\",",
                self.key_at(task),
                self.key_at(from)
            ),
            short_type_name(found.name),
            expected.name,
        ))
    }
}

impl Task {
    /// The key that the task takes at a place among all that it takes.
    fn need(&self, at: usize) -> Option<&TaskKey> {
        match self {
            Self::Value { .. } => None,
            Self::Alias(of) => (at == 0).then_some(of),
            Self::Call { arguments, .. } => {
                let mut at = at;
                for argument in arguments {
                    let keys = match argument {
                        Source::Key(key, _) => std::slice::from_ref(key),
                        Source::Keys(keys, ..) => keys,
                        _ => continue,
                    };
                    if let Some(key) = keys.get(at) {
                        return Some(key);
                    }
                    at -= keys.len();
                }
                None
            }
        }
    }
}

impl fmt::Debug for TaskGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskGraph ")?;
        f.debug_list().entries(self.keys()).finish()
    }
}

/// A value that stands in a graph.
struct Literal(Value);

impl Operation for Literal {
    fn name(&self) -> &str {
        "value"
    }
    fn arguments(&self) -> Arguments {
        Arguments::Unique
    }
    fn run(&self, _: &Block<'_>, _: Vec<Value>) -> Result<Value> {
        Ok(self.0.clone())
    }
    fn literal(&self) -> Option<&Value> {
        Some(&self.0)
    }
}

/// The value of a task in a custom graph, as a collection.
pub struct TaskOutput<T> {
    key: Arc<str>,
    layer: Arc<Layer>,
    value: PhantomData<fn() -> T>,
}

impl<T> TaskOutput<T> {
    /// The task's key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl<T> Clone for TaskOutput<T> {
    fn clone(&self) -> Self {
        Self {
            key: self.key.clone(),
            layer: self.layer.clone(),
            value: PhantomData,
        }
    }
}

impl<T> fmt::Debug for TaskOutput<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskOutput(\"{}\")", self.key)
    }
}

impl<T: Clone + Send + Sync + 'static> Collection for TaskOutput<T> {
    type Output = T;

    fn layer(&self) -> Result<Arc<Layer>> {
        Ok(self.layer.clone())
    }

    fn with_layer(&self, layer: Arc<Layer>) -> Self {
        Self {
            layer,
            ..self.clone()
        }
    }

    fn assemble(&self, mut chunks: Vec<Value>) -> Result<T> {
        let value = chunks.pop().expect("invariant: a layer of one task");
        super::take(value, || format!("the value of \"{}\"", self.key))
    }
}
