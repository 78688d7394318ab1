//! Instances of generic functions, compiled once instead of in every cell.
//!
//! rustc takes instances that a library exports instead of making its own,
//! below optimisation level 2. Libraries that are optimised more export none,
//! so this one is compiled at level 1 (see the workspace's profile). Its
//! functions are never called. They do what cells do, with the types that
//! cells use most; what is missing here, the cell that needs it compiles. A
//! cell with a Polars expression takes half the time for it.

#![allow(
    clippy::redundant_clone,
    clippy::needless_borrows_for_generic_args,
    reason = "what cells do is instantiated, not what is best"
)]

pub mod arrays;
pub mod frames;
pub mod graphs;
pub mod polars;
pub mod values;

/// Makes a program that calls it load this library at its start.
#[inline(never)]
pub fn link() {}

/// What a cell does with a variable and a value: takes it out of the store, or
/// copies it if it is a handle, keeps it, shows it.
macro_rules! used_by {
    ($load:ident: $($name:ident: $type:ty),* $(,)?) => {$(
        #[doc = concat!("`", stringify!($type), "` as a variable and as a value.")]
        pub fn $name(shown: &$type) -> Result<(), swath::session::cell::Failure> {
            use swath::session::cell;
            cell::check(&[("x", std::any::TypeId::of::<$type>())])?;
            let x = cell::$load::<$type>("x");
            let outcome = cell::show(swath::show_value!(shown)).map_err(cell::Failure::from);
            cell::put("x", x);
            outcome
        }
    )*};
}
use used_by as used;
