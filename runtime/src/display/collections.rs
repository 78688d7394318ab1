//! How collections look before they are computed: their structure.
//!
//! The public types are generic, what renders them is not: each cell would
//! compile it anew.

use super::graph::GraphStyle;
use super::{ArrayView, Bundle, ClusterView, DelayedView, FrameView, ScalarView, Show, Svg};
use crate::array::{Array, Element, RawArray, Scalar};
use crate::cluster::{Client, ClusterInfo, LocalCluster};
use crate::compute::Collection;
use crate::delayed::{Delayed, TaskGraph, TaskOutput};
use crate::error::Result;
use crate::frame::{DataFrame, FrameScalar, Series};
use crate::graph::topological;
use crate::graph::{Layer, short_type_name};
use std::sync::Arc;

impl<T: Element> Show for Array<T> {
    fn show(&self) -> Result<Bundle> {
        array_view(self.raw()).show()
    }
}

impl<T: Element> Show for Scalar<T> {
    fn show(&self) -> Result<Bundle> {
        let dtype = self.raw().dtype().to_string();
        scalar_view(self.raw().layer(), None, dtype).show()
    }
}

impl Show for DataFrame {
    fn show(&self) -> Result<Bundle> {
        let schema = self
            .schema()?
            .iter()
            .map(|(name, dtype)| (name.to_string(), dtype.to_string()))
            .collect();
        frame_view("DataFrame", schema, &self.layer()?).show()
    }
}

impl Show for Series {
    fn show(&self) -> Result<Bundle> {
        let schema = vec![(self.name().to_owned(), self.dtype()?.to_string())];
        frame_view("Series", schema, &self.layer()?).show()
    }
}

impl<T> Show for FrameScalar<T>
where
    FrameScalar<T>: Collection,
{
    fn show(&self) -> Result<Bundle> {
        let label = Some(self.label().to_owned());
        scalar_view(&self.layer()?, label, self.dtype()?.to_string()).show()
    }
}

impl<T> Show for Delayed<T>
where
    Delayed<T>: Collection,
{
    fn show(&self) -> Result<Bundle> {
        delayed_view(self.key(), std::any::type_name::<T>(), &self.layer()?).show()
    }
}

impl<T> Show for TaskOutput<T>
where
    TaskOutput<T>: Collection,
{
    fn show(&self) -> Result<Bundle> {
        delayed_view(self.key(), std::any::type_name::<T>(), &self.layer()?).show()
    }
}

impl Show for LocalCluster {
    fn show(&self) -> Result<Bundle> {
        cluster_view("LocalCluster", &self.info()).show()
    }
}

impl Show for Client {
    fn show(&self) -> Result<Bundle> {
        cluster_view("Client", &self.info()).show()
    }
}

impl Show for TaskGraph {
    fn show(&self) -> Result<Bundle> {
        let keys: Vec<&str> = self.keys().collect();
        Ok(Bundle::text(format!(
            "TaskGraph of {} tasks: {}",
            keys.len(),
            keys.join(", ")
        )))
    }
}

impl TaskGraph {
    /// The picture of what the task under `key` needs.
    ///
    /// # Errors
    /// Where the graph cannot compute the key: [`crate::Error::MissingKey`],
    /// [`crate::Error::Cycle`], [`crate::Error::Type`].
    pub fn visualize(&self, key: impl AsRef<str>) -> Result<Svg> {
        super::graph::draw(&[self.layer(key.as_ref())?], &GraphStyle::default())
    }
}

/// The tasks and layers that a layer stands on, itself included.
fn size(layer: &Arc<Layer>) -> (usize, usize) {
    let layers = topological(std::slice::from_ref(layer));
    let tasks = layers.iter().map(|layer| layer.grid().len()).sum();
    (tasks, layers.len())
}

fn array_view(array: &RawArray) -> ArrayView {
    let (tasks, layers) = size(array.layer());
    ArrayView {
        shape: array.chunks().lengths(),
        chunks: (0..array.ndim())
            .map(|axis| array.chunks().at_most(axis))
            .collect(),
        dtype: array.dtype().to_string(),
        nbytes: array.chunks().are_known().then(|| array.nbytes()),
        tasks,
        layers,
    }
}

fn scalar_view(layer: &Arc<Layer>, label: Option<String>, dtype: String) -> ScalarView {
    let (tasks, layers) = size(layer);
    let name = label.unwrap_or_else(|| layer.operation_name(0).to_owned());
    ScalarView {
        name,
        dtype,
        tasks,
        layers,
    }
}

fn frame_view(name: &str, schema: Vec<(String, String)>, layer: &Arc<Layer>) -> FrameView {
    let (tasks, layers) = size(layer);
    FrameView {
        name: name.to_owned(),
        schema,
        npartitions: layer.grid().len(),
        tasks,
        layers,
    }
}

fn delayed_view(key: &str, type_name: &str, layer: &Arc<Layer>) -> DelayedView {
    DelayedView {
        type_name: short_type_name(type_name),
        key: key.to_owned(),
        tasks: size(layer).0,
    }
}

fn cluster_view(name: &str, info: &ClusterInfo) -> ClusterView {
    ClusterView {
        name: name.to_owned(),
        place: "threads of this process".to_owned(),
        threads: info.threads,
        memory_total_bytes: info.memory as usize,
        memory_used_bytes: info.used as usize,
        running: info.running,
        failed: info.failed,
        done: info.finished,
        more: Vec::new(),
    }
}
