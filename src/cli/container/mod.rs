//! The container verbs.

pub mod act;
pub mod args;
pub mod create;
mod detach;
mod environment;
pub mod exec;
pub mod list;
pub mod logs;
mod ports;
pub mod run;
pub mod start;
pub mod streams;
mod terminal;
pub mod top;
