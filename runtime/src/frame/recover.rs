//! Rebuilds frames, series and scalars in another process.

use super::chunk::FrameChunk;
use super::dataframe::DataFrame;
use super::partitions::Partitions;
use super::scalar::{FrameScalar, ScalarValue};
use super::series::Series;
use crate::compute::recover::Recover;
use crate::error::{Error, Result};
use crate::graph::encoding::ipc;
use crate::graph::{Codec, Layer};
use polars::prelude::DataFrame as Frame;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The parts of a plan besides its layer.
#[derive(Serialize, Deserialize)]
struct Description {
    /// The schema, encoded as a frame without rows.
    schema: Vec<u8>,
    partitionwise: bool,
    nbytes: Option<u64>,
    /// The name of the series, or the label of the scalar.
    label: String,
}

fn describe(plan: &Partitions, label: &str) -> Result<Vec<u8>> {
    let mut schema = Vec::new();
    ipc::write(&Frame::empty_with_schema(&plan.schema), &mut schema)?;
    let description = Description {
        schema,
        partitionwise: plan.partitionwise,
        nbytes: plan.nbytes,
        label: label.to_owned(),
    };
    postcard::to_stdvec(&description).map_err(|error| Error::Encode(error.to_string()))
}

fn restore(description: &[u8], layer: Arc<Layer>) -> Result<(Partitions, String)> {
    let description: Description =
        postcard::from_bytes(description).map_err(|error| Error::Decode(error.to_string()))?;
    let schema = &mut &description.schema[..];
    let nbytes = schema.len() as u64;
    let plan = Partitions {
        layer,
        schema: ipc::read(schema, nbytes)?.schema().clone(),
        partitionwise: description.partitionwise,
        nbytes: description.nbytes,
    };
    Ok((plan, description.label))
}

impl Recover for DataFrame {
    fn codec() -> Option<Codec> {
        Some(FrameChunk::CODEC)
    }

    fn describe(&self) -> Result<Vec<u8>> {
        describe(self.plan()?, "")
    }

    fn restore(description: &[u8], layer: Arc<Layer>) -> Result<Self> {
        let (plan, _) = restore(description, layer)?;
        Ok(Self::from_plan(Ok(plan)))
    }
}

impl Recover for Series {
    fn codec() -> Option<Codec> {
        Some(FrameChunk::CODEC)
    }

    fn describe(&self) -> Result<Vec<u8>> {
        describe(self.to_frame().plan()?, self.name())
    }

    fn restore(description: &[u8], layer: Arc<Layer>) -> Result<Self> {
        let (plan, name) = restore(description, layer)?;
        Ok(Self::new(&name, DataFrame::from_plan(Ok(plan))))
    }
}

impl<T: ScalarValue + 'static> Recover for FrameScalar<T> {
    fn codec() -> Option<Codec> {
        Some(FrameChunk::CODEC)
    }

    fn describe(&self) -> Result<Vec<u8>> {
        describe(self.plan()?, self.label())
    }

    fn restore(description: &[u8], layer: Arc<Layer>) -> Result<Self> {
        let (plan, label) = restore(description, layer)?;
        Ok(Self::of_plan(plan, &label))
    }
}
