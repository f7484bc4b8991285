//! The image verbs.

pub mod args;
pub mod list;
pub mod progress;
pub mod pull;
pub mod remove;
