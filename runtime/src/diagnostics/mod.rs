//! What is seen of computations: the progress of those that run, and where the
//! time went of those that did.

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
