//! Installs the kernelspec, and checks what the kernel needs.

mod doctor;
mod kernelspec;
mod locations;

pub(crate) use doctor::doctor;
pub(crate) use kernelspec::{install, list, uninstall};
pub(crate) use locations::Location;

/// The default of `--name`, the kernelspec's name.
pub(crate) const NAME: &str = "swath";
/// The default of `--display-name`, the name that Jupyter shows.
pub(crate) const DISPLAY_NAME: &str = "Rust (Swath)";
