//! What is seen of computations: the progress of those that run, and where the
//! time went of those that did.

pub mod profile;
pub mod progress;

pub use profile::{OperationProfile, Profile, Profiler};
pub use progress::{Progressed, progress};
