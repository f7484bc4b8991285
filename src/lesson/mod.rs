//! Lessons: scripts in YAML, and what they know of a trace.

pub mod known;
pub mod script;
