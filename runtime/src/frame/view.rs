//! Shows frames before they are computed: in a cell, and in lists of variables.

use super::{DataFrame, Datum, FrameScalar, GroupedFrame, Series};
use crate::compute::Collection;
use crate::compute::describe::{COLUMNS, Describe, PREVIEW, broken, is_running_in, of_layer};
use crate::display::brief::{brief_line, debugged};
use crate::display::text::counted;
use crate::display::{Bundle, FrameView, ScalarView, Show};
use crate::error::{Error, Result};
use crate::graph::Layer;
use polars::prelude::Schema;
use std::sync::Arc;
use swath_channel::Description;

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
        ScalarView::of(
            &self.layer()?,
            Some(self.label()),
            self.dtype()?.to_string(),
        )
        .show()
    }
}

fn frame_view(name: &str, schema: Vec<(String, String)>, layer: &Arc<Layer>) -> FrameView {
    let (tasks, layers) = layer.extent();
    FrameView {
        name: name.to_owned(),
        schema,
        npartitions: layer.grid().len(),
        tasks,
        layers,
    }
}

pub(crate) fn columns(schema: &Schema) -> Vec<(String, String)> {
    schema
        .iter()
        .take(COLUMNS)
        .map(|(name, dtype)| (name.to_string(), dtype.to_string()))
        .collect()
}

/// Lists names and types, as many as fit into a preview.
pub(crate) fn listed_columns(columns: &[(String, String)]) -> String {
    const SHOWN: usize = 24;
    let mut lines: Vec<String> = columns
        .iter()
        .take(SHOWN)
        .map(|(name, dtype)| format!("{name}: {dtype}"))
        .collect();
    if columns.len() > SHOWN {
        lines.push(format!("… {} more", columns.len() - SHOWN));
    }
    lines.join("\n")
}

fn frame(frame: &DataFrame) -> Result<Description> {
    let schema = frame.schema()?;
    let layer = frame.layer()?;
    let columns = columns(&schema);
    Ok(Description {
        shape: counted(schema.len(), "column"),
        chunks: counted(frame.npartitions()?, "partition"),
        preview: listed_columns(&columns),
        columns,
        ..of_layer(&layer, layer.operation_name(0).to_owned())
    })
}

impl Describe for DataFrame {
    fn describe(&self) -> Description {
        frame(self).unwrap_or_else(|error| broken(&error))
    }
    fn is_changing(&self) -> bool {
        is_running_in(self)
    }
}

impl Describe for Series {
    fn describe(&self) -> Description {
        let described = || {
            let frame = frame(&self.to_frame())?;
            Ok(Description {
                shape: String::new(),
                dtype: self.dtype()?.to_string(),
                summary: format!("\"{}\"", brief_line(self.name())),
                preview: String::new(),
                columns: Vec::new(),
                ..frame
            })
        };
        described().unwrap_or_else(|error: Error| broken(&error))
    }
    fn is_changing(&self) -> bool {
        is_running_in(self)
    }
}

impl Describe for GroupedFrame {
    fn describe(&self) -> Description {
        let text = debugged(self, PREVIEW);
        let keys = text
            .rsplit_once(" grouped by ")
            .map_or("", |(_, keys)| keys);
        match frame(self.frame()) {
            Ok(frame) => Description {
                state: "not computed".to_owned(),
                nbytes: None,
                summary: format!("by {}", brief_line(keys)),
                ..frame
            },
            Err(error) => broken(&error),
        }
    }
}

impl<T: 'static> Describe for FrameScalar<T>
where
    Self: Collection,
{
    fn describe(&self) -> Description {
        match (self.layer(), self.dtype()) {
            (Ok(layer), Ok(dtype)) => Description {
                dtype: dtype.to_string(),
                ..of_layer(&layer, self.label().to_owned())
            },
            (Err(error), _) | (_, Err(error)) => broken(&error),
        }
    }
    fn is_changing(&self) -> bool {
        is_running_in(self)
    }
}

impl Describe for Datum {
    fn describe(&self) -> Description {
        Description {
            dtype: self.dtype().to_string(),
            summary: self.to_string(),
            ..Description::default()
        }
    }
}
