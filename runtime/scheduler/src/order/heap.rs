//! A priority queue of tasks whose keys change.

use crate::TaskId;

/// A cost, and what breaks ties.
type Key = (i64, u32);

const NOWHERE: u32 = u32::MAX;
/// The number of children of a node: fewer levels than with two, and the
/// children lie side by side.
const CHILDREN: usize = 4;

/// Tasks by their keys, the smallest first.
pub(super) struct Heap {
    tasks: Vec<TaskId>,
    /// Where each task is in `tasks`.
    place: Vec<u32>,
    keys: Vec<Key>,
}

impl Heap {
    pub(super) fn new(tasks: usize) -> Self {
        Self {
            tasks: Vec::new(),
            place: vec![NOWHERE; tasks],
            keys: vec![(0, 0); tasks],
        }
    }

    pub(super) fn first(&self) -> Option<TaskId> {
        self.tasks.first().copied()
    }

    pub(super) fn has(&self, task: TaskId) -> bool {
        self.place[task.at()] != NOWHERE
    }

    pub(super) fn key(&self, task: TaskId) -> Key {
        self.keys[task.at()]
    }

    /// Inserts a task, or changes its key.
    pub(super) fn set(&mut self, task: TaskId, key: Key) {
        self.keys[task.at()] = key;
        let at = match self.place[task.at()] {
            NOWHERE => {
                self.tasks.push(task);
                self.tasks.len() - 1
            }
            at => at as usize,
        };
        self.settle(at);
    }

    /// Removes a task if it is in the heap.
    pub(super) fn remove(&mut self, task: TaskId) {
        let at = std::mem::replace(&mut self.place[task.at()], NOWHERE);
        if at == NOWHERE {
            return;
        }
        let last = self.tasks.pop().expect("invariant: the task is there");
        if last != task {
            self.tasks[at as usize] = last;
            self.settle(at as usize);
        }
    }

    /// Moves the element at `at` up or down to its place.
    fn settle(&mut self, mut at: usize) {
        let task = self.tasks[at];
        let key = self.key(task);
        while at > 0 {
            let parent = (at - 1) / CHILDREN;
            if self.key(self.tasks[parent]) <= key {
                break;
            }
            self.put(at, self.tasks[parent]);
            at = parent;
        }
        loop {
            let first = CHILDREN * at + 1;
            let children = first..(first + CHILDREN).min(self.tasks.len());
            match children.min_by_key(|&child| self.key(self.tasks[child])) {
                Some(child) if self.key(self.tasks[child]) < key => {
                    self.put(at, self.tasks[child]);
                    at = child;
                }
                _ => break,
            }
        }
        self.put(at, task);
    }

    fn put(&mut self, at: usize, task: TaskId) {
        self.tasks[at] = task;
        self.place[task.at()] = at as u32;
    }
}
