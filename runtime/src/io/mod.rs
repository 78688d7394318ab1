//! Reads files into collections.
//!
//! Reading is described as tasks, one for each part of a file. The description reads
//! only what it needs of the file: its columns, and the positions of the parts.

pub mod csv;
pub mod parquet;
mod paths;

pub use csv::{CsvReader, Encoding, read_csv};
pub use parquet::read_parquet;
pub use paths::IntoPaths;
