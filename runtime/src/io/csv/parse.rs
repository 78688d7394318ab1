//! The task that reads a range of a file.

use super::cut::{line_at, line_of, read};
use super::infer::{boolean, date, datetime, float, integer};
use super::lex::{Field, Format, Record};
use super::{Stamp, csv_error, not_utf8, unterminated};
use crate::error::{Error, Result};
use crate::frame::{Frame, FrameChunk};
use crate::graph::{Arguments, Block, EncodedOperation, Operation, Value};
use polars::prelude::{
    BooleanChunkedBuilder, BooleanType, ChunkedBuilder, Column, DataType, Float64Type, Int32Type,
    Int64Type, IntoColumn, PlSmallStr, PrimitiveChunkedBuilder, Schema, StringChunkedBuilder,
    TimeUnit,
};
use serde::{Deserialize, Serialize};

/// Reads ranges of files, one per task.
#[derive(Serialize, Deserialize)]
pub(super) struct ReadCsv {
    files: Vec<Stamp>,
    ranges: Vec<Range>,
    format: Format,
    columns: Vec<(String, DataType)>,
}

/// A range of a file that begins with a record.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Range {
    pub(super) file: usize,
    pub(super) start: u64,
    pub(super) end: u64,
}

impl ReadCsv {
    pub(super) fn new(
        files: Vec<Stamp>,
        ranges: Vec<Range>,
        format: Format,
        schema: &Schema,
    ) -> Self {
        let columns = schema
            .iter()
            .map(|(name, dtype)| (name.to_string(), dtype.clone()))
            .collect();
        Self {
            files,
            ranges,
            format,
            columns,
        }
    }

    fn read(&self, range: Range) -> Result<Frame> {
        let file = &self.files[range.file];
        let bytes = read(
            file,
            &mut file.reopen()?,
            range.start,
            range.end - range.start,
        )?;
        let text = self.format.decode(bytes).map_err(|error| {
            let place = error.utf8_error().valid_up_to() as u64;
            match line_of(file, range.start + place) {
                Ok(line) => not_utf8(file, line, error.utf8_error(), error.as_bytes()),
                Err(error) => error,
            }
        })?;
        let mut columns: Vec<Builder> = self
            .columns
            .iter()
            .map(|(name, dtype)| Builder::new(name, dtype))
            .collect();
        let partition = Partition {
            read: self,
            file,
            range,
            text: &text,
        };
        let rows = partition.each_record(|from, fields| {
            for (at, field) in fields.iter().enumerate() {
                let value = field.text(&text, &self.format);
                let value = (!self.format.is_null(*field, &value)).then_some(&*value);
                if !columns[at].push(value) {
                    return Err(partition.mismatch(from, at, value.unwrap_or_default()));
                }
            }
            Ok(())
        })?;
        let columns = columns
            .into_iter()
            .enumerate()
            .map(|(at, column)| partition.finish(at, column))
            .collect::<Result<_>>()?;
        Ok(Frame::new(rows, columns)?)
    }
}

impl Operation for ReadCsv {
    fn name(&self) -> &str {
        "read-csv"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, block: &Block<'_>, _: Vec<Value>) -> Result<Value> {
        let frame = self.read(self.ranges[block.index[0] as usize])?;
        Ok(Value::new(FrameChunk(frame)))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "io/read-csv")
    }
}

/// A range during its reading.
struct Partition<'a> {
    read: &'a ReadCsv,
    file: &'a Stamp,
    range: Range,
    text: &'a str,
}

impl Partition<'_> {
    /// Calls `each` with every record's position and fields. Returns the number of records.
    fn each_record(&self, mut each: impl FnMut(usize, &[Field]) -> Result<()>) -> Result<usize> {
        let (format, width) = (&self.read.format, self.read.columns.len());
        let bytes = self.text.as_bytes();
        let mut fields = Vec::with_capacity(width);
        let (mut from, mut rows) = (0, 0);
        loop {
            match format.record(bytes, from, &mut fields) {
                Record::Fields { end } => {
                    if fields.len() == width {
                        each(from, &fields)?;
                        rows += 1;
                    } else if !matches!(&fields[..], [field] if field.is_missing()) {
                        return Err(self.ragged(from, end, fields.len()));
                    }
                    from = end;
                }
                Record::Skipped { end } => from = end,
                Record::Unterminated { quote } => {
                    return Err(match self.line(quote) {
                        Ok(line) => unterminated(self.file, format, line),
                        Err(error) => error,
                    });
                }
                Record::End => return Ok(rows),
            }
        }
    }

    /// Returns the line of a position in the text.
    fn line(&self, place: usize) -> Result<usize> {
        // The range begins with a line.
        let before = line_of(self.file, self.range.start)?;
        Ok(before + line_at(self.text.as_bytes(), place) - 1)
    }

    fn error(&self, place: usize, reason: String) -> Error {
        match self.line(place) {
            Ok(line) => csv_error(self.file, Some(line), reason),
            Err(error) => error,
        }
    }

    fn ragged(&self, from: usize, end: usize, found: usize) -> Error {
        let expected = self.read.columns.len();
        let record = self.text[from..end].trim_end_matches(['\n', '\r']);
        let fields = if found == 1 { "field" } else { "fields" };
        let quoted = if record.contains(['\n', '\r']) {
            "; a quoted field contains line ends: if quotes are text in this file, read it with .quote_char(None)"
        } else {
            ""
        };
        self.error(
            from,
            format!(
                "{found} {fields} found, {expected} expected: {}{quoted}",
                shown(record)
            ),
        )
    }

    fn mismatch(&self, from: usize, column: usize, found: &str) -> Error {
        let (name, dtype) = &self.read.columns[column];
        let form = match dtype {
            DataType::Date => " (2024-01-31)",
            DataType::Datetime(..) => " (2024-01-31 12:30:00)",
            _ => "",
        };
        self.error(
            from,
            format!(
                "column \"{name}\": {} found, {dtype}{form} expected; if the column holds other values, read it with .with_dtype(\"{name}\", DataType::String)",
                shown(found)
            ),
        )
    }

    /// Returns the column in its type.
    fn finish(&self, at: usize, column: Builder) -> Result<Column> {
        let dtype = &self.read.columns[at].1;
        let column = column.finish();
        if column.dtype() == dtype {
            return Ok(column);
        }
        let cast = column.cast(dtype)?;
        if cast.dtype() != dtype {
            return Err(Error::Type {
                subject: format!("the column \"{}\"", self.read.columns[at].0),
                found: format!("of type {} after the conversion from text", cast.dtype()),
                expected: dtype.to_string(),
            });
        }
        if cast.null_count() == column.null_count() {
            return Ok(cast);
        }
        // Find the first value that the cast has turned into a null.
        let (before, after) = (column.is_null(), cast.is_null());
        let lost = before
            .iter()
            .zip(after.iter())
            .position(|(before, after)| before != after);
        let lost = lost.unwrap_or_default();
        let mut row = 0;
        self.each_record(|from, fields| {
            if row == lost {
                let found = fields[at].text(self.text, &self.read.format);
                return Err(self.mismatch(from, at, &found));
            }
            row += 1;
            Ok(())
        })?;
        Ok(cast)
    }
}

fn shown(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// A column during its construction.
enum Builder {
    Int(PrimitiveChunkedBuilder<Int64Type>),
    Float(PrimitiveChunkedBuilder<Float64Type>),
    Bool(BooleanChunkedBuilder),
    // Polars also converts text into these types, but guesses the order of day and month,
    // or warns.
    Date(PrimitiveChunkedBuilder<Int32Type>),
    Datetime(PrimitiveChunkedBuilder<Int64Type>, TimeUnit),
    /// All other types, which Polars converts from text.
    Text(StringChunkedBuilder),
}

impl Builder {
    fn new(name: &str, dtype: &DataType) -> Self {
        const ROWS: usize = 1024;
        let name = PlSmallStr::from(name);
        match dtype {
            DataType::Int64 => Self::Int(PrimitiveChunkedBuilder::new(name, ROWS)),
            DataType::Float64 => Self::Float(PrimitiveChunkedBuilder::new(name, ROWS)),
            DataType::Boolean => Self::Bool(BooleanChunkedBuilder::new(name, ROWS)),
            DataType::Date => Self::Date(PrimitiveChunkedBuilder::new(name, ROWS)),
            DataType::Datetime(unit, None) => {
                Self::Datetime(PrimitiveChunkedBuilder::new(name, ROWS), *unit)
            }
            _ => Self::Text(StringChunkedBuilder::new(name, ROWS)),
        }
    }

    /// Adds a value and returns whether it fits the type.
    fn push(&mut self, value: Option<&str>) -> bool {
        // An empty quoted field is a missing number.
        let number = value.filter(|value| !value.is_empty());
        match self {
            Self::Int(column) => {
                let parsed = number.map(integer);
                column.append_option(parsed.flatten());
                parsed != Some(None)
            }
            Self::Float(column) => {
                let parsed = number.map(float);
                column.append_option(parsed.flatten());
                !matches!(parsed, Some(None))
            }
            Self::Bool(column) => {
                let parsed = number.map(boolean);
                ChunkedBuilder::<bool, BooleanType>::append_option(column, parsed.flatten());
                parsed != Some(None)
            }
            Self::Date(column) => {
                let parsed = number.map(date);
                column.append_option(parsed.flatten());
                parsed != Some(None)
            }
            Self::Datetime(column, unit) => {
                let parsed = number.map(|text| datetime(text, *unit));
                column.append_option(parsed.flatten());
                parsed != Some(None)
            }
            Self::Text(column) => {
                column.append_option(value);
                true
            }
        }
    }

    fn finish(self) -> Column {
        match self {
            Self::Int(column) => column.finish().into_column(),
            Self::Float(column) => column.finish().into_column(),
            Self::Bool(column) => column.finish().into_column(),
            Self::Date(column) => column.finish().into_date().into_column(),
            Self::Datetime(column, unit) => column.finish().into_datetime(unit, None).into_column(),
            Self::Text(column) => column.finish().into_column(),
        }
    }
}
