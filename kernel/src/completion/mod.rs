//! Completion, inspection, and whether code is complete.
//!
//! rust-analyzer answers the first two, in a process of its own
//! ([`Analyzer`] talks to it, [`analyze`] is its main function), so that a
//! cell never waits for it and its memory has a limit. What cells have
//! defined reaches it as a [`SessionView`], which becomes source text around
//! the user's ([`context`]); what they can name is its [`world`], from the
//! list of [`crates`].
//!
//! While it loads, which takes seconds, and where it knows nothing, [`names`]
//! answers from the text alone: [`place`] tells what can stand at the cursor,
//! [`scope`] which names the cell's own text has there, [`infer`] an expression's
//! type where that is written somewhere, [`members`] what a type has. What the
//! runtime and std have is read off their sources ([`library`], [`expand`],
//! [`standard`]); [`declared`] inspects. None of them knows rust-analyzer's database.
//!
//! What stands in a string [`literal`] is ours to complete: paths ([`files`])
//! and names of [`columns`]. What is told of a variable comes from the runtime
//! ([`variable`]).

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

/// How many levels of nesting are looked into. Nobody nests deeper, and rustc
/// takes no more by itself.
const DEEPEST: usize = 256;
