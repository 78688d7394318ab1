//! Progress of what runs.

pub mod progress;

pub use progress::{Progressed, progress};
