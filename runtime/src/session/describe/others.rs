//! Describes arrays of ndarray, profiles, and displayed documents.

use super::{Describe, Table};
use crate::cluster::{Client, LocalCluster};
use crate::compute::describe::by_debug;
use crate::diagnostics::{Profile, Profiler};
use crate::display::brief::brief_line;
use crate::display::text::{counted, duration, tuple};
use crate::display::{Html, Latex, Markdown, Plot, Png, Show, Svg};
use crate::error::Error;
use crate::graph::short_type_name;
use ndarray::{
    ArrayBase, Dimension, Ix0, Ix1, Ix2, Ix3, Ix4, IxDyn, OwnedArcRepr, OwnedRepr, RawData,
};
use swath_channel::Description;

pub(super) fn add_to(table: &mut Table) {
    macro_rules! ndarrays {
        ($($type:ty)*) => {$( of_ndarray::<$type>(table); )*};
    }
    ndarrays!(f64 f32 i64 i32 i16 i8 u64 u32 u16 u8 usize bool);
    macro_rules! others {
        ($($type:ty)*) => {$( table.add::<$type>(); )*};
    }
    others!(
        LocalCluster Client Profiler Profile
        Html Svg Markdown Latex Plot Png Error
    );
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
