//! The dependency graph of tasks, in dense numbers.

/// A task's number in a graph. A task's inputs have smaller numbers than the
/// task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u32);

impl TaskId {
    /// Returns the number as an index.
    #[inline]
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// A list of tasks for each task, in one flat array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjacency {
    start: Vec<u32>,
    tasks: Vec<TaskId>,
}

impl Default for Adjacency {
    fn default() -> Self {
        Self::with_capacity(0, 0)
    }
}

impl Adjacency {
    /// Creates an empty adjacency with room for the given numbers of lists and
    /// entries.
    pub fn with_capacity(lists: usize, entries: usize) -> Self {
        let mut start = Vec::with_capacity(lists + 1);
        start.push(0);
        Self {
            start,
            tasks: Vec::with_capacity(entries),
        }
    }

    /// Adds the next task's list.
    #[inline]
    pub fn push(&mut self, tasks: impl IntoIterator<Item = TaskId>) {
        self.tasks.extend(tasks);
        self.start.push(self.tasks.len() as u32);
    }

    /// Returns a task's list.
    #[inline]
    pub fn of(&self, task: TaskId) -> &[TaskId] {
        &self.tasks[self.start[task.at()] as usize..self.start[task.at() + 1] as usize]
    }

    /// Returns the number of lists.
    pub fn len(&self) -> usize {
        self.start.len() - 1
    }

    /// Returns whether there are no lists.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of entries in all lists.
    pub fn entries(&self) -> usize {
        self.tasks.len()
    }

    /// Returns the reversed lists: for each task, the tasks that list it, once
    /// per entry.
    fn reversed(&self) -> Self {
        let mut start = vec![0u32; self.start.len()];
        for task in &self.tasks {
            start[task.at() + 1] += 1;
        }
        for at in 0..self.len() {
            start[at + 1] += start[at];
        }
        let mut next = start.clone();
        let mut tasks = vec![TaskId(0); self.tasks.len()];
        for id in 0..self.len() as u32 {
            for input in self.of(TaskId(id)) {
                let next = &mut next[input.at()];
                tasks[*next as usize] = TaskId(id);
                *next += 1;
            }
        }
        Self { start, tasks }
    }
}

impl<I: IntoIterator<Item = TaskId>> FromIterator<I> for Adjacency {
    fn from_iter<T: IntoIterator<Item = I>>(lists: T) -> Self {
        let mut adjacency = Self::default();
        for list in lists {
            adjacency.push(list);
        }
        adjacency
    }
}

/// A graph of tasks: the inputs of each task, and the tasks whose values are
/// requested.
#[derive(Clone, Debug)]
pub struct Topology {
    inputs: Adjacency,
    dependents: Adjacency,
    outputs: Vec<TaskId>,
    /// The bytes of each task's value; empty if no sizes are known.
    nbytes: Vec<u64>,
}

impl Topology {
    /// Creates a graph from each task's inputs and the tasks whose values are
    /// requested.
    ///
    /// A task that uses an input several times lists it several times. `nbytes`
    /// holds the sizes of the values, or is empty if no sizes are known.
    ///
    /// # Panics
    /// If an input does not have a smaller number than the task that uses it, if
    /// an output is not a task, or if the number of sizes is not the number of
    /// tasks.
    pub fn new(inputs: Adjacency, outputs: Vec<TaskId>, nbytes: Vec<u64>) -> Self {
        assert!(nbytes.is_empty() || nbytes.len() == inputs.len());
        for id in 0..inputs.len() as u32 {
            assert!(inputs.of(TaskId(id)).iter().all(|input| input.0 < id));
        }
        assert!(outputs.iter().all(|output| output.at() < inputs.len()));
        Self {
            dependents: inputs.reversed(),
            inputs,
            outputs,
            nbytes,
        }
    }

    /// Returns the number of tasks.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Returns whether there are no tasks.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Returns all tasks.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = TaskId> + DoubleEndedIterator + use<> {
        (0..self.len() as u32).map(TaskId)
    }

    /// Returns a task's inputs; one that is used several times occurs several
    /// times.
    #[inline]
    pub fn inputs(&self, task: TaskId) -> &[TaskId] {
        self.inputs.of(task)
    }

    /// Returns the tasks that use a task's value; one that uses it several times
    /// occurs several times.
    #[inline]
    pub fn dependents(&self, task: TaskId) -> &[TaskId] {
        self.dependents.of(task)
    }

    /// Returns the tasks whose values are requested, in the order of the
    /// request. A task may occur more than once.
    pub fn outputs(&self) -> &[TaskId] {
        &self.outputs
    }

    /// Returns the bytes of a task's value, or 1 if no sizes are known.
    #[inline]
    pub fn nbytes(&self, task: TaskId) -> u64 {
        self.nbytes.get(task.at()).copied().unwrap_or(1)
    }

    /// Returns whether the sizes of the values are known.
    pub fn knows_sizes(&self) -> bool {
        !self.nbytes.is_empty()
    }

    /// Returns how often each task's value is used, by other tasks and as a
    /// requested value.
    pub fn uses(&self) -> Vec<u32> {
        let mut uses: Vec<u32> = self
            .tasks()
            .map(|task| self.dependents(task).len() as u32)
            .collect();
        for output in &self.outputs {
            uses[output.at()] += 1;
        }
        uses
    }

    /// Returns the same graph with the tasks numbered in the order of
    /// `sequence`, which has each task once, after its inputs.
    pub fn renumbered(&self, sequence: &[TaskId]) -> Self {
        let mut number = vec![0u32; self.len()];
        for (&task, new) in sequence.iter().zip(0..) {
            number[task.at()] = new;
        }
        let new = |task: &TaskId| TaskId(number[task.at()]);
        let mut inputs = Adjacency::with_capacity(self.len(), self.inputs.entries());
        for &task in sequence {
            inputs.push(self.inputs(task).iter().map(new));
        }
        let nbytes = match self.nbytes.is_empty() {
            true => Vec::new(),
            false => sequence.iter().map(|task| self.nbytes[task.at()]).collect(),
        };
        Self::new(inputs, self.outputs.iter().map(new).collect(), nbytes)
    }
}
