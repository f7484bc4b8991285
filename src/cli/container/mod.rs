//! The container verbs.

pub mod act;
pub mod args;
pub mod change;
pub mod create;
mod detach;
mod environment;
pub mod exec;
pub mod files;
mod health;
pub mod list;
pub mod logs;
pub mod port;
mod ports;
pub mod prune;
pub mod run;
pub mod start;
pub mod stats;
pub mod streams;
mod terminal;
pub mod top;
