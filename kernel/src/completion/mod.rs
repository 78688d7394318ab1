//! Completion, inspection, and whether code is complete.
//!
//! rust-analyzer answers the first two, in a process of its own ([`Analyzer`] talks
//! to it, [`analyze()`] is its main function), so that cells never wait for it and its
//! memory has a limit. It receives the definitions of earlier cells as a
//! [`SessionView`](crate::view::SessionView), which becomes source text around the user's ([`context`]). The
//! crates that cells can name are its [`world`], built from the list of [`crates`].
//!
//! Loading takes seconds. Meanwhile, and where rust-analyzer knows nothing, [`names`]
//! answers from the text alone: [`place`] determines what can stand at the cursor,
//! [`scope`] which names of the cell are in scope there, [`infer`] the type of an
//! expression if it is written somewhere, [`members`] the members of a type. The
//! members of the runtime's and std's types are read from their sources ([`library`],
//! [`expand`], [`standard`]); [`declared`] inspects. None of these modules uses
//! rust-analyzer's database.
//!
//! Completion inside a string [`literal`] is our own: paths ([`files`]) and names of
//! [`columns`]. Inspection of a session variable ([`variable`]) shows what the
//! runtime reports about it.

mod analyze;
mod answer;
mod client;
mod columns;
mod commands;
mod completeness;
mod context;
mod crates;
mod cursor;
mod declared;
mod expand;
mod files;
mod infer;
mod library;
mod literal;
mod markdown;
mod members;
mod memory;
mod modules;
mod names;
mod paths;
mod place;
mod process;
mod protocol;
mod scope;
mod standard;
mod variable;
mod world;

pub(crate) use analyze::analyze;
pub(crate) use client::Analyzer;
pub(crate) use completeness::completeness;

/// The maximum depth of nesting that is parsed. Nobody nests deeper, and rustc's
/// default limit is not higher.
const DEEPEST: usize = 256;
