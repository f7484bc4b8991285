//! `learn network …`.

pub mod args;
pub mod change;
pub mod list;
