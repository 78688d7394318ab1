//! Instances of generic functions, compiled once instead of in every cell.
//!
//! Below optimisation level 2, rustc uses the instances that a library exports
//! instead of compiling its own. Libraries compiled at a higher level export
//! none, so this one is compiled at level 1 (see the workspace's profile).
//!
//! The functions here are never called. They do what cells do, with the types
//! that cells use most. An instance that is missing here is compiled in the
//! cell that needs it. A cell with a Polars expression compiles in half the
//! time because of this library.

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

/// Makes a program that calls this function load the library at its start.
#[inline(never)]
pub fn link() {}

/// Generates what a cell does with a variable and a value: it takes the
/// variable out of the store, or copies it if it is a handle, puts it back, and
/// shows the value.
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
