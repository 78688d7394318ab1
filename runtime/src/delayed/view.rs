//! Shows delayed values before they are computed, in a cell and in lists of variables.

use super::{Delayed, TaskGraph, TaskOutput};
use crate::compute::Collection;
use crate::compute::describe::{Describe, broken, is_running_in, of_layer};
use crate::display::brief::listed;
use crate::display::text::counted;
use crate::display::{Bundle, DelayedView, Show};
use crate::error::Result;
use crate::graph::{Layer, short_type_name};
use std::sync::Arc;
use swath_channel::Description;

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

fn delayed_view(key: &str, type_name: &str, layer: &Arc<Layer>) -> DelayedView {
    DelayedView {
        type_name: short_type_name(type_name),
        key: key.to_owned(),
        tasks: layer.extent().0,
    }
}

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
