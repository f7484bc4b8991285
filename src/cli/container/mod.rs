//! The container verbs.

pub mod act;
pub mod args;
pub mod create;
mod environment;
pub mod list;
pub mod logs;
mod ports;
pub mod run;
pub mod start;
pub mod streams;
