//! Observes computations: the progress of running ones, and the time spent in
//! finished ones.

mod bar;
mod iterator;
mod monitor;
pub mod profile;
pub mod progress;
mod view;

pub use iterator::{ProgressIterator, Tracked};
pub(crate) use monitor::install;
pub use monitor::show_progress;
pub use profile::{OperationProfile, Profile, Profiler};
pub use progress::{Progressed, progress};
