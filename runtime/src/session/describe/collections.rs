//! Describes arrays, delayed values and related types, as far as they are known
//! without being computed; and arrays of ndarray.

use super::brief::{brief_line, debugged, listed};
use super::{Describe, LINE, Table};
use crate::array::{Array, Element, RawArray, Scalar};
use crate::cluster::{Client, ClusterInfo, LocalCluster};
use crate::compute::Collection;
use crate::delayed::{Delayed, TaskGraph, TaskOutput};
use crate::diagnostics::{Profile, Profiler};
use crate::display::text::{bytes, counted, duration, tuple};
use crate::display::{Html, Latex, Markdown, Plot, Png, Show, Svg};
use crate::error::Error;
use crate::frame::Frame;
use crate::graph::{Layer, Tasks, short_type_name};
use ndarray::{
    ArrayBase, Dimension, Ix0, Ix1, Ix2, Ix3, Ix4, IxDyn, OwnedArcRepr, OwnedRepr, RawData,
};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use swath_channel::Description;

pub(super) fn add_to(table: &mut Table) {
    macro_rules! elements {
        ($($type:ty)*) => {$(
            table.add_changing::<Array<$type>>();
            table.add::<Vec<Array<$type>>>();
            table.add_changing::<Scalar<$type>>();
        )*};
    }
    elements!(f64 f32 i64 i32 u64 u32 u8 bool);
    macro_rules! ndarrays {
        ($($type:ty)*) => {$( of_ndarray::<$type>(table); )*};
    }
    ndarrays!(f64 f32 i64 i32 i16 i8 u64 u32 u16 u8 usize bool);
    macro_rules! delayed {
        ($($type:ty)*) => {$(
            table.add_changing::<Delayed<$type>>();
            table.add::<Vec<Delayed<$type>>>();
            table.add_changing::<TaskOutput<$type>>();
        )*};
    }
    delayed!(
        () bool char i32 i64 u8 u32 u64 usize f32 f64 String &'static str Frame
        Vec<f64> Vec<f32> Vec<i32> Vec<i64> Vec<u8> Vec<u32> Vec<u64> Vec<usize> Vec<bool>
        Vec<String> Vec<Vec<f64>> Vec<Frame> Option<f64> Option<String> (f64, f64) (String, f64)
        (usize, f64) HashMap<String, f64> HashMap<String, usize> BTreeMap<String, f64>
        BTreeMap<String, usize>
    );
    macro_rules! others {
        ($($type:ty)*) => {$( table.add::<$type>(); )*};
    }
    others!(
        TaskGraph LocalCluster Client Profiler Profile
        Html Svg Markdown Latex Plot Png Error
    );
}

// ---- the state of values ----

/// The state of a layer's values.
struct State {
    text: String,
    nbytes: Option<u64>,
}

fn state(layer: &Layer) -> State {
    let Tasks::Values(source) = layer.tasks() else {
        let text = "not computed".to_owned();
        return State { text, nbytes: None };
    };
    let held = || source.nbytes().map(|nbytes| nbytes as u64);
    match source.progress() {
        None => State {
            text: "in memory".to_owned(),
            nbytes: held(),
        },
        Some(progress) => match progress.outcome {
            None => State {
                text: format!(
                    "being computed: {} of {}",
                    progress.done,
                    counted(progress.total.unwrap_or(progress.done), "task")
                ),
                nbytes: None,
            },
            Some(Ok(())) => State {
                text: "persisted".to_owned(),
                nbytes: held(),
            },
            Some(Err(error)) => State {
                text: format!("failed: {}", brief_line(&error.to_string())),
                nbytes: held(),
            },
        },
    }
}

fn is_running(layer: &Layer) -> bool {
    match layer.tasks() {
        Tasks::Values(source) => source
            .progress()
            .is_some_and(|progress| progress.outcome.is_none()),
        _ => false,
    }
}

pub(super) fn is_running_in(collection: &impl Collection) -> bool {
    collection.layer().is_ok_and(|layer| is_running(&layer))
}

/// Describes a collection that cannot be computed.
pub(super) fn broken(error: &Error) -> Description {
    Description {
        state: "cannot be computed".to_owned(),
        summary: brief_line(&error.to_string()),
        preview: error.to_string(),
        ..Description::default()
    }
}

pub(super) fn of_layer(layer: &Layer, summary: String) -> Description {
    let State { text, nbytes } = state(layer);
    Description {
        state: text,
        nbytes,
        summary,
        ..Description::default()
    }
}

// ---- arrays ----

fn array(array: &RawArray) -> Description {
    let chunks = array.chunks();
    let count = chunks.count();
    let number = match count {
        1 => "1 chunk".to_owned(),
        count => counted(count, "chunk"),
    };
    let each = chunks.largest().iter().product::<usize>() * array.dtype().nbytes();
    let (of_chunks, preview) = if !chunks.are_known() {
        let at_most = format!("at most {} a chunk once computed", bytes(each));
        (format!("sizes not known, {number}"), at_most)
    } else if count == 1 {
        (number, format!("{} once computed", bytes(array.nbytes())))
    } else {
        let (all, each) = (bytes(array.nbytes()), bytes(each));
        (
            format!("{}, {number}", tuple(&chunks.largest())),
            format!("{all} once computed, {each} a chunk"),
        )
    };
    Description {
        shape: chunks.shape_text(),
        chunks: of_chunks,
        preview,
        ..of_layer(array.layer(), array.layer().operation_name(0).to_owned())
    }
}

impl<T: Element> Describe for Array<T> {
    fn describe(&self) -> Description {
        array(self.raw())
    }
    fn is_changing(&self) -> bool {
        is_running(self.raw().layer())
    }
}

impl<T: Element> Describe for Scalar<T> {
    fn describe(&self) -> Description {
        let layer = self.raw().layer();
        of_layer(layer, layer.operation_name(0).to_owned())
    }
    fn is_changing(&self) -> bool {
        is_running(self.raw().layer())
    }
}

fn of_ndarray<T: 'static>(table: &mut Table)
where
    ArrayBase<OwnedRepr<T>, Ix0>: Describe,
    ArrayBase<OwnedRepr<T>, Ix1>: Describe,
    ArrayBase<OwnedRepr<T>, Ix2>: Describe,
    ArrayBase<OwnedRepr<T>, Ix3>: Describe,
    ArrayBase<OwnedRepr<T>, Ix4>: Describe,
    ArrayBase<OwnedRepr<T>, IxDyn>: Describe,
    ArrayBase<OwnedArcRepr<T>, Ix1>: Describe,
    ArrayBase<OwnedArcRepr<T>, Ix2>: Describe,
    ArrayBase<OwnedArcRepr<T>, IxDyn>: Describe,
{
    table.add::<ArrayBase<OwnedRepr<T>, Ix0>>();
    table.add::<ArrayBase<OwnedRepr<T>, Ix1>>();
    table.add::<ArrayBase<OwnedRepr<T>, Ix2>>();
    table.add::<ArrayBase<OwnedRepr<T>, Ix3>>();
    table.add::<ArrayBase<OwnedRepr<T>, Ix4>>();
    table.add::<ArrayBase<OwnedRepr<T>, IxDyn>>();
    table.add::<ArrayBase<OwnedArcRepr<T>, Ix1>>();
    table.add::<ArrayBase<OwnedArcRepr<T>, Ix2>>();
    table.add::<ArrayBase<OwnedArcRepr<T>, IxDyn>>();
}

impl<S, D> Describe for ArrayBase<S, D>
where
    S: RawData + 'static,
    D: Dimension + 'static,
    Self: Show,
{
    fn describe(&self) -> Description {
        // The text has a few hundred elements at most; the last line is the
        // shape.
        let text = shown(self);
        let elements = text.rsplit_once('\n').map_or("", |(text, _)| text);
        let dtype = short_type_name(std::any::type_name::<S::Elem>());
        Description {
            shape: tuple(self.shape()),
            summary: brief_line(elements),
            preview: elements.to_owned(),
            dtype,
            nbytes: Some((self.len() * size_of::<S::Elem>()) as u64),
            ..Description::default()
        }
    }
}

fn shown(value: &impl Show) -> String {
    let bundle = value.show().unwrap_or_default();
    bundle.get("text/plain").unwrap_or_default().to_owned()
}

// ---- functions and graphs ----

impl<T: Clone + Send + Sync + 'static> Describe for Delayed<T> {
    fn describe(&self) -> Description {
        match self.layer() {
            Ok(layer) => of_layer(&layer, self.key().to_owned()),
            Err(error) => broken(&error),
        }
    }
    fn is_changing(&self) -> bool {
        is_running_in(self)
    }
}

impl<T: Clone + Send + Sync + 'static> Describe for TaskOutput<T> {
    fn describe(&self) -> Description {
        match self.layer() {
            Ok(layer) => of_layer(&layer, format!("\"{}\"", self.key())),
            Err(error) => broken(&error),
        }
    }
    fn is_changing(&self) -> bool {
        is_running_in(self)
    }
}

impl Describe for TaskGraph {
    fn describe(&self) -> Description {
        let mut keys = self.keys().map(str::to_owned);
        let (summary, preview) = listed(&mut keys, self.len(), ("", ""));
        Description {
            shape: counted(self.len(), "task"),
            summary,
            preview,
            ..Description::default()
        }
    }
}

// ---- clusters, profiles, displayed documents ----

fn cluster(info: &ClusterInfo) -> Description {
    Description {
        summary: format!(
            "{}, {}",
            counted(info.threads, "thread"),
            bytes(info.memory as usize)
        ),
        ..Description::default()
    }
}

impl Describe for LocalCluster {
    fn describe(&self) -> Description {
        cluster(&self.info())
    }
}

impl Describe for Client {
    fn describe(&self) -> Description {
        cluster(&self.info())
    }
}

fn profile(profile: &Profile) -> Description {
    let tasks = profile.operations.iter().map(|one| one.tasks).sum();
    Description {
        summary: format!(
            "{} of {}, {}",
            counted(tasks, "task"),
            counted(profile.operations.len(), "operation"),
            duration(profile.elapsed)
        ),
        ..Description::default()
    }
}

impl Describe for Profile {
    fn describe(&self) -> Description {
        profile(self)
    }
}

impl Describe for Profiler {
    fn describe(&self) -> Description {
        profile(&self.report())
    }
}

macro_rules! documents {
    ($($type:ty, $length:expr;)*) => {$(
        impl Describe for $type {
            fn describe(&self) -> Description {
                let length: fn(&Self) -> usize = $length;
                Description {
                    nbytes: Some(length(self) as u64),
                    ..Description::default()
                }
            }
        }
    )*};
}
documents! {
    Html, |page| page.0.len();
    Svg, |picture| picture.0.len();
    Markdown, |text| text.0.len();
    Latex, |text| text.0.len();
    Png, |picture| picture.0.len();
    Plot, |plot| size_of_val(plot);
}

impl Describe for Error {
    fn describe(&self) -> Description {
        by_debug(self)
    }
}

/// Describes a value whose `Debug` is quick.
pub(super) fn by_debug(value: &dyn Debug) -> Description {
    let summary = debugged(value, LINE);
    Description {
        preview: match summary.ends_with('…') {
            true => debugged(value, super::PREVIEW),
            false => String::new(),
        },
        summary,
        ..Description::default()
    }
}
