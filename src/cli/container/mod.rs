//! The container verbs.

pub mod act;
pub mod args;
pub mod create;
mod environment;
mod flags;
pub use flags::value;
pub mod list;
pub mod logs;
mod ports;
pub mod run;
pub mod start;
pub mod streams;
