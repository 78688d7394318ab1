//! Finds the tasks that a set of outputs needs.

use super::{Layers, TaskRef, Tasks};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};

/// How many tasks are planned between two checks of the cancel token.
const LOOK: u32 = 8192;

pub(crate) fn stop_at_times(task: u32, token: &CancelToken) -> Result<()> {
    if task.is_multiple_of(LOOK) && token.is_cancelled() {
        return Err(Error::Interrupted);
    }
    Ok(())
}

/// Which tasks of each layer are needed. Each task has one bit, so that tasks
/// that are not needed cost next to nothing.
pub(crate) struct Needed {
    /// For each layer, where its bits begin in `words`; the last element is the
    /// end.
    start: Vec<u32>,
    words: Vec<u64>,
    /// For each word, how many tasks are needed before it.
    before: Vec<u32>,
    /// How many tasks are needed.
    pub(crate) count: u32,
    /// How many inputs the needed tasks have in total.
    pub(crate) edges: usize,
}

impl Needed {
    /// Marks the needed tasks, from the outputs backwards to the roots.
    ///
    /// # Errors
    /// [`Error::Argument`] for more than 2³² − 1 tasks; [`Error::Interrupted`].
    pub(crate) fn new(layers: &Layers, token: &CancelToken) -> Result<Self> {
        let mut start = Vec::with_capacity(layers.len() + 1);
        let mut words: u64 = 0;
        for node in layers.nodes() {
            start.push(words as u32);
            words += node.layer.grid().len().div_ceil(64) as u64;
        }
        start.push(words as u32);
        if words > u64::from(u32::MAX) {
            return Err(too_many());
        }
        let mut needed = Self {
            start,
            words: vec![0; words as usize],
            before: Vec::new(),
            count: 0,
            edges: 0,
        };
        for output in layers.outputs() {
            match output.pick {
                Some(linear) => needed.mark(output.layer, linear),
                None => {
                    let tasks = layers.node(output.layer).layer.grid().len();
                    needed.mark_all(output.layer, tasks);
                }
            }
        }
        let mut scratch: Vec<TaskRef> = Vec::new();
        let mut visited: u64 = 0;
        for number in (0..layers.len() as u32).rev() {
            let node = layers.node(number);
            let leaf = node.dependencies.is_empty() && !matches!(node.tasks(), Tasks::Listed(_));
            if leaf {
                continue;
            }
            // From the last task to the first, because a task may depend on an
            // earlier one of its own layer.
            for word in (needed.start[number as usize]..needed.start[number as usize + 1]).rev() {
                // The loop body may set bits below the current one.
                let mut below = u64::MAX;
                loop {
                    let bits = needed.words[word as usize] & below;
                    if bits == 0 {
                        break;
                    }
                    let bit = 63 - bits.leading_zeros();
                    below = (1 << bit) - 1;
                    let linear = (word - needed.start[number as usize]) * 64 + bit;
                    scratch.clear();
                    layers.inputs(number, linear, &mut scratch);
                    needed.edges += scratch.len();
                    for input in &scratch {
                        let layer = match input.dependency {
                            TaskRef::SELF => number,
                            dependency => node.dependencies[dependency as usize],
                        };
                        needed.mark(layer, input.linear);
                    }
                    visited += 1;
                    stop_at_times(visited as u32, token)?;
                }
            }
        }
        needed.rank()?;
        Ok(needed)
    }

    fn mark_all(&mut self, layer: u32, tasks: usize) {
        let start = self.start[layer as usize] as usize;
        self.words[start..start + tasks / 64].fill(u64::MAX);
        if !tasks.is_multiple_of(64) {
            self.words[start + tasks / 64] |= (1 << (tasks % 64)) - 1;
        }
    }

    #[inline]
    fn mark(&mut self, layer: u32, linear: u32) {
        self.words[(self.start[layer as usize] + linear / 64) as usize] |= 1 << (linear % 64);
    }

    fn rank(&mut self) -> Result<()> {
        let mut count: u64 = 0;
        self.before = Vec::with_capacity(self.words.len());
        for word in &self.words {
            self.before.push(count as u32);
            count += u64::from(word.count_ones());
        }
        if count >= u64::from(u32::MAX) || self.edges >= u32::MAX as usize {
            return Err(too_many());
        }
        self.count = count as u32;
        Ok(())
    }

    /// Returns the number of a needed task. Needed tasks are numbered layer by
    /// layer.
    #[inline]
    pub(crate) fn task(&self, layer: u32, linear: u32) -> u32 {
        let word = (self.start[layer as usize] + linear / 64) as usize;
        let below = self.words[word] & ((1 << (linear % 64)) - 1);
        self.before[word] + below.count_ones()
    }

    /// Calls `call` with each needed task of a layer.
    #[inline]
    pub(crate) fn for_each(
        &self,
        layer: u32,
        mut call: impl FnMut(u32) -> Result<()>,
    ) -> Result<()> {
        let (from, to) = (self.start[layer as usize], self.start[layer as usize + 1]);
        for word in from..to {
            let mut bits = self.words[word as usize];
            while bits != 0 {
                call((word - from) * 64 + bits.trailing_zeros())?;
                bits &= bits - 1;
            }
        }
        Ok(())
    }
}

fn too_many() -> Error {
    Error::Argument(format!(
        "the graph has more than {} tasks or inputs of tasks: use larger chunks",
        u32::MAX
    ))
}
