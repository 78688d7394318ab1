//! Which task takes whose values, in dense numbers.

/// A task's number in a graph: inputs have smaller numbers than what takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u32);

impl TaskId {
    /// The number as an index.
    #[inline]
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// Lists of tasks, one a task, in one array.
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
    /// No list yet, and room for so many lists and entries.
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

    /// A task's list.
    #[inline]
    pub fn of(&self, task: TaskId) -> &[TaskId] {
        &self.tasks[self.start[task.at()] as usize..self.start[task.at() + 1] as usize]
    }

    /// The number of lists.
    pub fn len(&self) -> usize {
        self.start.len() - 1
    }

    /// Whether there is no list.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of entries in all lists.
    pub fn entries(&self) -> usize {
        self.tasks.len()
    }

    /// The lists of who has a task in its list: an entry for each entry.
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

/// A graph of tasks: who takes whose values, and whose values are asked for.
#[derive(Clone, Debug)]
pub struct Topology {
    inputs: Adjacency,
    dependents: Adjacency,
    outputs: Vec<TaskId>,
    /// The bytes of each task's value; empty where nothing is known.
    nbytes: Vec<u64>,
}

impl Topology {
    /// A graph: each task's inputs, one entry each time one is taken, and the
    /// tasks whose values are asked for. `nbytes` are the sizes of the values,
    /// as far as they are known: empty if they are not.
    ///
    /// # Panics
    /// Where an input has no smaller number than the task that takes it, an
    /// output is no task, or the sizes are of another number of tasks.
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

    /// The number of tasks.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there is no task.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Every task.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = TaskId> + DoubleEndedIterator + use<> {
        (0..self.len() as u32).map(TaskId)
    }

    /// A task's inputs, one entry each time one is taken.
    #[inline]
    pub fn inputs(&self, task: TaskId) -> &[TaskId] {
        self.inputs.of(task)
    }

    /// The tasks that take a task's value, one entry each time they do.
    #[inline]
    pub fn dependents(&self, task: TaskId) -> &[TaskId] {
        self.dependents.of(task)
    }

    /// The tasks whose values are asked for, in the order asked; a task may be
    /// asked for more than once.
    pub fn outputs(&self) -> &[TaskId] {
        &self.outputs
    }

    /// The bytes of a task's value; 1 where nothing is known of any.
    #[inline]
    pub fn nbytes(&self, task: TaskId) -> u64 {
        self.nbytes.get(task.at()).copied().unwrap_or(1)
    }

    /// Whether anything is known of the values' sizes.
    pub fn knows_sizes(&self) -> bool {
        !self.nbytes.is_empty()
    }

    /// How often each task's value is taken: by other tasks, and by whoever
    /// asked for it.
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

    /// The same graph with the tasks numbered in the order of `sequence`, which
    /// has each task once, after its inputs.
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
