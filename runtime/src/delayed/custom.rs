//! Custom task graphs: tasks under keys of your own.

use super::argument::{Argument, IntoGraphArguments, Type};
use super::call::{Body, Call, Callable, Source};
use crate::compute::{Collection, default_options};
use crate::error::{Error, Result};
use crate::graph::{
    Arguments, Block, Fingerprint, Layer, ListedTask, Operation, TaskRef, Value, short_type_name,
};
use indexmap::IndexMap;
use parking_lot::Mutex;
use std::collections::HashMap;
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
    tasks: IndexMap<Arc<str>, Task>,
    /// The layers that were made already. Tasks never change, and a layer is
    /// made only when all that it takes is there: so it stays right.
    layers: Mutex<HashMap<Arc<str>, Arc<Layer>>>,
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
    Alias(Arc<str>),
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
        self.insert_task(key.as_ref(), Task::Alias(of.as_ref().into()))
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
        let found = self.type_of(key)?;
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

    /// The layer of the task under a key, on the layers of what it needs.
    ///
    /// # Errors
    /// As [`output`](Self::output), but for the type of the value itself.
    pub fn layer(&self, key: &str) -> Result<Arc<Layer>> {
        if !self.tasks.contains_key(key) {
            return Err(self.missing(key, None));
        }
        let mut layers = self.layers.lock();
        if let Some(layer) = layers.get(key) {
            return Ok(layer.clone());
        }
        for key in self.topological(key, &layers)? {
            let layer = self.make_layer(key, &layers)?;
            layers.insert(key.clone(), layer);
        }
        Ok(layers[key].clone())
    }

    fn insert_call(
        &mut self,
        key: &str,
        body: Arc<Body>,
        arguments: Vec<Argument>,
        output: Type,
    ) -> Result<()> {
        let arguments = arguments.into_iter().map(|argument| argument.0).collect();
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
        if self.tasks.contains_key(key) {
            return Err(Error::DuplicateKey {
                key: key.to_owned(),
            });
        }
        self.tasks.insert(key.into(), task);
        Ok(())
    }

    /// The keys that `key` needs and that have no layer yet, each after what it
    /// takes.
    fn topological(
        &self,
        key: &str,
        made: &HashMap<Arc<str>, Arc<Layer>>,
    ) -> Result<Vec<&Arc<str>>> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            Unseen,
            OnPath,
            Done,
        }
        let place = |key: &str| self.tasks.get_index_of(key);
        let mut marks = vec![Mark::Unseen; self.tasks.len()];
        let mut order = Vec::new();
        // The tasks on the path, and how many of their needs were looked at.
        let mut path: Vec<(usize, Vec<&Arc<str>>, usize)> = Vec::new();
        let mut enter = place(key);
        loop {
            if let Some(at) = enter.take() {
                marks[at] = Mark::OnPath;
                path.push((at, self.tasks[at].needs(), 0));
            }
            let Some((at, needs, looked)) = path.last_mut() else {
                return Ok(order);
            };
            let at = *at;
            let Some(&need) = needs.get(*looked) else {
                marks[at] = Mark::Done;
                order.push(self.key_at(at));
                path.pop();
                continue;
            };
            *looked += 1;
            if made.contains_key(need) {
                continue;
            }
            let Some(next) = place(need) else {
                return Err(self.missing(need, Some(self.key_at(at))));
            };
            match marks[next] {
                Mark::Unseen => enter = Some(next),
                Mark::Done => {}
                Mark::OnPath => {
                    let cycle = path.iter().map(|(at, ..)| *at).skip_while(|at| *at != next);
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
        self.tasks
            .get_index(at)
            .expect("invariant: a position of a task")
            .0
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

    /// The type of the value under a key; follows aliases.
    fn type_of(&self, key: &str) -> Result<Type> {
        let mut key = key;
        // There are no more aliases in a row than tasks, unless in a cycle.
        for _ in 0..=self.tasks.len() {
            match self.tasks.get(key) {
                Some(Task::Call { output, .. } | Task::Value { output, .. }) => {
                    return Ok(*output);
                }
                Some(Task::Alias(of)) => key = of,
                None => return Err(self.missing(key, None)),
            }
        }
        Err(Error::Cycle {
            path: vec![key.to_owned(), key.to_owned()],
        })
    }

    /// The layer of a task whose needs have theirs.
    fn make_layer(
        &self,
        key: &Arc<str>,
        layers: &HashMap<Arc<str>, Arc<Layer>>,
    ) -> Result<Arc<Layer>> {
        let listed = |operation: Arc<dyn Operation>, inputs, dependencies| {
            let name = Fingerprint::new().unique().layer_name(operation.name());
            let task = ListedTask {
                key: Some(key.clone()),
                operation,
                inputs,
            };
            Layer::listed(name, vec![task], dependencies)
        };
        let input = TaskRef {
            dependency: 0,
            linear: 0,
        };
        Ok(match &self.tasks[key] {
            Task::Value { value, .. } => {
                listed(Arc::new(Literal(value.clone())), Vec::new(), Vec::new())
            }
            Task::Alias(of) => listed(Arc::new(Alias), vec![input], vec![layers[of].clone()]),
            Task::Call {
                body, arguments, ..
            } => {
                let mut given = Vec::with_capacity(arguments.len());
                for (argument, at) in arguments.iter().zip(1..) {
                    given.push(match argument {
                        Source::Key(from, expected) => {
                            self.check_type(key, at, from, *expected)?;
                            Source::Task(layers[from].clone())
                        }
                        Source::Keys(from, expected, collect) => {
                            for from in from {
                                self.check_type(key, at, from, *expected)?;
                            }
                            let from = from.iter().map(|from| layers[from].clone()).collect();
                            Source::Tasks(from, *collect)
                        }
                        other => other.clone(),
                    });
                }
                Call::layer(body, given, listed)
            }
        })
    }

    fn check_type(&self, key: &str, at: usize, from: &str, expected: Type) -> Result<()> {
        let found = self.type_of(from)?;
        if found.id == expected.id {
            return Ok(());
        }
        Err(super::type_error(
            format!("argument {at} of \"{key}\", the value of \"{from}\","),
            short_type_name(found.name),
            expected.name,
        ))
    }
}

impl Task {
    /// The keys that the task takes.
    fn needs(&self) -> Vec<&Arc<str>> {
        match self {
            Self::Value { .. } => Vec::new(),
            Self::Alias(of) => vec![of],
            Self::Call { arguments, .. } => {
                let mut needs = Vec::new();
                for argument in arguments {
                    match argument {
                        Source::Key(key, _) => needs.push(key),
                        Source::Keys(keys, ..) => needs.extend(keys),
                        _ => {}
                    }
                }
                needs
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
}

/// Passes a value on.
struct Alias;

impl Operation for Alias {
    fn name(&self) -> &str {
        "alias"
    }
    fn arguments(&self) -> Arguments {
        Arguments::none()
    }
    fn run(&self, _: &Block<'_>, mut inputs: Vec<Value>) -> Result<Value> {
        Ok(inputs.pop().expect("invariant: an alias has one input"))
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
