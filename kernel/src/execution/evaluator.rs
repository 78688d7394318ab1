//! A stand-in until the evaluator is there: cells are scripts of a fake.

#[path = "../session/fake.rs"]
mod fake;

pub(crate) use fake::{Config, Fake as Evaluator};
