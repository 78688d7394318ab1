//! Telling Jupyter about the kernel, and checking what the kernel needs.

mod doctor;
mod kernelspec;
mod locations;

pub(crate) use doctor::doctor;
pub(crate) use kernelspec::{install, list, uninstall};
pub(crate) use locations::Location;

/// The kernelspec's name, unless `--name` says otherwise.
pub(crate) const NAME: &str = "swath";
/// The name that Jupyter shows, unless `--display-name` says otherwise.
pub(crate) const DISPLAY_NAME: &str = "Rust (Swath)";
