//! Instances of generic functions, compiled once instead of in every cell.
//!
//! A cell is compiled without optimisation, and rustc then takes the instances
//! that a library exports instead of making its own: that is what makes a cell
//! with a Polars expression as fast as one without. Libraries compiled with
//! optimisation export none, so this one is compiled at level 1 (see the
//! workspace's profile). Its functions are never called. They do what cells
//! do, with the types that cells use most; what is missing here is compiled by
//! the cell that needs it.

/// Makes a program that calls it load this library at its start.
#[inline(never)]
pub fn link() {}

pub mod frames;
