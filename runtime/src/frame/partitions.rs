//! The content of a frame, a series or a scalar: a layer of partitions, and what
//! is known about them before anything runs.

use super::engine::{collect, empty, has_function, is_row_by_row, resolve};
use super::step::{NamedStep, Step};
use crate::error::Result;
use crate::graph::{
    Arguments, AxisMap, BlockInput, Fingerprint, Grid, Layer, Listed, Operation, TaskRef,
};
use polars::prelude::{Expr, Schema, SchemaRef};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// The partitions that a layer computes, one per task.
#[derive(Clone)]
pub(crate) struct Partitions {
    pub(crate) layer: Arc<Layer>,
    pub(crate) schema: SchemaRef,
    /// Whether one partition can be computed without computing the others.
    pub(crate) partitionwise: bool,
    /// An upper bound of the bytes, if known.
    pub(crate) nbytes: Option<u64>,
}

/// The number of partitions that one task combines.
const FAN_IN: u32 = 8;

impl Partitions {
    /// Returns the number of partitions.
    pub(crate) fn npartitions(&self) -> u32 {
        self.layer.grid().len() as u32
    }

    /// Returns the positions of the partitions in the layer's grid.
    fn places(&self) -> impl Iterator<Item = SmallVec<[AxisMap; 4]>> {
        let ndim = self.layer.grid().counts().len();
        (0..self.npartitions()).map(move |at| place(at, ndim))
    }

    /// Applies a step to each partition by itself. The results have this schema.
    pub(crate) fn each(&self, step: impl Operation, schema: SchemaRef) -> Self {
        let layer = Layer::blockwise(
            step,
            Grid::new([self.npartitions()]),
            vec![self.same(0)],
            vec![self.layer.clone()],
        );
        Self {
            layer,
            schema,
            ..self.clone()
        }
    }

    /// Returns the partition at the same position, as an input of a layer that
    /// depends on this one.
    pub(crate) fn same(&self, dependency: usize) -> BlockInput {
        if self.layer.grid().counts().is_empty() {
            BlockInput {
                dependency,
                axes: SmallVec::new(),
            }
        } else {
            BlockInput::same(dependency, 1)
        }
    }

    /// Returns the first partition, as an input of a layer that depends on this
    /// one.
    pub(crate) fn first(&self, dependency: usize) -> BlockInput {
        BlockInput {
            dependency,
            axes: place(0, self.layer.grid().counts().len()),
        }
    }

    /// Applies a step to all partitions, stacked one below the other. The result
    /// is one partition.
    pub(crate) fn whole(&self, step: impl Operation, schema: SchemaRef) -> Self {
        let inputs = self
            .places()
            .map(|axes| BlockInput {
                dependency: 0,
                axes,
            })
            .collect();
        let layer = Layer::blockwise(step, Grid::new([1]), inputs, vec![self.layer.clone()]);
        Self {
            layer,
            schema,
            partitionwise: self.partitionwise && self.npartitions() == 1,
            nbytes: self.nbytes,
        }
    }

    /// Applies a step to each partition if it can be computed by partition, and
    /// to all of them at once otherwise: `filter(col("x").gt(col("x").mean()))`
    /// needs the whole column.
    ///
    /// # Errors
    /// Returns an error for unknown columns and for types that do not fit.
    pub(crate) fn by_row(&self, step: Step, context: &str, expressions: &[Expr]) -> Result<Self> {
        let schema = resolve(
            step.query(empty(&self.schema)),
            context,
            &[expressions],
            &self.schema,
        )?;
        if is_row_by_row(&self.schema, expressions) {
            // Some type errors are only found by Polars' kernels. Running the
            // step without rows, and without the user's functions, checks
            // nothing but the types.
            if !expressions.iter().any(has_function) {
                collect(step.query(empty(&self.schema)))?;
            }
            Ok(self.each(step, schema))
        } else {
            Ok(self.whole(step, schema))
        }
    }

    /// Combines neighbouring partitions with `combine`, a few at a time, until
    /// one task can process the rest with `last`.
    pub(crate) fn tree(
        &self,
        combine: NamedStep,
        between: SchemaRef,
        last: impl Operation,
        schema: SchemaRef,
    ) -> Self {
        let combine = Arc::new(combine);
        let mut plan = self.clone();
        while plan.npartitions() > FAN_IN {
            let parts = plan.npartitions();
            let groups = (0..parts)
                .step_by(FAN_IN as usize)
                .map(|from| (from..parts.min(from + FAN_IN)).collect())
                .collect();
            plan = plan.listed(combine.clone(), groups, between.clone());
        }
        plan.whole(last, schema)
    }

    /// Creates one task for each group of partitions.
    pub(crate) fn listed(
        &self,
        operation: Arc<dyn Operation>,
        groups: Vec<Vec<u32>>,
        schema: SchemaRef,
    ) -> Self {
        let tasks = groups
            .into_iter()
            .map(|group| (operation.clone(), group))
            .collect();
        self.listed_each(tasks, schema)
    }

    /// Creates one task for each group of partitions, each with its own
    /// operation.
    pub(crate) fn listed_each(
        &self,
        tasks: Vec<(Arc<dyn Operation>, Vec<u32>)>,
        schema: SchemaRef,
    ) -> Self {
        listed(
            tasks
                .into_iter()
                .map(|(operation, group)| {
                    let inputs = group.into_iter().map(|linear| (0, linear)).collect();
                    (operation, inputs)
                })
                .collect(),
            &[self],
            schema,
        )
    }
}

/// A single task: its operation, and the partitions of which frames it reads.
pub(crate) type PartitionTask = (Arc<dyn Operation>, Vec<(u32, u32)>);

/// Creates tasks on partitions of several frames.
pub(crate) fn listed(
    tasks: Vec<PartitionTask>,
    plans: &[&Partitions],
    schema: SchemaRef,
) -> Partitions {
    let mut fingerprint = Fingerprint::new();
    for plan in plans {
        fingerprint.layer(plan.layer.id());
    }
    let mut name = "empty".to_owned();
    let mut same: Option<Arc<dyn Operation>> = None;
    let mut listed = Listed::with_capacity(tasks.len(), tasks.len());
    for (operation, inputs) in tasks {
        fingerprint.text(&format!("{inputs:?}"));
        // The tasks of a layer usually share one operation.
        if !same
            .as_ref()
            .is_some_and(|same| Arc::ptr_eq(same, &operation))
        {
            operation.name().clone_into(&mut name);
            fingerprint.text(&name);
            match operation.arguments() {
                Arguments::Data(bytes) => fingerprint.bytes(&bytes),
                Arguments::Digest(hash) => fingerprint.bytes(&hash.to_le_bytes()),
                Arguments::Unique => fingerprint.unique(),
            };
            same = Some(operation.clone());
        }
        let inputs = inputs.into_iter();
        listed.push(
            operation,
            inputs.map(|(dependency, linear)| TaskRef::of(dependency, linear)),
        );
    }
    let layer = Layer::listed(
        fingerprint.layer_id(),
        &name,
        listed,
        plans.iter().map(|plan| plan.layer.clone()).collect(),
    );
    Partitions {
        layer,
        schema,
        partitionwise: plans.iter().all(|plan| plan.partitionwise),
        nbytes: plans.iter().map(|plan| plan.nbytes).sum::<Option<u64>>(),
    }
}

fn place(at: u32, ndim: usize) -> SmallVec<[AxisMap; 4]> {
    if ndim == 0 {
        SmallVec::new()
    } else {
        smallvec![AxisMap::Fixed(at)]
    }
}

/// Returns whether two frames have the same columns of the same types.
pub(crate) fn same_columns(a: &Schema, b: &Schema) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b.iter())
            .all(|((a, a_type), (b, b_type))| a == b && a_type == b_type)
}
