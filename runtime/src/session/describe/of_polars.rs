//! Describes frames, series and expressions of Polars.

use super::{COLUMNS, Describe, Table};
use crate::compute::describe::by_debug;
use crate::display::brief::brief_line;
use crate::display::table;
use crate::display::text::{counted, tuple};
use crate::frame::view::{columns, listed_columns};
use crate::frame::{Datum, Frame};
use polars::prelude::{Column, DataType, Expr, LazyFrame, Schema, Series as PolarsSeries};
use swath_channel::Description;

pub(super) fn add_to(table: &mut Table) {
    macro_rules! others {
        ($($type:ty)*) => {$( table.add::<$type>(); )*};
    }
    others!(
        Datum Frame LazyFrame PolarsSeries Column Schema DataType
        Expr Vec<Expr>
    );
}

impl Describe for Frame {
    fn describe(&self) -> Description {
        let columns = self
            .columns()
            .iter()
            .take(COLUMNS)
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
