//! Completion, inspection, and whether code is complete.
//!
//! rust-analyzer answers the first two, in a process of its own
//! ([`Analyzer`] talks to it, [`analyze`] is its main function), so that a
//! cell never waits for it and its memory has a limit. What cells have
//! defined reaches it as a [`SessionView`], which becomes source text around
//! the user's ([`context`]); what they can name is its [`world`], from the
//! list of [`crates`]. Where it isn't ready, [`names`] answers.
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
mod depth;
mod files;
mod literal;
mod markdown;
mod memory;
mod modules;
mod names;
mod paths;
mod process;
mod protocol;
mod variable;
mod view;
mod world;

pub(crate) use analyze::analyze;
pub(crate) use client::Analyzer;
pub(crate) use commands::COMMANDS;
pub(crate) use completeness::completeness;
pub(crate) use crates::HELD;
pub(crate) use view::{SessionView, Variable};
