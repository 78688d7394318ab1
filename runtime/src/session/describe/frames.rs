//! Describes frames, series and expressions: those of Swath without computing
//! them, and those of Polars.

use super::brief::{brief_line, debugged};
use super::collections::{broken, by_debug, is_running_in, of_layer};
use super::{Describe, Table};
use crate::compute::Collection;
use crate::display::table;
use crate::display::text::{counted, tuple};
use crate::error::Error;
use crate::frame::{DataFrame, Datum, Frame, FrameScalar, GroupedFrame, Series};
use polars::prelude::{Column, DataType, Expr, LazyFrame, Schema, Series as PolarsSeries};
use swath_channel::Description;

pub(super) fn add_to(table: &mut Table) {
    macro_rules! changing {
        ($($type:ty)*) => {$( table.add_changing::<$type>(); )*};
    }
    changing!(
        DataFrame Series FrameScalar<f64> FrameScalar<i64> FrameScalar<i32> FrameScalar<u64>
        FrameScalar<u32> FrameScalar<usize> FrameScalar<bool> FrameScalar<String> FrameScalar<Datum>
    );
    macro_rules! others {
        ($($type:ty)*) => {$( table.add::<$type>(); )*};
    }
    others!(
        Datum GroupedFrame Vec<DataFrame> Frame LazyFrame PolarsSeries Column Schema DataType
        Expr Vec<Expr>
    );
}

fn columns(schema: &Schema) -> Vec<(String, String)> {
    schema
        .iter()
        .take(super::COLUMNS)
        .map(|(name, dtype)| (name.to_string(), dtype.to_string()))
        .collect()
}

/// Lists names and types, as many as fit into a preview.
fn listed_columns(columns: &[(String, String)]) -> String {
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

fn frame(frame: &DataFrame) -> Result<Description, Error> {
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
        let text = debugged(self, super::PREVIEW);
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

impl Describe for Frame {
    fn describe(&self) -> Description {
        let columns = self
            .columns()
            .iter()
            .take(super::COLUMNS)
            .map(|column| (column.name().to_string(), column.dtype().to_string()))
            .collect();
        Description {
            shape: tuple(&[self.height(), self.width()]),
            summary: format!(
                "{} × {}",
                counted(self.height(), "row"),
                counted(self.width(), "column")
            ),
            preview: table::preview(self.columns()),
            columns,
            nbytes: Some(self.estimated_size() as u64),
            ..Description::default()
        }
    }
}

fn column(column: &Column, nbytes: Option<usize>) -> Description {
    Description {
        shape: tuple(&[column.len()]),
        dtype: column.dtype().to_string(),
        summary: format!("\"{}\"", brief_line(column.name())),
        preview: table::preview(std::slice::from_ref(column)),
        nbytes: nbytes.map(|nbytes| nbytes as u64),
        ..Description::default()
    }
}

impl Describe for Column {
    fn describe(&self) -> Description {
        // A column that repeats one value is not expanded for this.
        column(self, self.as_series().map(PolarsSeries::estimated_size))
    }
}

impl Describe for PolarsSeries {
    fn describe(&self) -> Description {
        column(&Column::from(self.clone()), Some(self.estimated_size()))
    }
}

impl Describe for LazyFrame {
    /// Does not list the columns: they would have to be worked out, perhaps
    /// from files.
    fn describe(&self) -> Description {
        Description {
            state: "not computed".to_owned(),
            ..Description::default()
        }
    }
}

impl Describe for Schema {
    fn describe(&self) -> Description {
        let columns = columns(self);
        Description {
            shape: counted(self.len(), "column"),
            preview: listed_columns(&columns),
            ..Description::default()
        }
    }
}

impl Describe for Expr {
    fn describe(&self) -> Description {
        by_debug(self)
    }
}

impl Describe for DataType {
    fn describe(&self) -> Description {
        by_debug(self)
    }
}
