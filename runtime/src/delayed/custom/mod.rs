//! Custom task graphs: tasks under keys of your own.
//!
//! [`made`] creates layers of them on request.

mod made;
mod output;

pub use output::TaskOutput;

use super::argument::{Argument, IntoGraphArguments, TaskKey, Type};
use super::call::{Callable, Called, Taken};
use super::function::TaskFunction;
use super::keys::{Asked, IntoKeys, KeysOf};
use super::pure::Code;
use crate::compute::{Collection, default_options};
use crate::error::{Error, Result};
use crate::graph::{Arguments, Block, Layer, Operation, QuickHash, Value, short_type_name};
use indexmap::IndexMap;
use indexmap::map::Entry;
use made::Made;
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::fmt::{self, Display};
use std::sync::Arc;

/// A graph whose tasks have your own keys and use each other's values by key.
///
/// A task may refer to tasks that are inserted after it. Each request checks the part of the
/// graph that it needs, and runs only those tasks.
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
#[doc(alias("HighLevelGraph", "dsk"))]
#[derive(Default)]
pub struct TaskGraph {
    tasks: IndexMap<Arc<str>, Task, QuickHash>,
    /// The functions without data, each shared by all tasks that call it.
    bodies: HashMap<Code, Arc<TaskFunction>, QuickHash>,
    made: Mutex<Made>,
}

/// A task of a graph.
enum Task {
    Call {
        call: Called,
        /// The tasks in its arguments.
        takes: SmallVec<[Take; 1]>,
        output: Type,
    },
    Value {
        literal: Arc<dyn Operation>,
        output: Type,
    },
    Alias(TaskKey),
}

/// An input of a task, and the type that its parameter expects.
struct Take {
    from: TaskKey,
    expected: Type,
}

impl TaskGraph {
    /// Creates a graph without tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a task: a function and the tuple of its arguments.
    ///
    /// Each argument is a value, the [`key`](super::key) of another task, or
    /// [`keys`](super::keys()) of several tasks for a `Vec`, nested like the parameter.
    ///
    /// # Errors
    /// Returns [`Error::DuplicateKey`] if the key already has a task.
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
        let body = match self.known(Code::of::<F, Args>(false)) {
            Some(body) => body,
            None => self.learn(TaskFunction::of(function)),
        };
        let output = Type::of::<F::Output>();
        let mut arguments = arguments.into_graph_arguments();
        self.insert_call(key.as_ref(), &body, arguments.as_mut(), output)
    }

    /// Like [`insert`](Self::insert), for functions that return a `Result`. The task's value is
    /// that of `Ok`, and an `Err` fails the task.
    ///
    /// # Errors
    /// Returns [`Error::DuplicateKey`] if the key already has a task.
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
        let body = match self.known(Code::of::<F, Args>(true)) {
            Some(body) => body,
            None => self.learn(TaskFunction::fallible(function)),
        };
        let mut arguments = arguments.into_graph_arguments();
        self.insert_call(key.as_ref(), &body, arguments.as_mut(), Type::of::<T>())
    }

    /// Adds a value.
    ///
    /// # Errors
    /// Returns [`Error::DuplicateKey`] if the key already has a task.
    pub fn insert_value<T: Send + Sync + 'static>(
        &mut self,
        key: impl AsRef<str>,
        value: T,
    ) -> Result<()> {
        self.insert_task(
            key.as_ref(),
            Task::Value {
                literal: Arc::new(Literal(Value::opaque(value))),
                output: Type::of::<T>(),
            },
        )
    }

    /// Adds a second key for a task's value.
    ///
    /// # Errors
    /// Returns [`Error::DuplicateKey`] if the key already has a task.
    pub fn alias(&mut self, key: impl AsRef<str>, of: impl AsRef<str>) -> Result<()> {
        let of = self.find(TaskKey::Named(of.as_ref().into()));
        self.insert_task(key.as_ref(), Task::Alias(of))
    }

    /// Returns the keys, in the order of insertion.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tasks.keys().map(|key| &**key)
    }

    /// Returns the number of tasks.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Returns whether there are no tasks.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Computes the task under a key, and the tasks that it needs.
    ///
    /// # Errors
    /// Returns [`Error::MissingKey`], [`Error::Cycle`] or [`Error::Type`] before any task runs,
    /// and [`Error::Task`] for a task that fails.
    pub fn get<T: Clone + Send + Sync + 'static>(&self, key: impl AsRef<str>) -> Result<T> {
        self.output(key)?.compute()
    }

    /// Computes the tasks under several keys at once, and each task only once.
    ///
    /// The result has the shape of the keys: a list of keys has a `Vec` of values, a list of
    /// lists a `Vec` of these, a tuple of keys a tuple.
    ///
    /// # Errors
    /// The same as for [`get`](Self::get), with the position of the wrong key.
    ///
    /// ```
    /// use swath::prelude::*;
    ///
    /// let mut dsk = TaskGraph::new();
    /// dsk.insert_value("a", 1)?;
    /// dsk.insert("b", |x: i32| x + 1, (key("a"),))?;
    /// dsk.insert("text", |x: i32| x.to_string(), (key("b"),))?;
    ///
    /// let rows: Vec<Vec<i32>> = dsk.get_all([vec!["a", "b"], vec!["b"]])?;
    /// assert_eq!(rows, [vec![1, 2], vec![2]]);
    /// let (text, numbers): (String, Vec<i32>) = dsk.get_all(("text", ["a", "b"]))?;
    /// assert_eq!((&*text, &numbers[..]), ("2", &[1, 2][..]));
    ///
    /// let error = dsk.get_all::<Vec<Vec<i32>>>([["a", "b"], ["a", "c"]]).unwrap_err();
    /// assert!(error.to_string().starts_with("no task under the key \"c\" at [1][1]"));
    /// # Ok::<(), swath::Error>(())
    /// ```
    pub fn get_all<V>(&self, keys: impl IntoKeys<Keys: KeysOf<V>>) -> Result<V> {
        self.answer(keys.into_keys())
    }

    fn answer<V, K: KeysOf<V>>(&self, keys: K) -> Result<V> {
        let mut asked = Asked::of(self);
        let shape = keys.ask(&mut asked)?;
        let layers = self.layers_of(&asked.tasks)?;
        let values = crate::schedule::run(&layers, &default_options())?;
        let values: Vec<Value> = values.into_iter().flatten().collect();
        K::answer(shape, &mut values.into_iter())
    }

    /// Returns the value under a key as a collection, to compute, persist or draw it.
    ///
    /// # Errors
    /// Returns [`Error::MissingKey`], [`Error::Cycle`], or [`Error::Type`] if the value is not a
    /// `T`, or if an argument on the way does not have its parameter's type.
    pub fn output<T: Clone + Send + Sync + 'static>(
        &self,
        key: impl AsRef<str>,
    ) -> Result<TaskOutput<T>> {
        let task = self.asked(key.as_ref(), Type::of::<T>(), String::new)?;
        let layer = self.layer_of(task)?;
        Ok(TaskOutput::new(self.key_at(task as usize).clone(), layer))
    }

    /// Returns a layer of only the task under a key, on the layers of its inputs.
    ///
    /// # Errors
    /// The same as for [`output`](Self::output), except for the type of the value itself.
    pub fn layer(&self, key: &str) -> Result<Arc<Layer>> {
        self.layer_of(self.task(key, String::new)?)
    }

    /// Returns a layer for each of these tasks. This is faster than one by one.
    ///
    /// # Errors
    /// The same as for [`layer`](Self::layer).
    pub fn layers(
        &self,
        keys: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Vec<Arc<Layer>>> {
        let tasks: Vec<u32> = keys
            .into_iter()
            .map(|key| self.task(key.as_ref(), String::new))
            .collect::<Result<_>>()?;
        self.layers_of(&tasks)
    }

    fn layer_of(&self, task: u32) -> Result<Arc<Layer>> {
        let mut layers = self.layers_of(&[task])?;
        Ok(layers.pop().expect("invariant: one layer for each task"))
    }

    fn layers_of(&self, tasks: &[u32]) -> Result<Vec<Arc<Layer>>> {
        let mut made = self.made.lock();
        self.make(tasks, &mut made)?;
        Ok(tasks.iter().map(|&task| made.pick(task)).collect())
    }

    /// Returns the position of a task, whose value must have the given type.
    pub(super) fn asked(
        &self,
        key: &str,
        expected: Type,
        place: impl Fn() -> String,
    ) -> Result<u32> {
        let task = self.task(key, &place)?;
        match self.type_of(task as usize) {
            Some(found) if !found.is(expected) => Err(super::type_error(
                format!("the value of \"{key}\"{}", place()),
                short_type_name(found.name()),
                expected.name(),
            )),
            // `None` is an alias of a missing task. Creating its layer reports that.
            _ => Ok(task),
        }
    }

    fn task(&self, key: &str, place: impl FnOnce() -> String) -> Result<u32> {
        match self.tasks.get_index_of(key) {
            Some(task) => Ok(task as u32),
            None => Err(self.missing(key, place())),
        }
    }

    /// Returns a function that other tasks already call, if all functions of this code are equal.
    fn known(&self, code: Code) -> Option<Arc<TaskFunction>> {
        self.bodies.get(&code).cloned()
    }

    fn learn(&mut self, body: Arc<TaskFunction>) -> Arc<TaskFunction> {
        if body.code().is_stateless() {
            self.bodies.insert(*body.code(), body.clone());
        }
        body
    }

    fn insert_call(
        &mut self,
        key: &str,
        body: &Arc<TaskFunction>,
        arguments: &mut [Argument],
        output: Type,
    ) -> Result<()> {
        let mut takes = SmallVec::new();
        let call = Called::new(body, arguments, &mut |taken| match taken {
            Taken::Key(from, expected) => takes.push(Take {
                from: self.find(from),
                expected,
            }),
            Taken::Task(_) => unreachable!("invariant: a custom graph has no delayed values"),
        });
        let task = Task::Call {
            call,
            takes,
            output,
        };
        self.insert_task(key, task)
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

    /// Replaces the key of a task that exists by its position.
    fn find(&self, key: TaskKey) -> TaskKey {
        match key {
            TaskKey::Named(key) => match self.tasks.get_index_of(&key) {
                Some(at) => TaskKey::At(at as u32),
                None => TaskKey::Named(key),
            },
            at => at,
        }
    }

    fn key_at(&self, at: usize) -> &Arc<str> {
        self.task_at(at).0
    }

    fn task_at(&self, at: usize) -> (&Arc<str>, &Task) {
        self.tasks
            .get_index(at)
            .expect("invariant: the position of a task")
    }

    fn missing(&self, key: &str, needed_by: String) -> Error {
        Error::MissingKey {
            key: key.to_owned(),
            needed_by,
            available: self.keys().map(str::to_owned).collect(),
        }
    }

    /// Returns the type of a task's value, or `None` for an alias of a missing task.
    fn type_of(&self, task: usize) -> Option<Type> {
        let mut at = task;
        // A cycle of aliases is followed at most once.
        for _ in 0..=self.tasks.len() {
            at = match &self.tasks[at] {
                Task::Call { output, .. } | Task::Value { output, .. } => return Some(*output),
                Task::Alias(TaskKey::At(of)) => *of as usize,
                Task::Alias(TaskKey::Named(of)) => self.tasks.get_index_of(of)?,
            };
        }
        None
    }
}

impl Task {
    /// Returns the key of the input with a number.
    fn need(&self, at: usize) -> Option<&TaskKey> {
        match self {
            Self::Value { .. } => None,
            Self::Alias(of) => (at == 0).then_some(of),
            Self::Call { takes, .. } => takes.get(at).map(|take| &take.from),
        }
    }
}

impl fmt::Debug for TaskGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskGraph ")?;
        f.debug_list().entries(self.keys()).finish()
    }
}

/// A literal value in a graph.
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
