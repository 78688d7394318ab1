//! What a frame, a series or a scalar is: a layer of partitions, and what is
//! known of them before anything runs.

use super::engine::{collect, empty, has_function, is_row_by_row, resolve};
use super::step::{NamedStep, Step};
use crate::error::Result;
use crate::graph::{
    Arguments, AxisMap, BlockInput, Fingerprint, Grid, Layer, Listed, Operation, TaskRef,
};
use polars::prelude::{Expr, Schema, SchemaRef};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// Partitions that a layer computes, one a task.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) layer: Arc<Layer>,
    pub(crate) schema: SchemaRef,
    /// Whether one partition can be computed without the others' work.
    pub(crate) partitionwise: bool,
    /// At most so many bytes, where that is known.
    pub(crate) nbytes: Option<u64>,
}

/// How many partitions one task puts together.
const FAN_IN: u32 = 8;

impl Plan {
    /// The number of partitions.
    pub(crate) fn npartitions(&self) -> u32 {
        self.layer.grid().len() as u32
    }

    /// The partitions' places in the layer's grid.
    fn places(&self) -> impl Iterator<Item = SmallVec<[AxisMap; 4]>> {
        let ndim = self.layer.grid().counts().len();
        (0..self.npartitions()).map(move |at| place(at, ndim))
    }

    /// A step on each partition by itself, which makes frames of this schema.
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

    /// The partition at the same place, for a layer whose dependency this is.
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

    /// The first partition, for a layer whose dependency this is.
    pub(crate) fn first(&self, dependency: usize) -> BlockInput {
        BlockInput {
            dependency,
            axes: place(0, self.layer.grid().counts().len()),
        }
    }

    /// A step on all partitions, one below the other, which makes one.
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

    /// A step on each partition, if it can be computed by partition, and on
    /// all of them at once otherwise: `filter(col("x").gt(col("x").mean()))`
    /// has to see the whole column.
    ///
    /// # Errors
    /// Unknown columns, types that do not fit.
    pub(crate) fn by_row(&self, step: Step, context: &str, expressions: &[Expr]) -> Result<Self> {
        let schema = resolve(
            step.query(empty(&self.schema)),
            context,
            &[expressions],
            &self.schema,
        )?;
        if is_row_by_row(&self.schema, expressions) {
            // Some types that do not fit are found by Polars' kernels only.
            // Without rows, and without functions of the user's, that says
            // nothing but whether they fit.
            if !expressions.iter().any(has_function) {
                collect(step.query(empty(&self.schema)))?;
            }
            Ok(self.each(step, schema))
        } else {
            Ok(self.whole(step, schema))
        }
    }

    /// Puts neighbouring partitions together with `combine`, a few at a time,
    /// until few enough are left for one task, which does `last`.
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

    /// One task for each group of partitions.
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

    /// One task for each group of partitions, each with its own operation.
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

/// A task told by itself: what it does, and to which partitions of which frames.
pub(crate) type PartitionTask = (Arc<dyn Operation>, Vec<(u32, u32)>);

/// Tasks on partitions of several frames.
pub(crate) fn listed(tasks: Vec<PartitionTask>, plans: &[&Plan], schema: SchemaRef) -> Plan {
    let mut fingerprint = Fingerprint::new();
    for plan in plans {
        fingerprint.layer(plan.layer.id());
    }
    let mut name = "empty".to_owned();
    let mut same: Option<Arc<dyn Operation>> = None;
    let mut listed = Listed::with_capacity(tasks.len(), tasks.len());
    for (operation, inputs) in tasks {
        fingerprint.text(&format!("{inputs:?}"));
        // The tasks of a layer mostly share one operation.
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
    Plan {
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

/// Whether two frames have the same columns of the same types.
pub(crate) fn same_columns(a: &Schema, b: &Schema) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b.iter())
            .all(|((a, a_type), (b, b_type))| a == b && a_type == b_type)
}
