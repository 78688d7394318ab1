//! CSV files: text files of separated values.
//!
//! [`CsvReader::load`] reads the header, samples that determine the columns' types
//! ([`infer`]), and the positions where records begin ([`cut`]), so that each partition
//! is a range of bytes that can be read independently. Later a task reads a range
//! ([`parse`]). All of them split a file with the same lexer ([`lex`]), so they cannot
//! disagree about the extent of a record.

mod cut;
mod infer;
mod lex;
mod parse;

#[cfg(test)]
mod tests;

use super::paths::{IntoPaths, Stamp, find};
use crate::error::{Error, Result};
use crate::frame::{DataFrame, Partitions, threads};
use crate::graph::{Grid, Layer};
use lex::{Format, Record, is_line_end, line_end};
use parse::{Range, ReadCsv};
use polars::prelude::{DataType, Schema};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

/// How a file's bytes encode text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8. Invalid bytes are an error.
    #[default]
    Utf8,
    /// UTF-8. Invalid bytes become `�`.
    Utf8Lossy,
    /// ISO 8859-1: each byte is a character.
    Latin1,
}

/// Describes how CSV files are read. [`load`](Self::load) makes a frame from it.
#[derive(Clone, Debug)]
pub struct CsvReader {
    paths: Vec<PathBuf>,
    separator: char,
    quote: Option<char>,
    comment: Option<String>,
    nulls: Vec<String>,
    encoding: Encoding,
    skip_rows: usize,
    has_header: Option<bool>,
    names: Option<Vec<String>>,
    dtypes: Vec<(String, DataType)>,
    partitions: Option<usize>,
    blocksize: Option<u64>,
}

/// Reads CSV files with the same columns into one frame.
///
/// Lines end with `\n`, `\r\n` or `\r`.
///
/// Accepts a path, a pattern (`"data/*.csv"`) or a list of paths. Set the options, then
/// call [`load`](CsvReader::load), which reads samples of the files for the names and
/// types of the columns. Rows are read when the frame is computed.
///
/// ```
/// # use swath::prelude::*;
/// # let path = std::env::temp_dir().join(format!("swath-doc-{}.user", std::process::id()));
/// # std::fs::write(&path, "1|24|M\n2|53|F\n3|23|M\n")?;
/// // 1|24|M
/// // 2|53|F
/// // 3|23|M
/// let users = read_csv(&path).separator('|').names(["user_id", "age", "sex"]).load()?;
/// assert_eq!(users.column("age").mean().compute()?, 100.0 / 3.0);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("scan_csv", "read_table"))]
pub fn read_csv(paths: impl IntoPaths) -> CsvReader {
    CsvReader::new(paths.into_paths())
}

/// The default size of a partition, in bytes.
const BLOCKSIZE: u64 = 64 << 20;

/// From this size on, a file is worth one partition per thread.
const WORTH_SPLITTING: u64 = 1 << 20;

impl CsvReader {
    fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            separator: ',',
            quote: Some('"'),
            comment: None,
            nulls: Vec::new(),
            encoding: Encoding::Utf8,
            skip_rows: 0,
            has_header: None,
            names: None,
            dtypes: Vec::new(),
            partitions: None,
            blocksize: None,
        }
    }

    /// Sets the character between fields, an ASCII character. Default: `,`.
    #[doc(alias("sep", "delimiter"))]
    #[must_use]
    pub fn separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    /// Sets the character around fields that contain separators or line ends. Default: `"`.
    ///
    /// Inside such a field it is doubled. A field is quoted only if it begins with this
    /// character. With `None`, quotes are plain text, and a large file need not be searched
    /// for them.
    #[doc(alias = "quotechar")]
    #[must_use]
    pub fn quote_char(mut self, quote: impl Into<Option<char>>) -> Self {
        self.quote = quote.into();
        self
    }

    /// Skips lines that begin with the prefix.
    #[doc(alias = "comment")]
    #[must_use]
    pub fn comment_prefix(mut self, prefix: &str) -> Self {
        self.comment = Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty());
        self
    }

    /// Sets the texts that mean a missing value, in addition to an empty field.
    #[doc(alias = "na_values")]
    #[must_use]
    pub fn null_values<T: Into<String>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.nulls = values.into_iter().map(T::into).collect();
        self
    }

    /// Sets the encoding of the text. Default: UTF-8.
    #[must_use]
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Skips the given number of lines at the beginning of each file, before the header.
    #[doc(alias = "skiprows")]
    #[must_use]
    pub fn skip_rows(mut self, lines: usize) -> Self {
        self.skip_rows = lines;
        self
    }

    /// Sets whether the first record contains the columns' names. Default: true, unless
    /// names are given.
    #[doc(alias = "header")]
    #[must_use]
    pub fn has_header(mut self, has_header: bool) -> Self {
        self.has_header = Some(has_header);
        self
    }

    /// Sets the columns' names, one for each field.
    #[doc(alias = "new_columns")]
    #[must_use]
    pub fn names<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.names = Some(names.into_iter().map(T::into).collect());
        self
    }

    /// Sets the type of a column, which is otherwise inferred from its values:
    /// `with_dtype("day", DataType::Date)`.
    ///
    /// Dates and times are read in the format of ISO 8601 (`2024-01-31`,
    /// `2024-01-31T12:30:00`). In other formats the order of day and month is ambiguous: read
    /// the column as text and convert it with `col("day").str().to_date(…)`.
    #[doc(alias("dtype", "schema_overrides"))]
    #[must_use]
    pub fn with_dtype(mut self, column: &str, dtype: DataType) -> Self {
        self.dtypes.push((column.to_owned(), dtype));
        self
    }

    /// Sets the number of partitions over all files. Each file has at least one, and at most
    /// one per record.
    #[doc(alias = "npartitions")]
    #[must_use]
    pub fn partitions(mut self, partitions: usize) -> Self {
        self.partitions = Some(partitions.max(1));
        self
    }

    /// Sets the approximate size of a partition, in bytes of text. Default: 64 MB, or less
    /// for files of more than 1 MB, so that each thread has a partition.
    #[doc(alias = "chunksize")]
    #[must_use]
    pub fn blocksize(mut self, bytes: u64) -> Self {
        self.blocksize = Some(bytes.max(1));
        self
    }

    /// Reads the columns' names and types from the files and returns the frame.
    ///
    /// # Errors
    /// - [`Error::Io`] for a missing file.
    /// - [`Error::Csv`] for an empty file, if the number of names is not the number of
    ///   fields, or if a file's columns differ from those of the first file.
    /// - [`Error::Column`] if a type is set for a column that does not exist.
    ///
    /// Errors in single records are reported when the records are read.
    #[doc(alias("collect", "finish"))]
    pub fn load(self) -> Result<DataFrame> {
        let format = self.format()?;
        let files = find(self.paths.clone())?;
        let has_header = self.has_header.unwrap_or(self.names.is_none());

        let mut names: Vec<String> = Vec::new();
        let mut data_starts = Vec::with_capacity(files.len());
        for (number, file) in files.iter().enumerate() {
            let start = Start::of(file, &format, self.skip_rows, has_header)?;
            let here = self.names_in(file, &start, has_header)?;
            if number == 0 {
                names = here;
            } else if names != here {
                return Err(csv_error(
                    file,
                    Some(start.line),
                    format!(
                        "the columns are {here:?}, expected {names:?} as in {}",
                        files[0].path.display()
                    ),
                ));
            }
            data_starts.push(start.data);
        }

        let wanted = self.cuts(&files, &data_starts);
        let mut ranges = Vec::new();
        let mut guesses = vec![infer::Guess::default(); names.len()];
        for (file, stamp) in files.iter().enumerate() {
            let data_start = data_starts[file];
            let looked = cut::FileScan::at(stamp, &format, data_start, wanted[file])?;
            infer::infer(stamp, &format, &looked.samples, &mut guesses)?;
            let mut starts = looked.starts;
            starts.push(stamp.size);
            ranges.extend(starts.windows(2).map(|range| Range {
                file,
                start: range[0],
                end: range[1],
            }));
        }
        let schema = self.schema(&names, &guesses)?;
        let nbytes: u64 = files.iter().map(|file| file.size).sum();
        let grid = Grid::new([ranges.len() as u32]);
        let read = ReadCsv::new(files, ranges, format, &schema);
        Ok(DataFrame::from_plan(Ok(Partitions {
            layer: Layer::blockwise(read, grid, vec![], vec![]),
            schema: Arc::new(schema),
            partitionwise: true,
            // "1," has two bytes as text and eight in memory.
            nbytes: Some(nbytes.saturating_mul(4)),
        })))
    }

    fn format(&self) -> Result<Format> {
        let ascii = |c: char, what: &str| {
            u8::try_from(c).ok().filter(u8::is_ascii).ok_or_else(|| {
                Error::Argument(format!(
                    "the {what} {c:?} is not an ASCII character: choose another"
                ))
            })
        };
        let quote = self
            .quote
            .map(|c| ascii(c, "quote character"))
            .transpose()?;
        let separator = ascii(self.separator, "separator")?;
        if is_line_end(separator) || Some(separator) == quote {
            return Err(Error::Argument(format!(
                "the separator {:?} is the quote character or a line end: choose another",
                self.separator
            )));
        }
        if let Some(quote) = quote.filter(|quote| is_line_end(*quote)) {
            return Err(Error::Argument(format!(
                "the quote character {:?} is a line end: choose another",
                char::from(quote)
            )));
        }
        Ok(Format {
            separator,
            quote,
            comment: self.comment.clone().map(String::into_bytes),
            nulls: self.nulls.clone(),
            encoding: self.encoding,
        })
    }

    /// Returns the names of a file's columns.
    fn names_in(&self, file: &Stamp, start: &Start, has_header: bool) -> Result<Vec<String>> {
        let fields = start.fields.len();
        let names = match &self.names {
            Some(names) if names.len() != fields => {
                return Err(csv_error(
                    file,
                    Some(start.line),
                    format!(
                        "{fields} {} found, {} names given: give one name for each field{}",
                        if fields == 1 { "field" } else { "fields" },
                        names.len(),
                        if fields == 1 {
                            format!("; is {:?} the separator?", self.separator)
                        } else {
                            String::new()
                        }
                    ),
                ));
            }
            Some(names) => names.clone(),
            None if has_header => start.fields.clone(),
            None => (1..=fields).map(|at| format!("column_{at}")).collect(),
        };
        let mut seen = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
            return Err(csv_error(
                file,
                has_header.then_some(start.line),
                format!(
                    "two columns have the name {twice:?}: set distinct names with .names([...]); if the file has a header, add .has_header(true)"
                ),
            ));
        }
        Ok(names)
    }

    /// Returns the number of ranges for each file.
    fn cuts(&self, files: &[Stamp], data_starts: &[u64]) -> Vec<usize> {
        let sizes: Vec<u64> = files
            .iter()
            .zip(data_starts)
            .map(|(file, start)| file.size - start)
            .collect();
        let total: u64 = sizes.iter().sum();
        if let Some(partitions) = self.partitions {
            let share = |size: u64| {
                (u128::from(size) * partitions as u128).div_ceil(u128::from(total.max(1))) as usize
            };
            if files.len() == 1 {
                return vec![partitions];
            }
            return sizes.into_iter().map(|size| share(size).max(1)).collect();
        }
        let blocksize = self.blocksize.unwrap_or(BLOCKSIZE);
        let mut cuts: Vec<usize> = sizes
            .iter()
            .map(|size| size.div_ceil(blocksize).max(1) as usize)
            .collect();
        let threads = threads();
        if self.blocksize.is_none()
            && total > WORTH_SPLITTING
            && cuts.iter().sum::<usize>() < threads
        {
            for (cuts, size) in cuts.iter_mut().zip(sizes) {
                *cuts = (*cuts).max((size * threads as u64 / total) as usize);
            }
        }
        cuts
    }

    fn schema(&self, names: &[String], guesses: &[infer::Guess]) -> Result<Schema> {
        for (name, _) in &self.dtypes {
            if !names.contains(name) {
                return Err(Error::Column {
                    name: name.clone(),
                    context: " in with_dtype".to_owned(),
                    available: names.to_vec(),
                    may_be_text: false,
                });
            }
        }
        Ok(names
            .iter()
            .zip(guesses)
            .map(|(name, guess)| {
                let given = self.dtypes.iter().rfind(|(column, _)| column == name);
                let dtype = given.map_or_else(|| guess.dtype(), |(_, dtype)| dtype.clone());
                (name.as_str().into(), dtype)
            })
            .collect())
    }
}

/// The first record of a file.
struct Start {
    /// Its fields.
    fields: Vec<String>,
    /// Its line, from 1.
    line: usize,
    /// The position where the data begins.
    data: u64,
}

impl Start {
    fn of(file: &Stamp, format: &Format, skip_rows: usize, has_header: bool) -> Result<Self> {
        let mut length = 1 << 16;
        loop {
            let bytes = cut::read(file, &mut file.open()?, 0, length.min(file.size))?;
            let whole = bytes.len() as u64 == file.size;
            if let Some(start) = Self::in_bytes(file, format, skip_rows, has_header, &bytes, whole)?
            {
                return Ok(start);
            }
            length *= 8;
        }
    }

    /// Finds the first record. Returns `None` if more bytes are needed.
    fn in_bytes(
        file: &Stamp,
        format: &Format,
        skip_rows: usize,
        has_header: bool,
        bytes: &[u8],
        whole: bool,
    ) -> Result<Option<Self>> {
        const BOM: &[u8] = b"\xef\xbb\xbf";
        let mut from = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
        for _ in 0..skip_rows {
            match line_end(bytes, from) {
                // At the end of the bytes it may be the first half of a line end.
                Some((_, next)) if whole || next < bytes.len() => from = next,
                None if whole => from = bytes.len(),
                _ => return Ok(None),
            }
        }
        let mut fields = Vec::new();
        loop {
            let record = format.record(bytes, from, &mut fields);
            if !whole && record.end().is_none_or(|end| end >= bytes.len()) {
                return Ok(None);
            }
            match record {
                Record::Fields { end } => {
                    // An empty line before the first record is not a record.
                    if fields.len() == 1 && fields[0].is_missing() {
                        from = end;
                        continue;
                    }
                    let line = cut::line_at(bytes, from);
                    let texts = fields
                        .iter()
                        .map(|field| {
                            let raw = field.bytes(bytes, format);
                            format.decode(raw.into_owned()).map_err(|error| {
                                not_utf8(file, line, error.utf8_error(), error.as_bytes())
                            })
                        })
                        .collect::<Result<_>>()?;
                    return Ok(Some(Self {
                        fields: texts,
                        line,
                        data: if has_header { end } else { from } as u64,
                    }));
                }
                Record::Skipped { end } => from = end,
                Record::Unterminated { quote } => {
                    return Err(unterminated(file, format, cut::line_at(bytes, quote)));
                }
                Record::End => {
                    let expected = if has_header { "a header" } else { "records" };
                    let reason = if file.size == 0 {
                        format!("the file is empty, expected {expected}")
                    } else {
                        format!("the file has no records, expected {expected}")
                    };
                    return Err(csv_error(file, None, reason));
                }
            }
        }
    }
}

fn csv_error(file: &Stamp, line: Option<usize>, reason: String) -> Error {
    Error::Csv {
        path: file.path.clone(),
        line,
        reason,
    }
}

fn unterminated(file: &Stamp, format: &Format, line: usize) -> Error {
    let quote = char::from(format.quote.unwrap_or(b'"'));
    csv_error(
        file,
        Some(line),
        format!(
            "a field that begins with {quote} does not end with one: if quotes are text in this file, read it with .quote_char(None)"
        ),
    )
}

fn not_utf8(file: &Stamp, line: usize, error: std::str::Utf8Error, bytes: &[u8]) -> Error {
    let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
    csv_error(
        file,
        Some(line),
        format!(
            "the byte 0x{byte:02X} is not valid UTF-8: if the file is in Latin-1, read it with .encoding(Encoding::Latin1)"
        ),
    )
}
