//! The steps of a run.

pub mod read;
