//! Reading files into collections.
//!
//! What is read is described as tasks, one for each part of a file; the file
//! itself is looked at as far as its columns and the places of the parts need it.

pub mod csv;
pub mod parquet;
mod paths;

pub use csv::{CsvReader, Encoding, read_csv};
pub use parquet::read_parquet;
pub use paths::IntoPaths;
